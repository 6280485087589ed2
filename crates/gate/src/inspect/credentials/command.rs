//! A credential that a command prints: run outside, before the run starts.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use bailiwick_policy::text::escape;

use super::super::error::CredentialError;
use super::Bytes;

/// How long a command may take. A password manager may ask the user first.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks whether a command that has closed its output has ended.
const PAUSE: Duration = Duration::from_millis(2);

/// Runs the command with the caller's environment in the user's home, and takes what it prints, at most `longest` bytes and a line end.
///
/// Its standard input is empty and its messages go where bailiwick's go.
pub(super) fn run(
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
    home: &Path,
    longest: usize,
) -> Result<Bytes, CredentialError> {
    let (program, rest) = arguments.split_first().ok_or(CredentialError::Empty)?;
    let shown = escape(program);
    let failed = |error| CredentialError::Command(shown.clone(), error);
    let mut child = Command::new(program)
        .args(rest)
        .env_clear()
        .envs(environment.iter().map(|(key, value)| (key, value)))
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let printed = match child.stdout.take() {
        Some(output) => wait_for(output, longest),
        None => Err(Lost::Failed(io::ErrorKind::BrokenPipe.into())),
    };
    match printed {
        Ok(printed) if printed.0.len() > longest + 1 => {
            stop(&mut child);
            Err(CredentialError::Long(longest))
        }
        Ok(printed) => ended(&mut child, &shown).map(|()| printed),
        Err(lost) => {
            stop(&mut child);
            Err(match lost {
                Lost::Slow => CredentialError::Slow(shown, PATIENCE.as_secs()),
                Lost::Failed(error) => CredentialError::Command(shown, error),
            })
        }
    }
}

/// Why there is no output.
enum Lost {
    Slow,
    Failed(io::Error),
}

/// Reads to the end of the output in a thread of its own, because a pipe has no clock.
fn wait_for(output: ChildStdout, longest: usize) -> Result<Bytes, Lost> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let most = longest.saturating_add(2);
    let reader = thread::Builder::new().spawn(move || {
        let mut bytes = Bytes(Vec::with_capacity(most));
        let result = output.take(most as u64).read_to_end(&mut bytes.0);
        // Nobody waits any more: the run was refused.
        let _ = sender.send(result.map(|_| bytes));
    });
    let reader = reader.map_err(Lost::Failed)?;
    let result = receiver.recv_timeout(PATIENCE).map_err(|_| Lost::Slow)?;
    // The process must have one thread again before it goes on to fork.
    let _ = reader.join();
    result.map_err(Lost::Failed)
}

/// The output is over; the command has to end well, too.
fn ended(child: &mut Child, shown: &str) -> Result<(), CredentialError> {
    let since = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(CredentialError::Ended(shown.to_owned(), status.to_string())),
            Ok(None) if since.elapsed() < PATIENCE => thread::sleep(PAUSE),
            Ok(None) => {
                stop(child);
                return Err(CredentialError::Slow(shown.to_owned(), PATIENCE.as_secs()));
            }
            Err(error) => return Err(CredentialError::Command(shown.to_owned(), error)),
        }
    }
}

fn stop(child: &mut Child) {
    // Both fail only where it has ended already.
    let _ = child.kill();
    let _ = child.wait();
}
