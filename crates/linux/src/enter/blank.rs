//! A blank enclosure: namespaces with an init that has done what no policy changes, and waits to learn the rest.
//!
//! ```text
//! supervisor   start ─► read the policy, resolve, plan ─► hand over ─► lay out the rest ─► hand over ─► …
//! helper         └─ clone3 ─┐ (waits for its end)             │                               │
//! init                      └─► identity, loopback, bare root ┴─► the plan ───────────────────┴─► confinement
//! ```
//!
//! Making the namespaces takes about as long as reading the policy (measured: 0.4 ms, most of it the net namespace), so both
//! are done at once. The helper makes one system call that counts. The init is the supervisor's own child. Neither gets the
//! supervisor's stack or heap: the init learns the launch from an arena that both share, which it never writes, and which
//! the supervisor never reads again.

use std::ffi::CStr;
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, getpid};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::helper::{Errand, Helper, run_errand};
use super::message::Order;
use super::{Build, CloneError, Entered, Launch};
use crate::api::Tier;
use crate::run::RunError;
use crate::supervise::Handled;
use crate::sys;
use crate::sys::arena::{Arena, ArenaError, Inbox, Slot};
use crate::sys::clone::Beside;
use crate::sys::scheduler::{self, Undisturbed};
use crate::sys::withheld::Withheld;

/// Bytes that a launch may take. Only what is used is ever in memory.
const ROOM: usize = 16 << 20;

const NAMESPACES: u64 = (libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWNET) as u64;

/// What the init knows from its beginning.
pub(super) struct Start<'a> {
    inbox: Inbox<'a>,
    /// `CLONE_NEW*`; 0 in the `landlock` tier.
    pub(super) namespaces: u64,
    /// The init's parent, which runs as the same user.
    pub(super) supervisor: Pid,
    pub(super) uid_map: &'a CStr,
    pub(super) gid_map: &'a CStr,
    pub(super) user_zero: bool,
    /// Where the supervisor may run, and so the enclosure.
    processors: Option<CpuSet>,
    /// The init begins on another processor than the supervisor's.
    is_elsewhere: bool,
}

impl<'a> Start<'a> {
    /// Undoes what was done to the helper, and so to the init.
    pub(super) fn run_anywhere(&self) {
        if let Some(processors) = &self.processors {
            let _ = sched_setaffinity(None, processors);
        }
    }

    /// Whether this process runs on another processor than the supervisor, until [`Start::run_anywhere`].
    pub(super) fn is_elsewhere(&self) -> bool {
        self.is_elsewhere
    }

    /// Whether the inside has namespaces of its own.
    pub(super) fn has_namespaces(&self) -> bool {
        self.namespaces != 0
    }

    /// Whether there are capabilities to drop: the first process of a user namespace has them all.
    pub(super) fn has_capabilities(&self) -> bool {
        self.has_namespaces() || self.user_zero
    }

    /// What was handed over first.
    pub(super) fn handed_over(&self) -> Option<&'a Build<'a>> {
        // SAFETY: only `Waiting::hand_over` hands anything over in this arena, and that is a `Build`.
        unsafe { self.inbox.handed_over() }
    }
}

/// An enclosure that waits for its policy. Dropped, it ends.
pub struct Blank {
    tier: Tier,
    // Before the arena: the processes use it.
    waiting: Waiting,
    arena: Box<Arena>,
}

impl Blank {
    /// Starts one. From here on until it is dropped or the run has ended, the signals that a supervisor passes on are blocked.
    ///
    /// The calling process must have one thread: the init has no other, and would wait for ever for its locks. The init gets
    /// neither its stack nor what lies in `heap` (addresses; may be empty).
    ///
    /// # Errors
    ///
    /// [`RunError::Namespaces`] and its like, when there is no room for a process. That the host forbids namespaces shows later.
    pub fn start(tier: Tier, heap: Range<usize>) -> Result<Blank, RunError> {
        let handled = Handled::block();
        let arena = Box::new(Arena::new(ROOM).map_err(RunError::Namespaces)?);
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(|errno| RunError::from(CloneError::SocketPair(errno)))?;
        let processors = sched_getaffinity(None).ok();
        let others = processors.and_then(elsewhere);
        let undisturbed = others.and_then(|_| Undisturbed::begin());
        let errand = errand(&arena, tier, (&ours, &theirs), processors, others, undisturbed.is_some())
            .map_err(|error| RunError::Prepare(error.into()))?;
        // SAFETY: the one process made until it is dropped is the helper, which touches the arena, a stack of its own, constants
        // and what the C library keeps of the thread (`errno`), as does the init.
        let withheld = unsafe { Withheld::new(heap) };
        // SAFETY: `run_errand` only makes system calls; the errand lies in the arena, which is shared memory.
        let helper = unsafe { sys::clone::beside(run_errand, errand.cast_mut().cast()) };
        let helper = helper.map_err(|errno| RunError::from(CloneError::Clone(errno)))?;
        if let Some(others) = &others {
            let _ = sched_setaffinity(Some(helper.pid()), others);
        }
        drop((undisturbed, withheld));
        let waiting = Waiting { handled: Some(handled), made: Some(Made { helper, errand, ours, _theirs: theirs }) };
        Ok(Blank { tier, waiting, arena })
    }

    /// For which tier.
    pub(crate) fn tier(&self) -> Tier {
        self.tier
    }

    /// The processes, and the memory to lay the launch out in.
    pub(crate) fn into_parts(self) -> (Box<Arena>, Waiting) {
        (self.arena, self.waiting)
    }
}

/// Every processor that this process may run on but the one that it runs on.
///
/// The scheduler often leaves a new process where its parent is, which here would have both wait for each other (measured: in
/// one of three launches or more). So the helper is sent away: by itself if it begins at once, else by the supervisor, which
/// costs less. Where there is no other processor, nothing is lost.
fn elsewhere(processors: CpuSet) -> Option<CpuSet> {
    let mut others = processors;
    others.unset(scheduler::processor()?);
    (others.count() > 0).then_some(others)
}

fn errand(
    arena: &Arena,
    tier: Tier,
    (ours, theirs): (&OwnedFd, &OwnedFd),
    processors: Option<CpuSet>,
    others: Option<CpuSet>,
    waits_its_turn: bool,
) -> Result<*const Errand<'static>, ArenaError> {
    let (uid, gid) = sys::process::identity();
    let map = |id: u32| arena.text(format!("{id} {id} 1").as_bytes());
    let start = Start {
        inbox: arena.inbox(),
        namespaces: if tier == Tier::Namespaces { NAMESPACES } else { 0 },
        supervisor: getpid(),
        uid_map: map(uid)?,
        gid_map: map(gid)?,
        user_zero: uid == 0,
        processors,
        is_elsewhere: others.is_some(),
    };
    let errand = Errand {
        start,
        others,
        waits_its_turn,
        ours: ours.as_raw_fd(),
        theirs: theirs.as_raw_fd(),
        told: AtomicU32::new(0),
        init: AtomicI32::new(0),
        pidfd: AtomicI32::new(-1),
        errno: AtomicI32::new(libc::ECHILD),
    };
    Ok(std::ptr::from_ref(arena.put(errand)?).cast())
}

/// What [`Blank::start`] made.
struct Made {
    helper: Beside,
    /// Lies in the arena.
    errand: *const Errand<'static>,
    ours: OwnedFd,
    /// Open until the helper is gone, which hands it on.
    _theirs: OwnedFd,
}

impl Made {
    fn entered(self) -> Result<Entered, CloneError> {
        // SAFETY: the arena outlives `Waiting`, whose part this is; the helper, the only other user, writes atomics alone.
        let errand = unsafe { &*self.errand };
        let mut helper = self.helper;
        errand.wait(&mut helper);
        let Some(init) = Pid::from_raw(errand.init.load(Ordering::Acquire)) else {
            return Err(CloneError::Clone(Errno::from_raw_os_error(errand.errno.load(Ordering::Acquire))));
        };
        // SAFETY: the helper got it from the kernel and gave it away here; the descriptors are shared with it.
        let pidfd = unsafe { OwnedFd::from_raw_fd(errand.pidfd.load(Ordering::Acquire)) };
        Ok(Entered { init, pidfd, messages: self.ours, helper: Some(Helper(helper)) })
    }
}

/// The processes of a [`Blank`]. Dropped, they end.
pub(crate) struct Waiting {
    made: Option<Made>,
    handled: Option<Handled>,
}

impl Waiting {
    /// Has the init build the root.
    pub(crate) fn hand_over<'a>(mut self, arena: &'a Arena, build: Build<'a>) -> Result<Building<'a>, RunError> {
        let (Some(made), Some(handled)) = (self.made.take(), self.handled.take()) else {
            return Err(RunError::Lost(Errno::CHILD));
        };
        let entered = made.entered().map_err(RunError::from)?;
        let building = Building { held: Some((entered, handled)), launch: build.launch };
        arena.hand_over(arena.put(build).map_err(|error| RunError::Prepare(error.into()))?);
        building.order(Order::Build);
        Ok(building)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(Ok(entered)) = self.made.take().map(Made::entered) {
            entered.end();
        }
    }
}

/// An init that builds the root, and waits for the rest. Dropped, it ends.
pub(crate) struct Building<'a> {
    held: Option<(Entered, Handled)>,
    launch: &'a Slot<'a, Launch<'a>>,
}

impl<'a> Building<'a> {
    /// Tells the init the rest; gives the supervisor's hold on it, and on the signals.
    pub(crate) fn launch(mut self, arena: &'a Arena, launch: Launch<'a>) -> Result<(Entered, Handled), RunError> {
        arena.fill(self.launch, launch).map_err(|error| RunError::Prepare(error.into()))?;
        self.order(Order::Launch);
        self.held.take().ok_or(RunError::Lost(Errno::CHILD))
    }

    /// An init that has failed is gone; its last message says why.
    fn order(&self, order: Order) {
        if let Some((entered, _)) = &self.held {
            let _ = entered.order(order);
        }
    }
}

impl Drop for Building<'_> {
    fn drop(&mut self) {
        if let Some((entered, _)) = self.held.take() {
            entered.end();
        }
    }
}
