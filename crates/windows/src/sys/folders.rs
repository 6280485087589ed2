//! Known folders.

use std::io;
use std::ptr::null_mut;

use windows_sys::Win32::System::Com::CoTaskMemFree;
use windows_sys::Win32::UI::Shell::{
    FOLDERID_LocalAppData, FOLDERID_Profile, FOLDERID_ProgramData, FOLDERID_ProgramFiles, FOLDERID_ProgramFilesX86,
    FOLDERID_Public, FOLDERID_RoamingAppData, FOLDERID_UserProfiles, FOLDERID_Windows, KF_FLAG_DONT_VERIFY,
    SHGetKnownFolderPath,
};

use super::narrow;
use crate::record::Folder;

/// `HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND)`: there is no such folder on this machine.
const NOT_FOUND: i32 = 0x8007_0002_u32.cast_signed();

/// The longest path in units.
const LONGEST: usize = 0x8000;

/// Where a folder is, as Windows has it; `None` if it has none.
pub(super) fn path(folder: Folder) -> io::Result<Option<String>> {
    let id = match folder {
        Folder::Windows => FOLDERID_Windows,
        Folder::ProgramFiles => FOLDERID_ProgramFiles,
        Folder::ProgramFilesX86 => FOLDERID_ProgramFilesX86,
        Folder::ProgramData => FOLDERID_ProgramData,
        Folder::Profiles => FOLDERID_UserProfiles,
        Folder::Public => FOLDERID_Public,
        Folder::Profile => FOLDERID_Profile,
        Folder::Roaming => FOLDERID_RoamingAppData,
        Folder::Local => FOLDERID_LocalAppData,
        // The standard library asks `GetTempPath2` where there is one.
        Folder::Temp => return text(&std::env::temp_dir()).map(Some),
    };
    let mut found = null_mut();
    let flags = u32::try_from(KF_FLAG_DONT_VERIFY).unwrap_or_default();
    // SAFETY: no token means that of this process; `found` is written, and is released below whatever the answer is.
    let answer = unsafe { SHGetKnownFolderPath(&id, flags, null_mut(), &mut found) };
    let mut units = Vec::new();
    while !found.is_null() && units.len() < LONGEST {
        // SAFETY: the text ends with a NUL, and nothing behind that is read.
        let unit = unsafe { *found.add(units.len()) };
        if unit == 0 {
            break;
        }
        units.push(unit);
    }
    // SAFETY: the text came from the call above, or is null, which is fine.
    unsafe { CoTaskMemFree(found.cast()) };
    match answer {
        0 => narrow(&units).map(Some),
        NOT_FOUND => Ok(None),
        other => Err(io::Error::other(format!("SHGetKnownFolderPath answers {other:#x}"))),
    }
}

fn text(path: &std::path::Path) -> io::Result<String> {
    let text = path.to_str().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the path is not Unicode"))?;
    Ok(text.to_owned())
}
