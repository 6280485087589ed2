//! Keyrings and System V shared memory.

use std::ffi::CString;
use std::io;

use super::check;

/// `KEY_SPEC_SESSION_KEYRING`
const SESSION: i32 = -3;
/// `KEYCTL_JOIN_SESSION_KEYRING`, `KEYCTL_SEARCH`, `KEYCTL_READ`
const JOIN: i32 = 1;
const SEARCH: i32 = 10;
const READ: i32 = 11;

fn c_string(text: &str) -> io::Result<CString> {
    CString::new(text).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

/// Gives the calling thread, and what it starts from now on, a session keyring of its own.
pub(crate) fn join_session_keyring() -> io::Result<()> {
    // SAFETY: a null name is allowed and means an anonymous keyring.
    check(unsafe { libc::syscall(libc::SYS_keyctl, JOIN, 0) }).map(drop)
}

/// Puts a key into the session keyring.
pub(crate) fn add_key(description: &str, payload: &[u8]) -> io::Result<()> {
    let description = c_string(description)?;
    // SAFETY: C strings, and a pointer and length that belong together, all living across the call.
    check(unsafe {
        libc::syscall(
            libc::SYS_add_key,
            c"user".as_ptr(),
            description.as_ptr(),
            payload.as_ptr(),
            payload.len(),
            SESSION,
        )
    })
    .map(drop)
}

/// Finds a key in the session keyring by keyctl(2).
pub(crate) fn search_key(description: &str) -> io::Result<i32> {
    let description = c_string(description)?;
    // SAFETY: C strings that live across the call.
    check(unsafe { libc::syscall(libc::SYS_keyctl, SEARCH, SESSION, c"user".as_ptr(), description.as_ptr(), 0) })
        .map(|key| key as i32)
}

/// Finds a key by request_key(2).
pub(crate) fn request_key(description: &str) -> io::Result<i32> {
    let description = c_string(description)?;
    // SAFETY: C strings that live across the call; null call-out information is allowed.
    check(unsafe { libc::syscall(libc::SYS_request_key, c"user".as_ptr(), description.as_ptr(), 0, 0) })
        .map(|key| key as i32)
}

/// Reads a key.
pub(crate) fn read_key(key: i32) -> io::Result<Vec<u8>> {
    let mut payload = vec![0; 4096];
    // SAFETY: pointer and length of the buffer belong together.
    let length = check(unsafe { libc::syscall(libc::SYS_keyctl, READ, key, payload.as_mut_ptr(), payload.len()) })?;
    payload.truncate(length as usize);
    Ok(payload)
}

/// Bytes of the shared memory segment.
const SEGMENT: usize = 4096;

/// Makes a System V segment that its maker alone may attach.
pub(crate) fn make_segment() -> io::Result<i32> {
    // SAFETY: no pointers.
    check(unsafe { libc::shmget(libc::IPC_PRIVATE, SEGMENT, libc::IPC_CREAT | 0o600) }.into()).map(|id| id as i32)
}

/// Removes a segment.
pub(crate) fn remove_segment(id: i32) -> io::Result<()> {
    // SAFETY: `IPC_RMID` ignores its pointer.
    check(unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) }.into()).map(drop)
}

/// Attaches a segment, lets `work` use it and detaches it.
fn with_segment<T>(id: i32, flags: i32, work: impl FnOnce(*mut u8) -> T) -> io::Result<T> {
    // SAFETY: the kernel chooses the address.
    let at = unsafe { libc::shmat(id, std::ptr::null(), flags) };
    if at as isize == -1 {
        return Err(io::Error::last_os_error());
    }
    let result = work(at.cast());
    // SAFETY: exactly the address attached above, not used again.
    check(unsafe { libc::shmdt(at) }.into())?;
    Ok(result)
}

/// Writes at the start of a segment.
pub(crate) fn write_segment(id: i32, bytes: &[u8]) -> io::Result<()> {
    let length = bytes.len().min(SEGMENT);
    // SAFETY: the segment is `SEGMENT` bytes long and attached for writing; `length` is within both.
    with_segment(id, 0, |at| unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at, length) })
}

/// Reads the first bytes of a segment.
pub(crate) fn read_segment(id: i32) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 256];
    // SAFETY: a segment is at least a page long and attached for reading; the buffer has room for what is copied.
    with_segment(id, libc::SHM_RDONLY, |at| unsafe { std::ptr::copy_nonoverlapping(at, bytes.as_mut_ptr(), 256) })?;
    Ok(bytes)
}
