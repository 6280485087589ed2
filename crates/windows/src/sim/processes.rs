//! Processes, jobs, desktops, objects of the session.

use bailiwick_winsec::token::{Group, Privilege, Privileges, Token};
use bailiwick_winsec::{AccessMask, Ace, Acl, AclField, ObjectType, Request, SecurityDescriptor, Sid, check};

use super::{Actor, Job, Process, World, build};
use crate::host::{
    Answer, Code, DesktopHandle, JobFacts, JobHandle, JobLimits, Links, ProcessHandle, ProcessId, Processes,
    SessionObject, Start, StartAs,
};

/// `PROCESS_TERMINATE` and `PROCESS_VM_READ` (Learn, "Process Security and Access Rights").
const TERMINATE: AccessMask = AccessMask(0x0001);
const VM_READ: AccessMask = AccessMask(0x0010);

/// The descriptor that a new process gets: its user, SYSTEM, and its logon for reading memory, querying and ending; and its level.
pub(super) fn process_descriptor(token: &Token) -> SecurityDescriptor {
    const BY_LOGON: AccessMask = AccessMask(0x0012_1411);
    let full = ObjectType::Process.mapping().all;
    let mut aces = vec![Ace::allow(token.user, full), Ace::allow(Sid::SYSTEM, full)];
    aces.extend(token.logon_sids().map(|group| Ace::allow(group.sid, BY_LOGON)));
    // Nobody below its level reads or changes a process.
    let label = Ace::label(token.integrity.sid(), AccessMask::NO_WRITE_UP | AccessMask::NO_READ_UP);
    let security = SecurityDescriptor::new(token.owner, token.primary_group, Acl::new(aces));
    SecurityDescriptor { sacl: AclField::Present(Acl::new(vec![label])), ..security }
}

impl World {
    pub(super) fn add_process(&mut self, name: &str, token: Token, suspended: bool) -> ProcessId {
        let id = ProcessId::try_from(self.fresh() * 4).unwrap_or_default();
        let (name, descriptor) = (name.to_owned(), process_descriptor(&token));
        let process =
            Process { name, token, descriptor, memory: Vec::new(), job: None, suspended, exit: None, hostile: false };
        self.processes.insert(id, process);
        id
    }

    pub(super) fn process_of(&self, process: ProcessId, handle: ProcessHandle) -> Result<ProcessId, Code> {
        let (holder, target) = self.process_handles.get(&handle.0).ok_or(Code::INVALID_HANDLE)?;
        if *holder == process { Ok(*target) } else { Err(Code::INVALID_HANDLE) }
    }

    /// A process ends: its handles close, and with the last handle of a job all in it.
    pub(super) fn end_process(&mut self, id: ProcessId, code: u32) {
        let mut ending = vec![id];
        while let Some(id) = ending.pop() {
            let Some(process) = self.processes.get_mut(&id).filter(|process| process.exit.is_none()) else { continue };
            process.exit = Some(code);
            process.memory.clear();
            let nodes: Vec<u64> =
                self.opened.values().filter(|open| open.process == id).map(|open| open.reached.node).collect();
            self.opened.retain(|_, open| open.process != id);
            self.told.retain(|handle, _| self.opened.contains_key(handle));
            nodes.into_iter().for_each(|node| self.forget_if_nameless(node));
            self.listeners.retain(|_, listener| *listener != id);
            self.tokens.retain(|_, (holder, _)| *holder != id);
            self.process_handles.retain(|_, (holder, _)| *holder != id);
            self.desktops.retain(|_, (holder, ..)| *holder != id);
            self.close_pipes(id);
            let jobs: Vec<u64> = self.jobs.iter().filter(|(_, job)| job.holder == id).map(|(job, _)| *job).collect();
            for job in jobs {
                ending.extend(self.drop_job(job));
            }
        }
    }

    /// The last handle of a job closes; who ends with it.
    fn drop_job(&mut self, id: u64) -> Vec<ProcessId> {
        let Some(job) = self.jobs.remove(&id) else { return Vec::new() };
        let members = self.members(id);
        if job.limits.kill_on_close { members } else { Vec::new() }
    }

    fn members(&self, job: u64) -> Vec<ProcessId> {
        let inside = self.processes.iter().filter(|(_, process)| process.job == Some(job) && process.exit.is_none());
        inside.map(|(id, _)| *id).collect()
    }

    fn own_job(&self, process: ProcessId, job: JobHandle) -> Result<&Job, Code> {
        self.jobs.get(&job.0).filter(|job| job.holder == process).ok_or(Code::INVALID_HANDLE)
    }

    fn start_process(&mut self, process: ProcessId, what: &Start) -> Result<ProcessHandle, Code> {
        let own = self.token_of(process)?.clone();
        let token = match &what.identity {
            StartAs::Own => own.clone(),
            StartAs::Restricted(handle) => self.made_token(process, handle.0)?,
            StartAs::Container { token, package, capabilities } => {
                self.made_token(process, token.0)?.in_container(*package, capabilities, false)
            }
            StartAs::Account { name, password } => self.log_on(&own, name, password)?,
        };
        self.may_execute(&token, what)?;
        let parent_job = self.processes.get(&process).and_then(|process| process.job);
        let job = match (&what.job, &what.identity) {
            (Some(job), _) => {
                let members = self.members(job.0).len() as u64;
                let limits = &self.own_job(process, *job)?.limits;
                if limits.processes.is_some_and(|most| members >= most) {
                    return Err(Code::ACCESS_DENIED);
                }
                Some(job.0)
            }
            // The secondary logon service starts it, not the caller.
            (None, StartAs::Account { .. }) => None,
            (None, _) => parent_job,
        };
        let hostile = self.processes.get(&process).is_some_and(|process| process.hostile);
        let name = what.image.name().unwrap_or("?").to_owned();
        let id = self.add_process(&name, token, true);
        if let Some(started) = self.processes.get_mut(&id) {
            (started.job, started.hostile) = (job, hostile);
        }
        let handle = self.fresh();
        self.process_handles.insert(handle, (process, id));
        Ok(ProcessHandle(handle))
    }

    fn made_token(&self, process: ProcessId, handle: u64) -> Result<Token, Code> {
        let (holder, token) = self.tokens.get(&handle).ok_or(Code::INVALID_HANDLE)?;
        if *holder == process { Ok(token.clone()) } else { Err(Code::INVALID_HANDLE) }
    }

    fn may_execute(&self, token: &Token, what: &Start) -> Result<(), Code> {
        let super::tree::End::There(reached) = self.walk(token, &what.image, Links::Follow)? else {
            return Err(Code::FILE_NOT_FOUND);
        };
        let rights = bailiwick_winsec::ntfs::Open::rights(AccessMask::FILE_EXECUTE);
        let outcome = bailiwick_winsec::ntfs::open(token, &self.view(&reached)?, rights);
        outcome.map(|_| ()).map_err(|_| Code::ACCESS_DENIED)
    }

    /// A logon by the secondary logon service: the caller's own logon SID comes along, enabled.
    fn log_on(&mut self, caller: &Token, name: &str, password: &str) -> Result<Token, Code> {
        let account = self.accounts.get(&name.to_lowercase()).filter(|account| !account.group);
        let (name, sid) = match account {
            Some(account) if account.password == password => (account.name.clone(), account.sid),
            _ => return Err(Code::LOGON_FAILURE),
        };
        let groups = [Sid::EVERYONE, Sid::USERS, Sid::INTERACTIVE, Sid::AUTHENTICATED_USERS, Sid::LOCAL];
        let mut token = Token::plain(sid, &groups);
        let member_of = self.accounts.values().filter(|group| group.members.contains(&sid));
        token.groups.extend(member_of.map(|group| Group::enabled(group.sid)));
        self.next_logon += 1;
        token.groups.push(Group::logon(Sid::logon(1, self.next_logon)));
        token
            .groups
            .extend(caller.logon_sids().filter(|group| group.sid.is_logon()).map(|group| Group::logon(group.sid)));
        token.privileges = Privileges::NONE
            .with(Privilege::ChangeNotify)
            .with_disabled(Privilege::Shutdown)
            .with_disabled(Privilege::IncreaseWorkingSet)
            .with_disabled(Privilege::TimeZone);
        let dacl = [Ace::allow(sid, AccessMask::GENERIC_ALL), Ace::allow(Sid::SYSTEM, AccessMask::GENERIC_ALL)];
        token.default_dacl = Some(Acl::new(dacl.to_vec()));
        if !self.profiles.contains_key(&sid) {
            let path = build::make_profile(self, &name, sid);
            self.profiles.insert(sid, path);
        }
        Ok(token)
    }

    /// Opens a process by number with the caller's token.
    pub(super) fn open_process(&self, process: ProcessId, target: ProcessId, rights: AccessMask) -> Result<(), Code> {
        let asking = self.processes.get(&process).ok_or(Code::PROCESS_ABORTED)?;
        let target =
            self.processes.get(&target).filter(|target| target.exit.is_none()).ok_or(Code::INVALID_PARAMETER)?;
        let verdict = check(&asking.token, &target.descriptor, Request::new(ObjectType::Process, rights));
        if verdict.is_granted() || (asking.hostile && !verdict.is_denied()) { Ok(()) } else { Err(Code::ACCESS_DENIED) }
    }
}

impl Processes for Actor {
    fn start(&mut self, what: &Start) -> Answer<ProcessHandle> {
        self.call("start", &what.image, |world, process| world.start_process(process, what))
    }

    fn resume(&mut self, handle: ProcessHandle) -> Answer<()> {
        self.call("resume", "a process", |world, process| {
            let target = world.process_of(process, handle)?;
            let target = world.processes.get_mut(&target).filter(|target| target.exit.is_none());
            target.ok_or(Code::INVALID_PARAMETER)?.suspended = false;
            Ok(())
        })
    }

    fn terminate(&mut self, handle: ProcessHandle) -> Answer<()> {
        self.call("terminate", "a process", |world, process| {
            let target = world.process_of(process, handle)?;
            world.end_process(target, 1);
            Ok(())
        })
    }

    fn exit_code(&mut self, handle: ProcessHandle) -> Answer<Option<u32>> {
        self.call("exit_code", "a process", |world, process| {
            let target = world.process_of(process, handle)?;
            Ok(world.processes.get(&target).and_then(|target| target.exit))
        })
    }

    fn process_id(&mut self, handle: ProcessHandle) -> Answer<ProcessId> {
        self.call("process_id", "a process", |world, process| world.process_of(process, handle))
    }

    fn secure_self(&mut self, security: &SecurityDescriptor) -> Answer<()> {
        self.call("secure_self", "the process", |world, process| {
            let own = world.processes.get_mut(&process).ok_or(Code::PROCESS_ABORTED)?;
            super::files::copy_dacl(&mut own.descriptor, security);
            Ok(())
        })
    }

    fn create_job(&mut self, limits: &JobLimits) -> Answer<JobHandle> {
        self.call("create_job", "a job", |world, process| {
            let id = world.fresh();
            world.jobs.insert(id, Job { holder: process, limits: limits.clone() });
            Ok(JobHandle(id))
        })
    }

    fn assign(&mut self, job: JobHandle, handle: ProcessHandle) -> Answer<()> {
        self.call("assign", "a job", |world, process| {
            world.own_job(process, job)?;
            let target = world.process_of(process, handle)?;
            world.processes.get_mut(&target).ok_or(Code::INVALID_PARAMETER)?.job = Some(job.0);
            Ok(())
        })
    }

    fn job(&mut self, job: JobHandle) -> Answer<JobFacts> {
        self.call("job", "a job", |world, process| {
            let limits = world.own_job(process, job)?.limits.clone();
            Ok(JobFacts { limits, members: world.members(job.0) })
        })
    }

    fn close_job(&mut self, job: JobHandle) -> Answer<()> {
        self.call("close_job", "a job", |world, process| {
            world.own_job(process, job)?;
            let ending = world.drop_job(job.0);
            ending.into_iter().for_each(|member| world.end_process(member, 1));
            Ok(())
        })
    }

    fn create_desktop(&mut self, name: &str, security: &SecurityDescriptor) -> Answer<DesktopHandle> {
        self.call("create_desktop", name, |world, process| {
            if world.desktops.values().any(|(_, taken, _)| taken == name) {
                return Err(Code::ALREADY_EXISTS);
            }
            let id = world.fresh();
            world.desktops.insert(id, (process, name.to_owned(), security.clone()));
            Ok(DesktopHandle(id))
        })
    }

    fn close_desktop(&mut self, desktop: DesktopHandle) -> Answer<()> {
        self.call("close_desktop", "a desktop", |world, process| {
            let own = world.desktops.get(&desktop.0).is_some_and(|(holder, ..)| *holder == process);
            world.desktops.remove(&desktop.0).filter(|_| own).map(|_| ()).ok_or(Code::INVALID_HANDLE)
        })
    }

    fn session_security(&mut self, object: SessionObject) -> Answer<SecurityDescriptor> {
        self.call("session_security", object.name(), |world, process| {
            world.ask_session(process, object, AccessMask::READ_CONTROL)?;
            world.session.get(&object).cloned().ok_or(Code::NOT_FOUND)
        })
    }

    fn set_session_security(&mut self, object: SessionObject, security: &SecurityDescriptor) -> Answer<()> {
        self.call("set_session_security", object.name(), |world, process| {
            world.ask_session(process, object, AccessMask::WRITE_DAC)?;
            let own = world.session.get_mut(&object).ok_or(Code::NOT_FOUND)?;
            super::files::copy_dacl(own, security);
            Ok(())
        })
    }

    fn end_all_of(&mut self, account: Sid) -> Answer<()> {
        self.call("end_all_of", account, |world, process| {
            world.is_elevated(process)?;
            let theirs = world.processes.iter().filter(|(_, process)| process.token.user == account);
            let theirs: Vec<ProcessId> = theirs.map(|(id, _)| *id).collect();
            theirs.into_iter().for_each(|id| world.end_process(id, 1));
            Ok(())
        })
    }

    fn read_memory(&mut self, target: ProcessId) -> Answer<Vec<u8>> {
        self.call("read_memory", target, |world, process| {
            world.open_process(process, target, VM_READ)?;
            Ok(world.processes.get(&target).map(|target| target.memory.clone()).unwrap_or_default())
        })
    }

    fn others_of_user(&mut self) -> Answer<Vec<ProcessId>> {
        self.call("others_of_user", "the system", |world, process| {
            let user = world.token_of(process)?.user;
            let alive = world.processes.iter().filter(|(_, other)| other.exit.is_none() && other.token.user == user);
            Ok(alive.map(|(id, _)| *id).filter(|id| *id != process).collect())
        })
    }

    fn kill(&mut self, target: ProcessId) -> Answer<()> {
        self.call("kill", target, |world, process| {
            world.open_process(process, target, TERMINATE)?;
            world.end_process(target, 1);
            Ok(())
        })
    }
}

impl World {
    fn ask_session(&self, process: ProcessId, object: SessionObject, rights: AccessMask) -> Result<(), Code> {
        let of = match object {
            SessionObject::WindowStation => ObjectType::WindowStation,
            SessionObject::NamedObjects => ObjectType::ObjectDirectory,
        };
        let descriptor = self.session.get(&object).ok_or(Code::NOT_FOUND)?;
        let verdict = check(self.token_of(process)?, descriptor, Request::new(of, rights));
        if verdict.is_granted() { Ok(()) } else { Err(Code::ACCESS_DENIED) }
    }
}
