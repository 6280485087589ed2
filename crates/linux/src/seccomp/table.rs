//! Every system call that the filter looks at, with the reason.

use super::Openings;
use crate::api::Tier;

/// An architecture that bailiwick is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    /// 64-bit x86 with 64-bit numbers (not x32).
    X86_64,
    /// 64-bit ARM, little endian.
    Aarch64,
}

impl Arch {
    /// Both: the tables of both are compiled and tested everywhere.
    pub const ALL: [Arch; 2] = [Arch::X86_64, Arch::Aarch64];

    /// The architecture of this build. There is no other choice to fall back to: a new one needs its numbers first.
    #[cfg(target_arch = "x86_64")]
    pub const TARGET: Arch = Arch::X86_64;
    /// The architecture of this build.
    #[cfg(target_arch = "aarch64")]
    pub const TARGET: Arch = Arch::Aarch64;

    /// `AUDIT_ARCH_*` of `linux/audit.h`: machine number, 64-bit flag, little-endian flag.
    pub const fn audit(self) -> u32 {
        match self {
            Arch::X86_64 => 62 | 0x8000_0000 | 0x4000_0000,
            Arch::Aarch64 => 183 | 0x8000_0000 | 0x4000_0000,
        }
    }
}

/// What the filter does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// EPERM.
    Refuse,
    /// ENOSYS.
    Absent,
    /// It depends on an argument.
    Look(Check),
}

/// Calls that are refused by argument. Every comparison is on the low 32 bits, which is all that the kernel reads of these
/// arguments: a comparison of 64 bits is passed by setting a high bit (CVE-2019-10063).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// The request may not be TIOCSTI, TIOCLINUX or TIOCSETD.
    Ioctl,
    /// UNIX, IPv4, IPv6 and the routing part of netlink; in the `landlock` tier UNIX only.
    Socket,
    /// No namespace flag.
    NamespaceFlags,
    /// The default, the query, and with tracing the one without address randomisation.
    Personality,
}

/// What opens a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Nothing does.
    Never,
    /// `trace`.
    Trace,
    /// `nested_namespaces`.
    Nested,
    /// The `namespaces` tier, where an ipc namespace surrounds it.
    OwnIpc,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The name, as in the manual.
    pub name: &'static str,
    /// The number on x86-64, where it exists.
    pub x86_64: Option<u32>,
    /// The number on 64-bit ARM, where it exists.
    pub aarch64: Option<u32>,
    /// What happens.
    pub rule: Rule,
    /// What opens it.
    pub opening: Opening,
    /// Why.
    pub why: &'static str,
}

impl Call {
    /// The number on an architecture, where it exists.
    pub const fn number(&self, arch: Arch) -> Option<u32> {
        match arch {
            Arch::X86_64 => self.x86_64,
            Arch::Aarch64 => self.aarch64,
        }
    }

    /// Is the call open?
    pub const fn is_open(&self, openings: Openings) -> bool {
        match self.opening {
            Opening::Never => false,
            Opening::Trace => openings.trace,
            Opening::Nested => openings.nested_namespaces,
            Opening::OwnIpc => matches!(openings.tier, Tier::Namespaces),
        }
    }

    const fn opened_by(mut self, opening: Opening) -> Call {
        self.opening = opening;
        self
    }
}

const fn row(name: &'static str, x86_64: Option<u32>, aarch64: Option<u32>, rule: Rule, why: &'static str) -> Call {
    Call { name, x86_64, aarch64, rule, opening: Opening::Never, why }
}

/// EPERM, with the numbers on x86-64 and ARM.
const fn refuse(name: &'static str, x86_64: u32, aarch64: u32, why: &'static str) -> Call {
    row(name, Some(x86_64), Some(aarch64), Rule::Refuse, why)
}

/// EPERM, on x86-64 alone: the call exists only there, or needs a capability that nobody inside has and would cost an
/// instruction of its own on ARM, where nothing near it is refused.
const fn refuse_x86(name: &'static str, number: u32, why: &'static str) -> Call {
    row(name, Some(number), None, Rule::Refuse, why)
}

/// ENOSYS, with one number everywhere.
const fn absent(name: &'static str, number: u32, why: &'static str) -> Call {
    row(name, Some(number), Some(number), Rule::Absent, why)
}

/// By argument.
const fn look(name: &'static str, x86_64: u32, aarch64: u32, check: Check, why: &'static str) -> Call {
    row(name, Some(x86_64), Some(aarch64), Rule::Look(check), why)
}

/// The whole table. A call that is not in it, and not newer than [`NEWEST`](super::NEWEST), is allowed.
///
/// Numbers: `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h` of the kernel; a test compares
/// them with those of the C library's bindings on the architecture that it runs on.
#[rustfmt::skip] // One row a call: a table is read in columns.
pub const TABLE: &[Call] = &[
    // By argument.
    look("ioctl", 16, 29, Check::Ioctl, "TIOCSTI and TIOCLINUX put key strokes into the caller's shell; TIOCSETD loads line disciplines"),
    look("socket", 41, 198, Check::Socket, "vsock reaches the hypervisor; AF_ALG, RXRPC, XFRM, packet, key, XDP, TIPC, CAN… are kernel surface"),
    look("socketpair", 53, 199, Check::Socket, "makes sockets of families other than UNIX too (TIPC)"),
    look("clone", 56, 220, Check::NamespaceFlags, "a new user namespace gives every capability over what is made in it").opened_by(Opening::Nested),
    look("unshare", 272, 97, Check::NamespaceFlags, "as clone; without namespace flags it is harmless and used").opened_by(Opening::Nested),
    look("personality", 135, 92, Check::Personality, "READ_IMPLIES_EXEC and ADDR_NO_RANDOMIZE undo hardening; others are rarely tested code"),

    // Namespaces and the mount topology: the boundary is made of it.
    absent("clone3", 435, "its flags are behind a pointer, where a filter cannot see them").opened_by(Opening::Nested),
    refuse("setns", 308, 268, "enters another namespace").opened_by(Opening::Nested),
    refuse("mount", 165, 40, "changes the topology").opened_by(Opening::Nested),
    refuse("umount2", 166, 39, "uncovers what a mount hides").opened_by(Opening::Nested),
    refuse("pivot_root", 155, 41, "changes the root").opened_by(Opening::Nested),
    refuse("chroot", 161, 51, "changes the root; with a descriptor of a directory outside the new one it is a way out").opened_by(Opening::Nested),
    absent("open_tree", 428, "new mount interface; forgetting it was CVE-2021-41133").opened_by(Opening::Nested),
    absent("move_mount", 429, "new mount interface").opened_by(Opening::Nested),
    absent("fsopen", 430, "new mount interface").opened_by(Opening::Nested),
    absent("fsconfig", 431, "new mount interface; its parser overflowed in CVE-2022-0185").opened_by(Opening::Nested),
    absent("fsmount", 432, "new mount interface").opened_by(Opening::Nested),
    absent("fspick", 433, "new mount interface").opened_by(Opening::Nested),
    absent("mount_setattr", 442, "takes the read-only flag off a mount").opened_by(Opening::Nested),
    absent("open_tree_attr", 467, "open_tree and mount_setattr in one").opened_by(Opening::Nested),
    refuse_x86("sethostname", 170, "needs a capability that only a nested namespace gives").opened_by(Opening::Nested),
    refuse_x86("setdomainname", 171, "needs a capability that only a nested namespace gives").opened_by(Opening::Nested),

    // Other processes.
    refuse("ptrace", 101, 117, "controls another process; large and old interface").opened_by(Opening::Trace),
    refuse("process_vm_readv", 310, 270, "reads another process").opened_by(Opening::Trace),
    refuse("process_vm_writev", 311, 271, "writes another process").opened_by(Opening::Trace),
    refuse("pidfd_getfd", 438, 438, "takes a descriptor out of another process"),
    refuse("kcmp", 312, 272, "tells the order of kernel pointers of another process"),

    // Things that are not namespaced.
    refuse("add_key", 248, 217, "session keyrings are shared with the user's other processes"),
    refuse("request_key", 249, 218, "as add_key; it also starts a program of the host"),
    refuse("keyctl", 250, 219, "as add_key"),

    // Interfaces by which most kernel exploits of recent years came, and that agents do not need.
    absent("io_uring_setup", 425, "a second system-call interface: its requests pass no filter"),
    absent("io_uring_enter", 426, "as io_uring_setup, for a ring that was received"),
    absent("io_uring_register", 427, "as io_uring_setup"),
    refuse("bpf", 321, 280, "programs in the kernel"),
    refuse("perf_event_open", 298, 241, "large surface; observes other processes"),
    refuse("userfaultfd", 323, 282, "stops the kernel in the middle of a copy: the tool of race exploits"),
    refuse_x86("modify_ldt", 154, "segment descriptors; only 16-bit programs need it"),

    // Handles: a way to files that has no path, so no mount and no rule stands on it.
    refuse("name_to_handle_at", 303, 264, "makes the handles that open_by_handle_at takes"),
    refuse("open_by_handle_at", 304, 265, "opens files past every directory (the Docker escape of 2014)"),
    refuse("fanotify_init", 300, 262, "watches whole file systems and hands out handles"),
    refuse("fanotify_mark", 301, 263, "as fanotify_init, for a descriptor that was received"),

    // Control of the host. All of it needs capabilities that nobody inside has; this is the second lock.
    refuse("kexec_load", 246, 104, "boots another kernel"),
    refuse("kexec_file_load", 320, 294, "boots another kernel"),
    refuse("init_module", 175, 105, "loads code into the kernel"),
    refuse("finit_module", 313, 273, "loads code into the kernel"),
    refuse("delete_module", 176, 106, "unloads code from the kernel"),
    refuse_x86("create_module", 174, "gone since Linux 2.6"),
    refuse_x86("get_kernel_syms", 177, "gone since Linux 2.6"),
    refuse_x86("query_module", 178, "gone since Linux 2.6"),
    refuse("reboot", 169, 142, "stops the host"),
    refuse("swapon", 167, 224, "adds swap space"),
    refuse("swapoff", 168, 225, "removes swap space"),
    refuse("acct", 163, 89, "writes a record of every process"),
    refuse("quotactl", 179, 60, "disk quotas"),
    absent("quotactl_fd", 443, "disk quotas"),
    refuse("nfsservctl", 180, 42, "gone since Linux 3.1"),
    refuse("syslog", 103, 116, "reads and clears the kernel's messages, which hold addresses and other people's doings"),
    refuse("settimeofday", 164, 170, "sets the clock"),
    refuse("clock_settime", 227, 112, "sets the clock"),
    refuse_x86("vhangup", 153, "hangs up the terminal"),
    refuse_x86("iopl", 172, "input and output ports"),
    refuse_x86("ioperm", 173, "input and output ports"),
    refuse_x86("uselib", 134, "loads a library from before ELF"),
    refuse_x86("_sysctl", 156, "gone since Linux 5.5"),
    refuse_x86("lookup_dcookie", 212, "profiler's handle to paths, gone since Linux 6.7"),

    // Landlock does not reach System V and POSIX message objects, and they belong to the user's other programs.
    absent_split("shmget", 29, 194).opened_by(Opening::OwnIpc),
    absent_split("shmat", 30, 196).opened_by(Opening::OwnIpc),
    absent_split("shmctl", 31, 195).opened_by(Opening::OwnIpc),
    absent_split("shmdt", 67, 197).opened_by(Opening::OwnIpc),
    absent_split("semget", 64, 190).opened_by(Opening::OwnIpc),
    absent_split("semop", 65, 193).opened_by(Opening::OwnIpc),
    absent_split("semctl", 66, 191).opened_by(Opening::OwnIpc),
    absent_split("semtimedop", 220, 192).opened_by(Opening::OwnIpc),
    absent_split("msgget", 68, 186).opened_by(Opening::OwnIpc),
    absent_split("msgsnd", 69, 189).opened_by(Opening::OwnIpc),
    absent_split("msgrcv", 70, 188).opened_by(Opening::OwnIpc),
    absent_split("msgctl", 71, 187).opened_by(Opening::OwnIpc),
    absent_split("mq_open", 240, 180).opened_by(Opening::OwnIpc),
    absent_split("mq_unlink", 241, 181).opened_by(Opening::OwnIpc),
    absent_split("mq_timedsend", 242, 182).opened_by(Opening::OwnIpc),
    absent_split("mq_timedreceive", 243, 183).opened_by(Opening::OwnIpc),
    absent_split("mq_notify", 244, 184).opened_by(Opening::OwnIpc),
    absent_split("mq_getsetattr", 245, 185).opened_by(Opening::OwnIpc),
];

/// ENOSYS, the answer of a kernel that is built without them, for System V and POSIX message objects.
const fn absent_split(name: &'static str, x86_64: u32, aarch64: u32) -> Call {
    row(
        name,
        Some(x86_64),
        Some(aarch64),
        Rule::Absent,
        "without an ipc namespace these are the user's other programs' objects",
    )
}
