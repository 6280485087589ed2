//! Names as a way out: what is not allowed is never asked for, wherever the question is sent.

use super::scene::{Scene, scene};
use super::support::need;

const WEB: [&str; 2] = ["--allow-host", "web.test-host.example"];

/// Sends a DNS query for this name and prints the answer's code and addresses. Arguments: how, server, name.
const ASK: &str = r#"
import socket, struct, sys
def ask(how, server, name, kind=1, extra=b''):
    labels = name if isinstance(name, list) else name.split('.')
    q = b'\x12\x34\x01\0\0\1\0\0\0\0\0\0' + b''.join(bytes([len(l)]) + l.encode('latin-1') for l in labels) + b'\0' + struct.pack('>HH', kind, 1) + extra
    if how == 'udp':
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(60); s.sendto(q, (server, 53))
        data, peer = s.recvfrom(4096)
        assert peer[0] == server, peer
    else:
        s = socket.create_connection((server, 53), timeout=60); s.sendall(struct.pack('>H', len(q)) + q)
        n = int.from_bytes(s.recv(2, socket.MSG_WAITALL), 'big'); data = s.recv(n, socket.MSG_WAITALL)
    assert data[:2] == b'\x12\x34', data
    code, count = data[3] & 15, int.from_bytes(data[6:8], 'big')
    return code, count, data
"#;

/// The labels of a refused name are the message of this channel: they must not be in any packet.
fn nothing_leaks(scene: &Scene, mark: &str) {
    let seen = scene.seen();
    assert!(!seen.on_the_wire(mark.as_bytes()), "`{mark}` left the host: {:?}", seen.names());
    assert!(!seen.on_the_wire(mark.to_uppercase().as_bytes()), "`{mark}` left the host in capitals");
}

#[test]
fn refused_labels_never_reach_a_resolver() {
    let scene = scene!();
    let program = format!(
        "{ASK}
for how in ['udp', 'tcp']:
    for server in ['203.0.113.53', '8.8.8.8']:
        for kind in [1, 28, 16, 15, 255, 65]:
            code, count, _ = ask(how, server, 'stolen-secret.web.test-host.example', kind)
            if code == 0 and count: print('REACHED')
            code, count, _ = ask(how, server, 'stolen-secret.other.test-host.example', kind)
print('asked')
"
    );
    scene.python_outside(&program).ok().says("asked");
    assert!(scene.seen().on_the_wire(b"stolen-secret"));
    scene.forget();
    scene.python(&WEB, &program).ok().says("asked");
    nothing_leaks(&scene, "stolen-secret");
    assert!(!scene.attempts_at("stolen-secret.other.test-host.example", "refused").is_empty());
}

#[test]
fn other_questions_for_an_allowed_name_carry_nothing_out() {
    let scene = scene!();
    // Letter case (0x20), types, classes and options of the question would be channels, too.
    let program = format!(
        "{ASK}
ask('udp', '203.0.113.53', 'WeB.TeSt-HoSt.ExAmPlE')
ask('udp', '203.0.113.53', 'web.test-host.example', 16)
ask('udp', '203.0.113.53', 'web.test-host.example', 1, b'\\0\\0\\x29\\x10\\0\\0\\0\\0\\0\\0\\x14\\xfd\\xe9\\0\\x10stolen-in-option')
print('asked')
"
    );
    scene.python_outside(&program).ok();
    assert!(scene.seen().on_the_wire(b"WeB\x09TeSt"));
    scene.forget();
    scene.python(&WEB, &program).ok();
    let seen = scene.seen();
    assert!(!seen.on_the_wire(b"stolen-in-option"));
    assert!(!seen.on_the_wire(b"WeB\x09TeSt"), "the inside's letter case left the host: {:?}", seen.names());
    assert!(seen.world.iter().all(|line| line["type"] != 16), "{:?}", seen.world);
}

#[test]
fn looking_up_an_allowed_name_a_thousand_times_says_nothing_outside() {
    let scene = scene!();
    // How often a name is asked for is a channel as well; what is dialled is looked up outside, and only then.
    let program = format!(
        "{ASK}\nfor _ in range(1000): assert ask('udp', '203.0.113.53', 'web.test-host.example')[0] == 0\nprint('asked')"
    );
    scene.python(&WEB, &program).ok().says("asked");
    assert!(scene.seen().names().len() <= 2, "{:?}", scene.seen().names());
}

#[test]
fn more_names_than_there_are_addresses_leave_the_first_ones_working() {
    need!("curl");
    let scene = scene!();
    let program = format!(
        "{ASK}
import subprocess
def curl(): return subprocess.run(['curl', '-sS', 'http://web.test-host.example/hello'], capture_output=True, text=True).stdout
print(curl())
addresses, codes = set(), set()
for n in range(17000):
    code, count, data = ask('udp', '198.18.0.1', f'n{{n}}.test-host.example')
    codes.add(code)
    if count: addresses.add(data[-4:])
    else: assert code == 2, code
assert 1000 < len(addresses) < 17000, len(addresses)
print('full', len(addresses), codes)
print(curl())
"
    );
    let done = scene.python(&["--allow-host", "*.test-host.example"], &program).ok().says("full");
    assert_eq!(done.out().matches("REACHED").count(), 2, "{done}");
    let names = scene.seen().names();
    assert!(names.iter().all(|name| name == "web.test-host.example"), "{names:?}");
}

#[test]
fn broken_questions_are_survived() {
    need!("curl");
    let scene = scene!();
    let program = r"
import socket, os, random
random.seed(7)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(2000):
    s.sendto(bytes(random.randrange(256) for _ in range(random.randrange(0, 80))), ('198.18.0.1', 53))
s.sendto(b'\x12\x34\x01\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1', ('198.18.0.1', 53))
s.sendto(b'\x12\x34\x01\0\0\xff' + b'\0' * 6 + b'\x3f' * 500, ('198.18.0.1', 53))
t = socket.create_connection(('198.18.0.1', 53)); t.sendall(b'\xff\xff' + b'a' * 100)
u = socket.create_connection(('198.18.0.1', 53)); u.sendall(b'\0')
import subprocess
print(subprocess.run(['curl', '-sS', 'http://web.test-host.example/hello'], capture_output=True, text=True).stdout)
";
    scene.python(&WEB, program).ok().says("REACHED");
}

#[test]
fn names_in_other_spellings_are_the_same_name() {
    need!("curl");
    let scene = scene!();
    for spelling in ["WEB.Test-Host.Example", "web.test-host.example."] {
        scene.inside(&WEB, &format!("curl -sS http://{spelling}/hello")).ok().says("REACHED");
    }
    // Names that a sloppy comparison would take for an allowed one.
    for wrong in [
        "web.test-host.example.other.test-host.example",
        "web.test-host.example.trap.example",
        "xweb.test-host.example",
        "test-host.example",
        "web.test-host.examplex",
        "web_test-host.example",
    ] {
        let done = scene.inside(&WEB, &format!("curl -sS http://{wrong}/hello")).ends(6);
        assert!(!done.both().contains("REACHED"), "{done}");
    }
    let raw = format!(
        "{ASK}
for name in ['web.test-host.example\\0.trap.example', ['web.test-host.example'], ['web', 'test-host.example'], 'web.test-host.example\\r\\n', '%77eb.test-host.example', 'web.test-host.example ']:
    code, count, _ = ask('udp', '198.18.0.1', name)
    if count: print('REACHED', repr(name))
print('asked')
"
    );
    let done = scene.python(&WEB, &raw).ok().says("asked");
    // Some of these have a dot within a label, which the allowed name has not.
    assert!(!done.out().contains("REACHED"), "{done}");
}

#[test]
fn search_domains_of_the_host_do_not_complete_names() {
    need!("curl");
    let scene = scene!();
    let done = scene.inside(&WEB, "cat /etc/resolv.conf; curl -sS http://web/hello").ends(6);
    assert!(done.out().contains("198.18.0.1"), "{done}");
    assert!(!done.out().contains("203.0.113.53"), "the host's resolver is named inside: {done}");
    nothing_leaks(&scene, "\u{3}web\u{0}");
}
