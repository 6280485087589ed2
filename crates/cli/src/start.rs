//! From the operating system to [`run`](crate::run).
//!
//! On Linux the program has a `main` of its own instead of Rust's: that one reads `/proc/self/maps`, makes an alternate
//! signal stack and installs handlers to explain stack overflows, which costs every launch and serves a program with deep
//! recursion. What else it does is done here or not wanted: closed standard descriptors are opened, standard output is
//! flushed, and SIGPIPE keeps its default, so that `bailiwick policy show | head` ends quietly.

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

/// The entry that the C library calls (ISO C, "hosted environment").
// SAFETY: with `no_main` no other `main` exists, and the signature is C's.
#[unsafe(no_mangle)]
extern "C" fn main(_count: c_int, words: *const *const c_char) -> c_int {
    bailiwick::prepare_process();
    let status = crate::run(Words { next: words }.skip(1));
    // Nobody is left to tell that standard output is closed.
    let _ = std::io::stdout().flush();
    c_int::from(status)
}

/// The words of the command line, as the C library hands them over.
struct Words {
    next: *const *const c_char,
}

impl Iterator for Words {
    type Item = OsString;

    fn next(&mut self) -> Option<OsString> {
        // SAFETY: `next` points into the array of `main`, which ends with a null pointer and is not left behind because that
        // ends the iteration; the words are C strings that live as long as the process.
        unsafe {
            let word = *self.next;
            if word.is_null() {
                return None;
            }
            self.next = self.next.add(1);
            Some(OsStr::from_bytes(CStr::from_ptr(word).to_bytes()).to_owned())
        }
    }
}
