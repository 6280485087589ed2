//! Synthetic addresses: what an allowed name resolves to inside.
//!
//! The inside never learns a host's real address. It gets one out of a range that belongs to nobody, and a connection to it
//! means the name. So the name that is decided about is the one that the program asked for, and the real address is looked up
//! by the gate, at the time of dialling.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

/// The address inside that resolv.conf names as the name server.
pub const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);

/// Most names of a run. A name keeps its address as long as the run lasts: an address that came to mean another name would
/// let a program that remembers it reach what it did not ask for.
pub const MOST_NAMES: usize = 16_384;

/// Addresses of one row of the range, `198.19.row.1` to `198.19.row.254`: programs distrust a last number of 0 or 255.
const ROW: usize = 254;

/// The names that were given an address in this run.
#[derive(Debug, Default)]
pub struct Synthetic {
    /// By number; the number makes the address.
    names: Vec<Rc<str>>,
    numbers: HashMap<Rc<str>, u16>,
}

impl Synthetic {
    /// No names yet.
    pub fn new() -> Synthetic {
        Synthetic::default()
    }

    /// The address of a name (lower case, checked): always the same one in a run. `None` when the table is full.
    pub fn address_of(&mut self, name: &str) -> Option<Ipv4Addr> {
        if let Some(&number) = self.numbers.get(name) {
            return address(usize::from(number));
        }
        let number = self.names.len();
        if number >= MOST_NAMES {
            return None;
        }
        let address = address(number)?;
        let name: Rc<str> = name.into();
        self.numbers.insert(Rc::clone(&name), u16::try_from(number).ok()?);
        self.names.push(name);
        Some(address)
    }

    /// Was this name given an address already?
    pub fn knows(&self, name: &str) -> bool {
        self.numbers.contains_key(name)
    }

    /// The name that an address means; `None` if it was given to none.
    pub fn name_of(&self, address: IpAddr) -> Option<&str> {
        self.names.get(number(address)?).map(|name| &**name)
    }

    /// Is this address out of 198.18.0.0/15, the range for benchmarks (RFC 2544) that no network routes?
    ///
    /// An address of it that has no name is nobody's: never dial it.
    pub fn is_synthetic(address: IpAddr) -> bool {
        matches!(address.to_canonical(), IpAddr::V4(v4) if matches!(v4.octets(), [198, 18 | 19, _, _]))
    }
}

fn address(number: usize) -> Option<Ipv4Addr> {
    let row = u8::try_from(number / ROW).ok()?;
    let place = u8::try_from(number % ROW + 1).ok()?;
    Some(Ipv4Addr::new(198, 19, row, place))
}

fn number(address: IpAddr) -> Option<usize> {
    let IpAddr::V4(v4) = address.to_canonical() else { return None };
    match v4.octets() {
        [198, 19, row, place @ 1..=254] => Some(usize::from(row) * ROW + usize::from(place) - 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_address_and_the_address_means_the_name() {
        let mut names = Synthetic::new();
        let first = names.address_of("a.example").unwrap();
        let second = names.address_of("b.example").unwrap();
        assert_ne!(first, second);
        assert_eq!(names.address_of("a.example"), Some(first));
        assert_eq!(names.name_of(first.into()), Some("a.example"));
        assert_eq!(names.name_of(second.into()), Some("b.example"));
        assert_eq!(names.name_of(first.to_ipv6_mapped().into()), Some("a.example"));
    }

    #[test]
    fn what_was_not_given_out_means_nothing() {
        let mut names = Synthetic::new();
        names.address_of("a.example");
        for address in ["198.19.0.0", "198.19.0.2", "198.19.0.255", "198.18.0.1", "198.19.255.254", "10.0.0.1", "::1"] {
            assert_eq!(names.name_of(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn a_full_table_gives_no_more_and_takes_none_back() {
        let mut names = Synthetic::new();
        let mut seen = std::collections::HashSet::new();
        for number in 0..MOST_NAMES {
            let name = format!("n{number}.example");
            let address = names.address_of(&name).unwrap();
            assert!(seen.insert(address) && Synthetic::is_synthetic(address.into()));
            assert!(!matches!(address.octets()[3], 0 | 255));
            assert_eq!(names.name_of(address.into()), Some(name.as_str()));
        }
        assert_eq!(names.address_of("one-more.example"), None);
        assert_eq!(names.name_of("198.19.0.1".parse().unwrap()), Some("n0.example"));
    }

    #[test]
    fn the_range_has_its_edges() {
        for (address, within) in [
            ("198.18.0.0", true),
            ("198.19.255.255", true),
            ("::ffff:198.18.0.1", true),
            ("198.17.255.255", false),
            ("198.20.0.0", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(Synthetic::is_synthetic(address.parse().unwrap()), within, "{address}");
        }
    }
}
