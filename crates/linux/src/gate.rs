//! What a network gate has to do with a run: the sockets that it gets, what it gives the inside, and how it tells.
//!
//! This crate makes the way out of the inside and a process for the gate; what the gate does is the matter of whoever
//! implements [`Gatekeeper`], so that nothing here depends on TLS or a runtime.
//!
//! # What the inside has instead of the host's configuration
//!
//! `/etc/resolv.conf` names the gate as the only name server, and `/etc/hosts` knows the inside alone; both are mounted over
//! the host's, also where those are symbolic links. Other ways to look up names that `/etc/nsswitch.conf` may list need a
//! service of the host behind a socket that is not there (`resolve`, `mdns`, `wins`, `nscd`), and answer "unavailable": with the
//! usual actions the search goes on to `dns`. A line such as `hosts: files resolve` without `dns` finds no names inside.

mod askers;

use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::path::PathBuf;

use rustix::io::Errno;
use rustix::net::{SendFlags, send};

use crate::enter::message::MOST_DESCRIPTORS;
pub use crate::plan::OwnFile;
pub use crate::sys::sockdiag::Transport;
pub use askers::{Askers, Connection, LONGEST_PROGRAM};
pub(crate) use askers::{Question, answer};

/// Where the name server is for the inside.
pub const NAME_SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(198, 18, 0, 1), NAMES);

/// Where the HTTP proxy is for the inside.
pub const HTTP_PROXY: SocketAddrV4 = SocketAddrV4::new(*NAME_SERVER.ip(), 3128);

/// Where the SOCKS5 proxy is for the inside.
pub const SOCKS: SocketAddrV4 = SocketAddrV4::new(*NAME_SERVER.ip(), 1080);

/// Where a bundle of certificates for the inside should lie.
pub const BUNDLE: &str = "/run/bailiwick/ca.pem";

/// The port of name servers. What is sent there gets to the gate's name server, whatever the address.
pub(crate) const NAMES: u16 = 53;

/// Sockets that every gate has: names by UDP and TCP, two proxies.
pub(crate) const FIXED_SOCKETS: usize = 4;

/// The most ports that a gate listens on.
pub const MOST_PORTS: usize = MOST_DESCRIPTORS - FIXED_SOCKETS - 1;

/// The longest record that a gate can tell, in bytes.
pub const LONGEST_RECORD: usize = 16 * 1024;

/// Keeps the gate of one run.
///
/// It is made before the run and given away to it; what it says about the inside is asked before anything starts.
pub trait Gatekeeper {
    /// Files that the inside has beside those of the module's description.
    fn files(&self) -> Vec<OwnFile> {
        Vec::new()
    }

    /// Variables of the command. They replace those of the policy.
    fn variables(&self) -> Vec<(OsString, OsString)> {
        Vec::new()
    }

    /// Files and directories of the host that the gate reads while it serves, beside `/etc` and the directory where
    /// `/etc/resolv.conf` really lies. On kernels with Landlock it can open nothing else. Those that do not exist are left out.
    fn reads(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Serves until [`Line::end`] says to stop. This is the whole life of a process of its own, forked from the supervisor: it may
    /// allocate and make threads; it has no descriptor but the given ones, standard ones on `/dev/null`, and can start no
    /// program. It is killed when the supervisor dies.
    ///
    /// The command starts only after [`Line::ready`].
    ///
    /// # Errors
    ///
    /// Why the gate could not start or go on, for people.
    fn serve(self: Box<Self>, outlet: Outlet, line: Line) -> Result<(), String>;
}

/// The sockets of the gate. Their net namespace has every address: the own address of an accepted connection is the one that a program
/// inside connected to, and a datagram's destination the one that it was sent to.
#[derive(Debug)]
pub struct Outlet {
    /// The name server on UDP, for every address.
    pub names_udp: UdpSocket,
    /// The name server on TCP, for every address.
    pub names_tcp: TcpListener,
    /// [`HTTP_PROXY`].
    pub http_proxy: TcpListener,
    /// [`SOCKS`].
    pub socks: TcpListener,
    /// Listeners for every address, each with its port: those that the policy names, but that of name servers.
    pub listeners: Vec<(u16, TcpListener)>,
    /// Sees the start of each packet that asks for a connection, and of each datagram but those for name servers (`SOCK_DGRAM` of
    /// packet(7), so from the IP header on); absent where the kernel has no packet sockets.
    pub packets: Option<OwnedFd>,
    /// Says which program a connection comes from; absent where no line to the supervisor could be had.
    pub askers: Option<Askers>,
}

impl Outlet {
    /// From what the init sent. `None` if that is not what it should be.
    pub(crate) fn new(ports: &[u16], sees_packets: bool, sockets: Vec<OwnedFd>) -> Option<Outlet> {
        let mut sockets = sockets.into_iter();
        let names_udp = sockets.next()?.into();
        let mut listener = || sockets.next().map(TcpListener::from);
        let (names_tcp, http_proxy, socks) = (listener()?, listener()?, listener()?);
        let listeners = ports.iter().map(|port| Some((*port, listener()?))).collect::<Option<_>>()?;
        let packets = if sees_packets { Some(sockets.next()?) } else { None };
        let outlet = Outlet { names_udp, names_tcp, http_proxy, socks, listeners, packets, askers: None };
        sockets.next().is_none().then_some(outlet)
    }

    /// The numbers of the descriptors.
    pub(crate) fn descriptors(&self) -> Vec<RawFd> {
        let fixed = [self.names_tcp.as_fd(), self.http_proxy.as_fd(), self.socks.as_fd()];
        let listeners = self.listeners.iter().map(|(_, listener)| listener.as_fd());
        let packets = self.packets.iter().map(AsFd::as_fd);
        let askers = self.askers.iter().map(Askers::as_fd);
        let all = [self.names_udp.as_fd()].into_iter().chain(fixed).chain(listeners).chain(packets).chain(askers);
        all.map(|descriptor| descriptor.as_raw_fd()).collect()
    }
}

/// The gate's line to the supervisor.
#[derive(Debug)]
pub struct Line {
    socket: OwnedFd,
}

/// What a record is, by its first byte.
pub(crate) mod kind {
    pub(crate) const READY: u8 = b'r';
    pub(crate) const EVENT: u8 = b'e';
    pub(crate) const FAILED: u8 = b'f';
    pub(crate) const DONE: u8 = b'd';
}

impl Line {
    pub(crate) fn new(socket: OwnedFd) -> Line {
        Line { socket }
    }

    /// All sockets are served: the command may start.
    ///
    /// # Errors
    ///
    /// When the supervisor is gone.
    pub fn ready(&self) -> io::Result<()> {
        send(&self.socket, &[kind::READY], SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Tells something that has happened: a record of up to [`LONGEST_RECORD`] bytes, which becomes
    /// [`Event::Network`](crate::api::Event::Network). Never waits: a record for which there is no room is lost.
    ///
    /// # Errors
    ///
    /// When it is lost: `EAGAIN` while the supervisor is behind, `EMSGSIZE` for one that is too long.
    pub fn tell(&self, record: &[u8]) -> io::Result<()> {
        self.send(kind::EVENT, record, SendFlags::DONTWAIT)
    }

    /// Why the gate ends, cut to its length.
    pub(crate) fn failed(&self, why: &str) {
        let why = why.as_bytes().get(..LONGEST_RECORD).unwrap_or(why.as_bytes());
        // Nothing more can be done where nobody listens.
        let _ = self.send(kind::FAILED, why, SendFlags::empty());
    }

    /// The gate has served to its end, and everything is told.
    pub(crate) fn done(&self) {
        let _ = self.send(kind::DONE, &[], SendFlags::empty());
    }

    fn send(&self, kind: u8, record: &[u8], flags: SendFlags) -> io::Result<()> {
        if record.len() > LONGEST_RECORD {
            return Err(Errno::MSGSIZE.into());
        }
        let mut bytes = Vec::with_capacity(record.len() + 1);
        bytes.push(kind);
        bytes.extend_from_slice(record);
        send(&self.socket, &bytes, flags | SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// A descriptor that becomes readable when the gate is to stop: nothing else ever comes there. What is told after that is
    /// still heard for a moment.
    ///
    /// # Errors
    ///
    /// When there is no descriptor left.
    pub fn end(&self) -> io::Result<OwnedFd> {
        self.socket.try_clone()
    }

    /// The number of the descriptor.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// A second hold on the line.
    pub(crate) fn again(&self) -> io::Result<Line> {
        self.socket.try_clone().map(Line::new)
    }
}

/// The files of every inside with a gate.
pub(crate) fn usual_files(host_name: &str) -> Vec<OwnFile> {
    // "search ." keeps the C library from trying names below the host name's own domain.
    let resolver =
        format!("# Made by bailiwick: the network gate answers.\nnameserver {}\nsearch .\n", NAME_SERVER.ip());
    let own = if is_host_name(host_name) { format!("127.0.1.1 {host_name}\n") } else { String::new() };
    let hosts = format!("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{own}");
    vec![
        OwnFile { at: "/etc/resolv.conf".into(), content: resolver, optional: false },
        OwnFile { at: "/etc/hosts".into(), content: hosts, optional: true },
    ]
}

/// What may stand in a line of `/etc/hosts` (hosts(5)).
fn is_host_name(name: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    !name.is_empty() && name.bytes().all(sound)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_inside_knows_the_gate_and_itself() {
        let files = usual_files("box");
        insta::assert_snapshot!(files[0].content, @r"
        # Made by bailiwick: the network gate answers.
        nameserver 198.18.0.1
        search .
        ");
        insta::assert_snapshot!(files[1].content, @r"
        127.0.0.1 localhost
        ::1 localhost ip6-localhost ip6-loopback
        127.0.1.1 box
        ");
        assert!(!usual_files("a\nb")[1].content.contains("127.0.1.1"));
    }

    #[test]
    fn an_outlet_takes_exactly_what_belongs_to_it() {
        let sockets = |number: usize| -> Vec<OwnedFd> {
            (0..number).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap().into()).collect()
        };
        let outlet = Outlet::new(&[80, 443], true, sockets(7)).unwrap();
        assert_eq!((outlet.listeners.len(), outlet.packets.is_some(), outlet.descriptors().len()), (2, true, 7));
        assert!(Outlet::new(&[80], false, sockets(5)).is_some());
        assert!(Outlet::new(&[80], false, sockets(4)).is_none());
        assert!(Outlet::new(&[80], false, sockets(6)).is_none());
        assert!(Outlet::new(&[80], true, sockets(5)).is_none());
    }

    #[test]
    fn a_record_keeps_its_bounds_and_its_length() {
        let pair = rustix::net::socketpair(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::SEQPACKET,
            rustix::net::SocketFlags::CLOEXEC,
            None,
        );
        let (ours, theirs) = pair.unwrap();
        let line = Line::new(theirs);
        line.ready().unwrap();
        line.tell(b"one").unwrap();
        assert!(line.tell(&[b'x'; LONGEST_RECORD + 1]).is_err());
        line.failed(&"y".repeat(LONGEST_RECORD + 5));
        let mut buffer = vec![0; LONGEST_RECORD + 10];
        let mut next = || {
            let (length, _) = rustix::net::recv(&ours, buffer.as_mut_slice(), rustix::net::RecvFlags::empty()).unwrap();
            buffer[..length].to_vec()
        };
        assert_eq!((next(), next()), (b"r".to_vec(), b"eone".to_vec()));
        assert_eq!(next().len(), LONGEST_RECORD + 1);
        // Nobody takes anything any more: telling does not wait.
        while line.tell(&[b'x'; 4096]).is_ok() {}
    }
}
