//! System calls that agents do not need. Each is made with arguments that can do no harm and to which the kernel itself gives an
//! errno that no filter gives: whoever sees that errno has reached the kernel.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use bailiwick_policy::guarantee::Guarantee::KernelSurface;

use super::ROOT;
use crate::attack::{Attack, Proof};
use crate::outcome::{Outcome, error_name};
use crate::stage::Stage;
use crate::sys::closed::{self, Call};
use crate::sys::{file, process, socket};

/// Whether `error` is how filters refuse.
fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EPERM | libc::EACCES | libc::ENOSYS | libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT)
    )
}

/// Whether the call came through to the kernel.
fn reached<T>(answer: io::Result<T>) -> Outcome {
    match answer {
        Ok(_) => Outcome::breached("the kernel obeyed"),
        Err(error) if is_refusal(&error) => Outcome::held(error_name(&error)),
        Err(error) => Outcome::breached(format!("the kernel answered {}", error_name(&error))),
    }
}

/// A call that must not come through.
pub(super) fn closed_call(call: Call) -> Outcome {
    reached(call.make())
}

/// A socket family that must not come through. The type is one that does not exist: the kernel answers EINVAL before it looks whether
/// the family is built, so the attack bites on every kernel.
pub(super) fn closed_family(family: i32, protocol: i32) -> Outcome {
    /// Above `SOCK_MAX`, within the four bits of the type.
    const NO_SUCH_TYPE: i32 = 15;
    match socket::socket(family, NO_SUCH_TYPE, protocol) {
        Err(error) if error.raw_os_error() == Some(libc::ESOCKTNOSUPPORT) => Outcome::held(error_name(&error)),
        other => reached(other),
    }
}

pub(super) const fn surface(name: &'static str, summary: &'static str, run: fn(&Stage) -> Outcome) -> Attack {
    Attack::new(name, KernelSurface, Proof::Answer, summary, run)
}

const NETLINK_SOCK_DIAG: i32 = 4;
const NETLINK_XFRM: i32 = 6;
const NETLINK_AUDIT: i32 = 9;
const NETLINK_NETFILTER: i32 = 12;
const NETLINK_UEVENT: i32 = 15;
const NETLINK_GENERIC: i32 = 16;

/// Runs in a child, since the kernel or a filter may kill it.
#[cfg(target_arch = "x86_64")]
fn foreign_call() -> Outcome {
    let child = process::fork().and_then(|pid| {
        if pid == 0 {
            process::exit_now(match process::getpid_of_i386() {
                pid if pid > 0 => 0,
                _ => 1,
            });
        }
        process::wait(pid)
    });
    match child {
        Ok(0) => Outcome::breached("the 32-bit gate answered"),
        Ok(status) => Outcome::held(format!("refused or killed (wait status {status:#x})")),
        Err(error) => Outcome::of::<()>("fork", Err(error)),
    }
}

#[cfg(target_arch = "x86_64")]
const FOREIGN: Attack =
    surface("foreign-i386", "int 0x80: the 32-bit table, where the numbers mean other calls", |_| foreign_call())
        .unless("a kernel with 32-bit emulation");
#[cfg(not(target_arch = "x86_64"))]
const FOREIGN: Attack =
    surface("foreign-i386", "int 0x80: the 32-bit table", |_| Outcome::inapplicable("not x86-64")).unless("x86-64");

#[cfg(target_arch = "x86_64")]
const X32: Attack =
    surface("foreign-x32", "the x32 table: known calls under numbers that a deny list does not know", |_| {
        closed_call(closed::X32_GETPID)
    })
    .unless("a kernel with x32");
#[cfg(not(target_arch = "x86_64"))]
const X32: Attack = surface("foreign-x32", "the x32 table", |_| Outcome::inapplicable("not x86-64")).unless("x86-64");

/// Whether the file can be opened for writing; nothing is written.
fn opens_for_writing(path: &str) -> Outcome {
    Outcome::of(path, OpenOptions::new().write(true).open(path))
}

fn device_node(stage: &Stage) -> Outcome {
    let path = stage.at("device");
    // 1:3 is the null device: opening it does nothing.
    let attempt = file::make_device(&path, 1, 3).and_then(|()| OpenOptions::new().read(true).open(&path));
    Outcome::of("device", attempt)
}

/// Whether any capability is there, or could come back: the bounding set gives nothing to who can gain nothing by exec.
fn capabilities() -> Outcome {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let gains_nothing = process::no_new_privileges().unwrap_or(false);
    let sets: Vec<&str> = status
        .lines()
        .filter(|line| line.starts_with("Cap") && !(gains_nothing && line.starts_with("CapBnd")))
        .filter(|line| line.split_whitespace().nth(1).is_some_and(|mask| mask.bytes().any(|digit| digit != b'0')))
        .collect();
    if status.is_empty() {
        return Outcome::inapplicable("no /proc/self/status");
    }
    if sets.is_empty() { Outcome::held("no capability in any set") } else { Outcome::breached(sets.join(", ")) }
}

macro_rules! closed {
    ($name:literal, $call:ident, $summary:literal) => {
        surface($name, $summary, |_| closed_call(closed::$call))
    };
}

pub(super) const ATTACKS: &[Attack] = &[
    closed!("io-uring-setup", IO_URING_SETUP, "io_uring: a second door to every call, behind the filter")
        .unless("a kernel with io_uring allowed"),
    surface("io-uring", "io_uring with valid arguments", |_| Outcome::of("io_uring", process::io_uring()))
        .unless("a kernel with io_uring allowed"),
    closed!("io-uring-enter", IO_URING_ENTER, "io_uring_enter(2) on a ring from elsewhere")
        .unless("a kernel with io_uring"),
    closed!("io-uring-register", IO_URING_REGISTER, "io_uring_register(2) on a ring from elsewhere")
        .unless("a kernel with io_uring"),
    closed!("add-key", ADD_KEY, "add_key(2): keyrings are not namespaced").unless("kernel keyrings"),
    closed!("request-key-call", REQUEST_KEY, "request_key(2) starts a program of the host as root")
        .unless("kernel keyrings"),
    closed!("keyctl", KEYCTL, "keyctl(2) (CVE-2016-0728 and many after it)").unless("kernel keyrings"),
    closed!("bpf", BPF, "bpf(2): a compiler in the kernel (CVE-2021-3490)").unless("a kernel with bpf"),
    closed!("perf-event-open", PERF_EVENT_OPEN, "perf_event_open(2): side channels and bugs (CVE-2023-2235)")
        .unless("a kernel with perf events"),
    surface("userfaultfd", "userfaultfd(2) holds the kernel at a page fault: the tool of exploits", |_| {
        Outcome::of("userfaultfd", process::userfaultfd())
    })
    .unless("a kernel with userfaultfd"),
    closed!("ptrace", PTRACE_SEIZE, "ptrace(2) of anything"),
    surface("ptrace-own-child", "ptrace(2) of one's own, open only by option", |_| {
        Outcome::of("PTRACE_TRACEME", process::trace_me())
    }),
    closed!("process-vm-writev", PROCESS_VM_WRITEV, "process_vm_writev(2) of anything")
        .unless("a kernel with cross memory attach"),
    closed!("pidfd-getfd", PIDFD_GETFD, "pidfd_getfd(2) of anything"),
    closed!("name-to-handle-at", NAME_TO_HANDLE_AT, "name_to_handle_at(2): files by handle instead of path")
        .unless("a kernel with file handles"),
    closed!("open-by-handle-at", OPEN_BY_HANDLE_AT, "open_by_handle_at(2): files by handle instead of path")
        .unless("a kernel with file handles"),
    surface("fanotify", "fanotify_init(2) watches whole filesystems", |_| Outcome::of("fanotify", file::fanotify()))
        .unless("a kernel with fanotify for users"),
    surface("personality", "personality(2) turns address randomisation off for what is run next", |_| {
        /// `ADDR_NO_RANDOMIZE`
        const NO_RANDOMIZE: u32 = 0x0004_0000;
        Outcome::of("personality", process::set_personality(NO_RANDOMIZE))
    }),
    closed!("quotactl", QUOTACTL, "quotactl(2)").unless("a kernel with quotas"),
    closed!("swapon", SWAPON, "swapon(2)").unless("a kernel with swap"),
    closed!("swapoff", SWAPOFF, "swapoff(2)").unless(ROOT),
    closed!("acct", ACCT, "acct(2) logs all processes to a file of one's own")
        .unless("needs root, and process accounting"),
    closed!("reboot", REBOOT, "reboot(2) with wrong magic numbers").unless(ROOT),
    closed!("kexec-load", KEXEC_LOAD, "kexec_load(2): another kernel").unless("needs root, and a kernel with kexec"),
    closed!("kexec-file-load", KEXEC_FILE_LOAD, "kexec_file_load(2): another kernel")
        .unless("needs root, and a kernel with kexec"),
    closed!("init-module", INIT_MODULE, "init_module(2)").unless("needs root, and a kernel with modules"),
    closed!("finit-module", FINIT_MODULE, "finit_module(2)").unless("needs root, and a kernel with modules"),
    closed!("delete-module", DELETE_MODULE, "delete_module(2)").unless("needs root, and a kernel that unloads modules"),
    closed!("settimeofday", SETTIMEOFDAY, "settimeofday(2)"),
    closed!("clock-settime", CLOCK_SETTIME, "clock_settime(2)"),
    surface("syslog", "syslog(2) reads the kernel's log, with addresses", |_| {
        Outcome::of("syslog", process::kernel_log())
    })
    .unless("kernel.dmesg_restrict=0, or root"),
    surface("setuid-gain", "without no_new_privs a setuid program gives rights back", |_| {
        match process::no_new_privileges() {
            Ok(true) => Outcome::held("no_new_privs is set"),
            Ok(false) => Outcome::breached("no_new_privs is not set"),
            Err(error) => Outcome::of::<()>("prctl", Err(error)),
        }
    })
    .unless("a caller without no_new_privs"),
    surface("capabilities", "any capability left in any set", |_| capabilities())
        .unless("a caller without no_new_privs, or root"),
    surface("device-node", "mknod(2) of a device in the workspace", device_node).unless(ROOT),
    surface(
        "sysctl-core-pattern",
        "/proc/sys/kernel/core_pattern runs a program as root (opened, not written)",
        |_| opens_for_writing("/proc/sys/kernel/core_pattern"),
    )
    .unless(ROOT),
    surface("sysctl-modprobe", "/proc/sys/kernel/modprobe runs a program as root (opened, not written)", |_| {
        opens_for_writing("/proc/sys/kernel/modprobe")
    })
    .unless("needs root, and a kernel with modules"),
    surface("sysrq-trigger", "/proc/sysrq-trigger reboots at once (opened, not written)", |_| {
        opens_for_writing("/proc/sysrq-trigger")
    })
    .unless("needs root, and a kernel with SysRq"),
    surface("sysfs-write", "uevent_helper and power state in /sys (opened, not written)", |_| {
        Outcome::any(
            ["/sys/kernel/uevent_helper", "/sys/power/state", "/sys/kernel/profiling", "/sys/kernel/mm/ksm/run"]
                .into_iter()
                .filter(|path| Path::new(path).exists())
                .map(opens_for_writing)
                .chain([Outcome::held("no /sys")]),
        )
    })
    .unless("needs root and /sys"),
    FOREIGN,
    X32,
];

macro_rules! family {
    ($name:literal, $family:expr, $protocol:expr, $summary:literal) => {
        surface($name, $summary, |_| closed_family($family, $protocol))
    };
}

/// Socket families.
pub(super) const FAMILIES: &[Attack] = &[
    family!("family-alg", libc::AF_ALG, 0, "AF_ALG writes the page cache (Copy Fail, CVE-2026-31431)"),
    family!("family-rxrpc", libc::AF_RXRPC, 0, "AF_RXRPC (Dirty Frag, CVE-2026-43284)"),
    family!("family-packet", libc::AF_PACKET, 0, "AF_PACKET (CVE-2017-7308)"),
    family!("family-key", libc::AF_KEY, 0, "AF_KEY (CVE-2022-27666)"),
    family!("family-xdp", libc::AF_XDP, 0, "AF_XDP"),
    family!("family-tipc", libc::AF_TIPC, 0, "AF_TIPC (CVE-2021-43267)"),
    family!("family-can", libc::AF_CAN, 0, "AF_CAN (CVE-2021-34693)"),
    family!("family-bluetooth", libc::AF_BLUETOOTH, 0, "AF_BLUETOOTH (CVE-2020-12351)"),
    family!("family-nfc", libc::AF_NFC, 0, "AF_NFC (CVE-2021-38208)"),
    family!("family-qipcrtr", 42, 0, "AF_QIPCRTR (CVE-2021-29647)"),
    family!("netlink-xfrm", libc::AF_NETLINK, NETLINK_XFRM, "NETLINK_XFRM (Dirty Frag, CVE-2026-43500)"),
    family!("netlink-audit", libc::AF_NETLINK, NETLINK_AUDIT, "NETLINK_AUDIT: forge or read the audit log"),
    family!(
        "netlink-sock-diag",
        libc::AF_NETLINK,
        NETLINK_SOCK_DIAG,
        "NETLINK_SOCK_DIAG lists sockets (CVE-2013-1763)"
    ),
    family!("netlink-netfilter", libc::AF_NETLINK, NETLINK_NETFILTER, "nf_tables (CVE-2024-1086)"),
    family!("netlink-uevent", libc::AF_NETLINK, NETLINK_UEVENT, "NETLINK_KOBJECT_UEVENT: devices of the host"),
    family!("netlink-generic", libc::AF_NETLINK, NETLINK_GENERIC, "generic netlink: dozens of drivers"),
];
