//! Entering the enclosure: one `clone`, and everything that the child does until the command runs.
//!
//! ```text
//! supervisor ──clone3(user, mount, pid, ipc, uts, cgroup, net)──► init, pid 1
//!     │ the policy is read meanwhile                                identity → loopback → bare root
//!     │  ─────────────── Build, in shared memory ─────────────────► the plan
//!     │  ─────────────── Launch, in shared memory ────────────────► confinement
//!     │  ◄───────────── Message over a socket pair ──────────────── vfork ──► the command
//! ```
//!
//! After `clone` nothing allocates, locks or panics on purpose: the child makes system calls on prepared data, and reports
//! the first that fails. What it needs is laid out for it in a [`Build`] and a [`Launch`].

mod blank;
mod confine;
mod door;
mod helper;
mod identity;
pub(crate) mod init;
pub(crate) mod message;
pub(crate) mod outlet;
mod prepare;
mod root;
mod script;
mod start;
mod view;

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, pidfd_send_signal, waitpid};

pub use blank::Blank;
pub(crate) use door::Door;
pub(crate) use prepare::{Build, Confinement, Launch, PrepareError};

use helper::Helper;
use message::Order;

/// A step of the way from `clone` to `execve`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    DeathSignal,
    Identity,
    Session,
    Loopback,
    /// The failure's index says what ([`outlet::Part`]).
    Outlet,
    PrivateMounts,
    MemoryRoot,
    Covers,
    Devices,
    /// A step of the plan; the failure's index says which.
    Step,
    Terminals,
    Proc,
    PivotRoot,
    PseudoTerminal,
    Limits,
    Capabilities,
    Landlock,
    Seccomp,
    Descriptors,
    Go,
    Spawn,
}

impl Stage {
    pub(crate) const ALL: [Stage; 21] = [
        Stage::DeathSignal,
        Stage::Identity,
        Stage::Session,
        Stage::Loopback,
        Stage::Outlet,
        Stage::PrivateMounts,
        Stage::MemoryRoot,
        Stage::Covers,
        Stage::Devices,
        Stage::Step,
        Stage::Terminals,
        Stage::Proc,
        Stage::PivotRoot,
        Stage::PseudoTerminal,
        Stage::Limits,
        Stage::Capabilities,
        Stage::Landlock,
        Stage::Seccomp,
        Stage::Descriptors,
        Stage::Go,
        Stage::Spawn,
    ];

    /// What was being done.
    pub(crate) const fn doing(self) -> &'static str {
        match self {
            Stage::DeathSignal => "tying the enclosure's life to bailiwick's (prctl PR_SET_PDEATHSIG)",
            Stage::Identity => "mapping the user into the new user namespace (/proc/self/uid_map)",
            Stage::Session => "starting a session of its own (setsid)",
            Stage::Loopback => "bringing up the loopback interface (ioctl SIOCSIFFLAGS)",
            Stage::Outlet => "making the way to the network gate",
            Stage::PrivateMounts => "keeping mounts to the enclosure (mount_setattr MS_PRIVATE)",
            Stage::MemoryRoot => "making the new root (tmpfs)",
            Stage::Covers => "making the covers of denied names",
            Stage::Devices => "making /dev",
            Stage::Step => "carrying out a step of the plan",
            Stage::Terminals => "mounting its own pseudo-terminals (devpts)",
            Stage::Proc => "mounting its own /proc",
            Stage::PivotRoot => "making the new root the root (pivot_root)",
            Stage::PseudoTerminal => "opening a pseudo-terminal inside",
            Stage::Limits => "setting the limits (setrlimit)",
            Stage::Capabilities => "dropping all capabilities",
            Stage::Landlock => "locking the file system a second time (Landlock)",
            Stage::Seccomp => "closing system calls (seccomp)",
            Stage::Descriptors => "closing inherited descriptors (close_range)",
            Stage::Go => "waiting for the supervisor to be ready",
            Stage::Spawn => "making the command's process",
        }
    }

    /// For `map_err`.
    fn failed(self) -> impl Fn(Errno) -> Failure {
        move |errno| self.failed_at(0, errno)
    }

    fn failed_at(self, index: usize, errno: Errno) -> Failure {
        Failure { stage: self, index, errno }
    }
}

/// The first system call that failed on the way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) stage: Stage,
    /// Which step of the plan, where the stage is [`Stage::Step`].
    pub(crate) index: usize,
    pub(crate) errno: Errno,
}

/// The supervisor's hold on what it started.
pub(crate) struct Entered {
    /// The init of the enclosure.
    pub(crate) init: Pid,
    /// The same, as a descriptor.
    pub(crate) pidfd: OwnedFd,
    /// Messages of the init; its end is closed when the init is gone.
    pub(crate) messages: OwnedFd,
    /// Who made the init, and has nothing left to do.
    helper: Option<Helper>,
}

impl Entered {
    /// Tells the init what to do next; it waits with the command until the supervisor is ready to watch it.
    pub(crate) fn order(&self, order: Order) -> Result<(), Errno> {
        order.send(&self.messages)
    }

    /// Ends whoever made the init.
    pub(crate) fn end_helper(&mut self) {
        self.helper = None;
    }

    /// Reaps the init.
    pub(crate) fn wait(&self) {
        while let Err(Errno::INTR) = waitpid(Some(self.init), WaitOptions::empty()) {}
    }

    /// Kills the init, which has let nothing run yet, and reaps it.
    pub(crate) fn end(&self) {
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        self.wait();
    }
}

/// What went wrong before there was a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloneError {
    SocketPair(Errno),
    Clone(Errno),
}
