//! bailiwick refuses or fails: one way to say it.

use std::fmt;
use std::io::Write;

use bailiwick::report::Event;

use crate::args::UsageError;

/// The exit status when bailiwick itself refuses or fails.
pub(crate) const OWN: u8 = 125;

/// Why the program ends without having done what it was asked to.
///
/// The text says what was being done, to what, what the system answered, and what to do; hostile text in it is escaped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// To be said on standard error.
    Told(String),
    /// The reader of standard output has gone: there is nobody to say it to, and nothing wrong.
    Unread,
}

impl Failure {
    pub(crate) fn new(error: impl fmt::Display) -> Failure {
        Failure::Told(error.to_string())
    }

    /// Says it on standard error.
    pub(crate) fn show(&self, json: bool) {
        let Failure::Told(text) = self else { return };
        let line = if json {
            serde_json::to_string(&Event::Refused { why: text.clone() }).unwrap_or_default()
        } else {
            format!("bailiwick: {text}")
        };
        // There is nowhere to say that standard error is closed.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Failure {
        Failure::new(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Failure::Unread;
        }
        Failure::Told(format!("writing the answer: {error}"))
    }
}
