//! What a finished command left behind.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long a command may take before the test says that it hangs. Generous: it is no measurement.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Done {
    /// What was run, for messages.
    pub(crate) what: String,
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// All of its standard output.
    pub(crate) stdout: Vec<u8>,
    /// All of its standard error.
    pub(crate) stderr: Vec<u8>,
}

impl Done {
    /// Runs a command to its end with nothing on its standard input.
    pub(crate) fn of(command: Command) -> Done {
        Done::fed(command, &[])
    }

    /// Runs a command to its end, feeding it these bytes.
    pub(crate) fn fed(mut command: Command, input: &[u8]) -> Done {
        let what = format!("{command:?}");
        command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {what}: {error}"));
        feed(&mut child, input.to_vec());
        let stdout = drain(child.stdout.take());
        let stderr = drain(child.stderr.take());
        let status = wait(&mut child, &what);
        Done { status, stdout: all_of(&stdout, &what), stderr: all_of(&stderr, &what), what }
    }

    /// The exit status, or 128 + N for a signal, as a shell would show it.
    pub(crate) fn code(&self) -> i32 {
        self.status.code().or_else(|| self.status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
    }

    /// Standard output as text without the last line end.
    pub(crate) fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }

    /// Standard error as text.
    pub(crate) fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Both streams, one after the other.
    pub(crate) fn both(&self) -> String {
        format!("{}\n{}", String::from_utf8_lossy(&self.stdout), self.err())
    }

    /// Fails the test unless the command ended with 0.
    #[track_caller]
    pub(crate) fn ok(self) -> Done {
        self.ends(0)
    }

    /// Fails the test unless the command ended with this status.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Done {
        assert_eq!(self.code(), code, "{self}");
        self
    }

    /// Fails the test unless the command failed, and failed by itself: 125 means that bailiwick refused to start it.
    #[track_caller]
    pub(crate) fn fails(self) -> Done {
        assert!(![0, 125].contains(&self.code()), "should have failed inside: {self}");
        self
    }

    /// Fails the test unless one of the streams has this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Done {
        assert!(self.both().contains(text), "`{text}` is missing: {self}");
        self
    }
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let out = String::from_utf8_lossy(&self.stdout);
        write!(f, "\n{}\nended with {}\n--- stdout\n{out}\n--- stderr\n{}\n---", self.what, self.code(), self.err())
    }
}

fn feed(child: &mut Child, input: Vec<u8>) {
    if let Some(mut stdin) = child.stdin.take() {
        // The reader may end early on purpose; what it did not read is not this test's matter.
        thread::spawn(move || stdin.write_all(&input));
    }
}

fn drain(stream: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

fn all_of(stream: &Receiver<Vec<u8>>, what: &str) -> Vec<u8> {
    stream.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("something outlived {what} and holds its output open"))
}

/// Waits for a child to end; kills it and fails the test when it hangs.
pub(crate) fn wait(child: &mut Child, what: &str) -> ExitStatus {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status,
            Ok(None) if start.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(2)),
            Ok(None) => {
                let _ = child.kill();
                panic!("hangs: {what}");
            }
            Err(error) => panic!("cannot wait for {what}: {error}"),
        }
    }
}

/// Waits until something is so; fails the test when it never is.
#[track_caller]
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "never came true: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
