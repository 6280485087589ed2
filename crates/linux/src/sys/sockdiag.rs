//! Looking one socket up by its addresses: sock_diag(7), the exact form, which costs the kernel what a packet costs it.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, sendto, socket_with};

/// Which kind of socket is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// `SOCK_DIAG_BY_FAMILY` of `linux/sock_diag.h`: the type of a request, and of its answer.
const SOCK_DIAG_BY_FAMILY: u16 = 20;

/// Bytes of `struct nlmsghdr`, and of `struct inet_diag_req_v2` of `linux/inet_diag.h`.
const HEADER: usize = 16;
const REQUEST: usize = 56;

/// Where the inode stands in an answer: the last number of `struct inet_diag_msg`.
const INODE: usize = HEADER + 68;

/// A line to the kernel about the sockets of the net namespace that it was opened in, also for a process that is in another.
pub struct SockDiag(OwnedFd);

impl SockDiag {
    /// To the namespace that this process is in. Callable after `clone`: no allocation.
    ///
    /// # Errors
    ///
    /// What socket(2) answers: `EPROTONOSUPPORT` where the kernel has no sock_diag.
    pub fn open() -> Result<SockDiag, Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(netlink::SOCK_DIAG)).map(SockDiag)
    }

    /// What another process has opened.
    pub fn from_descriptor(descriptor: OwnedFd) -> SockDiag {
        SockDiag(descriptor)
    }

    /// The descriptor.
    pub fn descriptor(&self) -> &OwnedFd {
        &self.0
    }

    /// The inode of the socket with these addresses, its own and the other one's, on the device with this index: what a link in
    /// `/proc/PID/fd` says of it. Zero for a connection that no process holds any more. The kernel answers at once; nothing waits.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is none, `EAFNOSUPPORT` and its like where the kernel cannot look.
    pub fn inode(&self, transport: Transport, own: SocketAddr, other: SocketAddr, device: u32) -> Result<u32, Errno> {
        let request = request(transport, own, other, device);
        sendto(&self.0, &request, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        // An answer has attributes behind what is wanted here; they may be cut off.
        let mut answer = [0; 256];
        loop {
            match recv(&self.0, answer.as_mut_slice(), RecvFlags::DONTWAIT) {
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
                Ok((length, _)) => return inode_of(answer.get(..length).unwrap_or_default()),
            }
        }
    }
}

fn request(transport: Transport, own: SocketAddr, other: SocketAddr, device: u32) -> [u8; HEADER + REQUEST] {
    // A socket for both families is found by the family that it speaks.
    let (own, other) = (canonical(own), canonical(other));
    // For UDP the kernel takes the two the other way round (net/ipv4/udp_diag.c: "src and dst are swapped for historical reasons").
    let (protocol, source, destination) = match transport {
        Transport::Tcp => (libc::IPPROTO_TCP, own, other),
        Transport::Udp => (libc::IPPROTO_UDP, other, own),
    };
    let family = if own.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let mut bytes = [0; HEADER + REQUEST];
    let mut put = |at: usize, part: &[u8]| {
        if let Some(place) = bytes.get_mut(at..at + part.len()) {
            place.copy_from_slice(part);
        }
    };
    put(0, &((HEADER + REQUEST) as u32).to_ne_bytes());
    put(4, &SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    put(6, &(libc::NLM_F_REQUEST as u16).to_ne_bytes());
    // Family, protocol, no extensions, padding; then every state of a connection.
    put(HEADER, &[family as u8, protocol as u8, 0, 0]);
    put(HEADER + 4, &u32::MAX.to_ne_bytes());
    // `struct inet_diag_sockid`: ports and addresses as on the wire, the device, no cookie.
    put(HEADER + 8, &source.port().to_be_bytes());
    put(HEADER + 10, &destination.port().to_be_bytes());
    for (at, address) in [(HEADER + 12, source), (HEADER + 28, destination)] {
        match address.ip() {
            IpAddr::V4(address) => put(at, &address.octets()),
            IpAddr::V6(address) => put(at, &address.octets()),
        }
    }
    put(HEADER + 44, &device.to_ne_bytes());
    put(HEADER + 48, &u64::MAX.to_ne_bytes());
    bytes
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn inode_of(answer: &[u8]) -> Result<u32, Errno> {
    let word = |at: usize| answer.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_ne_bytes(*bytes));
    let kind = answer.get(4..6).and_then(|kind| Some(u16::from_ne_bytes(kind.try_into().ok()?)));
    match kind {
        Some(SOCK_DIAG_BY_FAMILY) => word(INODE).ok_or(Errno::PROTO),
        Some(kind) if i32::from(kind) == libc::NLMSG_ERROR => {
            let errno = word(HEADER).ok_or(Errno::PROTO)?.cast_signed();
            Err(if errno == 0 { Errno::PROTO } else { Errno::from_raw_os_error(errno.saturating_neg()) })
        }
        _ => Err(Errno::PROTO),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::AsFd;

    use super::*;

    fn inode(socket: impl AsFd) -> u64 {
        rustix::fs::fstat(socket).unwrap().st_ino
    }

    /// `None` where the kernel cannot look sockets up.
    fn look(transport: Transport, own: SocketAddr, other: SocketAddr) -> Option<Result<u64, Errno>> {
        match SockDiag::open().and_then(|line| line.inode(transport, own, other, 0)) {
            Ok(inode) => Some(Ok(inode.into())),
            Err(Errno::NOENT | Errno::CONNREFUSED) => Some(Err(Errno::NOENT)),
            Err(errno) => {
                eprintln!("skipped: this kernel looks no sockets up: {errno}");
                None
            }
        }
    }

    #[test]
    fn each_end_of_a_connection_is_found_and_no_other() {
        for at in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(at) else { continue };
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (server, _) = listener.accept().unwrap();
            let (own, other) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
            let Some(found) = look(Transport::Tcp, own, other) else { return };
            assert_eq!(found, Ok(inode(&client)));
            assert_eq!(look(Transport::Tcp, other, own), Some(Ok(inode(&server))));
            drop((client, server));
            // What is left of it waits in the kernel, and is nobody's.
            let left = look(Transport::Tcp, own, other).unwrap();
            assert!(matches!(left, Ok(0) | Err(_)), "{left:?}");
        }
    }

    #[test]
    fn a_connection_of_a_socket_for_both_families_is_found_by_ipv4() {
        let Ok(listener) = TcpListener::bind("[::]:0") else { return };
        let port = listener.local_addr().unwrap().port();
        let _client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (server, _) = listener.accept().unwrap();
        let (own, other) = (server.local_addr().unwrap(), server.peer_addr().unwrap());
        assert!(own.is_ipv6());
        let Some(found) = look(Transport::Tcp, own, other) else { return };
        assert_eq!(found, Ok(inode(&server)));
    }

    #[test]
    fn a_datagram_socket_is_found_connected_or_not() {
        for connects in [true, false] {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let other: SocketAddr = "127.0.0.53:53".parse().unwrap();
            if connects {
                socket.connect(other).unwrap();
            }
            let Some(found) = look(Transport::Udp, socket.local_addr().unwrap(), other) else { return };
            assert_eq!(found, Ok(inode(&socket)), "connected: {connects}");
        }
    }

    #[test]
    fn answers_that_are_none_are_errors() {
        let reply = |kind: u16, rest: &[u8]| [&[0; 4], kind.to_ne_bytes().as_slice(), &[0; 10], rest].concat();
        assert_eq!(inode_of(&[]), Err(Errno::PROTO));
        assert_eq!(inode_of(&reply(SOCK_DIAG_BY_FAMILY, &[0; 20])), Err(Errno::PROTO));
        assert_eq!(inode_of(&reply(2, &(-libc::ENOENT).to_ne_bytes())), Err(Errno::NOENT));
        assert_eq!(inode_of(&reply(2, &[0; 4])), Err(Errno::PROTO));
        assert_eq!(inode_of(&reply(99, &[0; 80])), Err(Errno::PROTO));
    }
}
