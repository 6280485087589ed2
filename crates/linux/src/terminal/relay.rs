//! Carrying bytes between the user's terminal and the inside's pseudo-terminal.
//!
//! The relay never blocks and never waits for one side in order to serve the other. In each direction at most 64 KiB wait;
//! while they do, nothing more is read, and the writer is held up by the kernel as by a slow terminal.

#[cfg(test)]
mod tests;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::buffer::Buffer;
use super::filter::{Filter, locale_is_utf8};
use super::outer::{Outer, TerminalError};

/// Bytes read at once: what a pseudo-terminal gives at most.
const CHUNK: usize = 4096;
/// Room that one chunk of output can need after the filter (`Filter::feed`).
const ROOM_FOR_CHUNK: usize = 3 * CHUNK + 512;
/// How long to look again whether bailiwick has come into the foreground: shells do not always say so.
const FOREGROUND_TICK: Duration = Duration::from_millis(250);
/// How long to look again whether a program has opened the pseudo-terminal that all had closed.
const REOPEN_TICK: Duration = Duration::from_millis(100);
/// How long stopping waits for a terminal that takes no output.
const PATIENCE_BEFORE_STOP: Duration = Duration::from_millis(200);

/// The pump between the user's terminal and the master of the inside's pseudo-terminal.
#[derive(Debug)]
pub struct Relay {
    outer: Outer,
    master: OwnedFd,
    filter: Filter,
    to_outer: Buffer,
    to_inside: Buffer,
    /// No program inside has the pseudo-terminal open, and all that was written has been read.
    hung_up: bool,
    outer_gone: bool,
}

/// What is ready of what was asked for.
#[derive(Clone, Copy)]
struct Ready {
    master: PollFlags,
    keys: PollFlags,
    output: PollFlags,
}

impl Relay {
    /// Takes over: the inside's pseudo-terminal gets modes and size of the user's, which goes into raw mode if its keyboard
    /// is relayed and bailiwick is in the foreground.
    ///
    /// Nobody inside may keep a descriptor of `master`: its flags are shared.
    ///
    /// # Errors
    ///
    /// Any [`TerminalError`]; the user's terminal is put back then.
    pub fn start(outer: Outer, master: OwnedFd) -> Result<Relay, TerminalError> {
        rustix::io::ioctl_fionbio(&master, true).map_err(TerminalError::Prepare)?;
        if outer.is_foreground() {
            // In the background, the modes are those of the shell's own line editing; a new pseudo-terminal's suit better.
            outer.copy_modes(&master)?;
        }
        let mut filter = Filter::new();
        if !outer.has_keyboard() {
            filter = filter.without_replies();
        }
        let [all, ctype, lang] = ["LC_ALL", "LC_CTYPE", "LANG"].map(std::env::var_os);
        let bytes = |value: &Option<std::ffi::OsString>| value.as_ref().map(|value| value.as_bytes().to_vec());
        let variables = [bytes(&all), bytes(&ctype), bytes(&lang)];
        if !locale_is_utf8(variables.each_ref().map(|value| value.as_deref())) {
            filter = filter.seven_bit();
        }
        let mut relay = Relay {
            outer,
            master,
            filter,
            to_outer: Buffer::new(),
            to_inside: Buffer::new(),
            hung_up: false,
            outer_gone: false,
        };
        relay.resume()?;
        Ok(relay)
    }

    /// Appends what the supervisor's loop has to poll for: at most three descriptors, none where there is nothing to wait
    /// for. When any of them answers, or [`tick`](Self::tick) has passed, call [`on_ready`](Self::on_ready).
    pub fn poll_fds<'a>(&'a self, fds: &mut Vec<PollFd<'a>>) {
        let (master, keys, output) = self.interest();
        let wanted = [(self.master.as_fd(), master), (self.outer.output(), output)];
        fds.extend(wanted.into_iter().filter(|(_, events)| !events.is_empty()).map(as_poll_fd));
        if let (Some(descriptor), false) = (self.outer.keys(), keys.is_empty()) {
            fds.push(PollFd::from_borrowed_fd(descriptor, keys));
        }
    }

    /// How long the supervisor's poll may wait at most; `None` is forever.
    pub fn tick(&self) -> Option<Duration> {
        if self.hung_up {
            return Some(REOPEN_TICK);
        }
        let waits_for_foreground = self.outer.has_keyboard() && !self.outer.is_raw() && !self.outer_gone;
        waits_for_foreground.then_some(FOREGROUND_TICK)
    }

    /// Carries what can be carried now. Does not block, and may be called at any time.
    ///
    /// # Errors
    ///
    /// [`TerminalError::Poll`], and those of entering raw mode. A terminal or an inside that is gone is no error.
    pub fn on_ready(&mut self) -> Result<(), TerminalError> {
        if !self.outer_gone && !self.outer.is_raw() && self.outer.enter_raw()? {
            self.on_resize()?;
        }
        if self.hung_up {
            self.look_for_reopening()?;
        }
        let ready = self.wait(Duration::ZERO)?;
        self.carry(ready);
        Ok(())
    }

    /// Whether the user's terminal is gone (closed window, lost connection). Output is thrown away from then on, so that the
    /// inside is not held up; the run should be ended as by SIGHUP.
    pub fn outer_is_gone(&self) -> bool {
        self.outer_gone
    }

    /// The user's terminal has another size (SIGWINCH).
    ///
    /// # Errors
    ///
    /// [`TerminalError::ReadModes`], [`TerminalError::Prepare`].
    pub fn on_resize(&self) -> Result<(), TerminalError> {
        if self.outer_gone {
            return Ok(());
        }
        self.outer.copy_size(&self.master)
    }

    /// The command inside has stopped itself (Ctrl-Z): stops bailiwick's process group like any program that is stopped,
    /// with the terminal put back, and returns when the user's shell has continued it. The caller then continues the inside
    /// (SIGCONT). Returns at once where stopping makes no sense: nobody could continue it.
    ///
    /// # Errors
    ///
    /// Any [`TerminalError`].
    pub fn suspend(&mut self) -> Result<(), TerminalError> {
        if self.outer.is_controlling() && !self.outer_gone {
            self.drain(PATIENCE_BEFORE_STOP, false)?;
            self.outer.restore()?;
            crate::sys::stop::stop_group().map_err(TerminalError::Stop)?;
        }
        self.resume()
    }

    /// bailiwick has been continued (SIGCONT): modes and size may have changed, and it may be in the background now.
    ///
    /// # Errors
    ///
    /// Any [`TerminalError`].
    pub fn resume(&mut self) -> Result<(), TerminalError> {
        if self.outer_gone {
            return Ok(());
        }
        self.outer.check_raw()?;
        self.outer.enter_raw()?;
        self.on_resize()
    }

    /// The last act: carries out what the inside has written, switches off what it has left on, and puts the user's terminal
    /// back. To be called when the tree is dead.
    ///
    /// A terminal that takes nothing for `patience` is given up.
    ///
    /// # Errors
    ///
    /// Any [`TerminalError`]; the terminal is put back in any case.
    pub fn finish(mut self, patience: Duration) -> Result<(), TerminalError> {
        self.to_inside.clear();
        let drained = self.drain(patience, true);
        self.filter.farewell(self.to_outer.tail());
        if self.outer_gone {
            self.to_outer.clear();
        }
        let said = self.drain(patience, false);
        let restored = self.outer.restore();
        drained.and(said).and(restored)
    }

    /// What is waited for: at the master, at the keyboard, at the terminal's output.
    fn interest(&self) -> (PollFlags, PollFlags, PollFlags) {
        let mut master = PollFlags::empty();
        if !self.hung_up {
            master.set(PollFlags::IN, self.to_outer.room() >= ROOM_FOR_CHUNK);
            master.set(PollFlags::OUT, !self.to_inside.is_empty());
        }
        let wants_keys = self.outer.is_raw() && !self.hung_up && !self.outer_gone && self.to_inside.room() >= CHUNK;
        let keys = if wants_keys { PollFlags::IN } else { PollFlags::empty() };
        let wants_output = !self.to_outer.is_empty() && !self.outer_gone;
        let output = if wants_output { PollFlags::OUT } else { PollFlags::empty() };
        (master, keys, output)
    }

    /// Polls for what is of interest.
    fn wait(&self, timeout: Duration) -> Result<Ready, TerminalError> {
        let (master, keys, output) = self.interest();
        let none = PollFlags::empty();
        let mut fds = Vec::with_capacity(3);
        self.poll_fds(&mut fds);
        if !fds.is_empty() {
            wait_for(&mut fds, timeout)?;
        }
        let mut answers = fds.iter().map(PollFd::revents);
        let mut answer = |wanted: PollFlags| if wanted.is_empty() { none } else { answers.next().unwrap_or(none) };
        // In the order of `poll_fds`.
        let (master, output) = (answer(master), answer(output));
        Ok(Ready { master, output, keys: answer(keys) })
    }

    fn carry(&mut self, ready: Ready) {
        let ended = PollFlags::HUP | PollFlags::ERR;
        if ready.output.intersects(ended) {
            self.lose_outer();
        }
        if ready.master.intersects(PollFlags::IN | ended) {
            self.read_output();
        }
        if !self.to_outer.is_empty() {
            self.write_output(ready.output.contains(PollFlags::OUT));
        }
        if ready.keys.intersects(ended) {
            self.lose_outer();
        } else if ready.keys.contains(PollFlags::IN) {
            self.read_keys();
        }
        if !self.to_inside.is_empty() {
            self.write_input();
        }
    }

    fn read_output(&mut self) {
        if self.to_outer.room() < ROOM_FOR_CHUNK {
            // Asked for room to write and told of a hang-up: nobody reads the keys any more. Output is read later.
            self.to_inside.clear();
            return;
        }
        let mut chunk = [0; CHUNK];
        match retry(|| rustix::io::read(&self.master, &mut chunk)) {
            Err(Errno::AGAIN) => {}
            // EIO: every program inside has closed it, and all is read.
            Ok(0) | Err(_) => {
                self.hung_up = true;
                self.to_inside.clear();
            }
            Ok(count) => {
                let read = chunk.get(..count).unwrap_or_default();
                self.filter.feed(read, self.to_outer.tail());
                if self.outer_gone {
                    self.to_outer.clear();
                }
            }
        }
    }

    /// `ready`: the terminal has said that it takes something. Where writing could block, that is waited for.
    fn write_output(&mut self, ready: bool) {
        let most = self.outer.most_at_once();
        if most < usize::MAX && !ready {
            return;
        }
        let waiting = self.to_outer.waiting();
        let part = waiting.get(..most).unwrap_or(waiting);
        match retry(|| rustix::io::write(self.outer.output(), part)) {
            Ok(count) => self.to_outer.take(count),
            Err(Errno::AGAIN) => {}
            Err(_) => self.lose_outer(),
        }
    }

    fn read_keys(&mut self) {
        if !self.outer.is_foreground() {
            // Somebody has taken the terminal: reading would stop bailiwick, and the modes are theirs.
            self.outer.forget_raw();
            return;
        }
        let Some(keys) = self.outer.keys() else { return };
        let mut chunk = [0; CHUNK];
        match retry(|| rustix::io::read(keys, &mut chunk)) {
            Ok(0) if !self.outer.nothing_means_gone() => {}
            Err(Errno::AGAIN) => {}
            Ok(0) | Err(_) => self.lose_outer(),
            Ok(count) => self.to_inside.tail().extend_from_slice(chunk.get(..count).unwrap_or_default()),
        }
    }

    fn write_input(&mut self) {
        match retry(|| rustix::io::write(&self.master, self.to_inside.waiting())) {
            Ok(count) => self.to_inside.take(count),
            Err(Errno::AGAIN) => {}
            // Nobody reads it.
            Err(_) => self.to_inside.clear(),
        }
    }

    fn lose_outer(&mut self) {
        self.outer_gone = true;
        // Best effort: a terminal that is really gone refuses at once.
        let _ = self.outer.restore();
        self.to_outer.clear();
    }

    /// A program without a terminal open may open its controlling terminal again.
    fn look_for_reopening(&mut self) -> Result<(), TerminalError> {
        let mut fds = [PollFd::new(&self.master, PollFlags::IN)];
        wait_for(&mut fds, Duration::ZERO)?;
        self.hung_up = fds.iter().any(|fd| fd.revents().contains(PollFlags::HUP));
        Ok(())
    }

    /// Carries output until all of it is out, or nothing moves for `patience`. `to_the_end`: until the inside has closed
    /// the pseudo-terminal too; else what can be read now.
    fn drain(&mut self, patience: Duration, to_the_end: bool) -> Result<(), TerminalError> {
        let mut deadline = Instant::now() + patience;
        loop {
            let before = (self.to_outer.waiting().len(), self.hung_up);
            let ready = self.wait(Duration::ZERO)?;
            self.carry(ready);
            let read_something = ready.master.contains(PollFlags::IN);
            if self.to_outer.is_empty() && !read_something && (self.hung_up || !to_the_end) {
                return Ok(());
            }
            if read_something || before != (self.to_outer.waiting().len(), self.hung_up) {
                deadline = Instant::now() + patience;
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.wait(left)?;
        }
    }
}

fn as_poll_fd((descriptor, events): (BorrowedFd<'_>, PollFlags)) -> PollFd<'_> {
    PollFd::from_borrowed_fd(descriptor, events)
}

fn wait_for(fds: &mut [PollFd<'_>], timeout: Duration) -> Result<(), TerminalError> {
    // A time too long for the kernel is forever.
    let timeout = Timespec::try_from(timeout).ok();
    match poll(fds, timeout.as_ref()) {
        // Nothing is ready then: the answers are those of before, empty.
        Ok(_) | Err(Errno::INTR | Errno::AGAIN) => Ok(()),
        Err(errno) => Err(TerminalError::Poll(errno)),
    }
}

/// Calls again after a signal.
fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            answer => return answer,
        }
    }
}
