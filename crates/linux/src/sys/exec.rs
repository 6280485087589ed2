//! `execve(2)` from arrays that were prepared before `clone`.

use std::ffi::{CStr, CString, c_char};

use rustix::io::Errno;

/// A NULL-terminated array of C strings, as `execve` takes it.
pub struct Strings {
    /// Owns what `pointers` points to.
    _strings: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl Strings {
    /// Prepares `strings`.
    pub fn new(strings: Vec<CString>) -> Strings {
        let pointers = strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect();
        Strings { _strings: strings, pointers }
    }
}

/// Replaces the program of this process. Returns only when that failed.
///
/// Callable after `clone`: one system call, no allocation.
pub fn execve(path: &CStr, arguments: &Strings, environment: &Strings) -> Errno {
    // SAFETY: the path is NUL-terminated; both arrays are NULL-terminated and hold pointers into heap strings that
    // their `Strings` own and never change; the kernel copies everything before the old memory goes.
    unsafe { libc::execve(path.as_ptr(), arguments.pointers.as_ptr(), environment.pointers.as_ptr()) };
    // SAFETY: errno is a valid thread-local of the calling thread.
    Errno::from_raw_os_error(unsafe { *libc::__errno_location() })
}
