//! `AccessCheck`: what the real Windows says. It needs no privileges.

use std::io;

use bailiwick_winsec::corpus::{Expected, Question};
use bailiwick_winsec::{AccessMask, GenericMapping};
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_PRIVILEGE_NOT_HELD, GetLastError};
use windows_sys::Win32::Security::{AccessCheck, GENERIC_MAPPING};

use super::ProcessToken;
use super::{size, succeeded};

/// Asks one question. `token` must come from [`ProcessToken::for_checks`].
///
/// `AccessCheck` wants generic rights of the request mapped beforehand; entries of the list are given as they are.
///
/// # Errors
///
/// What the system answered, if that is neither yes nor no.
pub(super) fn ask(token: &ProcessToken, question: &Question, descriptor: &[u8]) -> io::Result<Expected> {
    let mapping = question.request.object.mapping();
    let desired = mapping.map(question.request.desired);
    let generic = generic(mapping);
    // Words, so that the system finds its structures aligned.
    let mut words = vec![0u64; descriptor.len().div_ceil(8)];
    for (word, part) in words.iter_mut().zip(descriptor.chunks(8)) {
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
        *word = u64::from_ne_bytes(bytes);
    }
    // `PRIVILEGE_SET` with room for more privileges than there are.
    let mut privileges = [0u64; 128];
    let mut length = size(size_of_val(&privileges));
    let (mut granted, mut status) = (0, 0);
    // SAFETY: the descriptor is aligned, whole (the generator writes it) and outlives the call; the token is open as long as `token`; the
    // other pointers are to locals of the right types, and `length` is the true size of the buffer.
    let answer = unsafe {
        AccessCheck(
            words.as_mut_ptr().cast(),
            token.raw(),
            desired.bits(),
            &generic,
            privileges.as_mut_ptr().cast(),
            &mut length,
            &mut granted,
            &mut status,
        )
    };
    succeeded(answer)?;
    if status != 0 {
        return Ok(Expected::Granted(AccessMask(granted)));
    }
    // SAFETY: reads the calling thread's own error number.
    let why = unsafe { GetLastError() };
    match why {
        ERROR_ACCESS_DENIED | ERROR_PRIVILEGE_NOT_HELD => Ok(Expected::Denied),
        other => Err(io::Error::from_raw_os_error(i32::try_from(other).unwrap_or(i32::MAX))),
    }
}

const fn generic(mapping: &GenericMapping) -> GENERIC_MAPPING {
    GENERIC_MAPPING {
        GenericRead: mapping.read.bits(),
        GenericWrite: mapping.write.bits(),
        GenericExecute: mapping.execute.bits(),
        GenericAll: mapping.all.bits(),
    }
}
