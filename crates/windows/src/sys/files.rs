//! Files: what is at a path, its descriptor, its names.

use std::fs::{File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;

use windows_sys::Win32::Foundation::{
    ERROR_HANDLE_EOF, ERROR_INSUFFICIENT_BUFFER, ERROR_MORE_DATA, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION, GetKernelObjectSecurity, LABEL_SECURITY_INFORMATION,
    OWNER_SECURITY_INFORMATION,
};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_READ_ATTRIBUTES,
    FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, FindClose, FindFirstFileNameW, FindFirstFileW,
    FindNextFileNameW, GetFileInformationByHandle, READ_CONTROL, WIN32_FIND_DATAW,
};

use super::{narrow, size, succeeded, wide};

/// The largest descriptor that is read: two lists of 64 KiB, two SIDs and the header.
const LARGEST: u32 = 256 << 10;

/// Opens what is at a path itself, link or not, so that nobody is kept from anything meanwhile.
fn open(path: &str, access: u32) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(access)
        .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
}

/// The descriptor of what is at a path, self-relative: owner, group, DACL, label.
pub(super) fn descriptor(path: &str) -> io::Result<Vec<u8>> {
    let file = open(path, READ_CONTROL)?;
    let wanted = OWNER_SECURITY_INFORMATION
        | GROUP_SECURITY_INFORMATION
        | DACL_SECURITY_INFORMATION
        | LABEL_SECURITY_INFORMATION;
    let mut length = 1024;
    loop {
        // Words, so that the system finds its structures aligned.
        let mut words = vec![0u64; usize::try_from(length).unwrap_or(0).div_ceil(8)];
        let mut needed = 0;
        // SAFETY: the file is open; the buffer is writable for `length` bytes, which it has at least.
        let answer = succeeded(unsafe {
            GetKernelObjectSecurity(file.as_raw_handle(), wanted, words.as_mut_ptr().cast(), length, &mut needed)
        });
        match answer {
            // What is behind the descriptor is zeros, which nobody reads.
            Ok(()) => return Ok(words.into_iter().flat_map(u64::to_ne_bytes).collect()),
            Err(error) if error.raw_os_error() != i32::try_from(ERROR_INSUFFICIENT_BUFFER).ok() => return Err(error),
            Err(error) if needed <= length || needed > LARGEST => return Err(error),
            Err(_) => length = needed,
        }
    }
}

/// How many names a file has.
pub(super) fn links(path: &str) -> io::Result<u32> {
    let file = open(path, FILE_READ_ATTRIBUTES)?;
    let mut information = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the file is open; the structure is writable.
    succeeded(unsafe { GetFileInformationByHandle(file.as_raw_handle(), &mut information) })?;
    Ok(information.nNumberOfLinks)
}

/// A search that is ended when it goes.
struct Search(HANDLE);

impl Drop for Search {
    fn drop(&mut self) {
        // SAFETY: the search is open and ended once.
        unsafe { FindClose(self.0) };
    }
}

/// The short name of what is at a path, if it has one. A root has none.
pub(super) fn short_name(path: &str) -> io::Result<Option<String>> {
    let path = wide(path)?;
    let mut data = MaybeUninit::<WIN32_FIND_DATAW>::zeroed();
    // SAFETY: the path ends with a NUL; the structure is writable.
    let search = unsafe { FindFirstFileW(path.as_ptr(), data.as_mut_ptr()) };
    if search == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    let _search = Search(search);
    // SAFETY: it was zeroed, which is a value of it, and has been filled.
    let data = unsafe { data.assume_init() };
    let short = narrow(&data.cAlternateFileName)?;
    Ok((!short.is_empty()).then_some(short))
}

/// Every name of a file, from the root of its volume: `\a\b`.
pub(super) fn names(path: &str) -> io::Result<Vec<String>> {
    const ROOM: usize = 0x8000;
    let path = wide(path)?;
    let mut name = vec![0u16; ROOM];
    let mut length = size(ROOM);
    // SAFETY: the path ends with a NUL; `name` is writable for `length` units.
    let search = unsafe { FindFirstFileNameW(path.as_ptr(), 0, &mut length, name.as_mut_ptr()) };
    if search == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    let search = Search(search);
    let mut names = vec![narrow(&name)?];
    loop {
        length = size(ROOM);
        // SAFETY: the search is open; `name` is writable for `length` units.
        let answer = succeeded(unsafe { FindNextFileNameW(search.0, &mut length, name.as_mut_ptr()) });
        let code = answer.as_ref().err().and_then(io::Error::raw_os_error).and_then(|code| u32::try_from(code).ok());
        match (answer, code) {
            (Ok(()), _) => names.push(narrow(&name)?),
            (Err(_), Some(ERROR_HANDLE_EOF)) => return Ok(names),
            (Err(_), Some(ERROR_MORE_DATA)) => return Err(io::Error::other("a name is longer than any can be")),
            (Err(error), _) => return Err(error),
        }
    }
}
