//! The init of the enclosure: pid 1 sets everything up, starts the command, reaps, and ends the tree.
//! Runs in the child after `clone`: nothing here allocates.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process_group, set_child_subreaper,
    set_dumpable_behavior, set_parent_process_death_signal, setsid, test_kill_process, wait,
};

use super::blank::Start;
use super::message::{Message, Order};
use super::start::Terminal;
use super::{Build, Failure, Launch, Stage, confine, identity, outlet, root, start, view};
use crate::sys;
use crate::sys::signals::Signals;

/// What the supervisor passes on to the command.
pub(crate) const PASSED_ON: [i32; 8] = [
    libc::SIGTERM,
    libc::SIGINT,
    libc::SIGHUP,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGTSTP,
    libc::SIGCONT,
];

/// By which the supervisor has the tree ended where killing the init would not: without a process-id namespace.
pub(crate) const END_NOW: i32 = libc::SIGALRM;

/// The whole life of the child.
pub(super) fn main(start: &Start<'_>, supervisor: OwnedFd) -> ! {
    let ending = match get_ready(start, &supervisor).and_then(|ready| set_up(start, ready, &supervisor)) {
        Err(failure) => Message::Failed(failure),
        Ok((launch, terminal)) => {
            let ending = live(start, launch, terminal, &supervisor);
            // The tree is dead before the end is told; what is left to do is the kernel's own tidying.
            end_tree(start.supervisor);
            ending
        }
    };
    let _ = ending.send(&supervisor, &[]);
    sys::process::exit_now(0)
}

/// From the start of the command to its end.
fn live(start: &Start<'_>, launch: &Launch<'_>, terminal: Option<Terminal>, supervisor: &OwnedFd) -> Message {
    match start::command(launch, terminal.as_ref()) {
        Err(start::NotStarted::Spawn(errno)) => Message::Failed(Stage::Spawn.failed_at(0, errno)),
        Err(start::NotStarted::Exec(errno)) => Message::NotStarted(errno.raw_os_error()),
        Ok(command) => {
            drop(terminal);
            look_after(command, supervisor, start.supervisor)
        }
    }
}

/// What is done before anything is known of the policy.
struct Ready {
    mounts: Option<Mounts>,
}

/// In the `namespaces` tier.
struct Mounts {
    bare: root::Bare,
    nesting: identity::Nesting,
    umask: Mode,
}

fn get_ready(start: &Start<'_>, supervisor: &OwnedFd) -> Result<Ready, Failure> {
    live_no_longer_than(supervisor)?;
    keep_only(supervisor)?;
    setsid().map_err(Stage::Session.failed())?;
    let mounts = if start.has_namespaces() {
        identity::assume(start)?;
        sys::net::bring_up_loopback().map_err(Stage::Loopback.failed())?;
        let nesting = identity::Nesting::open()?;
        let umask = rustix::process::umask(Mode::empty());
        Some(Mounts { bare: root::begin()?, nesting, umask })
    } else {
        // Without a process-id namespace, whoever loses its parent would become a child of the host's init.
        set_child_subreaper(Some(getpid())).map_err(Stage::DeathSignal.failed())?;
        None
    };
    if start.has_capabilities() {
        sys::process::empty_bounding_set().map_err(Stage::Capabilities.failed())?;
    }
    Ok(Ready { mounts })
}

/// Waits until the supervisor has read the policy.
fn learn<'a>(start: &Start<'a>, supervisor: &OwnedFd) -> Result<&'a Build<'a>, Failure> {
    let order = if start.is_elsewhere() { Order::receive_soon(supervisor) } else { Order::receive(supervisor) };
    // Not before: woken where the supervisor runs, this process would wait for it.
    start.run_anywhere();
    order
        .and_then(|order| order.must_be(Order::Build))
        .and_then(|()| start.handed_over().ok_or(Errno::INVAL))
        .map_err(Stage::Go.failed())
}

/// Waits until the supervisor has laid out the rest.
fn learn_the_rest<'a>(build: &Build<'a>, supervisor: &OwnedFd) -> Result<&'a Launch<'a>, Failure> {
    Order::receive(supervisor)
        .and_then(|order| order.must_be(Order::Launch))
        .and_then(|()| build.launch.get().ok_or(Errno::INVAL))
        .map_err(Stage::Go.failed())
}

fn set_up<'a>(
    start: &Start<'a>,
    ready: Ready,
    supervisor: &OwnedFd,
) -> Result<(&'a Launch<'a>, Option<Terminal>), Failure> {
    let build = learn(start, supervisor)?;
    if let Some(ports) = build.outlet {
        // First, so that the gate starts while the rest is set up.
        outlet::open(ports, supervisor)?;
    }
    if let Some(Mounts { bare, nesting, umask }) = ready.mounts {
        if !build.nested_namespaces {
            nesting.forbid()?;
        }
        let user = match (start.user_zero, build.nested_namespaces) {
            (false, _) => root::ProcUser::Other,
            (true, false) => root::ProcUser::Zero,
            (true, true) => root::ProcUser::ZeroNesting,
        };
        root::enter(bare, build.operations, user)?;
        if build.outlet.is_some() {
            // Without it no program has a name in the report, and nothing else is missing.
            let _ = view::hand_over(supervisor);
        }
        keep_only(supervisor)?;
        rustix::process::umask(umask);
    }
    let launch = learn_the_rest(build, supervisor)?;
    let terminal = start::open_terminal(launch, supervisor).map_err(Stage::PseudoTerminal.failed())?;
    confine::confine(start, launch)?;
    while Order::receive(supervisor).map_err(Stage::Go.failed())? == Order::SayReady {
        Message::Ready.send(supervisor, &[]).map_err(Stage::Go.failed())?;
    }
    // Not before: until now the supervisor could open this process's namespaces.
    // Nothing inside may open this process's memory or descriptors.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(Stage::Capabilities.failed())?;
    Ok((launch, terminal))
}

/// The kernel kills this process, and with it all of its process-id namespace, when the supervisor dies.
fn live_no_longer_than(supervisor: &OwnedFd) -> Result<(), Failure> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(Stage::DeathSignal.failed())?;
    // The supervisor may have died before that took effect; its end of the socket is closed then.
    let mut descriptors = [PollFd::new(supervisor, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut descriptors, Some(&at_once)) {
        Ok(0) | Err(_) => Ok(()),
        Ok(_) => sys::process::exit_now(125),
    }
}

/// Closes what this process inherited, but the standard descriptors and its line to the supervisor.
fn keep_only(supervisor: &OwnedFd) -> Result<(), Failure> {
    let kept = supervisor.as_fd().as_raw_fd().unsigned_abs();
    let failed = Stage::Descriptors.failed();
    // SAFETY: this process never returns to the code that owns the descriptors; of its own it uses the kept one alone.
    unsafe {
        sys::process::close_range(3, kept.saturating_sub(1)).map_err(&failed)?;
        sys::process::close_range(kept.saturating_add(1).max(3), u32::MAX).map_err(&failed)
    }
}

/// Reaps everything that ends, passes signals on, and returns how the command ended.
///
/// When the command stops, all of the tree is stopped: the supervisor may stop too, and nothing may go on unwatched then.
fn look_after(command: Pid, supervisor: &OwnedFd, outside: Pid) -> Message {
    let signals = Signals::of(PASSED_ON.into_iter().chain([libc::SIGCHLD, END_NOW]));
    // The supervisor has no number in a process-id namespace of the enclosure's own.
    let supervisor_is = if sys::process::is_init() { 0 } else { outside.as_raw_nonzero().get() };
    let mut all_stopped = false;
    loop {
        let waited = signals.wait().map(|(number, sender)| (number, sender == Some(supervisor_is)));
        match waited {
            Ok((libc::SIGCHLD, _)) => match reap(command) {
                Reaped::Ended(ending) => return ending,
                Reaped::Stopped => {
                    if signals_stay_inside(outside) {
                        sys::process::signal_all_others(libc::SIGSTOP);
                        all_stopped = true;
                    }
                    let _ = Message::Stopped.send(supervisor, &[]);
                }
                Reaped::Others => {}
            },
            Ok((libc::SIGCONT, true)) if all_stopped => {
                all_stopped = false;
                sys::process::signal_all_others(libc::SIGCONT);
            }
            Ok((END_NOW, true)) => {
                // At least the group, on a kernel that does not scope signals to the rest.
                pass_on(command, libc::SIGKILL);
                return Message::Signalled(libc::SIGKILL);
            }
            // Whoever signals from inside does so to the process that is meant.
            Ok((number, true)) => pass_on(command, number),
            Ok((_, false)) | Err(_) => {}
        }
    }
}

fn pass_on(command: Pid, number: i32) {
    let Some(signal) = Signal::from_named_raw(number) else { return };
    if kill_process_group(command, signal).is_err() {
        let _ = rustix::process::kill_process(command, signal);
    }
}

/// What was collected.
enum Reaped {
    Ended(Message),
    Stopped,
    Others,
}

/// Collects whatever has ended or stopped; the ending of the command is the ending of the run.
fn reap(command: Pid) -> Reaped {
    let mut reaped = Reaped::Others;
    loop {
        match wait(WaitOptions::NOHANG | WaitOptions::UNTRACED) {
            Ok(Some((pid, status))) if pid == command => match ending(status) {
                Some(ending) => return Reaped::Ended(ending),
                None => reaped = Reaped::Stopped,
            },
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) | Err(_) => return reaped,
        }
    }
}

fn ending(status: WaitStatus) -> Option<Message> {
    let exited = status.exit_status().map(Message::Exited);
    exited.or_else(|| status.terminating_signal().map(Message::Signalled))
}

/// Kills and reaps everything else in the enclosure. Whatever loses its parent becomes a child of this process, so when
/// there is no child left there is no process left.
fn end_tree(supervisor: Pid) {
    if !signals_stay_inside(supervisor) {
        return;
    }
    loop {
        sys::process::signal_all_others(libc::SIGKILL);
        match wait(WaitOptions::empty()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

/// Killing "all processes" must not reach beyond the enclosure: a process-id namespace ends it there, or Landlock's scope
/// for signals does. Whether it does is tried on the supervisor, which stands outside.
fn signals_stay_inside(supervisor: Pid) -> bool {
    sys::process::is_init() || test_kill_process(supervisor) == Err(Errno::PERM)
}
