//! Patterns of `[network] allow` and `deny`: names, sub-domain wildcards, addresses, ranges of addresses, ports.
//!
//! The parser is strict: what resolvers, proxies and people read differently (`0x7f.1`, `a..b`, `host%00`) is refused
//! here and matches nothing there, so that no two readers can disagree about a host.

mod error;
mod host;
mod name;
mod range;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use serde::Serialize;

pub use error::HostPatternError;
pub use host::Host;
use name::Canonical;
pub use range::AddressRange;

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
    /// `10.0.0.0/8`: address literals in a range. Covers no name, whatever the name resolves to.
    Range(AddressRange),
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

impl HostPattern {
    /// Reads a pattern as it is written in a policy: `example.org`, `*.example.org`, `**.example.org:8443`,
    /// `192.0.2.1:5432`, `[2001:db8::1]:443`, `10.0.0.0/8:5432`, `[2001:db8::]/32:443`, `*`.
    ///
    /// # Errors
    /// Whatever is not exactly one of these forms, with the form that was probably meant.
    pub fn parse(text: &str) -> Result<HostPattern, HostPatternError> {
        if let Some(range) = parse_range(text) {
            return range;
        }
        if let Some(wrong) = error::wrong_form(text) {
            return Err(wrong);
        }
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(HostPattern { hosts: Hosts::Address(IpAddr::V6(address)), ports: Ports::Web });
        }
        let (host, port) = split_port(text)?;
        let ports = match port {
            Some(port) => Ports::One(parse_port(port)?),
            None => Ports::Web,
        };
        Ok(HostPattern { hosts: parse_hosts(host)?, ports })
    }

    /// Whether the text is meant as a range: an address, a slash and a number.
    pub(crate) fn has_range_form(text: &str) -> bool {
        parse_range(text).is_some()
    }

    /// Does this pattern cover `host` on TCP port `port`?
    ///
    /// `host` may come from the inside. A text that is not a plain name or address literal is covered by nothing, not even
    /// by `*`: what cannot be named for certain cannot be allowed.
    pub fn matches(&self, host: &str, port: u16) -> bool {
        let on_port = match self.ports {
            Ports::Web => port == 80 || port == 443,
            Ports::One(only) => port == only,
        };
        on_port && Canonical::of(host).is_ok_and(|host| self.hosts.contains(&host))
    }

    /// As a rule of `deny`: without a port it is about every port, so that what is denied is not reached by another door.
    pub fn denies(&self, host: &str, port: u16) -> bool {
        let on_port = match self.ports {
            Ports::Web => true,
            Ports::One(only) => port == only,
        };
        on_port
            && Canonical::of(host).is_ok_and(|host| match host {
                Canonical::Address(address) => self.denies_address(address, port),
                name @ Canonical::Name(_) => self.hosts.contains(&name),
            })
    }

    /// As a rule of `deny` about an address that is about to be dialled, whatever name led to it. Only rules by address,
    /// range or a bare `*` speak about addresses. An IPv4 address inside an IPv6 one counts.
    pub fn denies_address(&self, address: IpAddr, port: u16) -> bool {
        let on_port = match self.ports {
            Ports::Web => true,
            Ports::One(only) => port == only,
        };
        on_port && meanings(address).into_iter().flatten().any(|one| self.hosts.contains(&Canonical::Address(one)))
    }

    /// The ports that the pattern covers.
    pub fn ports(&self) -> impl Iterator<Item = u16> + use<> {
        let (first, second) = match self.ports {
            Ports::Web => (80, Some(443)),
            Ports::One(port) => (port, None),
        };
        std::iter::once(first).chain(second)
    }

    /// Is everything that `other` covers covered by this pattern too?
    pub fn covers(&self, other: &HostPattern) -> bool {
        let ports = match (self.ports, other.ports) {
            (Ports::Web, Ports::One(port)) => port == 80 || port == 443,
            (mine, theirs) => mine == theirs,
        };
        ports && self.hosts.covers(&other.hosts)
    }

    /// Is there a host and port that both patterns cover?
    pub fn overlaps(&self, other: &HostPattern) -> bool {
        let ports = match (self.ports, other.ports) {
            (Ports::Web, Ports::One(port)) | (Ports::One(port), Ports::Web) => port == 80 || port == 443,
            (mine, theirs) => mine == theirs,
        };
        // The sets of hosts form a tree: two of them either lie one within the other or have nothing in common.
        ports && (self.hosts.covers(&other.hosts) || other.hosts.covers(&self.hosts))
    }
}

impl Hosts {
    fn contains(&self, host: &Canonical<'_>) -> bool {
        match (self, host) {
            (Hosts::Any, _) => true,
            (Hosts::Address(mine), Canonical::Address(theirs)) => mine.to_canonical() == theirs.to_canonical(),
            (Hosts::Range(range), Canonical::Address(address)) => range.contains(*address),
            (Hosts::Name(mine), Canonical::Name(theirs)) => mine.eq_ignore_ascii_case(theirs),
            (Hosts::Below(domain), Canonical::Name(name)) => is_below(name, domain),
            (Hosts::AtAndBelow(domain), Canonical::Name(name)) => {
                domain.eq_ignore_ascii_case(name) || is_below(name, domain)
            }
            _ => false,
        }
    }

    pub(crate) fn covers(&self, other: &Hosts) -> bool {
        match (self, other) {
            (Hosts::Any, _) => true,
            (Hosts::Address(mine), Hosts::Address(theirs)) => mine.to_canonical() == theirs.to_canonical(),
            (Hosts::Range(range), Hosts::Address(address)) => range.contains(*address),
            (Hosts::Range(mine), Hosts::Range(theirs)) => mine.covers(theirs),
            (Hosts::Address(mine), Hosts::Range(theirs)) => AddressRange::of(*mine).covers(theirs),
            (Hosts::Name(mine), Hosts::Name(theirs)) => mine == theirs,
            (Hosts::Below(domain), Hosts::Name(name) | Hosts::AtAndBelow(name)) => is_below(name, domain),
            (Hosts::Below(domain), Hosts::Below(other)) => domain == other || is_below(other, domain),
            (Hosts::AtAndBelow(domain), Hosts::Name(name) | Hosts::Below(name) | Hosts::AtAndBelow(name)) => {
                domain == name || is_below(name, domain)
            }
            _ => false,
        }
    }
}

/// Is `name` strictly below `domain`? Both without trailing dot; letter case does not matter.
fn is_below(name: &str, domain: &str) -> bool {
    let (name, domain) = (name.as_bytes(), domain.as_bytes());
    let Some(prefix) = name.len().checked_sub(domain.len()) else { return false };
    let (head, tail) = name.split_at(prefix);
    head.len() > 1 && head.ends_with(b".") && tail.eq_ignore_ascii_case(domain)
}

/// The pattern, if the text has the form of a range: an address, a slash, and what is no path.
fn parse_range(text: &str) -> Option<Result<HostPattern, HostPatternError>> {
    let (address, rest) = text.split_once('/')?;
    let address = range::literal(address)?;
    let (prefix, port) = match rest.split_once(':') {
        Some((prefix, port)) => (prefix, Some(port)),
        None => (rest, None),
    };
    if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ports = match port.map(parse_port) {
        None => Ports::Web,
        Some(Ok(port)) => Ports::One(port),
        Some(Err(wrong)) => return Some(Err(wrong)),
    };
    Some(AddressRange::new(address, prefix).map(|range| HostPattern { hosts: Hosts::Range(range), ports }))
}

/// Every address that `address` may stand for on the way: itself, and the IPv4 address in a mapped (RFC 4291, 2.5.5.2),
/// NAT64 (RFC 6052, 2.1) or 6to4 (RFC 3056, 2) one.
fn meanings(address: IpAddr) -> [Option<IpAddr>; 2] {
    let IpAddr::V6(v6) = address.to_canonical() else { return [Some(address), None] };
    let bits = v6.to_bits();
    let low = |bits: u128| u32::try_from(bits & u128::from(u32::MAX)).unwrap_or_default();
    let inner = match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Some(low(bits)),
        [0x2002, ..] => Some(low(bits >> 80)),
        _ => None,
    };
    [Some(address), inner.map(|bits| IpAddr::V4(bits.into()))]
}

fn split_port(text: &str) -> Result<(&str, Option<&str>), HostPatternError> {
    if let Some(rest) = text.strip_prefix('[') {
        let (_, after) = rest.split_once(']').ok_or(HostPatternError::Bracket)?;
        let host = text.strip_suffix(after).unwrap_or(text);
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(HostPatternError::Bracket),
        };
    }
    match text.split_once(':') {
        Some((_, port)) if port.contains(':') => Err(HostPatternError::AddressWithPort),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((text, None)),
    }
}

fn parse_port(text: &str) -> Result<u16, HostPatternError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    match text.parse() {
        Ok(port) if digits => Ok(port),
        _ => Err(HostPatternError::Port(text.to_owned())),
    }
}

fn parse_hosts(host: &str) -> Result<Hosts, HostPatternError> {
    if host == "*" {
        return Ok(Hosts::Any);
    }
    let domain = |text| match Canonical::of(text)? {
        Canonical::Name(name) => Ok(name.to_ascii_lowercase()),
        Canonical::Address(_) => Err(HostPatternError::WildcardAddress),
    };
    if let Some(rest) = host.strip_prefix("**.") {
        return domain(rest).map(Hosts::AtAndBelow);
    }
    if let Some(rest) = host.strip_prefix("*.") {
        return domain(rest).map(Hosts::Below);
    }
    Ok(match Canonical::of(host)? {
        Canonical::Name(name) => Hosts::Name(name.to_ascii_lowercase()),
        Canonical::Address(address) => Hosts::Address(address),
    })
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hosts {
            Hosts::Name(name) => f.write_str(name),
            Hosts::Below(domain) => write!(f, "*.{domain}"),
            Hosts::AtAndBelow(domain) => write!(f, "**.{domain}"),
            Hosts::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Hosts::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Hosts::Range(range) => f.write_str(&range.in_pattern()),
            Hosts::Any => f.write_str("*"),
        }?;
        match self.ports {
            Ports::Web => Ok(()),
            Ports::One(port) => write!(f, ":{port}"),
        }
    }
}

#[cfg(test)]
mod tests;
