//! What is allowed is reached by ordinary programs, with no proxy variable inside, and works as without a gate.

use super::scene::scene;
use super::support::need;

const WEB: [&str; 2] = ["--allow-host", "web.test-host.example"];
const ECHO: [&str; 2] = ["--allow-host", "web.test-host.example:7000"];

#[test]
fn curl_reaches_an_allowed_host_over_http_and_https() {
    need!("curl");
    let scene = scene!();
    let script = "for s in http https; do curl -sS --noproxy '*' $s://web.test-host.example/hello; done";
    let done = scene.inside(&WEB, script).ok();
    assert_eq!(done.out().matches("REACHED web.test-host.example").count(), 2, "{done}");
    let seen = scene.seen();
    assert!(
        seen.requests().iter().all(|request| request["to"] == "::ffff:203.0.113.11" || request["to"] == "203.0.113.11")
    );
    assert_eq!(seen.requests().len(), 2);
    for port in [80, 443] {
        let allowed = scene.attempts_at("web.test-host.example", "allowed");
        let found = allowed.iter().find(|attempt| attempt["port"] == port).unwrap_or_else(|| panic!("{allowed:?}"));
        assert!(found["rule"].as_str().is_some_and(|rule| rule.contains("web.test-host.example")), "{found}");
        assert!(found["received"].as_u64().is_some_and(|bytes| bytes > 7), "{found}");
    }
}

#[test]
fn a_refused_host_is_named_with_its_grant_and_curl_says_that_there_is_no_such_name() {
    need!("curl");
    let scene = scene!();
    let script = "curl -sS https://other.test-host.example/hello; curl -sS https://web.test-host.example/hello";
    let report = scene.directory.join("report").display().to_string();
    let mut command = scene.bailiwick(&["run", "--report", &report]);
    command.args(WEB).args(["--", "bash", "-c", script]);
    let done = super::support::Done::of(command).ok().says("REACHED web");
    // curl(1): 6 is a name that was not found.
    assert!(done.err().contains("Could not resolve host: other.test-host.example"), "{done}");
    assert!(done.err().contains("--allow-host other.test-host.example"), "{done}");
    scene.refused("other.test-host.example", "--allow-host other.test-host.example");
    assert!(!done.err().contains("--allow-host web"), "{done}");
    scene.inside(&WEB, "curl -sS https://other.test-host.example/hello").ends(6);
}

#[test]
fn the_inside_has_no_proxy_variable_that_it_would_need() {
    need!("curl");
    let scene = scene!();
    let script = "unset ${!http_*} ${!HTTP_*} ${!https_*} ${!HTTPS_*} ${!all_*} ${!ALL_*} ${!no_p*} ${!NO_P*}
        env -i curl -sS https://web.test-host.example/hello";
    scene.inside(&WEB, script).ok().says("REACHED");
}

#[test]
fn a_raw_socket_is_carried_in_both_directions_after_either_end() {
    let scene = scene!();
    let program = "
import socket, hashlib
s = socket.create_connection(('web.test-host.example', 7000), timeout=60)
s.sendall(b'raw bytes\\0\\xff')
assert s.recv(100) == b'raw bytes\\0\\xff'
s.shutdown(socket.SHUT_WR)
rest = b''
while part := s.recv(100): rest += part
assert rest == b'sum ' + hashlib.sha256(b'raw bytes\\0\\xff').hexdigest().encode() + b'\\n', rest
print('half close works')
";
    scene.python_outside(program).ok().says("half close works");
    scene.python(&ECHO, program).ok().says("half close works");
    let allowed = scene.attempts_at("web.test-host.example", "allowed");
    let carried = allowed.iter().find(|attempt| attempt["port"] == 7000).expect("the connection in the report");
    assert_eq!((&carried["sent"], &carried["received"]), (&11.into(), &(11 + 69).into()));
}

#[test]
fn a_server_that_speaks_first_is_heard() {
    let scene = scene!();
    let script = "exec 3<>/dev/tcp/db.test-host.example/5432; read -r l <&3; echo \"$l\"; echo ask >&3; read -r l <&3; echo \"$l\"";
    scene.inside(&["--allow-host", "db.test-host.example:5432"], script).ok().says("220 hello").says("said ask");
}

#[test]
fn a_name_with_both_kinds_of_addresses_and_one_with_ipv6_alone_are_reached() {
    need!("curl");
    let scene = scene!();
    for host in ["dual.test-host.example", "six.test-host.example", "alias.test-host.example"] {
        scene.inside(&["--allow-host", host], &format!("curl -sS http://{host}/hello")).ok().says("REACHED");
    }
}

#[test]
fn an_allowed_address_is_reached_as_such() {
    need!("curl");
    let scene = scene!();
    scene.inside(&["--allow-host", "203.0.113.40"], "curl -sS http://203.0.113.40/hello").ok().says("REACHED");
    let six = ["--allow-host", "[2001:db8:1::40]:80"];
    scene.inside(&six, "curl -sS 'http://[2001:db8:1::40]/hello'").ok().says("REACHED");
    // The neighbour is not.
    let done = scene.inside(&["--allow-host", "203.0.113.40"], "curl -sS http://203.0.113.41/hello").fails();
    assert!(!done.both().contains("REACHED"), "{done}");
    scene.refused("203.0.113.41", "--allow-host 203.0.113.41");
}

#[test]
fn a_private_host_is_reached_where_the_policy_lists_its_addresses() {
    need!("curl");
    let scene = scene!();
    let profile = scene.profile(r#"allow = [{ host = "inner.test-host.example", addresses = ["10.99.0.0/24"] }]"#);
    scene.inside(&profile, "curl -sS http://inner.test-host.example/hello").ok().says("REACHED");
    let done =
        scene.inside(&["--allow-host", "inner.test-host.example"], "curl -sS http://inner.test-host.example/hello");
    assert!(!done.both().contains("REACHED"), "{done}");
}

#[test]
fn names_in_the_hosts_own_table_are_found_there() {
    need!("curl");
    let scene = scene!();
    let script = "curl -sS http://listed.test-host.example/hello";
    scene.inside(&["--allow-host", "listed.test-host.example"], script).ok().says("REACHED");
    // The name server does not know the name.
    assert!(scene.seen().names().is_empty(), "{:?}", scene.seen().names());
}

#[test]
fn a_tier_that_has_no_gate_refuses_the_run() {
    let scene = scene!();
    let done = scene.inside(&["--tier", "landlock", "--allow-host", "web.test-host.example"], "echo ran").ends(125);
    assert!(!done.out().contains("ran") && done.err().contains("hosts-filtered"), "{done}");
}

#[test]
fn wildcards_reach_the_names_below() {
    need!("curl");
    let scene = scene!();
    let script = "curl -sS http://web.test-host.example/hello";
    scene.inside(&["--allow-host", "*.test-host.example"], script).ok().says("REACHED");
    scene.inside(&["--allow-host", "*.web.test-host.example"], script).ends(6);
}

#[test]
fn a_large_transfer_is_intact_in_both_directions() {
    need!("curl", "sha256sum");
    let scene = scene!();
    let size = 32 << 20;
    let down = format!(
        "curl -sS https://web.test-host.example/big?{size} | sha256sum; curl -sS http://web.test-host.example/big?{size} | sha256sum"
    );
    let expected = scene.outside(&down).ok().out();
    assert_eq!(scene.inside(&WEB, &down).ok().out(), expected);
    let up = "head -c 9000000 /dev/urandom > up
        for s in http https; do test $(curl -sS --data-binary @up -H Expect: $s://web.test-host.example/echo) = $(sha256sum < up | cut -d' ' -f1); done; rm up";
    scene.inside(&WEB, up).ok();
}

#[test]
fn many_connections_at_once() {
    let scene = scene!();
    let program = "
import socket, threading
done = []
def one(n):
    s = socket.create_connection(('web.test-host.example', 7000), timeout=120)
    text = (f'number {n} ' * 500).encode()
    s.sendall(text)
    got = b''
    while len(got) < len(text): got += s.recv(65536)
    assert got == text
    done.append(s)
threads = [threading.Thread(target=one, args=(n,)) for n in range(200)]
[t.start() for t in threads]; [t.join() for t in threads]
print(len(done), 'at once')
";
    scene.python(&ECHO, program).ok().says("200 at once");
}

#[test]
fn the_inside_has_ports_of_its_own() {
    let scene = scene!();
    let program = "
import socket, threading
for family, any, own in [(socket.AF_INET, '0.0.0.0', '127.0.0.1'), (socket.AF_INET6, '::', '::1')]:
    for port in [5432, 8000, 3128, 1080, 7000]:
        s = socket.socket(family); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((any, port)); s.listen()
        c = socket.create_connection((own, port)); a, _ = s.accept()
        c.sendall(b'own'); assert a.recv(3) == b'own'
        s.close()
print('own ports')
";
    scene.python(&["--allow-host", "db.test-host.example:5432"], program).ok().says("own ports");
}

#[test]
fn a_host_that_does_not_answer_is_told_apart_from_a_refused_one() {
    need!("curl");
    let scene = scene!();
    let done = scene
        .inside(&["--allow-host", "web.test-host.example:81"], "curl -sSf http://web.test-host.example:81/")
        .fails();
    let failed = scene.attempts_at("web.test-host.example", "failed");
    assert!(failed.iter().any(|attempt| attempt["port"] == 81), "{done} {:#?}", scene.attempts());
    scene.inside(&["--allow-host", "nowhere.test-host.example"], "curl -sSf http://nowhere.test-host.example/").fails();
    assert!(!scene.attempts_at("nowhere.test-host.example", "failed").is_empty(), "{:#?}", scene.attempts());
}

#[test]
fn without_hosts_there_is_no_network() {
    need!("curl");
    let scene = scene!();
    let done = scene.inside(&[], "curl -sS http://203.0.113.11/hello").fails();
    assert!(!done.both().contains("REACHED"), "{done}");
    scene
        .inside(&["--offline", "--allow-host", "web.test-host.example"], "curl -sS http://web.test-host.example/hello")
        .fails();
    let seen = scene.seen();
    assert!(seen.targets().is_empty(), "{:?}", seen.targets());
}
