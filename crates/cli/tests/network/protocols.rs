//! What is not TCP to a port of the policy does not leave.

use super::scene::scene;

const WEB: [&str; 2] = ["--allow-host", "*"];

/// Sends an echo request (RFC 792) without special rights: icmp(7), ping sockets.
pub(crate) const PING: &str = "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
s.settimeout(30)
s.sendto(b'\\x08\\0\\0\\0\\0\\0\\0\\0echo-leaves', ('203.0.113.9', 0))
print(s.recv(100))
";

#[test]
fn datagrams_stay_inside_and_are_told() {
    let scene = scene!();
    let program = "
import socket
for family, address in [(socket.AF_INET, '203.0.113.9'), (socket.AF_INET6, '2001:db8:1::9'), (socket.AF_INET, '192.0.2.255'), (socket.AF_INET, '224.0.0.251')]:
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    for port in [443, 123, 4433, 5353, 53, 80]:
        try: s.sendto(b'datagram-leaves', (address, port))
        except OSError as e: print(e)
print('sent')
";
    scene.python_outside(program).ok();
    assert!(scene.seen().on_the_wire(b"datagram-leaves"));
    scene.forget();
    scene.python(&WEB, program).ok().says("sent");
    let seen = scene.seen();
    assert!(!seen.on_the_wire(b"datagram-leaves"), "{:?}", seen.targets());
    assert!(seen.targets().is_empty(), "{:?}", seen.targets());
}

#[test]
fn echo_requests_and_raw_packets_stay_inside() {
    let scene = scene!();
    scene.python_outside(PING).ok();
    assert!(scene.seen().on_the_wire(b"echo-leaves"));
    scene.forget();
    scene.python(&WEB, PING);
    let raw = "
import socket
for arguments in [(socket.AF_INET, socket.SOCK_RAW, 1), (socket.AF_INET, socket.SOCK_RAW, 255), (socket.AF_PACKET, socket.SOCK_RAW, 0x300),
                  (socket.AF_INET, socket.SOCK_STREAM, 132), (socket.AF_INET, socket.SOCK_STREAM, 262), (socket.AF_INET, socket.SOCK_DGRAM, 136)]:
    try:
        s = socket.socket(*arguments); s.settimeout(5)
        if arguments[1] == socket.SOCK_STREAM: s.connect(('203.0.113.9', 80)); s.sendall(b'raw-leaves')
        else: s.sendto(b'raw-leaves', ('203.0.113.9', 80))
    except (OSError, TypeError) as e: print(e)
print('tried')
";
    scene.python(&WEB, raw).ok().says("tried");
    let seen = scene.seen();
    assert!(!seen.on_the_wire(b"echo-leaves") && !seen.on_the_wire(b"raw-leaves"), "{:?}", seen.targets());
}

#[test]
fn ports_that_no_rule_names_are_refused_at_once_and_told() {
    let scene = scene!();
    let program = "
import socket
for port in [25, 8080, 7000, 22, 1]:
    for address in ['203.0.113.11', '2001:db8:1::13', 'web.test-host.example']:
        try:
            s = socket.create_connection((address, port), timeout=60); print('REACHED', address, port)
        except ConnectionRefusedError: print('refused', address, port)
        except OSError as e: print(e, address, port)
";
    let done = scene.only_outside(&["--allow-host", "web.test-host.example"], program);
    assert_eq!(done.out().matches("refused ").count(), 15, "{done}");
    let targets = scene.seen().targets();
    assert!(targets.is_empty(), "{targets:?}");
    for port in [25, 8080] {
        let told = scene.attempts().iter().any(|attempt| attempt["port"] == port && attempt["result"] == "refused");
        assert!(told, "port {port} was not told: {:#?}", scene.attempts());
    }
}

#[test]
fn fast_open_and_multipath_are_no_way_around() {
    let scene = scene!();
    let program = "
import socket
for protocol in [0, 262]:
    for address in ['203.0.113.12', '203.0.113.9']:
        try:
            s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
            s.sendto(b'GET /hello HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n', 0x20000000, (address, 80))
            while part := s.recv(1000): print(part.decode())
        except OSError as e: print(e)
";
    scene.only_outside(&["--allow-host", "web.test-host.example"], program);
    let targets = scene.seen().targets();
    assert!(targets.is_empty(), "{targets:?}");
}
