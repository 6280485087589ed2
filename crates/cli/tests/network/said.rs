//! What is said on an allowed connection must be meant for the allowed host: TLS server names, HTTP hosts, framing.

use super::scene::{Scene, scene, text};
use super::support::{Done, need};

const WEB: [&str; 2] = ["--allow-host", "web.test-host.example"];

/// Sends bytes to the allowed host's port 80 and prints everything that comes back.
fn says(bytes: &str) -> String {
    format!(
        "
import socket
s = socket.create_connection(('web.test-host.example', 80), timeout=60)
try:
    s.sendall({bytes})
    s.shutdown(socket.SHUT_WR)
    while part := s.recv(65536): print(part.decode('latin-1'))
except OSError as e: print(e)
"
    )
}

/// No request for another host than the allowed one was understood by any server.
fn only_the_allowed_host_was_asked(scene: &Scene) {
    let seen = scene.seen();
    for request in seen.requests() {
        let host = super::scene::header(request, "host").unwrap_or_default();
        assert_eq!(host, "web.test-host.example", "{request}");
        assert!(!text(&request["target"]).contains("smuggled"), "{request}");
    }
}

#[test]
fn another_host_in_a_plain_request_is_refused() {
    let scene = scene!();
    for bytes in [
        "b'GET /hello HTTP/1.1\\r\\nHost: other.test-host.example\\r\\n\\r\\n'",
        "b'GET /hello HTTP/1.1\\r\\nHost: OTHER.test-host.example.\\r\\n\\r\\n'",
        "b'GET http://other.test-host.example/hello HTTP/1.1\\r\\nHost: other.test-host.example\\r\\n\\r\\n'",
        "b'GET http://other.test-host.example/hello HTTP/1.1\\r\\nHost: web.test-host.example\\r\\n\\r\\n'",
        "b'GET /hello HTTP/1.1\\r\\nHost: web.test-host.example:8080\\r\\n\\r\\n'",
    ] {
        scene.only_outside(&WEB, &says(bytes));
        only_the_allowed_host_was_asked(&scene);
        assert!(!scene.seen().on_the_wire(b"other.test-host"), "{bytes}");
    }
    // A request that names no host goes to the allowed one and says so.
    scene.python(&WEB, &says("b'GET /hello HTTP/1.0\\r\\n\\r\\n'")).ok().says("REACHED web.test-host.example");
    only_the_allowed_host_was_asked(&scene);
}

#[test]
fn a_kept_alive_connection_is_decided_for_each_request() {
    let scene = scene!();
    let program = says(
        "b'GET /hello HTTP/1.1\\r\\nHost: web.test-host.example\\r\\n\\r\\nGET /hello HTTP/1.1\\r\\nHost: other.test-host.example\\r\\n\\r\\n'",
    );
    let control = scene.python_outside(&program).ok();
    assert!(control.out().contains("REACHED other"), "{control}");
    scene.forget();
    let done = scene.python(&WEB, &program).ok();
    assert!(done.out().contains("REACHED web") && !done.out().contains("REACHED other"), "{done}");
    only_the_allowed_host_was_asked(&scene);
    assert!(scene.attempts().iter().any(|attempt| attempt["result"] == "refused"), "{:#?}", scene.attempts());
}

/// Heads that servers are known to read in two ways; behind each stands a second request for another host.
const SHAPES: [(&str, &str); 18] = [
    ("length and chunked", "Content-Length: 4\\r\\nTransfer-Encoding: chunked\\r\\n"),
    ("chunked and length", "Transfer-Encoding: chunked\\r\\nContent-Length: 4\\r\\n"),
    ("two lengths", "Content-Length: 4\\r\\nContent-Length: 60\\r\\n"),
    ("a list of lengths", "Content-Length: 4, 60\\r\\n"),
    ("a signed length", "Content-Length: +4\\r\\n"),
    ("a hexadecimal length", "Content-Length: 0x4\\r\\n"),
    ("chunked with a space before the colon", "Transfer-Encoding : chunked\\r\\n"),
    ("chunked with a tab", "Transfer-Encoding:\\tchunked\\x0b\\r\\n"),
    ("chunked twice", "Transfer-Encoding: chunked\\r\\nTransfer-Encoding: identity\\r\\n"),
    ("chunked not last", "Transfer-Encoding: chunked, identity\\r\\n"),
    ("unknown coding", "Transfer-Encoding: xchunked\\r\\n"),
    ("folded chunked", "Transfer-Encoding:\\r\\n chunked\\r\\n"),
    ("folded header", "X-A: b\\r\\n\\tTransfer-Encoding: chunked\\r\\nContent-Length: 4\\r\\n"),
    ("a bare line feed", "X-A: b\\nTransfer-Encoding: chunked\\r\\nContent-Length: 4\\r\\n"),
    ("a bare carriage return", "X-A: b\\rTransfer-Encoding: chunked\\r\\nContent-Length: 4\\r\\n"),
    ("a zero byte", "X-A: \\0\\r\\nContent-Length: 4\\r\\n"),
    ("a second host", "Host: other.test-host.example\\r\\nContent-Length: 4\\r\\n"),
    ("an empty name", ": x\\r\\nContent-Length: 4\\r\\n"),
];

#[test]
fn ambiguous_framing_never_reaches_a_server() {
    let scene = scene!();
    let tail = "0\\r\\n\\r\\nGET /smuggled HTTP/1.1\\r\\nHost: other.test-host.example\\r\\n\\r\\n";
    for (what, head) in SHAPES {
        let program = says(&format!("b'POST /echo HTTP/1.1\\r\\nHost: web.test-host.example\\r\\n{head}\\r\\n{tail}'"));
        scene.forget();
        scene.python_outside(&program).ok();
        assert!(scene.seen().on_the_wire(b"GET /smuggled"), "{what}: the control");
        scene.forget();
        scene.python(&WEB, &program).ok();
        assert!(!scene.seen().on_the_wire(b"/smuggled"), "{what}");
        only_the_allowed_host_was_asked(&scene);
    }
}

#[test]
fn what_is_not_http_on_port_80_and_not_tls_on_port_443_does_not_leave() {
    let scene = scene!();
    for port in [80, 443] {
        let program = format!(
            "
import socket
s = socket.create_connection(('web.test-host.example', {port}), timeout=60)
try:
    s.sendall(b'SSH-2.0-tunnel-leaves\\r\\n\\r\\n'); s.shutdown(socket.SHUT_WR)
    while part := s.recv(65536): print(part.decode('latin-1'))
except OSError as e: print(e)
print('tried')
"
        );
        scene.python_outside(&program).ok();
        assert!(scene.seen().on_the_wire(b"tunnel-leaves"));
        scene.forget();
        scene.python(&WEB, &program).ok().says("tried");
        assert!(!scene.seen().on_the_wire(b"tunnel-leaves"), "port {port}");
    }
    // A rule may say that nothing is looked at.
    let profile = scene.profile(r#"allow = [{ host = "web.test-host.example", opaque = true }]"#);
    scene
        .python(
            &profile,
            "import socket; s = socket.create_connection(('web.test-host.example', 80)); s.sendall(b'opaque-leaves')",
        )
        .ok();
    assert!(scene.seen().on_the_wire(b"opaque-leaves"));
}

/// A handshake with the allowed address that asks for `name`, and a request.
fn handshake(port: u16, name: &str) -> String {
    format!(
        "
import socket, ssl
c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
try:
    s = c.wrap_socket(socket.create_connection(('web.test-host.example', {port}), timeout=60), server_hostname={name})
    s.sendall(b'GET /hello HTTP/1.1\\r\\nHost: web.test-host.example\\r\\nConnection: close\\r\\n\\r\\n')
    while part := s.recv(65536): print(part.decode())
except OSError as e: print(e)
"
    )
}

#[test]
fn a_handshake_that_names_another_host_or_none_is_refused() {
    let scene = scene!();
    for port in [443, 8443] {
        let allow = format!("web.test-host.example:{port}");
        let options = ["--allow-host", &allow];
        for name in ["'other.test-host.example'", "None", "'203.0.113.11'"] {
            scene.only_outside(&options, &handshake(port, name));
            assert!(!scene.seen().on_the_wire(b"other.test-host.example"), "port {port}");
            let refused = scene.attempts_at("web.test-host.example", "refused");
            assert!(!refused.is_empty(), "port {port}, {name}: {:#?}", scene.attempts());
        }
        scene.python(&options, &handshake(port, "'web.test-host.example'")).ok().says("REACHED");
        scene.python(&options, &handshake(port, "'WEB.test-host.example'")).ok().says("REACHED");
    }
}

/// Takes a ClientHello of Python's, changes it, sends it in pieces, and says whether a handshake message came back.
fn changed_hello(change: &str, piece: usize) -> Vec<String> {
    let program = format!(
        "
import socket, ssl
c = ssl.create_default_context()
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
o = c.wrap_bio(incoming, outgoing, server_hostname='web.test-host.example')
try: o.do_handshake()
except ssl.SSLWantReadError: pass
record = outgoing.read()
body = bytearray(record[9:])
at = 34; at += 1 + body[at]; at += 2 + int.from_bytes(body[at:at+2], 'big'); at += 1 + body[at]
extensions = bytes(body[at+2:])
def extension(kind, data): return kind.to_bytes(2, 'big') + len(data).to_bytes(2, 'big') + data
def name(text): return extension(0, (len(text) + 3).to_bytes(2, 'big') + b'\\0' + len(text).to_bytes(2, 'big') + text)
{change}
body = bytes(body[:at]) + len(extensions).to_bytes(2, 'big') + extensions
message = b'\\x01' + len(body).to_bytes(3, 'big') + body
s = socket.create_connection(('web.test-host.example', 443), timeout=60)
try:
    for n in range(0, len(message), {piece}):
        part = message[n:n+{piece}]
        s.sendall(b'\\x16\\x03\\x01' + len(part).to_bytes(2, 'big') + part)
    answer = s.recv(5, socket.MSG_WAITALL)
    if answer[:1] == b'\\x16': print('REACHED')
    else: print(answer)
except OSError as e: print(e)
"
    );
    vec![program]
}

#[test]
fn a_hidden_or_doubled_server_name_is_refused() {
    let scene = scene!();
    for (change, works_outside) in [
        // Encrypted ClientHello (RFC 9849): the name that can be seen is not the one that is meant.
        ("extensions += extension(0xfe0d, b'\\0\\0\\1\\0\\1\\7\\0\\x20' + b'k' * 32 + b'\\0\\x40' + b'p' * 64)", true),
        // The older draft's numbers.
        ("extensions += extension(0xffce, b'x' * 64)", true),
        ("extensions += name(b'other.test-host.example')", false),
        ("extensions = name(b'other.test-host.example') + extensions", false),
    ] {
        for program in changed_hello(change, 16384) {
            let control = scene.python_outside(&program).ok();
            assert!(!works_outside || control.out().contains("REACHED"), "{control}");
            scene.forget();
            let done = scene.python(&WEB, &program);
            assert!(!done.both().contains("REACHED"), "{change}: {done}");
            assert!(!scene.seen().on_the_wire(b"other.test-host.example"), "{change}");
        }
    }
}

#[test]
fn a_handshake_in_many_records_is_still_read() {
    let scene = scene!();
    for piece in [1, 7, 20, 100] {
        for program in changed_hello("", piece) {
            // The gate takes 64 records at most; what is cut finer it may refuse, but it must not lose the name.
            let control = scene.python_outside(&program).ok().out();
            let done = scene.python(&WEB, &program).ok();
            assert!(piece < 20 || done.out() == control, "{piece}: {done} instead of {control}");
        }
        for program in
            changed_hello("extensions = extensions.replace(b'web.test-host.example', b'abc.test-host.example')", piece)
        {
            let done = scene.python(&WEB, &program);
            assert!(!done.both().contains("REACHED"), "{piece}: {done}");
        }
    }
    assert!(!scene.seen().on_the_wire(b"abc.test-host.example"));
}

#[test]
fn a_redirect_to_a_refused_host_is_refused() {
    need!("curl");
    let scene = scene!();
    for scheme in ["http", "https"] {
        let script =
            format!("curl -sSL '{scheme}://web.test-host.example/to?{scheme}://other.test-host.example/hello'");
        scene.outside(&script).ok().says("REACHED other");
        let done: Done = scene.inside(&WEB, &script).ends(6);
        assert!(!done.both().contains("REACHED"), "{done}");
        scene.refused("other.test-host.example", "--allow-host other.test-host.example");
    }
}
