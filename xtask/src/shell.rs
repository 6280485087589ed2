//! Running programs, with errors that say what was run and what it answered.

use std::fmt;
use std::path::Path;
use std::process::{Command, Output};

/// Why a chore could not go on: one or more sentences for the person at the terminal.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    /// A failure with this text.
    pub(crate) fn new(text: impl Into<String>) -> Failure {
        Failure(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Adds what was being done to the error of the system.
pub(crate) trait Doing<T> {
    /// Turns the error into a failure that begins with `doing`.
    fn doing(self, doing: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Doing<T> for Result<T, E> {
    fn doing(self, doing: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("{doing}: {error}")))
    }
}

/// A command line for messages, without the environment.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Runs a command with its output going to the terminal; its failing is a failure.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let line = shown(command);
    eprintln!("+ {line}");
    let status = command.status().doing(format!("cannot start `{line}`"))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{line}` ended with {status}"))) }
}

/// Runs a command and gives its output; its failing is a failure that shows its last words.
pub(crate) fn output(command: &mut Command) -> Result<Output, Failure> {
    let line = shown(command);
    let output = command.output().doing(format!("cannot start `{line}`"))?;
    if output.status.success() {
        return Ok(output);
    }
    let words = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    Err(Failure::new(format!("`{line}` ended with {}\n{words}", output.status)))
}

/// Runs a command and gives its standard output as text without the last line end.
pub(crate) fn text(command: &mut Command) -> Result<String, Failure> {
    let line = shown(command);
    let text = String::from_utf8(output(command)?.stdout).doing(format!("`{line}` answered no text"))?;
    Ok(text.trim_end().to_owned())
}

/// Whether a program of this name is in `PATH` or in the directories of the administrator.
pub(crate) fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"].map(Path::new);
    std::env::split_paths(&path).any(|directory| directory.join(name).is_file())
        || system.iter().any(|directory| directory.join(name).is_file())
}

/// Whether this process runs as root.
#[cfg(unix)]
pub(crate) fn is_root() -> bool {
    // SAFETY: geteuid only reads the credentials of this process and cannot fail.
    unsafe { libc::geteuid() == 0 }
}
