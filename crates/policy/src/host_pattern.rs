//! Patterns of `[network] allow` and `deny`: names, sub-domain wildcards, addresses, ports.

use serde::Serialize;

/// Which ports a host pattern covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ports {
    /// 80 and 443: no port was written.
    Web,
    /// One port.
    One(u16),
}

/// Which hosts a pattern covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hosts {
    /// Exactly this name (lower case, no trailing dot).
    Name(String),
    /// `*.x`: every name below x, at any depth, not x itself.
    Below(String),
    /// `**.x`: x and every name below it.
    AtAndBelow(String),
    /// An address literal.
    Address(std::net::IpAddr),
    /// A bare `*`: every host. The user's explicit wish to open the network.
    Any,
}

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostPattern {
    /// Which hosts.
    pub hosts: Hosts,
    /// Which ports.
    pub ports: Ports,
}
