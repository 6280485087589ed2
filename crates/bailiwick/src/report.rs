//! The report: what happened in a run, as typed events, one JSON object a line.
//!
//! Text in events that the inside could choose (names of files) is escaped for printing.

mod file;
mod network;

use std::io::Write;

use bailiwick_policy::text::escape;
use serde::{Deserialize, Serialize};

pub use file::ReportFileError;
#[cfg(unix)]
pub use file::{open_descriptor, open_file};
pub use network::{Attempt, AttemptResult, Way};

/// Something that happened, in the order in which it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// The run is about to start.
    Started {
        /// The tier that enforces the boundary.
        tier: String,
        /// The workspace, escaped for printing.
        workspace: String,
        /// Program and arguments, escaped for printing.
        command: Vec<String>,
        /// Guarantees that the policy needs, that this tier does not keep here, and that the user accepted to lose.
        accepted: Vec<String>,
    },
    /// Something was written in the policy that does not take effect, or that the user should know before the run.
    Notice {
        /// The kind, for programs.
        kind: String,
        /// The sentence.
        text: String,
        /// Where the rule stands that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<String>,
    },
    /// Another tier than the chosen one enforces the boundary, because the chosen one could not start.
    FellBack {
        /// The tier that could not start.
        from: String,
        /// The tier that is used.
        to: String,
        /// What the system answered.
        why: String,
    },
    /// A guarded name that did not exist was brought into being and has been taken away.
    Quarantined {
        /// The name.
        name: String,
        /// Where its content is kept, if it could be kept.
        kept: Option<String>,
    },
    /// A guarded name appeared and could not be taken away.
    QuarantineFailed {
        /// The name.
        name: String,
        /// What the system answered.
        why: String,
    },
    /// A protected name was replaced from outside during the run, which takes the protection off it; it has been put back.
    ProtectedAgain {
        /// The name.
        name: String,
    },
    /// A protected name was removed from outside. From then on it is taken away if it appears.
    ProtectedGone {
        /// The name.
        name: String,
    },
    /// A protected name was replaced from outside and could not be protected again: the run is ended.
    ProtectionLost {
        /// The name.
        name: String,
    },
    /// An earlier run was killed, and a name that did not exist before it, and is protected or denied, exists now. It is told
    /// once.
    LeftBehind {
        /// The name.
        name: String,
    },
    /// The inside tried to reach a host.
    Network(Attempt),
    /// The network gate has ended before the run. The inside has no network from then on.
    NetworkLost {
        /// Why, as far as known.
        why: String,
    },
    /// Something the user should know.
    Remark {
        /// The sentence.
        text: String,
    },
    /// Nothing was started: bailiwick refused or failed.
    Refused {
        /// The whole explanation, lines separated by `\n`.
        why: String,
    },
    /// The run ended.
    Ended {
        /// How.
        #[serde(flatten)]
        outcome: Outcome,
        /// Wall-clock time of the run in milliseconds.
        milliseconds: u64,
        /// Why, where the boundary is known for certain to be the cause. It may have several lines.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
}

impl Event {
    /// What a network gate told, as an event. What cannot be read is kept as a remark.
    pub fn of_gate(line: &str) -> Event {
        match Attempt::read(line) {
            Some(attempt) => Event::Network(attempt),
            None => Event::Remark { text: format!("the network gate told: {}", escape(line.as_ref())) },
        }
    }

    /// Whether nothing comes after it.
    pub fn is_last(&self) -> bool {
        matches!(self, Event::Refused { .. } | Event::Ended { .. })
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "kebab-case")]
pub enum Outcome {
    /// The command exited with this status.
    Exited {
        /// 0 to 255.
        status: u8,
    },
    /// The command was ended by this signal.
    Signalled {
        /// Signal number.
        signal: i32,
    },
    /// The time limit was reached and the tree was killed.
    TimedOut,
    /// The command could not be started inside.
    NotStarted {
        /// The system's error number: ENOENT is "not found".
        errno: i32,
    },
}

/// `ENOENT` of Linux: no such file or directory.
const ENOENT: i32 = 2;

impl Outcome {
    /// The exit status that a shell would give: the command's own; 128+N for signal N; 124 for a time-out; 127 for a
    /// command that is not there and 126 for one that cannot be executed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Outcome::Exited { status } => *status,
            Outcome::Signalled { signal } => u8::try_from(128 + (signal & 0x7f)).unwrap_or(u8::MAX),
            Outcome::TimedOut => 124,
            Outcome::NotStarted { errno: ENOENT } => 127,
            Outcome::NotStarted { .. } => 126,
        }
    }
}

/// Where events go as they happen.
///
/// A reader that is slow or gone never holds up the run, since what the inside did must be undone at once: what cannot
/// be written is dropped, and [`Report::failure`] tells at the end.
#[derive(Default)]
pub struct Report<'a> {
    sinks: Vec<Box<dyn Write + Send>>,
    watcher: Option<Watcher<'a>>,
    lost: u64,
    failure: Option<std::io::Error>,
}

impl std::fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Report")
            .field("sinks", &self.sinks.len())
            .field("lost", &self.lost)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// Somebody in this process who is shown every event.
type Watcher<'a> = Box<dyn FnMut(&Event) + 'a>;

/// How often, and after how long each time, the last event is offered again to a reader that is behind.
const LAST_TRIES: u32 = 100;
const LAST_PAUSE: std::time::Duration = std::time::Duration::from_millis(10);

impl<'a> Report<'a> {
    /// A report that goes nowhere.
    pub fn new() -> Report<'a> {
        Report::default()
    }

    /// Also write every event as a line of JSON to `sink`, which should answer `WouldBlock` rather than wait.
    #[must_use]
    pub fn to(mut self, sink: impl Write + Send + 'static) -> Report<'a> {
        self.sinks.push(Box::new(sink));
        self
    }

    /// Also show every event to `watcher`.
    #[must_use]
    pub fn watched(mut self, watcher: impl FnMut(&Event) + 'a) -> Report<'a> {
        self.watcher = Some(Box::new(watcher));
        self
    }

    /// Records one event.
    pub fn record(&mut self, event: &Event) {
        self.write(event);
        if let Some(watcher) = &mut self.watcher {
            watcher(event);
        }
    }

    fn write(&mut self, event: &Event) {
        if self.sinks.is_empty() {
            return;
        }
        let mut line = match serde_json::to_vec(event) {
            Ok(line) => line,
            Err(error) => {
                self.failure = Some(error.into());
                return;
            }
        };
        line.push(b'\n');
        // Nothing is running any more when the last event comes: it may wait for the reader, for a second.
        let tries = if event.is_last() { LAST_TRIES } else { 0 };
        let (lost, failure) = (&mut self.lost, &mut self.failure);
        self.sinks.retain_mut(|sink| match write_line(sink.as_mut(), &line, tries) {
            Ok(Written::Whole) => true,
            Ok(Written::Lost) => {
                *lost += 1;
                true
            }
            Err(error) => {
                *failure = Some(error);
                false
            }
        });
    }

    /// What kept events from being written, if something did.
    pub fn failure(&self) -> Option<String> {
        match (&self.failure, self.lost) {
            (Some(error), _) => Some(error.to_string()),
            (None, 0) => None,
            (None, lost) => Some(format!("{lost} events are missing, since the reader was too slow")),
        }
    }
}

enum Written {
    Whole,
    Lost,
}

/// Writes a whole line or, if the reader is behind, nothing of it. A line of which a part is written can only be
/// completed or, after `tries`, end the sink: half a line is no JSON.
fn write_line(sink: &mut dyn Write, line: &[u8], mut tries: u32) -> std::io::Result<Written> {
    let mut rest = line;
    while !rest.is_empty() {
        match sink.write(rest) {
            Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => match tries.checked_sub(1) {
                Some(fewer) => {
                    tries = fewer;
                    std::thread::sleep(LAST_PAUSE);
                }
                None if rest.len() == line.len() => return Ok(Written::Lost),
                None => return Err(error),
            },
            Err(error) => return Err(error),
        }
    }
    Ok(Written::Whole)
}

#[cfg(test)]
mod tests;
