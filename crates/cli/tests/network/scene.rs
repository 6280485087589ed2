//! A scene for one test: a world (home and project) on a "host" with an "Internet" of its own.
//!
//! ```text
//!   bailiwick, controls        servers/internet.py
//!   ┌───────────────┐          ┌──────────────────────────────────┐
//!   │ host          │── veth ──│ every other address: names, web, │
//!   │ 192.0.2.2     │          │ plain TCP, SSH; packets recorded │
//!   └───────────────┘          └──────────────────────────────────┘
//! ```
//!
//! Both are network namespaces. Commands of the test enter the host's. As root no user namespace is made; as an ordinary user
//! one is, and what runs in it is that user without capabilities.

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use super::certificates;
use super::support::world::{PATH, World};
use super::support::{Done, binary, done, skip};

/// The host's own addresses.
pub(crate) const HOST: [&str; 2] = ["192.0.2.2", "2001:db8:ff::2"];

/// Where Debian keeps the certificates that programs trust; in the scene the test authority is among them.
pub(crate) const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The host's own table of names: one that leads to the Internet, one that does not.
const HOSTS_FILE: &str =
    "127.0.0.1 localhost\n::1 localhost\n203.0.113.60 listed.test-host.example\n127.0.0.1 listed.trap.example\n";

/// A world with a network.
#[derive(Debug)]
pub(crate) struct Scene {
    /// Home and project.
    pub(crate) world: World,
    /// Certificates, logs, settings of the servers.
    pub(crate) directory: PathBuf,
    path: Option<PathBuf>,
    host: Child,
    line: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
}

/// The `Scene`, or the end of the test as skipped where there can be none.
macro_rules! scene {
    () => {
        $crate::scene::scene!(with $crate::scene::Equipment::default())
    };
    (with $equipment:expr) => {{
        $crate::support::need!("ip", "unshare", "nsenter", "openssl", "python3");
        if let Err(why) = $crate::scene::possible() {
            $crate::support::skip!("no network namespace can be made here: {why}");
        }
        $crate::scene::Scene::new($equipment)
    }};
}
pub(crate) use scene;

/// What only some tests need and all would pay for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Equipment {
    /// A git repository and package registries.
    pub(crate) registries: bool,
    /// An SSH server; needs `sshd`.
    pub(crate) ssh: bool,
}

/// How to get into new network and mount namespaces: an ordinary user owns a user namespace around them.
fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--propagation", "private"]);
    if !skip::is_root() {
        command.args(["--user", "--map-current-user", "--keep-caps"]);
    }
    command.arg("--");
    command
}

/// Whether this kernel and this user allow it, or what was said.
pub(crate) fn possible() -> Result<(), String> {
    let done = Done::of({
        let mut command = unshare();
        command.arg("true");
        command
    });
    if done.code() == 0 { Ok(()) } else { Err(done.err().trim().to_owned()) }
}

impl Scene {
    /// Sets the scene and waits until everything answers.
    pub(crate) fn new(equipment: Equipment) -> Scene {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory = PathBuf::from(format!("/var/tmp/bwn-{}-{number}", std::process::id()));
        fs::create_dir(&directory).expect("a directory for the network");
        furnish(&directory, equipment);
        let mut host = unshare()
            .args(["python3", &servers("main.py"), &directory.display().to_string()])
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin:/usr/sbin:/sbin"), ("LANG", "C.UTF-8"), ("PYTHONDONTWRITEBYTECODE", "1")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the host");
        let stdin = host.stdin.take().expect("a pipe");
        let stdout = BufReader::new(host.stdout.take().expect("a pipe"));
        let scene = Scene { world: World::new(), directory, path: None, host, line: RefCell::new((stdin, stdout)) };
        assert_eq!(scene.hears(), "ready", "the servers did not start: see above");
        scene
    }

    /// The same scene, where programs are found in this directory first.
    pub(crate) fn path_first(mut self, directory: &Path) -> Scene {
        self.path = Some(directory.to_owned());
        self
    }

    fn hears(&self) -> String {
        let mut line = String::new();
        self.line.borrow_mut().1.read_line(&mut line).expect("the servers' answer");
        line.trim().to_owned()
    }

    /// A command on the host, in the project, with the world's environment. `program` is looked up in the world's `PATH`.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = self.world.bare("nsenter");
        if let Some(path) = &self.path {
            command.env("PATH", format!("{}:{PATH}", path.display()));
        }
        command.args(["--net", "--mount", "--target", &self.host.id().to_string()]);
        if !skip::is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        // Another mount namespace has another working directory.
        command.arg("--").arg("env").arg("-C").arg(&self.world.project).arg(program);
        command
    }

    /// `bailiwick` with these arguments, on the host.
    pub(crate) fn bailiwick(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(binary::bailiwick());
        command.args(arguments);
        command
    }

    /// `bailiwick run OPTIONS -- CMD`, with a report for [`Scene::attempts`].
    pub(crate) fn running(&self, options: &[&str], command: &[&str]) -> Command {
        let report = self.report().display().to_string();
        let _ = fs::remove_file(&report);
        self.bailiwick(&[&["run", "-q", "--report", &report], options, &["--"], command].concat())
    }

    /// Runs a shell script inside; it stops at the first failing command.
    pub(crate) fn inside(&self, options: &[&str], script: &str) -> Done {
        Done::of(self.running(options, &["bash", "-euc", script]))
    }

    /// Runs the same kind of script on the host: the control.
    pub(crate) fn outside(&self, script: &str) -> Done {
        let mut command = self.command("bash");
        command.args(["-euc", script]);
        Done::of(command)
    }

    /// Runs a Python program inside.
    pub(crate) fn python(&self, options: &[&str], program: &str) -> Done {
        Done::of(self.running(options, &["python3", "-c", program]))
    }

    /// Runs a Python program on the host: the control.
    pub(crate) fn python_outside(&self, program: &str) -> Done {
        let mut command = self.command("python3");
        command.args(["-c", program]);
        Done::of(command)
    }

    /// Runs a Python program that prints what an allowed way would bring it, outside and inside: outside it must get there, inside
    /// it must not. Gives what the inside said; what was seen before the inside's run is forgotten.
    #[track_caller]
    pub(crate) fn only_outside(&self, options: &[&str], program: &str) -> Done {
        self.python_outside(program).ok().says("REACHED");
        self.forget();
        let done = self.python(options, program);
        assert!(![125, 126, 127].contains(&done.code()), "nothing ran inside: {done}");
        assert!(!done.both().contains("REACHED"), "got through: {done}");
        done
    }

    /// Writes a profile with this `[network]` table on top of `workspace`, and gives the options that use it.
    pub(crate) fn profile(&self, network: &str) -> [&'static str; 2] {
        let text = format!("extends = [\"workspace\"]\n[network]\n{network}\n");
        self.world.write_home(".config/bailiwick/profiles/test.toml", &text);
        ["--profile", "test"]
    }

    fn report(&self) -> PathBuf {
        self.directory.join("report")
    }

    /// The attempts that the last run reported, as the gate writes them (`host`, `port`, `way`, `result`, …).
    pub(crate) fn attempts(&self) -> Vec<Value> {
        let mut found = Vec::new();
        for line in lines(&self.report()) {
            collect(&line, &mut found);
        }
        found
    }

    /// The attempts that the last run reported for this host, with this result (`allowed`, `refused`, `failed`).
    pub(crate) fn attempts_at(&self, host: &str, result: &str) -> Vec<Value> {
        let fits = |attempt: &Value| attempt["host"] == host && attempt["result"] == result;
        self.attempts().into_iter().filter(fits).collect()
    }

    /// Fails the test unless the last run reported a refusal of this host, with this grant.
    #[track_caller]
    pub(crate) fn refused(&self, host: &str, grant: &str) {
        let found = self.attempts_at(host, "refused");
        assert!(
            found.iter().any(|attempt| attempt["grant"] == grant),
            "no refusal of {host} with {grant}: {:#?}",
            self.attempts()
        );
    }

    /// Waits until the Internet has taken note of everything that was sent to it, then gives what it wrote down.
    pub(crate) fn seen(&self) -> Seen {
        self.line.borrow_mut().0.write_all(b"settle\n").expect("a question to the servers");
        assert_eq!(self.hears(), "settled", "connections to the servers are still open: who holds them?");
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mark = format!("settled-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.outside(&format!("printf %s {mark}- > /dev/udp/203.0.113.250/9")).ok();
        let frames = self.directory.join("frames");
        done::until("the last packet is written down", || contains(&read(&frames), format!("{mark}-").as_bytes()));
        Seen {
            frames: read(&frames),
            packets: lines(&self.directory.join("packets.log")),
            world: lines(&self.directory.join("world.log")),
            host: lines(&self.directory.join("host.log")),
        }
    }

    /// Forgets what was seen so far, so that the next look is at what comes after.
    pub(crate) fn forget(&self) {
        self.seen();
        for file in ["frames", "packets.log", "world.log", "host.log"] {
            // The servers append, so what they write next stands at the beginning.
            fs::File::options().write(true).open(self.directory.join(file)).and_then(|f| f.set_len(0)).expect("a log");
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // Everything else of the scene dies with it.
        let _ = self.host.kill();
        let _ = self.host.wait();
        if std::thread::panicking() && std::env::var_os("BAILIWICK_KEEP").is_some() {
            eprintln!("kept for looking at: {}", self.directory.display());
            return;
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// What the servers have written down.
#[derive(Debug)]
pub(crate) struct Seen {
    frames: Vec<u8>,
    /// One for each packet from the host.
    pub(crate) packets: Vec<Value>,
    /// What services of the Internet saw.
    pub(crate) world: Vec<Value>,
    /// What services of the host itself saw.
    pub(crate) host: Vec<Value>,
}

impl Seen {
    /// Whether these bytes were in any packet, whatever its protocol.
    pub(crate) fn on_the_wire(&self, bytes: &[u8]) -> bool {
        contains(&self.frames, bytes)
    }

    /// The names that were asked for at name servers.
    pub(crate) fn names(&self) -> Vec<String> {
        let asked = self.world.iter().filter(|line| line["kind"] == "dns");
        asked.map(|line| line["name"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The HTTP requests, of any server of the Internet.
    pub(crate) fn requests(&self) -> Vec<&Value> {
        self.world.iter().filter(|line| line["kind"] == "http").collect()
    }

    /// The addresses and ports that the host tried to reach by TCP, and by anything else.
    pub(crate) fn targets(&self) -> Vec<String> {
        let packets = self.packets.iter().filter(|line| line["protocol"] != "tcp" || line["new"] == true);
        let mut targets: Vec<String> = packets
            .map(|line| format!("{} {}:{}", text(&line["protocol"]), text(&line["to"]), line["port"]))
            .filter(|target| !target.ends_with(" 203.0.113.250:9"))
            .collect();
        targets.sort();
        targets.dedup();
        targets
    }
}

/// The value of a header of a logged request.
pub(crate) fn header(request: &Value, name: &str) -> Option<String> {
    let headers = request["headers"].as_array()?;
    let found = headers.iter().find(|pair| text(&pair[0]).eq_ignore_ascii_case(name))?;
    Some(text(&found[1]))
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn furnish(directory: &Path, equipment: Equipment) {
    fs::write(directory.join("resolv.conf"), "nameserver 203.0.113.53\n").expect("resolv.conf");
    fs::write(directory.join("hosts"), HOSTS_FILE).expect("hosts");
    fs::copy(servers("zone.json"), directory.join("zone.json")).expect("the zone");
    certificates::make(directory);
    if equipment.registries {
        let root = directory.join("fixtures");
        fs::create_dir(&root).expect("fixtures");
        Done::of(python(&[&servers("fixtures.py"), &root.display().to_string()])).ok();
    }
    if equipment.ssh {
        certificates::ssh(directory);
    }
}

fn python(arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.args(arguments).env("PATH", "/usr/bin:/bin").env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn servers(file: &str) -> String {
    let manifest = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    format!("{manifest}/tests/network/servers/{file}")
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_default()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = read(path);
    text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Attempts stand somewhere in the lines of a report: objects with a host, a port and a way.
fn collect(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(map) if ["host", "port", "way"].iter().all(|key| map.contains_key(*key)) => {
            found.push(value.clone())
        }
        Value::Object(map) => map.values().for_each(|value| collect(value, found)),
        Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}
