//! A simulated Windows, on which the code of [`run`](crate::run) is proven.
//!
//! The simulation is as faithful as a boundary needs to be tested: every access to a file, key, process or pipe goes through the
//! access check of `winsec` with the token of the process that asks, and files through the rules of NTFS besides. The world is made
//! from [`Facts`], so what is planned and what is there agree, and peopled with what an attacker wants: secrets of the user,
//! other users' files, places that everyone may write, services, a running agent with keys in its memory.
//!
//! A test can make any call fail, or end the calling process before, within or after it ([`Fault`]); can let an attacker act just
//! before any call; counts the calls by kind; and compares [snapshots](Sim::snapshot) of the whole host byte for byte.
//!
//! # What is not simulated
//!
//! Times of files, quotas, opportunistic locks, 8.3 names, case-sensitive directories, memory-mapped files, the object manager beyond
//! session objects, RPC; of COM nothing but who may launch and call a server, and what it then starts. Where Windows is stricter than any document says (a directory with open files below is
//! not renamed), the simulation is not: the boundary must hold without. What the model does not know is granted to a hostile
//! process and refused to bailiwick's own.

mod build;
mod calls;
mod files;
mod hostile;
mod network;
mod objects;
mod others;
mod principals;
mod processes;
mod snapshot;
#[cfg(test)]
mod tests;
mod tree;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bailiwick_winsec::token::Token;
use bailiwick_winsec::{SecurityDescriptor, Sid};

use crate::facts::Facts;
use crate::host::{Endpoint, Installed, Key, LogonRight, ProcessId, SessionObject, Value};
use crate::path::WindowsPath;

pub use calls::{Counts, Fault};
pub use hostile::{CONTROL, ServiceAct};
pub use snapshot::FileState;
use tree::{Node, Opened};

/// The simulated host.
#[derive(Clone)]
pub struct Sim {
    world: Rc<RefCell<World>>,
}

/// The host as one process of it sees it: an implementation of [`Host`](crate::host::Host).
#[derive(Clone)]
pub struct Actor {
    world: Rc<RefCell<World>>,
    process: ProcessId,
}

/// Everything that there is.
struct World {
    facts: Facts,
    nodes: BTreeMap<u64, Node>,
    /// The root directory of each drive.
    roots: BTreeMap<char, u64>,
    opened: BTreeMap<u64, Opened>,
    /// What is to be told to the handles of watched directories.
    told: BTreeMap<u64, tree::Telling>,
    accounts: BTreeMap<String, Account>,
    rights: BTreeMap<(Sid, LogonRight), ()>,
    profiles: BTreeMap<Sid, WindowsPath>,
    containers: BTreeMap<String, Sid>,
    keys: BTreeMap<Key, RegistryKey>,
    filters: BTreeMap<u128, Installed>,
    listeners: BTreeMap<Endpoint, ProcessId>,
    /// Whether the DNS service takes questions from AppContainers without network capability. No document says.
    names_for_packages: bool,
    processes: BTreeMap<ProcessId, Process>,
    tokens: BTreeMap<u64, (ProcessId, Token)>,
    process_handles: BTreeMap<u64, (ProcessId, ProcessId)>,
    jobs: BTreeMap<u64, Job>,
    desktops: BTreeMap<u64, (ProcessId, String, SecurityDescriptor)>,
    session: BTreeMap<SessionObject, SecurityDescriptor>,
    pipes: BTreeMap<String, PipeState>,
    pipe_ends: BTreeMap<u64, PipeEnd>,
    next: u64,
    next_relative_id: u32,
    next_logon: u32,
    chance: u64,
    others: others::Others,
    calls: calls::Calls,
}

/// A local account or group.
struct Account {
    name: String,
    sid: Sid,
    group: bool,
    comment: String,
    password: String,
    members: Vec<Sid>,
}

/// A key of the registry.
struct RegistryKey {
    descriptor: SecurityDescriptor,
    values: BTreeMap<String, Value>,
}

/// A process.
struct Process {
    name: String,
    token: Token,
    descriptor: SecurityDescriptor,
    memory: Vec<u8>,
    job: Option<u64>,
    suspended: bool,
    exit: Option<u32>,
    /// The inside: what the model does not know is decided in its favour.
    hostile: bool,
}

/// A job and who holds the one handle on it.
struct Job {
    holder: ProcessId,
    limits: crate::host::JobLimits,
}

/// A named pipe.
struct PipeState {
    descriptor: SecurityDescriptor,
    server: u64,
    client: Option<u64>,
}

/// One end of a pipe, with what was sent to it.
struct PipeEnd {
    process: ProcessId,
    pipe: String,
    waiting: Vec<Vec<u8>>,
}

impl Sim {
    /// The host that these facts describe, with everything in it that the module's introduction names.
    pub fn of(facts: &Facts) -> Sim {
        Sim { world: Rc::new(RefCell::new(build::world(facts))) }
    }

    /// The host as a process sees it.
    pub fn actor(&self, process: ProcessId) -> Actor {
        Actor { world: Rc::clone(&self.world), process }
    }

    /// A new process of the user's, in an ordinary shell: bailiwick.
    pub fn shell(&self) -> Actor {
        let mut world = self.world.borrow_mut();
        let token = build::user_token(&world.facts);
        let process = world.add_process("bailiwick", token, false);
        drop(world);
        self.actor(process)
    }

    /// A new process with full rights, as after the user's consent.
    pub fn elevated(&self) -> Actor {
        let mut world = self.world.borrow_mut();
        let token = build::elevated_token(&world.facts);
        let process = world.add_process("bailiwick setup", token, false);
        drop(world);
        self.actor(process)
    }

    /// From now on a process is the attacker's: what the model does not know is decided in its favour.
    pub fn turn_hostile(&self, process: ProcessId) {
        if let Some(process) = self.world.borrow_mut().processes.get_mut(&process) {
            process.hostile = true;
        }
    }

    /// From now on the DNS service takes questions from AppContainers, whatever their capabilities.
    pub fn answer_names_to_packages(&self) {
        self.world.borrow_mut().names_for_packages = true;
    }

    /// Ends a process from outside, as a power cut for that process alone.
    pub fn end(&self, process: ProcessId) {
        self.world.borrow_mut().end_process(process, 1);
    }

    /// The running processes by number and name.
    pub fn running(&self) -> Vec<(ProcessId, String)> {
        let world = self.world.borrow();
        let alive = world.processes.iter().filter(|(_, process)| process.exit.is_none());
        alive.map(|(id, process)| (*id, process.name.clone())).collect()
    }

    /// The token of a process.
    pub fn token(&self, process: ProcessId) -> Option<Token> {
        self.world.borrow().processes.get(&process).map(|process| process.token.clone())
    }
}

impl Actor {
    /// The number of the process.
    pub fn process(&self) -> ProcessId {
        self.process
    }

    /// The whole host.
    pub fn sim(&self) -> Sim {
        Sim { world: Rc::clone(&self.world) }
    }

    /// Whether the process still runs. After a simulated crash it does not.
    pub fn is_alive(&self) -> bool {
        self.world.borrow().processes.get(&self.process).is_some_and(|process| process.exit.is_none())
    }
}
