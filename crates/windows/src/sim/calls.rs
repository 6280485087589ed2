//! What happens around every call: counting, injected faults, an attacker in between.

use std::collections::BTreeMap;
use std::fmt;

use super::{Actor, Sim, World};
use crate::host::{Answer, Code, HostError, ProcessId};

/// What goes wrong at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call fails; of an appending call the first half may have happened.
    Error,
    /// The calling process ends before the call does anything.
    CrashBefore,
    /// The calling process ends within the call: of what it appends the first half is written.
    CrashWithin,
    /// The calling process ends after the call did its work and before it learns of it.
    CrashAfter,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 4] = [Fault::Error, Fault::CrashBefore, Fault::CrashWithin, Fault::CrashAfter];
}

/// How often which call was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(pub BTreeMap<&'static str, u64>);

impl Counts {
    /// Of one kind.
    pub fn of(&self, call: &str) -> u64 {
        self.0.get(call).copied().unwrap_or_default()
    }

    /// Of all kinds.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(call, count)| writeln!(f, "{call} {count}"))
    }
}

/// What an attacker does just before a call.
pub(super) type Intrusion = Box<dyn FnOnce(&Sim)>;

/// The state of counting and of what is to go wrong.
#[derive(Default)]
pub(super) struct Calls {
    counts: Counts,
    /// Calls of watched processes since the fault was set.
    since: u64,
    /// Processes whose calls count towards the fault.
    watched: Vec<ProcessId>,
    fault: Option<(u64, Fault)>,
    intrusion: Option<(u64, Intrusion)>,
    /// The call at which the fault struck.
    struck: Option<&'static str>,
}

impl Sim {
    /// The calls that were made since the last [`Sim::reset_counts`].
    pub fn counts(&self) -> Counts {
        self.world.borrow().calls.counts.clone()
    }

    /// Starts counting anew.
    pub fn reset_counts(&self) {
        self.world.borrow_mut().calls.counts = Counts::default();
    }

    /// Lets the `at`-th call from now on, from 0, of these processes go wrong.
    pub fn inject(&self, processes: &[ProcessId], at: u64, fault: Fault) {
        let calls = &mut self.world.borrow_mut().calls;
        calls.watched = processes.to_vec();
        (calls.since, calls.struck) = (0, None);
        calls.fault = Some((at, fault));
    }

    /// Lets somebody act just before the `at`-th call from now on of these processes.
    pub fn intrude(&self, processes: &[ProcessId], at: u64, act: impl FnOnce(&Sim) + 'static) {
        let calls = &mut self.world.borrow_mut().calls;
        calls.watched = processes.to_vec();
        calls.since = 0;
        calls.intrusion = Some((at, Box::new(act)));
    }

    /// Nothing goes wrong any more; the call that went wrong, if one did.
    pub fn calm(&self) -> Option<&'static str> {
        let calls = &mut self.world.borrow_mut().calls;
        calls.fault = None;
        calls.intrusion = None;
        calls.struck.take()
    }

    /// Calls of the watched processes since [`Sim::inject`] or [`Sim::intrude`].
    pub fn calls_since(&self) -> u64 {
        self.world.borrow().calls.since
    }
}

impl Actor {
    /// Makes a call: counts it, lets it go wrong, does it.
    pub(super) fn call<T>(
        &mut self,
        call: &'static str,
        object: impl fmt::Display,
        work: impl FnOnce(&mut World, ProcessId) -> Result<T, Code>,
    ) -> Answer<T> {
        self.tearing(call, object, |world, process, _| work(world, process))
    }

    /// As [`Actor::call`], for work that can be done by half.
    pub(super) fn tearing<T>(
        &mut self,
        call: &'static str,
        object: impl fmt::Display,
        work: impl FnOnce(&mut World, ProcessId, bool) -> Result<T, Code>,
    ) -> Answer<T> {
        let process = self.process;
        let failed = |code| HostError::new(call, &object, code);
        let alive = |world: &World| world.processes.get(&process).is_some_and(|process| process.exit.is_none());
        if !alive(&self.world.borrow()) {
            return Err(failed(Code::PROCESS_ABORTED));
        }
        let intrusion = self.world.borrow_mut().calls.intrusion_due(process);
        if let Some(act) = intrusion {
            act(&Sim { world: std::rc::Rc::clone(&self.world) });
        }
        let world = &mut *self.world.borrow_mut();
        if !alive(world) {
            return Err(failed(Code::PROCESS_ABORTED));
        }
        let fault = world.calls.next(process, call);
        let answer = match fault {
            None | Some(Fault::CrashAfter) => work(world, process, false),
            Some(Fault::CrashBefore) => Err(Code::PROCESS_ABORTED),
            // Work that can be torn writes its half and reports the failure; all other work does not happen.
            Some(Fault::Error | Fault::CrashWithin) if matches!(call, "append" | "write") => {
                work(world, process, true).and(Err(Code::GEN_FAILURE))
            }
            Some(Fault::Error | Fault::CrashWithin) => Err(Code::GEN_FAILURE),
        };
        match fault {
            None | Some(Fault::Error) => answer.map_err(failed),
            Some(_) => {
                world.end_process(process, 1);
                Err(failed(Code::PROCESS_ABORTED))
            }
        }
    }
}

impl Calls {
    fn intrusion_due(&mut self, process: ProcessId) -> Option<Intrusion> {
        let is_due =
            self.watched.contains(&process) && self.intrusion.as_ref().is_some_and(|(at, _)| *at == self.since);
        if is_due { self.intrusion.take().map(|(_, act)| act) } else { None }
    }

    fn next(&mut self, process: ProcessId, call: &'static str) -> Option<Fault> {
        *self.counts.0.entry(call).or_default() += 1;
        if !self.watched.contains(&process) {
            return None;
        }
        let number = self.since;
        self.since += 1;
        let (_, fault) = self.fault.take_if(|(at, _)| *at == number)?;
        self.struck = Some(call);
        Some(fault)
    }
}
