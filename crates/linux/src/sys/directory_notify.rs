//! Being told by signal when something is made in a directory: `fcntl(2)` `F_NOTIFY`, "directory notifications".
//!
//! inotify(7) would name what was made, but closing an inotify descriptor that has watches waits for the kernel to free
//! them: 8 ms here, several times the cost of a whole run **(measured, Linux 6.18)**. Closing a directory with a
//! notification takes 2 µs.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

use super::signals::Signals;

/// Offset of `ssi_fd` in `struct signalfd_siginfo` (signalfd(2)).
const DESCRIPTOR_AT: usize = 20;

/// The signal that tells which directory has changed. A real-time signal is queued with the directory's descriptor.
fn named() -> i32 {
    libc::SIGRTMIN() + 5
}

/// The signal that the kernel sends instead when the queue is full: something has changed somewhere.
const UNNAMED: i32 = libc::SIGIO;

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Something in the directory behind this descriptor number.
    Directory(i32),
    /// Anything.
    Anything,
}

/// The receiving end: for the thread that has made it, in which the two signals stay blocked.
#[derive(Debug)]
pub struct Bell(OwnedFd);

impl Bell {
    /// Blocks the signals in the calling thread, whose bell this is.
    ///
    /// # Errors
    ///
    /// What signalfd(2) answers.
    pub fn new() -> Result<Bell, Errno> {
        let signals = Signals::of([named(), UNNAMED]);
        signals.block();
        signals.descriptor().map(Bell)
    }

    /// Becomes readable when something has changed.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        std::os::fd::AsFd::as_fd(&self.0)
    }

    /// The next change; `None` when there is none.
    pub fn next(&self) -> Option<Changed> {
        let mut record = [0; super::signals::SIGNALFD_RECORD];
        match rustix::io::read(&self.0, &mut record) {
            Ok(count) if count == record.len() => {}
            _ => return None,
        }
        let number = |at: usize| Some(i32::from_ne_bytes(*record.get(at..)?.first_chunk::<4>()?));
        match number(0) {
            Some(signal) if signal == named() => number(DESCRIPTOR_AT).map(Changed::Directory),
            _ => Some(Changed::Anything),
        }
    }
}

impl Drop for Bell {
    /// Takes what is pending: unblocked later, it would end the process.
    fn drop(&mut self) {
        while self.next().is_some() {}
    }
}

/// Rings the calling thread's bell from now on whenever something is made in `directory`, linked or moved into it; with
/// `removals` also when something is removed from it or moved away. Ends when the descriptor is closed.
///
/// # Errors
///
/// `EINVAL` where the kernel is built without `CONFIG_DNOTIFY`, `EACCES` where the directory may not be read.
pub fn ring(directory: BorrowedFd<'_>, removals: bool) -> Result<(), Errno> {
    let removals = if removals { REMOVED } else { 0 };
    let events = MADE | RENAMED | AGAIN_AND_AGAIN | removals;
    let owner = Owner { kind: OWNER_THREAD, thread: rustix::thread::gettid().as_raw_nonzero().get() };
    // SAFETY: the descriptor is borrowed for the calls; F_SETOWN_EX reads one `struct f_owner_ex`, which lives until it
    // returns; the others take integers.
    unsafe {
        let number = directory.as_raw_fd();
        super::check(libc::fcntl(number, F_SETOWN_EX, &raw const owner).into())?;
        super::check(libc::fcntl(number, F_SETSIG, named()).into())?;
        super::check(libc::fcntl(number, libc::F_NOTIFY, libc::c_ulong::from(events)).into())?;
    }
    Ok(())
}

/// `struct f_owner_ex` of `asm-generic/fcntl.h`.
#[repr(C)]
struct Owner {
    kind: i32,
    thread: i32,
}

/// `DN_CREATE` of `linux/fcntl.h`: made, linked, or moved here from elsewhere.
const MADE: u32 = 0x4;
/// `DN_DELETE`: removed, or moved away.
const REMOVED: u32 = 0x8;
/// `DN_RENAME`: renamed within.
const RENAMED: u32 = 0x10;
/// `DN_MULTISHOT`: not only once.
const AGAIN_AND_AGAIN: u32 = 0x8000_0000;

/// `F_OWNER_TID`: the signal goes to this thread and no other.
const OWNER_THREAD: i32 = 0;
/// `F_SETOWN_EX` of `asm-generic/fcntl.h`.
const F_SETOWN_EX: i32 = 15;
/// `F_SETSIG` of `asm-generic/fcntl.h`.
const F_SETSIG: i32 = 10;
