//! What the init learns when the policy has been read, laid out in the memory that it shares with the supervisor: first what
//! the root is to hold, so that it builds while the rest is laid out.

use std::ffi::{CStr, OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;

use bailiwick_policy::boundary::{Boundary, RunLimits};
use rustix::process::{Resource, Rlimit, getrlimit};

use super::script::{self, Operation};
use crate::api::Command;
use crate::landlock::{LaidOut, Lock};
use crate::plan::Plan;
use crate::sys::arena::{Arena, ArenaError, Slot};
use crate::sys::exec::Strings;
use crate::terminal::Source;

/// What the init needs to build the root.
pub(crate) struct Build<'a> {
    pub(super) nested_namespaces: bool,
    /// The ports that the gate listens on, if the run has one.
    pub(super) outlet: Option<&'a [u16]>,
    pub(super) operations: &'a [Operation<'a>],
    /// Everything else, which comes later.
    pub(super) launch: &'a Slot<'a, Launch<'a>>,
}

impl<'a> Build<'a> {
    /// Lays out `plan`, which there is in the `namespaces` tier, and the ports that the gate listens on, if there is one.
    pub(crate) fn new(
        arena: &'a Arena,
        boundary: &Boundary,
        plan: Option<&Plan>,
        outlet: Option<&[u16]>,
    ) -> Result<Build<'a>, PrepareError> {
        Ok(Build {
            nested_namespaces: boundary.isolation.nested_namespaces,
            outlet: outlet.map(|ports| arena.slice(ports)).transpose()?,
            operations: plan.map(|plan| script::compile(plan, arena)).transpose()?.unwrap_or_default(),
            launch: arena.slot()?,
        })
    }
}

/// What the init needs from there to the command.
pub(crate) struct Launch<'a> {
    /// Whether the inside has a pseudo-terminal that the supervisor relays.
    pub(super) terminal: bool,
    pub(super) limits: &'a [(Resource, u64)],
    pub(super) lock: LaidOut<'a>,
    pub(super) filter: &'static [libc::sock_filter],
    pub(super) standard: [Source; 3],
    pub(super) directory: &'a CStr,
    pub(super) candidates: &'a [&'a CStr],
    pub(super) arguments: Strings<'a>,
    pub(super) environment: Strings<'a>,
}

/// Why a launch cannot be prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrepareError {
    /// A NUL byte in an argument, a variable or a path.
    Nul,
    /// More paths, arguments and variables than there is room for.
    TooMuch,
    /// No program was named.
    NoProgram,
}

impl From<ArenaError> for PrepareError {
    fn from(error: ArenaError) -> Self {
        match error {
            ArenaError::Nul => PrepareError::Nul,
            ArenaError::Full => PrepareError::TooMuch,
        }
    }
}

impl fmt::Display for PrepareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PrepareError::Nul => {
                f.write_str("an argument, a variable or a path holds a NUL byte, which no program can be given")
            }
            PrepareError::TooMuch => f.write_str(
                "the paths of the policy, the arguments and the variables take more than 16 MiB together: allow whole \
                 directories instead of single files, or pass fewer variables",
            ),
            PrepareError::NoProgram => f.write_str("no program was named: put it after `--`"),
        }
    }
}

/// What holds the command beside the root.
pub(crate) struct Confinement<'a> {
    pub(crate) lock: &'a Lock,
    pub(crate) filter: &'static [libc::sock_filter],
}

impl<'a> Launch<'a> {
    /// Lays out `command` inside `boundary`.
    pub(crate) fn new(
        arena: &'a Arena,
        boundary: &Boundary,
        confinement: &Confinement<'_>,
        command: &Command,
        variables: &[(OsString, OsString)],
        standard: [Source; 3],
    ) -> Result<Launch<'a>, PrepareError> {
        let arguments: Result<Vec<_>, _> = command.argv.iter().map(|text| script::text(text, arena)).collect();
        Ok(Launch {
            terminal: standard.contains(&Source::Pty),
            limits: arena.slice(&limits(&boundary.limits))?,
            lock: confinement.lock.lay_out(arena)?,
            filter: confinement.filter,
            standard,
            directory: script::text(&command.directory, arena)?,
            candidates: candidates(arena, command, variables)?,
            arguments: Strings::new(arena, &arguments?)?,
            environment: environment(arena, variables)?,
        })
    }
}

/// The resource limits, never above what the caller itself has.
fn limits(limits: &RunLimits) -> Vec<(Resource, u64)> {
    let wanted = [
        (Resource::As, limits.memory),
        (Resource::Nproc, limits.processes),
        (Resource::Fsize, limits.file_size),
        (Resource::Nofile, limits.open_files),
    ];
    let limit = |(resource, most): (Resource, Option<u64>)| {
        let most = most?;
        Some((resource, getrlimit(resource).maximum.map_or(most, |maximum| maximum.min(most))))
    };
    wanted.into_iter().filter_map(limit).collect()
}

impl Launch<'_> {
    /// The limits, as the kernel takes them.
    pub(super) fn limits(&self) -> impl Iterator<Item = (Resource, Rlimit)> {
        self.limits.iter().map(|(resource, most)| (*resource, Rlimit { current: Some(*most), maximum: Some(*most) }))
    }
}

/// Where `execve` looks for the program, in order: as execvp(3) does, in the inside's `PATH`.
fn candidates<'a>(
    arena: &'a Arena,
    command: &Command,
    environment: &[(OsString, OsString)],
) -> Result<&'a [&'a CStr], PrepareError> {
    let program = command.argv.first().filter(|program| !program.is_empty()).ok_or(PrepareError::NoProgram)?;
    if program.as_bytes().contains(&b'/') {
        return Ok(arena.slice(&[script::text(program, arena)?])?);
    }
    let path = environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
    let path = path.unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin"));
    let mut candidates = Vec::new();
    for directory in path.as_bytes().split(|byte| *byte == b':').filter(|directory| directory.starts_with(b"/")) {
        candidates.push(arena.joined(&[directory, b"/", program.as_bytes()])?);
    }
    Ok(arena.slice(&candidates)?)
}

fn environment<'a>(arena: &'a Arena, variables: &[(OsString, OsString)]) -> Result<Strings<'a>, PrepareError> {
    let join = |(name, value): &(OsString, OsString)| arena.joined(&[name.as_bytes(), b"=", value.as_bytes()]);
    let strings: Result<Vec<_>, _> = variables.iter().map(join).collect();
    Ok(Strings::new(arena, &strings?)?)
}
