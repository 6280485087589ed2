//! A running gate and the hosts behind it, all on loopback.

#![allow(clippy::unwrap_used, dead_code, reason = "tests; not every one uses everything")]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bailiwick_gate::event::{Attempt, AttemptResult, Way};
use bailiwick_gate::{Config, Sockets, Stop, Stopper, serve};
use bailiwick_policy::boundary::Network;
use bailiwick_policy::host_pattern::AddressRange;
use bailiwick_policy::host_rule::HostRule;
use bailiwick_policy::origin::{Layer, Origin, Source};
use bailiwick_policy::policy::Ruled;

/// Nothing takes this long; it only keeps a broken test from hanging.
const NEVER: Duration = Duration::from_secs(30);

/// Names that the host of the tests knows: all are this machine.
const NAMES: &str = "127.0.0.1 target.test other.test\n";

/// A rule for a host at home.
pub(crate) fn rule(text: &str) -> HostRule {
    HostRule { addresses: vec![AddressRange::parse("127.0.0.0/8").unwrap()], ..HostRule::parse(text).unwrap() }
}

/// A running gate.
pub(crate) struct Running {
    names: SocketAddr,
    doors: HashMap<u16, SocketAddr>,
    destinations: Arc<Mutex<HashMap<u16, SocketAddr>>>,
    events: mpsc::Receiver<Attempt>,
    stopper: Option<Stopper>,
    thread: Option<JoinHandle<()>>,
    hosts: PathBuf,
}

impl Running {
    /// With these rules, and a door for each of these ports.
    pub(crate) fn start(rules: Vec<HostRule>, ports: &[u16]) -> Running {
        Running::with(rules, ports, |_| {})
    }

    /// The same, with a changed configuration.
    pub(crate) fn with(rules: Vec<HostRule>, ports: &[u16], change: impl FnOnce(&mut Config)) -> Running {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let hosts = std::env::temp_dir().join(format!("bailiwick-gate-{}-{number}", std::process::id()));
        std::fs::write(&hosts, NAMES).unwrap();
        let origin = Origin { layer: Layer::User, source: Source::Option("--allow-host".to_owned()), line: None };
        let allow = rules.into_iter().map(|value| Ruled { value, origin: origin.clone() }).collect();
        let names = UdpSocket::bind("127.0.0.1:0").unwrap();
        let listeners: Vec<(u16, TcpListener)> =
            ports.iter().map(|port| (*port, TcpListener::bind("127.0.0.1:0").unwrap())).collect();
        let doors = listeners.iter().map(|(port, listener)| (*port, listener.local_addr().unwrap())).collect();
        let destinations: Arc<Mutex<HashMap<u16, SocketAddr>>> = Arc::default();
        let known = destinations.clone();
        let mut config = Config {
            hosts: hosts.clone(),
            find_destination: Some(Box::new(move |local, _| known.lock().unwrap()[&local.port()])),
            ..Config::new(Network { allow, ..Network::default() })
        };
        change(&mut config);
        let names_at = names.local_addr().unwrap();
        let sockets = Sockets { dns_udp: Some(names), listeners, ..Sockets::default() };
        let (stopper, stop) = Stop::channel();
        let (sender, events) = mpsc::channel();
        let (is_ready, ready) = mpsc::channel();
        let thread = thread::spawn(move || {
            let told = move |attempt| sender.send(attempt).unwrap_or_default();
            serve(config, sockets, told, || is_ready.send(()).unwrap(), stop).unwrap();
        });
        ready.recv_timeout(NEVER).unwrap();
        Running { names: names_at, doors, destinations, events, stopper: Some(stopper), thread: Some(thread), hosts }
    }

    /// What the inside's name server answers: the address that stands for the name.
    pub(crate) fn resolve(&self, name: &str) -> Option<IpAddr> {
        let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            query.push(u8::try_from(label.len()).unwrap());
            query.extend_from_slice(label.as_bytes());
        }
        query.extend_from_slice(&[0, 0, 1, 0, 1]);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(NEVER)).unwrap();
        socket.send_to(&query, self.names).unwrap();
        let mut answer = [0; 512];
        let number = socket.recv(&mut answer).unwrap();
        let is_answered = answer[7] == 1;
        let address: [u8; 4] = answer[number.saturating_sub(4)..number].try_into().unwrap();
        is_answered.then(|| IpAddr::from(Ipv4Addr::from(address)))
    }

    /// Connects as a program inside does: looks the name up, connects to the address.
    pub(crate) fn connect(&self, host: &str, port: u16) -> TcpStream {
        let address = host.parse().ok().or_else(|| self.resolve(host)).unwrap();
        let door = self.doors[&port];
        self.destinations.lock().unwrap().insert(door.port(), SocketAddr::new(address, port));
        let stream = TcpStream::connect(door).unwrap();
        stream.set_read_timeout(Some(NEVER)).unwrap();
        stream.set_write_timeout(Some(NEVER)).unwrap();
        stream
    }

    /// The next attempt that is told, but for names that were looked up.
    pub(crate) fn told(&self) -> Attempt {
        loop {
            let attempt = self.events.recv_timeout(NEVER).unwrap();
            if !is_name_found(&attempt) {
                return attempt;
            }
        }
    }

    /// The reason of the next attempt, which must have been refused, and its grant.
    pub(crate) fn refused(&self) -> (String, Option<String>) {
        match self.told().result {
            AttemptResult::Refused { reason, grant, .. } => (reason, grant),
            other => panic!("not refused: {other:?}"),
        }
    }

    /// The reason of the next attempt, which must have failed.
    pub(crate) fn failed(&self) -> String {
        match self.told().result {
            AttemptResult::Failed { reason } => reason,
            other => panic!("not failed: {other:?}"),
        }
    }

    /// The bytes of the next attempt, which must have been carried.
    pub(crate) fn carried(&self) -> (u64, u64) {
        match self.told().result {
            AttemptResult::Allowed { sent, received, .. } => (sent, received),
            other => panic!("not carried: {other:?}"),
        }
    }

    /// Is nothing told but names that were looked up?
    pub(crate) fn is_silent(&self) -> bool {
        self.events.try_iter().all(|attempt| is_name_found(&attempt))
    }

    /// Stops the gate and waits for its end.
    pub(crate) fn stop(&mut self) {
        self.stopper.take().unwrap().stop();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn is_name_found(attempt: &Attempt) -> bool {
    attempt.way == Way::Dns && matches!(attempt.result, AttemptResult::Allowed { .. })
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stopper.take());
        let ended = self.thread.take().map(JoinHandle::join);
        let _ = std::fs::remove_file(&self.hosts);
        if let Some(Err(panic)) = ended
            && !thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

/// A host that serves each connection on a thread; its port.
pub(crate) fn host(each: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let each = Arc::new(each);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let each = each.clone();
            thread::spawn(move || each(stream.unwrap()));
        }
    });
    port
}

/// A host that gives back what it gets.
pub(crate) fn echo() -> u16 {
    host(|mut stream| {
        let mut buffer = [0; 4096];
        while let Ok(number @ 1..) = stream.read(&mut buffer) {
            if stream.write_all(&buffer[..number]).is_err() {
                return;
            }
        }
    })
}

/// A host that tells what it got on each connection, once it is over.
pub(crate) fn recorder() -> (u16, mpsc::Receiver<Vec<u8>>) {
    let (sender, receiver) = mpsc::channel();
    let sender = Mutex::new(sender);
    let port = host(move |mut stream| {
        let mut got = Vec::new();
        let _ = stream.read_to_end(&mut got);
        let _ = sender.lock().unwrap().send(got);
    });
    (port, receiver)
}

/// What the recorder got next.
pub(crate) fn got(receiver: &mpsc::Receiver<Vec<u8>>) -> Vec<u8> {
    receiver.recv_timeout(NEVER).unwrap()
}

/// Was the connection broken, not ended?
pub(crate) fn is_reset(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    matches!(stream.read_to_end(&mut rest), Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset)
}

/// The first bytes of a TLS client that means this host.
pub(crate) fn hello(name: &str) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from(name.to_owned()).unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}
