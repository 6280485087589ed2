//! Processes, jobs, desktops and the objects of the session.

use bailiwick_winsec::{SecurityDescriptor, Sid};

use super::{Answer, TokenHandle};
use crate::path::WindowsPath;

/// The number of a process.
pub type ProcessId = u32;

/// A process that this one started or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessHandle(pub u64);

/// A job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobHandle(pub u64);

/// A desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DesktopHandle(pub u64);

/// As whom a process is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartAs {
    /// As this one.
    Own,
    /// With a restricted version of this process' token (`CreateProcessAsUserW`).
    Restricted(TokenHandle),
    /// As another account, by the secondary logon service (`CreateProcessWithLogonW`). The new process is in no job of the caller's.
    Account {
        /// The account.
        name: String,
        /// Its password.
        password: String,
    },
    /// In an AppContainer (`PROC_THREAD_ATTRIBUTE_SECURITY_CAPABILITIES`).
    Container {
        /// What the token is made from.
        token: TokenHandle,
        /// The package.
        package: Sid,
        /// Capabilities.
        capabilities: Vec<Sid>,
    },
}

/// A process to be started, always suspended: what is asserted is asserted before its first instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The program.
    pub image: WindowsPath,
    /// The command line.
    pub command_line: String,
    /// Where it starts.
    pub directory: WindowsPath,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
    /// The desktop, `WinSta0\…`.
    pub desktop: String,
    /// As whom.
    pub identity: StartAs,
    /// The job that it is born in (`PROC_THREAD_ATTRIBUTE_JOB_LIST`).
    pub job: Option<JobHandle>,
}

/// Limits of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobLimits {
    /// It ends with its last handle.
    pub kill_on_close: bool,
    /// Most processes.
    pub processes: Option<u64>,
    /// Most memory of each, in bytes.
    pub memory: Option<u64>,
    /// User interface limits by name.
    pub ui: Vec<String>,
}

/// A job as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFacts {
    /// Its limits.
    pub limits: JobLimits,
    /// The processes in it.
    pub members: Vec<ProcessId>,
}

/// Objects of the interactive session that have a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionObject {
    /// `WinSta0`.
    WindowStation,
    /// `\Sessions\<n>\BaseNamedObjects`.
    NamedObjects,
}

impl SessionObject {
    /// Every such object.
    pub const ALL: [SessionObject; 2] = [SessionObject::WindowStation, SessionObject::NamedObjects];

    /// The name that plans use.
    pub const fn name(self) -> &'static str {
        match self {
            SessionObject::WindowStation => "WinSta0",
            SessionObject::NamedObjects => r"\Sessions\<n>\BaseNamedObjects",
        }
    }

    /// The object with this name.
    pub fn from_name(name: &str) -> Option<SessionObject> {
        SessionObject::ALL.into_iter().find(|object| object.name() == name)
    }
}

/// What runs.
pub trait Processes {
    /// Starts a process, suspended. It inherits standard input, output and error and no other handle.
    ///
    /// # Errors
    ///
    /// Access to the program, logon, privileges.
    fn start(&mut self, what: &Start) -> Answer<ProcessHandle>;
    /// Lets a suspended process run.
    ///
    /// # Errors
    ///
    /// Access, or it is gone.
    fn resume(&mut self, process: ProcessHandle) -> Answer<()>;
    /// Ends a process.
    ///
    /// # Errors
    ///
    /// Access.
    fn terminate(&mut self, process: ProcessHandle) -> Answer<()>;
    /// The exit code, once it has ended.
    ///
    /// # Errors
    ///
    /// Access.
    fn exit_code(&mut self, process: ProcessHandle) -> Answer<Option<u32>>;
    /// The number of a process.
    ///
    /// # Errors
    ///
    /// The handle is not open.
    fn process_id(&mut self, process: ProcessHandle) -> Answer<ProcessId>;
    /// Gives this process' own object another descriptor: bailiwick's processes let nobody of the inside open them.
    ///
    /// # Errors
    ///
    /// Access.
    fn secure_self(&mut self, security: &SecurityDescriptor) -> Answer<()>;
    /// Makes a job. The handle is not inherited, so the job ends with the process that made it.
    ///
    /// # Errors
    ///
    /// None in practice.
    fn create_job(&mut self, limits: &JobLimits) -> Answer<JobHandle>;
    /// Puts a process into a job.
    ///
    /// # Errors
    ///
    /// Access, or it is in a job that does not nest.
    fn assign(&mut self, job: JobHandle, process: ProcessHandle) -> Answer<()>;
    /// The job as it is.
    ///
    /// # Errors
    ///
    /// The handle is not open.
    fn job(&mut self, job: JobHandle) -> Answer<JobFacts>;
    /// Closes a job; one that ends with its last handle takes its processes along.
    ///
    /// # Errors
    ///
    /// The handle is not open.
    fn close_job(&mut self, job: JobHandle) -> Answer<()>;
    /// Makes a desktop on `WinSta0`, which lives as long as a handle or a process is on it.
    ///
    /// # Errors
    ///
    /// The name is taken.
    fn create_desktop(&mut self, name: &str, security: &SecurityDescriptor) -> Answer<DesktopHandle>;
    /// Closes a desktop; without a handle or a process on it, it is gone.
    ///
    /// # Errors
    ///
    /// The handle is not open.
    fn close_desktop(&mut self, desktop: DesktopHandle) -> Answer<()>;
    /// The descriptor of an object of the session.
    ///
    /// # Errors
    ///
    /// Access.
    fn session_security(&mut self, object: SessionObject) -> Answer<SecurityDescriptor>;
    /// Changes the DACL of an object of the session. It lasts until the user logs off.
    ///
    /// # Errors
    ///
    /// Access.
    fn set_session_security(&mut self, object: SessionObject, security: &SecurityDescriptor) -> Answer<()>;
    /// Ends every process of an account; an administrator's call.
    ///
    /// # Errors
    ///
    /// Not elevated.
    fn end_all_of(&mut self, account: Sid) -> Answer<()>;
    /// Opens a process by its number for reading its memory; what an attacker does, and `verify`.
    ///
    /// # Errors
    ///
    /// Access.
    fn read_memory(&mut self, process: ProcessId) -> Answer<Vec<u8>>;
    /// The other processes that run as this process' user.
    ///
    /// # Errors
    ///
    /// None in practice.
    fn others_of_user(&mut self) -> Answer<Vec<ProcessId>>;
    /// Opens a process by its number and ends it.
    ///
    /// # Errors
    ///
    /// Access.
    fn kill(&mut self, process: ProcessId) -> Answer<()>;
}
