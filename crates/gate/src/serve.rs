//! Serving: the listeners, their bounds, and the life of the gate.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bailiwick_policy::boundary::Network;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{sleep, timeout};

use crate::budget::Budget;
use crate::dns;
use crate::event::{Attempt, Begun, Way};
use crate::gate::{Gate, Limits};
use crate::http;
use crate::inspect::Inspection;
use crate::process;
use crate::program::{Program, Programs, WhoAsks};
use crate::refusal::Refusal;
use crate::resolve::Resolver;
use crate::secret::Secret;
use crate::socket::{self, reset};
use crate::socks;
use crate::stop::Stop;
use crate::synthetic::Synthetic;
use crate::telling::Telling;
use crate::transparent::{self, FindDestination};
use crate::tunnel::Pipes;
use crate::upstream::Upstreams;

/// What the gate does, and how.
pub struct Config {
    /// What is allowed.
    pub network: Network,
    /// The host's resolver configuration: `/etc/resolv.conf`.
    pub resolv_conf: PathBuf,
    /// The host's own names: `/etc/hosts`.
    pub hosts: PathBuf,
    /// The caller's environment, where the company's proxies are named.
    pub environment: Vec<(OsString, OsString)>,
    /// The bounds.
    pub limits: Limits,
    /// What clients of the HTTP and SOCKS proxies have to know; none where only the inside can reach them.
    pub secret: Option<Secret>,
    /// What [`Inspection::prepare`] gave.
    pub inspection: Option<Inspection>,
    /// Finds the program behind a connection.
    pub who_asks: Option<Box<dyn WhoAsks + Send>>,
    /// Finds what an accepted connection was meant for, where the accepted socket's own address is not it.
    pub find_destination: Option<FindDestination>,
}

impl Config {
    /// A gate for this policy, with the host's usual files and bounds, without environment, secret, inspection and hooks.
    pub fn new(network: Network) -> Config {
        Config {
            network,
            resolv_conf: PathBuf::from("/etc/resolv.conf"),
            hosts: PathBuf::from("/etc/hosts"),
            environment: Vec::new(),
            limits: Limits::default(),
            secret: None,
            inspection: None,
            who_asks: None,
            find_destination: None,
        }
    }
}

/// The sockets of the inside. Each door is optional.
#[derive(Default)]
pub struct Sockets {
    /// The name server on UDP.
    pub dns_udp: Option<std::net::UdpSocket>,
    /// The name server on TCP.
    pub dns_tcp: Option<std::net::TcpListener>,
    /// Listeners for ordinary connections, with the port that each stands for.
    pub listeners: Vec<(u16, std::net::TcpListener)>,
    /// The HTTP proxy.
    pub http_proxy: Option<std::net::TcpListener>,
    /// The SOCKS5 proxy.
    pub socks: Option<std::net::TcpListener>,
    /// A packet socket (`AF_PACKET`, `SOCK_DGRAM`) that sees what the inside sends, so that attempts that nothing takes are told.
    #[cfg(target_os = "linux")]
    pub packets: Option<std::os::fd::OwnedFd>,
}

/// Why the gate could not start or go on.
#[derive(Debug)]
#[non_exhaustive]
pub enum GateError {
    /// The runtime could not be made.
    Runtime(io::Error),
    /// A socket could not be used. The text says which.
    Socket(&'static str, io::Error),
    /// The descriptor that stops the gate could not be watched.
    Stop(io::Error),
}

impl fmt::Display for GateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GateError::Runtime(error) => write!(f, "the network gate could not be set up: {error}"),
            GateError::Socket(which, error) => {
                write!(f, "the network gate could not use its socket for {which}: {error}")
            }
            GateError::Stop(error) => write!(f, "the network gate could not watch for its end: {error}"),
        }
    }
}

impl std::error::Error for GateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            GateError::Runtime(error) | GateError::Socket(_, error) | GateError::Stop(error) => Some(error),
        }
    }
}

/// Serves until `stop`. Takes the whole thread, and settings of the whole process: descriptors are raised to the hard limit, SIGPIPE is ignored.
///
/// `events` is called for each attempt that is over, on this thread: it should not wait. `ready` is called once all sockets are served.
///
/// # Errors
/// Before `ready`: the gate cannot start, and the run must not. After it: the descriptor to stop with broke.
pub fn serve(
    config: Config,
    sockets: Sockets,
    events: impl FnMut(Attempt) + 'static,
    ready: impl FnOnce(),
    stop: Stop,
) -> Result<(), GateError> {
    let most = process::prepare();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(GateError::Runtime)?;
    let gate = gate(config, events, most);
    let local = LocalSet::new();
    let served = runtime.block_on(local.run_until(async {
        open(&gate, sockets)?;
        ready();
        stop.wait().await.map_err(GateError::Stop)?;
        // A program that says something and ends, ends before its words have left: they are still carried.
        let _ = timeout(LAST_WORDS, until_quiet(&gate)).await;
        Ok(())
    }));
    // Connections end here, and are told as far as they came.
    drop(local);
    gate.telling.borrow_mut().finish();
    served
}

/// How long connections may go on after the gate was told to stop. Nobody inside is left to wait for.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// How many turns the runtime needs to ask the system what has come, and to let the doors accept it.
const TURNS: usize = 8;

async fn until_quiet(gate: &Gate) {
    // The word to stop may be heard before a connection that was made earlier.
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
    while gate.connections.get() > 0 {
        sleep(Duration::from_millis(2)).await;
    }
}

fn gate(config: Config, events: impl FnMut(Attempt) + 'static, most_connections: Option<usize>) -> Rc<Gate> {
    let mut limits = config.limits;
    limits.connections = limits.connections.min(most_connections.unwrap_or(usize::MAX));
    // Readers that stop must not keep new clients from being heard: they have a budget of their own.
    let (budget, remainders) = (Budget::new(limits.memory / 2), Budget::new(limits.memory / 2));
    Rc::new(Gate {
        network: config.network,
        resolver: Resolver::from_files(config.resolv_conf, config.hosts),
        synthetic: RefCell::new(Synthetic::new()),
        secret: config.secret,
        told: RefCell::default(),
        inspection: config.inspection,
        pipes: Pipes::new(remainders),
        upstreams: Upstreams::from_environment(&config.environment),
        programs: Programs::new(config.who_asks.map(|who| who as Box<dyn WhoAsks>)),
        find_destination: config.find_destination,
        connections: Cell::new(0),
        telling: RefCell::new(Telling::new(events, limits.events)),
        limits,
        budget,
    })
}

/// Begins to serve every socket.
fn open(gate: &Rc<Gate>, sockets: Sockets) -> Result<(), GateError> {
    #[cfg(unix)]
    spawn_local({
        let gate = gate.clone();
        async move { gate.programs.take_answers().await }
    });
    if let Some(socket) = sockets.dns_udp {
        let socket = prepared(socket, std::net::UdpSocket::set_nonblocking)
            .and_then(tokio::net::UdpSocket::from_std)
            .map_err(|error| GateError::Socket("names (UDP)", error))?;
        spawn_local(serve_names(gate.clone(), socket));
    }
    let mut doors = Vec::new();
    doors.extend(sockets.dns_tcp.map(|listener| ("names (TCP)", listener, Door::Names)));
    doors.extend(sockets.http_proxy.map(|listener| ("the HTTP proxy", listener, Door::Http)));
    doors.extend(sockets.socks.map(|listener| ("the SOCKS proxy", listener, Door::Socks)));
    doors.extend(
        sockets.listeners.into_iter().map(|(port, listener)| ("connections", listener, Door::Transparent(port))),
    );
    #[cfg(target_os = "linux")]
    let taken = doors.iter().filter_map(|(_, listener, _)| listener.local_addr().ok()).map(|at| at.port()).collect();
    for (which, listener, door) in doors {
        socket::tune_local(&listener);
        let listener = prepared(listener, std::net::TcpListener::set_nonblocking)
            .and_then(TcpListener::from_std)
            .map_err(|error| GateError::Socket(which, error))?;
        spawn_local(accept(gate.clone(), listener, door));
    }
    #[cfg(target_os = "linux")]
    if let Some(socket) = sockets.packets {
        let packets = crate::packets::Packets::new(socket, taken);
        spawn_local(packets.map_err(|error| GateError::Socket("packets", error))?.serve(gate.clone()));
    }
    Ok(())
}

fn prepared<S>(socket: S, set_nonblocking: impl FnOnce(&S, bool) -> io::Result<()>) -> io::Result<S> {
    set_nonblocking(&socket, true)?;
    Ok(socket)
}

async fn serve_names(gate: Rc<Gate>, socket: tokio::net::UdpSocket) {
    if let Err(error) = dns::serve_udp(gate.clone(), socket).await {
        // Names can no longer be looked up: the network of the inside ends, not the confinement.
        let begun = Begun::now(Way::Dns, "", 0, Program::unknown());
        gate.tell(begun.failed(format!("the name server of the inside broke: {error}")));
    }
}

/// What a listener is for.
#[derive(Clone, Copy)]
enum Door {
    Names,
    Http,
    Socks,
    Transparent(u16),
}

impl Door {
    fn way(self) -> Way {
        match self {
            Door::Names => Way::Dns,
            Door::Http => Way::Http,
            Door::Socks => Way::Socks,
            Door::Transparent(_) => Way::Transparent,
        }
    }
}

/// How long nothing is accepted after the system had no descriptor or memory for a connection.
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts for as long as the gate lives.
async fn accept(gate: Rc<Gate>, listener: TcpListener, door: Door) {
    let mut fullness = Fullness { told: None };
    loop {
        match listener.accept().await {
            Ok((client, peer)) => admit(&gate, client, peer, door, &mut fullness),
            // The client was gone before it was accepted; see accept(2) for the others.
            Err(error) if is_about_the_client(&error) => {}
            Err(_) => sleep(PAUSE).await,
        }
    }
}

fn is_about_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, HostUnreachable, Interrupted, NetworkUnreachable};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | NetworkUnreachable | HostUnreachable)
}

fn admit(gate: &Rc<Gate>, client: TcpStream, peer: SocketAddr, door: Door, fullness: &mut Fullness) {
    let Some(admitted) = gate.admit() else {
        fullness.tell(gate, &client, door);
        return reset(client);
    };
    socket::tune_inside(&client);
    let gate = gate.clone();
    match door {
        Door::Names => {
            spawn_local(async move {
                dns::serve_tcp(gate, client).await;
                drop(admitted);
            });
        }
        Door::Http => {
            spawn_local(async move {
                http::proxy(gate.clone(), client, gate.secret.as_ref()).await;
                drop(admitted);
            });
        }
        Door::Socks => {
            spawn_local(async move {
                socks::serve(gate.clone(), client, gate.secret.as_ref()).await;
                drop(admitted);
            });
        }
        Door::Transparent(port) => {
            spawn_local(async move {
                transparent::accepted(gate, client, peer, port).await;
                drop(admitted);
            });
        }
    }
}

/// Between two events that say that there are too many connections.
const BETWEEN: Duration = Duration::from_secs(10);

/// Tells that there are too many connections, now and then.
struct Fullness {
    told: Option<Instant>,
}

impl Fullness {
    fn tell(&mut self, gate: &Gate, client: &TcpStream, door: Door) {
        if self.told.is_some_and(|told| told.elapsed() < BETWEEN) {
            return;
        }
        self.told = Some(Instant::now());
        let (host, port) = match client.local_addr() {
            Ok(local) => (local.ip().to_canonical().to_string(), local.port()),
            Err(_) => (String::new(), 0),
        };
        gate.tell(Begun::now(door.way(), &host, port, Program::unknown()).refused(&Refusal::Busy));
    }
}
