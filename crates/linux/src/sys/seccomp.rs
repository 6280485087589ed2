//! Loading a system-call filter.

use libc::sock_filter;
use rustix::io::Errno;

/// Puts this thread, and everything that it starts from now on, behind `filter` for ever.
///
/// Callable after clone: one system call, no allocation. The caller has set `no_new_privs`, else the kernel answers EACCES;
/// EINVAL is a filter that the kernel does not take, ENOSYS or EINVAL a kernel without seccomp.
pub fn install(filter: &'static [sock_filter]) -> Result<(), Errno> {
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(|_| Errno::INVAL)?,
        // The kernel reads the instructions only; the C type lacks the `const`.
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: the kernel copies `program.len` instructions from `program.filter` before it returns; both point to memory that
    // lives longer than the call and has that many instructions. It writes to neither.
    let answer = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::c_long::from(libc::SECCOMP_SET_MODE_FILTER), 0, &raw const program)
    };
    super::check(answer).map(|_| ())
}

/// Does the kernel know seccomp filters, and may this process load one?
pub fn is_available() -> bool {
    let action: u32 = libc::SECCOMP_RET_KILL_PROCESS;
    // SAFETY: the kernel reads four bytes at the address of `action`, which lives longer than the call.
    let answer = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::c_long::from(libc::SECCOMP_GET_ACTION_AVAIL), 0, &raw const action)
    };
    answer == 0
}
