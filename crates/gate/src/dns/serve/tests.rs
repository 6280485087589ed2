//! The answerer at real sockets, within a whole gate.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use bailiwick_policy::boundary::Network;
use bailiwick_policy::host_rule::HostRule;
use bailiwick_policy::origin::{Layer, Origin, Source};
use bailiwick_policy::policy::Ruled;

use crate::dns::message::{Data, Message, Name, code, flag, kind};
use crate::event::{Attempt, AttemptResult, Way};
use crate::serve::{Config, Sockets, serve};
use crate::stop::{Stop, Stopper};

/// Long enough for any machine; no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A gate that answers names on another thread.
struct Answerer {
    udp: u16,
    tcp: SocketAddr,
    stopper: Option<Stopper>,
    thread: Option<JoinHandle<()>>,
    events: Receiver<Attempt>,
}

impl Answerer {
    /// With the policy `allow = ["a.example"]`, its datagrams taken at `address`.
    fn start(address: &str) -> Answerer {
        let udp = UdpSocket::bind(address).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, tcp_address) = (udp.local_addr().unwrap().port(), tcp.local_addr().unwrap());
        let (stopper, stop) = Stop::channel();
        let (sender, events) = channel();
        let (say_ready, ready) = channel();
        let thread = std::thread::spawn(move || {
            let origin =
                Origin { layer: Layer::CommandLine, source: Source::Option("--allow-host".to_owned()), line: None };
            let rule = Ruled { value: HostRule::read("a.example").unwrap(), origin };
            let network = Network { allow: vec![rule], ..Network::default() };
            let sockets = Sockets { dns_udp: Some(udp), dns_tcp: Some(tcp), ..Sockets::default() };
            let tell = move |attempt| drop(sender.send(attempt));
            serve(Config::new(network), sockets, tell, move || say_ready.send(()).unwrap(), stop).unwrap();
        });
        ready.recv_timeout(PATIENCE).unwrap();
        Answerer { udp: port, tcp: tcp_address, stopper: Some(stopper), thread: Some(thread), events }
    }

    /// The answer to a datagram sent to `server`, taken only from there.
    fn ask(&self, server: &str, bytes: &[u8]) -> Message {
        let server: IpAddr = server.parse().unwrap();
        let own = if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let socket = UdpSocket::bind(own).unwrap();
        socket.connect((server, self.udp)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.send(bytes).unwrap();
        let mut buffer = [0; 2000];
        let length = socket.recv(&mut buffer).unwrap();
        Message::read(&buffer[..length]).unwrap()
    }

    /// Ends the gate; what it told.
    fn end(mut self) -> Vec<Attempt> {
        drop(self.stopper.take());
        self.thread.take().unwrap().join().unwrap();
        self.events.iter().collect()
    }
}

fn query(name: &str) -> Vec<u8> {
    Message::ask(5, Name::from_host(name).unwrap(), kind::A).write()
}

fn only_address(message: &Message) -> String {
    match message.answers.as_slice() {
        [record] => match &record.data {
            Data::Address(address) => address.to_string(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_datagram_is_answered_from_the_address_that_it_was_sent_to() {
    let answerer = Answerer::start("0.0.0.0:0");
    for server in ["127.0.0.1", "127.0.0.53", "127.9.8.7"] {
        assert_eq!(only_address(&answerer.ask(server, &query("a.example"))), "198.19.0.1", "{server}");
    }
    answerer.end();
}

// Elsewhere a socket is bound to one address.
#[cfg(target_os = "linux")]
#[test]
fn one_socket_answers_both_families() {
    let answerer = Answerer::start("[::]:0");
    for server in ["::1", "127.0.0.53", "127.9.8.7"] {
        assert_eq!(only_address(&answerer.ask(server, &query("a.example"))), "198.19.0.1", "{server}");
    }
    answerer.end();
}

#[test]
fn names_are_told_once_and_refused_ones_with_their_grant() {
    let answerer = Answerer::start("127.0.0.1:0");
    for name in ["evil.example", "a.example", "EVIL.example", "a.example", "other.example"] {
        answerer.ask("127.0.0.1", &query(name));
    }
    let told = answerer.end();
    let summary: Vec<_> = told.iter().map(|attempt| (attempt.way, attempt.host.as_str(), attempt.port)).collect();
    assert_eq!(summary, [(Way::Dns, "evil.example", 0), (Way::Dns, "a.example", 0), (Way::Dns, "other.example", 0)]);
    assert!(
        matches!(&told[0].result, AttemptResult::Refused { grant: Some(grant), .. } if grant.contains("evil.example"))
    );
    assert!(matches!(&told[1].result, AttemptResult::Allowed { address: None, .. }));
}

#[test]
fn what_is_no_query_does_not_end_the_answerer() {
    let answerer = Answerer::start("127.0.0.1:0");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let response = {
        let mut message = Message::read(&query("a.example")).unwrap();
        message.flags |= flag::RESPONSE;
        message.write()
    };
    for bytes in [&b""[..], b"x", &[0xff; 12], &[0; 1400], &[0; 9000], &response] {
        socket.send_to(bytes, ("127.0.0.1", answerer.udp)).unwrap();
    }
    assert_eq!(only_address(&answerer.ask("127.0.0.1", &query("a.example"))), "198.19.0.1");
    answerer.end();
}

#[test]
fn a_connection_carries_many_queries_in_any_pieces() {
    let answerer = Answerer::start("127.0.0.1:0");
    let mut stream = TcpStream::connect(answerer.tcp).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut bytes = Vec::new();
    for name in ["a.example", "evil.example", "a.example"] {
        let query = query(name);
        bytes.extend(u16::try_from(query.len()).unwrap().to_be_bytes());
        bytes.extend(query);
    }
    for piece in bytes.chunks(7) {
        stream.write_all(piece).unwrap();
    }
    let mut codes = Vec::new();
    for _ in 0..3 {
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut answer).unwrap();
        codes.push(Message::read(&answer).unwrap().flags & flag::CODE);
    }
    assert_eq!(codes, [code::NO_ERROR, code::NO_NAME, code::NO_ERROR]);
    // What is longer than any query ends the connection.
    stream.write_all(&[0xff, 0xff, 0, 0]).unwrap();
    assert!(matches!(stream.read(&mut [0; 1]), Ok(0) | Err(_)));
    answerer.end();
}
