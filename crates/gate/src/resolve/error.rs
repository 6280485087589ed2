//! Why a name has no address.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// Why a name could not be looked up. Says nothing of the name: who asked knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResolveError {
    /// What was asked for is no plain name.
    NotAName,
    /// A server says that there is no such name.
    NoSuchName,
    /// The name exists and has no address.
    NoAddress,
    /// No server gave an answer: the last failure of each.
    Servers(Vec<(SocketAddr, ServerError)>),
    /// All servers together took longer than a look-up may, in seconds.
    Late(u64),
    /// No random numbers are to be had, so that an answer could be forged.
    Random,
    /// The gate is ending.
    Ended,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAName => f.write_str("it is no plain host name"),
            Self::NoSuchName => f.write_str("there is no such name; check its spelling"),
            Self::NoAddress => f.write_str("the name has no address"),
            Self::Servers(failures) => {
                f.write_str("no name server of the host gave an answer; check the host's network and resolv.conf")?;
                for (index, (server, error)) in failures.iter().enumerate() {
                    write!(f, "{}{server}: {error}", if index == 0 { " (" } else { "; " })?;
                }
                f.write_str(if failures.is_empty() { "" } else { ")" })
            }
            Self::Late(seconds) => {
                write!(
                    f,
                    "the name servers of the host did not answer within {seconds} seconds; check the host's network"
                )
            }
            Self::Random => f.write_str("the system gives no random numbers, without which answers could be forged"),
            Self::Ended => f.write_str("the gate is ending"),
        }
    }
}

impl std::error::Error for ResolveError {}

/// Why one server gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerError {
    /// The system's answer to asking it.
    Io(io::ErrorKind),
    /// It did not answer in time.
    Silent,
    /// It answered that it could not, or would not: the code (RFC 1035, 4.1.1).
    Code(u16),
    /// Its answer is malformed, or does not fit the question.
    Malformed(String),
    /// More came that was not the answer than chance explains: somebody may be forging.
    Noise,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(kind) => write!(f, "{kind}"),
            Self::Silent => f.write_str("no answer in time"),
            Self::Code(2) => f.write_str("it failed to find out (SERVFAIL)"),
            Self::Code(5) => f.write_str("it refuses to answer (REFUSED)"),
            Self::Code(code) => write!(f, "it answered with code {code}"),
            Self::Malformed(why) => write!(f, "a malformed answer: {why}"),
            Self::Noise => f.write_str("too many answers to other questions; somebody may be forging answers"),
        }
    }
}
