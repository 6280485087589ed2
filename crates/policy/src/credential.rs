//! Credentials that stay outside: the gate puts them into requests, the inside never holds them.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::host_pattern::{HostPattern, Ports};
use crate::text::escape;

/// Headers that belong to the connection and not to the request: the gate writes them itself (RFC 9110 7.6.1, RFC 9112).
pub const OF_THE_CONNECTION: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// One entry of `[[network.credential]]`: a header that the gate sets in every allowed request to these hosts.
///
/// It is only ever sent over a TLS connection that the gate itself has made and verified, never on port 80.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Credential {
    /// The hosts that get it.
    pub host: HostPattern,
    /// The name of the header, in lower case.
    pub header: String,
    /// Where the secret comes from.
    pub from: CredentialSource,
    /// What stands in front of the secret in the header, such as `Bearer ` (with its space).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// Where the gate takes a secret from: outside, with the user's rights, before the first request that needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialSource {
    /// The value of a variable of the caller's environment. The inside does not get that variable, whatever passes it.
    Env(String),
    /// The content of a file, without the line end at its end: `~/…` in a policy, absolute in a boundary.
    File(#[serde(serialize_with = "crate::text::path_as_text")] PathBuf),
    /// What a program prints, without the line end at its end. The program is absolute, or a name that is looked up in the
    /// caller's `PATH`; it is run in the user's home.
    Command(#[serde(serialize_with = "words_as_text")] Vec<OsString>),
}

impl CredentialSource {
    /// The variable of the caller's environment, where it is one: it is not passed to the inside.
    pub(crate) fn variable(&self) -> Option<&str> {
        match self {
            CredentialSource::Env(name) => Some(name),
            CredentialSource::File(_) | CredentialSource::Command(_) => None,
        }
    }
}

impl Credential {
    /// Is the credential for this host and port?
    pub fn is_for(&self, host: &str, port: u16) -> bool {
        // What no port is written for is meant for TLS.
        port != 80 && self.host.matches(host, port)
    }

    /// The hosts that it can be sent to: without a port, 443 alone.
    pub(crate) fn reach(&self) -> HostPattern {
        let ports = match self.host.ports {
            Ports::Web => Ports::One(443),
            one @ Ports::One(_) => one,
        };
        HostPattern { hosts: self.host.hosts.clone(), ports }
    }
}

fn words_as_text<S: Serializer>(words: &[OsString], serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(words.len()))?;
    for word in words {
        list.serialize_element(&escape(word))?;
    }
    list.end()
}
