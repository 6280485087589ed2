//! One host as it is asked for.

use std::fmt;
use std::net::IpAddr;

use super::HostPatternError;
use super::name::Canonical;

/// A host whose spelling leaves no doubt.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// A DNS name: lower case, no trailing dot, every label checked.
    Name(String),
    /// An address, as it was spelt: an IPv4-mapped one stays IPv6.
    Address(IpAddr),
}

impl Host {
    /// Reads a name or an address literal (an IPv6 one with or without brackets), without a port.
    ///
    /// # Errors
    /// Whatever two readers could take for two hosts: alternative spellings of addresses, zone ids, characters and lengths
    /// that DNS does not have.
    pub fn parse(text: &str) -> Result<Host, HostPatternError> {
        Ok(match Canonical::of(text)? {
            Canonical::Name(name) => Host::Name(name.to_ascii_lowercase()),
            Canonical::Address(address) => Host::Address(address),
        })
    }
}

impl fmt::Display for Host {
    /// Without brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(address) => write!(f, "{address}"),
        }
    }
}
