//! The gate's own life: it is nobody else's way out, it may die, and a run without it does not start.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use super::scene::scene;
use super::support::done::until;
use super::support::processes::{mark, mentioning};
use super::support::{Done, need};

const WEB: [&str; 2] = ["--allow-host", "web.test-host.example"];

fn status(id: u32, field: &str) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

/// Of the processes of a run that carries the mark: the gate is a child of the supervisor, outside of the enclosure.
fn gate_of(mark: &str) -> Option<u32> {
    let all = mentioning(mark);
    let own = status(std::process::id(), "NSpid:").len();
    all.iter().copied().find(|id| {
        let parent = status(*id, "PPid:");
        status(*id, "NSpid:").len() == own
            && parent.iter().any(|parent| all.contains(parent) && status(*parent, "NSpid:").len() == own)
    })
}

#[test]
fn a_gate_that_is_killed_takes_the_network_with_it_and_not_the_run() {
    need!("curl");
    let scene = scene!();
    let mark = mark();
    let script = format!(
        ": {mark}
        curl -sS http://web.test-host.example/hello > first; touch started
        while ! test -e killed; do sleep 0.05; done
        curl -sS --max-time 60 http://web.test-host.example/hello > second 2>&1; echo second $?
        curl -sS --max-time 60 http://203.0.113.11/hello > third 2>&1; echo third $?
        touch made; echo went on"
    );
    let mut command = scene.running(&WEB, &["bash", "-uc", &script]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("bailiwick");
    let at = |file: &str| scene.world.project.join(file);
    until("the first request is over", || at("started").exists() || child.try_wait().expect("a status").is_some());
    assert!(fs::read_to_string(at("first")).unwrap_or_default().contains("REACHED"));
    let gate = gate_of(&mark).expect("the gate's process");
    let killed = Done::of({
        let mut command = scene.world.bare("kill");
        command.args(["-KILL", &gate.to_string()]);
        command
    });
    killed.ok();
    until("the gate is gone", || !Path::new(&format!("/proc/{gate}")).exists());
    scene.forget();
    fs::write(at("killed"), "").expect("a sign");
    let output = child.wait_with_output().expect("its end");
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && out.contains("went on"), "{output:?}");
    assert!(!out.contains("second 0") && !out.contains("third 0"), "{out}");
    assert!(at("made").exists());
    let targets = scene.seen().targets();
    assert!(targets.is_empty(), "{targets:?}");
    let report = fs::read_to_string(scene.directory.join("report")).expect("the report");
    let lost = report.lines().find(|line| line.contains("killed") && !line.contains("\"started\"")).unwrap_or_default();
    assert!(lost.contains("network") && !lost.contains("NetworkLost {"), "how it is told: {report}");
}

/// Connects again and again while the gate dies, and for a while after it. Says how each attempt ended, and how often.
///
/// What gets no answer is given up after two tries (`TCP_SYNCNT`, tcp(7)), so that it shows as timed out and does not hold up the test.
const CONNECTING: &str = "
import collections, errno, os, socket, threading
ends, lock = collections.Counter(), threading.Lock()
def attempt(kind, address):
    s = socket.socket(socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_STREAM: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
        else: s.settimeout(20)
        s.connect(address)
        if kind == socket.SOCK_DGRAM:
            # A question for the address of `a`.
            s.send(b'\\0\\7\\1\\0\\0\\1' + b'\\0' * 6 + b'\\1a\\0\\0\\1\\0\\1')
            s.recv(512)
        return 'answered'
    except TimeoutError: return 'TIMED-OUT'
    except OSError as e: return errno.errorcode.get(e.errno, str(e))
    finally: s.close()
def connect():
    after = 0
    while after < 300:
        if os.path.exists('killed'): after += 1
        end = attempt(socket.SOCK_STREAM, ('203.0.113.11', 80))
        with lock: ends[end] += 1
threads = [threading.Thread(target=connect) for _ in range(8)]
for thread in threads: thread.start()
open('started', 'w').close()
for thread in threads: thread.join()
print('while it died', dict(ends))
for port in 80, 7000, 3128: print('then', attempt(socket.SOCK_STREAM, ('203.0.113.11', port)))
print('then', attempt(socket.SOCK_STREAM, ('198.18.0.1', 3128)), 'and names', attempt(socket.SOCK_DGRAM, ('198.18.0.1', 53)))
";

#[test]
fn who_connects_while_the_gate_dies_is_refused_at_once() {
    let scene = scene!();
    let mark = mark();
    let program = format!("{CONNECTING}\n# {mark}");
    let mut command = scene.running(&WEB, &["python3", "-c", &program]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("bailiwick");
    let at = |file: &str| scene.world.project.join(file);
    until("connections are made", || at("started").exists() || child.try_wait().expect("a status").is_some());
    let gate = gate_of(&mark).expect("the gate's process");
    let mut kill = scene.world.bare("kill");
    kill.args(["-KILL", &gate.to_string()]);
    Done::of(kill).ok();
    until("the gate is gone", || !Path::new(&format!("/proc/{gate}")).exists());
    fs::write(at("killed"), "").expect("a sign");
    let output = child.wait_with_output().expect("its end");
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert!(!out.contains("TIMED-OUT") && !out.contains("UNREACH"), "somebody waits for nothing: {out}");
    assert_eq!(out.matches("then ECONNREFUSED").count(), 4, "{out}");
    assert!(out.contains("and names ECONNREFUSED"), "{out}");
}

#[test]
fn the_gate_has_no_port_on_the_host() {
    need!("ss");
    let scene = scene!();
    let listening = || {
        let done = scene.outside("ss -lntuH | awk '{print $1, $5}' | sort -u").ok();
        done.out()
    };
    let before = listening();
    assert!(before.contains(":8000"), "{before}");
    let mut command = scene.running(&WEB, &["bash", "-uc", "touch started; while ! test -e over; do sleep 0.05; done"]);
    let mut child = command.spawn().expect("bailiwick");
    let started = scene.world.project.join("started");
    until("the run has begun", || started.exists() || child.try_wait().expect("a status").is_some());
    assert!(started.exists());
    assert_eq!(listening(), before);
    // Nor an address that leads into the run.
    for port in [80, 443, 3128, 1080, 53] {
        let reached = format!("exec 3<>/dev/tcp/198.18.0.1/{port} && echo REACHED-the-gate");
        let done = scene.outside(&format!("ip route get 198.18.0.1 | grep -q eth0; {reached} || true"));
        // The scene's Internet has every address; the packets leave the host, so it is not the gate that answers.
        assert!(done.code() == 0, "{done}");
    }
    fs::write(scene.world.project.join("over"), "").expect("a sign");
    assert!(child.wait().expect("its end").success());
}

#[test]
fn nothing_of_the_gate_is_left_when_the_supervisor_is_killed() {
    let scene = scene!();
    let mark = mark();
    let script = format!(": {mark}; touch started; while :; do sleep 0.05; done");
    let mut child = scene.running(&WEB, &["bash", "-uc", &script]).spawn().expect("bailiwick");
    let started = scene.world.project.join("started");
    until("the run has begun", || started.exists() || child.try_wait().expect("a status").is_some());
    let gate = gate_of(&mark).expect("the gate's process");
    let text = fs::read_to_string(format!("/proc/{gate}/status")).expect("the gate's status");
    for line in ["CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(text.contains(line), "the gate keeps rights that it has no use for: `{line}` is missing in\n{text}");
    }
    assert!(mentioning(&mark).contains(&gate));
    child.kill().expect("SIGKILL");
    child.wait().expect("its end");
    until("all of the run is gone", || mentioning(&mark).is_empty());
}

#[test]
fn a_run_without_hosts_has_no_gate() {
    let scene = scene!();
    let mark = mark();
    let script = format!(": {mark}; touch started; while ! test -e over; do sleep 0.05; done");
    let mut child = scene.running(&[], &["bash", "-uc", &script]).spawn().expect("bailiwick");
    let started = scene.world.project.join("started");
    until("the run has begun", || started.exists() || child.try_wait().expect("a status").is_some());
    let gate = gate_of(&mark);
    fs::write(scene.world.project.join("over"), "").expect("a sign");
    assert!(child.wait().expect("its end").success());
    assert_eq!(gate, None);
}

#[test]
fn a_gate_that_cannot_start_refuses_the_run() {
    let scene = scene!();
    let blind = |options: &[&str]| {
        let mut command = scene.running(options, &["echo", "ran"]);
        command.env("SSL_CERT_FILE", "/nonexistent").env("SSL_CERT_DIR", "/nonexistent");
        Done::of(command)
    };
    // An inspecting gate that trusts nobody could reach nobody; one that does not inspect has no need for certificates.
    let profile = scene.profile(r#"allow = [{ host = "web.test-host.example", inspect = true }]"#);
    let done = blind(&profile).ends(125);
    assert!(!done.out().contains("ran"), "{done}");
    blind(&WEB).ok().says("ran");
}

#[test]
fn a_malformed_host_names_what_is_wrong_and_where() {
    let scene = scene!();
    let profile = scene.profile("allow = [\"web..test-host.example\"]");
    let done = scene.inside(&profile, "echo ran").ends(125);
    assert!(!done.out().contains("ran"), "{done}");
    assert!(done.err().contains("profiles/test.toml") && done.err().contains("web..test-host.example"), "{done}");
}
