//! The tests, and the supervisor of each.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use bailiwick_linux::api::{self, Event, Outcome, Tier};
use bailiwick_linux::facts::Facts;
use bailiwick_linux::gate::Gatekeeper;
use bailiwick_linux::run::{Given, Settings, run};
use bailiwick_policy::boundary::{Backing, Boundary, FileRule, Present, PrivateRoot};
use bailiwick_policy::host_rule::HostRule;
use bailiwick_policy::origin::{Layer, Origin, Source};
use bailiwick_policy::policy::{FileRuleKind, Ruled};

use crate::stub::Stub;

/// A test, by the name of what is run inside.
struct Test {
    name: &'static str,
    /// What the gate does, if there is one.
    stub: Option<Stub>,
    body: fn(&str),
}

const fn test(name: &'static str, stub: Option<Stub>, body: fn(&str)) -> Test {
    Test { name, stub, body }
}

const TESTS: [Test; 12] = [
    test("connects", Some(Stub::Serves), connects),
    test("files", Some(Stub::Serves), files),
    test("packets", Some(Stub::Serves), packets),
    test("covers", Some(Stub::Serves), sockets_are_covered_before_the_command_starts),
    test("offline", None, offline),
    test("outlives_the_gate", Some(Stub::DiesLater), outlives_the_gate),
    test("waits", Some(Stub::Serves), the_gate_dies_with_the_supervisor),
    test("refused", Some(Stub::Refuses), a_gate_that_refuses),
    test("died", Some(Stub::Dies), a_gate_that_dies),
    test("panicked", Some(Stub::Panics), a_gate_that_panics),
    test("confined", Some(Stub::Tries), the_gate_is_confined),
    test("nobody", None, hosts_without_a_gate),
];

/// As libtest does, as far as the project's own runner looks at it.
pub(crate) fn all(words: &[&str]) {
    let wanted: Vec<&&str> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let mut failed = 0;
    for Test { name, body, .. } in TESTS {
        if words.contains(&"--list") {
            println!("{name}: test");
            continue;
        }
        if !wanted.is_empty() && !wanted.iter().any(|wanted| name.contains(**wanted)) {
            continue;
        }
        let passed = std::panic::catch_unwind(|| body(name)).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        failed += u32::from(!passed);
    }
    if failed > 0 {
        // As libtest does.
        std::process::exit(101);
    }
}

fn origin() -> Origin {
    Origin { layer: Layer::User, source: Source::Profile("test".into()), line: None }
}

fn rule(kind: FileRuleKind, path: &Path) -> FileRule {
    let written = path.display().to_string();
    FileRule { kind, path: path.to_owned(), present: Present::Directory, written, origin: origin() }
}

/// A directory of this test's own, removed when it is dropped.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let directory = std::env::temp_dir().join(format!("bailiwick-gate-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        Place(directory.canonicalize().unwrap())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn boundary(workspace: &Path, hosts: &[&str]) -> Boundary {
    let program = std::env::current_exe().unwrap();
    let system = ["/usr", "/etc", "/lib", "/lib64"].map(PathBuf::from);
    let mut trees: Vec<PathBuf> = system.iter().filter_map(|path| path.canonicalize().ok()).collect();
    trees.push(program.parent().unwrap().canonicalize().unwrap());
    trees.sort();
    trees.dedup();
    let mut boundary = Boundary::closed(workspace.to_owned(), "/home/nobody".into());
    boundary.rules = trees.iter().map(|tree| rule(FileRuleKind::Read, tree)).collect();
    boundary.rules.push(rule(FileRuleKind::Write, workspace));
    boundary.private = vec![PrivateRoot { path: "/home/nobody".into(), backing: Backing::Memory, origin: origin() }];
    for link in ["/lib", "/lib64"].map(PathBuf::from) {
        if let Ok(target) = std::fs::read_link(&link) {
            let leads_to = link.canonicalize().unwrap();
            boundary.aliases.push(bailiwick_policy::boundary::Alias { at: link, target, leads_to });
        }
    }
    let allow = |host: &&str| Ruled { value: HostRule::read(host).unwrap(), origin: origin() };
    boundary.network.allow = hosts.iter().map(allow).collect();
    boundary.limits.time = Some(Duration::from_secs(60));
    boundary
}

/// The process that supervises a run: what happens goes to stderr, a line each.
pub(crate) fn supervise(name: &str) {
    let stub = TESTS.iter().find(|test| test.name == name).unwrap().stub;
    let hosts: &[&str] = if name == "offline" { &[] } else { &["example.org:443", "db.example.org:5432"] };
    let workspace = PathBuf::from(std::env::var_os("WORKSPACE").unwrap());
    let program = std::env::current_exe().unwrap().canonicalize().unwrap();
    let command =
        api::Command { argv: vec![program.into(), "inside".into(), name.into()], directory: workspace.clone() };
    let settings = Settings { quarantine: workspace.join("../q"), journal: workspace.join("../j/1") };
    // In the run without hosts the keeper is not asked.
    let keeper =
        if name == "nobody" { None } else { Some(Box::new(stub.unwrap_or(Stub::Panics)) as Box<dyn Gatekeeper>) };
    let mut tell = |event: &Event| match event {
        Event::Network { record } => eprintln!("told {}", String::from_utf8_lossy(record)),
        other => eprintln!("event {other:?}"),
    };
    let boundary = boundary(&workspace, hosts);
    std::os::unix::fs::symlink("/does/not/exist", workspace.join("link")).unwrap();
    // A program of the host that listens in the workspace, which the inside must not reach.
    let _listener = UnixListener::bind(workspace.join("socket")).unwrap();
    let given = Given { blank: None, gatekeeper: keeper };
    let outcome = run(&boundary, Tier::Namespaces, &Facts::quick(), &command, &settings, given, &mut tell);
    match outcome {
        Ok(Outcome::Exited { status: 0 }) => {}
        Ok(other) => eprintln!("outcome {other:?}"),
        Err(error) => eprintln!("error {error}"),
    }
}

fn supervisor(name: &str, place: &Place) -> Command {
    let workspace = place.0.join("w");
    std::fs::create_dir_all(&workspace).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["supervise", name]).env("WORKSPACE", workspace).stdin(Stdio::null());
    // A group of its own: what is left of a failed test does not get the signals of the others.
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a run printed inside, and what was told outside.
fn outcome(name: &str) -> (String, String) {
    let place = Place::new(name);
    let output = supervisor(name, &place).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (inside, outside) = (text(output.stdout), text(output.stderr));
    println!("inside:\n{inside}outside:\n{outside}");
    (inside, outside)
}

fn has_ipv6() -> bool {
    Path::new("/proc/net/if_inet6").exists()
}

fn connects(name: &str) {
    let (inside, outside) = outcome(name);
    let mut expected = vec![
        "203.0.113.7:5432 listener 203.0.113.7:5432",
        "10.0.0.1:443 listener 10.0.0.1:443",
        "198.19.0.5:443 listener 198.19.0.5:443",
        "names by tcp names 9.9.9.9:53",
        "198.18.0.1:3128 http 198.18.0.1:3128",
        "198.18.0.1:1080 socks 198.18.0.1:1080",
        "a proxy's port elsewhere ConnectionRefused",
        "own port mine",
        "datagram names who",
        "another datagram Err(ConnectionRefused)",
    ];
    if has_ipv6() {
        expected.extend([
            "[2001:db8::7]:443 listener [2001:db8::7]:443",
            "another port ConnectionRefused, ConnectionRefused",
        ]);
    }
    // A listener for both versions says the addresses of the older one in the form of the newer.
    let inside = inside.replace("::ffff:", "").replace(['[', ']'], "");
    for line in expected {
        let line = line.replace(['[', ']'], "");
        assert!(inside.lines().any(|found| found == line), "`{line}` is missing in:\n{inside}");
    }
    assert!(outside.contains("told last words"), "{outside}");
}

fn files(name: &str) {
    let (inside, _) = outcome(name);
    assert!(inside.contains("nameserver 198.18.0.1\nsearch .\nchanged: false, removed: false"), "{inside}");
    assert!(inside.contains("127.0.0.1 localhost\n"), "{inside}");
    assert!(
        inside.contains("bundle of 9000 bytes\nGATE=here\nlink: over a link, absent: true\nlocalhost: true"),
        "{inside}"
    );
    let host = std::fs::read_to_string("/etc/resolv.conf").unwrap();
    assert!(!host.contains("198.18.0.1"), "the host's file is untouched");
}

fn packets(name: &str) {
    let (inside, outside) = outcome(name);
    assert!(inside.contains("ConnectionRefused"), "{inside}");
    assert!(outside.contains("told packet 6 203.0.113.7 22\n"), "{outside}");
    assert!(outside.contains("told packet 17 203.0.113.7 443\n"), "{outside}");
    if has_ipv6() {
        assert!(outside.contains("told packet 6 2001:db8::7 23\n"), "{outside}");
    }
    assert_eq!(outside.matches("203.0.113.7 22").count(), 1, "the refusal is no attempt: {outside}");
}

fn sockets_are_covered_before_the_command_starts(name: &str) {
    let (inside, outside) = outcome(name);
    assert!(inside.contains("socket false\n203.0.113.7:443 listener"), "{inside}");
    assert!(outside.contains("told last words"), "{outside}");
}

fn offline(name: &str) {
    let (inside, outside) = outcome(name);
    assert!(inside.contains("interfaces: lo\nGATE=\n"), "{inside}");
    assert!(inside.starts_with("NetworkUnreachable, "), "{inside}");
    assert_eq!(outside, "");
}

fn outlives_the_gate(name: &str) {
    let (inside, outside) = outcome(name);
    assert!(inside.contains("then refused: true\nstill here"), "{inside}");
    assert!(outside.contains("event NetworkLost { why: \"asked to\" }"), "{outside}");
    assert!(!outside.contains("outcome") && !outside.contains("error"), "{outside}");
}

fn the_gate_dies_with_the_supervisor(name: &str) {
    let place = Place::new(name);
    let mut supervisor = supervisor(name, &place).spawn().unwrap();
    let mut told = BufReader::new(supervisor.stderr.take().unwrap()).lines();
    let pid = told.find_map(|line| line.unwrap().strip_prefix("told pid ").map(str::to_owned)).unwrap();
    let mut inside = BufReader::new(supervisor.stdout.take().unwrap());
    let mut line = String::new();
    inside.read_line(&mut line).unwrap();
    assert!(line.contains("listener"), "{line}");
    let alive = || Path::new("/proc").join(&pid).exists();
    assert!(alive());
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
    // The end of the inside's output is the end of the tree.
    inside.read_to_string(&mut line).unwrap();
    let gone = (0..2000).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        let state = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        !alive() || state.contains("State:\tZ")
    });
    assert!(gone, "the gate lives on");
}

fn a_gate_that_refuses(name: &str) {
    let (inside, outside) = outcome(name);
    assert_eq!(inside, "");
    assert!(
        outside.starts_with("error the network gate did not start: no authority\\u{1b}[31m; nothing has run"),
        "{outside}"
    );
}

fn a_gate_that_dies(name: &str) {
    let (inside, outside) = outcome(name);
    assert_eq!(inside, "");
    assert!(outside.contains("error the network gate did not start: it ended without a word"), "{outside}");
}

fn a_gate_that_panics(name: &str) {
    let (inside, outside) = outcome(name);
    assert_eq!(inside, "");
    assert!(outside.contains("error the network gate did not start: the gate has panicked"), "{outside}");
}

fn the_gate_is_confined(name: &str) {
    let (inside, outside) = outcome(name);
    assert_eq!(inside, "ran\n");
    assert!(outside.contains("starts no programs"), "{outside}");
    if bailiwick_linux::landlock::abi().0 > 0 {
        assert!(outside.contains("opens /etc/hosts, is kept from /usr/bin/env"), "{outside}");
        assert!(outside.contains("status unseen"), "{outside}");
    }
    // Three standard ones, six sockets, the line twice, the line to ask by, and the packet socket twice, where there is one.
    assert!(outside.contains(" 14 descriptors") || outside.contains(" 12 descriptors"), "{outside}");
}

fn hosts_without_a_gate(name: &str) {
    let (inside, outside) = outcome(name);
    assert_eq!(inside, "");
    assert!(outside.starts_with("error the policy allows hosts, but this program brings no network gate"), "{outside}");
}
