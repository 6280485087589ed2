//! Which Windows it is, and whether it is one.

use std::ffi::{CStr, c_char};
use std::io;

use windows_sys::Wdk::System::SystemServices::RtlGetVersion;
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::SystemInformation::{GetProductInfo, OSVERSIONINFOEXW};

use super::registry::machine_number;
use super::{size, succeeded, wide};
use crate::record::SystemReading;

/// The version of Wine; `None` on what has no `wine_get_version`, which no Windows has.
pub(super) fn wine() -> io::Result<Option<String>> {
    let name = wide("ntdll.dll")?;
    // SAFETY: the name ends with a NUL; the library is in every process and never released.
    let library = unsafe { GetModuleHandleW(name.as_ptr()) };
    if library.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the library is loaded; the name ends with a NUL.
    let Some(function) = (unsafe { GetProcAddress(library, c"wine_get_version".as_ptr().cast()) }) else {
        return Ok(None);
    };
    type Version = unsafe extern "C" fn() -> *const c_char;
    // SAFETY: Wine documents `const char * CDECL wine_get_version(void)`; nobody else exports the name.
    let function = unsafe { std::mem::transmute::<unsafe extern "system" fn() -> isize, Version>(function) };
    // SAFETY: as above; it takes nothing.
    let text = unsafe { function() };
    if text.is_null() {
        return Ok(Some("unknown".to_owned()));
    }
    // SAFETY: Wine gives a constant text that ends with a NUL.
    let text = unsafe { CStr::from_ptr(text) };
    Ok(Some(text.to_string_lossy().into_owned()))
}

/// Build, revision, edition.
pub(super) fn read() -> io::Result<SystemReading> {
    let wine = wine()?;
    let mut version =
        OSVERSIONINFOEXW { dwOSVersionInfoSize: size(size_of::<OSVERSIONINFOEXW>()), ..Default::default() };
    // SAFETY: the structure says its size; the larger one is taken too (Learn, `RtlGetVersion`).
    let status = unsafe { RtlGetVersion((&raw mut version).cast()) };
    if status < 0 {
        return Err(io::Error::other(format!("RtlGetVersion answers {status:#x}")));
    }
    let mut product = 0;
    // SAFETY: `product` is writable.
    let answer = unsafe { GetProductInfo(version.dwMajorVersion, version.dwMinorVersion, 0, 0, &mut product) };
    succeeded(answer)?;
    let revision = machine_number(r"SOFTWARE\Microsoft\Windows NT\CurrentVersion", "UBR")?;
    let revision = match (revision, &wine) {
        (Some(revision), _) => revision,
        // Wine has no updates.
        (None, Some(_)) => 0,
        (None, None) => return Err(io::Error::other("the registry has no update revision (UBR)")),
    };
    Ok(SystemReading { build: version.dwBuildNumber, revision, product_type: version.wProductType, product, wine })
}
