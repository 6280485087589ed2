//! `mount_setattr(2)` and `open_tree_attr(2)`, which rustix does not wrap.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};

/// `struct mount_attr` of `linux/mount.h`, first version (kernel 5.12).
#[repr(C)]
#[derive(Default)]
pub struct MountAttributes {
    /// `MOUNT_ATTR_*` to set.
    pub set: u64,
    /// `MOUNT_ATTR_*` to clear.
    pub clear: u64,
    /// `MS_PRIVATE` and its kin, or 0.
    pub propagation: u64,
    /// For `MOUNT_ATTR_IDMAP`; unused here.
    pub userns_fd: u64,
}

/// `MOUNT_ATTR_RDONLY`.
pub const READ_ONLY: u64 = 0x1;
/// `MOUNT_ATTR_NOSUID`.
pub const NO_SUID: u64 = 0x2;
/// `MOUNT_ATTR_NODEV`.
pub const NO_DEVICES: u64 = 0x4;
/// `MOUNT_ATTR_NOEXEC`.
pub const NO_EXEC: u64 = 0x8;

/// Changes the attributes of the mount at `directory`/`path`; with `AT_RECURSIVE` in `flags` of everything mounted below.
///
/// Callable after `clone`: one system call, no allocation.
///
/// # Errors
///
/// What mount_setattr(2) answers; `ENOSYS` before kernel 5.12.
pub fn mount_setattr(
    directory: BorrowedFd<'_>,
    path: &CStr,
    flags: u32,
    attributes: &MountAttributes,
) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated and `attributes` is a live `struct mount_attr` whose exact size is passed; the
    // kernel reads both during the call and keeps neither.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            directory.as_raw_fd(),
            path.as_ptr(),
            flags,
            std::ptr::from_ref(attributes),
            size_of::<MountAttributes>(),
        )
    };
    super::check(answer).map(drop)
}

/// Clones the tree that `place` refers to, with everything mounted below it, and sets attributes on all of it: in one call
/// where the kernel has open_tree_attr(2) (6.15), else in two.
///
/// Callable after `clone`: no allocation.
///
/// # Errors
///
/// What open_tree(2) or mount_setattr(2) answers.
pub fn clone_tree(place: BorrowedFd<'_>, set: u64) -> Result<OwnedFd, Errno> {
    static ONE_CALL: AtomicBool = AtomicBool::new(true);
    let attributes = MountAttributes { set, ..MountAttributes::default() };
    if set != 0 && ONE_CALL.load(Ordering::Relaxed) {
        match open_tree_attr(place, &attributes) {
            // EPERM is a filter of a container that does not know the number.
            Err(Errno::NOSYS | Errno::PERM) => ONE_CALL.store(false, Ordering::Relaxed),
            answer => return answer,
        }
    }
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(place, c"", flags | OpenTreeFlags::AT_EMPTY_PATH | OpenTreeFlags::AT_RECURSIVE)?;
    if set != 0 {
        mount_setattr(tree.as_fd(), c"", EMPTY_PATH_RECURSIVE, &attributes)?;
    }
    Ok(tree)
}

const EMPTY_PATH_RECURSIVE: u32 = (libc::AT_EMPTY_PATH | libc::AT_RECURSIVE) as u32;

/// `open_tree_attr`, the same number on every architecture (asm-generic/unistd.h).
const OPEN_TREE_ATTR: libc::c_long = 467;

fn open_tree_attr(place: BorrowedFd<'_>, attributes: &MountAttributes) -> Result<OwnedFd, Errno> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    // SAFETY: as in `mount_setattr`; the answer is a fresh descriptor.
    unsafe {
        let answer = libc::syscall(
            OPEN_TREE_ATTR,
            place.as_raw_fd(),
            c"".as_ptr(),
            flags.bits() | EMPTY_PATH_RECURSIVE,
            std::ptr::from_ref(attributes),
            size_of::<MountAttributes>(),
        );
        let number = i32::try_from(super::check(answer)?).map_err(|_| Errno::BADF)?;
        Ok(OwnedFd::from_raw_fd(number))
    }
}
