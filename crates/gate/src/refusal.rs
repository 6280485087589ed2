//! Why something is not carried, once for every door: as a sentence, an event, an HTTP status and a SOCKS reply.

use std::fmt;
use std::io;
use std::net::IpAddr;

use bailiwick_policy::text::escape;

use crate::event::AttemptResult;
use crate::resolve::ResolveError;

/// Why an attempt is not carried.
#[derive(Debug)]
pub enum Refusal {
    /// The policy refuses the host, the port or the request.
    Denied {
        /// The policy's sentence, escaped.
        reason: String,
        /// The rule that refused; none where no rule covers the target.
        rule: Option<String>,
        /// The option that would allow it.
        grant: Option<String>,
    },
    /// The name may be reached, and leads to nothing but addresses that may not.
    Address {
        /// The name or address asked for, escaped.
        host: String,
        /// The address that decided.
        address: IpAddr,
        /// What is wrong with it, as a phrase to follow a comma.
        kind: String,
        /// What would allow it, where something would.
        grant: Option<String>,
    },
    /// The name has no address.
    Unresolved {
        /// The name, escaped.
        host: String,
        /// What the resolver said.
        error: ResolveError,
    },
    /// No address answers.
    Unreachable {
        /// Host and port, escaped.
        target: String,
        /// The kind of the last error.
        kind: io::ErrorKind,
        /// What was dialled and what the system answered for each, escaped.
        answers: String,
    },
    /// The company's proxy did not connect.
    Upstream {
        /// Host and port, escaped.
        target: String,
        /// What was being done and what was answered, escaped.
        reason: String,
    },
    /// The host's certificate or handshake did not hold.
    Untrusted {
        /// The host, escaped.
        host: String,
        /// What did not hold, escaped.
        reason: String,
    },
    /// What was said first does not fit the target.
    Said {
        /// What was said and what was expected, escaped.
        reason: String,
        /// What would allow it, where something would.
        grant: Option<String>,
    },
    /// The client ended or fell silent before it had said what the gate has to see.
    Unsaid {
        /// What happened, escaped.
        reason: String,
    },
    /// The gate has as many connections, or as much memory in use, as it may have.
    Busy,
}

impl Refusal {
    /// The refusal as the end of an attempt.
    pub fn result(&self) -> AttemptResult {
        match self {
            Refusal::Denied { reason, rule, grant } => {
                AttemptResult::Refused { reason: reason.clone(), rule: rule.clone(), grant: grant.clone() }
            }
            Refusal::Address { grant, .. } | Refusal::Said { grant, .. } => {
                AttemptResult::Refused { reason: self.to_string(), rule: None, grant: grant.clone() }
            }
            Refusal::Unresolved { .. }
            | Refusal::Unreachable { .. }
            | Refusal::Upstream { .. }
            | Refusal::Untrusted { .. }
            | Refusal::Unsaid { .. }
            | Refusal::Busy => AttemptResult::Failed { reason: self.to_string() },
        }
    }

    /// What to put on the command line to allow it.
    pub fn grant(&self) -> Option<&str> {
        match self {
            Refusal::Denied { grant, .. } | Refusal::Address { grant, .. } | Refusal::Said { grant, .. } => {
                grant.as_deref()
            }
            _ => None,
        }
    }

    /// Status code and reason phrase for a client of the HTTP proxy (RFC 9110, section 15).
    pub fn http_status(&self) -> (u16, &'static str) {
        match self {
            Refusal::Denied { .. } | Refusal::Address { .. } | Refusal::Said { .. } => (403, "Forbidden"),
            Refusal::Unreachable { kind: io::ErrorKind::TimedOut, .. } => (504, "Gateway Timeout"),
            Refusal::Unresolved { .. }
            | Refusal::Unreachable { .. }
            | Refusal::Upstream { .. }
            | Refusal::Untrusted { .. } => (502, "Bad Gateway"),
            Refusal::Unsaid { .. } => (408, "Request Timeout"),
            Refusal::Busy => (503, "Service Unavailable"),
        }
    }

    /// The reply field of SOCKS5 (RFC 1928, section 6).
    pub fn socks_reply(&self) -> u8 {
        match self {
            Refusal::Denied { .. } | Refusal::Address { .. } | Refusal::Said { .. } => 2,
            Refusal::Unresolved { .. } => 4,
            Refusal::Unreachable { kind: io::ErrorKind::ConnectionRefused, .. } => 5,
            Refusal::Unreachable { kind: io::ErrorKind::NetworkUnreachable, .. } => 3,
            Refusal::Unreachable { .. } => 4,
            Refusal::Upstream { .. } | Refusal::Untrusted { .. } | Refusal::Unsaid { .. } | Refusal::Busy => 1,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Denied { reason, .. } | Refusal::Said { reason, .. } | Refusal::Unsaid { reason } => {
                f.write_str(reason)
            }
            Refusal::Address { host, address, kind, .. } => {
                write!(f, "`{host}` leads to {address}, {kind}")
            }
            Refusal::Unresolved { host, error } => write!(f, "the name `{host}` could not be looked up: {error}"),
            Refusal::Unreachable { target, answers, .. } => write!(f, "`{target}` could not be reached: {answers}"),
            Refusal::Upstream { target, reason } => {
                write!(f, "`{target}` could not be reached through the proxy of the host: {reason}")
            }
            Refusal::Untrusted { host, reason } => write!(f, "`{host}` could not be trusted: {reason}"),
            Refusal::Busy => {
                f.write_str("the gate has as many connections, or as much memory in use, as it may: close some first")
            }
        }
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Refusal::Unresolved { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// Text that may be hostile, safe on one line of a terminal.
pub(crate) fn shown(text: &str) -> String {
    escape(text.as_ref())
}
