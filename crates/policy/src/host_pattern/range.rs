//! Ranges of addresses: an address and how many of its leading bits count (CIDR, RFC 4632, section 3.1; RFC 4291, 2.3).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Serialize, Serializer};

use super::HostPatternError;

/// A range of addresses. An IPv4-mapped IPv6 address counts as its IPv4 address throughout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddressRange {
    /// The first address: no bit after the prefix is set.
    first: IpAddr,
    /// Leading bits that count: at most 32 or 128.
    prefix: u8,
}

impl AddressRange {
    /// Reads `10.0.0.0/8`, `2001:db8::/32`, `[2001:db8::]/32`, or a single address.
    ///
    /// # Errors
    /// Anything else; a range whose address lies inside it instead of at its start, with the range that was meant.
    pub fn parse(text: &str) -> Result<AddressRange, HostPatternError> {
        if let Some(wrong) = text.chars().find(|c| c.is_control() || c.is_whitespace() || *c == '%') {
            return Err(HostPatternError::Character(wrong));
        }
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address = literal(address).ok_or(HostPatternError::NoRange)?;
        match prefix {
            Some(prefix) => AddressRange::new(address, prefix),
            None => Ok(AddressRange::of(address)),
        }
    }

    /// The range of exactly one address.
    pub fn of(address: IpAddr) -> AddressRange {
        let first = address.to_canonical();
        AddressRange { first, prefix: width(first) }
    }

    /// Whether every address of this family is in the range.
    pub fn is_everything(&self) -> bool {
        self.prefix == 0
    }

    /// Is the address in the range?
    pub fn contains(&self, address: IpAddr) -> bool {
        start(address.to_canonical(), self.prefix) == Some(self.first)
    }

    /// Is every address of `other` in this range?
    pub fn covers(&self, other: &AddressRange) -> bool {
        self.prefix <= other.prefix && self.contains(other.first)
    }

    /// Is there an address in both?
    pub fn overlaps(&self, other: &AddressRange) -> bool {
        self.covers(other) || other.covers(self)
    }

    pub(super) fn new(address: IpAddr, prefix: &str) -> Result<AddressRange, HostPatternError> {
        let is_plain = prefix.bytes().all(|byte| byte.is_ascii_digit()) && (prefix == "0" || !prefix.starts_with('0'));
        let bits = prefix.parse::<u8>().ok().filter(|bits| is_plain && *bits <= width(address));
        let bits = bits.ok_or_else(|| HostPatternError::Prefix(prefix.to_owned(), width(address)))?;
        let canonical = address.to_canonical();
        if canonical != address {
            // `::ffff:10.0.0.0/104` is `10.0.0.0/8`; programs disagree on which of the two it is about.
            let meant = bits.checked_sub(96).and_then(|bits| Some((start(canonical, bits)?, bits)));
            return Err(HostPatternError::MappedRange(meant.map(|(first, prefix)| AddressRange { first, prefix })));
        }
        match start(address, bits) {
            Some(first) if first == address => Ok(AddressRange { first, prefix: bits }),
            Some(first) => Err(HostPatternError::HostBits(AddressRange { first, prefix: bits })),
            None => Err(HostPatternError::Prefix(prefix.to_owned(), width(address))),
        }
    }

    /// As it stands in a host pattern: an IPv6 address in brackets.
    pub(super) fn in_pattern(&self) -> String {
        match self.first {
            IpAddr::V4(first) => format!("{first}/{}", self.prefix),
            IpAddr::V6(first) => format!("[{first}]/{}", self.prefix),
        }
    }
}

/// An address literal, an IPv6 one with or without brackets.
pub(super) fn literal(text: &str) -> Option<IpAddr> {
    match text.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    }
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The first address of the range of `prefix` bits that `address` lies in; `None` if the address has fewer bits.
fn start(address: IpAddr, prefix: u8) -> Option<IpAddr> {
    let after = width(address).checked_sub(prefix)?;
    Some(match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(u32::from(after)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(u32::from(after)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    })
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix == width(self.first) {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}/{}", self.first, self.prefix),
        }
    }
}

impl Serialize for AddressRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
