//! Everything that the Windows tiers ask of Windows, as one trait of small typed calls.
//!
//! ```text
//! run (set-up, launch, repair, removal, recovery) ──► Host ──┬── sim     a simulated Windows, on every platform
//!                                                            └── win32   the real one, in a later version
//! ```
//!
//! A [`Host`] is Windows as seen by *one process*: every call is made with that process' token, and what it opens is closed when it
//! ends. The elevated half of set-up, the user's half and the runner in bailiwick's account are three processes, hence three hosts.
//!
//! Calls fail with a [`HostError`]: the call, the object, and the Win32 code with its name. No call follows a link unless it is told
//! to, and no call does more than one thing, so that a journal can be written between any two.

mod files;
mod network;
mod objects;
mod principals;
mod processes;

use std::ffi::OsStr;
use std::fmt;

use bailiwick_policy::text::escape;

pub use files::{Entry, FileFacts, FileHandle, FileId, Files, Kind, Links, OpenFile, Place, Security, Told, Want};
pub use network::{Endpoint, Installed, Network};
pub use objects::{Hive, Key, Objects, Pipe, PipeHandle, Value};
pub use principals::{AccountFacts, LogonRight, Principals, TokenHandle};
pub use processes::{
    DesktopHandle, JobFacts, JobHandle, JobLimits, ProcessHandle, ProcessId, Processes, SessionObject, Start, StartAs,
};

/// Windows, as one process sees it.
pub trait Host: Files + Principals + Processes + Network + Objects {}

impl<T: Files + Principals + Processes + Network + Objects> Host for T {}

/// The answer of a call.
pub type Answer<T> = Result<T, HostError>;

/// A Win32 error code (Microsoft Learn, "System Error Codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code(pub u32);

impl Code {
    /// `ERROR_FILE_NOT_FOUND`.
    pub const FILE_NOT_FOUND: Code = Code(2);
    /// `ERROR_PATH_NOT_FOUND`.
    pub const PATH_NOT_FOUND: Code = Code(3);
    /// `ERROR_ACCESS_DENIED`.
    pub const ACCESS_DENIED: Code = Code(5);
    /// `ERROR_INVALID_HANDLE`.
    pub const INVALID_HANDLE: Code = Code(6);
    /// `ERROR_NOT_SAME_DEVICE`.
    pub const NOT_SAME_DEVICE: Code = Code(17);
    /// `ERROR_SHARING_VIOLATION`.
    pub const SHARING_VIOLATION: Code = Code(32);
    /// `ERROR_NOT_SUPPORTED`.
    pub const NOT_SUPPORTED: Code = Code(50);
    /// `ERROR_INVALID_PARAMETER`.
    pub const INVALID_PARAMETER: Code = Code(87);
    /// `ERROR_INVALID_NAME`.
    pub const INVALID_NAME: Code = Code(123);
    /// `ERROR_DIR_NOT_EMPTY`.
    pub const DIRECTORY_NOT_EMPTY: Code = Code(145);
    /// `ERROR_ALREADY_EXISTS`.
    pub const ALREADY_EXISTS: Code = Code(183);
    /// `ERROR_PIPE_BUSY`, also for a pipe name of which the first instance exists.
    pub const PIPE_BUSY: Code = Code(231);
    /// `ERROR_NO_DATA`.
    pub const NO_DATA: Code = Code(232);
    /// `ERROR_DIRECTORY`: a directory where a file is meant, or the reverse.
    pub const DIRECTORY: Code = Code(267);
    /// `ERROR_GEN_FAILURE`: what an injected fault answers.
    pub const GEN_FAILURE: Code = Code(31);
    /// `ERROR_PROCESS_ABORTED`: the simulated caller has ended; no call of it has an effect any more.
    pub const PROCESS_ABORTED: Code = Code(1067);
    /// `ERROR_NOT_FOUND`.
    pub const NOT_FOUND: Code = Code(1168);
    /// `ERROR_PRIVILEGE_NOT_HELD`.
    pub const PRIVILEGE_NOT_HELD: Code = Code(1314);
    /// `ERROR_LOGON_FAILURE`.
    pub const LOGON_FAILURE: Code = Code(1326);
    /// `ERROR_LOGON_TYPE_NOT_GRANTED`.
    pub const LOGON_TYPE_NOT_GRANTED: Code = Code(1385);
    /// `ERROR_CANT_ACCESS_FILE`, among others for a link where none may be.
    pub const REPARSE_POINT_ENCOUNTERED: Code = Code(4395);
    /// `WSAEACCES`: what a blocked connection answers.
    pub const SOCKET_ACCESS: Code = Code(10013);
    /// `WSAEADDRINUSE`.
    pub const ADDRESS_IN_USE: Code = Code(10048);
    /// `WSAECONNREFUSED`: nobody listens.
    pub const CONNECTION_REFUSED: Code = Code(10061);

    /// `WSAHOST_NOT_FOUND`: the question went out, and there is no such name.
    pub const HOST_NOT_FOUND: Code = Code(11001);

    /// The name in `winerror.h`, where it is known here.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Code::FILE_NOT_FOUND => "ERROR_FILE_NOT_FOUND",
            Code::PATH_NOT_FOUND => "ERROR_PATH_NOT_FOUND",
            Code::ACCESS_DENIED => "ERROR_ACCESS_DENIED",
            Code::INVALID_HANDLE => "ERROR_INVALID_HANDLE",
            Code::NOT_SAME_DEVICE => "ERROR_NOT_SAME_DEVICE",
            Code::SHARING_VIOLATION => "ERROR_SHARING_VIOLATION",
            Code::NOT_SUPPORTED => "ERROR_NOT_SUPPORTED",
            Code::INVALID_PARAMETER => "ERROR_INVALID_PARAMETER",
            Code::INVALID_NAME => "ERROR_INVALID_NAME",
            Code::DIRECTORY_NOT_EMPTY => "ERROR_DIR_NOT_EMPTY",
            Code::ALREADY_EXISTS => "ERROR_ALREADY_EXISTS",
            Code::PIPE_BUSY => "ERROR_PIPE_BUSY",
            Code::NO_DATA => "ERROR_NO_DATA",
            Code::DIRECTORY => "ERROR_DIRECTORY",
            Code::GEN_FAILURE => "ERROR_GEN_FAILURE",
            Code::PROCESS_ABORTED => "ERROR_PROCESS_ABORTED",
            Code::NOT_FOUND => "ERROR_NOT_FOUND",
            Code::PRIVILEGE_NOT_HELD => "ERROR_PRIVILEGE_NOT_HELD",
            Code::LOGON_FAILURE => "ERROR_LOGON_FAILURE",
            Code::LOGON_TYPE_NOT_GRANTED => "ERROR_LOGON_TYPE_NOT_GRANTED",
            Code::REPARSE_POINT_ENCOUNTERED => "ERROR_REPARSE_POINT_ENCOUNTERED",
            Code::SOCKET_ACCESS => "WSAEACCES",
            Code::ADDRESS_IN_USE => "WSAEADDRINUSE",
            Code::CONNECTION_REFUSED => "WSAECONNREFUSED",
            Code::HOST_NOT_FOUND => "WSAHOST_NOT_FOUND",
            _ => return None,
        })
    }

    /// Whether the code says that the object is not there.
    pub const fn is_absent(self) -> bool {
        matches!(self, Code::FILE_NOT_FOUND | Code::PATH_NOT_FOUND | Code::NOT_FOUND)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "error {} ({name})", self.0),
            None => write!(f, "error {}", self.0),
        }
    }
}

/// A call that Windows did not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostError {
    /// The call.
    pub call: &'static str,
    /// What it was made on, as text; escaped when it is shown.
    pub object: String,
    /// The answer.
    pub code: Code,
}

impl HostError {
    /// A failed call.
    pub fn new(call: &'static str, object: impl fmt::Display, code: Code) -> HostError {
        HostError { call, object: object.to_string(), code }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on `{}`: Windows answers {}", self.call, escape(OsStr::new(&self.object)), self.code)
    }
}

impl std::error::Error for HostError {}

/// Takes a missing object as `None`.
pub fn if_there<T>(answer: Answer<T>) -> Answer<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.code.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}
