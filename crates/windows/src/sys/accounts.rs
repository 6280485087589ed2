//! Names of accounts and of the computer.

use std::io;
use std::ptr::null;

use bailiwick_winsec::Sid;
use windows_sys::Win32::Foundation::ERROR_NONE_MAPPED;
use windows_sys::Win32::Security::{LookupAccountNameW, LookupAccountSidW};
use windows_sys::Win32::System::WindowsProgramming::GetComputerNameW;

use super::{narrow, size, succeeded, wide};

/// Room for a name: an account's has at most 256 units, a domain's 255.
const ROOM: usize = 512;

/// The NetBIOS name of the computer: the domain of its own accounts.
pub(super) fn computer() -> io::Result<String> {
    let mut name = [0u16; ROOM];
    let mut length = size(name.len());
    // SAFETY: `name` is writable for `length` units.
    succeeded(unsafe { GetComputerNameW(name.as_mut_ptr(), &mut length) })?;
    narrow(&name)
}

/// The name and the domain of an account.
pub(super) fn name_of(sid: &Sid) -> io::Result<(String, String)> {
    let sid = sid.to_bytes();
    // Aligned, as the system may want it.
    let mut words = vec![0u32; sid.len().div_ceil(4)];
    for (word, part) in words.iter_mut().zip(sid.chunks_exact(4)) {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(part);
        *word = u32::from_ne_bytes(bytes);
    }
    let (mut name, mut domain) = ([0u16; ROOM], [0u16; ROOM]);
    let (mut name_length, mut domain_length, mut kind) = (size(ROOM), size(ROOM), 0);
    // SAFETY: the SID is whole and outlives the call; both buffers are writable for the lengths given.
    succeeded(unsafe {
        LookupAccountSidW(
            null(),
            words.as_mut_ptr().cast(),
            name.as_mut_ptr(),
            &mut name_length,
            domain.as_mut_ptr(),
            &mut domain_length,
            &mut kind,
        )
    })?;
    Ok((narrow(&name)?, narrow(&domain)?))
}

/// Whether an account or group of this computer has the name. A bare name could be found elsewhere, or be the computer itself.
pub(super) fn exists_here(name: &str) -> io::Result<bool> {
    let name = wide(&format!(r"{}\{name}", computer()?))?;
    let (mut sid, mut domain) = ([0u32; 64], [0u16; ROOM]);
    let (mut sid_length, mut domain_length, mut kind) = (size(size_of_val(&sid)), size(ROOM), 0);
    // SAFETY: the name ends with a NUL; both buffers are writable for the lengths given, and a SID has at most 68 bytes.
    let answer = succeeded(unsafe {
        LookupAccountNameW(
            null(),
            name.as_ptr(),
            sid.as_mut_ptr().cast(),
            &mut sid_length,
            domain.as_mut_ptr(),
            &mut domain_length,
            &mut kind,
        )
    });
    match answer {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == i32::try_from(ERROR_NONE_MAPPED).ok() => Ok(false),
        Err(error) => Err(error),
    }
}
