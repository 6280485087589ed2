//! The way out of the inside, which ends at the network gate. Runs in the child after `clone`: nothing here allocates.
//!
//! ```text
//!  net namespace of the inside                    net namespace of the gate's sockets
//!   lo   bailiwick 198.18.0.2 ──── a cable ────── bailiwick   lo: every address there is
//!        default route ───────────────────────►   listeners, name server, proxies ──► handed to the supervisor
//! ```
//!
//! In the second namespace every address is a local one, so that a listener takes a connection to any address, and knows
//! which one was meant. It has no way on: what no socket takes is refused by the kernel. Nobody is in it; the gate's sockets keep it
//! alive, and the supervisor does. When the gate has died, everything is refused: without the cable, whoever was just connecting would
//! wait for an answer as long as TCP does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};

use super::message::{MOST_DESCRIPTORS, Message};
use super::{Failure, Stage};
use crate::gate::{FIXED_SOCKETS, HTTP_PROXY, NAMES, SOCKS};
use crate::sys::net::bring_up_loopback;
use crate::sys::netlink::{End, LOOPBACK, Netlink, Route, Way};
use crate::sys::packet;

/// The inside's own addresses: of the range that is kept for measurements (RFC 2544), and of the one for private use (RFC 4193).
const INSIDE_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 0, 2));
const INSIDE_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd62, 0x6169, 0x6c69, 0, 0, 0, 0, 2));

/// The other end of the cable, as the inside's routes name it.
const GATE_V4: IpAddr = IpAddr::V4(*crate::gate::NAME_SERVER.ip());
const GATE_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd62, 0x6169, 0x6c69, 0, 0, 0, 0, 1));

/// Both ends. Without address resolution a device sends to its own hardware address, so both have the same one, of those that
/// anybody may use (IEEE 802, "locally administered"). The index is above what a new namespace may have made by itself.
const END: End<'static> = End { name: b"bailiwick", index: 1000, hardware: [0x02, 0x62, 0x61, 0x69, 0x6c, 0x69] };

/// The index of the inside's device.
pub(crate) const DEVICE: u32 = END.index;

/// The largest packet of a cable: what an IPv4 packet can be.
const LARGEST_PACKET: u32 = 65_535;

/// Connections that wait to be accepted; the kernel takes the smaller of this and `net.core.somaxconn`.
const WAITING: i32 = 4096;

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A line to the kernel about the inside's namespace.
    Inside,
    /// The second namespace.
    Namespace,
    /// Its loopback interface.
    Loopback,
    /// The cable.
    Cable,
    /// Routes of the second namespace.
    Routes,
    /// The name server's sockets.
    Names,
    /// The proxies' sockets.
    Proxies,
    /// A listener for this port.
    Listener(u16),
    /// Handing the sockets over.
    HandOver,
    /// Going back to the inside's namespace.
    Return,
    /// Addresses and routes of the inside.
    InsideRoutes,
}

impl Part {
    const PLAIN: [Part; 10] = [
        Part::Inside,
        Part::Namespace,
        Part::Loopback,
        Part::Cable,
        Part::Routes,
        Part::Names,
        Part::Proxies,
        Part::HandOver,
        Part::Return,
        Part::InsideRoutes,
    ];

    /// For a [`Failure`].
    fn index(self) -> usize {
        match self {
            Part::Listener(port) => Self::PLAIN.len() + usize::from(port),
            plain => Self::PLAIN.iter().position(|part| *part == plain).unwrap_or_default(),
        }
    }

    /// Of a [`Failure`].
    pub(crate) fn of(index: usize) -> Part {
        let port = index.checked_sub(Self::PLAIN.len()).and_then(|port| u16::try_from(port).ok());
        let plain = || Self::PLAIN.get(index).copied().unwrap_or(Part::Inside);
        port.map_or_else(plain, Part::Listener)
    }

    /// What was being done.
    pub(crate) fn doing(self) -> &'static str {
        match self {
            Part::Inside => "talking to the kernel about the inside's network (netlink)",
            Part::Namespace => "making a net namespace for the gate's sockets (unshare CLONE_NEWNET)",
            Part::Loopback => "bringing up its loopback interface (ioctl SIOCSIFFLAGS)",
            Part::Cable => "joining it to the inside (a veth pair)",
            Part::Routes => "making its routes",
            Part::Names => "opening the sockets of the name server",
            Part::Proxies => "opening the sockets of the proxies",
            Part::Listener(_) => "opening the listener of a port",
            Part::HandOver => "handing the gate's sockets over",
            Part::Return => "going back to the inside's net namespace (setns)",
            Part::InsideRoutes => "giving the inside its addresses and routes",
        }
    }

    fn failed(self) -> impl Fn(Errno) -> Failure {
        move |errno| Stage::Outlet.failed_at(self.index(), errno)
    }
}

/// Makes the way out, with a listener for each of `ports`, and hands the sockets to the supervisor.
pub(super) fn open(ports: &[u16], supervisor: &OwnedFd) -> Result<(), Failure> {
    let mut inside = Netlink::open().map_err(Part::Inside.failed())?;
    let home = inside.namespace().map_err(Part::Inside.failed())?;
    // SAFETY: this process has one thread, and nothing in it relies on the namespace that it is in.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.map_err(Part::Namespace.failed())?;
    bring_up_loopback().map_err(Part::Loopback.failed())?;
    let mut outside = Netlink::open().map_err(Part::Namespace.failed())?;
    outside.make_pair(END, END, home.as_fd(), LARGEST_PACKET).map_err(Part::Cable.failed())?;
    let version = lead_everything_here(&mut outside).map_err(Part::Routes.failed())?;
    hand_over(ports, version, supervisor)?;
    move_into_link_name_space(home.as_fd(), Some(LinkNameSpaceType::Network)).map_err(Part::Return.failed())?;
    lead_everything_out(&mut inside, version).map_err(Part::InsideRoutes.failed())
}

/// Which versions of IP the kernel has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    FourAlone,
    Both,
}

/// What a kernel answers whose IPv6 is not built in, not loaded, or switched off for new devices.
fn has_no_ipv6(errno: Errno) -> bool {
    matches!(errno, Errno::AFNOSUPPORT | Errno::OPNOTSUPP | Errno::ACCESS | Errno::NODEV)
}

/// In the second namespace: every address is its own, but the inside's. Both routes stand in the table `local`, where the kernel looks
/// up whether an address is its own, and the longer prefix wins.
fn lead_everything_here(outside: &mut Netlink) -> Result<Version, Errno> {
    let everything = |to| Route { to, prefix: 0, device: LOOPBACK, way: Way::Here, local: true };
    let inside = |to, prefix| Route { to, prefix, device: END.index, way: Way::Device, local: true };
    outside.add_route(everything(Ipv4Addr::UNSPECIFIED.into()))?;
    outside.add_route(inside(INSIDE_V4, 32))?;
    let sixth = outside
        .add_route(everything(Ipv6Addr::UNSPECIFIED.into()))
        .and_then(|()| outside.add_route(inside(INSIDE_V6, 128)))
        // Routes can be had where sockets cannot.
        .and_then(|()| open_socket(AddressFamily::INET6, SocketType::STREAM).map(drop));
    match sixth {
        Ok(()) => Ok(Version::Both),
        Err(errno) if has_no_ipv6(errno) => Ok(Version::FourAlone),
        Err(errno) => Err(errno),
    }
}

/// In the inside's namespace: an address, and a way for everything else.
fn lead_everything_out(inside: &mut Netlink, version: Version) -> Result<(), Errno> {
    let default = |to, gateway| Route { to, prefix: 0, device: END.index, way: Way::Gateway(gateway), local: false };
    inside.bring_up(END.index)?;
    inside.add_address(END.index, INSIDE_V4)?;
    inside.add_route(default(Ipv4Addr::UNSPECIFIED.into(), GATE_V4))?;
    if version == Version::FourAlone {
        return Ok(());
    }
    let sixth = inside
        .add_address(END.index, INSIDE_V6)
        .and_then(|()| inside.add_route(default(Ipv6Addr::UNSPECIFIED.into(), GATE_V6)));
    match sixth {
        Err(errno) if has_no_ipv6(errno) => Ok(()),
        answer => answer,
    }
}

/// Opens the sockets in the order that [`crate::gate::Outlet`] takes them in, and sends them.
fn hand_over(ports: &[u16], version: Version, supervisor: &OwnedFd) -> Result<(), Failure> {
    let mut sockets = [const { None::<OwnedFd> }; MOST_DESCRIPTORS];
    let mut places = sockets.iter_mut();
    let mut keep = |socket: OwnedFd| match places.next() {
        Some(place) => {
            *place = Some(socket);
            Ok(())
        }
        None => Err(Errno::TOOMANYREFS),
    };
    let names = Part::Names.failed();
    keep(datagrams(anywhere(version, NAMES)).map_err(&names)?).map_err(&names)?;
    keep(listener(anywhere(version, NAMES)).map_err(&names)?).map_err(&names)?;
    let proxies = Part::Proxies.failed();
    for proxy in [HTTP_PROXY, SOCKS] {
        keep(listener(proxy.into()).map_err(&proxies)?).map_err(&proxies)?;
    }
    for port in ports {
        let failed = Part::Listener(*port).failed();
        keep(listener(anywhere(version, *port)).map_err(&failed)?).map_err(&failed)?;
    }
    // A kernel without packet sockets only tells less.
    let packets = packet::open(END.index).and_then(&mut keep).is_ok();
    let mut sent = [supervisor.as_fd(); MOST_DESCRIPTORS];
    let count = FIXED_SOCKETS + ports.len() + usize::from(packets);
    for (place, socket) in sent.iter_mut().zip(sockets.iter().flatten()) {
        *place = socket.as_fd();
    }
    let failed = Part::HandOver.failed();
    let sent = sent.get(..count).ok_or(Errno::TOOMANYREFS).map_err(&failed)?;
    Message::Outlet { packets }.send(supervisor, sent).map_err(&failed)
}

/// Every address, of both versions if there are both.
fn anywhere(version: Version, port: u16) -> SocketAddr {
    match version {
        Version::FourAlone => SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port).into(),
        Version::Both => SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0).into(),
    }
}

fn open_socket(family: AddressFamily, kind: SocketType) -> Result<OwnedFd, Errno> {
    socket_with(family, kind, SocketFlags::CLOEXEC, None)
}

fn bound(address: SocketAddr, kind: SocketType) -> Result<OwnedFd, Errno> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let socket = open_socket(family, kind)?;
    if address.is_ipv6() {
        // For both versions, whatever the host's setting is.
        sockopt::set_ipv6_v6only(&socket, false)?;
    }
    // A proxy at its one address stands beside a listener for the same port at every other.
    sockopt::set_socket_reuseport(&socket, true)?;
    bind(&socket, &address)?;
    Ok(socket)
}

fn datagrams(address: SocketAddr) -> Result<OwnedFd, Errno> {
    bound(address, SocketType::DGRAM)
}

fn listener(address: SocketAddr) -> Result<OwnedFd, Errno> {
    let socket = bound(address, SocketType::STREAM)?;
    listen(&socket, WAITING)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_survives_the_way() {
        for part in Part::PLAIN.into_iter().chain([Part::Listener(0), Part::Listener(443), Part::Listener(u16::MAX)]) {
            assert_eq!(Part::of(part.index()), part);
        }
        assert_eq!(Part::of(usize::MAX), Part::Inside);
    }
}
