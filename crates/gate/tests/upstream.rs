//! Port 443 and the company's proxy. The proxy of the test leads every target to the test's own host.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, mpsc};

use support::{Running, echo, got, hello, host, is_reset, recorder, rule};

/// A proxy that answers so; when the answer is 200, it connects to `server`. Tells what it was asked.
fn proxy(server: u16, answer: &'static str) -> (u16, mpsc::Receiver<Vec<u8>>) {
    let (sender, receiver) = mpsc::channel();
    let sender = Mutex::new(sender);
    let port = host(move |mut stream| {
        let Some(head) = head(&mut stream) else { return };
        sender.lock().unwrap().send(head).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        if answer.contains(" 200 ") {
            let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
            let (mut up, mut down) = (stream.try_clone().unwrap(), server.try_clone().unwrap());
            let thread = std::thread::spawn(move || {
                let _ = std::io::copy(&mut up, &mut down);
                let _ = down.shutdown(Shutdown::Write);
            });
            let _ = std::io::copy(&mut { server }, &mut stream);
            let _ = stream.shutdown(Shutdown::Write);
            thread.join().unwrap();
        }
    });
    (port, receiver)
}

/// A proxy that passes requests on to `server` and makes no tunnel. Tells what it was asked.
fn passing_on(server: u16) -> (u16, mpsc::Receiver<Vec<u8>>) {
    let (sender, receiver) = mpsc::channel();
    let sender = Mutex::new(sender);
    let port = host(move |mut stream| {
        while let Some(head) = head(&mut stream) {
            sender.lock().unwrap().send(head.clone()).unwrap();
            if head.starts_with(b"CONNECT ") {
                stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").unwrap();
                return;
            }
            let mut onward = TcpStream::connect(("127.0.0.1", server)).unwrap();
            onward.write_all(b"GET / HTTP/1.1\r\nHost: target.test\r\nConnection: close\r\n\r\n").unwrap();
            std::io::copy(&mut onward, &mut stream).unwrap();
        }
    });
    (port, receiver)
}

/// Up to the empty line; none at the end.
fn head(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    Some(head)
}

#[test]
fn plain_requests_are_passed_to_a_proxy_that_makes_no_tunnel_for_them() {
    let server = host(|mut stream| {
        head(&mut stream).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").unwrap();
    });
    let (port, asked) = passing_on(server);
    let gate = Running::with(vec![rule("target.test"), rule("other.test")], &[80], |config| {
        config.environment = vec![("http_proxy".into(), format!("http://user:word@127.0.0.1:{port}").into())];
    });
    let mut stream = gate.connect("target.test", 80);
    for path in ["/one", "/two"] {
        let ask = format!("GET {path} HTTP/1.1\r\nHost: target.test\r\nProxy-Authorization: Basic eA==\r\n\r\n");
        stream.write_all(ask.as_bytes()).unwrap();
        assert!(head(&mut stream).unwrap().starts_with(b"HTTP/1.1 200 OK\r\n"));
        let mut body = [0; 5];
        stream.read_exact(&mut body).unwrap();
        assert_eq!(&body, b"hello");
        assert_eq!(
            String::from_utf8(got(&asked)).unwrap(),
            format!(
                "GET http://target.test{path} HTTP/1.1\r\nHost: target.test\r\nProxy-Authorization: Basic dXNlcjp3b3Jk\r\n\r\n"
            )
        );
    }
    // The other host is allowed, but the connection was not made to it.
    stream.write_all(b"GET / HTTP/1.1\r\nHost: other.test\r\n\r\n").unwrap();
    assert!(head(&mut stream).unwrap().starts_with(b"HTTP/1.1 421 "));
    assert!(asked.try_recv().is_err());
}

#[test]
fn a_websocket_needs_a_tunnel_on_every_port() {
    let (port, asked) = passing_on(0);
    let gate = Running::with(vec![rule("target.test")], &[80], |config| {
        config.environment = vec![("http_proxy".into(), format!("http://127.0.0.1:{port}").into())];
    });
    let mut stream = gate.connect("target.test", 80);
    let ask = "GET / HTTP/1.1\r\nHost: target.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n";
    stream.write_all(ask.as_bytes()).unwrap();
    assert!(head(&mut stream).unwrap().starts_with(b"HTTP/1.1 502 "));
    assert!(got(&asked).starts_with(b"CONNECT target.test:80 HTTP/1.1\r\n"));
}

fn gate(proxy: u16) -> Running {
    Running::with(vec![rule("target.test"), rule("other.test")], &[443], |config| {
        config.environment = vec![("HTTPS_PROXY".into(), format!("http://user:word@127.0.0.1:{proxy}").into())];
    })
}

#[test]
fn an_allowed_target_goes_through_the_proxy() {
    let (server, seen) = recorder();
    let (port, asked) = proxy(server, "HTTP/1.1 200 Connected\r\n\r\n");
    let gate = gate(port);
    let hello = hello("target.test");
    let mut stream = gate.connect("target.test", 443);
    stream.write_all(&hello).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(got(&seen) == hello);
    assert_eq!(
        String::from_utf8(got(&asked)).unwrap(),
        "CONNECT target.test:443 HTTP/1.1\r\nHost: target.test:443\r\nProxy-Authorization: Basic dXNlcjp3b3Jk\r\n\r\n"
    );
    drop(stream);
    assert_eq!(gate.carried().0, hello.len() as u64);
}

#[test]
fn nothing_is_dialled_for_what_does_not_name_the_target() {
    let (port, asked) = proxy(echo(), "HTTP/1.1 200 Connected\r\n\r\n");
    let gate = gate(port);
    let http = b"GET / HTTP/1.1\r\nHost: target.test\r\n\r\n".to_vec();
    for (first, expected) in [
        (hello("other.test"), "other.test"),
        (hello("192.0.2.1"), "target.test"),
        (http, "not TLS"),
        (b"SSH-2.0-x\r\n".to_vec(), "not TLS"),
        (vec![22, 3, 1, 0, 4, 2, 0, 0, 0], "broken TLS"),
    ] {
        let mut stream = gate.connect("target.test", 443);
        stream.write_all(&first).unwrap();
        assert!(is_reset(&mut stream));
        let (reason, _) = gate.refused();
        assert!(reason.contains(expected), "{reason}");
    }
    assert!(asked.try_recv().is_err());
}

#[test]
fn a_proxy_that_refuses_is_told() {
    let (port, _asked) = proxy(0, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    let gate = gate(port);
    let mut stream = gate.connect("target.test", 443);
    stream.write_all(&hello("target.test")).unwrap();
    assert!(is_reset(&mut stream));
    let reason = gate.failed();
    assert!(reason.contains("HTTPS_PROXY") && reason.contains("407"), "{reason}");
    assert!(!reason.contains("word"), "{reason}");
}
