//! System calls with arguments that can do no harm: the kernel refuses them with an errno of its own, a filter with another.

use std::io;

use super::check;

/// An address at which nothing is ever mapped (the first page), but which is not null.
const NOWHERE: usize = 1;
/// Flags that no call knows.
const NO_SUCH_FLAGS: usize = 0x7fff_ffff;
/// A descriptor that is not open.
const NO_FD: usize = usize::MAX;

/// A system call and its harmless arguments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    number: libc::c_long,
    arguments: [usize; 6],
}

impl Call {
    const fn new(number: libc::c_long, arguments: [usize; 6]) -> Self {
        Call { number, arguments }
    }

    /// Makes the call.
    pub(crate) fn make(self) -> io::Result<libc::c_long> {
        let [a, b, c, d, e, f] = self.arguments;
        // SAFETY: values of this type are only made in this module, and each passes as pointer null or `NOWHERE`, which the kernel cannot
        // read or write, with flags or descriptors that it must refuse: no memory of ours is touched and no object is made.
        check(unsafe { libc::syscall(self.number, a, b, c, d, e, f) })
    }
}

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident = $number:expr, [$($argument:expr),*];)*) => {
        $($(#[$doc])* pub(crate) const $name: Call = Call::new($number, [$($argument),*]);)*
    };
}

calls! {
    /// Copies the type string before it looks at capabilities: EFAULT.
    MOUNT = libc::SYS_mount, [NOWHERE, NOWHERE, NOWHERE, 0, 0, 0];
    /// Checks flags before capabilities: EINVAL.
    UMOUNT = libc::SYS_umount2, [NOWHERE, NO_SUCH_FLAGS, 0, 0, 0, 0];
    /// EPERM without capability, else EFAULT.
    PIVOT_ROOT = libc::SYS_pivot_root, [NOWHERE, NOWHERE, 0, 0, 0, 0];
    /// Looks the path up before it looks at capabilities: EFAULT.
    CHROOT = libc::SYS_chroot, [NOWHERE, 0, 0, 0, 0, 0];
    /// EINVAL.
    OPEN_TREE = libc::SYS_open_tree, [NO_FD, NOWHERE, NO_SUCH_FLAGS, 0, 0, 0];
    /// EINVAL on Linux 6.15 and newer. The number is the same on every architecture.
    OPEN_TREE_ATTR = 467, [NO_FD, NOWHERE, NO_SUCH_FLAGS, 0, 0, 0];
    /// EINVAL.
    MOUNT_SETATTR = libc::SYS_mount_setattr, [NO_FD, NOWHERE, NO_SUCH_FLAGS, 0, 0, 0];
    /// EINVAL.
    FSCONFIG = libc::SYS_fsconfig, [NO_FD, NO_SUCH_FLAGS, 0, 0, 0, 0];
    /// EPERM without capability, else EINVAL.
    FSOPEN = libc::SYS_fsopen, [NOWHERE, NO_SUCH_FLAGS, 0, 0, 0, 0];
    /// EPERM without capability, else EINVAL.
    FSMOUNT = libc::SYS_fsmount, [NO_FD, NO_SUCH_FLAGS, 0, 0, 0, 0];
    /// EPERM without capability, else EINVAL.
    FSPICK = libc::SYS_fspick, [NO_FD, NOWHERE, NO_SUCH_FLAGS, 0, 0, 0];
    /// EPERM without capability, else EINVAL.
    MOVE_MOUNT = libc::SYS_move_mount, [NO_FD, NOWHERE, NO_FD, NOWHERE, NO_SUCH_FLAGS, 0];
    /// EBADF.
    SETNS = libc::SYS_setns, [NO_FD, 0, 0, 0, 0, 0];
    /// The size is checked first: E2BIG.
    BPF = libc::SYS_bpf, [0, NOWHERE, 1 << 20, 0, 0, 0];
    /// EINVAL.
    PERF_EVENT_OPEN = libc::SYS_perf_event_open, [NOWHERE, 0, 0, NO_FD, NO_SUCH_FLAGS, 0];
    /// EFAULT.
    ADD_KEY = libc::SYS_add_key, [NOWHERE, NOWHERE, 0, 0, 0, 0];
    /// EFAULT.
    REQUEST_KEY = libc::SYS_request_key, [NOWHERE, NOWHERE, 0, 0, 0, 0];
    /// EOPNOTSUPP.
    KEYCTL = libc::SYS_keyctl, [0xffff, 0, 0, 0, 0, 0];
    /// EFAULT, or EPERM where `kernel.io_uring_disabled` is set.
    IO_URING_SETUP = libc::SYS_io_uring_setup, [1, NOWHERE, 0, 0, 0, 0];
    /// EBADF.
    IO_URING_ENTER = libc::SYS_io_uring_enter, [NO_FD, 0, 0, 0, 0, 0];
    /// EBADF or EINVAL.
    IO_URING_REGISTER = libc::SYS_io_uring_register, [NO_FD, 0, 0, 0, 0, 0];
    /// EINVAL.
    NAME_TO_HANDLE_AT = libc::SYS_name_to_handle_at, [NO_FD, NOWHERE, NOWHERE, NOWHERE, NO_SUCH_FLAGS, 0];
    /// EBADF or EFAULT.
    OPEN_BY_HANDLE_AT = libc::SYS_open_by_handle_at, [NO_FD, NOWHERE, 0, 0, 0, 0];
    /// A quota type that does not exist: EINVAL.
    QUOTACTL = libc::SYS_quotactl, [0xff, NOWHERE, 0, 0, 0, 0];
    /// EINVAL.
    SWAPON = libc::SYS_swapon, [NOWHERE, NO_SUCH_FLAGS, 0, 0, 0, 0];
    /// EPERM without capability, else EFAULT.
    SWAPOFF = libc::SYS_swapoff, [NOWHERE, 0, 0, 0, 0, 0];
    /// EPERM without capability, else EFAULT.
    ACCT = libc::SYS_acct, [NOWHERE, 0, 0, 0, 0, 0];
    /// EPERM without capability, else EINVAL: the magic numbers are wrong.
    REBOOT = libc::SYS_reboot, [0, 0, 0, 0, 0, 0];
    /// EPERM without capability, else EINVAL.
    KEXEC_LOAD = libc::SYS_kexec_load, [0, 0, 0, 0xffff, 0, 0];
    /// EPERM without capability, else EINVAL.
    KEXEC_FILE_LOAD = libc::SYS_kexec_file_load, [NO_FD, NO_FD, 0, 0, NO_SUCH_FLAGS, 0];
    /// EPERM without capability, else ENOEXEC.
    INIT_MODULE = libc::SYS_init_module, [0, 0, 0, 0, 0, 0];
    /// EPERM without capability, else EINVAL.
    FINIT_MODULE = libc::SYS_finit_module, [NO_FD, 0, NO_SUCH_FLAGS, 0, 0, 0];
    /// EPERM without capability, else EFAULT.
    DELETE_MODULE = libc::SYS_delete_module, [NOWHERE, 0, 0, 0, 0, 0];
    /// Reads the time before it looks at capabilities: EFAULT.
    SETTIMEOFDAY = libc::SYS_settimeofday, [NOWHERE, 0, 0, 0, 0, 0];
    /// EFAULT.
    CLOCK_SETTIME = libc::SYS_clock_settime, [0, NOWHERE, 0, 0, 0, 0];
    /// No process has that number: ESRCH.
    PTRACE_SEIZE = libc::SYS_ptrace, [libc::PTRACE_SEIZE as usize, 0x7fff_ffff, 0, 0, 0, 0];
    /// No process has that number: ESRCH.
    PROCESS_VM_WRITEV = libc::SYS_process_vm_writev, [0x7fff_ffff, 0, 0, 0, 0, 0];
    /// EBADF.
    PIDFD_GETFD = libc::SYS_pidfd_getfd, [NO_FD, 0, 0, 0, 0, 0];
    /// The size of the arguments is smaller than any version's: EINVAL.
    CLONE3 = libc::SYS_clone3, [NOWHERE, 1, 0, 0, 0, 0];
}

/// getpid through the x32 table.
#[cfg(target_arch = "x86_64")]
pub(crate) const X32_GETPID: Call = Call::new(0x4000_0000 | libc::SYS_getpid, [0; 6]);
