//! The user's terminal: opened apart, put into raw mode, and always put back.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{self, LocalModes, OptionalActions, OutputModes, QueueSelector, SpecialCodeIndex, Termios};

use super::wiring::Wiring;

/// A step at a terminal that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TerminalError {
    /// No descriptor for the user's terminal could be had.
    Open(Errno),
    /// The modes of the user's terminal could not be read.
    ReadModes(Errno),
    /// The modes of the user's terminal could not be set.
    SetModes(Errno),
    /// The inside's pseudo-terminal could not be prepared.
    Prepare(Errno),
    /// The process group could not be stopped.
    Stop(Errno),
    /// Waiting for the terminals failed.
    Poll(Errno),
}

impl fmt::Display for TerminalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, errno) = match self {
            TerminalError::Open(errno) => ("opening your terminal apart from the inside", errno),
            TerminalError::ReadModes(errno) => ("reading the modes of your terminal", errno),
            TerminalError::SetModes(errno) => ("setting the modes of your terminal", errno),
            TerminalError::Prepare(errno) => ("preparing the pseudo-terminal of the inside", errno),
            TerminalError::Stop(errno) => ("stopping with the command (job control)", errno),
            TerminalError::Poll(errno) => ("waiting for your terminal and the inside's", errno),
        };
        write!(f, "{what} failed: {errno}; redirect standard input, output and error to run without a terminal")
    }
}

impl std::error::Error for TerminalError {}

/// The user's terminal. Its modes are put back when it is dropped.
#[derive(Debug)]
pub struct Outer {
    output: OwnedFd,
    /// Where keys are read from, where the keyboard is relayed.
    input: Option<OwnedFd>,
    /// Whether the descriptors are a description of their own and do not block. Else they are shared with the user's shell,
    /// whose flags are not bailiwick's to change.
    own: bool,
    /// Whether it is the controlling terminal, so that job control applies.
    controlling: bool,
    /// The modes to put back, while in raw mode.
    saved: Option<Termios>,
}

impl Outer {
    /// The terminal that `wiring` sends the output to; `None` where it needs none. Changes nothing yet.
    ///
    /// # Errors
    ///
    /// [`TerminalError::Open`].
    pub fn open(wiring: &Wiring) -> Result<Option<Outer>, TerminalError> {
        let terminal = match wiring.output {
            None => return Ok(None),
            Some(1) => rustix::stdio::stdout(),
            Some(_) => rustix::stdio::stderr(),
        };
        Outer::at(terminal, rustix::stdio::stdin(), wiring.keyboard).map(Some)
    }

    /// The terminal that `terminal` leads to; `keys` is read where it cannot be opened anew.
    pub(super) fn at(terminal: BorrowedFd<'_>, keys: BorrowedFd<'_>, keyboard: bool) -> Result<Outer, TerminalError> {
        let controlling = termios::tcgetsid(terminal).is_ok_and(|session| rustix::process::getsid(None) == Ok(session));
        let own = open_anew(terminal, controlling);
        let is_own = own.is_some();
        let output = match own {
            Some(own) => own,
            None => rustix::io::fcntl_dupfd_cloexec(terminal, 3).map_err(TerminalError::Open)?,
        };
        let source = if is_own || !termios::isatty(keys) { output.as_fd() } else { keys };
        let input = match keyboard && is_readable(source) {
            true => Some(rustix::io::fcntl_dupfd_cloexec(source, 3).map_err(TerminalError::Open)?),
            false => None,
        };
        Ok(Outer { output, input, own: is_own, controlling, saved: None })
    }

    /// Whether keys are relayed to the inside (while bailiwick is in the foreground).
    pub fn has_keyboard(&self) -> bool {
        self.input.is_some()
    }

    /// Whether it is in raw mode now: only then keys may be read.
    pub fn is_raw(&self) -> bool {
        self.saved.is_some()
    }

    /// Whether it is the controlling terminal, so that stopping with Ctrl-Z makes sense.
    pub fn is_controlling(&self) -> bool {
        self.controlling
    }

    /// Whether bailiwick's process group is in the foreground. In the background, a program that changes modes or reads is
    /// stopped by the kernel, and the modes belong to somebody else.
    pub fn is_foreground(&self) -> bool {
        !self.controlling || termios::tcgetpgrp(&self.output) == Ok(rustix::process::getpgrp())
    }

    /// Puts it into raw mode, if the keyboard is relayed and bailiwick is in the foreground. Says whether it is raw now.
    ///
    /// # Errors
    ///
    /// [`TerminalError::ReadModes`], [`TerminalError::SetModes`].
    pub fn enter_raw(&mut self) -> Result<bool, TerminalError> {
        if self.is_raw() {
            return Ok(true);
        }
        if !self.has_keyboard() || !self.is_foreground() {
            return Ok(false);
        }
        let saved = termios::tcgetattr(&self.output).map_err(TerminalError::ReadModes)?;
        let mut raw = saved.clone();
        raw.make_raw();
        // A description that may block must answer at once where there is no key.
        raw.special_codes[SpecialCodeIndex::VMIN] = u8::from(self.own);
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        // Saved first: a change that the kernel made in part is put back as well.
        self.saved = Some(saved);
        set_modes(&self.output, &raw).map_err(TerminalError::SetModes)?;
        Ok(true)
    }

    /// Puts the modes back as they were, and throws away what the terminal has sent and nobody has read: a late answer to
    /// a question of the inside must not be typed into the user's shell.
    ///
    /// In the background, nothing is changed: the shell has set its own modes when it took the terminal.
    ///
    /// # Errors
    ///
    /// [`TerminalError::SetModes`].
    pub fn restore(&mut self) -> Result<(), TerminalError> {
        let Some(saved) = self.saved.take() else { return Ok(()) };
        if !self.is_foreground() {
            return Ok(());
        }
        // Not TCSAFLUSH itself, which waits until the terminal has taken all output, which may be never. Flushed before,
        // so that nothing is echoed, and after, for what came in between.
        let _ = termios::tcflush(&self.output, QueueSelector::IFlush);
        let set = set_modes(&self.output, &saved).map_err(TerminalError::SetModes);
        let _ = termios::tcflush(&self.output, QueueSelector::IFlush);
        set
    }

    /// After having been continued: whether it is still raw. Whoever stopped and continued bailiwick has set modes of
    /// their own, which are the ones to put back then.
    pub(super) fn check_raw(&mut self) -> Result<(), TerminalError> {
        if !self.is_raw() {
            return Ok(());
        }
        let canonical = || termios::tcgetattr(&self.output).map(|now| now.local_modes.contains(LocalModes::ICANON));
        if !self.is_foreground() || canonical().map_err(TerminalError::ReadModes)? {
            self.forget_raw();
        }
        Ok(())
    }

    /// Forgets that it was raw: bailiwick has lost the foreground, and somebody else has set the modes.
    pub(super) fn forget_raw(&mut self) {
        self.saved = None;
    }

    /// Gives the inside's pseudo-terminal the modes of this terminal (erase character, UTF-8 …). To be called before
    /// [`enter_raw`](Self::enter_raw).
    ///
    /// # Errors
    ///
    /// [`TerminalError::ReadModes`], [`TerminalError::Prepare`].
    pub fn copy_modes(&self, master: impl AsFd) -> Result<(), TerminalError> {
        let mut modes = match &self.saved {
            Some(saved) => saved.clone(),
            None => termios::tcgetattr(&self.output).map_err(TerminalError::ReadModes)?,
        };
        if !self.has_keyboard() {
            // This terminal stays as it is, and turns line feeds into new lines itself.
            modes.output_modes.remove(OutputModes::OPOST);
        }
        // On the master's side, the call is about the slave's modes (tty_ioctl(4)).
        set_modes(&master, &modes).map_err(TerminalError::Prepare)
    }

    /// Gives the inside's pseudo-terminal the size of this terminal; the kernel tells the programs inside (SIGWINCH).
    ///
    /// # Errors
    ///
    /// [`TerminalError::ReadModes`], [`TerminalError::Prepare`].
    pub fn copy_size(&self, master: impl AsFd) -> Result<(), TerminalError> {
        let size = termios::tcgetwinsize(&self.output).map_err(TerminalError::ReadModes)?;
        termios::tcsetwinsize(&master, size).map_err(TerminalError::Prepare)
    }

    /// Where output is written.
    pub(super) fn output(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }

    /// Where keys are read, while in raw mode.
    pub(super) fn keys(&self) -> Option<BorrowedFd<'_>> {
        if self.is_raw() { self.input.as_ref().map(AsFd::as_fd) } else { None }
    }

    /// Most bytes to write at once. A shared description blocks where the terminal has less room than is written.
    pub(super) fn most_at_once(&self) -> usize {
        if self.own { usize::MAX } else { 64 }
    }

    /// Whether reading nothing means that the terminal is gone: not where reading answers at once in any case.
    pub(super) fn nothing_means_gone(&self) -> bool {
        self.own
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        let _ = self.restore();
    }
}

/// A description of its own, so that not blocking is no concern of the user's shell, which shares the standard
/// descriptors' flags. `None` where the system does not give one (another user's terminal).
fn open_anew(terminal: BorrowedFd<'_>, controlling: bool) -> Option<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let by_name = || rustix::fs::open("/dev/tty", flags, Mode::empty());
    let by_descriptor = || rustix::fs::open(format!("/proc/self/fd/{}", terminal.as_raw_fd()), flags, Mode::empty());
    // A session has one controlling terminal at most, so `/dev/tty` is this one; opening it asks for no permission.
    let opened = if controlling { by_name().or_else(|_| by_descriptor()) } else { by_descriptor() };
    opened.ok().filter(|own| termios::isatty(own))
}

fn is_readable(descriptor: BorrowedFd<'_>) -> bool {
    rustix::fs::fcntl_getfl(descriptor).is_ok_and(|flags| (flags & OFlags::RWMODE) != OFlags::WRONLY)
}

fn set_modes(terminal: impl AsFd, modes: &Termios) -> Result<(), Errno> {
    loop {
        match termios::tcsetattr(&terminal, OptionalActions::Now, modes) {
            Err(Errno::INTR) => {}
            answer => return answer,
        }
    }
}
