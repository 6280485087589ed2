//! Asking the kernel whether anybody has a file open for writing.

use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

/// Whether some process has the file behind `descriptor`, which is open for reading only, open or mapped for writing: the
/// kernel then refuses a read lease (fcntl(2), `F_SETLEASE`). `None` where it gives no leases: to others' files, or on
/// file systems that have none.
pub fn is_open_for_writing(descriptor: BorrowedFd<'_>) -> Option<bool> {
    // SAFETY: plain integers; the lease is given up at once, and breaking it in between only sends SIGIO, which is blocked.
    unsafe {
        let number = descriptor.as_raw_fd();
        match super::check(libc::fcntl(number, libc::F_SETLEASE, libc::F_RDLCK).into()) {
            Ok(_) => {
                libc::fcntl(number, libc::F_SETLEASE, libc::F_UNLCK);
                Some(false)
            }
            Err(Errno::AGAIN) => Some(true),
            Err(_) => None,
        }
    }
}
