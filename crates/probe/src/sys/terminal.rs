//! Terminals.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::OpenOptionsExt;

use super::check;

/// TIOCSTI: puts a byte into a terminal's input as if typed. With `high`, bits above the 32 that the kernel looks at are set too.
pub(crate) fn type_byte(terminal: &File, byte: u8, high: bool) -> io::Result<()> {
    let request: usize = libc::TIOCSTI as usize | if high { 1 << 40 } else { 0 };
    // SAFETY: the request reads one byte, which lives across the call. The kernel ignores the high bits of the request.
    check(unsafe { libc::syscall(libc::SYS_ioctl, terminal.as_raw_fd(), request, &raw const byte) }).map(drop)
}

/// TIOCLINUX with a sub-code that does not exist; pastes the selection of a virtual console when the sub-code is 3.
pub(crate) fn console_call(terminal: &File, high: bool) -> io::Result<()> {
    let request: usize = libc::TIOCLINUX as usize | if high { 1 << 40 } else { 0 };
    let code: u8 = 0xff;
    // SAFETY: the request reads one byte, which lives across the call.
    check(unsafe { libc::syscall(libc::SYS_ioctl, terminal.as_raw_fd(), request, &raw const code) }).map(drop)
}

/// A pseudo-terminal: the side of the person, and the side of the program. Both do not block and are not the caller's controlling terminal.
pub(crate) fn pseudo_terminal() -> io::Result<(File, File)> {
    let person =
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK).open("/dev/ptmx")?;
    let unlocked: libc::c_int = 0;
    // SAFETY: the request reads an int, which lives across the call.
    check(unsafe { libc::ioctl(person.as_raw_fd(), libc::TIOCSPTLCK as _, &raw const unlocked) }.into())?;
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: the request takes open flags as a number.
    let fd = check(unsafe { libc::ioctl(person.as_raw_fd(), libc::TIOCGPTPEER as _, flags) }.into())?;
    // SAFETY: the kernel just gave this descriptor to us alone.
    Ok((person, unsafe { File::from_raw_fd(fd as i32) }))
}

/// Bytes that wait in the input of a terminal and can be read now (FIONREAD).
pub(crate) fn waiting(terminal: &File) -> io::Result<usize> {
    let mut count: libc::c_int = 0;
    // SAFETY: the request writes an int, which lives across the call.
    check(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::FIONREAD as _, &raw mut count) }.into())?;
    Ok(usize::try_from(count).unwrap_or(0))
}
