//! Starting the program `bailiwick` as the supervisor of a run.

use std::ffi::{OsStr, OsString};
use std::process;

use crate::sandbox::Sandbox;
use crate::session::{Session, SpawnError};

/// The standard streams of a command.
#[derive(Debug)]
pub struct Stdio {
    /// Its standard input.
    pub input: process::Stdio,
    /// Its standard output.
    pub output: process::Stdio,
    /// Its standard error.
    pub error: process::Stdio,
}

impl Stdio {
    /// Those of this process.
    pub fn inherited() -> Stdio {
        Stdio { input: process::Stdio::inherit(), output: process::Stdio::inherit(), error: process::Stdio::inherit() }
    }

    /// Nothing to read, and pipes to this process for what is written: see [`Session::take_stdout`] and
    /// [`Session::take_stderr`].
    pub fn piped() -> Stdio {
        Stdio { input: process::Stdio::null(), output: process::Stdio::piped(), error: process::Stdio::piped() }
    }
}

impl Sandbox {
    /// Starts a command inside, with the program `bailiwick` as its supervisor.
    ///
    /// The supervisor is started by `posix_spawn`: a host with much memory does not pay for it. It gets the environment
    /// and the current directory of this sandbox's host.
    ///
    /// # Errors
    ///
    /// When the program is not found or cannot be started. Refusals come later, as the last event.
    pub fn spawn<W: AsRef<OsStr>>(
        &self,
        command: impl IntoIterator<Item = W>,
        stdio: Stdio,
    ) -> Result<Session, SpawnError> {
        let command: Vec<OsString> = command.into_iter().map(|word| word.as_ref().to_owned()).collect();
        if command.is_empty() {
            return Err(SpawnError::NoCommand);
        }
        start(self, &command, stdio)
    }
}

#[cfg(target_os = "linux")]
fn start(sandbox: &Sandbox, command: &[OsString], stdio: Stdio) -> Result<Session, SpawnError> {
    use std::os::fd::AsRawFd;
    use std::sync::{Mutex, PoisonError};

    /// Two threads that spawn at once would otherwise hand each other's pipes on.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    let program = crate::session::find_supervisor(sandbox.supervisor.as_deref())?;
    let mut supervisor = process::Command::new(&program);
    supervisor.stdin(stdio.input).stdout(stdio.output).stderr(stdio.error);
    let host = sandbox.host();
    supervisor.env_clear().envs(host.environment.iter().map(|(name, value)| (name, value)));
    supervisor.current_dir(&host.current_dir).args(sandbox.arguments());

    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (reader, writer) = std::io::pipe().map_err(SpawnError::Pipe)?;
    // The supervisor needs the writing end; no `pre_exec` opens it, for that would make the spawn a fork. A child that
    // another thread starts in this moment gets it too: that delays nothing, since a report ends with its last event.
    rustix::io::fcntl_setfd(&writer, rustix::io::FdFlags::empty()).map_err(|errno| SpawnError::Pipe(errno.into()))?;
    supervisor.arg(format!("--report-fd={}", writer.as_raw_fd())).arg("--").args(command);
    let child = supervisor.spawn().map_err(|error| SpawnError::Start { program, error })?;
    drop(writer);
    Ok(Session::new(child, reader))
}

#[cfg(not(target_os = "linux"))]
fn start(_sandbox: &Sandbox, _command: &[OsString], _stdio: Stdio) -> Result<Session, SpawnError> {
    Err(SpawnError::NotYet)
}
