//! Stopping the own process group, as Ctrl-Z does.

use rustix::io::Errno;
use rustix::process::{Signal, kill_current_process_group};

/// Sends SIGTSTP to the own process group and lets it act on the calling thread although it may be blocked. Returns when
/// the process has been continued, or at once where stopping has no effect (SIGTSTP ignored; a process group that nobody
/// could continue: signal(7), POSIX "orphaned process group").
///
/// The process must have one thread, or SIGTSTP blocked in the others; else another may take the signal.
///
/// # Errors
///
/// What kill(2) answers.
pub fn stop_group() -> Result<(), Errno> {
    // Blocked first, so that the stop happens at a known place: at the end, when it is unblocked.
    let before = change_mask(libc::SIG_BLOCK);
    let sent = kill_current_process_group(Signal::TSTP);
    change_mask(libc::SIG_UNBLOCK);
    if before {
        change_mask(libc::SIG_BLOCK);
    }
    sent
}

/// Blocks or unblocks SIGTSTP in the calling thread; says whether it was blocked before.
fn change_mask(how: libc::c_int) -> bool {
    // SAFETY: all-zero bytes are a valid `sigset_t`; both sets are live for the calls, which write to nothing else; SIGTSTP
    // is a valid signal, so the calls cannot fail.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGTSTP);
        libc::pthread_sigmask(how, &raw const set, &raw mut before);
        libc::sigismember(&raw const before, libc::SIGTSTP) == 1
    }
}
