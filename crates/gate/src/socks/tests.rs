//! A whole gate with both of its proxies, spoken to over the loopback.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use bailiwick_policy::boundary::Network;
use bailiwick_policy::host_pattern::AddressRange;
use bailiwick_policy::host_rule::HostRule;
use bailiwick_policy::origin::{Layer, Origin, Source};
use bailiwick_policy::policy::Ruled;

use crate::event::{Attempt, AttemptResult};
use crate::stop::{Stop, Stopper};
use crate::{Config, Secret, Sockets};

/// How long a test waits for what it expects; it fails after that.
const PATIENCE: Duration = Duration::from_secs(20);

struct Proxies {
    /// A server that says everything back, in upper case.
    echo: u16,
    socks: SocketAddr,
    http: SocketAddr,
    stopper: Option<Stopper>,
    thread: Option<JoinHandle<()>>,
    events: Receiver<Attempt>,
}

impl Proxies {
    /// The policy allows the echo at `127.0.0.1`.
    fn start(secret: bool) -> Proxies {
        let echo = TcpListener::bind("127.0.0.1:0").unwrap();
        let echo_port = echo.local_addr().unwrap().port();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = echo.accept() {
                std::thread::spawn(move || {
                    let mut buffer = [0; 1000];
                    while let Ok(length @ 1..) = stream.read(&mut buffer) {
                        buffer[..length].make_ascii_uppercase();
                        stream.write_all(&buffer[..length]).unwrap();
                    }
                });
            }
        });
        let (socks, http) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let (socks_address, http_address) = (socks.local_addr().unwrap(), http.local_addr().unwrap());
        let (stopper, stop) = Stop::channel();
        let (sender, events) = channel();
        let thread = std::thread::spawn(move || {
            let origin = Origin { layer: Layer::CommandLine, source: Source::Option("test".to_owned()), line: None };
            let addresses = vec![AddressRange::parse("127.0.0.0/8").unwrap()];
            let rule = HostRule { addresses, ..HostRule::read(&format!("127.0.0.1:{echo_port}")).unwrap() };
            let network = Network { allow: vec![Ruled { value: rule, origin }], ..Network::default() };
            let secret = secret.then(|| Secret::new("bailiwick", "a password"));
            let config = Config { secret, ..Config::new(network) };
            let sockets = Sockets { socks: Some(socks), http_proxy: Some(http), ..Sockets::default() };
            crate::serve(config, sockets, move |attempt| drop(sender.send(attempt)), || (), stop).unwrap();
        });
        Proxies {
            echo: echo_port,
            socks: socks_address,
            http: http_address,
            stopper: Some(stopper),
            thread: Some(thread),
            events,
        }
    }

    /// A request for this IPv4 address and port.
    fn request(command: u8, address: [u8; 4], port: u16) -> Vec<u8> {
        [&[5, command, 0, 1][..], &address, &port.to_be_bytes()].concat()
    }

    /// Ends the gate; what it told, in short.
    fn end(mut self) -> Vec<String> {
        drop(self.stopper.take());
        self.thread.take().unwrap().join().unwrap();
        let short = |attempt: Attempt| match attempt.result {
            AttemptResult::Allowed { sent, received, .. } => format!("{:?} allowed {sent} {received}", attempt.way),
            AttemptResult::Refused { reason, .. } => format!("{:?} refused: {reason}", attempt.way),
            AttemptResult::Failed { reason } => format!("{:?} failed: {reason}", attempt.way),
        };
        self.events.iter().map(short).collect()
    }
}

fn open(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends this and takes exactly this answer.
fn exchange(stream: &mut TcpStream, said: &[u8], answer: &[u8]) {
    stream.write_all(said).unwrap();
    let mut got = vec![0; answer.len()];
    stream.read_exact(&mut got).unwrap();
    assert_eq!(got, answer);
}

/// Everything that still comes.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    all
}

const GRANTED: [u8; 10] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

fn refused(reply: u8) -> [u8; 10] {
    let mut whole = GRANTED;
    whole[1] = reply;
    whole
}

#[test]
fn an_allowed_target_is_carried_to_also_when_everything_is_said_at_once() {
    let proxies = Proxies::start(false);
    let request = Proxies::request(1, [127, 0, 0, 1], proxies.echo);
    let mut stream = open(proxies.socks);
    exchange(&mut stream, &[5, 1, 0], &[5, 0]);
    exchange(&mut stream, &request, &GRANTED);
    exchange(&mut stream, b"hello\n", b"HELLO\n");
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut stream), b"");

    let mut eager = open(proxies.socks);
    eager.write_all(&[&[5, 1, 0][..], &request, b"\0first"].concat()).unwrap();
    eager.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut eager), [&[5, 0][..], &GRANTED, b"\0FIRST"].concat());
    assert_eq!(proxies.end(), ["Socks allowed 6 6", "Socks allowed 6 6"]);
}

#[test]
fn refusals_have_their_reply_and_are_told() {
    let proxies = Proxies::start(false);
    let name = |name: &str| [&[5, 1, 0, 3, u8::try_from(name.len()).unwrap()][..], name.as_bytes(), &[0, 80]].concat();
    for (request, reply) in [
        (Proxies::request(1, [192, 0, 2, 1], 80), 2),
        (name("evil.example"), 2),
        (name("127.0.0.1\0evil"), 2),
        // An address that stands for no name.
        (Proxies::request(1, [198, 18, 200, 1], 80), 2),
        (Proxies::request(2, [127, 0, 0, 1], proxies.echo), 7),
        (Proxies::request(3, [127, 0, 0, 1], proxies.echo), 7),
        ([5, 1, 0, 9].to_vec(), 8),
        ([5, 1, 7, 1].to_vec(), 1),
    ] {
        let mut stream = open(proxies.socks);
        exchange(&mut stream, &[5, 1, 0], &[5, 0]);
        exchange(&mut stream, &request, &refused(reply)[..]);
        assert_eq!(rest(&mut stream), b"");
    }
    let mut old = open(proxies.socks);
    exchange(&mut old, b"\x04\x01\0\x50\x7f\0\0\x01me\0", &[0, 0x5b, 0, 0, 0, 0, 0, 0]);
    assert_eq!(rest(&mut old), b"");
    let mut other = open(proxies.socks);
    other.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(rest(&mut other), b"");
    let told = proxies.end();
    assert!(told.len() == 10 && told.iter().all(|line| line.starts_with("Socks refused: ")), "{told:#?}");
}

#[test]
fn the_password_is_asked_for_where_there_is_one() {
    let proxies = Proxies::start(true);
    let mut silent = open(proxies.socks);
    exchange(&mut silent, &[5, 1, 0], &[5, 0xff]);
    assert_eq!(rest(&mut silent), b"");
    for wrong in [&b"\x01\x09bailiwick\x0aa passwore"[..], b"\x01\x09bailiwicc\x0aa password", b"\x01\x00\x00"] {
        let mut stream = open(proxies.socks);
        exchange(&mut stream, &[5, 2, 0, 2], &[5, 2]);
        exchange(&mut stream, wrong, &[1, 1]);
        assert_eq!(rest(&mut stream), b"");
    }
    let mut stream = open(proxies.socks);
    exchange(&mut stream, &[5, 2, 0, 2], &[5, 2]);
    exchange(&mut stream, b"\x01\x09bailiwick\x0aa password", &[1, 0]);
    exchange(&mut stream, &Proxies::request(1, [127, 0, 0, 1], proxies.echo), &GRANTED);
    exchange(&mut stream, b"x\n", b"X\n");
    drop(stream);
    let told = proxies.end();
    assert_eq!(told.iter().filter(|line| line.contains("refused")).count(), 4, "{told:#?}");
}

#[test]
fn the_http_proxy_makes_tunnels() {
    let proxies = Proxies::start(false);
    let connect = |port: u16| format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    let mut stream = open(proxies.http);
    let said = connect(proxies.echo);
    exchange(&mut stream, said.as_bytes(), b"HTTP/1.1 200 Connection Established\r\n\r\n");
    exchange(&mut stream, b"hello\n", b"HELLO\n");
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut stream), b"");

    // A refusal leaves the connection as it is; the next request may be allowed.
    let mut stream = open(proxies.http);
    exchange(&mut stream, connect(1).as_bytes(), b"HTTP/1.1 403 Forbidden\r\n");
    drop(stream);
    let told = proxies.end();
    assert_eq!(told.iter().filter(|line| *line == "Http allowed 6 6").count(), 1, "{told:#?}");
    assert_eq!(told.iter().filter(|line| line.starts_with("Http refused: ")).count(), 1, "{told:#?}");
}

#[test]
fn requests_to_the_proxy_reach_their_server() {
    let proxies = Proxies::start(false);
    let mut stream = open(proxies.http);
    // What the echo says to a request is no response: it is refused, and was sent once.
    let host = format!("127.0.0.1:{}", proxies.echo);
    stream.write_all(format!("GET http://{host}/x HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let answer = String::from_utf8(rest(&mut stream)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{answer}");
    let told = proxies.end();
    assert!(told.len() == 1 && told[0].starts_with("Http failed: the answer of "), "{told:#?}");
}
