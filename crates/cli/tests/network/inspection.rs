//! Rules for methods and paths, and credentials that stay outside.

use std::process::Command;

use super::scene::{Scene, header, scene, text};
use super::support::{Done, need};

const SECRET: &str = "credential-5f3a9c";

const RULES: &str = r#"allow = [
    { host = "GET web.test-host.example/hello", inspect = true },
    { host = "GET web.test-host.example/headers/**", inspect = true },
    { host = "POST web.test-host.example/echo", inspect = true },
]"#;

#[test]
fn methods_and_paths_are_decided_for_each_request() {
    need!("curl");
    let scene = scene!();
    let profile = scene.profile(RULES);
    let get = |what: &str| {
        scene.inside(&profile, &format!("curl -sS --path-as-is -o out -w '%{{http_code}}' {what}; cat out; rm out"))
    };
    get("https://web.test-host.example/hello").ok().says("REACHED");
    get("-d x https://web.test-host.example/echo").ok().says("200");
    for refused in [
        "-X POST https://web.test-host.example/hello",
        "https://web.test-host.example/echo",
        "https://web.test-host.example/big?16",
        "-X DELETE https://web.test-host.example/hello",
        "https://web.test-host.example//hello",
        "https://web.test-host.example/headers/../big?16",
        "https://web.test-host.example/headers/%2e%2e/big?16",
        "https://web.test-host.example/headers/..%2fbig?16",
        "https://web.test-host.example/%68ello/../big?16",
        "-X GET%20 https://web.test-host.example/big?16",
        "-H 'Host: other.test-host.example' https://web.test-host.example/hello",
    ] {
        scene.forget();
        let done = get(refused);
        assert!(!done.both().contains("REACHED") && !done.out().starts_with("200"), "{refused}: {done}");
        let seen = scene.seen();
        assert!(seen.requests().is_empty(), "{refused}: {:?}", seen.requests());
        let told =
            scene.attempts().into_iter().any(|attempt| attempt["result"] == "refused" || attempt["result"] == "failed");
        assert!(told, "{refused}: {:#?}", scene.attempts());
    }
}

#[test]
fn requests_on_one_inspected_connection_are_decided_one_by_one() {
    let scene = scene!();
    let profile = scene.profile(RULES);
    let program = "
import socket, ssl
c = ssl.create_default_context()
s = c.wrap_socket(socket.create_connection(('web.test-host.example', 443), timeout=60), server_hostname='web.test-host.example')
for path in ['/hello', '/big?16', '/hello']:
    try:
        s.sendall(f'GET {path} HTTP/1.1\\r\\nHost: web.test-host.example\\r\\n\\r\\n'.encode())
        print(s.recv(65536).decode())
    except OSError as e: print(e)
";
    scene.python(&profile, program).ok().says("REACHED");
    let targets: Vec<String> = scene.seen().requests().iter().map(|request| text(&request["target"])).collect();
    assert!(!targets.is_empty() && targets.iter().all(|target| target == "/hello"), "{targets:?}");
}

#[test]
fn the_runs_authority_is_trusted_inside_and_nowhere_else() {
    need!("curl", "openssl");
    let scene = scene!();
    let profile = scene.profile(RULES);
    let script = "echo | openssl s_client -connect web.test-host.example:443 -servername web.test-host.example 2>/dev/null | openssl x509 -noout -issuer";
    let outside = scene.outside(script).ok().out();
    let inside = scene.inside(&profile, script).ok().out();
    assert_ne!(outside, inside, "the inside sees the server's own certificate although it is inspected");
    // A host that is not inspected shows its own certificate, verified against the system's authorities.
    let mixed = scene.profile(&RULES.replace("allow = [", "allow = [ \"other.test-host.example\","));
    scene.inside(&mixed, "curl -sS https://other.test-host.example/hello").ok().says("REACHED");
    // The key of the authority is nowhere inside.
    let search = "grep -rlE 'BEGIN (EC |RSA )?PRIVATE KEY' /run /tmp $HOME /etc/ssl/certs 2>/dev/null || echo none";
    scene.inside(&profile, search).ok().says("none");
}

#[test]
fn a_server_whose_certificate_is_wrong_is_refused_for_the_inside() {
    need!("curl");
    let scene = scene!();
    // The certificate names addresses one by one, and this one is not among them.
    let profile = scene.profile(r#"allow = [{ host = "203.0.113.44:443", inspect = true }]"#);
    scene.outside("curl -sSk https://203.0.113.44/hello").ok().says("REACHED");
    scene.forget();
    let done = scene.inside(&profile, "curl -sSk https://203.0.113.44/hello");
    assert!(!done.both().contains("REACHED"), "{done}");
    assert!(scene.seen().requests().is_empty());
}

/// The table of a credential from this source.
fn credential(from: &str) -> String {
    format!(
        "allow = [{{ host = \"web.test-host.example\", inspect = true }}, {{ host = \"other.test-host.example\", inspect = true }}]\n\
         [[network.credential]]\nhost = \"web.test-host.example\"\nheader = \"authorization\"\nprefix = \"Bearer \"\nfrom = {from}"
    )
}

fn with_secret(mut command: Command) -> Done {
    command.env("API_TOKEN", SECRET);
    Done::of(command)
}

fn run(scene: &Scene, profile: &[&str], script: &str) -> Done {
    with_secret(scene.running(profile, &["bash", "-uc", script]))
}

/// The values of `authorization` that the Internet saw in requests for this host.
fn authorizations(scene: &Scene, host: &str) -> Vec<Option<String>> {
    let seen = scene.seen();
    let of_host = seen.requests().into_iter().filter(|request| header(request, "host").as_deref() == Some(host));
    of_host.map(|request| header(request, "authorization")).collect()
}

/// Looks for the secret in everything of the inside: files, and environment, arguments and memory of every other process.
const LOOK: &str = r"
import os
needle = '-'.join(['credential', '5f3a9c']).encode()
def look(path, data):
    if needle in data: print('FOUND in', path)
def file(path):
    try:
        if os.path.isfile(path) and os.path.getsize(path) < 32 << 20:
            with open(path, 'rb') as f: look(path, f.read())
    except OSError: pass
for top in ['/run', '/tmp', '/dev/shm', '/etc', os.environ['HOME'], '.']:
    for directory, _, names in os.walk(top):
        for name in names: file(os.path.join(directory, name))
for pid in os.listdir('/proc'):
    if not pid.isdigit() or int(pid) == os.getpid(): continue
    for name in ['environ', 'cmdline']:
        try:
            with open(f'/proc/{pid}/{name}', 'rb') as f: look(f'/proc/{pid}/{name}', f.read())
        except OSError: pass
    try:
        with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb') as memory:
            for line in maps:
                start, end = (int(n, 16) for n in line.split()[0].split('-'))
                if line.split()[1][0] != 'r' or end - start > 64 << 20: continue
                try:
                    memory.seek(start); look(f'/proc/{pid}/mem', memory.read(end - start))
                except (OSError, ValueError): pass
    except OSError: pass
look('own environment', repr(os.environ).encode())
";

#[test]
fn credentials_from_every_source_arrive_and_are_nowhere_inside() {
    need!("curl");
    let scene = scene!();
    scene.world.write_home(".token", &format!("{SECRET}\n"));
    scene.world.write_home("token.sh", &format!("#!/bin/sh\necho {SECRET}\n"));
    scene.world.write("look.py", LOOK);
    let script = scene.world.home.join("token.sh");
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("its mode");
    // The search finds what there is to be found.
    scene.world.write("planted", SECRET);
    with_secret(scene.running(&["--env", "API_TOKEN"], &["python3", "look.py"]))
        .ok()
        .says("own environment")
        .says("planted");
    scene.world.write("planted", "");
    let command = format!("{{ command = [\"{}\"] }}", script.display());
    for source in ["{ env = \"API_TOKEN\" }", "{ file = \"~/.token\" }", &command] {
        let profile = scene.profile(&credential(source));
        scene.forget();
        let looking = "curl -sS https://web.test-host.example/hello
            curl -sS -H 'Authorization: Bearer mine' https://web.test-host.example/hello
            python3 look.py && echo looked";
        let done = run(&scene, &profile, looking).ok().says("looked");
        assert!(!done.both().contains("FOUND") && !done.both().contains(SECRET), "{source}: {done}");
        assert_eq!(done.out().matches("REACHED").count(), 2, "{source}: {done}");
        let expected = Some(format!("Bearer {SECRET}"));
        assert_eq!(authorizations(&scene, "web.test-host.example"), [expected.clone(), expected], "{source}");
        assert!(!format!("{:?}", scene.attempts()).contains(SECRET));
    }
}

#[test]
fn a_redirect_or_plain_http_does_not_carry_the_credential_elsewhere() {
    need!("curl");
    let scene = scene!();
    let profile = scene.profile(&credential("{ env = \"API_TOKEN\" }"));
    let script = "curl -sSL --location-trusted 'https://web.test-host.example/to?https://other.test-host.example/hello'
        curl -sS http://web.test-host.example/hello
        curl -sS https://other.test-host.example/hello";
    let done = run(&scene, &profile, script).ok();
    assert!(!done.both().contains(SECRET), "{done}");
    assert_eq!(authorizations(&scene, "other.test-host.example"), [None, None]);
    assert!(!scene.seen().on_the_wire(SECRET.as_bytes()), "the secret was sent in the clear");
}

#[test]
fn a_secret_that_cannot_be_had_or_would_break_a_header_refuses_the_run() {
    let scene = scene!();
    scene.world.write_home(".token", "two\r\nX-Injected: lines\n");
    for source in [
        "{ env = \"NOT_THERE\" }",
        "{ file = \"~/.no-such-token\" }",
        "{ file = \"~/.token\" }",
        "{ command = [\"/bin/false\"] }",
    ] {
        let profile = scene.profile(&credential(source));
        let done = run(&scene, &profile, "echo ran").ends(125);
        assert!(!done.out().contains("ran"), "{source}: {done}");
        assert!(!done.both().contains("Injected"), "the secret is shown: {done}");
    }
}
