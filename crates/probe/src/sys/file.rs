//! Files.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

use super::{c_path, check};
use crate::stage::FileHandle;

/// truncate(2).
pub(crate) fn truncate(path: &Path, length: i64) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: `path` is a C string that lives across the call.
    check(unsafe { libc::truncate(path.as_ptr(), length) }.into()).map(drop)
}

/// renameat2(2) with `RENAME_EXCHANGE`.
pub(crate) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    let (one, other) = (c_path(one)?, c_path(other)?);
    let here = libc::AT_FDCWD;
    // SAFETY: both paths are C strings that live across the call.
    check(unsafe {
        libc::syscall(libc::SYS_renameat2, here, one.as_ptr(), here, other.as_ptr(), libc::RENAME_EXCHANGE)
    })
    .map(drop)
}

/// linkat(2) with `AT_SYMLINK_FOLLOW`: gives a name to what a `/proc/self/fd` link leads to.
pub(crate) fn link_following(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (c_path(from)?, c_path(to)?);
    let here = libc::AT_FDCWD;
    // SAFETY: both paths are C strings that live across the call.
    check(unsafe { libc::linkat(here, from.as_ptr(), here, to.as_ptr(), libc::AT_SYMLINK_FOLLOW) }.into()).map(drop)
}

/// mkfifo(3).
pub(crate) fn mkfifo(path: &Path) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: `path` is a C string that lives across the call.
    check(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }.into()).map(drop)
}

/// mknod(2) of a character device.
pub(crate) fn make_device(path: &Path, major: u32, minor: u32) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: `path` is a C string that lives across the call.
    check(unsafe { libc::mknod(path.as_ptr(), libc::S_IFCHR | 0o600, libc::makedev(major, minor)) }.into()).map(drop)
}

/// openat(2) below an open directory.
pub(crate) fn open_below(directory: BorrowedFd<'_>, name: &Path, flags: i32) -> io::Result<File> {
    let name = c_path(name)?;
    // SAFETY: `name` is a C string that lives across the call; `directory` is open.
    let fd =
        check(unsafe { libc::openat(directory.as_raw_fd(), name.as_ptr(), flags | libc::O_CLOEXEC, 0o600) }.into())?;
    // SAFETY: the kernel just gave this descriptor to us alone.
    Ok(unsafe { File::from_raw_fd(fd as i32) })
}

/// openat2(2) without any restriction on the way.
pub(crate) fn openat2(path: &Path, flags: i32) -> io::Result<File> {
    let path = c_path(path)?;
    // struct open_how { flags, mode, resolve }, all u64.
    let how = [flags as u64 | libc::O_CLOEXEC as u64, if flags & libc::O_CREAT != 0 { 0o600 } else { 0 }, 0];
    // SAFETY: `path` and `how` live across the call, and the size is that of `how`.
    let fd = check(unsafe {
        libc::syscall(libc::SYS_openat2, libc::AT_FDCWD, path.as_ptr(), how.as_ptr(), size_of_val(&how))
    })?;
    // SAFETY: the kernel just gave this descriptor to us alone.
    Ok(unsafe { File::from_raw_fd(fd as i32) })
}

/// copy_file_range(2) of `length` bytes from the start of both.
pub(crate) fn copy_range(from: &File, to: &File, length: usize) -> io::Result<usize> {
    // SAFETY: null offsets are allowed; both descriptors are open.
    let copied = unsafe {
        libc::copy_file_range(from.as_raw_fd(), std::ptr::null_mut(), to.as_raw_fd(), std::ptr::null_mut(), length, 0)
    };
    check(copied as libc::c_long).map(|n| n as usize)
}

/// Writes `bytes` at the start of `file` through a shared mapping.
pub(crate) fn write_by_mapping(file: &File, bytes: &[u8]) -> io::Result<()> {
    if file.metadata()?.len() < bytes.len() as u64 {
        return Err(io::Error::from_raw_os_error(libc::EFBIG));
    }
    // SAFETY: the kernel chooses the address; the length is not zero in any caller and the descriptor is open.
    let map = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            bytes.len(),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            0,
        )
    };
    if map == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the mapping is `bytes.len()` bytes long, writable, and the file was at least as long a moment ago; the decoys do not shrink.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), map.cast::<u8>(), bytes.len()) };
    // SAFETY: exactly the mapping made above, not used again.
    check(unsafe { libc::munmap(map, bytes.len()) }.into()).map(drop)
}

/// fallocate(2) that punches a hole over the first `length` bytes.
pub(crate) fn punch(file: &File, length: i64) -> io::Result<()> {
    let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    // SAFETY: no pointers; the descriptor is open.
    check(unsafe { libc::fallocate(file.as_raw_fd(), mode, 0, length) }.into()).map(drop)
}

/// utimensat(2): both times to the first second of 1970, following no link if `link` is set.
pub(crate) fn set_times(path: &Path, link: bool) -> io::Result<()> {
    let path = c_path(path)?;
    let time = libc::timespec { tv_sec: 1, tv_nsec: 0 };
    let times = [time, time];
    let flags = if link { libc::AT_SYMLINK_NOFOLLOW } else { 0 };
    // SAFETY: `path` is a C string and `times` an array of two, both living across the call.
    check(unsafe { libc::utimensat(libc::AT_FDCWD, path.as_ptr(), times.as_ptr(), flags) }.into()).map(drop)
}

/// fchmodat2(2), which Linux 6.6 added beside the older calls.
pub(crate) fn fchmodat2(path: &Path, mode: u32) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: `path` is a C string that lives across the call. The number is the same on every architecture.
    check(unsafe { libc::syscall(452, libc::AT_FDCWD, path.as_ptr(), mode, 0) }).map(drop)
}

/// setxattr(2) of `user.bailiwick`.
pub(crate) fn set_attribute(path: &Path, value: &[u8]) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: both strings are C strings; pointer and length of the value belong together.
    check(
        unsafe { libc::setxattr(path.as_ptr(), c"user.bailiwick".as_ptr(), value.as_ptr().cast(), value.len(), 0) }
            .into(),
    )
    .map(drop)
}

/// removexattr(2) of `user.decoy`.
pub(crate) fn remove_attribute(path: &Path) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: both are C strings that live across the call.
    check(unsafe { libc::removexattr(path.as_ptr(), c"user.decoy".as_ptr()) }.into()).map(drop)
}

/// setxattr(2) of `user.decoy`, for the stage.
pub(crate) fn set_decoy_attribute(path: &Path) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: both are C strings that live across the call; the value is one byte long.
    check(unsafe { libc::setxattr(path.as_ptr(), c"user.decoy".as_ptr(), c"1".as_ptr().cast(), 1, 0) }.into()).map(drop)
}

/// `FS_IOC_SETFLAGS` with `FS_NODUMP_FL` added, an attribute that an owner may change and that does nothing.
pub(crate) fn set_no_dump(file: &File) -> io::Result<()> {
    // `_IOR('f', 1, long)`, `_IOW('f', 2, long)` and `FS_NODUMP_FL` of `linux/fs.h`.
    const FS_IOC_GETFLAGS: libc::c_ulong = 0x8008_6601;
    const FS_IOC_SETFLAGS: libc::c_ulong = 0x4008_6602;
    const FS_NODUMP_FL: libc::c_long = 0x40;
    let mut flags: libc::c_long = 0;
    // SAFETY: the request writes an int or a long, and the long lives across the call.
    check(unsafe { libc::ioctl(file.as_raw_fd(), FS_IOC_GETFLAGS as _, &raw mut flags) }.into())?;
    flags |= FS_NODUMP_FL;
    // SAFETY: the request reads an int or a long, and the long lives across the call.
    check(unsafe { libc::ioctl(file.as_raw_fd(), FS_IOC_SETFLAGS as _, &raw const flags) }.into()).map(drop)
}

/// The most bytes of a file handle (`MAX_HANDLE_SZ`).
const HANDLE_BYTES: usize = 128;

/// struct file_handle with room for the longest.
#[repr(C)]
struct RawHandle {
    bytes: u32,
    kind: i32,
    data: [u8; HANDLE_BYTES],
}

/// name_to_handle_at(2).
pub(crate) fn name_to_handle(path: &Path) -> io::Result<FileHandle> {
    let path = c_path(path)?;
    let mut raw = RawHandle { bytes: HANDLE_BYTES as u32, kind: 0, data: [0; HANDLE_BYTES] };
    let mut mount: libc::c_int = 0;
    // SAFETY: `raw` has the kernel's layout and says how much room it has; all pointers live across the call.
    check(unsafe {
        libc::syscall(libc::SYS_name_to_handle_at, libc::AT_FDCWD, path.as_ptr(), &raw mut raw, &raw mut mount, 0)
    })?;
    let bytes = raw.data.get(..raw.bytes as usize).unwrap_or_default().to_vec();
    Ok(FileHandle { kind: raw.kind, bytes })
}

/// open_by_handle_at(2) on the filesystem of `mount`.
pub(crate) fn open_by_handle(mount: &File, handle: &FileHandle) -> io::Result<File> {
    let mut raw = RawHandle { bytes: 0, kind: handle.kind, data: [0; HANDLE_BYTES] };
    let room = raw.data.get_mut(..handle.bytes.len()).ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
    room.copy_from_slice(&handle.bytes);
    raw.bytes = handle.bytes.len() as u32;
    // SAFETY: `raw` has the kernel's layout, its length is within its room, and it lives across the call.
    let fd = check(unsafe {
        libc::syscall(libc::SYS_open_by_handle_at, mount.as_raw_fd(), &raw const raw, libc::O_RDONLY | libc::O_CLOEXEC)
    })?;
    // SAFETY: the kernel just gave this descriptor to us alone.
    Ok(unsafe { File::from_raw_fd(fd as i32) })
}

/// fanotify_init(2) in the shape that needs no capability.
pub(crate) fn fanotify() -> io::Result<OwnedFd> {
    let flags = libc::FAN_CLASS_NOTIF | libc::FAN_REPORT_FID | libc::FAN_CLOEXEC;
    // SAFETY: no pointers.
    let fd = check(unsafe { libc::syscall(libc::SYS_fanotify_init, flags, libc::O_RDONLY) })?;
    // SAFETY: the kernel just gave this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// A copy of a descriptor that this process inherited by number; an error if it is not open.
pub(crate) fn inherited(fd: i32) -> io::Result<OwnedFd> {
    // SAFETY: the number may name anything or nothing; the kernel checks it, and the copy is ours alone.
    let copy = check(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 100) }.into())?;
    // SAFETY: the kernel just gave this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(copy as i32) })
}

/// The whole-file lock of fcntl(2) that a process holds and that dies with it.
fn lock(kind: libc::c_int) -> libc::flock {
    // SAFETY: all zero bytes are a valid `flock`: plain integers.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind as i16;
    lock.l_whence = libc::SEEK_SET as i16;
    lock
}

/// Takes the lock, not waiting.
pub(crate) fn take_lock(file: &File) -> io::Result<()> {
    let lock = lock(libc::F_WRLCK);
    // SAFETY: `lock` is a valid `flock` that lives across the call.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw const lock) }.into()).map(drop)
}

/// The process that holds the lock, if one does.
pub(crate) fn lock_holder(file: &File) -> io::Result<Option<i32>> {
    let mut lock = lock(libc::F_WRLCK);
    // SAFETY: `lock` is a valid `flock` that lives across the call.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLK, &raw mut lock) }.into())?;
    Ok((i32::from(lock.l_type) != libc::F_UNLCK).then_some(lock.l_pid))
}
