//! The system calls that the standard library does not offer. All `unsafe` of the crate is here and in the modules below, one call in
//! each function, so that an attack reads as what it tries.

pub(crate) mod closed;
pub(crate) mod file;
pub(crate) mod ipc;
pub(crate) mod process;
pub(crate) mod socket;
pub(crate) mod terminal;

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The result of a system call that answers -1 and errno.
fn check(answer: libc::c_long) -> io::Result<libc::c_long> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// A path for the kernel.
fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}
