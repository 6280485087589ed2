//! The inside of the gate's process: what it gives up before it serves.
//!
//! It talks to hostile code on one side and hostile hosts on the other, so it keeps its sockets, the files that name the host's
//! resolvers, and nothing else: no descriptor, no capability, no other file, no other program.

use std::os::fd::{AsRawFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use libc::{BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Pid, Signal, getppid, set_dumpable_behavior, set_parent_process_death_signal, setsid,
};
use rustix::thread::set_no_new_privs;

use crate::gate::{Gatekeeper, Line, Outlet};
use crate::landlock::Lock;
use crate::sys;
use crate::sys::arena::Arena;

/// Bytes that the gate's Landlock rules may take.
const ROOM: usize = 1 << 20;

/// What the process has from its beginning.
pub(super) struct Start<'a> {
    pub(super) gatekeeper: Box<dyn Gatekeeper>,
    pub(super) outlet: Outlet,
    pub(super) line: Line,
    pub(super) lock: &'a Lock,
    pub(super) supervisor: Pid,
}

/// The whole life of the process. What the supervisor's memory owned here, its own copy of everything, is never dropped.
pub(super) fn live(start: Start<'_>) -> ! {
    let Start { gatekeeper, outlet, line, lock, supervisor } = start;
    let Ok(last) = line.again() else { sys::process::exit_now(1) };
    // Closing the last hold on a packet socket waits for the whole kernel (measured: 7 ms): it is left to the end of the process.
    let packets = outlet.packets.as_ref().and_then(|packets| packets.try_clone().ok());
    let held = packets.iter().map(AsRawFd::as_raw_fd).chain([line.descriptor(), last.descriptor()]);
    let held = outlet.descriptors().into_iter().chain(held).collect();
    let given_up = give_up(held, lock, supervisor);
    let served = given_up.and_then(|()| {
        // An unwinding panic must not go on as a second copy of the supervisor.
        catch_unwind(AssertUnwindSafe(|| gatekeeper.serve(outlet, line)))
            .unwrap_or_else(|_| Err("the gate has panicked, which is a bug in bailiwick".to_owned()))
    });
    match &served {
        Ok(()) => last.done(),
        Err(why) => last.failed(why),
    }
    sys::process::exit_now(i32::from(served.is_err()))
}

/// Gives up everything but these descriptors and what the lock grants.
fn give_up(held: Vec<RawFd>, lock: &Lock, supervisor: Pid) -> Result<(), String> {
    let failed = |what: &'static str| move |errno: Errno| format!("{what}: {errno}");
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(failed("tying its life to the supervisor's"))?;
    // The supervisor may have died before that took effect.
    if getppid() != Some(supervisor) {
        sys::process::exit_now(1);
    }
    // Keys that a person types are for the command.
    setsid().map_err(failed("starting a session of its own"))?;
    keep_only(held).map_err(failed("closing inherited descriptors"))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(failed("closing its memory to others"))?;
    if rustix::process::geteuid().is_root() {
        sys::process::empty_bounding_set()
            .and_then(|()| sys::process::drop_capabilities())
            .map_err(failed("dropping all capabilities"))?;
    }
    set_no_new_privs(true).map_err(failed("giving up new privileges"))?;
    let arena = Arena::new(ROOM).map_err(failed("preparing its Landlock rules"))?;
    let laid_out = lock.lay_out(&arena).map_err(|_| "its Landlock rules take too much room".to_owned())?;
    laid_out.enforce().map_err(|error| lock.describe(error))?;
    match sys::seccomp::install(&FILTER) {
        // A kernel without filters: the run itself does without them too, where its policy allows that.
        Ok(()) | Err(Errno::INVAL | Errno::NOSYS) => Ok(()),
        Err(errno) => Err(format!("closing system calls: {errno}")),
    }
}

/// Closes every descriptor but these; the standard ones lead nowhere.
fn keep_only(mut kept: Vec<RawFd>) -> Result<(), Errno> {
    let nothing = open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    for number in 0..3 {
        sys::process::place_descriptor(nothing.as_raw_fd(), number)?;
    }
    drop(nothing);
    kept.sort_unstable();
    let mut from = 3u32;
    for descriptor in kept {
        let descriptor = descriptor.unsigned_abs();
        // SAFETY: nothing in this process uses a descriptor of the supervisor again: it never returns to that code.
        unsafe { sys::process::close_range(from, descriptor.saturating_sub(1)) }?;
        from = from.max(descriptor.saturating_add(1));
    }
    // SAFETY: as above.
    unsafe { sys::process::close_range(from, u32::MAX) }
}

/// What no gate does: start programs, look into other processes or signal them, change what it stands in, or modes and times of files,
/// which Landlock does not guard.
const CLOSED: [libc::c_long; 24] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kill,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_io_uring_setup,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
];

/// The older forms of the same.
#[cfg(target_arch = "x86_64")]
const OLDER: [libc::c_long; 6] =
    [libc::SYS_chmod, libc::SYS_chown, libc::SYS_lchown, libc::SYS_utime, libc::SYS_utimes, libc::SYS_futimesat];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: [libc::c_long; 0] = [];

/// `AUDIT_ARCH_*` of `linux/audit.h`.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// The bit that marks the calls of x32, which are the same under other numbers.
const X32: u32 = 0x4000_0000;

const fn does(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

/// Goes on `yes` or `no` instructions later.
const fn asks(code: u32, k: u32, yes: usize, no: usize) -> sock_filter {
    sock_filter { code: (BPF_JMP | code | BPF_K) as u16, jt: yes as u8, jf: no as u8, k }
}

/// How many calls are closed whatever their arguments.
const CALLS: usize = CLOSED.len() + OLDER.len();

// Where the instructions are that others go to.
const SOCKET: usize = 4 + CALLS;
const FAMILY: usize = SOCKET + 2;
const REFUSE: usize = FAMILY + 3;
const KILL: usize = REFUSE + 1;

/// Answers EPERM to the closed calls and to UNIX sockets, through which programs of the host can be asked to act (before Landlock's ABI 9
/// nothing else refuses them), and kills who speaks another architecture's language.
static FILTER: [sock_filter; KILL + 1] = {
    let mut filter = [does(BPF_RET | BPF_K, libc::SECCOMP_RET_KILL_PROCESS); KILL + 1];
    filter[0] = does(BPF_LD | BPF_W | BPF_ABS, std::mem::offset_of!(libc::seccomp_data, arch) as u32);
    filter[1] = asks(BPF_JEQ, ARCHITECTURE, 0, KILL - 2);
    filter[2] = does(BPF_LD | BPF_W | BPF_ABS, std::mem::offset_of!(libc::seccomp_data, nr) as u32);
    filter[3] = asks(BPF_JGE, X32, KILL - 4, 0);
    let mut number = 0;
    while number < CALLS {
        let at = 4 + number;
        let call = if number < CLOSED.len() { CLOSED[number] } else { OLDER[number - CLOSED.len()] };
        filter[at] = asks(BPF_JEQ, call as u32, REFUSE - (at + 1), 0);
        number += 1;
    }
    filter[SOCKET] = asks(BPF_JEQ, libc::SYS_socket as u32, 1, 0);
    filter[SOCKET + 1] = does(BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW);
    // The low half of the first argument: both processors are little-endian.
    filter[FAMILY] = does(BPF_LD | BPF_W | BPF_ABS, std::mem::offset_of!(libc::seccomp_data, args) as u32);
    filter[FAMILY + 1] = asks(BPF_JEQ, libc::AF_UNIX as u32, 1, 0);
    filter[FAMILY + 2] = does(BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW);
    filter[REFUSE] = does(BPF_RET | BPF_K, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32);
    filter
};
