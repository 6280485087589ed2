//! The gate as an HTTP and a SOCKS proxy, for programs that use one; and proxies that the inside makes up.

use super::scene::{Scene, header, scene};
use super::support::need;

const WEB: [&str; 2] = ["--allow-host", "web.test-host.example"];
const HTTP: &str = "http://198.18.0.1:3128";
const SOCKS: &str = "198.18.0.1:1080";

#[test]
fn both_proxies_carry_to_allowed_hosts_and_refuse_others() {
    need!("curl");
    let scene = scene!();
    for proxy in [
        format!("-x {HTTP}"),
        format!("-p -x {HTTP}"),
        format!("--socks5 {SOCKS}"),
        format!("--socks5-hostname {SOCKS}"),
    ] {
        for scheme in ["http", "https"] {
            let script = format!("curl -sS {proxy} {scheme}://web.test-host.example/hello");
            scene.inside(&WEB, &script).ok().says("REACHED web.test-host.example");
            let script = format!("curl -sS {proxy} {scheme}://other.test-host.example/hello || echo failed $?");
            let done = scene.inside(&WEB, &script).ok();
            assert!(!done.both().contains("REACHED"), "{proxy}: {done}");
            assert!(
                done.both().contains("failed") || done.both().contains("--allow-host other.test-host.example"),
                "{proxy}: {done}"
            );
            scene.refused("other.test-host.example", "--allow-host other.test-host.example");
        }
    }
    assert!(!scene.seen().on_the_wire(b"other"), "{:?}", scene.seen().names());
}

#[test]
fn each_request_on_a_kept_connection_of_the_proxy_is_decided() {
    let scene = scene!();
    let program = "
import socket
s = socket.create_connection(('198.18.0.1', 3128), timeout=60)
for host in ['web', 'other', 'web']:
    try:
        s.sendall(f'GET http://{host}.test-host.example/hello HTTP/1.1\\r\\nHost: {host}.test-host.example\\r\\n\\r\\n'.encode())
        print(s.recv(65536).decode())
    except OSError as e: print(e)
";
    let done = scene.python(&WEB, program).ok().says("REACHED web");
    assert!(!done.out().contains("REACHED other"), "{done}");
    assert!(!scene.seen().on_the_wire(b"other"), "{:?}", scene.seen().names());
}

fn tunnel(scene: &Scene, target: &str, then: &str) -> super::support::Done {
    let program = format!(
        "
import socket, ssl
s = socket.create_connection(('198.18.0.1', 3128), timeout=60)
s.sendall(b'CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n')
head = b''
while not head.endswith(b'\\r\\n\\r\\n'):
    part = s.recv(1)
    if not part: break
    head += part
print(head.split(b'\\r\\n')[0])
try:
    {then}
    while part := s.recv(65536): print(part.decode('latin-1'))
except OSError as e: print(e)
"
    );
    scene.python(&WEB, &program)
}

#[test]
fn a_tunnel_for_one_host_is_not_one_for_another() {
    let scene = scene!();
    let ask =
        |host: &str| format!("s.sendall(b'GET /hello HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n')");
    let secure = |name: &str| {
        format!("c = ssl.create_default_context(); s = c.wrap_socket(s, server_hostname='{name}'); {}", ask(name))
    };
    let web = "web.test-host.example";
    let other = "other.test-host.example";
    tunnel(&scene, &format!("{web}:80"), &ask(web)).ok().says("REACHED");
    tunnel(&scene, &format!("{web}:443"), &secure(web)).ok().says("REACHED");
    for (target, then) in [
        (format!("{web}:80"), ask(other)),
        (format!("{web}:443"), secure(other)),
        (format!("{web}:443"), ask(web)),
        (format!("{other}:443"), secure(other)),
        (format!("{other}:80"), ask(web)),
        (format!("{web}:22"), ask(web)),
        (format!("{web}@{other}:80"), ask(other)),
        (format!("{other}#@{web}:80"), ask(other)),
        ("203.0.113.12:80".to_owned(), ask(web)),
        ("127.0.0.1:80".to_owned(), ask(web)),
        ("localhost:80".to_owned(), ask(web)),
        ("[::ffff:203.0.113.11]:80".to_owned(), ask(web)),
        ("0xcb00710b:80".to_owned(), ask(web)),
    ] {
        let done = tunnel(&scene, &target, &then);
        assert!(!done.both().contains("REACHED"), "CONNECT {target}, then {then}: {done}");
    }
    let seen = scene.seen();
    assert!(!seen.on_the_wire(b"other"), "{:?}", seen.names());
    assert!(seen.host.is_empty(), "{:?}", seen.host);
}

#[test]
fn socks_takes_neither_binding_nor_datagrams_nor_addresses_that_are_refused() {
    let scene = scene!();
    let program = "
import socket
def ask(command, address):
    s = socket.create_connection(('198.18.0.1', 1080), timeout=60)
    s.sendall(b'\\5\\1\\0'); print(s.recv(2))
    s.sendall(b'\\5' + bytes([command]) + b'\\0' + address)
    reply = s.recv(10)
    print(command, address, reply)
    return reply[1:2] == b'\\0'
name = b'\\3' + bytes([21]) + b'web.test-host.example' + b'\\0\\x50'
print('ALLOWED', ask(1, name))
print('BIND', ask(2, name), 'ASSOCIATE', ask(3, name))
for address in [b'\\1\\x7f\\0\\0\\1\\0\\x50', b'\\1\\xcb\\0\\x71\\x0c\\0\\x50', b'\\1\\x0a\\x63\\0\\5\\0\\x50', b'\\4' + b'\\0' * 10 + b'\\xff\\xff\\xcb\\0\\x71\\x0b\\0\\x50',
                b'\\3' + bytes([12]) + b'203.0.113.12' + b'\\0\\x50', b'\\3' + bytes([23]) + b'web.test-host.example\\0x' + b'\\0\\x50']:
    print('REFUSED', ask(1, address))
";
    let done = scene.python(&WEB, program).ok().says("ALLOWED True").says("BIND False").says("ASSOCIATE False");
    assert_eq!(done.out().matches("REFUSED False").count(), 6, "{done}");
    let targets = scene.seen().targets();
    assert!(
        targets.iter().all(|target| target == "tcp 203.0.113.11:80" || target == "udp 203.0.113.53:53"),
        "{targets:?}"
    );
}

#[test]
fn a_proxy_that_the_inside_makes_up_reaches_no_more_than_the_inside() {
    need!("curl");
    let scene = scene!();
    scene.world.write(
        "proxy.py",
        "
import http.server, urllib.request
class Proxy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try: body = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.path, timeout=60).read()
        except OSError as e: body = str(e).encode()
        self.send_response(200); self.end_headers(); self.wfile.write(body)
s = http.server.HTTPServer(('127.0.0.1', 9999), Proxy)
import threading, subprocess, sys
threading.Thread(target=s.serve_forever, daemon=True).start()
for host in sys.argv[1:]: print(host, subprocess.run(['curl', '-sS', '-x', 'http://127.0.0.1:9999', f'http://{host}/hello'], capture_output=True, text=True))
",
    );
    let script = "python3 proxy.py other.test-host.example 203.0.113.12 127.0.0.1";
    let control = scene.outside(script).ok();
    assert_eq!(control.out().matches("REACHED").count(), 3, "{control}");
    scene.forget();
    let done = scene.inside(&WEB, script).ok();
    assert!(!done.both().contains("REACHED"), "{done}");
    let seen = scene.seen();
    assert!(seen.targets().is_empty() && seen.host.is_empty(), "{seen:?}");
}

/// Runs this inside, on a host whose proxy is the scene's.
fn behind_a_proxy(scene: &Scene, script: &str) -> super::support::Done {
    let mut command = scene.running(&WEB, &["bash", "-euc", script]);
    for variable in ["http_proxy", "https_proxy"] {
        command.env(variable, "http://user:proxy-secret@203.0.113.99:3128");
    }
    super::support::Done::of(command)
}

#[test]
fn the_companys_proxy_is_used_for_dialling_and_the_inside_does_not_see_it() {
    need!("curl");
    let scene = scene!();
    let web = "web.test-host.example";
    // The control: this proxy wants its password, and makes no tunnel to port 80.
    let proxy = "http://user:proxy-secret@203.0.113.99:3128";
    scene.outside(&format!("curl -sS -x {proxy} http://{web}/hello")).ok().says("REACHED");
    scene.outside(&format!("! curl -sS -p -x {proxy} http://{web}/hello")).ok();
    scene.outside(&format!("curl -sS -x http://203.0.113.99:3128 http://{web}/hello")).ok().says("no password");
    scene.forget();

    let script = format!(
        "env | grep -i proxy-secret || true
        curl -sS --noproxy '*' -H 'Proxy-Authorization: Basic eA==' http://{web}/headers http://{web}/hello
        curl -sS --noproxy '*' https://{web}/hello
        curl -sS --noproxy '*' http://other.test-host.example/hello || echo failed"
    );
    let done = behind_a_proxy(&scene, &script).ok().says("failed");
    assert_eq!(done.out().matches("REACHED web").count(), 2, "{done}");
    assert!(!done.both().contains("proxy-secret") && !done.out().to_lowercase().contains("proxy-"), "{done}");
    let seen = scene.seen();
    let targets = seen.targets();
    assert!(targets.iter().all(|target| target == "tcp 203.0.113.99:3128"), "{targets:?}");
    assert!(!seen.on_the_wire(b"other"), "{:?}", seen.names());
    let asked: Vec<String> = seen
        .world
        .iter()
        .filter(|line| line["kind"] == "proxy")
        .map(|line| {
            format!("{} {} {}", line["method"], line["target"], header(line, "proxy-authorization").unwrap_or_default())
        })
        .collect();
    let password = "Basic dXNlcjpwcm94eS1zZWNyZXQ=";
    assert_eq!(
        asked,
        [
            format!("\"GET\" \"http://{web}/headers\" {password}"),
            format!("\"GET\" \"http://{web}/hello\" {password}"),
            format!("\"CONNECT\" \"{web}:443\" {password}"),
        ]
    );
    // Nobody behind the proxy hears the password.
    assert!(seen.requests().iter().all(|request| header(request, "proxy-authorization").is_none()));
    for request in ["GET /headers", "GET /hello"] {
        let found =
            scene.attempts_at(web, "allowed").into_iter().filter(|attempt| attempt["request"] == request).count();
        assert_eq!(found, 1, "{request}: {:#?}", scene.attempts());
    }
}
