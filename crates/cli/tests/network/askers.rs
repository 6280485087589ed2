//! Which program asks: named in the report as far as it can be seen, and nothing that the inside does to that costs the run.

use serde_json::Value;

use super::scene::{Equipment, Scene, scene, text};
use super::support::{Done, need, skip};

const WEB: [&str; 2] = ["--allow-host", "web.test-host.example"];
const RAW: [&str; 2] = ["--allow-host", "web.test-host.example:7000"];

/// What the report says of who made the attempts at this host, with this result and this way.
fn askers(scene: &Scene, host: &str, result: &str, way: &str) -> Vec<Value> {
    let attempts = scene.attempts_at(host, result);
    attempts.iter().filter(|attempt| attempt["way"] == way).map(|attempt| attempt["program"].clone()).collect()
}

/// Whether one of such attempts is known to be made by a program with this in its name. Fails if there is none, or one is said to be
/// another's: that nobody was found is allowed, since who is asked about may be gone on a busy machine before it is looked for.
#[track_caller]
fn is_named(scene: &Scene, host: &str, result: &str, way: &str, program: &str) -> bool {
    let found = askers(scene, host, result, way);
    let is_its = |asker: &Value| asker.is_string() && text(asker).contains(program);
    assert!(
        !found.is_empty() && found.iter().all(|asker| asker.is_null() || is_its(asker)),
        "not all by {program}: {:#?}",
        scene.attempts()
    );
    found.iter().any(is_its)
}

/// How often to try until a program is named.
const TRIES: usize = 8;

/// Fails unless attempts that `run` makes are known to be this program's, as [`is_named`] says, in one of some tries.
#[track_caller]
fn asked_by(scene: &Scene, [host, result, way, program]: [&str; 4], run: impl Fn()) {
    let tried = (0..TRIES).any(|_| {
        run();
        is_named(scene, host, result, way, program)
    });
    assert!(tried, "never named as {program}: {:#?}", scene.attempts());
}

#[test]
fn programs_are_told_apart() {
    need!("curl");
    let scene = scene!();
    let options = [WEB, ["--allow-host", "other.test-host.example"]].concat();
    let script = "curl -sS https://web.test-host.example/hello
        python3 -c 'import urllib.request as r; print(r.urlopen(\"https://other.test-host.example/hello\").read())'";
    let run = || drop(scene.inside(&options, script).ok().says("REACHED web").says("REACHED other"));
    asked_by(&scene, ["web.test-host.example", "allowed", "transparent", "/curl"], run);
    asked_by(&scene, ["other.test-host.example", "allowed", "transparent", "/python3"], run);
    // Requests that the gate reads are the connection's.
    asked_by(&scene, ["web.test-host.example", "allowed", "transparent", "/curl"], || {
        scene.inside(&WEB, "curl -sS http://web.test-host.example/hello").ok().says("REACHED web");
    });
}

#[test]
fn git_is_named() {
    need!("git");
    let scene = scene!(with Equipment { registries: true, ssh: false });
    let clone = "git clone -q https://code.test-host.example/git/project.git work";
    let clone = format!("rm -rf work; {clone}");
    asked_by(&scene, ["code.test-host.example", "allowed", "transparent", "/git"], || {
        scene.inside(&["--allow-host", "code.test-host.example"], &clone).ok();
    });
}

#[test]
fn whoever_is_refused_is_named_and_a_person_reads_it() {
    need!("curl");
    let scene = scene!();
    let report = scene.directory.join("report").display().to_string();
    asked_by(&scene, ["other.test-host.example", "refused", "dns", "/curl"], || {
        let mut command = scene.bailiwick(&["run", "--report", &report]);
        command.args(WEB).args(["--", "curl", "-sS", "https://other.test-host.example/hello"]);
        let done = Done::of(command).ends(6);
        let line = done.err().lines().find(|line| line.contains("--allow-host other")).map(str::to_owned);
        let line = line.unwrap_or_else(|| panic!("{done}"));
        // A person reads what the report says.
        if is_named(&scene, "other.test-host.example", "refused", "dns", "/curl") {
            assert!(line.contains("(asked by `/") && line.ends_with("/curl`)"), "{line}");
        }
    });
    // By every other door.
    for (script, host, way) in [
        ("curl -sS http://203.0.113.12/hello", "203.0.113.12", "transparent"),
        ("curl -sS https://web.test-host.example/ --connect-to ::203.0.113.12:443", "203.0.113.12", "transparent"),
        ("curl -sS -x http://198.18.0.1:3128 http://other.test-host.example/", "other.test-host.example", "http"),
        ("curl -sS -x http://198.18.0.1:3128 https://other.test-host.example/", "other.test-host.example", "http"),
        ("curl -sS -x socks5h://198.18.0.1:1080 http://other.test-host.example/", "other.test-host.example", "socks"),
    ] {
        asked_by(&scene, [host, "refused", way, "/curl"], || {
            drop(scene.inside(&WEB, &format!("{script} || true")).ok())
        });
    }
    let refused = "import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'x', ('203.0.113.12', 443)); input()";
    let script =
        format!("rm -f wait; mkfifo wait; python3 -c \"{refused}\" < wait & exec 3> wait; sleep 0.5; echo >&3; wait");
    asked_by(&scene, ["203.0.113.12", "refused", "packet", "/python3"], || drop(scene.inside(&WEB, &script).ok()));
}

#[test]
fn a_name_full_of_control_characters_is_only_text() {
    let scene = scene!();
    let program = "
import ctypes, socket
ctypes.CDLL(None).prctl(15, b'\\x1b[31m\\n\\x9bevil', 0, 0, 0)
s = socket.create_connection(('web.test-host.example', 7000)); s.sendall(b'\\0'); s.recv(1)
try: socket.getaddrinfo('other.test-host.example', 80)
except OSError as e: print(e)
";
    let report = scene.directory.join("report").display().to_string();
    let path = "\"$(printf 'a\\033[32m\\nb')\"";
    let script = format!("cp \"$(readlink -f \"$(command -v python3)\")\" {path}; ./{path} -S -E -c \"$1\"");
    let mut command = scene.bailiwick(&["run", "--report", &report]);
    command.args(RAW).args(["--", "bash", "-c", &script, "-", program]);
    let done = Done::of(command).ok();
    assert!(!done.err().contains('\u{1b}'), "{done}");
    assert!(done.err().contains("(asked by `"), "{done}");
    let found = askers(&scene, "web.test-host.example", "allowed", "transparent");
    let name = found.first().map(text).unwrap_or_default();
    assert!(name.contains("\\u{1b}[31m\\u{a}") && name.contains("evil"), "its own word: {name:?}");
    assert!(name.contains("a\\u{1b}[32m\\u{a}b"), "its file: {name:?}");
    assert!(!name.chars().any(char::is_control), "{name:?}");
}

#[test]
fn thousands_of_descriptors_and_hundreds_of_processes_hide_nobody() {
    let scene = scene!();
    let program = "
import os, resource, socket, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4000), hard))
pipe = os.pipe()
for n in range(200):
    if os.fork() == 0:
        os.close(pipe[1]); os.read(pipe[0], 1); os._exit(0)
held = [socket.socket() for n in range(min(hard, 4000) - 100)]
s = socket.create_connection(('web.test-host.example', 7000))
s.sendall(b'\\0'); print('got', s.recv(1))
time.sleep(0.5)
";
    asked_by(&scene, ["web.test-host.example", "allowed", "transparent", "/python3"], || {
        scene.python(&RAW, program).ok().says("got");
    });
}

#[test]
fn who_is_gone_at_once_or_cannot_be_seen_is_not_waited_for() {
    let scene = scene!();
    let program = "
import ctypes, os, socket
for n in range(50):
    child = os.fork()
    if child == 0:
        s = socket.socket(); s.setblocking(False); s.connect_ex(('203.0.113.12', 7000)); os._exit(0)
    os.waitpid(child, 0)
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
s = socket.create_connection(('web.test-host.example', 7000)); s.sendall(b'\\0'); print('got', s.recv(1))
";
    scene.python(&RAW, program).ok().says("got");
    // Some may have been seen in time; nobody else was taken for them.
    let gone = askers(&scene, "203.0.113.12", "refused", "transparent");
    assert!(!gone.is_empty(), "{:#?}", scene.attempts());
    assert!(gone.iter().all(|asker| asker.is_null() || text(asker).contains("python3")), "{gone:?}");
    // What a process that is not dumpable has in `/proc` belongs to root (proc(5)).
    if skip::is_root() {
        asked_by(&scene, ["web.test-host.example", "allowed", "transparent", "/python3"], || {
            scene.python(&RAW, program).ok().says("got");
        });
    } else {
        assert_eq!(askers(&scene, "web.test-host.example", "allowed", "transparent"), [Value::Null]);
    }
}

#[test]
fn a_flood_of_questions_leaves_names_out_and_nothing_else() {
    let scene = scene!();
    let program = "
import socket, threading
def many():
    for n in range(150):
        s = socket.create_connection(('web.test-host.example', 7000)); s.sendall(b'\\0'); assert s.recv(1) == b'\\0'; s.close()
threads = [threading.Thread(target=many) for n in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print('all done')
";
    scene.python(&RAW, program).ok().says("all done");
    let found = askers(&scene, "web.test-host.example", "allowed", "transparent");
    assert!(found.iter().all(|asker| asker.is_null() || text(asker).contains("/python3")), "{found:?}");
    assert!(found.iter().any(|asker| !asker.is_null()), "{found:?}");
}
