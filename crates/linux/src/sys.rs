//! The system interfaces that rustix does not wrap, one file each. All unsafe code of the crate is below here.

pub mod arena;
pub mod clone;
pub mod directory_notify;
pub mod exec;
pub mod landlock;
pub mod late;
pub mod lease;
pub mod mount;
pub mod net;
pub mod netlink;
pub mod packet;
pub mod process;
mod raw;
pub mod scheduler;
pub mod seccomp;
pub mod signals;
pub mod sockdiag;
pub mod stop;
pub mod throwaway;
pub mod withheld;

use rustix::io::Errno;

/// The result of a libc call that answers -1 and sets `errno`.
fn check(answer: libc::c_long) -> Result<libc::c_long, Errno> {
    if answer == -1 {
        // SAFETY: errno is a valid thread-local of the calling thread.
        let errno = unsafe { *libc::__errno_location() };
        return Err(Errno::from_raw_os_error(errno));
    }
    Ok(answer)
}
