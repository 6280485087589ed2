//! Translators from IPv6 to IPv4 (NAT64) that the host's network has, at prefixes of its own choice.
//!
//! Such a prefix looks like any other part of the Internet, and behind it stands every IPv4 address, private ones too. RFC 7050 says how to
//! find it: the network's name server makes IPv6 addresses for names that have none, so it is asked for one of which the IPv4 addresses are
//! known. Where they stand in the answer, and what is before them, is the prefix.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The name that has IPv4 addresses alone (RFC 7050, section 8.2).
pub(crate) const WELL_KNOWN_NAME: &str = "ipv4only.arpa";

/// Its addresses.
const WELL_KNOWN: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 0, 170), Ipv4Addr::new(192, 0, 0, 171)];

/// Lengths that a prefix may have, in bytes, and where the IPv4 address then stands: around byte 8, which is zero (RFC 6052, section 2.2).
const PLACES: [(usize, [usize; 4]); 6] = [
    (4, [4, 5, 6, 7]),
    (5, [5, 6, 7, 9]),
    (6, [6, 7, 9, 10]),
    (7, [7, 9, 10, 11]),
    (8, [9, 10, 11, 12]),
    (12, [12, 13, 14, 15]),
];

/// What is known of the network's translators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Translators {
    /// There are these, or none.
    Known(Vec<Prefix>),
    /// The name servers did not say.
    Unknown,
}

/// The prefix of a translator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    address: [u8; 16],
    bytes: usize,
    places: [usize; 4],
}

impl Prefix {
    /// Could a translator's prefix cover this address? Not what never leaves the machine or the link.
    pub(crate) fn may_cover(address: IpAddr) -> bool {
        match address {
            IpAddr::V4(_) => false,
            IpAddr::V6(address) => {
                let stays = address.is_loopback() || address.is_unicast_link_local() || address.is_multicast();
                !stays && address.to_ipv4_mapped().is_none()
            }
        }
    }

    /// All that the addresses of [`WELL_KNOWN_NAME`] speak of. Where one could be read in two ways, both count.
    pub(crate) fn all_of(answer: &[IpAddr]) -> Vec<Prefix> {
        let mut all = Vec::new();
        for address in answer {
            let IpAddr::V6(address) = address else { continue };
            for (bytes, places) in PLACES {
                let mut prefix = Prefix { address: address.octets(), bytes, places };
                if prefix.behind(*address).is_some_and(|found| WELL_KNOWN.contains(&found)) {
                    // What is behind the prefix does not belong to it.
                    prefix.address.iter_mut().skip(bytes).for_each(|byte| *byte = 0);
                    if !all.contains(&prefix) {
                        all.push(prefix);
                    }
                }
            }
        }
        all
    }

    /// The IPv4 address to which the translator carries what is sent to this address, if it carries it.
    pub(crate) fn behind(&self, address: Ipv6Addr) -> Option<Ipv4Addr> {
        let octets = address.octets();
        let begins_so = octets.iter().zip(&self.address).take(self.bytes).all(|(one, other)| one == other);
        let byte = |place: usize| octets.get(place).copied().unwrap_or_default();
        begins_so.then(|| Ipv4Addr::from(self.places.map(byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(answer: &[&str]) -> Vec<Prefix> {
        Prefix::all_of(&answer.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>())
    }

    /// The examples of RFC 6052, section 2.4: 192.0.2.33 behind a prefix of each length.
    #[test]
    fn every_length_of_a_prefix_is_found_and_read() {
        for (answer, behind) in [
            ("2001:db8:c000:aa::", "2001:db8:c000:221::"),
            ("2001:db8:1c0:0:aa::", "2001:db8:1c0:2:21::"),
            ("2001:db8:122:c000:0:aa00::", "2001:db8:122:c000:2:2100::"),
            ("2001:db8:122:3c0:0:aa::", "2001:db8:122:3c0:0:221::"),
            ("2001:db8:122:344:c0:0:aa00::", "2001:db8:122:344:c0:2:2100::"),
            ("2001:db8:122:344::192.0.0.170", "2001:db8:122:344::192.0.2.33"),
        ] {
            let found = prefixes(&[answer]);
            assert_eq!(found.len(), 1, "{answer}");
            assert_eq!(found[0].behind(behind.parse().unwrap()), Some(Ipv4Addr::new(192, 0, 2, 33)), "{answer}");
            assert_eq!(found[0].behind("2001:db9::1".parse().unwrap()), None);
        }
    }

    #[test]
    fn both_addresses_of_the_name_speak_of_one_prefix_and_others_of_none() {
        assert_eq!(prefixes(&["2001:db8:64::192.0.0.170", "192.0.0.170", "2001:db8:64::192.0.0.171"]).len(), 1);
        assert_eq!(prefixes(&["192.0.0.170", "192.0.0.171"]), []);
        assert_eq!(prefixes(&["2001:db8:64::192.0.0.172", "2001:db8::1"]), []);
        assert_eq!(prefixes(&["2001:db8:64::192.0.0.170", "64:ff9b::192.0.0.170"]).len(), 2);
    }
}
