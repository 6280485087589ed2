//! What a hostile process tries and bailiwick never does: calls of a process of the simulation beside those of [`Host`](crate::host::Host),
//! and what everything that is no file looks like afterwards.
//!
//! Each call is judged by the descriptor of its object with the token of the process that calls, and has an effect that
//! [`Sim::objects`] shows. What a test compares is what became of the host, not which right was granted.

use std::collections::BTreeMap;

use bailiwick_winsec::token::Token;
use bailiwick_winsec::{AccessMask, ObjectType, Request, SecurityDescriptor};

use super::others::{COM_CALL, COM_LAUNCH, Favour, machine_limit};
use super::tree::End;
use super::{Actor, Sim, World, build};
use crate::host::{Answer, Code, Key, Links, ProcessId, Value};

/// `KEY_QUERY_VALUE`.
const QUERY_VALUE: AccessMask = AccessMask(1);
/// `KEY_SET_VALUE`.
const SET_VALUE: AccessMask = AccessMask(2);

/// How a process takes hold of another one: rights each of which is enough (Learn, "Process Security and Access Rights").
pub const CONTROL: [AccessMask; 6] = [
    // PROCESS_CREATE_THREAD, PROCESS_VM_WRITE, PROCESS_DUP_HANDLE, PROCESS_CREATE_PROCESS, PROCESS_SET_INFORMATION,
    // PROCESS_SUSPEND_RESUME.
    AccessMask(0x0002),
    AccessMask(0x0020),
    AccessMask(0x0040),
    AccessMask(0x0080),
    AccessMask(0x0200),
    AccessMask(0x0800),
];

/// What can be done to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceAct {
    /// `SERVICE_START`.
    Start,
    /// `SERVICE_STOP`.
    Stop,
    /// `SERVICE_CHANGE_CONFIG`: another program.
    Configure,
    /// `WRITE_DAC`.
    Open,
}

impl World {
    fn may(&self, process: ProcessId, of: ObjectType, on: &SecurityDescriptor, rights: AccessMask) -> Result<(), Code> {
        self.ask(process, on, Request::new(of, rights))
    }

    fn in_com(&self, process: ProcessId, on: &SecurityDescriptor, rights: AccessMask) -> Result<(), Code> {
        // A type without write-type rights of its own: see `others`.
        self.may(process, ObjectType::AlpcPort, on, rights)
    }

    fn start_outside(&mut self, by: &str, token: Token) -> ProcessId {
        self.add_process(&format!("started by {by}"), token, false)
    }

    fn use_server(&mut self, process: ProcessId, name: &str) -> Result<ProcessId, Code> {
        let server = self.others.servers.get(name).ok_or(Code::NOT_FOUND)?;
        self.in_com(process, &machine_limit(), COM_LAUNCH)?;
        self.in_com(process, &server.launch, COM_LAUNCH)?;
        let favour = server.favour;
        if favour != Favour::IsStartedAsUser {
            self.in_com(process, &server.access, COM_CALL)?;
        }
        let caller = self.token_of(process)?.clone();
        let token = match favour {
            Favour::StartsAsUser | Favour::IsStartedAsUser => build::user_token(&self.facts),
            Favour::StartsAsCaller => caller,
            Favour::StartsAsCallerWhoMayAdd => {
                let tasks = self.facts.folders.windows.join(r"System32\Tasks").map_err(|_| Code::INVALID_NAME)?;
                let End::There(reached) = self.walk(&caller, &tasks, Links::Never)? else {
                    return Err(Code::PATH_NOT_FOUND);
                };
                let folder = self.node(reached.node)?.descriptor.clone();
                self.may(process, ObjectType::Directory, &folder, AccessMask::FILE_ADD_FILE)?;
                caller
            }
        };
        Ok(self.start_outside(name, token))
    }

    fn has_ui_limit(&self, process: ProcessId, limit: &str) -> bool {
        let job = self.processes.get(&process).and_then(|process| process.job);
        let job = job.and_then(|job| self.jobs.get(&job));
        job.is_some_and(|job| job.limits.ui.iter().any(|has| has == limit))
    }
}

impl Actor {
    /// Reads the values of a key, wherever its hive hangs.
    ///
    /// # Errors
    ///
    /// Access.
    pub fn spy_key(&mut self, key: &Key) -> Answer<Vec<Value>> {
        self.call("spy_key", &key.path, |world, process| {
            let found = world.keys.get(key).ok_or(Code::FILE_NOT_FOUND)?;
            world.may(process, ObjectType::Key, &found.descriptor, QUERY_VALUE)?;
            Ok(found.values.values().cloned().collect())
        })
    }

    /// Sets a value of a key, wherever its hive hangs, or opens the key's list for everybody.
    ///
    /// # Errors
    ///
    /// Access.
    pub fn spoil_key(&mut self, key: &Key, list: bool) -> Answer<()> {
        self.call("spoil_key", &key.path, |world, process| {
            let found = world.keys.get(key).ok_or(Code::FILE_NOT_FOUND)?;
            let right = if list { AccessMask::WRITE_DAC } else { SET_VALUE };
            world.may(process, ObjectType::Key, &found.descriptor, right)?;
            let found = world.keys.get_mut(key).ok_or(Code::FILE_NOT_FOUND)?;
            if list {
                super::files::copy_dacl(&mut found.descriptor, &build::descriptor("D:(A;;KA;;;WD)"));
            } else {
                found.values.insert("Attacker".to_owned(), Value::Number(1));
            }
            Ok(())
        })
    }

    /// Opens a pipe with these rights, one of which may be that of making one more instance of it. Messages are not consumed.
    ///
    /// # Errors
    ///
    /// Access, no such pipe.
    pub fn open_pipe(&mut self, name: &str, rights: AccessMask) -> Answer<()> {
        self.call("open_pipe", name, |world, process| {
            let name = name.to_lowercase();
            let state = world.pipes.get(&name).ok_or(Code::FILE_NOT_FOUND)?;
            world.may(process, ObjectType::Pipe, &state.descriptor, rights)?;
            // One instance, which somebody is connected to: bailiwick's own pipes.
            if state.client.is_some() {
                return Err(Code::PIPE_BUSY);
            }
            let server = state.server;
            if rights.intersects(AccessMask::FILE_WRITE_DATA | AccessMask::FILE_APPEND_DATA)
                && let Some(end) = world.pipe_ends.get_mut(&server)
            {
                end.waiting.push(b"attacker".to_vec());
            }
            Ok(())
        })
    }

    /// Takes hold of another process by one of the rights of [`CONTROL`].
    ///
    /// # Errors
    ///
    /// Access.
    pub fn control(&mut self, target: ProcessId, right: AccessMask) -> Answer<()> {
        self.call("control", target, |world, process| {
            world.open_process(process, target, right)?;
            world.processes.get_mut(&target).ok_or(Code::INVALID_PARAMETER)?.memory = b"attacker".to_vec();
            Ok(())
        })
    }

    /// The numbers and names of all processes (`NtQuerySystemInformation`). No descriptor is asked; of an AppContainer no document says
    /// whether it is answered, so a hostile one is.
    ///
    /// # Errors
    ///
    /// None.
    pub fn list_processes(&mut self) -> Answer<Vec<(ProcessId, String)>> {
        self.call("list_processes", "the system", |world, _| {
            let alive = world.processes.iter().filter(|(_, process)| process.exit.is_none());
            Ok(alive.map(|(id, process)| (*id, process.name.clone())).collect())
        })
    }

    /// The names of all pipes; as [`Actor::list_processes`].
    ///
    /// # Errors
    ///
    /// None.
    pub fn list_pipes(&mut self) -> Answer<Vec<String>> {
        self.call("list_pipes", "the system", |world, _| Ok(world.pipes.keys().cloned().collect()))
    }

    /// Has a COM server do what it does; the process that it starts or becomes.
    ///
    /// # Errors
    ///
    /// Launching or calling it is refused.
    pub fn use_server(&mut self, name: &str) -> Answer<ProcessId> {
        self.call("use_server", name, |world, process| world.use_server(process, name))
    }

    /// Does something to a service.
    ///
    /// # Errors
    ///
    /// Access.
    pub fn to_service(&mut self, name: &str, act: ServiceAct) -> Answer<()> {
        self.call("to_service", name, |world, process| {
            // SC_MANAGER_CONNECT.
            world.may(process, ObjectType::ServiceManager, &world.others.manager, AccessMask(0x1))?;
            let descriptor = world.others.services.get(name).ok_or(Code::NOT_FOUND)?.descriptor.clone();
            let right = match act {
                ServiceAct::Start => AccessMask(0x10),
                ServiceAct::Stop => AccessMask(0x20),
                ServiceAct::Configure => AccessMask(0x2),
                ServiceAct::Open => AccessMask::WRITE_DAC,
            };
            world.may(process, ObjectType::Service, &descriptor, right)?;
            let service = world.others.services.get_mut(name).ok_or(Code::NOT_FOUND)?;
            match act {
                ServiceAct::Start => service.running = true,
                ServiceAct::Stop => service.running = false,
                ServiceAct::Configure => service.image = "attacker".to_owned(),
                ServiceAct::Open => service.descriptor = build::descriptor("D:(A;;GA;;;WD)"),
            }
            Ok(())
        })
    }

    /// Registers a new service.
    ///
    /// # Errors
    ///
    /// Access.
    pub fn make_service(&mut self) -> Answer<()> {
        self.call("make_service", "the service control manager", |world, process| {
            // SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE.
            world.may(process, ObjectType::ServiceManager, &world.others.manager, AccessMask(0x3))?;
            let (descriptor, image) = (build::descriptor("D:(A;;GA;;;WD)"), "attacker".to_owned());
            let service = super::others::Service { descriptor, running: true, image };
            world.others.services.insert("Attacker", service);
            Ok(())
        })
    }

    /// Opens the user's desktop: to look at it, or to make windows, hooks and input on it.
    ///
    /// # Errors
    ///
    /// Access to the window station or the desktop.
    pub fn use_desktop(&mut self, look: bool) -> Answer<()> {
        self.call("use_desktop", r"WinSta0\Default", |world, process| {
            let station = world.session.get(&crate::host::SessionObject::WindowStation).ok_or(Code::NOT_FOUND)?;
            // WINSTA_ENUMDESKTOPS | WINSTA_READATTRIBUTES.
            world.may(process, ObjectType::WindowStation, station, AccessMask(0x3))?;
            // DESKTOP_READOBJECTS; DESKTOP_CREATEWINDOW | DESKTOP_HOOKCONTROL | DESKTOP_WRITEOBJECTS.
            let (right, what) = if look { (AccessMask(0x1), "seen") } else { (AccessMask(0x8a), "hooked") };
            world.may(process, ObjectType::Desktop, &world.others.desktop, right)?;
            world.others.desktop_touched.push(what);
            Ok(())
        })
    }

    /// Reads the clipboard, or puts something into it. It belongs to the window station, so a private desktop does not keep it.
    ///
    /// # Errors
    ///
    /// Access to the window station, a limit of the job.
    pub fn use_clipboard(&mut self, write: bool) -> Answer<String> {
        self.call("use_clipboard", "the clipboard", |world, process| {
            let station = world.session.get(&crate::host::SessionObject::WindowStation).ok_or(Code::NOT_FOUND)?;
            // WINSTA_ACCESSCLIPBOARD.
            world.may(process, ObjectType::WindowStation, station, AccessMask(0x4))?;
            if world.has_ui_limit(process, if write { "write-clipboard" } else { "read-clipboard" }) {
                return Err(Code::ACCESS_DENIED);
            }
            if write {
                world.others.clipboard = "attacker".to_owned();
            }
            Ok(world.others.clipboard.clone())
        })
    }
}

impl Sim {
    /// Everything that is no file, by kind and name: keys, processes, pipes, services, the desktop, the clipboard.
    pub fn objects(&self) -> BTreeMap<(&'static str, String), String> {
        let world = self.world.borrow();
        let mut objects = BTreeMap::new();
        for (key, state) in &world.keys {
            let bytes = state.descriptor.to_bytes().unwrap_or_default();
            objects.insert(("key", key.path.clone()), format!("{:?} {bytes:?}", state.values));
        }
        for (id, process) in world.processes.iter().filter(|(_, process)| process.exit.is_none()) {
            let is_inside = process.job.is_some();
            let state = format!("inside {is_inside} {:?}", String::from_utf8_lossy(&process.memory));
            objects.insert(("process", format!("{id} {}", process.name)), state);
        }
        for (name, pipe) in &world.pipes {
            let waiting = world.pipe_ends.get(&pipe.server).map(|end| end.waiting.clone()).unwrap_or_default();
            objects.insert(("pipe", name.clone()), format!("{waiting:?}"));
        }
        for (name, service) in &world.others.services {
            let bytes = service.descriptor.to_bytes().unwrap_or_default();
            let state = format!("{} {} {bytes:?}", service.running, service.image);
            objects.insert(("service", (*name).to_owned()), state);
        }
        objects.insert(("desktop", "Default".to_owned()), format!("{:?}", world.others.desktop_touched));
        objects.insert(("clipboard", String::new()), world.others.clipboard.clone());
        objects
    }

    /// The keys of the registry, wherever their hives hang.
    pub fn keys(&self) -> Vec<Key> {
        self.world.borrow().keys.keys().cloned().collect()
    }

    /// The named pipes.
    pub fn pipes(&self) -> Vec<String> {
        self.world.borrow().pipes.keys().cloned().collect()
    }

    /// Gives a process another token, as no call could: a launch that did not do what it was told.
    #[cfg(test)]
    pub(crate) fn replace_token(&self, process: ProcessId, token: Token) {
        if let Some(process) = self.world.borrow_mut().processes.get_mut(&process) {
            process.token = token;
        }
    }

    /// The COM servers by name.
    pub fn servers(&self) -> Vec<&'static str> {
        self.world.borrow().others.servers.keys().copied().collect()
    }

    /// The services by name.
    pub fn services(&self) -> Vec<&'static str> {
        self.world.borrow().others.services.keys().copied().collect()
    }
}
