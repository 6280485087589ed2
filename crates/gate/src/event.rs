//! What the gate tells: one event for each attempt to reach something.

use std::net::SocketAddr;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::program::Program;
use crate::refusal::Refusal;

/// By which door an attempt came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// A name was asked for.
    Dns,
    /// An ordinary `connect()`.
    Transparent,
    /// The HTTP proxy.
    Http,
    /// The SOCKS5 proxy.
    Socks,
    /// A packet that nobody takes: another protocol or port.
    Packet,
}

/// One attempt, told when it is refused or when its connection ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began: milliseconds since the Unix epoch.
    pub at: u64,
    /// By which door.
    pub way: Way,
    /// The program inside, as far as known: hostile text, unescaped.
    pub program: Option<String>,
    /// Name or address as asked for: hostile text, unescaped.
    pub host: String,
    /// TCP port; 0 where there is none.
    pub port: u16,
    /// For a request inside an inspected or plain HTTP connection: method and path. Hostile text, unescaped.
    pub request: Option<String>,
    /// How it went.
    pub result: AttemptResult,
}

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "result")]
pub enum AttemptResult {
    /// It was carried, and is over.
    Allowed {
        /// The address that was dialled, or the upstream proxy's; none for a name.
        address: Option<SocketAddr>,
        /// The rule, as `explain` prints it.
        rule: String,
        /// Bytes from the inside to the host.
        sent: u64,
        /// Bytes from the host to the inside.
        received: u64,
        /// Milliseconds from its beginning to its end.
        duration: u64,
    },
    /// The policy or a check refused it.
    Refused {
        /// Why, for a person.
        reason: String,
        /// The rule that refused, as `explain` prints it; none where no rule allows it.
        rule: Option<String>,
        /// What to put on the command line to allow it, where something would.
        grant: Option<String>,
    },
    /// It was allowed and could not be done: the name has no address, nobody answers.
    Failed {
        /// What was being done and what the system answered.
        reason: String,
    },
}

/// An attempt that has begun and has not ended.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    at: u64,
    since: Instant,
    way: Way,
    program: Program,
    host: String,
    port: u16,
    request: Option<String>,
}

impl Begun {
    /// An attempt that begins now.
    pub(crate) fn now(way: Way, host: &str, port: u16, program: Program) -> Begun {
        // A clock before 1970 is no reason to fail.
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Begun {
            at: u64::try_from(at).unwrap_or(u64::MAX),
            since: Instant::now(),
            way,
            program,
            host: host.to_owned(),
            port,
            request: None,
        }
    }

    /// Who makes it, as far as known.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// Waits until that is so, but not long; [`Program::settled`] says what for.
    pub(crate) async fn settled(&self) {
        self.program.settled().await;
    }

    /// With this request: `GET /path`.
    pub(crate) fn request(&mut self, request: &str) {
        self.request = Some(request.to_owned());
    }

    /// It was carried, and is over.
    pub(crate) fn allowed(self, address: Option<SocketAddr>, rule: String, sent: u64, received: u64) -> Attempt {
        let duration = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.with(AttemptResult::Allowed { address, rule, sent, received, duration })
    }

    /// It was not carried.
    pub(crate) fn refused(self, refusal: &Refusal) -> Attempt {
        self.with(refusal.result())
    }

    /// It failed on the way.
    pub(crate) fn failed(self, reason: String) -> Attempt {
        self.with(AttemptResult::Failed { reason })
    }

    fn with(self, result: AttemptResult) -> Attempt {
        Attempt {
            at: self.at,
            way: self.way,
            program: self.program.name(),
            host: self.host,
            port: self.port,
            request: self.request,
            result,
        }
    }
}

/// The start of a text, at most this many bytes of it.
pub(crate) fn bounded(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}
