//! The helper: it makes the init, and with it the namespaces, while the supervisor reads the policy.
//!
//! Nothing here allocates: the helper has neither the supervisor's heap nor its stack.

use std::ffi::{c_int, c_void};
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use rustix::event::{Timespec, pause};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use rustix::thread::{CpuSet, futex, sched_setaffinity};

use super::blank::Start;
use super::init;
use crate::sys;
use crate::sys::clone::{Beside, Parent, Side};
use crate::sys::scheduler;

/// What the helper is told, and what it answers.
pub(super) struct Errand<'a> {
    pub(super) start: Start<'a>,
    /// Where the helper is to run.
    pub(super) others: Option<CpuSet>,
    /// The helper has inherited another scheduling policy than it is to have.
    pub(super) waits_its_turn: bool,
    pub(super) ours: RawFd,
    pub(super) theirs: RawFd,
    /// 1 when what follows is there.
    pub(super) told: AtomicU32,
    /// The init, or 0.
    pub(super) init: AtomicI32,
    pub(super) pidfd: AtomicI32,
    /// Why there is no init.
    pub(super) errno: AtomicI32,
}

/// The whole life of the helper, and by its fork that of the init.
pub(super) extern "C" fn run_errand(errand: *mut c_void) -> c_int {
    // SAFETY: `Blank::start` passes an errand that lives until this process has been waited for.
    let errand = unsafe { &*errand.cast::<Errand<'_>>() };
    if errand.waits_its_turn {
        // It has been sent away already.
        scheduler::be_ordinary();
    } else if let Some(others) = &errand.others {
        let _ = sched_setaffinity(None, others);
    }
    // SAFETY: the init allocates nothing, takes no lock and never returns.
    match unsafe { sys::clone::fork_into(errand.start.namespaces, Parent::CallersParent) } {
        Ok(Side::Child) => {
            // SAFETY: these are this process's copies, which nothing else in it owns.
            let (ours, theirs) = unsafe { (OwnedFd::from_raw_fd(errand.ours), OwnedFd::from_raw_fd(errand.theirs)) };
            // With it open, the death of the supervisor would not show.
            drop(ours);
            init::main(&errand.start, theirs)
        }
        Ok(Side::Parent { child, pidfd }) => {
            errand.pidfd.store(pidfd.into_raw_fd(), Ordering::Release);
            errand.init.store(child.as_raw_nonzero().get(), Ordering::Release);
            errand.tell();
            wait_for_the_end(errand.start.supervisor);
        }
        Err(errno) => {
            errand.errno.store(errno.raw_os_error(), Ordering::Release);
            errand.tell();
        }
    }
    0
}

/// The init is beginning on this processor, and ending would hold it up (measured: 0.03 ms): that is left until the supervisor has
/// nothing else to do, and kills.
fn wait_for_the_end(supervisor: Pid) {
    let dies_with_it = set_parent_process_death_signal(Some(Signal::KILL));
    // The supervisor may have died before that took effect.
    while dies_with_it.is_ok() && getppid() == Some(supervisor) {
        pause();
    }
}

/// The supervisor's hold on the helper. Dropped, it ends, on the processor of this process.
pub(super) struct Helper(pub(super) Beside);

impl Drop for Helper {
    fn drop(&mut self) {
        self.0.come_here();
    }
}

impl Errand<'_> {
    fn tell(&self) {
        self.told.store(1, Ordering::Release);
        let _ = futex::wake(&self.told, futex::Flags::empty(), 1);
    }

    /// Waits until the helper has told, or has ended.
    pub(super) fn wait(&self, helper: &mut Beside) {
        let a_while = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
        while self.told.load(Ordering::Acquire) == 0 && !helper.has_ended() {
            let _ = futex::wait(&self.told, futex::Flags::empty(), 0, Some(&a_while));
        }
    }
}
