//! Removing a tree that a hostile process changes at the same time.
//!
//! No recursion: what lies deep is moved up to the top before it is removed, so a tree of any depth takes three descriptors
//! and no stack.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, RawDir, RenameFlags, ResolveFlags, fstat, openat2, renameat_with, unlinkat};
use rustix::io::Errno;

/// Entries listed at once.
const BATCH: usize = 256;
/// How often an object is looked at afresh that changes between two looks.
const ATTEMPTS: u32 = 16;

/// Removes `name` in `parent`, whatever it is, with all below it. `left` counts down the entries that may be touched.
/// `false`: something is still there, because `left` is used up or somebody goes on filling it.
///
/// # Errors
///
/// What cannot be removed: a mount point, a permission.
pub(super) fn remove(parent: BorrowedFd<'_>, name: &CStr, left: &mut u32) -> Result<bool, Errno> {
    for _ in 0..ATTEMPTS {
        if remove_one(parent, name)? {
            return Ok(true);
        }
        match open_directory(parent, name) {
            Ok(directory) => {
                if !empty(directory.as_fd(), left)? {
                    return Ok(false);
                }
            }
            // Swapped between the two looks.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(false)
}

/// The same where the inside may have taken the write permission off `parent`.
pub(super) fn remove_by_force(parent: BorrowedFd<'_>, name: &CStr, left: &mut u32) -> Result<bool, Errno> {
    match remove(parent, name, left) {
        Err(Errno::ACCESS) => {
            give_rights_back(parent)?;
            remove(parent, name, left)
        }
        answer => answer,
    }
}

/// Removes a file, a link, or an empty directory. `false`: a directory that is not empty, or another object meanwhile.
fn remove_one(parent: BorrowedFd<'_>, name: &CStr) -> Result<bool, Errno> {
    match unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(true),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(errno) => return Err(errno),
    }
    match unlinkat(parent, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Removes everything in `top`. `false` when `left` is used up.
fn empty(top: BorrowedFd<'_>, left: &mut u32) -> Result<bool, Errno> {
    loop {
        let names = entries(top, BATCH)?;
        if names.is_empty() {
            return Ok(true);
        }
        for name in names {
            if !spend(left) {
                return Ok(false);
            }
            if remove_one(top, &name)? {
                continue;
            }
            match open_directory(top, &name) {
                Ok(directory) => raise(directory.as_fd(), top, left)?,
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

/// Removes what is in `directory`, and moves its sub-directories that are not empty up to `top`.
fn raise(directory: BorrowedFd<'_>, top: BorrowedFd<'_>, left: &mut u32) -> Result<(), Errno> {
    for name in entries(directory, BATCH)? {
        if !spend(left) {
            return Ok(());
        }
        if remove_one(directory, &name)? {
            continue;
        }
        let new_name = super::hidden_name()?;
        let mut raised = renameat_with(directory, &name, top, &new_name, RenameFlags::NOREPLACE);
        if raised == Err(Errno::ACCESS) {
            // Moving a directory writes into it.
            drop(open_directory(directory, &name)?);
            raised = renameat_with(directory, &name, top, &new_name, RenameFlags::NOREPLACE);
        }
        match raised {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn spend(left: &mut u32) -> bool {
    match left.checked_sub(1) {
        Some(less) => {
            *left = less;
            true
        }
        None => false,
    }
}

/// Opens a sub-directory for listing and removing; gives its owner all rights where some are missing. No link is
/// followed and no mount crossed.
pub(super) fn open_directory(parent: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let resolve =
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let pinned = openat2(parent, name, flags | OFlags::PATH, Mode::empty(), resolve)?;
    give_rights_back(pinned.as_fd())?;
    openat2(&pinned, c".", flags | OFlags::RDONLY, Mode::empty(), resolve)
}

/// Gives the owner of a directory all rights on it, where the inside has taken some off.
pub(crate) fn give_rights_back(directory: BorrowedFd<'_>) -> Result<(), Errno> {
    let mode = fstat(directory)?.st_mode & 0o7777;
    if mode & 0o700 == 0o700 {
        return Ok(());
    }
    // fchmod(2) refuses `O_PATH` descriptors; their magic link leads to the object and nowhere else.
    rustix::fs::chmod(format!("/proc/self/fd/{}", directory.as_raw_fd()), Mode::from_raw_mode(mode | 0o700))
}

/// At most `most` names in `directory`, from its start, without `.` and `..`.
pub(super) fn entries(directory: BorrowedFd<'_>, most: usize) -> Result<Vec<CString>, Errno> {
    rustix::fs::seek(directory, rustix::fs::SeekFrom::Start(0))?;
    let mut buffer = [MaybeUninit::uninit(); 8192];
    let mut list = RawDir::new(directory, &mut buffer);
    let mut names = Vec::new();
    while let Some(entry) = list.next() {
        let name = entry?.file_name().to_owned();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name);
        }
        if names.len() >= most {
            break;
        }
    }
    Ok(names)
}
