//! `host[:port]`, as it stands in `Host`, in CONNECT and in absolute targets (RFC 3986 section 3.2, RFC 9112 section 3.2).

use std::net::{IpAddr, Ipv6Addr};

use bailiwick_policy::host_pattern::Host;

/// A host and, where one was written, a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    /// The host, canonical.
    pub(crate) host: Host,
    /// The port, if written.
    pub(crate) port: Option<u16>,
}

/// What is wrong with an authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthorityError {
    /// `user@host`: what stands before the `@` is easily taken for the host.
    UserInfo,
    /// The host is neither a name nor an address literal, or an IPv6 address without its brackets.
    Host,
    /// The port is not a number of 1 to 65535 without leading zero.
    Port,
}

impl std::fmt::Display for AuthorityError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            AuthorityError::UserInfo => "it names a user before the host, which is not accepted",
            AuthorityError::Host => "its host is neither a host name nor an address (IPv6 in brackets)",
            AuthorityError::Port => "its port is not a number of 1 to 65535",
        })
    }
}

impl std::error::Error for AuthorityError {}

impl Authority {
    /// Reads an authority.
    ///
    /// # Errors
    /// Whatever is not exactly `name`, `address`, `[address]`, each with an optional `:port`.
    pub(crate) fn parse(text: &str) -> Result<Authority, AuthorityError> {
        if text.contains('@') {
            return Err(AuthorityError::UserInfo);
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (inner, after) = rest.split_once(']').ok_or(AuthorityError::Host)?;
            let address: Ipv6Addr = inner.parse().map_err(|_| AuthorityError::Host)?;
            let port = match after.strip_prefix(':') {
                Some(port) => Some(parse_port(port)?),
                None if after.is_empty() => None,
                None => return Err(AuthorityError::Host),
            };
            return Ok(Authority { host: Host::Address(IpAddr::V6(address)), port });
        }
        let (host, port) = match text.split_once(':') {
            // More than one colon: an IPv6 address without brackets, whose last part could be a port.
            Some((_, port)) if port.contains(':') => return Err(AuthorityError::Host),
            Some((host, port)) => (host, Some(parse_port(port)?)),
            None => (text, None),
        };
        Ok(Authority { host: Host::parse(host).map_err(|_| AuthorityError::Host)?, port })
    }
}

fn parse_port(text: &str) -> Result<u16, AuthorityError> {
    match super::lex::decimal(text.as_bytes()).map(u16::try_from) {
        Some(Ok(port)) if port > 0 => Ok(port),
        _ => Err(AuthorityError::Port),
    }
}

/// The authority as a request says it: the port only where it is not the scheme's own, IPv6 in brackets.
pub(crate) fn written(host: &Host, port: u16, default_port: u16) -> String {
    let host = match host {
        Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
        Host::Address(address) => address.to_string(),
        Host::Name(name) => name.clone(),
    };
    if port == default_port { host } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_ports() {
        let parse =
            |text: &str| Authority::parse(text).map(|it| (written(&it.host, it.port.unwrap_or(80), 80), it.port));
        assert_eq!(parse("Example.ORG"), Ok(("example.org".into(), None)));
        assert_eq!(parse("example.org.:8080"), Ok(("example.org:8080".into(), Some(8080))));
        assert_eq!(parse("192.0.2.7:80"), Ok(("192.0.2.7".into(), Some(80))));
        assert_eq!(parse("[2001:db8::1]:443"), Ok(("[2001:db8::1]:443".into(), Some(443))));
        assert_eq!(parse("[2001:DB8::1]"), Ok(("[2001:db8::1]".into(), None)));
    }

    #[test]
    fn what_could_be_read_two_ways_is_refused() {
        for (text, error) in [
            ("", AuthorityError::Host),
            (":80", AuthorityError::Host),
            ("a:", AuthorityError::Port),
            ("a:0", AuthorityError::Port),
            ("a:080", AuthorityError::Port),
            ("a:65536", AuthorityError::Port),
            ("a:+1", AuthorityError::Port),
            ("a:1:2", AuthorityError::Host),
            ("2001:db8::1", AuthorityError::Host),
            ("[::1", AuthorityError::Host),
            ("[::1]80", AuthorityError::Host),
            ("[fe80::1%eth0]:80", AuthorityError::Host),
            ("[example.org]", AuthorityError::Host),
            ("[127.0.0.1]", AuthorityError::Host),
            ("user@example.org", AuthorityError::UserInfo),
            ("example.org@evil.example", AuthorityError::UserInfo),
            ("example.org%00.evil.example", AuthorityError::Host),
            ("example.org/evil", AuthorityError::Host),
            ("0x7f.1", AuthorityError::Host),
            ("127.1", AuthorityError::Host),
            ("a..b", AuthorityError::Host),
            (" a", AuthorityError::Host),
        ] {
            assert_eq!(Authority::parse(text), Err(error), "{text}");
        }
    }
}
