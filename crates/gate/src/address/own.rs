//! Which addresses are this machine's own.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// Those of `candidates` that this machine would deliver to itself: its interfaces' addresses, and whatever else its routes say
/// is local.
///
/// The kernel is asked about each candidate, not for a list of interfaces: only what is local can be bound to. That takes some
/// microseconds, needs no rights, is never out of date, and also knows what a route makes local without an interface's address
/// (`ip route add local`). No packet is sent.
///
/// # Errors
/// The system's error where it gives no answer (out of descriptors, say): then nothing may be dialled.
pub fn own_among(candidates: impl IntoIterator<Item = IpAddr>) -> io::Result<Vec<IpAddr>> {
    let mut routes = Routes::default();
    let mut own = Vec::new();
    for candidate in candidates {
        if is_own(candidate, &mut routes)? {
            own.push(candidate);
        }
    }
    Ok(own)
}

fn is_own(address: IpAddr, routes: &mut Routes) -> io::Result<bool> {
    match UdpSocket::bind(SocketAddr::new(address, 0)) {
        // Where programs may bind to any address, binding says nothing.
        Ok(_) if binds_anything(address) => Ok(routes.lead_within(address)? || is_listed(address)?),
        Ok(_) => Ok(true),
        Err(error) => match error.kind() {
            // In IPv6 what only a route makes local cannot be bound to.
            io::ErrorKind::AddrNotAvailable if address.is_ipv6() => routes.lead_within(address),
            io::ErrorKind::AddrNotAvailable => Ok(false),
            // Every port of it is taken: so it can be bound to.
            io::ErrorKind::AddrInUse => Ok(true),
            // There is no IPv6 here, or a link-local address lacks its scope: such an address cannot be dialled either.
            io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput => Ok(false),
            _ if no_such_family(&error) => Ok(false),
            _ => Err(error),
        },
    }
}

#[cfg(target_os = "linux")]
use linux::{Routes, binds_anything, is_listed, no_such_family};

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

    /// Asks where the routes lead. One socket of each family serves all questions of a call: to make one costs more than to ask.
    #[derive(Default)]
    pub(super) struct Routes {
        v4: Option<UdpSocket>,
        v6: Option<UdpSocket>,
    }

    impl Routes {
        /// Would a packet to this address not leave the machine? Then it comes from that address itself, or from loopback. Connecting a
        /// UDP socket makes the kernel choose, and sends nothing.
        pub(super) fn lead_within(&mut self, address: IpAddr) -> io::Result<bool> {
            let (place, any) = match address {
                IpAddr::V4(_) => (&mut self.v4, IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
                IpAddr::V6(_) => (&mut self.v6, IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
            };
            let socket = match place {
                Some(socket) => socket,
                None => place.insert(UdpSocket::bind(SocketAddr::new(any, 0))?),
            };
            // The port is that of "discard" (RFC 863), and does not matter. Without a route it cannot be dialled either.
            if socket.connect(SocketAddr::new(address, 9)).is_err() {
                return Ok(false);
            }
            let source = socket.local_addr()?.ip().to_canonical();
            // Else the next answer would begin with this one's source.
            rustix::net::connect_unspec(&*socket)?;
            Ok(source == address.to_canonical() || source.is_loopback())
        }
    }

    /// Has the administrator let programs bind to addresses that are not there (`ip_nonlocal_bind`, ip(7))?
    pub(super) fn binds_anything(address: IpAddr) -> bool {
        let file = match address.to_canonical() {
            IpAddr::V4(_) => "/proc/sys/net/ipv4/ip_nonlocal_bind",
            IpAddr::V6(_) => "/proc/sys/net/ipv6/ip_nonlocal_bind",
        };
        std::fs::read_to_string(file).is_ok_and(|text| text.trim() != "0")
    }

    /// Is it among the local addresses of the routing table? Of IPv4 only: there a second address of an interface is not its own source,
    /// but the first one is. In IPv6 every address is (RFC 6724, 5, rule 1).
    pub(super) fn is_listed(address: IpAddr) -> io::Result<bool> {
        match address.to_canonical() {
            IpAddr::V4(v4) => Ok(lists(&std::fs::read_to_string("/proc/self/net/fib_trie")?, v4)),
            IpAddr::V6(_) => Ok(false),
        }
    }

    /// Reads the kernel's print of its IPv4 routes: an address on a line of its own, below it what it is.
    fn lists(text: &str, address: Ipv4Addr) -> bool {
        let mut current = None;
        text.lines().map(str::trim).any(|line| match line.strip_prefix("|-- ") {
            Some(leaf) => {
                current = leaf.parse::<Ipv4Addr>().ok();
                false
            }
            None => current == Some(address) && line == "/32 host LOCAL",
        })
    }

    #[cfg(test)]
    #[test]
    fn the_local_leaves_of_the_routes_are_read() {
        let text = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     +-- 192.0.2.0/24 2 0 2\n\
                    \x20       |-- 192.0.2.2\n           /32 host LOCAL\n        |-- 192.0.2.255\n           /32 link BROADCAST\n";
        let lists = |address: &str| lists(text, address.parse().unwrap());
        assert!(lists("192.0.2.2"));
        assert!(!lists("192.0.2.255") && !lists("0.0.0.0") && !lists("192.0.2.3"));
        assert!(is_listed("127.0.0.1".parse().unwrap()).unwrap());
        assert!(!is_listed("8.8.8.8".parse().unwrap()).unwrap());
    }

    pub(super) fn no_such_family(error: &io::Error) -> bool {
        error.raw_os_error() == Some(libc::EAFNOSUPPORT)
    }
}

#[cfg(not(target_os = "linux"))]
use elsewhere::{Routes, binds_anything, is_listed, no_such_family};

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::io;
    use std::net::IpAddr;

    /// Elsewhere only what an interface has is local, and that can be bound to.
    #[derive(Default)]
    pub(super) struct Routes {}

    impl Routes {
        pub(super) fn lead_within(&mut self, _: IpAddr) -> io::Result<bool> {
            Ok(false)
        }
    }

    pub(super) fn binds_anything(_: IpAddr) -> bool {
        false
    }

    pub(super) fn is_listed(_: IpAddr) -> io::Result<bool> {
        Ok(false)
    }

    pub(super) fn no_such_family(error: &io::Error) -> bool {
        // WSAEAFNOSUPPORT.
        error.raw_os_error() == Some(10047)
    }
}
