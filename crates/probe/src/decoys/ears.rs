//! Listeners outside: what reaches one of them has left the boundary.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::stage::{Ports, Sockets};
use crate::sys::{file, socket};

/// How long the thread sleeps in poll(2) before it looks whether to stop, in milliseconds.
const NAP: i32 = 10;

/// What was heard, with the name of the ear.
type Noise = Vec<(&'static str, Vec<u8>)>;

/// Something that bytes can arrive at.
enum Ear {
    Tcp(TcpListener),
    Unix(UnixListener),
    Udp(UdpSocket),
    Datagram(UnixDatagram),
    /// A connection, or the reading end of a pipe.
    Stream(Box<dyn Stream>),
}

trait Stream: Read + AsFd + Send {}
impl<T: Read + AsFd + Send> Stream for T {}

/// An ear, its name, and what it heard.
struct Heard {
    name: &'static str,
    ear: Ear,
    bytes: Vec<u8>,
    /// The other side is gone; nothing more will come.
    over: bool,
}

/// The thread that listens.
pub(super) struct Ears {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Noise>>,
    caller_end: Option<UnixStream>,
}

impl Ears {
    /// Makes the sockets of the stage and listens to them; `port_file` is where an attack that listens names its port.
    pub(super) fn listen(sockets: &Sockets, port_file: &Path, far_end: UnixStream) -> io::Result<(Self, Ports)> {
        let tcp4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let udp4 = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let tcp6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).ok();
        let udp6 = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).ok();
        let port_of = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        let ports = Ports {
            tcp4: port_of(&tcp4)?,
            tcp6: tcp6.as_ref().map(port_of).transpose()?,
            udp4: udp4.local_addr()?.port(),
            udp6: udp6.as_ref().map(|socket| socket.local_addr().map(|address| address.port())).transpose()?,
        };
        let mut ears = vec![("TCP", Ear::Tcp(tcp4)), ("UDP", Ear::Udp(udp4))];
        ears.extend(tcp6.map(|listener| ("TCP over IPv6", Ear::Tcp(listener))));
        ears.extend(udp6.map(|socket| ("UDP over IPv6", Ear::Udp(socket))));
        ears.extend(unix_ears(sockets)?);
        ears.push(("the inherited socket", Ear::Stream(Box::new(far_end))));
        let heard: Vec<Heard> =
            ears.into_iter().map(|(name, ear)| Heard { name, ear, bytes: Vec::new(), over: false }).collect();
        heard.iter().try_for_each(Heard::do_not_block)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (told, port_file) = (Arc::clone(&stop), port_file.to_owned());
        let thread =
            std::thread::Builder::new().name("ears".to_owned()).spawn(move || attend(heard, &told, &port_file))?;
        Ok((Ears { stop, thread: Some(thread), caller_end: None }, ports))
    }

    /// Keeps the caller's end of the socket pair until the command has it.
    pub(super) fn hold(&mut self, caller_end: UnixStream) {
        self.caller_end = Some(caller_end);
    }

    /// A copy of the caller's end.
    pub(super) fn caller_end(&self) -> io::Result<Option<OwnedFd>> {
        self.caller_end.as_ref().map(|end| end.try_clone().map(OwnedFd::from)).transpose()
    }

    /// Stops listening; where the marker arrived, if it did.
    pub(super) fn heard(&mut self, marker: &[u8]) -> Option<&'static str> {
        let all = self.stop_listening();
        let has_marker = |bytes: &[u8]| bytes.windows(marker.len()).any(|window| window == marker);
        all.into_iter().find(|(_, bytes)| has_marker(bytes)).map(|(name, _)| name)
    }

    fn stop_listening(&mut self) -> Noise {
        self.stop.store(true, Ordering::Release);
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        self.stop_listening();
    }
}

fn unix_ears(sockets: &Sockets) -> io::Result<Vec<(&'static str, Ear)>> {
    let path = |path: &PathBuf| UnixListener::bind(path).map(Ear::Unix);
    let named = |name: &str| SocketAddr::from_abstract_name(name);
    file::mkfifo(&sockets.fifo)?;
    // Open for both, so that the pipe never ends; not blocking.
    let fifo: File = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(&sockets.fifo)?;
    Ok(vec![
        ("the socket in the home", path(&sockets.home)?),
        ("the socket in /tmp", path(&sockets.tmp)?),
        ("the socket in the readable directory", path(&sockets.readable)?),
        ("the socket in the workspace", path(&sockets.workspace)?),
        ("the datagram socket", Ear::Datagram(UnixDatagram::bind(&sockets.datagram)?)),
        ("the abstract socket", Ear::Unix(UnixListener::bind_addr(&named(&sockets.abstract_stream)?)?)),
        ("the abstract datagram socket", Ear::Datagram(UnixDatagram::bind_addr(&named(&sockets.abstract_datagram)?)?)),
        ("the named pipe", Ear::Stream(Box::new(fifo))),
    ])
}

impl Heard {
    fn fd(&self) -> BorrowedFd<'_> {
        match &self.ear {
            Ear::Tcp(listener) => listener.as_fd(),
            Ear::Unix(listener) => listener.as_fd(),
            Ear::Udp(socket) => socket.as_fd(),
            Ear::Datagram(socket) => socket.as_fd(),
            Ear::Stream(stream) => stream.as_fd(),
        }
    }

    fn do_not_block(&self) -> io::Result<()> {
        match &self.ear {
            Ear::Tcp(listener) => listener.set_nonblocking(true),
            Ear::Unix(listener) => listener.set_nonblocking(true),
            Ear::Udp(socket) => socket.set_nonblocking(true),
            Ear::Datagram(socket) => socket.set_nonblocking(true),
            // One read after poll(2) said that there is something: it does not wait.
            Ear::Stream(_) => Ok(()),
        }
    }

    /// Takes what is there: a new connection, or bytes.
    fn take(&mut self) -> Option<Heard> {
        let mut buffer = [0; 4096];
        let name = self.name;
        let connection =
            |stream: Box<dyn Stream>| Heard { name, ear: Ear::Stream(stream), bytes: Vec::new(), over: false };
        let got = match &mut self.ear {
            Ear::Tcp(listener) => return listener.accept().ok().map(|(stream, _)| connection(Box::new(stream))),
            Ear::Unix(listener) => return listener.accept().ok().map(|(stream, _)| connection(Box::new(stream))),
            Ear::Udp(socket) => socket.recv(&mut buffer),
            Ear::Datagram(socket) => socket.recv(&mut buffer),
            Ear::Stream(stream) => stream.read(&mut buffer).inspect(|got| self.over = *got == 0),
        };
        match got {
            Ok(got) => self.bytes.extend_from_slice(buffer.get(..got).unwrap_or_default()),
            Err(_) => self.over = true,
        }
        None
    }
}

/// Listens until told to stop, and then until nothing more is waiting.
fn attend(mut ears: Vec<Heard>, stop: &AtomicBool, port_file: &Path) -> Noise {
    let mut called = HashSet::new();
    loop {
        // Read before looking, so that what came before the order to stop is still heard.
        let stopping = stop.load(Ordering::Acquire);
        ears.extend(call(port_file, &mut called));
        let open: Vec<usize> = ears.iter().enumerate().filter(|(_, ear)| !ear.over).map(|(at, _)| at).collect();
        let descriptors: Vec<BorrowedFd<'_>> = ears.iter().filter(|ear| !ear.over).map(Heard::fd).collect();
        let ready = socket::readable(&descriptors, if stopping { 0 } else { NAP }).unwrap_or_default();
        let ready: Vec<usize> = open.into_iter().zip(ready).filter(|(_, ready)| *ready).map(|(at, _)| at).collect();
        if stopping && ready.is_empty() {
            return ears.into_iter().map(|ear| (ear.name, ear.bytes)).collect();
        }
        for at in ready {
            let connection = ears.get_mut(at).and_then(Heard::take);
            ears.extend(connection);
        }
    }
}

/// Connects to the port that an attack says it listens on, once for each port.
fn call(port_file: &Path, called: &mut HashSet<u16>) -> Option<Heard> {
    let port: u16 = fs::read_to_string(port_file).ok()?.trim().parse().ok()?;
    if !called.insert(port) {
        return None;
    }
    let stream = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), Duration::from_secs(1)).ok()?;
    Some(Heard {
        name: "a port that the inside opened",
        ear: Ear::Stream(Box::new(stream)),
        bytes: Vec::new(),
        over: false,
    })
}
