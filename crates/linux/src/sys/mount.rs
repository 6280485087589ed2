//! `mount_setattr(2)`, which rustix does not wrap.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

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
