//! Reaching the network. The harness listens on the loopback of the host; what arrives there is proof.

use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use bailiwick_policy::guarantee::Guarantee::{KernelSurface, NetworkOff};

use super::ROOT;
use crate::attack::{Attack, Proof};
use crate::outcome::Outcome;
use crate::stage::Stage;
use crate::sys::{file, socket};

/// Protocol number of multipath TCP.
const MPTCP: i32 = 262;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
const IPV6: &str = "IPv6 on the loopback";

const fn sends(name: &'static str, summary: &'static str, run: fn(&Stage) -> Outcome) -> Attack {
    Attack::new(name, NetworkOff, Proof::Received, summary, run)
}

fn v4(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn v6(port: Option<u16>) -> io::Result<SocketAddr> {
    port.map(|port| (Ipv6Addr::LOCALHOST, port).into()).ok_or_else(|| io::Error::from_raw_os_error(libc::EAFNOSUPPORT))
}

/// The IPv4 loopback written as an IPv6 address, which filters on IPv4 miss.
fn mapped(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST.to_ipv6_mapped(), port).into()
}

fn tcp(stage: &Stage, to: SocketAddr) -> io::Result<()> {
    TcpStream::connect_timeout(&to, PATIENCE)?.write_all(stage.mark())
}

fn udp(stage: &Stage, from: SocketAddr, to: SocketAddr) -> io::Result<()> {
    UdpSocket::bind(from)?.send_to(stage.mark(), to).map(drop)
}

/// Sends in the first packet of the connection: no connect(2) is made.
fn fast_open(stage: &Stage, family: i32, to: SocketAddr) -> io::Result<()> {
    let tcp = socket::socket(family, libc::SOCK_STREAM, 0)?;
    socket::send_to(tcp.as_fd(), stage.mark(), libc::MSG_FASTOPEN, to)
}

/// A TCP connection by another protocol number.
fn other_protocol(stage: &Stage, protocol: i32) -> io::Result<()> {
    let stream = socket::socket(libc::AF_INET, libc::SOCK_STREAM, protocol)?;
    socket::connect(stream.as_fd(), v4(stage.ports.tcp4))?;
    std::fs::File::from(stream).write_all(stage.mark())
}

/// Tells the harness the port and waits for it to come and fetch the marker.
fn serve(stage: &Stage, listener: &TcpListener) -> io::Result<()> {
    // Written under another name first, so that the harness never reads half of it.
    fs::write(stage.at("port.tmp"), listener.local_addr()?.port().to_string())?;
    fs::rename(stage.at("port.tmp"), stage.at("port"))?;
    if !socket::readable(&[listener.as_fd()], PATIENCE.as_millis() as i32)?.contains(&true) {
        return Err(io::ErrorKind::TimedOut.into());
    }
    listener.accept()?.0.write_all(stage.mark())
}

/// listen(2) without bind(2): the kernel chooses the port.
fn listen_unbound() -> io::Result<TcpListener> {
    let unbound = socket::socket(libc::AF_INET, libc::SOCK_STREAM, 0)?;
    socket::listen(unbound.as_fd())?;
    Ok(TcpListener::from(unbound))
}

/// Asks each server for a name that does not exist (RFC 6761); any answer is a way out.
fn resolve(stage: &Stage) -> Outcome {
    /// Header with one question, `probe.invalid`, type A, class IN.
    const QUESTION: &[u8] = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05probe\x07invalid\x00\x00\x01\x00\x01";
    let ask = |server: &str| -> io::Result<usize> {
        let server: std::net::IpAddr = server.parse().map_err(io::Error::other)?;
        let from: SocketAddr =
            if server.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
        let socket = UdpSocket::bind(from)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.connect((server, 53))?;
        socket.send(QUESTION)?;
        socket.recv(&mut [0; 512])
    };
    match stage.nameservers.as_slice() {
        [] => Outcome::inapplicable("no name server"),
        servers => Outcome::any(servers.iter().take(2).map(|server| Outcome::of(server, ask(server)))),
    }
}

/// Connects a datagram socket to a documentation address: no packet is sent, but there must be a route.
fn route_out() -> Outcome {
    let attempt = |from: SocketAddr, to: &str| UdpSocket::bind(from).and_then(|socket| socket.connect(to));
    Outcome::any([
        Outcome::of("route to 192.0.2.1", attempt((Ipv4Addr::UNSPECIFIED, 0).into(), "192.0.2.1:9")),
        Outcome::of("route to 2001:db8::1", attempt((Ipv6Addr::UNSPECIFIED, 0).into(), "[2001:db8::1]:9")),
    ])
}

pub(super) const ATTACKS: &[Attack] = &[
    sends("tcp4", "connect to a service on the host's loopback", |s| {
        Outcome::of("127.0.0.1", tcp(s, v4(s.ports.tcp4)))
    }),
    sends("tcp6", "the same by IPv6", |s| Outcome::of("::1", v6(s.ports.tcp6).and_then(|to| tcp(s, to)))).unless(IPV6),
    sends("tcp4-mapped", "the same by an IPv6 socket with a v4-mapped address", |s| {
        Outcome::of("::ffff:127.0.0.1", tcp(s, mapped(s.ports.tcp4)))
    })
    .unless(IPV6),
    sends(
        "tcp-fast-open",
        "sendto(2) with MSG_FASTOPEN connects without connect(2); Landlock's TCP rules miss it",
        |s| Outcome::of("MSG_FASTOPEN", fast_open(s, libc::AF_INET, v4(s.ports.tcp4))),
    )
    .unless("net.ipv4.tcp_fastopen"),
    sends("tcp-fast-open-mapped", "the same by an IPv6 socket with a v4-mapped address", |s| {
        Outcome::of("MSG_FASTOPEN", fast_open(s, libc::AF_INET6, mapped(s.ports.tcp4)))
    })
    .unless("net.ipv4.tcp_fastopen and IPv6"),
    sends("tcp-fast-open-message", "the same by sendmsg(2)", |s| {
        let attempt = socket::socket(libc::AF_INET, libc::SOCK_STREAM, 0)
            .and_then(|tcp| socket::send_message(tcp.as_fd(), s.mark(), libc::MSG_FASTOPEN, v4(s.ports.tcp4)));
        Outcome::of("MSG_FASTOPEN", attempt)
    })
    .unless("net.ipv4.tcp_fastopen"),
    sends("mptcp", "multipath TCP (protocol 262) connects to a TCP port; Landlock's TCP rules miss it", |s| {
        Outcome::of("MPTCP", other_protocol(s, MPTCP))
    })
    .unless("a kernel with MPTCP"),
    sends("udp4", "a datagram to a service on the host's loopback", |s| {
        Outcome::of("127.0.0.1", udp(s, (Ipv4Addr::LOCALHOST, 0).into(), v4(s.ports.udp4)))
    }),
    sends("udp6", "the same by IPv6", |s| {
        let attempt = v6(s.ports.udp6).and_then(|to| udp(s, (Ipv6Addr::LOCALHOST, 0).into(), to));
        Outcome::of("::1", attempt)
    })
    .unless(IPV6),
    sends("listen", "listen on a port that the host can reach", |s| {
        let attempt = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| serve(s, &listener));
        Outcome::of("listening", attempt)
    }),
    sends("listen-unbound", "listen(2) without bind(2), which Landlock's BIND_TCP misses", |s| {
        Outcome::of("listening", listen_unbound().and_then(|listener| serve(s, &listener)))
    }),
    sends("inherited-socket", "a connected socket that the caller forgot to close", |s| {
        let attempt = file::inherited(s.inherited.socket).and_then(|fd| std::fs::File::from(fd).write_all(s.mark()));
        Outcome::of("inherited socket", attempt)
    }),
    Attack::new("route-out", NetworkOff, Proof::Answer, "is there any route to the internet", |_| route_out())
        .unless("a host with a default route"),
    Attack::new("dns", NetworkOff, Proof::Answer, "a name server answers: names carry data out", resolve)
        .unless("a name server that answers"),
    Attack::new("raw-socket", NetworkOff, Proof::Answer, "a raw IP socket forges any packet", |_| {
        Outcome::of("SOCK_RAW", socket::socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP))
    })
    .unless(ROOT),
    Attack::new("packet-socket", KernelSurface, Proof::Answer, "AF_PACKET sees and forges frames", |_| {
        Outcome::of("AF_PACKET", socket::socket(libc::AF_PACKET, libc::SOCK_RAW, 0))
    })
    .unless(ROOT),
];
