//! What an object is, whatever name it has: so that the user's own is told from what the inside has made.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, Statx, StatxFlags, openat, statx};
use rustix::io::Errno;

/// How often rights are given back that are taken off again at once.
pub(super) const RIGHTS_ATTEMPTS: u32 = 8;

/// Device, inode and time of birth. An inode number alone may be given to the next file at once; where the file system keeps
/// no births, the object is held open instead, and its number stays its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    born: Option<(i64, u32)>,
}

/// An object that was a protected name when the run started.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) path: PathBuf,
    pub(super) identity: Identity,
    /// Keeps the inode number from being given to another object.
    _pin: Option<OwnedFd>,
}

impl Known {
    pub(super) fn new(path: &Path, identity: Identity, pin: Option<OwnedFd>) -> Known {
        Known { path: path.to_path_buf(), identity, _pin: pin }
    }
}

/// What the last component of `tail` in `parent` is now; `None` only if the system has answered that it does not exist. Where
/// the right to search has been taken off `parent`, it is given back.
pub(super) fn look(parent: BorrowedFd<'_>, tail: &Path) -> Result<Option<Identity>, Errno> {
    let name = tail.file_name().ok_or(Errno::INVAL)?;
    let mut answer = Err(Errno::ACCESS);
    for _ in 0..RIGHTS_ATTEMPTS {
        answer = statx(parent, name, AtFlags::SYMLINK_NOFOLLOW, WANTED);
        match answer {
            Err(Errno::ACCESS) => crate::quarantine::give_rights_back(parent)?,
            _ => break,
        }
    }
    match answer {
        Ok(found) => Ok(Some(read(&found))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Holds the object open where its birth is not known. An error if that is needed and not to be had: the object cannot be
/// told from a later one.
pub(super) fn pin(parent: BorrowedFd<'_>, tail: &Path, identity: Identity) -> Result<Option<OwnedFd>, Errno> {
    if identity.born.is_some() {
        return Ok(None);
    }
    let name = tail.file_name().ok_or(Errno::INVAL)?;
    let held = openat(parent, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let found = statx(held.as_fd(), c"", AtFlags::EMPTY_PATH, WANTED)?;
    if read(&found) == identity { Ok(Some(held)) } else { Err(Errno::AGAIN) }
}

const WANTED: StatxFlags = StatxFlags::INO.union(StatxFlags::BTIME);

fn read(found: &Statx) -> Identity {
    let has_birth = found.stx_mask & StatxFlags::BTIME.bits() != 0;
    Identity {
        device: rustix::fs::makedev(found.stx_dev_major, found.stx_dev_minor),
        inode: found.stx_ino,
        born: has_birth.then_some((found.stx_btime.tv_sec, found.stx_btime.tv_nsec)),
    }
}
