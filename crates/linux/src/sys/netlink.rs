//! Enough of rtnetlink(7) to join two net namespaces: links, addresses and routes.
//!
//! Requests are built in a buffer of fixed size, and each is acknowledged by the kernel: all of it is callable after `clone`.
//! Numbers in messages are in the byte order of the machine, addresses in that of the network (netlink(7)).

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

use super::net::namespace_of;

/// Bytes that the longest request takes, with room to spare.
const ROOM: usize = 512;

/// Bytes of `struct nlmsghdr`.
const HEADER: usize = 16;

/// `VETH_INFO_PEER` of `linux/veth.h`.
const VETH_INFO_PEER: u16 = 1;

/// `RTNH_F_ONLINK` of `linux/rtnetlink.h`: the gateway is at the other end of the device, though no route says so.
const RTNH_F_ONLINK: u32 = 4;

/// `RTAX_CC_ALGO` of `linux/rtnetlink.h`.
const RTAX_CC_ALGO: u16 = 16;

/// What connections to the other end of the cable use: there is nothing between the two for congestion control to find out, and the host's
/// default may be one that paces packets with timers. Every kernel has this one.
const NO_PACING: &[u8] = b"reno\0";

/// The index of `lo` in every net namespace.
pub const LOOPBACK: u32 = 1;

/// One end of a pair of virtual Ethernet devices.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// Its name, without NUL; up to 15 bytes.
    pub name: &'a [u8],
    /// Its index, which no device of its namespace may have yet.
    pub index: u32,
    /// Its hardware address.
    pub hardware: [u8; 6],
}

/// Which way a route leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Everything in the range is an address of this very namespace (`RTN_LOCAL`).
    Here,
    /// To whoever is at the other end of the device.
    Device,
    /// By way of this address at the other end of the device.
    Gateway(IpAddr),
}

/// A route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The start of the range.
    pub to: IpAddr,
    /// Bits of the range's prefix.
    pub prefix: u8,
    /// The device, by index.
    pub device: u32,
    /// Which way.
    pub way: Way,
    /// Whether the route stands in the table `local`, which the kernel looks at first and where it looks up its own addresses;
    /// else it stands in `main`.
    pub local: bool,
}

/// A request as bytes.
pub(crate) struct Request {
    bytes: [u8; ROOM],
    used: usize,
    full: bool,
}

impl Request {
    /// A request of this type (`RTM_*`), which is acknowledged.
    fn new(kind: u16, flags: i32) -> Request {
        let mut request = Request { bytes: [0; ROOM], used: 0, full: false };
        // The length is filled in by `done`, the sequence number by the socket; 0 is the kernel's choice of a port.
        request.put(&0u32.to_ne_bytes());
        request.put(&kind.to_ne_bytes());
        let flags = flags | libc::NLM_F_REQUEST | libc::NLM_F_ACK;
        request.put(&(flags as u16).to_ne_bytes());
        request.put(&0u64.to_ne_bytes());
        request
    }

    fn put(&mut self, bytes: &[u8]) {
        let end = self.used.saturating_add(bytes.len());
        match self.bytes.get_mut(self.used..end) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.used = end;
            }
            None => self.full = true,
        }
    }

    /// Adds an attribute (`struct rtattr`), padded to four bytes.
    fn attribute(&mut self, kind: u16, content: &[u8]) {
        let start = self.begin(kind);
        self.put(content);
        self.end(start);
    }

    /// Begins an attribute that holds others; [`Request::end`] ends it.
    fn begin(&mut self, kind: u16) -> usize {
        let start = self.used;
        self.put(&0u16.to_ne_bytes());
        self.put(&kind.to_ne_bytes());
        start
    }

    fn end(&mut self, start: usize) {
        let length = (self.used.saturating_sub(start) as u16).to_ne_bytes();
        if let Some(place) = self.bytes.get_mut(start..start.saturating_add(length.len())) {
            place.copy_from_slice(&length);
        }
        // The padding is not counted.
        while !self.used.is_multiple_of(4) && !self.full {
            self.put(&[0]);
        }
    }

    fn address(&mut self, kind: u16, address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.attribute(kind, &address.octets()),
            IpAddr::V6(address) => self.attribute(kind, &address.octets()),
        }
    }

    /// `struct ifinfomsg`: the device `index`, which gets these flags.
    fn device(&mut self, index: u32, flags: i32) {
        let flags = flags as u32;
        self.put(&[0; 4]);
        self.put(&index.to_ne_bytes());
        self.put(&flags.to_ne_bytes());
        self.put(&flags.to_ne_bytes());
    }

    fn end_of_pair(&mut self, end: End<'_>, largest_packet: u32) {
        self.attribute(libc::IFLA_IFNAME, end.name);
        self.attribute(libc::IFLA_ADDRESS, &end.hardware);
        self.attribute(libc::IFLA_MTU, &largest_packet.to_ne_bytes());
    }

    /// A pair of devices: `here`, and `there` in the namespace that the descriptor `namespace` refers to, both without address
    /// resolution (ARP and its like in IPv6). Only `here` is up: the kernel brings no end up that has no other one yet.
    pub(crate) fn pair(here: End<'_>, there: End<'_>, namespace: BorrowedFd<'_>, largest_packet: u32) -> Request {
        let mut request = Request::new(libc::RTM_NEWLINK, libc::NLM_F_CREATE | libc::NLM_F_EXCL);
        request.device(here.index, libc::IFF_UP | libc::IFF_NOARP);
        request.end_of_pair(here, largest_packet);
        let information = request.begin(libc::IFLA_LINKINFO);
        request.attribute(libc::IFLA_INFO_KIND, b"veth");
        let data = request.begin(libc::IFLA_INFO_DATA);
        let peer = request.begin(VETH_INFO_PEER);
        request.device(there.index, libc::IFF_NOARP);
        request.end_of_pair(there, largest_packet);
        request.attribute(libc::IFLA_NET_NS_FD, &namespace.as_raw_fd().to_ne_bytes());
        request.end(peer);
        request.end(data);
        request.end(information);
        request
    }

    /// The device goes up.
    pub(crate) fn up(device: u32) -> Request {
        let mut request = Request::new(libc::RTM_NEWLINK, 0);
        request.device(device, libc::IFF_UP);
        request
    }

    /// An address of the device alone, that nobody is asked about first: duplicates cannot be.
    pub(crate) fn address_of(device: u32, address: IpAddr) -> Request {
        let mut request = Request::new(libc::RTM_NEWADDR, libc::NLM_F_CREATE | libc::NLM_F_EXCL);
        // `struct ifaddrmsg`: family, prefix, flags, scope, index.
        request.put(&[family(address), bits(address), libc::IFA_F_NODAD as u8, libc::RT_SCOPE_UNIVERSE]);
        request.put(&device.to_ne_bytes());
        request.address(libc::IFA_LOCAL, address);
        request.address(libc::IFA_ADDRESS, address);
        request
    }

    /// A route.
    pub(crate) fn route(route: Route) -> Request {
        let mut request = Request::new(libc::RTM_NEWROUTE, libc::NLM_F_CREATE | libc::NLM_F_EXCL);
        let table = if route.local { libc::RT_TABLE_LOCAL } else { libc::RT_TABLE_MAIN };
        let (scope, kind) = match route.way {
            Way::Here => (libc::RT_SCOPE_HOST, libc::RTN_LOCAL),
            Way::Device => (libc::RT_SCOPE_LINK, libc::RTN_UNICAST),
            Way::Gateway(_) => (libc::RT_SCOPE_UNIVERSE, libc::RTN_UNICAST),
        };
        let flags = if matches!(route.way, Way::Gateway(_)) { RTNH_F_ONLINK } else { 0 };
        // `struct rtmsg`: family, both prefixes, service, table, protocol, scope, type, flags.
        request.put(&[family(route.to), route.prefix, 0, 0, table, libc::RTPROT_STATIC, scope, kind]);
        request.put(&flags.to_ne_bytes());
        if route.prefix > 0 {
            request.address(libc::RTA_DST, route.to);
        }
        if let Way::Gateway(gateway) = route.way {
            request.address(libc::RTA_GATEWAY, gateway);
        }
        request.attribute(libc::RTA_OIF, &route.device.to_ne_bytes());
        if route.way != Way::Here {
            let metrics = request.begin(libc::RTA_METRICS);
            request.attribute(RTAX_CC_ALGO, NO_PACING);
            request.end(metrics);
        }
        request
    }

    /// The finished bytes.
    fn done(&mut self, number: u32) -> Result<&[u8], Errno> {
        if self.full {
            return Err(Errno::NOBUFS);
        }
        let length = self.used as u32;
        for (place, value) in [(0, length), (8, number)] {
            if let Some(place) = self.bytes.get_mut(place..place + 4) {
                place.copy_from_slice(&value.to_ne_bytes());
            }
        }
        self.bytes.get(..self.used).ok_or(Errno::NOBUFS)
    }
}

const fn family(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => libc::AF_INET as u8,
        IpAddr::V6(_) => libc::AF_INET6 as u8,
    }
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => Ipv4Addr::BITS as u8,
        IpAddr::V6(_) => Ipv6Addr::BITS as u8,
    }
}

/// A line to the kernel about the net namespace that it was opened in, also when the process has left that.
pub struct Netlink {
    socket: OwnedFd,
    number: u32,
}

impl Netlink {
    /// To the namespace that this process is in.
    ///
    /// # Errors
    ///
    /// What socket(2) answers.
    pub fn open() -> Result<Netlink, Errno> {
        // NETLINK_ROUTE is protocol 0.
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        Ok(Netlink { socket, number: 0 })
    }

    /// Makes a pair of devices: `here` in the namespace of this line and up, and `there` in another and still down.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` where the kernel has no such devices, `EPERM` without `CAP_NET_ADMIN` in both namespaces.
    pub fn make_pair(
        &mut self,
        here: End<'_>,
        there: End<'_>,
        namespace: BorrowedFd<'_>,
        largest_packet: u32,
    ) -> Result<(), Errno> {
        self.ask(Request::pair(here, there, namespace, largest_packet))
    }

    /// Brings a device up.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    pub fn bring_up(&mut self, device: u32) -> Result<(), Errno> {
        self.ask(Request::up(device))
    }

    /// Gives a device an address.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    pub fn add_address(&mut self, device: u32, address: IpAddr) -> Result<(), Errno> {
        self.ask(Request::address_of(device, address))
    }

    /// Adds a route.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    pub fn add_route(&mut self, route: Route) -> Result<(), Errno> {
        self.ask(Request::route(route))
    }

    /// Sends a request and takes the kernel's answer to it.
    fn ask(&mut self, mut request: Request) -> Result<(), Errno> {
        self.number = self.number.wrapping_add(1);
        sendto(&self.socket, request.done(self.number)?, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        let mut reply = [0; HEADER + 4 + ROOM + HEADER];
        loop {
            match recv(&self.socket, reply.as_mut_slice(), RecvFlags::empty()) {
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
                Ok((length, _)) => {
                    if let Some(answer) = answer(reply.get(..length).unwrap_or_default(), self.number) {
                        return answer;
                    }
                }
            }
        }
    }

    /// The namespace of this line.
    ///
    /// # Errors
    ///
    /// See [`namespace_of`].
    pub fn namespace(&self) -> Result<OwnedFd, Errno> {
        namespace_of(self.socket.as_fd())
    }
}

/// What the kernel says to request `number` (`struct nlmsgerr`): `None` if this is about something else.
fn answer(reply: &[u8], number: u32) -> Option<Result<(), Errno>> {
    let word = |at: usize| Some(u32::from_ne_bytes(*reply.get(at..)?.first_chunk::<4>()?));
    let Some((kind, errno)) = reply.get(4..6).and_then(|kind| Some((kind, word(HEADER)?))) else {
        return Some(Err(Errno::PROTO));
    };
    if word(8) != Some(number) || kind != (libc::NLMSG_ERROR as u16).to_ne_bytes() {
        return None;
    }
    Some(match errno.cast_signed() {
        0 => Ok(()),
        errno => Err(Errno::from_raw_os_error(errno.saturating_neg())),
    })
}
