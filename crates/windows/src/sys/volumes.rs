//! Drives and volumes.

use std::fs::OpenOptions;
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_FUNCTION, ERROR_INVALID_PARAMETER, ERROR_NOT_READY, ERROR_NOT_SUPPORTED, ERROR_PATH_NOT_FOUND,
    ERROR_UNRECOGNIZED_VOLUME,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, GetDriveTypeW, GetLogicalDrives, GetVolumeInformationW,
    GetVolumeNameForVolumeMountPointW, QueryDosDeviceW,
};
use windows_sys::Win32::System::IO::DeviceIoControl;
use windows_sys::Win32::System::Ioctl::{
    FILE_FS_PERSISTENT_VOLUME_INFORMATION, FSCTL_QUERY_PERSISTENT_VOLUME_STATE, PERSISTENT_VOLUME_STATE_DEV_VOLUME,
};

use super::{narrow, size, succeeded, wide};
use crate::record::{DriveReading, DriveType};

/// BitLocker keeps the volume locked.
const FVE_E_LOCKED_VOLUME: i32 = 0x8031_0000_u32.cast_signed();

/// Room for names of file systems and volumes.
const ROOM: usize = 260;

/// Every drive that could hold files; those for optical media are left out.
pub(super) fn drives() -> io::Result<Vec<DriveReading>> {
    // SAFETY: takes nothing.
    let letters = unsafe { GetLogicalDrives() };
    if letters == 0 {
        return Err(io::Error::last_os_error());
    }
    let letters = ('A'..='Z').enumerate().filter(|(bit, _)| letters & (1 << bit) != 0);
    let named = |letter, error: io::Error| io::Error::new(error.kind(), format!("drive {letter}: {error}"));
    letters.filter_map(|(_, letter)| drive(letter).map_err(|error| named(letter, error)).transpose()).collect()
}

fn drive(letter: char) -> io::Result<Option<DriveReading>> {
    let root = wide(&format!(r"{letter}:\"))?;
    // SAFETY: the text ends with a NUL.
    let drive_type = match unsafe { GetDriveTypeW(root.as_ptr()) } {
        2 => DriveType::Removable,
        3 | 6 => DriveType::Fixed,
        4 => DriveType::Network,
        // Unknown, without a root, optical.
        _ => return Ok(None),
    };
    let stands_for = substituted(letter)?;
    let file_system = if stands_for.is_none() { file_system(&root, drive_type)? } else { None };
    let dev_drive = match file_system.as_deref() {
        // No Dev Drive has another one.
        Some("ReFS") => is_dev_drive(letter)?,
        _ => false,
    };
    let volume = if drive_type == DriveType::Network { None } else { volume(&root)? };
    Ok(Some(DriveReading { letter, drive_type, file_system, volume, stands_for, dev_drive }))
}

fn has_code(error: &io::Error, codes: &[u32]) -> bool {
    codes.iter().any(|code| error.raw_os_error() == i32::try_from(*code).ok())
}

/// `None` without a medium, without a connection, or with something on it that is not understood or not unlocked.
fn file_system(root: &[u16], drive_type: DriveType) -> io::Result<Option<String>> {
    let mut name = [0u16; ROOM];
    // SAFETY: `root` ends with a NUL; `name` is writable for its length; what is not wanted is null.
    let answer = succeeded(unsafe {
        GetVolumeInformationW(
            root.as_ptr(),
            null_mut(),
            0,
            null_mut(),
            null_mut(),
            null_mut(),
            name.as_mut_ptr(),
            size(name.len()),
        )
    });
    match answer {
        Ok(()) => narrow(&name).map(Some),
        Err(error) if has_code(&error, &[ERROR_NOT_READY, ERROR_UNRECOGNIZED_VOLUME]) => Ok(None),
        Err(error) if error.raw_os_error() == Some(FVE_E_LOCKED_VOLUME) => Ok(None),
        // Shares that are not connected and readers without a card answer in many ways.
        Err(_) if drive_type != DriveType::Fixed => Ok(None),
        Err(error) => Err(error),
    }
}

/// The GUID of the volume; virtual drives have none.
fn volume(root: &[u16]) -> io::Result<Option<String>> {
    let mut name = [0u16; ROOM];
    // SAFETY: `root` ends with a NUL; `name` is writable for its length.
    let answer =
        succeeded(unsafe { GetVolumeNameForVolumeMountPointW(root.as_ptr(), name.as_mut_ptr(), size(name.len())) });
    let none =
        [ERROR_INVALID_PARAMETER, ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED, ERROR_PATH_NOT_FOUND, ERROR_NOT_READY];
    match answer {
        Ok(()) => {
            let name = narrow(&name)?;
            let guid = name.strip_prefix(r"\\?\Volume{").and_then(|rest| rest.strip_suffix(r"}\"));
            Ok(guid.map(str::to_owned))
        }
        Err(error) if has_code(&error, &none) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The directory that the letter is another name for: then the device is a path and no device.
fn substituted(letter: char) -> io::Result<Option<String>> {
    let name = wide(&format!("{letter}:"))?;
    let mut target = [0u16; 4096];
    // SAFETY: `name` ends with a NUL; `target` is writable for its length.
    let written = unsafe { QueryDosDeviceW(name.as_ptr(), target.as_mut_ptr(), size(target.len())) };
    if written == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(narrow(&target)?.strip_prefix(r"\??\").map(str::to_owned))
}

/// Asks the volume itself.
fn is_dev_drive(letter: char) -> io::Result<bool> {
    let share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    // Without any right a volume can be opened by everybody, which suffices for this question.
    let volume = OpenOptions::new().access_mode(0).share_mode(share).open(format!(r"\\.\{letter}:"))?;
    let question = FILE_FS_PERSISTENT_VOLUME_INFORMATION {
        VolumeFlags: 0,
        FlagMask: PERSISTENT_VOLUME_STATE_DEV_VOLUME,
        Version: 1,
        Reserved: 0,
    };
    let mut answer = FILE_FS_PERSISTENT_VOLUME_INFORMATION::default();
    let length = size(size_of::<FILE_FS_PERSISTENT_VOLUME_INFORMATION>());
    let mut returned = 0;
    // SAFETY: the volume is open; both structures have the length that is given and outlive the call, which is synchronous.
    let done = succeeded(unsafe {
        DeviceIoControl(
            volume.as_raw_handle(),
            FSCTL_QUERY_PERSISTENT_VOLUME_STATE,
            (&raw const question).cast(),
            length,
            (&raw mut answer).cast(),
            length,
            &mut returned,
            null_mut(),
        )
    });
    match done {
        Ok(()) => Ok(answer.VolumeFlags & PERSISTENT_VOLUME_STATE_DEV_VOLUME != 0),
        // Windows before Dev Drives does not know the flag.
        Err(error) if has_code(&error, &[ERROR_INVALID_FUNCTION, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED]) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
