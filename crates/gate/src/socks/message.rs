//! The messages of SOCKS5, as pure functions of the bytes that have come so far.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bailiwick_policy::host_pattern::Host;

/// The reply to a request: it is granted (RFC 1928 section 6).
pub(super) const SUCCEEDED: u8 = 0;
/// The reply to a malformed request: general failure.
const FAILURE: u8 = 1;
/// The reply to a host that is not spelt as one: not allowed by the ruleset.
const NOT_ALLOWED: u8 = 2;
/// The reply to everything but CONNECT.
pub(super) const COMMAND_NOT_SUPPORTED: u8 = 7;
/// The reply to an unknown type of address.
const ADDRESS_NOT_SUPPORTED: u8 = 8;

/// What a SOCKS4 client understands: request rejected.
pub(super) const REFUSED_4: [u8; 8] = [0, 0x5b, 0, 0, 0, 0, 0, 0];

/// A message that is whole, with its length, or not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parsed<T> {
    /// The message and how many bytes it has.
    Whole(T, usize),
    /// More bytes are needed.
    More,
}

/// A way to log in (RFC 1928 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// None is needed.
    Nothing,
    /// User name and password.
    Password,
    /// None of those offered.
    None,
}

/// What a client offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    /// To say nothing.
    pub(super) nothing: bool,
    /// To say user name and password.
    pub(super) password: bool,
}

/// User name and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    /// The user name.
    pub(super) user: Vec<u8>,
    /// The password.
    pub(super) password: Vec<u8>,
}

/// What a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A connection.
    Connect(Host, u16),
    /// BIND, UDP ASSOCIATE or an unknown command.
    Other,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// SOCKS4.
    Version4,
    /// Not SOCKS at all.
    Version,
    /// The log-in is of another version than 1.
    LoginVersion,
    /// The reserved byte is not 0.
    Reserved,
    /// An unknown type of address.
    AddressType,
    /// The name is none that a host can have, or the port is 0.
    Host,
}

impl Malformed {
    /// The reply field that answers it.
    pub(super) fn reply(self) -> u8 {
        match self {
            Malformed::AddressType => ADDRESS_NOT_SUPPORTED,
            Malformed::Host => NOT_ALLOWED,
            _ => FAILURE,
        }
    }

    /// For a person.
    pub(super) fn words(self) -> &'static str {
        match self {
            Malformed::Version4 => "a client spoke SOCKS4: use SOCKS5",
            Malformed::Version => "a client of the SOCKS port did not speak SOCKS5",
            Malformed::LoginVersion => "a SOCKS client logged in by an unknown version of user name and password",
            Malformed::Reserved => "a SOCKS client's request has a reserved byte that is not 0",
            Malformed::AddressType => "a SOCKS client's request has an address of an unknown type",
            Malformed::Host => {
                "a SOCKS client asked for a host that is neither a host name nor an address, or for port 0"
            }
        }
    }
}

type Message<T> = Result<Parsed<T>, Malformed>;

/// `VER NMETHODS METHODS` (RFC 1928 section 3).
pub(super) fn greeting(bytes: &[u8]) -> Message<Offer> {
    check_version(bytes)?;
    let Some((&[_, count], rest)) = bytes.split_first_chunk() else { return Ok(Parsed::More) };
    match rest.get(..usize::from(count)) {
        None => Ok(Parsed::More),
        Some(methods) => {
            let offer = Offer { nothing: methods.contains(&0), password: methods.contains(&2) };
            Ok(Parsed::Whole(offer, 2 + methods.len()))
        }
    }
}

/// `VER ULEN UNAME PLEN PASSWD` (RFC 1929 section 2).
pub(super) fn login(bytes: &[u8]) -> Message<Login> {
    match bytes.first() {
        None => return Ok(Parsed::More),
        Some(1) => {}
        Some(_) => return Err(Malformed::LoginVersion),
    }
    let Some((user, rest)) = counted(bytes.get(1..).unwrap_or_default()) else { return Ok(Parsed::More) };
    let Some((password, _)) = counted(rest) else { return Ok(Parsed::More) };
    let login = Login { user: user.to_vec(), password: password.to_vec() };
    Ok(Parsed::Whole(login, 3 + user.len() + password.len()))
}

/// A text behind its length in one byte, and what follows it.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

/// `VER CMD RSV ATYP DST.ADDR DST.PORT` (RFC 1928 section 4).
pub(super) fn request(bytes: &[u8]) -> Message<Wanted> {
    check_version(bytes)?;
    let Some((&[_, command, reserved, kind], rest)) = bytes.split_first_chunk() else { return Ok(Parsed::More) };
    if reserved != 0 {
        return Err(Malformed::Reserved);
    }
    let (text, address_length) = match kind {
        1 => (false, 4),
        4 => (false, 16),
        3 => match rest.first() {
            Some(length) => (true, 1 + usize::from(*length)),
            None => return Ok(Parsed::More),
        },
        _ => return Err(Malformed::AddressType),
    };
    let Some((address, rest)) = rest.split_at_checked(address_length) else { return Ok(Parsed::More) };
    let Some(port) = rest.first_chunk().map(|port| u16::from_be_bytes(*port)) else { return Ok(Parsed::More) };
    if command != 1 {
        return Ok(Parsed::Whole(Wanted::Other, 4 + address_length + 2));
    }
    let host = if text { name(address.get(1..).unwrap_or_default())? } else { literal(address)? };
    if port == 0 {
        return Err(Malformed::Host);
    }
    Ok(Parsed::Whole(Wanted::Connect(host, port), 4 + address_length + 2))
}

/// A name, or an address as text. The one strict reader of host names decides which: a NUL, a percent sign or `0x7f.1` is
/// neither.
fn name(bytes: &[u8]) -> Result<Host, Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed::Host)?;
    Host::parse(text).map_err(|_| Malformed::Host)
}

fn literal(bytes: &[u8]) -> Result<Host, Malformed> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Ok(Host::Address(IpAddr::V4(Ipv4Addr::from(octets))));
    }
    let octets = <[u8; 16]>::try_from(bytes).map_err(|_| Malformed::AddressType)?;
    Ok(Host::Address(IpAddr::V6(Ipv6Addr::from(octets))))
}

fn check_version(bytes: &[u8]) -> Result<(), Malformed> {
    match bytes.first() {
        None | Some(5) => Ok(()),
        Some(4) => Err(Malformed::Version4),
        Some(_) => Err(Malformed::Version),
    }
}

/// `VER METHOD`
pub(super) fn choice(method: Method) -> [u8; 2] {
    match method {
        Method::Nothing => [5, 0],
        Method::Password => [5, 2],
        Method::None => [5, 0xff],
    }
}

/// `VER STATUS` of the log-in.
pub(super) fn login_reply(right: bool) -> [u8; 2] {
    [1, u8::from(!right)]
}

/// A reply without bound address: the client has no use for the gate's (RFC 1928 section 6).
pub(super) fn reply(field: u8) -> [u8; 10] {
    [5, field, 0, 1, 0, 0, 0, 0, 0, 0]
}

#[cfg(test)]
mod tests;
