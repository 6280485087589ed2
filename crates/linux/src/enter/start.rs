//! Starting the command: its terminal, its descriptors, its `execve`.
//! Runs in the child after `clone`: nothing here allocates.

use std::ffi::{c_int, c_void};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::{Pid, chdir, getpid, ioctl_tiocsctty, setpgid};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::tcsetpgrp;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::Launch;
use super::message::Message;
use crate::sys;
use crate::sys::scheduler;
use crate::sys::signals::Signals;
use crate::terminal::Source;

/// The slave of the inside's pseudo-terminal.
pub(super) struct Terminal(OwnedFd);

/// Opens a pseudo-terminal of the inside's own devpts, if the run has one, and hands its master to the supervisor.
pub(super) fn open_terminal(launch: &Launch<'_>, supervisor: &OwnedFd) -> Result<Option<Terminal>, Errno> {
    if !launch.terminal {
        return Ok(None);
    }
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags)?;
    unlockpt(&master)?;
    let slave = ioctl_tiocgptpeer(&master, flags)?;
    ioctl_tiocsctty(&slave)?;
    Message::Terminal.send(supervisor, &[master.as_fd()])?;
    Ok(Some(Terminal(slave)))
}

/// Why the command does not run.
pub(super) enum NotStarted {
    Spawn(Errno),
    Exec(Errno),
}

/// What the borrowed-memory child gets and answers.
struct Context<'a> {
    launch: &'a Launch<'a>,
    terminal: Option<&'a Terminal>,
    processors: &'a Here,
    /// Why `execve` did not happen, if it did not.
    failed: Option<Errno>,
}

/// Holds processes to the processor that this one runs on. A process that waits for its child's `execve` leaves its processor
/// free; on another one, asleep, the child would begin later (measured in a virtual machine: 0.1 ms).
struct Here {
    /// Where they may run else; `None` where that cannot be told, and nothing was changed.
    processors: Option<CpuSet>,
}

impl Here {
    fn stay() -> Here {
        let Ok(processors) = sched_getaffinity(None) else { return Here { processors: None } };
        let stays = scheduler::here().is_some_and(|here| sched_setaffinity(None, &here).is_ok());
        Here { processors: stays.then_some(processors) }
    }

    /// Undoes it, for the calling process.
    fn leave(&self) {
        if let Some(processors) = &self.processors {
            let _ = sched_setaffinity(None, processors);
        }
    }
}

/// Starts the command and returns its process id.
pub(super) fn command(launch: &Launch<'_>, terminal: Option<&Terminal>) -> Result<Pid, NotStarted> {
    let processors = Here::stay();
    let mut context = Context { launch, terminal, processors: &processors, failed: None };
    // SAFETY: `become_command` makes system calls on prepared data, writes only `context.failed`, and ends in `execve`
    // or in its return, which the wrapper turns into an exit.
    let child = unsafe { sys::clone::vfork(become_command, (&raw mut context).cast::<c_void>()) };
    processors.leave();
    let child = child.map_err(NotStarted::Spawn)?;
    match context.failed {
        None => Ok(child),
        Some(errno) => Err(NotStarted::Exec(errno)),
    }
}

extern "C" fn become_command(context: *mut c_void) -> c_int {
    // SAFETY: `command` passes its own live `Context` and is suspended until this process execs or exits.
    let context = unsafe { &mut *context.cast::<Context<'_>>() };
    let Err(errno) = run(context);
    context.failed = Some(errno);
    127
}

fn run(context: &Context<'_>) -> Result<std::convert::Infallible, Errno> {
    let launch = context.launch;
    context.processors.leave();
    // A process group of its own in the init's session: job control works, and the group is not an orphaned one, in
    // which SIGTSTP would be ignored (setpgid(2), POSIX "orphaned process group").
    setpgid(None, None)?;
    if let Some(Terminal(slave)) = context.terminal {
        tcsetpgrp(slave, getpid())?;
    }
    for (number, standard) in (0..).zip(&launch.standard) {
        match (standard, context.terminal) {
            (Source::Original, _) => sys::process::place_descriptor(number, number)?,
            (Source::Pty, Some(Terminal(slave))) => {
                sys::process::place_descriptor(slave.as_raw_fd(), number)?;
            }
            (Source::Empty, _) | (Source::Pty, None) => {
                let empty = open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
                sys::process::place_descriptor(empty.as_raw_fd(), number)?;
            }
        }
    }
    chdir(launch.directory)?;
    sys::process::close_on_exec_from(3)?;
    // Rust's start-up ignores SIGPIPE in this program; the command starts as programs expect.
    sys::signals::set_default(libc::SIGPIPE);
    Signals::of([]).block_only();

    let mut answer = Errno::NOENT;
    for candidate in launch.candidates {
        let errno = sys::exec::execve(candidate, launch.arguments, launch.environment);
        match errno {
            Errno::NOENT | Errno::NOTDIR => {}
            // As a shell searches: remember that something was there but could not be run, and look on.
            Errno::ACCESS => answer = errno,
            _ => return Err(errno),
        }
    }
    Err(answer)
}
