//! Ordinary connections through a running gate: what is carried, what is not, and how it ends.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use bailiwick_gate::event::{AttemptResult, Way};
use bailiwick_gate::{Config, Sockets, Stop, serve};
use bailiwick_policy::boundary::Network;
use bailiwick_policy::origin::{Layer, Origin, Source};
use bailiwick_policy::policy::Ruled;
use support::{Running, echo, got, hello, host, is_reset, recorder, rule};

fn text(port: u16) -> String {
    format!("target.test:{port}")
}

#[test]
fn an_ordinary_connection_to_an_allowed_name_is_carried_and_told() {
    let port = echo();
    let gate = Running::start(vec![rule(&text(port))], &[port]);
    let mut stream = gate.connect("target.test", port);
    stream.write_all(b"hell\0").unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hell\0");
    assert!(gate.is_silent(), "an open connection is not told yet");
    drop(stream);
    let told = gate.told();
    assert_eq!((told.way, told.host.as_str(), told.port), (Way::Transparent, "target.test", port));
    let AttemptResult::Allowed { address, rule, sent: 5, received: 5, .. } = told.result else {
        panic!("{:?}", told.result)
    };
    assert_eq!(address.unwrap().to_string(), format!("127.0.0.1:{port}"));
    assert!(rule.contains(&text(port)), "{rule}");
}

#[test]
fn an_address_that_no_rule_names_is_reset_and_told_with_its_grant() {
    let gate = Running::start(vec![rule("target.test:7777")], &[7777]);
    let mut stream = gate.connect("192.0.2.9", 7777);
    assert!(is_reset(&mut stream));
    let (reason, grant) = gate.refused();
    assert!(reason.contains("192.0.2.9"), "{reason}");
    assert_eq!(grant.as_deref(), Some("--allow-host 192.0.2.9:7777"));
}

#[test]
fn another_port_of_an_allowed_name_is_reset() {
    let gate = Running::start(vec![rule("target.test:7777")], &[7778]);
    let mut stream = gate.connect("target.test", 7778);
    assert!(is_reset(&mut stream));
    assert!(gate.refused().0.contains("7778"));
}

#[test]
fn a_synthetic_address_that_stands_for_nothing_is_reset() {
    let mut all = rule("target.test:7777");
    all.pattern = bailiwick_policy::host_pattern::HostPattern::parse("*:7777").unwrap();
    let gate = Running::start(vec![all], &[7777]);
    let mut stream = gate.connect("198.18.77.7", 7777);
    assert!(is_reset(&mut stream));
    assert!(gate.refused().0.contains("stands for no name"));
}

#[test]
fn a_name_that_leads_to_this_machine_is_refused_unless_the_rule_lists_the_address() {
    let port = echo();
    let mut plain = rule(&text(port));
    plain.addresses.clear();
    let gate = Running::start(vec![plain], &[port]);
    let mut stream = gate.connect("target.test", port);
    assert!(is_reset(&mut stream));
    assert!(gate.refused().0.contains("127.0.0.1, which is a loopback address"));
}

#[test]
fn a_refused_name_has_no_address() {
    let gate = Running::start(vec![rule("target.test:7777")], &[]);
    assert_eq!(gate.resolve("other.test"), None);
    assert_eq!(gate.refused().1.as_deref(), Some("--allow-host other.test"));
}

#[test]
fn a_server_may_speak_first() {
    let port = host(|mut stream| {
        stream.write_all(b"220 ready\r\n").unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).unwrap();
        stream.write_all(&answer).unwrap();
    });
    let gate = Running::start(vec![rule(&text(port))], &[port]);
    let mut stream = gate.connect("target.test", port);
    let mut greeting = [0; 11];
    stream.read_exact(&mut greeting).unwrap();
    stream.write_all(b"QUIT").unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"QUIT");
    drop(stream);
    assert_eq!(gate.carried(), (4, 15));
}

#[test]
fn a_word_that_waits_for_its_answer_is_carried() {
    let port = host(|mut stream| {
        let mut word = [0; 4];
        stream.read_exact(&mut word).unwrap();
        assert_eq!(&word, b"ruok");
        stream.write_all(b"imok").unwrap();
    });
    let gate = Running::start(vec![rule(&text(port))], &[port]);
    let mut client = gate.connect("target.test", port);
    client.write_all(b"ruok").unwrap();
    let mut answer = [0; 4];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"imok");
}

#[test]
fn a_half_that_ends_leaves_the_other_open() {
    let port = host(|mut stream| {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        all.reverse();
        stream.write_all(&all).unwrap();
    });
    let gate = Running::start(vec![rule(&text(port))], &[port]);
    let mut stream = gate.connect("target.test", port);
    stream.write_all(b"abc").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"cba");
    assert_eq!(gate.carried(), (3, 3));
}

#[test]
fn a_reset_is_carried_as_a_reset_after_what_was_said() {
    let port = host(|mut stream| {
        stream.write_all(b"last words").unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        // More was sent than is read: closing now is a reset.
    });
    let gate = Running::start(vec![rule(&text(port))], &[port]);
    let mut stream = gate.connect("target.test", port);
    let mut words = [0; 10];
    stream.read_exact(&mut words).unwrap();
    stream.write_all(&[b'x'; 1000]).unwrap();
    assert!(is_reset(&mut stream));
    gate.carried();
}

#[test]
fn megabytes_arrive_whole_in_both_directions_although_the_reader_is_slow() {
    let port = echo();
    let gate = Running::start(vec![rule(&text(port))], &[port]);
    let mut stream = gate.connect("target.test", port);
    let bytes: Vec<u8> =
        (0..8_000_000u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let mut writer = stream.try_clone().unwrap();
    let sent = bytes.clone();
    let thread = std::thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    // Everything on the way is full before anything is taken.
    std::thread::sleep(Duration::from_millis(200));
    let mut back = Vec::new();
    stream.read_to_end(&mut back).unwrap();
    thread.join().unwrap();
    assert!(back == bytes);
    assert_eq!(gate.carried(), (32_000_000, 32_000_000));
}

#[test]
fn a_client_that_never_reads_does_not_hold_up_others() {
    let flood = host(|mut stream| while stream.write_all(&[7; 65536]).is_ok() {});
    let port = echo();
    let gate = Running::start(vec![rule(&text(flood)), rule(&text(port))], &[flood, port]);
    let deaf: Vec<TcpStream> = (0..20).map(|_| gate.connect("target.test", flood)).collect();
    for _ in 0..20 {
        let mut stream = gate.connect("target.test", port);
        stream.write_all(b"\0").unwrap();
        stream.read_exact(&mut [0]).unwrap();
    }
    drop(deaf);
}

#[test]
fn too_many_connections_are_reset_and_told_once_and_room_is_made_again() {
    let port = echo();
    let gate = Running::with(vec![rule(&text(port))], &[port], |config| config.limits.connections = 8);
    let mut held: Vec<TcpStream> = (0..8).map(|_| gate.connect("target.test", port)).collect();
    for stream in &mut held {
        stream.write_all(b"\0").unwrap();
        stream.read_exact(&mut [0]).unwrap();
    }
    for _ in 0..5 {
        assert!(is_reset(&mut gate.connect("target.test", port)));
    }
    assert!(gate.failed().contains("as many connections"));
    drop(held);
    for _ in 0..8 {
        assert_eq!(gate.carried(), (1, 1));
    }
    let mut stream = gate.connect("target.test", port);
    stream.write_all(b"\0").unwrap();
    stream.read_exact(&mut [0]).unwrap();
}

#[test]
fn a_flood_of_connections_that_close_at_once_leaves_nothing_behind() {
    let port = echo();
    let gate = Running::with(vec![rule(&text(port))], &[port], |config| config.limits.connections = 64);
    for _ in 0..1000 {
        drop(gate.connect("target.test", port));
    }
    // The last of them may still be counted: one that is turned away is tried again.
    let is_served = (0..1000).any(|_| {
        let mut stream = gate.connect("target.test", port);
        let written = stream.write_all(b"\0");
        written.and_then(|()| stream.read_exact(&mut [0])).is_ok()
    });
    assert!(is_served);
}

#[test]
fn stopping_the_gate_ends_and_tells_what_is_open() {
    let port = echo();
    let mut gate = Running::start(vec![rule(&text(port))], &[port]);
    let mut stream = gate.connect("target.test", port);
    stream.write_all(b"\0").unwrap();
    stream.read_exact(&mut [0]).unwrap();
    gate.stop();
    assert_eq!(gate.carried(), (1, 1));
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
}

#[test]
fn a_handshake_that_names_another_host_never_leaves() {
    let (port, seen) = recorder();
    let gate = Running::start(vec![rule(&text(port)), rule(&format!("other.test:{port}"))], &[port]);
    let mut stream = gate.connect("target.test", port);
    stream.write_all(&hello("other.test")).unwrap();
    assert!(is_reset(&mut stream));
    let (reason, _) = gate.refused();
    assert!(reason.contains("other.test") && reason.contains("target.test"), "{reason}");
    assert_eq!(got(&seen), b"", "the server saw a connection and nothing on it");
}

#[test]
fn a_handshake_that_names_the_target_is_carried_also_in_pieces() {
    let (port, seen) = recorder();
    let gate = Running::start(vec![rule(&text(port))], &[port]);
    let hello = hello("target.test");
    let mut stream = gate.connect("target.test", port);
    stream.set_nodelay(true).unwrap();
    for piece in hello.chunks(40) {
        stream.write_all(piece).unwrap();
    }
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(got(&seen) == hello);
}

#[test]
fn an_opaque_rule_carries_what_would_not_fit() {
    let (port, seen) = recorder();
    let mut opaque = rule(&text(port));
    opaque.opaque = true;
    let gate = Running::start(vec![opaque], &[port]);
    let hello = hello("other.test");
    let mut stream = gate.connect("target.test", port);
    stream.write_all(&hello).unwrap();
    drop(stream);
    assert!(got(&seen) == hello);
}

#[test]
fn a_request_for_another_host_never_leaves() {
    let (port, seen) = recorder();
    let gate = Running::start(vec![rule(&text(port)), rule(&format!("other.test:{port}"))], &[port]);
    for request in [
        format!("GET / HTTP/1.1\r\nHost: other.test:{port}\r\n\r\n"),
        format!("\r\n\r\nGET / HTTP/1.1\r\nHost: other.test:{port}\r\n\r\n"),
    ] {
        let mut stream = gate.connect("target.test", port);
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        // The answer may be followed by a reset.
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        assert!(!matches!(gate.told().result, AttemptResult::Allowed { .. }));
        drop(stream);
        assert_eq!(got(&seen), b"", "{request}");
    }
}

#[test]
fn a_header_of_a_megabyte_is_refused_and_the_gate_goes_on() {
    let (port, seen) = recorder();
    let echo = echo();
    let gate = Running::start(vec![rule(&text(port)), rule(&text(echo))], &[port, echo]);
    let mut stream = gate.connect("target.test", port);
    let mut request = format!("GET / HTTP/1.1\r\nHost: target.test:{port}\r\nX: ").into_bytes();
    request.resize(1 << 20, b'x');
    // It is refused before it is all read.
    let _ = stream.write_all(&request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    assert_eq!(got(&seen), b"");
    let mut stream = gate.connect("target.test", echo);
    stream.write_all(b"\0").unwrap();
    stream.read_exact(&mut [0]).unwrap();
}

#[test]
fn a_client_that_stops_in_the_middle_of_its_handshake_is_reset() {
    let (port, _seen) = recorder();
    let gate = Running::with(vec![rule(&text(port))], &[port], |config| {
        config.limits.first_bytes = Duration::from_millis(50);
    });
    let mut stream = gate.connect("target.test", port);
    stream.write_all(&hello("target.test")[..20]).unwrap();
    assert!(is_reset(&mut stream));
    assert!(gate.failed().contains("fell silent"));
}

#[test]
fn a_host_that_does_not_answer_is_told_with_what_was_dialled() {
    // Free a moment ago.
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let gate = Running::start(vec![rule(&text(port))], &[port]);
    let mut stream = gate.connect("target.test", port);
    assert!(is_reset(&mut stream));
    assert!(gate.failed().contains(&format!("127.0.0.1:{port} answered")));
}

/// A connection that nobody has accepted yet when the gate is told to stop: its program has said all that it had to say, and ended.
#[test]
fn what_was_said_just_before_the_end_is_carried() {
    let origin = Origin { layer: Layer::User, source: Source::Option("--allow-host".to_owned()), line: None };
    let (port, heard) = recorder();
    let door = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = door.local_addr().unwrap();
    let allow = vec![Ruled { value: rule(&format!("127.0.0.1:{port}")), origin }];
    let network = Network { allow, ..Network::default() };
    let to = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let config = Config { find_destination: Some(Box::new(move |_, _| to)), ..Config::new(network) };
    let sockets = Sockets { listeners: vec![(port, door)], ..Sockets::default() };
    let (stopper, stop) = Stop::channel();
    // On the gate's own thread, so that it has accepted nothing when it finds both.
    let ready = move || {
        TcpStream::connect(at).unwrap().write_all(b"last words\0").unwrap();
        stopper.stop();
    };
    serve(config, sockets, |_| {}, ready, stop).unwrap();
    assert_eq!(got(&heard), b"last words\0");
}
