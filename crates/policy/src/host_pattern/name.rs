//! What a host may be called: a plain DNS name or an address literal, nothing in between.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::HostPatternError;

/// Most letters of one label (RFC 1035, 2.3.4).
const LONGEST_LABEL: usize = 63;
/// Most letters of a whole name without the trailing dot (RFC 1035, 2.3.4, less the length bytes).
const LONGEST_NAME: usize = 253;

/// A host whose spelling leaves no doubt.
pub(super) enum Canonical<'a> {
    /// A name, without trailing dot; letters in any case.
    Name(&'a str),
    /// An address literal.
    Address(IpAddr),
}

impl<'a> Canonical<'a> {
    /// Reads a name or an address literal; one trailing dot of a name is dropped.
    pub(super) fn of(text: &'a str) -> Result<Self, HostPatternError> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(HostPatternError::Bracket)?;
            let address = inner.parse::<Ipv6Addr>().map_err(|_| HostPatternError::Bracket)?;
            return Ok(Canonical::Address(IpAddr::V6(address)));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Canonical::Address(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        check_name(name)?;
        Ok(Canonical::Name(name))
    }
}

fn check_name(name: &str) -> Result<(), HostPatternError> {
    if name.is_empty() {
        return Err(HostPatternError::Empty);
    }
    if name.len() > LONGEST_NAME {
        return Err(HostPatternError::LongName);
    }
    let mut last = "";
    for label in name.split('.') {
        check_label(label)?;
        last = label;
    }
    if ends_in_a_number(last) {
        // `1.2.3.4.`, `127.1`, `0x7f000001`, `017700000001`: some resolvers take them for IPv4 addresses.
        return Err(match name.parse::<Ipv4Addr>() {
            Ok(address) => HostPatternError::AddressSpelling(Some(address)),
            Err(_) => HostPatternError::AddressSpelling(None),
        });
    }
    Ok(())
}

fn check_label(label: &str) -> Result<(), HostPatternError> {
    if label.is_empty() {
        return Err(HostPatternError::EmptyLabel);
    }
    if label.contains('*') {
        return Err(HostPatternError::Wildcard);
    }
    if let Some(strange) = label.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_')) {
        return Err(HostPatternError::Character(strange));
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err(HostPatternError::Hyphen);
    }
    if label.len() > LONGEST_LABEL {
        return Err(HostPatternError::LongLabel);
    }
    Ok(())
}

/// Would a reader of addresses take a name with this last label for an IPv4 address (WHATWG URL, "ends in a number")?
fn ends_in_a_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    label.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
