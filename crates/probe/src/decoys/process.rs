//! The decoy process: of the same user, with a secret in its command line, its environment, its memory and an open file.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::outcome::error_name;
use crate::stage::DecoyProcess;
use crate::sys::{file, process};

/// The variable that holds the decoy's secret.
const VARIABLE: &str = "BAILIWICK_DECOY";

/// The decoy process, ended when dropped.
pub(super) struct DecoyChild {
    child: Child,
    /// It answers each byte with a byte.
    line: UnixStream,
    pub(super) facts: DecoyProcess,
    was: String,
}

impl DecoyChild {
    /// Starts `probe decoy SECRET` with the secret file as standard input.
    pub(super) fn start(probe: &Path, secret_file: &Path, secret: &str) -> io::Result<Self> {
        let (line, far_end) = UnixStream::pair()?;
        // A stopped process does not answer.
        line.set_read_timeout(Some(Duration::from_secs(2)))?;
        let mut child = Command::new(probe)
            .args(["decoy", secret])
            .env_clear()
            .env(VARIABLE, secret)
            .stdin(File::open(secret_file)?)
            .stdout(Stdio::piped())
            .stderr(OwnedFd::from(far_end))
            // A group of its own: it can be killed as a group without harm to the harness.
            .process_group(0)
            .spawn()?;
        let mut greeting = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut greeting)?;
        }
        let mut numbers = greeting.split_whitespace().map(str::parse::<u64>);
        let (Some(Ok(address)), Some(Ok(length))) = (numbers.next(), numbers.next()) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(io::Error::other("the decoy process did not start"));
        };
        let facts = DecoyProcess { pid: child.id() as i32, address, length: length as usize };
        let was = condition(facts.pid);
        Ok(DecoyChild { child, line, facts, was })
    }

    /// What became of it, if anything did.
    pub(super) fn harm(&mut self) -> Option<String> {
        // A signal that was sent before acts before the answer: no moment must be waited for it.
        let answer = self.line.write_all(b"?").and_then(|()| self.line.read_exact(&mut [0; 1]));
        if let Err(error) = answer {
            return Some(format!("the decoy process does not answer: {}", error_name(&error)));
        }
        let is = condition(self.facts.pid);
        (is != self.was).then(|| format!("the decoy process was {} and is {is}", self.was))
    }
}

impl Drop for DecoyChild {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What others can do to a process: stop it, trace it, slow it, limit it, offer it to the out-of-memory killer.
fn condition(pid: i32) -> String {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let stat = read("stat");
    // Fields after the name in parentheses: the state is the first, the nice value the 17th.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let stopped = matches!(fields.first(), Some(&"T" | &"t" | &"Z" | &"X"));
    let nice = fields.get(16).copied().unwrap_or("?");
    let limits = read("limits");
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or("?").split_whitespace();
    let files = files.skip(3).take(2).collect::<Vec<_>>().join("/");
    format!("stopped {stopped}, nice {nice}, files {files}, oom {}", read("oom_score_adj").trim())
}

/// Is the decoy process: tells where in memory its secret is, and waits to be ended.
pub fn be_decoy() -> io::Result<()> {
    // Nothing of the harness outlives it.
    process::set_parent_death_signal(libc::SIGKILL)?;
    process::allow_tracing();
    let secret = std::env::var(VARIABLE).unwrap_or_default().into_bytes();
    let mut out = io::stdout().lock();
    writeln!(out, "{} {}", secret.as_ptr().addr(), secret.len())?;
    out.flush()?;
    let mut line = File::from(file::inherited(2)?);
    let mut byte = [0; 1];
    while line.read(&mut byte)? == 1 {
        std::hint::black_box(&secret);
        line.write_all(&byte)?;
    }
    Ok(())
}
