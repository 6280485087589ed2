//! Processes, namespaces, limits.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::check;

/// fork(2). `Ok(0)` in the child.
///
/// The probe has one thread, so the child may do whatever the parent might.
pub(crate) fn fork() -> io::Result<i32> {
    // SAFETY: the caller is the probe's only thread, so no lock is held by another that the child would miss.
    check(unsafe { libc::fork() }.into()).map(|pid| pid as i32)
}

/// _exit(2).
pub(crate) fn exit_now(status: i32) -> ! {
    // SAFETY: ends the process; nothing is to be dropped.
    unsafe { libc::_exit(status) }
}

/// A child by clone(2) with `flags`, ended at once; its exit is waited for.
pub(crate) fn clone_and_exit(flags: i32) -> io::Result<()> {
    let flags = flags | libc::SIGCHLD;
    // SAFETY: a null stack without `CLONE_VM` is a fork: the child runs on a copy, and all it does is to exit.
    let pid = check(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) })? as i32;
    if pid == 0 {
        exit_now(0);
    }
    wait(pid).map(drop)
}

/// The same by clone3(2).
pub(crate) fn clone3_and_exit(flags: i32) -> io::Result<()> {
    // struct clone_args, first version: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls.
    let arguments: [u64; 8] = [flags as u64, 0, 0, 0, libc::SIGCHLD as u64, 0, 0, 0];
    // SAFETY: the arguments live across the call and have the size given; null stack without `CLONE_VM` is a fork, as above.
    let pid = check(unsafe { libc::syscall(libc::SYS_clone3, arguments.as_ptr(), size_of_val(&arguments)) })? as i32;
    if pid == 0 {
        exit_now(0);
    }
    wait(pid).map(drop)
}

/// Waits for a child; its wait status.
pub(crate) fn wait(pid: i32) -> io::Result<i32> {
    let mut status = 0;
    // SAFETY: `status` lives across the call.
    check(unsafe { libc::waitpid(pid, &raw mut status, 0) }.into()).map(|_| status)
}

/// unshare(2).
pub(crate) fn unshare(flags: i32) -> io::Result<()> {
    // SAFETY: no pointers; the caller is the probe's only thread.
    check(unsafe { libc::unshare(flags) }.into()).map(drop)
}

/// setns(2).
pub(crate) fn setns(fd: BorrowedFd<'_>, kind: i32) -> io::Result<()> {
    // SAFETY: no pointers; the descriptor is open.
    check(unsafe { libc::setns(fd.as_raw_fd(), kind) }.into()).map(drop)
}

/// A recursive bind mount.
pub(crate) fn bind_mount(from: &std::path::Path, to: &std::path::Path) -> io::Result<()> {
    let (from, to) = (super::c_path(from)?, super::c_path(to)?);
    // SAFETY: C strings that live across the call; type and data may be null for a bind mount.
    check(
        unsafe {
            libc::mount(from.as_ptr(), to.as_ptr(), std::ptr::null(), libc::MS_BIND | libc::MS_REC, std::ptr::null())
        }
        .into(),
    )
    .map(drop)
}

/// Makes the mount at `path` writable.
pub(crate) fn remount_writable(path: &std::path::Path) -> io::Result<()> {
    let path = super::c_path(path)?;
    let flags = libc::MS_BIND | libc::MS_REMOUNT;
    // SAFETY: a C string that lives across the call; the others may be null for a remount.
    check(unsafe { libc::mount(std::ptr::null(), path.as_ptr(), std::ptr::null(), flags, std::ptr::null()) }.into())
        .map(drop)
}

/// umount2(2), detaching.
pub(crate) fn unmount(path: &std::path::Path) -> io::Result<()> {
    let path = super::c_path(path)?;
    // SAFETY: a C string that lives across the call.
    check(unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) }.into()).map(drop)
}

/// open_tree(2) of a copy of the mount tree at `path`.
pub(crate) fn clone_tree(path: &std::path::Path) -> io::Result<OwnedFd> {
    let path = super::c_path(path)?;
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | libc::AT_RECURSIVE as libc::c_uint;
    // SAFETY: a C string that lives across the call.
    let fd = check(unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags) })?;
    // SAFETY: the kernel just gave this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// kill(2).
pub(crate) fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::kill(pid, signal) }.into()).map(drop)
}

/// rt_sigqueueinfo(2) by sigqueue(3).
pub(crate) fn queue_signal(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: the value is not dereferenced by the kernel.
    check(unsafe { libc::sigqueue(pid, signal, libc::sigval { sival_ptr: std::ptr::null_mut() }) }.into()).map(drop)
}

/// pidfd_open(2).
pub(crate) fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: no pointers.
    let fd = check(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: the kernel just gave this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// pidfd_send_signal(2).
pub(crate) fn pidfd_send_signal(process: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    // SAFETY: null information is allowed.
    check(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), signal, 0, 0) }).map(drop)
}

/// pidfd_getfd(2).
pub(crate) fn pidfd_getfd(process: BorrowedFd<'_>, fd: i32) -> io::Result<OwnedFd> {
    // SAFETY: no pointers.
    let copy = check(unsafe { libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), fd, 0) })?;
    // SAFETY: the kernel just gave this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(copy as i32) })
}

/// process_vm_readv(2).
pub(crate) fn read_memory(pid: i32, address: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0u8; length];
    let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: length };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: length };
    // SAFETY: the local vector covers exactly the buffer; the remote address is the other process's and checked by the kernel.
    let got = unsafe { libc::process_vm_readv(pid, &raw const local, 1, &raw const remote, 1, 0) };
    let got = check(got as libc::c_long)? as usize;
    bytes.truncate(got);
    Ok(bytes)
}

/// ptrace(2): attaches without stopping.
pub(crate) fn seize(pid: i32) -> io::Result<()> {
    // SAFETY: `PTRACE_SEIZE` takes options as a number, no pointers.
    check(unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, 0, 0) }).map(drop)
}

/// ptrace(2): lets the parent trace the caller.
pub(crate) fn trace_me() -> io::Result<()> {
    // SAFETY: all other arguments are ignored.
    check(unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) }).map(drop)
}

/// prlimit(2): sets the soft core limit of another process to 0 and gives `hard` as hard limit.
pub(crate) fn limit_open_files_of(pid: i32, files: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: files, rlim_max: files };
    // SAFETY: `limit` lives across the call; a null old limit is allowed.
    check(unsafe { libc::prlimit(pid, libc::RLIMIT_NOFILE, &raw const limit, std::ptr::null_mut()) }.into()).map(drop)
}

/// setpriority(2) of one process.
pub(crate) fn set_priority_of(pid: i32, priority: i32) -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::setpriority(libc::PRIO_PROCESS, pid as libc::id_t, priority) }.into()).map(drop)
}

/// setsid(2).
pub(crate) fn new_session() -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::setsid() }.into()).map(drop)
}

/// Ignores a signal.
pub(crate) fn ignore(signal: i32) {
    // SAFETY: `SIG_IGN` runs no code of ours.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

/// prctl(2): the signal that comes when the parent dies; 0 for none.
pub(crate) fn set_parent_death_signal(signal: i32) -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal, 0, 0, 0) }.into()).map(drop)
}

/// prctl(2): orphans below come to this process.
pub(crate) fn become_subreaper() -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }.into()).map(drop)
}

/// prctl(2): any process of the user may trace this one, where Yama would refuse.
pub(crate) fn allow_tracing() {
    /// `PR_SET_PTRACER_ANY`
    const ANY: libc::c_ulong = libc::c_ulong::MAX;
    // SAFETY: no pointers. EINVAL without Yama, which then does not refuse either.
    unsafe { libc::prctl(libc::PR_SET_PTRACER, ANY, 0, 0, 0) };
}

/// prctl(2): whether setuid programs give no new rights.
pub(crate) fn no_new_privileges() -> io::Result<bool> {
    // SAFETY: no pointers.
    check(unsafe { libc::prctl(libc::PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) }.into()).map(|set| set == 1)
}

/// personality(2).
pub(crate) fn set_personality(persona: u32) -> io::Result<()> {
    // SAFETY: no pointers; the calling process ends right after.
    check(unsafe { libc::personality(persona.into()) }.into()).map(drop)
}

/// syslog(2): the last of the kernel's log.
pub(crate) fn kernel_log() -> io::Result<Vec<u8>> {
    let mut bytes = vec![0u8; 1024];
    // SAFETY: pointer and length of the buffer belong together. 3 is `SYSLOG_ACTION_READ_ALL`.
    let got = check(unsafe { libc::syscall(libc::SYS_syslog, 3, bytes.as_mut_ptr(), bytes.len()) })?;
    bytes.truncate(got as usize);
    Ok(bytes)
}

/// userfaultfd(2) in the shape that needs no capability.
pub(crate) fn userfaultfd() -> io::Result<OwnedFd> {
    /// `UFFD_USER_MODE_ONLY`
    const USER_MODE_ONLY: i32 = 1;
    // SAFETY: no pointers.
    let fd = check(unsafe { libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC | USER_MODE_ONLY) })?;
    // SAFETY: the kernel just gave this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// io_uring_setup(2) of one entry.
pub(crate) fn io_uring() -> io::Result<OwnedFd> {
    // struct io_uring_params is 120 bytes, all zero for defaults.
    let mut parameters = [0u64; 15];
    // SAFETY: the parameters have the kernel's size and live across the call.
    let fd = check(unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, parameters.as_mut_ptr()) })?;
    // SAFETY: the kernel just gave this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Reserves `length` bytes of address space and gives them back.
pub(crate) fn reserve(length: usize) -> io::Result<()> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: the kernel chooses the address.
    let map = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, flags, -1, 0) };
    if map == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: exactly the mapping made above, never used.
    check(unsafe { libc::munmap(map, length) }.into()).map(drop)
}

/// getpid through the 32-bit gate. Kills the caller where the kernel has none.
#[cfg(target_arch = "x86_64")]
pub(crate) fn getpid_of_i386() -> i64 {
    let mut answer: u64 = 20;
    // SAFETY: number 20 is getpid in the i386 table: no arguments, no memory. The gate clobbers r8 to r11.
    unsafe {
        std::arch::asm!("int 0x80", inout("rax") answer, out("r8") _, out("r9") _, out("r10") _, out("r11") _);
    }
    i64::from(answer as i32)
}

/// Makes `command` inherit each descriptor under the number beside it, and nothing else beyond the standard streams; with
/// `terminal`, in a new session whose controlling terminal that is.
pub(crate) fn inherit(command: &mut Command, descriptors: Vec<(OwnedFd, i32)>, terminal: Option<OwnedFd>) {
    // SAFETY: the closure runs between fork and exec. It makes only system calls on descriptors that it owns; it does not allocate.
    unsafe {
        command.pre_exec(move || {
            if let Some(terminal) = &terminal {
                check(libc::setsid().into())?;
                check(libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY as _, 0).into())?;
            }
            for (from, to) in &descriptors {
                check(libc::dup2(from.as_raw_fd(), *to).into())?;
            }
            Ok(())
        });
    }
}
