//! The supervisor's loop: one thread, one poll, until the tree is dead.
//!
//! It stands outside the boundary, reads what the init tells, carries the terminal, watches the guarded names, passes
//! signals on and keeps the time. It opens nothing by a path that the inside can swap.

mod askers;
mod changes;
mod clock;
mod ended;
mod gate;
mod gate_process;
mod reaper;
mod signals;

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Signal, pidfd_send_signal, set_dumpable_behavior};

use crate::api::{Event, Outcome, Tier};
use crate::enter::message::{Message, Order};
use crate::enter::{Door, Entered};
use crate::run::{RawFailure, RunError};
use crate::sys::arena::Arena;
use crate::sys::late::Late;
use crate::sys::net::namespace_of;
use crate::terminal::{Outer, Relay};
use crate::watch::Watch;
use askers::Askers;
use clock::{Clock, Due};
use ended::Dying;
pub(crate) use ended::Ended;
pub(crate) use gate::Gating;
use gate::{Gate, News};
pub(crate) use signals::Handled;

/// How long a terminal that takes no output is waited for at the end.
const TERMINAL_PATIENCE: Duration = Duration::from_secs(2);

/// What the supervisor holds during a run.
struct Supervisor<'a> {
    entered: Entered,
    signals: OwnedFd,
    /// The user's terminal, until the inside's has come.
    outer: Option<Outer>,
    relay: Option<Relay>,
    watch: Option<Watch>,
    door: Option<Door>,
    /// The last hold on the enclosure's mounts; they are taken down after this process.
    mounts: Option<Late>,
    to_cover: Vec<PathBuf>,
    gate: GateState,
    /// Answers the gate, which asks whose connections are.
    askers: Option<Askers>,
    /// The namespace of the gate's sockets: it refuses what the inside asks for when the gate has died.
    outlet: Option<OwnedFd>,
    /// The init has said so.
    root_stands: bool,
    clock: Clock,
    /// The enclosure has a process-id namespace of its own.
    has_namespaces: bool,
    /// The command was let go.
    let_go: bool,
    /// Somebody has sent SIGTSTP to this process.
    asked_to_stop: bool,
    /// The init need not be waited for.
    orphans_are_collected: bool,
    /// The init has told how the command ended, and that nothing else of the tree is alive.
    told_the_end: bool,
    on_event: &'a mut dyn FnMut(&Event),
}

/// The network gate.
enum GateState {
    /// The run has none, or none any more.
    None,
    /// Its sockets have not come yet.
    Awaited(Gating),
    Running(Gate),
}

/// What is done while the init sets itself up.
pub(crate) struct Tasks<'a> {
    /// Starts watching the guarded names.
    pub(crate) start_watch: &'a mut dyn FnMut() -> Result<Option<Watch>, RunError>,
    /// Finds the host's sockets that the inside would see.
    pub(crate) sockets_to_cover: &'a mut dyn FnMut() -> Result<Vec<PathBuf>, RunError>,
}

/// An init that sets itself up.
pub(crate) struct Begun {
    pub(crate) tier: Tier,
    pub(crate) entered: Entered,
    pub(crate) handled: Handled,
    /// What it reads, of which it has its own mapping.
    pub(crate) arena: Box<Arena>,
    /// The network gate, if the run has one.
    pub(crate) gating: Option<Gating>,
}

/// Stays until the tree of the init is dead.
pub(crate) fn supervise(
    begun: Begun,
    outer: Option<Outer>,
    time: Option<Duration>,
    tasks: Tasks<'_>,
    on_event: &mut dyn FnMut(&Event),
) -> Ended {
    let Begun { tier, entered, handled, arena, gating } = begun;
    let signals = match handled.descriptor() {
        Ok(signals) => signals,
        Err(errno) => {
            entered.end();
            return RunError::Signals(errno).into();
        }
    };
    // From here on the init exists; whatever fails, it must not outlive this function.
    let mut supervisor = Supervisor {
        entered,
        signals,
        outer,
        relay: None,
        watch: None,
        door: None,
        mounts: None,
        to_cover: Vec::new(),
        gate: gating.map_or(GateState::None, GateState::Awaited),
        askers: None,
        outlet: None,
        root_stands: false,
        clock: Clock::stopped(),
        has_namespaces: tier == Tier::Namespaces,
        let_go: false,
        asked_to_stop: false,
        orphans_are_collected: false,
        told_the_end: false,
        on_event,
    };
    let ready = supervisor.get_ready(tasks).map_err(|error| supervisor.last_words(error));
    // Now, while the command begins, and not when it has ended.
    supervisor.entered.end_helper();
    drop(arena);
    let ended = ready.and_then(|()| supervisor.attend(time));
    supervisor.finish(ended)
}

impl Supervisor<'_> {
    /// What has to stand before the command may start; the init sets itself up meanwhile.
    fn get_ready(&mut self, tasks: Tasks<'_>) -> Result<(), RunError> {
        // Other programs of this user may neither trace this process nor read its memory.
        set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(RunError::Signals)?;
        if self.has_namespaces {
            self.door = Some(Door::open(self.entered.init).map_err(RunError::Lost)?);
        }
        self.watch = (tasks.start_watch)()?;
        self.to_cover = (tasks.sockets_to_cover)()?;
        self.look_again()?;
        self.orphans_are_collected = reaper::collects_orphans();
        if !self.orphans_are_collected {
            // Without it the end of the run takes longer, and nothing else.
            self.mounts = self.door.as_ref().and_then(|door| door.hold_mounts().ok());
        }
        self.proceed()
    }

    /// Why the init is gone, if it has said so; else the error by which its absence showed.
    fn last_words(&self, error: RunError) -> RunError {
        if !matches!(error, RunError::Lost(_)) {
            return error;
        }
        // So that its words come to an end.
        self.kill();
        while let Ok(Some((message, _))) = Message::receive(&self.entered.messages) {
            if let Message::Failed(failure) = message {
                return RunError::Raw(RawFailure(failure));
            }
        }
        error
    }

    /// Lets the command start when everything that has to be there before is there, or asks for what is missing.
    fn proceed(&mut self) -> Result<(), RunError> {
        let gate_is_ready = match &self.gate {
            GateState::None => true,
            GateState::Awaited(_) => false,
            GateState::Running(gate) => gate.is_ready(),
        };
        // The inside's terminal comes by itself.
        if self.outer.is_some() || !gate_is_ready {
            return Ok(());
        }
        if !self.to_cover.is_empty() && !self.root_stands {
            return self.order(Order::SayReady);
        }
        self.cover_and_go()
    }

    /// Covers what has to be covered, and lets the command start.
    fn cover_and_go(&mut self) -> Result<(), RunError> {
        for socket in std::mem::take(&mut self.to_cover) {
            let covered = self.door.as_ref().map_or(Err(Errno::BADF), |door| door.cover_socket(&socket));
            covered.map_err(|errno| RunError::CoverSocket { socket, errno })?;
        }
        self.order(Order::Go)
    }

    fn order(&mut self, order: Order) -> Result<(), RunError> {
        self.let_go |= order == Order::Go;
        match self.entered.order(order) {
            // The init has failed and is gone; its last message says why.
            Ok(()) | Err(Errno::PIPE | Errno::CONNRESET) => Ok(()),
            Err(errno) => Err(RunError::Lost(errno)),
        }
    }

    fn attend(&mut self, time: Option<Duration>) -> Result<Outcome, RunError> {
        self.clock.start(time);
        loop {
            let ready = self.wait()?;
            if ready.signals {
                self.on_signals();
            }
            if ready.watch || self.watch.as_ref().is_some_and(|watch| watch.tick().is_some()) {
                self.on_watch();
            }
            if ready.gate {
                self.on_gate()?;
            }
            if let Some(relay) = &mut self.relay {
                relay.on_ready().map_err(RunError::Terminal)?;
                if relay.outer_is_gone() {
                    self.pass_on(Signal::HUP);
                }
            }
            if ready.messages
                && let Some(outcome) = self.on_message()?
            {
                return Ok(if self.clock.has_struck() { Outcome::TimedOut } else { outcome });
            }
            // Last: nothing depends on it.
            if let Some(askers) = self.askers.as_mut().filter(|askers| ready.askers || askers.is_busy()) {
                askers.work();
            }
            match self.clock.look() {
                Some(Due::Ask) => self.pass_on(Signal::TERM),
                Some(Due::Kill) => self.kill(),
                None => {}
            }
        }
    }

    fn wait(&self) -> Result<Ready, RunError> {
        let mut fds = Vec::with_capacity(8);
        fds.push(PollFd::new(&self.entered.messages, PollFlags::IN));
        fds.push(PollFd::new(&self.signals, PollFlags::IN));
        if let Some(watch) = &self.watch {
            fds.push(PollFd::from_borrowed_fd(watch.fd(), PollFlags::IN));
        }
        let gate_at = fds.len();
        let gate = if let GateState::Running(gate) = &self.gate { gate.fd() } else { None };
        fds.extend(gate.map(|gate| PollFd::from_borrowed_fd(gate, PollFlags::IN)));
        let askers_at = fds.len();
        let askers = self.askers.as_ref().and_then(Askers::fd);
        fds.extend(askers.map(|askers| PollFd::from_borrowed_fd(askers, PollFlags::IN)));
        if let Some(relay) = &self.relay {
            relay.poll_fds(&mut fds);
        }
        let until = self.clock.left();
        let gate_tick = if let GateState::Running(gate) = &self.gate { gate.tick() } else { None };
        let busy = self.askers.as_ref().is_some_and(Askers::is_busy).then_some(Duration::ZERO);
        let (relay_tick, watch_tick) =
            (self.relay.as_ref().and_then(Relay::tick), self.watch.as_ref().and_then(Watch::tick));
        let ticks = [relay_tick, watch_tick, gate_tick, busy];
        let timeout = until
            .into_iter()
            .chain(ticks.into_iter().flatten())
            .min()
            .and_then(|timeout| Timespec::try_from(timeout).ok());
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(RunError::Signals(errno)),
        }
        let ready = |index: usize| fds.get(index).is_some_and(|fd: &PollFd<'_>| !fd.revents().is_empty());
        Ok(Ready {
            messages: ready(0),
            signals: ready(1),
            watch: self.watch.is_some() && ready(2),
            gate: gate.is_some() && (ready(gate_at) || gate_tick == Some(Duration::ZERO)),
            askers: askers.is_some() && ready(askers_at),
        })
    }

    fn on_message(&mut self) -> Result<Option<Outcome>, RunError> {
        let Some((message, mut descriptors)) = Message::receive(&self.entered.messages).map_err(RunError::Lost)? else {
            return if self.let_go || self.clock.has_struck() {
                // Somebody with the right to do so has killed the init from outside.
                Ok(Some(Outcome::Signalled { signal: libc::SIGKILL }))
            } else {
                Err(RunError::Lost(Errno::CHILD))
            };
        };
        match message {
            Message::Terminal => {
                let master = descriptors.pop().ok_or(RunError::Lost(Errno::BADF))?;
                if let Some(outer) = self.outer.take() {
                    self.relay = Some(Relay::start(outer, master).map_err(RunError::Terminal)?);
                }
                self.root_stands = true;
                self.proceed()?;
            }
            Message::Ready => {
                self.root_stands = true;
                self.proceed()?;
            }
            Message::Outlet { packets } => {
                // Where it cannot be held it goes with the gate, and with it the inside's way there.
                self.outlet = descriptors.first().and_then(|socket| namespace_of(socket.as_fd()).ok());
                if let GateState::Awaited(gating) = std::mem::replace(&mut self.gate, GateState::None) {
                    let (askers, theirs) = Askers::new().ok().unzip();
                    let gate = Gate::start(gating, descriptors, packets, theirs);
                    self.gate = GateState::Running(gate.map_err(RunError::StartGate)?);
                    self.askers = askers;
                }
            }
            Message::View => {
                if let Some(askers) = &mut self.askers {
                    askers.see(descriptors);
                }
            }
            Message::Stopped => self.stop_too()?,
            Message::Failed(failure) => return Err(RunError::Raw(RawFailure(failure))),
            Message::NotStarted(errno) => {
                self.told_the_end = true;
                return Ok(Some(Outcome::NotStarted { errno }));
            }
            Message::Exited(status) => {
                self.told_the_end = true;
                return Ok(Some(Outcome::Exited { status: u8::try_from(status & 0xff).unwrap_or(u8::MAX) }));
            }
            Message::Signalled(signal) => {
                self.told_the_end = true;
                return Ok(Some(Outcome::Signalled { signal }));
            }
        }
        Ok(None)
    }

    /// The gate has told something, or should have.
    fn on_gate(&mut self) -> Result<(), RunError> {
        let GateState::Running(gate) = &mut self.gate else { return Ok(()) };
        let on_event = &mut self.on_event;
        let was_ready = gate.is_ready();
        let news = gate.on_ready(&mut |event| on_event(&event));
        let is_late = gate.is_late();
        match news {
            Some(News::Ready) => self.proceed(),
            Some(News::Ended(why)) if was_ready => {
                self.gate = GateState::None;
                let why = why.unwrap_or_else(|| "it was killed, or has crashed".to_owned());
                (self.on_event)(&Event::NetworkLost { why });
                Ok(())
            }
            Some(News::Ended(why)) => Err(RunError::Gate { why }),
            None if is_late => Err(RunError::Gate { why: Some("it did not begin in time".to_owned()) }),
            None => Ok(()),
        }
    }

    /// The command has stopped, and all of the tree with it. Where a person can see and continue it, this process stops
    /// too, and they go on together; else it goes on watching and keeping the time, and a SIGCONT to it is passed on.
    fn stop_too(&mut self) -> Result<(), RunError> {
        let asked = std::mem::take(&mut self.asked_to_stop);
        match &mut self.relay {
            Some(relay) => relay.suspend().map_err(RunError::Terminal)?,
            None if asked => crate::sys::stop::stop_group().map_err(RunError::Signals)?,
            None => return Ok(()),
        }
        self.pass_on(Signal::CONT);
        Ok(())
    }

    fn on_signals(&mut self) {
        while let Some(number) = signals::next(&self.signals) {
            match number {
                libc::SIGWINCH => {
                    if let Some(relay) = &self.relay {
                        let _ = relay.on_resize();
                    }
                }
                libc::SIGCONT => {
                    if let Some(relay) = &mut self.relay {
                        let _ = relay.resume();
                    }
                    self.pass_on(Signal::CONT);
                }
                number => {
                    self.asked_to_stop |= number == libc::SIGTSTP;
                    if let Some(signal) = Signal::from_named_raw(number) {
                        self.pass_on(signal);
                    }
                }
            }
        }
    }

    /// To the init, which hands it to the command's process group.
    fn pass_on(&self, signal: Signal) {
        let _ = pidfd_send_signal(&self.entered.pidfd, signal);
    }

    fn on_watch(&mut self) {
        let door = self.door.as_ref();
        let mut unprotected = false;
        let on_event = &mut self.on_event;
        if let Some(watch) = &mut self.watch {
            watch.on_ready(&mut |change| {
                let Some(event) = changes::event(change, door) else { return };
                unprotected |= matches!(event, Event::ProtectionLost { .. });
                on_event(&event);
            });
        }
        if unprotected {
            self.kill();
        }
    }

    /// For names that came into being between resolving the policy and watching. What cannot be looked at now refuses the run.
    fn look_again(&mut self) -> Result<(), RunError> {
        let Some(watch) = &mut self.watch else { return Ok(()) };
        let mut blind = None;
        let on_event = &mut self.on_event;
        // Absent names only: what is protected gets its mount now.
        watch.rescan(&mut |change| match changes::event(change, None) {
            Some(Event::ProtectionLost { name }) => blind = Some(name),
            Some(event) => on_event(&event),
            None => {}
        });
        blind.map_or(Ok(()), |name| Err(RunError::Unwatchable { name }))
    }

    /// The init's death takes its whole process-id namespace along. Without one, the init ends the tree itself, once there is
    /// a tree.
    fn kill(&self) {
        let signal = if self.has_namespaces || !self.let_go { Signal::KILL } else { Signal::ALARM };
        let _ = pidfd_send_signal(&self.entered.pidfd, signal);
    }

    fn finish(mut self, ended: Result<Outcome, RunError>) -> Ended {
        if ended.is_err() {
            self.kill();
        }
        if !self.told_the_end {
            self.entered.wait();
        }
        if let GateState::Running(gate) = &self.gate {
            gate.ask_to_end();
        }
        self.door = None;
        self.askers = None;
        let on_event = self.on_event;
        if let GateState::Running(gate) = std::mem::replace(&mut self.gate, GateState::None)
            && self.let_go
        {
            gate.end(self.orphans_are_collected, &mut |event| on_event(&event));
        }
        if let Some(watch) = &mut self.watch {
            watch.final_check(&mut |change| match changes::event(change, None) {
                // The tree is dead: nothing is left to be protected from.
                Some(Event::ProtectionLost { .. }) | None => {}
                Some(event) => on_event(&event),
            });
        }
        let terminal = self.relay.take().map_or(Ok(()), |relay| relay.finish(TERMINAL_PATIENCE));
        let init = (self.told_the_end && !self.orphans_are_collected).then_some(self.entered);
        let outcome = ended.and_then(|outcome| terminal.map_err(RunError::Terminal).map(|()| outcome));
        Ended { outcome, dying: Dying::new(init, self.mounts) }
    }
}

/// What the loop has to look at.
struct Ready {
    messages: bool,
    signals: bool,
    watch: bool,
    gate: bool,
    askers: bool,
}
