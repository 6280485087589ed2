//! Datagrams with the address that they were sent to.
//!
//! The inside may ask any server's address, and all of them lead to one socket. A program takes an answer only from where it asked.
//! So on Linux the socket tells each datagram's destination, and each answer names its source (`IP_PKTINFO` in ip(7),
//! `IPV6_PKTINFO` in ipv6(7)). Elsewhere a socket is bound to one address, which is its answers' source anyway.

#[cfg(not(target_os = "linux"))]
pub(super) use plain::Datagrams;
#[cfg(target_os = "linux")]
pub(super) use told::Datagrams;

#[cfg(not(target_os = "linux"))]
mod plain {
    use std::io;
    use std::net::SocketAddr;

    use tokio::net::UdpSocket;

    use crate::program::{Connection, Transport};

    /// A socket for datagrams.
    pub(in crate::dns) struct Datagrams {
        socket: UdpSocket,
    }

    /// Where a datagram came from.
    pub(in crate::dns) struct From {
        peer: SocketAddr,
    }

    impl Datagrams {
        /// Takes over a bound socket.
        pub(in crate::dns) fn new(socket: UdpSocket) -> io::Result<Datagrams> {
            Ok(Datagrams { socket })
        }

        /// The next datagram: its length (cut to the buffer's) and where it came from.
        pub(in crate::dns) async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, From)> {
            let (length, peer) = self.socket.recv_from(buffer).await?;
            Ok((length, From { peer }))
        }

        /// Which way a datagram has come.
        pub(in crate::dns) fn connection(&self, from: &From) -> Option<Connection> {
            let asked = self.socket.local_addr().ok()?;
            Some(Connection { transport: Transport::Udp, inside: from.peer, asked })
        }

        /// Answers, if it can be done at once.
        pub(in crate::dns) fn reply(&self, bytes: &[u8], to: &From) -> io::Result<()> {
            self.socket.try_send_to(bytes, to.peer).map(drop)
        }
    }
}

#[cfg(target_os = "linux")]
mod told {
    use std::io;
    use std::mem::{size_of, zeroed};
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
    use std::os::fd::{AsRawFd, RawFd};

    use libc::{c_int, c_void};
    use tokio::io::Interest;
    use tokio::net::UdpSocket;

    use crate::program::{Connection, Transport};

    /// Room for control messages: the two that are asked for, and more than enough.
    #[repr(C, align(8))]
    struct Control([u8; 128]);

    /// A socket for datagrams that tells where they were sent.
    pub(in crate::dns) struct Datagrams {
        socket: UdpSocket,
    }

    /// Where a datagram came from, and where it was sent to.
    pub(in crate::dns) struct From {
        peer: libc::sockaddr_storage,
        peer_length: libc::socklen_t,
        to: Option<Destination>,
    }

    #[derive(Clone, Copy)]
    enum Destination {
        V4(libc::in_addr),
        /// With the interface, which a link-local address needs.
        V6(libc::in6_addr, u32),
    }

    impl From {
        /// The sender.
        fn peer(&self) -> Option<SocketAddr> {
            match c_int::from(self.peer.ss_family) {
                libc::AF_INET => {
                    // SAFETY: the family says that the storage, which is larger and aligned for every address, holds this one.
                    let peer = unsafe { *(&raw const self.peer).cast::<libc::sockaddr_in>() };
                    let address = Ipv4Addr::from(u32::from_be(peer.sin_addr.s_addr));
                    Some(SocketAddrV4::new(address, u16::from_be(peer.sin_port)).into())
                }
                libc::AF_INET6 => {
                    // SAFETY: as above.
                    let peer = unsafe { *(&raw const self.peer).cast::<libc::sockaddr_in6>() };
                    let address = Ipv6Addr::from(peer.sin6_addr.s6_addr);
                    Some(SocketAddrV6::new(address, u16::from_be(peer.sin6_port), 0, peer.sin6_scope_id).into())
                }
                _ => None,
            }
        }
    }

    impl Destination {
        fn address(self) -> IpAddr {
            match self {
                Destination::V4(address) => Ipv4Addr::from(u32::from_be(address.s_addr)).into(),
                Destination::V6(address, _) => Ipv6Addr::from(address.s6_addr).into(),
            }
        }
    }

    impl Datagrams {
        /// Takes over a bound socket, of either family, and has it tell destinations.
        pub(in crate::dns) fn new(socket: UdpSocket) -> io::Result<Datagrams> {
            match socket.local_addr()? {
                SocketAddr::V4(_) => switch_on(&socket, libc::IPPROTO_IP, libc::IP_PKTINFO)?,
                SocketAddr::V6(_) => {
                    // It also tells the destinations of IPv4, as mapped ones.
                    switch_on(&socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO)?;
                    // Else the kernel takes only interfaces' addresses for a source, although a route makes every address local.
                    switch_on(&socket, libc::IPPROTO_IPV6, libc::IPV6_FREEBIND)?;
                }
            }
            Ok(Datagrams { socket })
        }

        /// The next datagram: its length (cut to the buffer's) and where it came from.
        pub(in crate::dns) async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, From)> {
            self.socket.async_io(Interest::READABLE, || receive(self.socket.as_raw_fd(), buffer)).await
        }

        /// Which way a datagram has come, where the kernel has told its destination.
        pub(in crate::dns) fn connection(&self, from: &From) -> Option<Connection> {
            let asked = SocketAddr::new(from.to?.address(), self.socket.local_addr().ok()?.port());
            Some(Connection { transport: Transport::Udp, inside: from.peer()?, asked })
        }

        /// Answers, if it can be done at once.
        pub(in crate::dns) fn reply(&self, bytes: &[u8], to: &From) -> io::Result<()> {
            self.socket.try_io(Interest::WRITABLE, || send(self.socket.as_raw_fd(), bytes, to))
        }
    }

    fn switch_on(socket: &UdpSocket, level: c_int, option: c_int) -> io::Result<()> {
        let on: c_int = 1;
        let (value, length) = ((&raw const on).cast::<c_void>(), socklen(size_of::<c_int>()));
        // SAFETY: the pointer and the length describe one int, which outlives the call.
        match unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, value, length) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn socklen(length: usize) -> libc::socklen_t {
        libc::socklen_t::try_from(length).unwrap_or(libc::socklen_t::MAX)
    }

    fn receive(socket: RawFd, buffer: &mut [u8]) -> io::Result<(usize, From)> {
        // SAFETY: an address storage of zeroes is a valid one.
        let mut from = From { peer: unsafe { zeroed() }, peer_length: 0, to: None };
        let mut control = Control([0; 128]);
        let mut slice = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        // SAFETY: a header of zeroes is a valid, empty one (its padding on some C libraries is why it is not spelt out).
        let mut header: libc::msghdr = unsafe { zeroed() };
        header.msg_name = (&raw mut from.peer).cast();
        header.msg_namelen = socklen(size_of::<libc::sockaddr_storage>());
        header.msg_iov = &raw mut slice;
        header.msg_iovlen = 1;
        header.msg_control = (&raw mut control).cast();
        header.msg_controllen = size_of::<Control>() as _;
        // SAFETY: every pointer of the header leads to memory that lives until the end of this function, with its true length.
        let received = unsafe { libc::recvmsg(socket, &raw mut header, libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC) };
        let length = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
        from.peer_length = header.msg_namelen;
        from.to = destination(&header);
        Ok((length.min(buffer.len()), from))
    }

    /// The destination among the control messages of a header that the kernel has filled in.
    fn destination(header: &libc::msghdr) -> Option<Destination> {
        // SAFETY: the header's control buffer and length are those that the kernel left; the macros stay within them.
        let mut message = unsafe { libc::CMSG_FIRSTHDR(header) };
        while !message.is_null() {
            // SAFETY: not null, so it leads to a whole control header in the buffer, which is aligned for it.
            let (level, kind) = unsafe { ((*message).cmsg_level, (*message).cmsg_type) };
            // SAFETY: the data of a control message stand behind its header; the kernel wrote the whole structure of its kind.
            let data = unsafe { libc::CMSG_DATA(message) };
            match (level, kind) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    // SAFETY: this kind carries this structure; it is read unaligned.
                    let info = unsafe { data.cast::<libc::in_pktinfo>().read_unaligned() };
                    return Some(Destination::V4(info.ipi_addr));
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    // SAFETY: as above.
                    let info = unsafe { data.cast::<libc::in6_pktinfo>().read_unaligned() };
                    return Some(Destination::V6(info.ipi6_addr, info.ipi6_ifindex));
                }
                _ => {}
            }
            // SAFETY: both lead into the header's control buffer.
            message = unsafe { libc::CMSG_NXTHDR(header, message) };
        }
        None
    }

    fn send(socket: RawFd, bytes: &[u8], to: &From) -> io::Result<()> {
        let mut control = Control([0; 128]);
        let mut slice = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        // SAFETY: as in `receive`.
        let mut header: libc::msghdr = unsafe { zeroed() };
        header.msg_name = (&raw const to.peer).cast_mut().cast();
        header.msg_namelen = to.peer_length;
        header.msg_iov = &raw mut slice;
        header.msg_iovlen = 1;
        match to.to {
            Some(Destination::V4(address)) => {
                // SAFETY: a structure of numbers may be all zeroes.
                let mut info: libc::in_pktinfo = unsafe { zeroed() };
                // The source. The interface is left to the routes.
                info.ipi_spec_dst = address;
                put(&mut header, &mut control, libc::IPPROTO_IP, libc::IP_PKTINFO, info);
            }
            Some(Destination::V6(address, interface)) => {
                // An interface is right only where the address means nothing without it; with another one routes would be bypassed.
                let link_local = Ipv6Addr::from(address.s6_addr).is_unicast_link_local();
                let info =
                    libc::in6_pktinfo { ipi6_addr: address, ipi6_ifindex: if link_local { interface } else { 0 } };
                put(&mut header, &mut control, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info);
            }
            None => {}
        }
        // SAFETY: every pointer of the header leads to memory that lives until the end of this function, with its true length; the call
        // only reads it.
        let sent = unsafe { libc::sendmsg(socket, &raw const header, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) };
        match sent {
            0.. => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Makes `info` the header's one control message.
    fn put<T: Copy>(header: &mut libc::msghdr, control: &mut Control, level: c_int, kind: c_int, info: T) {
        let length = u32::try_from(size_of::<T>()).unwrap_or(u32::MAX);
        // SAFETY: only computes with numbers.
        let (space, whole) = unsafe { (libc::CMSG_SPACE(length), libc::CMSG_LEN(length)) };
        debug_assert!(space as usize <= size_of::<Control>(), "the two structures have 12 and 20 bytes");
        header.msg_control = (&raw mut *control).cast();
        header.msg_controllen = space as _;
        // SAFETY: the control buffer is larger than `space` and aligned, so that the first header and `T` behind it lie within it.
        unsafe {
            let message = libc::CMSG_FIRSTHDR(header);
            (*message).cmsg_level = level;
            (*message).cmsg_type = kind;
            (*message).cmsg_len = whole as _;
            libc::CMSG_DATA(message).cast::<T>().write_unaligned(info);
        }
    }
}
