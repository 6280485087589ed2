//! A run that a host program watches: the supervisor is a small process of its own.
//!
//! A program with much memory pays for every fork with the copy of its page tables, and a supervisor inside it would
//! share its fate and its signals. So [`Sandbox::spawn`](crate::Sandbox::spawn) starts the program `bailiwick` (by
//! `posix_spawn`, which costs the same whatever the size of the host) and reads what happens from a pipe.

use std::fmt;
use std::io::{BufRead, BufReader, PipeReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use bailiwick_policy::text::escape;

use crate::report::{Event, Outcome};

/// The longest line of a report that is read, in bytes: a path of 4096 bytes, each of them escaped, fits many times.
const LONGEST_LINE: u64 = 1 << 20;

/// A session could not be started.
#[derive(Debug)]
#[non_exhaustive]
pub enum SpawnError {
    /// The program `bailiwick` was not found.
    NoSupervisor {
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
    /// The program could not be started.
    Start {
        /// The program.
        program: PathBuf,
        /// What the system answered.
        error: std::io::Error,
    },
    /// The pipe for the report could not be made.
    Pipe(std::io::Error),
    /// Nothing was given to run.
    NoCommand,
    /// This operating system has no tier yet.
    #[cfg(not(target_os = "linux"))]
    NotYet,
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpawnError::NoSupervisor { looked } => {
                f.write_str("looking for the program `bailiwick`: it is not at")?;
                for (index, path) in looked.iter().enumerate() {
                    write!(f, "{} `{}`", if index > 0 { "," } else { "" }, escape(path.as_os_str()))?;
                }
                f.write_str("; install it, or say where it is with `Sandbox::supervisor`")
            }
            SpawnError::Start { program, error } => {
                write!(f, "starting `{}`: {error}", escape(program.as_os_str()))
            }
            SpawnError::Pipe(error) => write!(f, "making a pipe for the report: {error}"),
            SpawnError::NoCommand => f.write_str("there is no command to run"),
            #[cfg(not(target_os = "linux"))]
            SpawnError::NotYet => f.write_str(crate::NOT_YET),
        }
    }
}

impl std::error::Error for SpawnError {}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finish {
    /// The command was run, or tried, and this became of it.
    Ended(Outcome),
    /// bailiwick refused or failed, with its explanation.
    Refused(String),
    /// The supervisor ended without a word: it was killed, and the tree with it.
    Lost {
        /// Its exit status as the system told it.
        status: String,
    },
}

/// A running enclosure.
///
/// Dropping it does not end the run: call [`Session::kill`] for that.
#[derive(Debug)]
pub struct Session {
    child: Child,
    events: BufReader<PipeReader>,
    last: Option<Event>,
}

impl Session {
    #[cfg(target_os = "linux")]
    pub(crate) fn new(child: Child, events: PipeReader) -> Session {
        Session { child, events: BufReader::new(events), last: None }
    }

    /// The process id of the supervisor.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The command's standard input, if it was asked to be a pipe, for the first caller.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// The command's standard output, if it was asked to be a pipe, for the first caller.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// The command's standard error, if it was asked to be a pipe, for the first caller.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// The next event, waiting for it; `None` after the last one. A host that does not read events loses those that do
    /// not fit the pipe; the run goes on.
    ///
    /// # Errors
    ///
    /// When the pipe cannot be read, or a line is not an event: then the program is of another version.
    pub fn next_event(&mut self) -> std::io::Result<Option<Event>> {
        if self.last.is_some() {
            return Ok(None);
        }
        let mut line = Vec::new();
        self.events.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Ok(None);
        }
        let event: Event = serde_json::from_slice(&line)?;
        if event.is_last() {
            self.last = Some(event.clone());
        }
        Ok(Some(event))
    }

    /// Waits for the end, passing over the events that were not read.
    ///
    /// Close or take the command's standard streams before, if they are pipes that it may be waiting on.
    ///
    /// # Errors
    ///
    /// As [`Session::next_event`], or when the supervisor cannot be waited for.
    pub fn wait(&mut self) -> std::io::Result<Finish> {
        while self.next_event()?.is_some() {}
        let status = self.child.wait()?;
        Ok(match &self.last {
            Some(Event::Ended { outcome, .. }) => Finish::Ended(outcome.clone()),
            Some(Event::Refused { why }) => Finish::Refused(why.clone()),
            _ => Finish::Lost { status: status.to_string() },
        })
    }

    /// Ends the run at once: the supervisor is killed, and the kernel ends everything inside with it.
    ///
    /// # Errors
    ///
    /// When the system refuses the signal.
    pub fn kill(&mut self) -> std::io::Result<()> {
        self.child.kill()
    }
}

/// Where the program is: as told, else beside this program, else on the `PATH`.
#[cfg(target_os = "linux")]
pub(crate) fn find_supervisor(told: Option<&std::path::Path>) -> Result<PathBuf, SpawnError> {
    if let Some(path) = told {
        return Ok(path.to_owned());
    }
    let name = format!("bailiwick{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().and_then(|own| own.parent().map(|folder| folder.join(&name)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    // A relative entry would let the current directory, which may be hostile, provide the supervisor.
    let on_path = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(&name));
    let looked: Vec<PathBuf> = beside.into_iter().chain(on_path).collect();
    match looked.iter().find(|candidate| candidate.is_file()) {
        Some(found) => Ok(found.clone()),
        None => Err(SpawnError::NoSupervisor { looked }),
    }
}
