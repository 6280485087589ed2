//! A bounded copy of a tree that a hostile process changes at the same time.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, mkdirat, openat, openat2, readlinkat, symlinkat};
use rustix::io::Errno;

use super::remove::{entries, open_directory};

/// What one copy may take.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    bytes: u64,
    entries: u32,
    depth: u32,
}

impl Default for Budget {
    /// 16 MiB, 1000 entries, 32 levels (each holds descriptors open).
    fn default() -> Self {
        Budget { bytes: 16 * 1024 * 1024, entries: 1000, depth: 32 }
    }
}

/// The tree is larger than the budget.
const TOO_LARGE: Errno = Errno::FBIG;

/// Copies `name` in `parent` to `label` in `target`, which the inside cannot reach. Regular files, directories and symbolic
/// links (their text) are copied, with the owner's permissions only; special files below a directory are left out.
///
/// # Errors
///
/// `EFBIG` where the budget does not suffice; else what the system answers. A part may be there then.
pub(super) fn copy(
    parent: BorrowedFd<'_>,
    name: &CStr,
    target: BorrowedFd<'_>,
    label: &CStr,
    budget: &mut Budget,
) -> Result<(), Errno> {
    budget.entries = budget.entries.checked_sub(1).ok_or(TOO_LARGE)?;
    let pinned = open_beneath(parent, name, OFlags::PATH)?;
    match FileType::from_raw_mode(fstat(&pinned)?.st_mode) {
        FileType::RegularFile => copy_file(parent, name, target, label, budget),
        FileType::Symlink => symlinkat(readlinkat(&pinned, c"", Vec::new())?, target, label),
        FileType::Directory => copy_directory(&open_directory(parent, name)?, target, label, budget),
        _ => Ok(()),
    }
}

/// Opens `name` itself; no link is followed, no mount crossed, and a pipe or device does not block.
fn open_beneath(parent: BorrowedFd<'_>, name: &CStr, access: OFlags) -> Result<OwnedFd, Errno> {
    let resolve =
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    let mut flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if !access.contains(OFlags::PATH) {
        flags |= OFlags::NONBLOCK | OFlags::NOCTTY;
    }
    openat2(parent, name, flags, Mode::empty(), resolve)
}

fn copy_file(
    parent: BorrowedFd<'_>,
    name: &CStr,
    target: BorrowedFd<'_>,
    label: &CStr,
    budget: &mut Budget,
) -> Result<(), Errno> {
    let source = open_beneath(parent, name, OFlags::RDONLY)?;
    let about = fstat(&source)?;
    // Swapped since it was looked at.
    if FileType::from_raw_mode(about.st_mode) != FileType::RegularFile {
        return Err(Errno::AGAIN);
    }
    if u64::try_from(about.st_size).is_ok_and(|size| size > budget.bytes) {
        return Err(TOO_LARGE);
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let copy = openat(target, label, flags, Mode::RUSR | Mode::WUSR)?;
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let count = rustix::io::retry_on_intr(|| rustix::io::read(&source, &mut chunk[..]))?;
        if count == 0 {
            return Ok(());
        }
        // It may grow while it is read.
        budget.bytes = budget.bytes.checked_sub(count as u64).ok_or(TOO_LARGE)?;
        let mut rest = chunk.get(..count).unwrap_or_default();
        while !rest.is_empty() {
            let written = rustix::io::retry_on_intr(|| rustix::io::write(&copy, rest))?;
            rest = rest.get(written..).unwrap_or_default();
        }
    }
}

fn copy_directory(source: &OwnedFd, target: BorrowedFd<'_>, label: &CStr, budget: &mut Budget) -> Result<(), Errno> {
    budget.depth = budget.depth.checked_sub(1).ok_or(TOO_LARGE)?;
    mkdirat(target, label, Mode::RWXU)?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let copied = openat(target, label, flags, Mode::empty())?;
    // One more than may be copied, so that a huge directory is refused without listing it to its end.
    for name in entries(source.as_fd(), budget.entries as usize + 1)? {
        match copy(source.as_fd(), &name, copied.as_fd(), &name, budget) {
            // Gone since it was listed.
            Err(Errno::NOENT) => {}
            answer => answer?,
        }
    }
    budget.depth += 1;
    Ok(())
}
