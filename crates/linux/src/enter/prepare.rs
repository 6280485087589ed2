//! Everything that the child needs, computed before `clone`.

use std::ffi::{CString, NulError, OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;

use bailiwick_policy::boundary::{Boundary, RunLimits};
use rustix::process::{Pid, Resource, Rlimit, getpid, getrlimit};

use super::script::{self, Operation};
use crate::api::{Command, Tier};
use crate::landlock::Lock;
use crate::plan::Plan;
use crate::sys;
use crate::sys::exec::Strings;
use crate::terminal::Source;

/// Everything that the child needs.
pub(crate) struct Launch<'a> {
    /// `CLONE_NEW*`; 0 in the `landlock` tier.
    pub(super) namespaces: u64,
    /// The process that prepares the launch, which is the init's parent and runs as the same user.
    pub(super) supervisor: Pid,
    pub(super) uid_map: Vec<u8>,
    pub(super) gid_map: Vec<u8>,
    pub(super) user_zero: bool,
    pub(super) nested_namespaces: bool,
    pub(super) operations: Vec<Operation>,
    /// Whether the inside has a pseudo-terminal that the supervisor relays.
    pub(super) terminal: bool,
    pub(super) limits: Vec<(Resource, Rlimit)>,
    pub(super) lock: Option<&'a Lock>,
    pub(super) filter: &'static [libc::sock_filter],
    pub(super) standard: [Source; 3],
    pub(super) directory: CString,
    pub(super) candidates: Vec<CString>,
    pub(super) arguments: Strings,
    pub(super) environment: Strings,
}

/// Why a launch cannot be prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrepareError {
    /// A NUL byte in an argument, a variable or a path.
    Nul(NulError),
    /// No program was named.
    NoProgram,
}

impl From<NulError> for PrepareError {
    fn from(error: NulError) -> Self {
        PrepareError::Nul(error)
    }
}

impl fmt::Display for PrepareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PrepareError::Nul(_) => {
                f.write_str("an argument, a variable or a path holds a NUL byte, which no program can be given")
            }
            PrepareError::NoProgram => f.write_str("no program was named: put it after `--`"),
        }
    }
}

/// What differs between the tiers.
pub(crate) struct Confinement<'a> {
    pub(crate) tier: Tier,
    pub(crate) plan: Option<&'a Plan>,
    pub(crate) lock: Option<&'a Lock>,
    pub(crate) filter: &'static [libc::sock_filter],
}

impl<'a> Launch<'a> {
    /// Prepares `command` inside `boundary`.
    pub(crate) fn new(
        boundary: &Boundary,
        confinement: &Confinement<'a>,
        command: &Command,
        variables: &[(OsString, OsString)],
        standard: [Source; 3],
    ) -> Result<Launch<'a>, PrepareError> {
        let (uid, gid) = sys::process::identity();
        let operations = confinement.plan.map(script::compile).transpose()?.unwrap_or_default();
        let namespaces = match confinement.tier {
            Tier::Namespaces => NAMESPACES,
            Tier::Landlock => 0,
        };
        Ok(Launch {
            namespaces,
            supervisor: getpid(),
            uid_map: format!("{uid} {uid} 1").into_bytes(),
            gid_map: format!("{gid} {gid} 1").into_bytes(),
            user_zero: uid == 0,
            nested_namespaces: boundary.isolation.nested_namespaces,
            operations,
            terminal: standard.contains(&Source::Pty),
            limits: limits(&boundary.limits),
            lock: confinement.lock,
            filter: confinement.filter,
            standard,
            directory: script::text(command.directory.as_os_str())?,
            candidates: candidates(command, variables)?,
            arguments: Strings::new(command.argv.iter().map(|text| script::text(text)).collect::<Result<_, _>>()?),
            environment: environment(variables)?,
        })
    }
}

impl Launch<'_> {
    /// Whether the inside has a mount namespace of its own.
    pub(crate) fn has_mounts(&self) -> bool {
        self.namespaces != 0
    }
}

const NAMESPACES: u64 = (libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWNET) as u64;

/// The resource limits, never above what the caller itself has.
fn limits(limits: &RunLimits) -> Vec<(Resource, Rlimit)> {
    let wanted = [
        (Resource::As, limits.memory),
        (Resource::Nproc, limits.processes),
        (Resource::Fsize, limits.file_size),
        (Resource::Nofile, limits.open_files),
    ];
    let mut set = Vec::new();
    for (resource, most) in wanted {
        let Some(most) = most else { continue };
        let most = getrlimit(resource).maximum.map_or(most, |maximum| maximum.min(most));
        set.push((resource, Rlimit { current: Some(most), maximum: Some(most) }));
    }
    set
}

/// Where `execve` looks for the program, in order: as execvp(3) does, in the inside's `PATH`.
fn candidates(command: &Command, environment: &[(OsString, OsString)]) -> Result<Vec<CString>, PrepareError> {
    let program = command.argv.first().filter(|program| !program.is_empty()).ok_or(PrepareError::NoProgram)?;
    if program.as_bytes().contains(&b'/') {
        return Ok(vec![script::text(program)?]);
    }
    let path = environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
    let path = path.unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin"));
    let mut candidates = Vec::new();
    for directory in path.as_bytes().split(|byte| *byte == b':').filter(|directory| directory.starts_with(b"/")) {
        candidates.push(CString::new([directory, b"/", program.as_bytes()].concat())?);
    }
    Ok(candidates)
}

fn environment(variables: &[(OsString, OsString)]) -> Result<Strings, PrepareError> {
    let strings =
        variables.iter().map(|(name, value)| CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()));
    Ok(Strings::new(strings.collect::<Result<_, _>>()?))
}
