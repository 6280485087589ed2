//! What the network gate tells of the attempts to reach something.

use std::net::SocketAddr;

use bailiwick_policy::text::escape;
use serde::{Deserialize, Serialize};

/// One attempt to reach a host, told when it is refused or when its connection ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began: milliseconds since the Unix epoch.
    pub at: u64,
    /// By which door.
    pub way: Way,
    /// The program inside, as far as known: as reported by the inside, escaped for printing.
    pub program: Option<String>,
    /// Name or address as asked for, escaped for printing.
    pub host: String,
    /// TCP port; 0 for a name that was only looked up.
    pub port: u16,
    /// For a request that the gate could read: method and path, escaped for printing.
    pub request: Option<String>,
    /// How it went.
    #[serde(flatten)]
    pub result: AttemptResult,
}

/// By which door an attempt came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Way {
    /// A name was looked up.
    Dns,
    /// An ordinary `connect()`.
    Transparent,
    /// The gate as an HTTP proxy.
    Http,
    /// The gate as a SOCKS5 proxy.
    Socks,
    /// A packet that nobody takes: another protocol, or a port that no rule names.
    Packet,
}

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AttemptResult {
    /// It was carried, and is over.
    Allowed {
        /// The address that was dialled, or the upstream proxy's; none for a name.
        address: Option<SocketAddr>,
        /// The rule that allowed it.
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
        /// Why, as a sentence.
        reason: String,
        /// The rule that refused; none where no rule allows it.
        rule: Option<String>,
        /// What to put on the command line to allow it, where something would.
        grant: Option<String>,
    },
    /// It was allowed and could not be done.
    Failed {
        /// What was being done and what was answered.
        reason: String,
    },
}

/// An attempt as the gate writes it.
#[derive(Deserialize)]
struct Told {
    at: u64,
    way: Way,
    program: Option<String>,
    host: String,
    port: u16,
    request: Option<String>,
    result: AttemptResult,
}

impl Attempt {
    /// Reads what a gate wrote: a line of JSON, in which only the sentences are escaped.
    pub(crate) fn read(line: &str) -> Option<Attempt> {
        let told: Told = serde_json::from_str(line).ok()?;
        let escaped = |text: String| escape(text.as_ref());
        Some(Attempt {
            at: told.at,
            way: told.way,
            program: told.program.map(escaped),
            host: escaped(told.host),
            port: told.port,
            request: told.request.map(escaped),
            result: told.result,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_inside_chose_is_escaped_and_the_line_survives_the_report() {
        let line = r#"{"at":1,"way":"transparent","program":"cu\u001brl","host":"a\nb","port":443,"request":null,
            "result":{"result":"refused","reason":"no rule allows it","rule":null,"grant":"--allow-host x"}}"#;
        let attempt = Attempt::read(line).unwrap();
        assert_eq!((attempt.program.as_deref(), attempt.host.as_str()), (Some("cu\\u{1b}rl"), "a\\u{a}b"));
        let json = serde_json::to_string(&attempt).unwrap();
        assert!(json.contains(r#""result":"refused","reason""#), "{json}");
        assert_eq!(serde_json::from_str::<Attempt>(&json).unwrap(), attempt);
    }

    #[test]
    fn half_a_line_is_nothing() {
        assert_eq!(Attempt::read(r#"{"at":1,"way":"dns""#), None);
    }
}
