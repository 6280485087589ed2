//! The signals that the supervisor takes during a run: blocked, and read from a descriptor.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use crate::enter::init::{END_NOW, PASSED_ON};
use crate::sys::signals::{SIGNALFD_RECORD, Signals};

/// What is read from the descriptor: what the init passes on, and that the terminal has another size.
fn read() -> impl Iterator<Item = i32> {
    PASSED_ON.into_iter().chain([libc::SIGWINCH])
}

/// Blocked beside them: writing to a reader who is gone must be an error, not the end of the supervisor; and the init,
/// which inherits the mask, waits for the ends of its children and for being told to end the tree.
const BLOCKED_ONLY: [i32; 5] = [libc::SIGPIPE, libc::SIGCHLD, libc::SIGTTOU, libc::SIGTTIN, END_NOW];

/// The blocked signals; the mask before is put back when this is dropped.
pub(crate) struct Handled {
    before: Signals,
}

impl Handled {
    pub(crate) fn block() -> Handled {
        Handled { before: Signals::of(read().chain(BLOCKED_ONLY)).block() }
    }

    pub(super) fn descriptor(&self) -> Result<OwnedFd, Errno> {
        Signals::of(read()).descriptor()
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
