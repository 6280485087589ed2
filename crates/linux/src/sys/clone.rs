//! `clone3(2)`, used as a fork into new namespaces; the C library's `clone`, used as a vfork; and `clone(2)` as such, to make a
//! process that works beside this one.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::thread::sched_setaffinity;

use super::scheduler;

/// `struct clone_args` of `linux/sched.h`, up to `set_tid_size` (kernel 5.5).
#[repr(C)]
#[derive(Default)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
}

/// Which side of a fork this is.
pub enum Side {
    /// The caller, with its new child.
    Parent {
        /// The child, as the caller's process-id namespace numbers it.
        child: Pid,
        /// A descriptor of the child, closed on exec.
        pidfd: OwnedFd,
    },
    /// The child.
    Child,
}

/// Whose child a new process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// The caller's.
    Caller,
    /// The child of the caller's own parent (`CLONE_PARENT`).
    CallersParent,
}

/// Forks with `flags` (`CLONE_NEW*`); the child has a copy of the memory, and sends `SIGCHLD` to its parent when it ends.
///
/// # Safety
///
/// The child must call nothing that allocates, locks, or relies on another thread, and must end in `execve` or
/// `exit_group`: threads of the caller do not exist in the child, and their locks stay locked.
///
/// # Errors
///
/// What clone3(2) answers: `EPERM` or `ENOSPC` or `EUSERS` where the host forbids user namespaces, `EINVAL` where the kernel lacks one.
pub unsafe fn fork_into(flags: u64, parent: Parent) -> Result<Side, Errno> {
    let mut pidfd: c_int = -1;
    let (whose, exit_signal) = match parent {
        Parent::Caller => (0, libc::SIGCHLD),
        // The kernel takes the signal that the caller itself would send, and refuses another one here.
        Parent::CallersParent => (libc::CLONE_PARENT, 0),
    };
    let arguments = CloneArguments {
        flags: flags | libc::CLONE_PIDFD as u64 | whose as u64,
        pidfd: (&raw mut pidfd) as u64,
        exit_signal: exit_signal as u64,
        ..CloneArguments::default()
    };
    // SAFETY: without CLONE_VM the child has its own copy of the memory, so returning on the same stack is what
    // fork(2) does too; `arguments` and `pidfd` outlive the call; what the child may do is the caller's promise.
    let answer = unsafe {
        super::raw::syscall2(
            libc::SYS_clone3,
            std::ptr::from_ref(&arguments).expose_provenance(),
            size_of::<CloneArguments>(),
        )
    };
    match answer? {
        0 => Ok(Side::Child),
        child => {
            let child = c_int::try_from(child).ok().and_then(Pid::from_raw).ok_or(Errno::INVAL)?;
            // SAFETY: the kernel stored a fresh descriptor there, which nothing else owns.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Side::Parent { child, pidfd })
        }
    }
}

/// Forks as the C library does: the child may go on to use all of it, allocating and making threads.
///
/// # Safety
///
/// The caller must have one thread. The child has a copy of everything that the caller owns, and must not drop what acts beyond
/// its memory.
///
/// # Errors
///
/// What fork(2) or pidfd_open(2) answers.
pub unsafe fn fork_whole() -> Result<Side, Errno> {
    // SAFETY: with one thread no lock is held; the rest is the caller's promise.
    let answer = super::check(unsafe { libc::fork() }.into())?;
    let Some(child) = c_int::try_from(answer).ok().and_then(Pid::from_raw) else { return Ok(Side::Child) };
    match rustix::process::pidfd_open(child, rustix::process::PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Side::Parent { child, pidfd }),
        Err(errno) => {
            let _ = rustix::process::kill_process(child, rustix::process::Signal::KILL);
            let _ = waitpid(Some(child), WaitOptions::empty());
            Err(errno)
        }
    }
}

/// Bytes of stack of a child made by [`vfork`]; it runs a dozen system calls deep in no recursion.
const STACK: usize = 64 * 1024;

/// A stack, aligned as the ABIs demand (16 bytes on x86-64 and AArch64).
#[repr(C, align(16))]
struct Stack(UnsafeCell<MaybeUninit<[u8; STACK]>>);

// SAFETY: only `vfork` touches the content, by handing it to one child at a time.
unsafe impl Sync for Stack {}

/// The one stack: not on the caller's own, where making room for it would touch every page of it.
static CHILD_STACK: Stack = Stack(UnsafeCell::new(MaybeUninit::uninit()));

/// Runs `child(argument)` in a new process that borrows this one's memory until it calls `execve` or exits.
///
/// No page table is copied, so it costs the same in a process of any size (vfork(2)); the caller is suspended meanwhile.
///
/// # Safety
///
/// `child` must not return to anything but the exit that this wrapper makes of its result, must not allocate or lock, and
/// must leave the caller's memory as it found it but for what `argument` points to.
///
/// # Errors
///
/// What clone(2) answers.
pub unsafe fn vfork(child: extern "C" fn(*mut c_void) -> c_int, argument: *mut c_void) -> Result<Pid, Errno> {
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the stack grows down from one past its end, which is aligned; CLONE_VFORK suspends this thread, so no second
    // child uses the stack meanwhile and `argument` outlives its use; the rest is the caller's promise.
    let answer = unsafe {
        let top = CHILD_STACK.0.get().cast::<u8>().add(STACK).cast::<c_void>();
        libc::clone(child, top, flags, argument)
    };
    super::check(answer.into()).and_then(|pid| c_int::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Errno::INVAL))
}

/// Bytes of stack of a process made by [`beside`], and of whoever that forks.
const STACK_BESIDE: usize = 512 * 1024;

/// As [`Stack`].
#[repr(C, align(16))]
struct StackBeside(UnsafeCell<MaybeUninit<[u8; STACK_BESIDE]>>);

// SAFETY: nobody touches the content in this process; a child touches its own copy.
unsafe impl Sync for StackBeside {}

static STACK_OF_ONE_BESIDE: StackBeside = StackBeside(UnsafeCell::new(MaybeUninit::uninit()));

/// A process made by [`beside`]. Dropped, it is killed.
pub struct Beside {
    pid: Pid,
    has_ended: bool,
}

impl Beside {
    /// Its process id.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.has_ended = self.has_ended || !matches!(waitpid(Some(self.pid), WaitOptions::NOHANG), Ok(None));
        self.has_ended
    }

    /// Brings it to the calling thread's processor.
    pub fn come_here(&self) {
        if let Some(here) = scheduler::here() {
            // Where that fails it stays wherever it is.
            let _ = sched_setaffinity(Some(self.pid), &here);
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.has_ended {
            let _ = kill_process(self.pid, Signal::KILL);
            while let Err(Errno::INTR) = waitpid(Some(self.pid), WaitOptions::empty()) {}
        }
    }
}

/// Runs `child(argument)` in a new process that shares this one's descriptors and has a copy of its memory, while this one goes
/// on.
///
/// A copy, although the process does hardly more than one call: were the memory shared, each would wait for the other's changes to it, and
/// every page that is copied later would interrupt the other's processor (measured in a virtual machine: 18 µs a page).
///
/// # Safety
///
/// `child` must not allocate, lock or unwind, and must touch no memory that is [withheld](super::withheld). What it is to answer
/// by must be shared memory.
///
/// # Errors
///
/// What clone(2) answers.
pub unsafe fn beside(child: extern "C" fn(*mut c_void) -> c_int, argument: *mut c_void) -> Result<Beside, Errno> {
    let flags = libc::CLONE_FILES | libc::SIGCHLD;
    // SAFETY: the stack grows down from one past its end, which is aligned, and the child's copy of it is its own; the rest is
    // the caller's promise.
    let answer = unsafe {
        let top = STACK_OF_ONE_BESIDE.0.get().cast::<u8>().add(STACK_BESIDE).cast::<c_void>();
        super::raw::clone(flags, top, child, argument)
    };
    answer
        .and_then(|pid| c_int::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Errno::INVAL))
        .map(|pid| Beside { pid, has_ended: false })
}
