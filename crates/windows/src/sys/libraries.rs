//! Functions that not every Windows has: looked for, never linked.

use std::ffi::{CStr, c_void};
use std::io;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{FreeLibrary, HMODULE};
use windows_sys::Win32::Security::{FreeSid, PSID};
use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW};

use super::wide;

/// A library of the system directory, and of no other.
struct Library(HMODULE);

impl Library {
    /// `None` if it is not there.
    fn open(name: &str) -> io::Result<Option<Library>> {
        let name = wide(name)?;
        // SAFETY: the name ends with a NUL; the file handle must be null; only the system's own directory is searched.
        let handle = unsafe { LoadLibraryExW(name.as_ptr(), null_mut(), LOAD_LIBRARY_SEARCH_SYSTEM32) };
        Ok((!handle.is_null()).then_some(Library(handle)))
    }

    fn function(&self, name: &CStr) -> Option<unsafe extern "system" fn() -> isize> {
        // SAFETY: the library is loaded as long as `self`; the name ends with a NUL.
        unsafe { GetProcAddress(self.0, name.as_ptr().cast()) }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: the library is loaded, and released once.
        unsafe { FreeLibrary(self.0) };
    }
}

/// Whether the system directory has a library with all of these functions.
pub(super) fn has(library: &str, functions: &[&CStr]) -> io::Result<bool> {
    let library = Library::open(library)?;
    Ok(library.is_some_and(|library| functions.iter().all(|name| library.function(name).is_some())))
}

/// `HRESULT DeriveAppContainerSidFromAppContainerName(PCWSTR, PSID *)` (Learn, `userenv.h`).
type Derive = unsafe extern "system" fn(*const u16, *mut PSID) -> i32;

/// Whether AppContainers can be made: the functions are there, and the one that only computes a SID does.
pub(super) fn app_containers() -> io::Result<bool> {
    let Some(library) = Library::open("userenv.dll")? else { return Ok(false) };
    let derive = library.function(c"DeriveAppContainerSidFromAppContainerName");
    let (Some(_), Some(derive)) = (library.function(c"CreateAppContainerProfile"), derive) else { return Ok(false) };
    // SAFETY: the function of this name has had this signature since it exists.
    let derive = unsafe { std::mem::transmute::<unsafe extern "system" fn() -> isize, Derive>(derive) };
    let name = wide("bailiwick")?;
    let mut sid: PSID = null_mut::<c_void>();
    // SAFETY: the library is loaded; the name ends with a NUL; `sid` is written only on success.
    let answer = unsafe { derive(name.as_ptr(), &mut sid) };
    if answer < 0 || sid.is_null() {
        return Ok(false);
    }
    // SAFETY: the SID came from the call above, which says to release it so.
    unsafe { FreeSid(sid) };
    Ok(true)
}
