//! Signal masks, dispositions, and waiting for signals without handlers.

use std::os::fd::{FromRawFd, OwnedFd};

use rustix::io::Errno;

/// A set of signals.
#[derive(Clone, Copy)]
pub struct Signals(libc::sigset_t);

impl Signals {
    /// The set of `numbers`; numbers that are no signal are left out.
    pub fn of(numbers: impl IntoIterator<Item = i32>) -> Signals {
        // SAFETY: all-zero bytes are a valid `sigset_t`, and both functions only write the set that they are given.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            for number in numbers {
                libc::sigaddset(&raw mut set, number);
            }
            Signals(set)
        }
    }

    /// Makes this the mask of blocked signals of the calling thread, and returns the mask before.
    pub fn block_only(&self) -> Signals {
        let mut before = Signals::of([]);
        // SAFETY: both pointers are to live sets; SIG_SETMASK with valid pointers cannot fail.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const self.0, &raw mut before.0) };
        before
    }

    /// Adds this set to the mask of blocked signals of the calling thread, and returns the mask before.
    pub fn block(&self) -> Signals {
        let mut before = Signals::of([]);
        // SAFETY: as in `block_only`.
        unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const self.0, &raw mut before.0) };
        before
    }

    /// Waits for one of these signals, which must be blocked. Returns its number, and the process that sent it with kill(2) or
    /// pidfd_send_signal(2), if one did.
    ///
    /// The kernel reports senders from outside the caller's process-id namespace as process 0; a forged `si_code` of 0 is
    /// refused by rt_sigqueueinfo(2) to any other process, so nobody can pretend to be another sender.
    ///
    /// # Errors
    ///
    /// What sigwaitinfo(2) answers, `EINTR` included.
    pub fn wait(&self) -> Result<(i32, Option<i32>), Errno> {
        // SAFETY: all-zero bytes are a valid `siginfo_t`; both pointers are live for the call.
        unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let number = libc::sigwaitinfo(&raw const self.0, &raw mut info);
            let number = super::check(number.into())?;
            let sender = (info.si_code == libc::SI_USER).then(|| info.si_pid());
            Ok((number as i32, sender))
        }
    }

    /// A descriptor that becomes readable when one of these signals, which must be blocked, is pending.
    ///
    /// # Errors
    ///
    /// What signalfd(2) answers.
    pub fn descriptor(&self) -> Result<OwnedFd, Errno> {
        // SAFETY: the set is live for the call; the returned descriptor is fresh and owned by nobody else.
        unsafe {
            let fd = libc::signalfd(-1, &raw const self.0, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
            let fd = super::check(fd.into())?;
            Ok(OwnedFd::from_raw_fd(fd as i32))
        }
    }
}

/// Bytes of one `struct signalfd_siginfo`, whose first four are the signal's number (signalfd(2)).
pub const SIGNALFD_RECORD: usize = size_of::<libc::signalfd_siginfo>();

/// Gives signal `number` its default action again.
///
/// Callable after `clone`.
pub fn set_default(number: i32) {
    // SAFETY: SIG_DFL installs no handler; an invalid number makes the call fail without effect.
    unsafe { libc::signal(number, libc::SIG_DFL) };
}
