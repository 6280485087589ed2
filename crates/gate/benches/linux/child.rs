//! The gate as a process of its own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::process::{ChildStdin, Command, Stdio};
use std::time::Duration;

use bailiwick_gate::{Config, Sockets, Stop, serve as serve_gate};
use bailiwick_policy::boundary::Network;
use bailiwick_policy::host_rule::HostRule;
use bailiwick_policy::origin::{Layer, Origin, Source};
use bailiwick_policy::policy::Ruled;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The variable that makes this program the gate: the ports of the servers.
pub(crate) const MODE: &str = "BAILIWICK_BENCH_GATE";

/// The gate's process, from outside.
pub(crate) struct Child {
    child: std::process::Child,
    doors: BTreeMap<u16, SocketAddr>,
    _line: ChildStdin,
}

impl Child {
    /// Starts it, with a door for each of these servers.
    pub(crate) fn start(servers: &[u16]) -> Child {
        let ports: Vec<String> = servers.iter().map(u16::to_string).collect();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(MODE, ports.join(","))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let line = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let doors = lines.take(servers.len()).map(|line| {
            let line = line.unwrap();
            let (server, door) = line.split_once(' ').unwrap();
            (server.parse().unwrap(), door.parse().unwrap())
        });
        Child { doors: doors.collect(), child, _line: line }
    }

    /// The door to this server.
    pub(crate) fn door(&self, server: u16) -> SocketAddr {
        self.doors[&server]
    }

    /// Resident memory: all, and what is the process's own.
    pub(crate) fn memory(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
        };
        format!("{:.1} MB resident, {:.1} MB of it its own", field("VmRSS:"), field("RssAnon:"))
    }

    /// Waits until only few descriptors are open: connections that ended outside end in the gate too.
    pub(crate) fn settle(&self) {
        let open = || std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count();
        for _ in 0..300 {
            if open() < 450 {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        println!("  {} descriptors are still open", open());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is the gate, until the standard input is closed.
pub(crate) fn serve(ports: OsString) {
    let ports: Vec<u16> = ports.to_str().unwrap().split(',').map(|port| port.parse().unwrap()).collect();
    let mut network = Network::default();
    let mut sockets = Sockets::default();
    let mut out = std::io::stdout();
    for port in ports {
        let origin =
            Origin { layer: Layer::CommandLine, source: Source::Option("--allow-host".to_owned()), line: None };
        network.allow.push(Ruled { value: HostRule::parse(&format!("127.0.0.1:{port}")).unwrap(), origin });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        writeln!(out, "{port} {}", listener.local_addr().unwrap()).unwrap();
        sockets.listeners.push((port, listener));
    }
    let stop = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    serve_gate(Config::new(network), sockets, |_attempt| {}, || {}, Stop::when_readable(stop)).unwrap();
}

/// Thousands of connections need thousands of descriptors.
pub(crate) fn raise_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}
