//! Addresses that are not just some host of the Internet.
//!
//! A public name that resolves to such an address leads somewhere that its owner has no business with: the machine itself, the
//! network that it stands in, a cloud's metadata service. It is refused unless the policy lists the address for that name.
//!
//! The ranges are those of the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890) as of 2025, with the RFC of
//! each beside it. Let through as ordinary addresses, on purpose:
//!
//! - documentation (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24: RFC 5737; 2001:db8::/32: RFC 3849; 3fff::/20: RFC 9637):
//!   no machine treats them specially, and laboratories, like the tests of this project, use them as public addresses;
//! - AS112 (192.31.196.0/24, 192.175.48.0/24, 2620:4f:8000::/48: RFC 7534, 7535) and AMT (192.52.193.0/24: RFC 7450), which are
//!   reachable by everybody.
//!
//! In IPv6 everything outside of 2000::/3 is special, also what has no name yet: no host of the Internet is there (RFC 4291, 2.4).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is special about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Special {
    /// 0.0.0.0 and `::`: Linux takes them for the machine itself (RFC 1122, 3.2.1.3; RFC 4291, 2.5.2).
    Unspecified,
    /// 0.0.0.0/8: "this network" (RFC 791, 3.2).
    ThisNetwork,
    /// 127.0.0.0/8 and `::1`: the machine itself (RFC 1122, 3.2.1.3; RFC 4291, 2.5.3).
    Loopback,
    /// 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 (RFC 1918).
    Private,
    /// 100.64.0.0/10: between a provider and its customers (RFC 6598).
    Shared,
    /// 169.254.0.0/16 and fe80::/10 (RFC 3927; RFC 4291, 2.5.6).
    LinkLocal,
    /// The address of a cloud's metadata or host agent, which hands out credentials.
    Metadata,
    /// 192.0.0.0/24 and 2001::/23: protocols of the IETF (RFC 6890, 2.1; RFC 2928).
    Protocol,
    /// 198.18.0.0/15 and 2001:2::/48: benchmarks (RFC 2544; RFC 5180). bailiwick's synthetic addresses are out of it.
    Benchmarking,
    /// 224.0.0.0/4 and ff00::/8 (RFC 5771; RFC 4291, 2.7).
    Multicast,
    /// 255.255.255.255: everybody on the link (RFC 919).
    Broadcast,
    /// 240.0.0.0/4 (RFC 1112, 4), 100::/64 (RFC 6666) and everything else in IPv6 that is not for hosts of the Internet.
    Reserved,
    /// fc00::/7: private addresses of IPv6 (RFC 4193).
    UniqueLocal,
    /// fec0::/10: their predecessor (RFC 3879).
    SiteLocal,
    /// `::ffff:0:0/96`: an IPv4 address in IPv6 clothing (RFC 4291, 2.5.5.2), and `::ffff:0:0:0/96` (RFC 2765, 2.1).
    Mapped,
    /// ::/96: its predecessor (RFC 4291, 2.5.5.1).
    Compatible,
    /// 64:ff9b::/96 (RFC 6052) and 64:ff9b:1::/48 (RFC 8215): a translator carries it to an IPv4 address.
    Nat64,
    /// 2002::/16 and its relay 192.88.99.0/24: a tunnel to an IPv4 address (RFC 3056; RFC 7526).
    SixToFour,
    /// 2001::/32: a tunnel to an IPv4 address (RFC 4380).
    Teredo,
    /// The last 64 bits say that a tunnel leads to an IPv4 address that is special itself (ISATAP, RFC 5214).
    Isatap,
    /// An address of this machine's own interfaces.
    Own,
}

impl Special {
    /// In words, to follow "is".
    pub fn words(self) -> &'static str {
        match self {
            Special::Unspecified => "the unspecified address",
            Special::ThisNetwork => "an address of \"this network\"",
            Special::Loopback => "a loopback address",
            Special::Private => "a private address",
            Special::Shared => "an address shared behind a provider's translation",
            Special::LinkLocal => "a link-local address",
            Special::Metadata => "the address of a cloud's metadata service",
            Special::Protocol => "an address kept for protocols",
            Special::Benchmarking => "an address kept for benchmarks",
            Special::Multicast => "a multicast address",
            Special::Broadcast => "the broadcast address",
            Special::Reserved => "a reserved address",
            Special::UniqueLocal => "a private (unique local) address",
            Special::SiteLocal => "a private (site-local) address",
            Special::Mapped => "an IPv4 address written as an IPv6 one",
            Special::Compatible => "an IPv4-compatible IPv6 address",
            Special::Nat64 => "the address of a translator to IPv4 (NAT64)",
            Special::SixToFour => "the address of a tunnel to IPv4 (6to4)",
            Special::Teredo => "the address of a tunnel to IPv4 (Teredo)",
            Special::Isatap => "the address of a tunnel to a special IPv4 address (ISATAP)",
            Special::Own => "an address of this machine",
        }
    }
}

impl fmt::Display for Special {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// What is special about `address`; `own` are the addresses of this machine, as far as known. `None`: nothing.
///
/// The worst that is known is said: a metadata address is called so although it is link-local, too.
pub fn special(address: IpAddr, own: &[IpAddr]) -> Option<Special> {
    let by_range = match address {
        IpAddr::V4(v4) => special_v4(v4),
        IpAddr::V6(v6) => special_v6(v6),
    };
    let is_own = || own.iter().any(|mine| mine.to_canonical() == address.to_canonical());
    match by_range {
        Some(special) => Some(special),
        None if is_own() => Some(Special::Own),
        // A tunnel's end point that is special in its own right makes an ordinary looking address special.
        None => embedded(address)
            .filter(|&v4| special_v4(v4).is_some() || own.contains(&IpAddr::V4(v4)))
            .map(|_| Special::Isatap),
    }
}

/// May a name that was allowed be dialled at `address`? Every reading of the address counts: the address as it stands, and the
/// IPv4 address that it leads to through a translator or tunnel. Each must be ordinary, or listed for this name and not denied.
///
/// `own`: as for [`special`]; it must answer for each of [`readings`]. `listed`: the policy names the address for this host. `denied`: the
/// policy denies it, whatever else is said.
///
/// # Errors
/// The reading that is refused, and what it is; `None` where a `deny` rule says so.
pub fn check(
    address: IpAddr,
    own: &[IpAddr],
    listed: impl Fn(IpAddr) -> bool,
    denied: impl Fn(IpAddr) -> bool,
) -> Result<(), (IpAddr, Option<Special>)> {
    for reading in readings(address) {
        if denied(reading) {
            return Err((reading, None));
        }
        if let Some(special) = special(reading, own)
            && !listed(reading)
        {
            return Err((reading, Some(special)));
        }
    }
    Ok(())
}

/// The address, and the IPv4 address that it carries, if any.
pub fn readings(address: IpAddr) -> impl Iterator<Item = IpAddr> {
    std::iter::once(address).chain(embedded(address).map(IpAddr::V4))
}

/// The IPv4 address to which an IPv6 address leads.
///
/// 64:ff9b:1::/48 is not read: a network chooses where in it the IPv4 address stands (RFC 8215), so it cannot be told; the whole
/// range is special.
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else { return None };
    let pair = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match v6.segments() {
        // The unspecified address and loopback are not IPv4-compatible.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // Compatible, mapped, translated (SIIT), NAT64.
        [0, 0, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        // 6to4: behind the first 16 bits.
        | [0x2002, high, low, ..]
        // ISATAP: the last 32 bits, behind 00-00-5E-FE (RFC 5214, 6.1), with the universal bit set or not.
        | [.., 0 | 0x0200, 0x5efe, high, low] => Some(pair(high, low)),
        // Teredo: the client's address with every bit turned (RFC 4380, 4).
        [0x2001, 0, .., high, low] => Some(pair(!high, !low)),
        _ => None,
    }
}

fn special_v4(address: Ipv4Addr) -> Option<Special> {
    Some(match address.octets() {
        // Amazon, Google, Azure and others; Amazon's container and pod agents; Tencent; Scaleway.
        [169, 254, 169, 254] | [169, 254, 170, 2 | 23] | [169, 254, 0, 23] | [169, 254, 42, 42] => Special::Metadata,
        // Alibaba; Azure's host agent, which stands in public space; Oracle's.
        [100, 100, 100, 200] | [168, 63, 129, 16] | [192, 0, 0, 192] => Special::Metadata,
        [0, 0, 0, 0] => Special::Unspecified,
        [0, ..] => Special::ThisNetwork,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Special::Private,
        [100, 64..=127, ..] => Special::Shared,
        [127, ..] => Special::Loopback,
        [169, 254, ..] => Special::LinkLocal,
        [192, 0, 0, _] => Special::Protocol,
        [192, 88, 99, _] => Special::SixToFour,
        [198, 18 | 19, ..] => Special::Benchmarking,
        [224..=239, ..] => Special::Multicast,
        [255, 255, 255, 255] => Special::Broadcast,
        [240..=255, ..] => Special::Reserved,
        _ => return None,
    })
}

fn special_v6(address: Ipv6Addr) -> Option<Special> {
    Some(match address.segments() {
        // Amazon's metadata, resolver-side and pod agents; Google's; Scaleway's.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254 | 0x23]
        | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]
        | [0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42] => Special::Metadata,
        [0, 0, 0, 0, 0, 0, 0, 0] => Special::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Special::Loopback,
        [0, 0, 0, 0, 0, 0, ..] => Special::Compatible,
        [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => Special::Mapped,
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] => Special::Nat64,
        [0x2001, 0, ..] => Special::Teredo,
        [0x2001, 2, 0, ..] => Special::Benchmarking,
        [0x2001, 0..=0x1ff, ..] => Special::Protocol,
        [0x2002, ..] => Special::SixToFour,
        [0x2000..=0x3fff, ..] => return None,
        [0xfc00..=0xfdff, ..] => Special::UniqueLocal,
        [0xfe80..=0xfebf, ..] => Special::LinkLocal,
        [0xfec0..=0xfeff, ..] => Special::SiteLocal,
        [0xff00..=0xffff, ..] => Special::Multicast,
        // Discard-only (100::/64), segment routing (5f00::/16, RFC 9602), and what has no use yet.
        _ => Special::Reserved,
    })
}

#[cfg(test)]
mod tests;
