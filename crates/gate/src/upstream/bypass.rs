//! `NO_PROXY`: what is reached directly.

use std::net::IpAddr;

use bailiwick_policy::host_pattern::Host;

use super::url::split_port;
use crate::gate::Target;

/// The entries of `NO_PROXY`. What is none is passed over, as everybody does.
pub(super) struct Bypass {
    entries: Vec<Entry>,
}

struct Entry {
    hosts: Hosts,
    port: Option<u16>,
}

enum Hosts {
    All,
    /// The name and everything below it.
    AtAndBelow(String),
    Address(IpAddr),
    /// An address and the number of its bits that count.
    Network(IpAddr, u8),
}

impl Bypass {
    /// Reads a list separated by commas.
    pub(super) fn parse(text: &str) -> Bypass {
        Bypass { entries: text.split(',').filter_map(|entry| Entry::parse(entry.trim())).collect() }
    }

    /// Is this target reached directly?
    pub(super) fn covers(&self, target: &Target) -> bool {
        self.entries.iter().any(|entry| entry.covers(target))
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Entry> {
        if let Some((address, bits)) = text.split_once('/') {
            let (address, bits) = (address.parse().ok()?, bits.parse().ok()?);
            return Some(Entry { hosts: Hosts::Network(address, bits), port: None });
        }
        let (host, port) = split_port(text);
        let port = match port {
            Some(port) => Some(port.parse().ok()?),
            None => None,
        };
        if host == "*" {
            return Some(Entry { hosts: Hosts::All, port });
        }
        let host = host.strip_prefix("*.").or_else(|| host.strip_prefix('.')).unwrap_or(host);
        let hosts = match Host::parse(host).ok()? {
            Host::Name(name) => Hosts::AtAndBelow(name),
            Host::Address(address) => Hosts::Address(address.to_canonical()),
        };
        Some(Entry { hosts, port })
    }

    fn covers(&self, target: &Target) -> bool {
        let on_host = match (&self.hosts, &target.host) {
            (Hosts::All, _) => true,
            (Hosts::AtAndBelow(domain), Host::Name(name)) => {
                name.strip_suffix(domain.as_str()).is_some_and(|head| head.is_empty() || head.ends_with('.'))
            }
            (Hosts::Address(mine), Host::Address(theirs)) => *mine == theirs.to_canonical(),
            (Hosts::Network(network, bits), Host::Address(address)) => {
                is_within(*network, *bits, address.to_canonical())
            }
            _ => false,
        };
        on_host && self.port.is_none_or(|port| port == target.port)
    }
}

fn is_within(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (u128::from(network.to_bits()), u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let Some(ignored) = u32::checked_sub(width, u32::from(bits)) else { return false };
    // All bits ignored: the shift would be too wide.
    network.checked_shr(ignored).unwrap_or(0) == address.checked_shr(ignored).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(list: &str, host: &str, port: u16) -> bool {
        Bypass::parse(list).covers(&Target { host: Host::parse(host).unwrap(), port })
    }

    #[test]
    fn names_cover_what_lies_below_them() {
        let list = "corp.example, .dot.example,*.star.example,only.example:8443";
        for (host, port, expected) in [
            ("corp.example", 443, true),
            ("a.corp.example", 1, true),
            ("notcorp.example", 443, false),
            ("example", 443, false),
            ("a.dot.example", 443, true),
            ("a.star.example", 443, true),
            ("only.example", 8443, true),
            ("only.example", 443, false),
        ] {
            assert_eq!(covers(list, host, port), expected, "{host}:{port}");
        }
        assert!(covers("*", "anything.example", 1));
        assert!(!covers("", "anything.example", 1));
    }

    #[test]
    fn addresses_and_networks_cover_addresses_only() {
        let list = "10.0.0.0/8,192.0.2.1,2001:db8::/32,[2001:db9::1]:443,not a host,1.2.3.4/99";
        for (host, port, expected) in [
            ("10.255.0.1", 1, true),
            ("11.0.0.1", 1, false),
            ("192.0.2.1", 1, true),
            ("192.0.2.2", 1, false),
            ("2001:db8::5", 1, true),
            ("2001:db9::1", 443, true),
            ("2001:db9::1", 80, false),
            ("1.2.3.4", 80, false),
            ("name.example", 80, false),
        ] {
            assert_eq!(covers(list, host, port), expected, "{host}:{port}");
        }
        assert!(covers("0.0.0.0/0", "192.0.2.1", 1) && covers("::/0", "2001:db8::1", 1));
    }
}
