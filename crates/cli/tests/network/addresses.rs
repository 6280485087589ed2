//! What an allowed name may lead to, and addresses in all their spellings.

use super::scene::{HOST, Scene, scene};
use super::support::need;

/// Fetches from a host by name and prints what came.
fn fetch(host: &str) -> String {
    format!(
        "
import socket
for info in socket.getaddrinfo('{host}', 80, type=socket.SOCK_STREAM):
    try:
        s = socket.socket(info[0]); s.settimeout(60); s.connect(info[4])
        s.sendall(b'GET /hello HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n')
        while part := s.recv(4096): print(part.decode())
    except OSError as e: print(e)
"
    )
}

fn host_was_not_reached(scene: &Scene) {
    let seen = scene.seen();
    assert!(seen.host.is_empty(), "a service of the host was reached: {:?}", seen.host);
}

/// The names of `zone.json` that lead where no public name should, with a part of the address.
const TRAPS: [(&str, &str); 14] = [
    ("listed", "127.0.0.1"),
    ("private", "10.99.0.5"),
    ("alias", "10.99.0.5"),
    ("loopback", "127.0.0.1"),
    ("loopback6", "::1"),
    ("zero", "0.0.0.0"),
    ("own", "192.0.2.2"),
    ("own6", "2001:db8:ff::2"),
    ("metadata", "169.254.169.254"),
    ("mapped", "10.99.0.5"),
    ("nat64", "64:ff9b::"),
    // What the network's own translator makes of it, which is found by asking for `ipv4only.arpa`.
    ("translated", "10.99.0.5"),
    ("sixtofour", "2002:"),
    ("ula", "fd12::5"),
];

#[test]
fn an_allowed_name_that_leads_to_a_special_address_is_refused() {
    let scene = scene!();
    for (name, address) in TRAPS {
        let host = format!("{name}.trap.example");
        let program = fetch(&host);
        scene.only_outside(&["--allow-host", &host], &program);
        host_was_not_reached(&scene);
        let seen = scene.seen();
        assert!(
            seen.targets().iter().all(|target| target.ends_with(" 203.0.113.53:53")),
            "{name}: {:?}",
            seen.targets()
        );
        let refused = scene.attempts_at(&host, "refused");
        assert!(!refused.is_empty(), "{name}: nothing was told: {:#?}", scene.attempts());
        let told =
            refused.iter().any(|attempt| attempt["reason"].as_str().is_some_and(|reason| reason.contains(address)));
        assert!(told, "{name}: {refused:#?}");
    }
}

#[test]
fn special_and_public_addresses_mixed_lead_to_the_public_one_or_nowhere() {
    let scene = scene!();
    let host = "both.trap.example";
    scene.python_outside(&fetch(host)).ok().says("REACHED");
    scene.forget();
    scene.python(&["--allow-host", host], &fetch(host));
    let seen = scene.seen();
    assert!(seen.targets().iter().all(|target| !target.contains("10.99.0.5")), "{:?}", seen.targets());
}

#[test]
fn a_name_that_changes_its_address_between_check_and_dial_is_dialled_where_it_was_checked() {
    let scene = scene!();
    // Twice at once and again: the second answer of the name server is a private address.
    let host = "rebind.trap.example";
    let many = format!("for _ in range(5):\n{}", fetch(host).replace('\n', "\n    "));
    scene.python(&["--allow-host", host], &many);
    let seen = scene.seen();
    let targets = seen.targets();
    assert!(targets.contains(&"tcp 203.0.113.11:80".to_owned()), "{targets:?}");
    assert!(targets.iter().all(|target| !target.contains("10.99.0.5")), "{targets:?}");
    // The control comes last: the server gives the private address from the second question on.
    scene.python_outside(&fetch(host)).ok();
    let targets = scene.seen().targets();
    assert!(targets.contains(&"tcp 10.99.0.5:80".to_owned()), "{targets:?}");
}

#[test]
fn an_address_that_the_policy_denies_is_denied_to_names() {
    need!("curl");
    let scene = scene!();
    let profile = scene.profile("allow = [\"*\"]\ndeny = [\"203.0.113.11\", \"198.51.100.0/24\"]");
    let done = scene.inside(&profile, "curl -sSf http://web.test-host.example/hello").fails();
    assert!(!done.both().contains("REACHED"), "{done}");
    scene.inside(&profile, "curl -sS http://other.test-host.example/hello").ok().says("REACHED");
    scene.inside(&profile, "curl -sS http://198.51.100.7/hello").fails();
    let targets = scene.seen().targets();
    assert!(
        targets.iter().all(|target| !target.contains("203.0.113.11:") && !target.contains("198.51.100.")),
        "{targets:?}"
    );
}

#[test]
fn a_wish_for_every_host_does_not_open_the_host_itself_or_private_networks() {
    let scene = scene!();
    for target in
        [HOST[0], "127.0.0.2", "10.99.0.5", "169.254.169.254", "100.100.100.200", "192.168.1.1", HOST[1], "fd12::5"]
    {
        let family = if target.contains(':') { "AF_INET6" } else { "AF_INET" };
        let program = format!(
            "
import socket
try:
    s = socket.socket(socket.{family}); s.settimeout(60); s.connect(('{target}', 80))
    s.sendall(b'GET /hello HTTP/1.1\\r\\nHost: {target}\\r\\nConnection: close\\r\\n\\r\\n')
    while part := s.recv(4096): print(part.decode())
except OSError as e: print(e)
"
        );
        scene.only_outside(&["--allow-host", "*"], &program);
        host_was_not_reached(&scene);
        let targets = scene.seen().targets();
        assert!(targets.is_empty(), "{target}: {targets:?}");
    }
}

#[test]
fn address_literals_in_all_spellings_are_decided_as_what_they_are() {
    need!("curl");
    let scene = scene!();
    // All of these are 203.0.113.12 to inet_aton(3), which curl and others use.
    for spelling in ["203.0.113.12", "3405803788", "0xcb00710c", "0313.0.0161.014", "203.0.28940", "203.28940"] {
        let script = format!("curl -sS http://{spelling}/hello");
        scene.outside(&script).ok().says("REACHED");
        let done = scene.inside(&["--allow-host", "web.test-host.example"], &script).fails();
        assert!(!done.both().contains("REACHED"), "{spelling}: {done}");
        scene.refused("203.0.113.12", "--allow-host 203.0.113.12");
    }
    for spelling in ["[2001:db8:1::77]", "[2001:DB8:1:0:0:0:0:77]", "[2001:db8:1::0.0.0.119]"] {
        let script = format!("curl -sS 'http://{spelling}/hello'");
        scene.outside(&script).ok().says("REACHED");
        let done = scene.inside(&["--allow-host", "web.test-host.example"], &script).fails();
        assert!(!done.both().contains("REACHED"), "{spelling}: {done}");
        scene.refused("2001:db8:1::77", "--allow-host '[2001:db8:1::77]'");
    }
}

#[test]
fn the_address_of_an_allowed_name_is_not_allowed_as_such() {
    need!("curl");
    let scene = scene!();
    let script = "curl -sS http://203.0.113.11/hello";
    scene.outside(script).ok().says("REACHED");
    let done = scene.inside(&["--allow-host", "web.test-host.example"], script).fails();
    assert!(!done.both().contains("REACHED"), "{done}");
    scene.refused("203.0.113.11", "--allow-host 203.0.113.11");
}

#[test]
fn synthetic_addresses_that_stand_for_nothing_lead_nowhere() {
    let scene = scene!();
    let program = "
import socket, random
random.seed(3)
for n in range(300):
    a = f'198.{random.choice([18, 19])}.{random.randrange(256)}.{random.randrange(256)}'
    s = socket.socket(); s.settimeout(60)
    try:
        s.connect((a, 80)); s.sendall(b'GET /hello HTTP/1.0\\r\\nHost: web.test-host.example\\r\\n\\r\\n'); print(s.recv(1000).decode())
    except OSError: pass
print('tried')
";
    let done = scene.python(&["--allow-host", "*"], program).ok().says("tried");
    assert!(!done.out().contains("REACHED"), "{done}");
    let targets = scene.seen().targets();
    assert!(targets.is_empty(), "{targets:?}");
}
