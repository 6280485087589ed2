//! What is wrong with a host pattern, and what was probably meant.

use std::fmt;
use std::net::Ipv4Addr;

use super::AddressRange;

/// Why a text is not a host pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostPatternError {
    /// Nothing, or nothing but a port or a dot.
    Empty,
    /// A scheme: `https://…`.
    Scheme,
    /// A path, a query or a fragment.
    Path,
    /// A user name: `user@host`.
    User,
    /// A letter outside ASCII.
    NotAscii,
    /// A character that no host name has.
    Character(char),
    /// Two dots in a row, or one at the start.
    EmptyLabel,
    /// A label of more than 63 letters.
    LongLabel,
    /// A name of more than 253 letters.
    LongName,
    /// A label that starts or ends with a hyphen.
    Hyphen,
    /// A `*` anywhere but in front.
    Wildcard,
    /// A wildcard in front of an address.
    WildcardAddress,
    /// A spelling of an IPv4 address that not every reader understands alike; the plain one, where it is certain.
    AddressSpelling(Option<Ipv4Addr>),
    /// Brackets that do not hold an IPv6 address.
    Bracket,
    /// An IPv6 address with a port but without brackets, or more than one port.
    AddressWithPort,
    /// A port that is not a number from 1 to 65535.
    Port(String),
    /// A prefix length that is not a number from 0 to the address's number of bits, which follows.
    Prefix(String, u8),
    /// The address of a range lies inside it; the range that was meant.
    HostBits(AddressRange),
    /// A range of IPv4-mapped addresses; the range of IPv4 addresses, where there is one.
    MappedRange(Option<AddressRange>),
    /// Neither an address nor a range of addresses.
    NoRange,
}

/// The forms that people write out of habit, recognised as a whole so that the message can say so.
pub(super) fn wrong_form(text: &str) -> Option<HostPatternError> {
    if text.is_empty() {
        return Some(HostPatternError::Empty);
    }
    if let Some(strange) = text.chars().find(|c| c.is_control() || c.is_whitespace() || *c == '%') {
        return Some(HostPatternError::Character(strange));
    }
    if text.contains("://") {
        return Some(HostPatternError::Scheme);
    }
    if text.contains(['/', '?', '#', '\\']) {
        return Some(HostPatternError::Path);
    }
    if text.contains('@') {
        return Some(HostPatternError::User);
    }
    (!text.is_ascii()).then_some(HostPatternError::NotAscii)
}

impl fmt::Display for HostPatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a host name is missing; write one such as `example.org`"),
            Self::Scheme => f.write_str("leave the scheme off: write `example.org`, not `https://example.org`"),
            Self::Path => f.write_str(
                "leave the path off: this is about whole hosts (a range of addresses is written `10.0.0.0/8` or `10.0.0.0/8:5432`)",
            ),
            Self::User => f.write_str("leave the user name off: write the host alone"),
            Self::NotAscii => {
                f.write_str("a letter is outside ASCII; write the name's punycode form (`xn--…`), as DNS does")
            }
            Self::Character(c) => write!(f, "`{}` cannot be part of a host name", c.escape_default()),
            Self::EmptyLabel => f.write_str("a part between two dots is empty; remove the extra dot"),
            Self::LongLabel => f.write_str("a part between two dots is longer than 63 letters, which DNS does not have"),
            Self::LongName => f.write_str("the name is longer than 253 letters, which DNS does not have"),
            Self::Hyphen => f.write_str("a part between two dots starts or ends with a hyphen"),
            Self::Wildcard => f.write_str(
                "`*` stands only in front: `*.example.org` for the names below, `**.example.org` for the name too, `*` for every host",
            ),
            Self::WildcardAddress => f.write_str("addresses have no sub-domains; write the address without `*`"),
            Self::AddressSpelling(Some(address)) => write!(f, "write the address as `{address}`"),
            Self::AddressSpelling(None) => f.write_str(
                "programs disagree on which address this is; write an IPv4 address as four decimal numbers, such as `192.0.2.1`",
            ),
            Self::Bracket => f.write_str("brackets hold an IPv6 address, such as `[2001:db8::1]`, `[2001:db8::1]:443` or, for a range, `[2001:db8::]/32:443`"),
            Self::AddressWithPort => f.write_str(
                "there is more than one colon; write an IPv6 address with a port in brackets, such as `[2001:db8::1]:443`",
            ),
            Self::Prefix(prefix, most) => {
                let example = if *most == 32 { "10.0.0.0/8" } else { "2001:db8::/32" };
                let prefix: String = prefix.chars().take(20).flat_map(char::escape_default).collect();
                write!(f, "`{prefix}` is not a number of leading bits; write one from 0 to {most}, such as `{example}`")
            }
            Self::HostBits(range) => write!(f, "the address lies inside the range; write the range as `{range}`"),
            Self::MappedRange(Some(range)) => write!(f, "write the range by its IPv4 addresses, as `{range}`"),
            Self::MappedRange(None) => f.write_str("write the range by its IPv4 addresses, such as `10.0.0.0/8`"),
            Self::NoRange => {
                f.write_str("not an address; write one such as `192.0.2.1`, or a range such as `10.0.0.0/8` or `2001:db8::/32`")
            }
            Self::Port(port) if port == "*" => {
                f.write_str("`*` is not a port; write one entry for each port, such as `example.org:8080`")
            }
            Self::Port(port) => {
                let port: String = port.chars().take(20).flat_map(char::escape_default).collect();
                write!(f, "`{port}` is not a port; write a number from 1 to 65535")
            }
        }
    }
}

impl std::error::Error for HostPatternError {}
