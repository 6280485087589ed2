//! `execve(2)` from arrays that were laid out before `clone`, or are shared.

use std::ffi::{CStr, c_char};

use rustix::io::Errno;

use super::arena::{Arena, ArenaError};

/// A NULL-terminated array of C strings, as `execve` takes it.
#[derive(Clone, Copy)]
pub struct Strings<'a> {
    pointers: &'a [*const c_char],
}

impl<'a> Strings<'a> {
    /// Lays out the array of `strings` in `arena`.
    ///
    /// # Errors
    ///
    /// [`ArenaError::Full`].
    pub fn new(arena: &'a Arena, strings: &[&'a CStr]) -> Result<Strings<'a>, ArenaError> {
        let pointers: Vec<*const c_char> =
            strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect();
        Ok(Strings { pointers: arena.slice(&pointers)? })
    }
}

/// Replaces the program of this process. Returns only when that failed.
///
/// Callable after `clone`: one system call, no allocation.
pub fn execve(path: &CStr, arguments: Strings<'_>, environment: Strings<'_>) -> Errno {
    // SAFETY: the path is NUL-terminated; both arrays are NULL-terminated and hold pointers to C strings that are borrowed
    // for as long as the arrays are; the kernel copies everything before the old memory goes.
    unsafe { libc::execve(path.as_ptr(), arguments.pointers.as_ptr(), environment.pointers.as_ptr()) };
    // SAFETY: errno is a valid thread-local of the calling thread.
    Errno::from_raw_os_error(unsafe { *libc::__errno_location() })
}
