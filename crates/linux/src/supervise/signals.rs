//! The signals that the supervisor takes during a run: blocked, and read from a descriptor.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use crate::sys::signals::{SIGNALFD_RECORD, Signals};

/// What is read from the descriptor.
const READ: [i32; 9] = [
    libc::SIGTERM,
    libc::SIGINT,
    libc::SIGHUP,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGTSTP,
    libc::SIGCONT,
    libc::SIGWINCH,
];

/// Blocked beside them: writing to a reader who is gone must be an error, not the end of the supervisor; and the init,
/// which inherits the mask, waits for the ends of its children.
const BLOCKED_ONLY: [i32; 4] = [libc::SIGPIPE, libc::SIGCHLD, libc::SIGTTOU, libc::SIGTTIN];

/// The blocked signals; the mask before is put back when this is dropped.
pub(super) struct Handled {
    before: Signals,
}

impl Handled {
    pub(super) fn block() -> Handled {
        let mut all = [0; READ.len() + BLOCKED_ONLY.len()];
        for (place, number) in all.iter_mut().zip(READ.into_iter().chain(BLOCKED_ONLY)) {
            *place = number;
        }
        Handled { before: Signals::of(&all).block() }
    }

    pub(super) fn descriptor(&self) -> Result<OwnedFd, Errno> {
        Signals::of(&READ).descriptor()
    }
}

impl Drop for Handled {
    fn drop(&mut self) {
        self.before.block_only();
    }
}

/// The next pending signal.
pub(super) fn next(descriptor: &OwnedFd) -> Option<i32> {
    let mut record = [0; SIGNALFD_RECORD];
    match rustix::io::read(descriptor, &mut record) {
        Ok(count) if count == record.len() => {
            let number = record.first_chunk::<4>()?;
            Some(i32::from_ne_bytes(*number))
        }
        _ => None,
    }
}
