//! A gate that answers every connection and datagram with what it sees, and tells of it.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use bailiwick_linux::gate::{Gatekeeper, Line, Outlet, OwnFile};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{RecvFlags, recv};

/// What the stub does beside serving.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stub {
    Serves,
    /// Says why it cannot start.
    Refuses,
    /// Ends without a word before it is ready.
    Dies,
    Panics,
    /// Ends when a connection says so.
    DiesLater,
    /// Tries what it should not be able to do, and tells.
    Tries,
}

impl Gatekeeper for Stub {
    fn files(&self) -> Vec<OwnFile> {
        let workspace = PathBuf::from(std::env::var_os("WORKSPACE").unwrap());
        let own = |at: PathBuf, content: &str, optional| OwnFile { at, content: content.to_owned(), optional };
        vec![
            own(bailiwick_linux::gate::BUNDLE.into(), &"a bundle\n".repeat(1000), false),
            own(workspace.join("link"), "over a link", false),
            own(workspace.join("absent"), "nowhere", true),
        ]
    }

    fn variables(&self) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
        vec![("GATE".into(), "here".into())]
    }

    fn reads(&self) -> Vec<PathBuf> {
        vec!["/usr/share/doc".into(), "/does/not/exist".into()]
    }

    fn serve(self: Box<Self>, outlet: Outlet, line: Line) -> Result<(), String> {
        match *self {
            Stub::Refuses => return Err("no authority\x1b[31m".to_owned()),
            Stub::Dies => std::process::exit(3),
            Stub::Panics => panic!("on purpose"),
            Stub::Tries => line.tell(tries().as_bytes()).unwrap(),
            Stub::Serves | Stub::DiesLater => {}
        }
        ask_for_destinations(&outlet.names_udp);
        line.tell(format!("pid {}", std::process::id()).as_bytes()).unwrap();
        line.ready().unwrap();
        let end = line.end().unwrap();
        let mut listeners: Vec<(&str, &TcpListener)> =
            vec![("http", &outlet.http_proxy), ("socks", &outlet.socks), ("names", &outlet.names_tcp)];
        listeners.extend(outlet.listeners.iter().map(|(_, listener)| ("listener", listener)));
        loop {
            let mut fds = vec![PollFd::new(&end, PollFlags::IN), PollFd::new(&outlet.names_udp, PollFlags::IN)];
            fds.extend(listeners.iter().map(|(_, listener)| PollFd::new(*listener, PollFlags::IN)));
            fds.extend(outlet.packets.iter().map(|packets| PollFd::new(packets, PollFlags::IN)));
            poll(&mut fds, None).unwrap();
            let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
            if ready[0] {
                line.tell(b"last words").unwrap();
                return Ok(());
            }
            // Before the connections that came after them. An error is the end of the device, which goes with the inside's namespace.
            let mut start = [0; 128];
            while let Some(packets) = &outlet.packets
                && recv(packets, start.as_mut_slice(), RecvFlags::DONTWAIT).is_ok()
            {
                line.tell(format!("packet {}", seen(&start)).as_bytes()).unwrap();
            }
            if ready[1] {
                answer(&outlet.names_udp);
            }
            for ((name, listener), _) in listeners.iter().zip(&ready[2..]).filter(|(_, ready)| **ready) {
                let (mut stream, _) = listener.accept().unwrap();
                if *self == Stub::DiesLater {
                    return Err("asked to".to_owned());
                }
                writeln!(stream, "{name} {}", stream.local_addr().unwrap()).unwrap();
            }
        }
    }
}

/// `PROTOCOL ADDRESS PORT` of an IP packet.
fn seen(start: &[u8; 128]) -> String {
    let (protocol, to, rest) = if start[0] >> 4 == 4 {
        (start[9], std::net::IpAddr::from(<[u8; 4]>::try_from(&start[16..20]).unwrap()), &start[20..])
    } else {
        (start[6], std::net::IpAddr::from(<[u8; 16]>::try_from(&start[24..40]).unwrap()), &start[40..])
    };
    format!("{protocol} {to} {}", u16::from_be_bytes([rest[2], rest[3]]))
}

/// Has the kernel say where each datagram was sent to.
fn ask_for_destinations(socket: &UdpSocket) {
    let (level, option) = match socket.local_addr().unwrap() {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_PKTINFO),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
    };
    let on: libc::c_int = 1;
    // SAFETY: the kernel reads one integer.
    let answer =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const on).cast(), size_of_val(&on) as u32) };
    assert_eq!(answer, 0);
}

/// Answers a datagram from the address that it was sent to: what the kernel said about it is said to the kernel again.
fn answer(socket: &UdpSocket) {
    let mut question = *b"names ............";
    // Aligned as control messages have to be.
    let (mut peer, mut control) = ([0u64; 16], [0u64; 16]);
    let start = b"names ".len();
    // SAFETY: the header points to live buffers and says their lengths; all-zero bytes are a valid header.
    unsafe {
        let mut part = libc::iovec { iov_base: question[start..].as_mut_ptr().cast(), iov_len: question.len() - start };
        let mut header: libc::msghdr = std::mem::zeroed();
        (header.msg_name, header.msg_namelen) = (peer.as_mut_ptr().cast(), size_of_val(&peer) as u32);
        (header.msg_iov, header.msg_iovlen) = (&raw mut part, 1);
        (header.msg_control, header.msg_controllen) = (control.as_mut_ptr().cast(), size_of_val(&control));
        let length = libc::recvmsg(socket.as_raw_fd(), &raw mut header, 0);
        let mut part =
            libc::iovec { iov_base: question.as_mut_ptr().cast(), iov_len: start + usize::try_from(length).unwrap() };
        header.msg_iov = &raw mut part;
        assert!(libc::sendmsg(socket.as_raw_fd(), &raw const header, 0) > 0, "{}", std::io::Error::last_os_error());
    }
}

/// What the gate's process can still do.
fn tries() -> String {
    let open = |path: &str| match std::fs::File::open(path) {
        Ok(_) => "opens",
        Err(_) => "is kept from",
    };
    let program = match std::process::Command::new("/bin/true").status() {
        Ok(_) => "starts programs",
        Err(_) => "starts no programs",
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let descriptors = (0..256).filter(|number| {
        // SAFETY: only asks whether the number is a descriptor.
        unsafe { libc::fcntl(*number, libc::F_GETFD) != -1 }
    });
    format!(
        "gate {} /etc/hosts, {} /usr/bin/env, {program}, {} descriptors, status {}",
        open("/etc/hosts"),
        open("/usr/bin/env"),
        descriptors.count(),
        if status.is_empty() { "unseen" } else { "seen" },
    )
}
