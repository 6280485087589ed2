//! `bailiwick explain connect` says what the gate does.

use std::collections::BTreeMap;

use serde_json::Value;

use super::scene::scene;
use super::support::Done;

const NETWORK: &str = r#"
allow = ["web.test-host.example", "*.registry.example:443", "db.test-host.example:5432", "203.0.113.40", "198.51.100.0/24:8080",
    "**.code.test-host.example:80", "[2001:db8:1::13]:443", { host = "inner.test-host.example:80", addresses = ["10.99.0.5/32"] }]
deny = ["npm.registry.example", "198.51.100.66", "db.test-host.example:80"]
"#;

const TARGETS: [&str; 24] = [
    "web.test-host.example:80",
    "web.test-host.example:443",
    "web.test-host.example:8080",
    "WEB.test-host.EXAMPLE:80",
    "other.test-host.example:80",
    "other.test-host.example:443",
    "registry.example:443",
    "cargo.registry.example:443",
    "cargo.registry.example:80",
    "npm.registry.example:443",
    "pip.registry.example:443",
    "db.test-host.example:5432",
    "db.test-host.example:80",
    "code.test-host.example:80",
    "code.test-host.example:443",
    "203.0.113.40:80",
    "203.0.113.40:443",
    "203.0.113.41:80",
    "203.0.113.40:8080",
    "198.51.100.1:8080",
    "198.51.100.66:8080",
    "198.51.100.1:80",
    "[2001:db8:1::13]:443",
    "inner.test-host.example:80",
];

/// Reaches each target in its own way and prints the target and whether it worked.
const REACH: &str = r"
import socket, ssl, sys
for target in sys.argv[1:]:
    host, port = target.rsplit(':', 1); port = int(port); host = host.strip('[]')
    try:
        s = socket.create_connection((host, port), timeout=60)
        if port == 443:
            c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
            s = c.wrap_socket(s, server_hostname=None if host[0].isdigit() else host.lower())
        if port == 5432: answer = s.recv(100)
        else:
            name = f'[{host}]' if ':' in host else host
            at = '' if port in (80, 443) else f':{port}'
            s.sendall(f'GET /hello HTTP/1.1\r\nHost: {name}{at}\r\nConnection: close\r\n\r\n'.encode())
            answer = b''
            while part := s.recv(1000): answer += part
        print(target, b'REACHED' in answer or b'220' in answer)
    except OSError as e: print(target, False)
";

fn table(done: &Done) -> BTreeMap<String, bool> {
    let pairs = done.out();
    pairs
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(target, worked)| (target.to_owned(), worked == "True"))
        .collect()
}

#[test]
fn explain_agrees_with_the_gate() {
    let scene = scene!();
    let profile = scene.profile(NETWORK);
    let reach = [&["python3", "-c", REACH], &TARGETS[..]].concat();
    let mut control = scene.command("python3");
    control.args(&reach[1..]);
    let control = table(&Done::of(control).ok());
    assert!(
        control.iter().filter(|(target, _)| !target.starts_with("registry")).all(|(_, worked)| *worked),
        "{control:?}"
    );
    let did = table(&Done::of(scene.running(&profile, &reach)).ok());
    let mut said = BTreeMap::new();
    for target in TARGETS {
        let done = Done::of(scene.bailiwick(&[&["explain", "connect", target, "--json"], &profile[..]].concat()));
        let answer: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done}"));
        said.insert(target.to_owned(), answer["decision"]["verdict"] == "allowed");
    }
    assert_eq!(did, said, "what the gate did, and what `explain` says");
    assert!(did.values().any(|worked| *worked) && did.values().any(|worked| !*worked));
}
