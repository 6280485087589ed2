//! Single values of the registry.

use std::io;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{ERROR_FILE_NOT_FOUND, ERROR_SUCCESS};
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, RRF_RT_REG_DWORD, RRF_RT_REG_SZ, RegGetValueW,
};

use super::{narrow, size, wide};

/// Room for a text: more than any path has.
const ROOM: usize = 0x8000;

/// A number of the machine's; `None` if there is no such value.
pub(super) fn machine_number(key: &str, value: &str) -> io::Result<Option<u32>> {
    let mut number = [0u32; 1];
    Ok(read(HKEY_LOCAL_MACHINE, key, value, RRF_RT_REG_DWORD, &mut number)?.then_some(number[0]))
}

/// A text of the user's; `None` if there is no such value.
pub(super) fn user_text(key: &str, value: &str) -> io::Result<Option<String>> {
    let mut text = vec![0u16; ROOM];
    if !read(HKEY_CURRENT_USER, key, value, RRF_RT_REG_SZ, &mut text)? {
        return Ok(None);
    }
    narrow(&text).map(Some)
}

fn read<T: Copy>(root: HKEY, key: &str, value: &str, kind: u32, into: &mut [T]) -> io::Result<bool> {
    let (key, value) = (wide(key)?, wide(value)?);
    let mut length = size(size_of_val(into));
    // SAFETY: both names end with a NUL; `into` is writable for `length` bytes, and any bytes are a value of the number types that it is
    // called with; the type is not asked for.
    let answer = unsafe {
        RegGetValueW(root, key.as_ptr(), value.as_ptr(), kind, null_mut(), into.as_mut_ptr().cast(), &mut length)
    };
    match answer {
        ERROR_SUCCESS => Ok(true),
        ERROR_FILE_NOT_FOUND => Ok(false),
        other => Err(io::Error::from_raw_os_error(i32::try_from(other).unwrap_or(i32::MAX))),
    }
}
