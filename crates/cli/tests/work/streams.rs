//! Bytes, exit status, signals, the time limit.

use std::fs::File;
use std::io::Read;

use rustix::process::{Pid, Signal, kill_process};

use super::support::done::{until, wait};
use super::support::{Done, World, processes, skip};

fn random_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).expect("random bytes");
    bytes
}

#[test]
fn a_mebibyte_passes_unchanged() {
    let world = World::new();
    let bytes = random_bytes(1 << 20);
    let done = Done::fed(world.bailiwick(["run", "-q", "--", "cat"]), &bytes).ok();
    assert!(done.stdout == bytes, "{} bytes went in, {} came out, changed", bytes.len(), done.stdout.len());
    assert_eq!(done.err(), "");
}

#[test]
fn standard_error_is_the_commands_own() {
    let world = World::new();
    let done = world.run(&[], &["sh", "-c", "printf out; printf err >&2"]).ok();
    assert_eq!((done.stdout.as_slice(), done.err().as_str()), (b"out".as_slice(), "err"));
}

#[test]
fn input_that_is_not_read_hurts_nobody() {
    let world = World::new();
    Done::fed(world.bailiwick(["run", "-q", "--", "true"]), &random_bytes(1 << 20)).ok();
    Done::fed(world.bailiwick(["run", "-q", "--", "head", "-c", "1"]), &random_bytes(1 << 20)).ok();
}

#[test]
fn output_that_nobody_reads_ends_the_command_as_outside() {
    let world = World::new();
    let bailiwick = super::support::binary::bailiwick();
    let pipe = format!("set -o pipefail; {} run -q -- yes | head -n 1; echo ${{PIPESTATUS[0]}}", bailiwick.display());
    // 141 is 128 + SIGPIPE.
    assert_eq!(world.outside(&pipe.replace("set -o pipefail; ", "")).ok().out(), "y\n141");
}

#[test]
fn the_exit_status_is_the_commands() {
    let world = World::new();
    for status in [0, 1, 2, 42, 100, 255] {
        world.run(&[], &["sh", "-c", &format!("exit {status}")]).ends(status);
    }
}

#[test]
fn a_signal_is_128_and_its_number() {
    let world = World::new();
    for (signal, status) in [("TERM", 143), ("KILL", 137), ("SEGV", 139), ("INT", 130), ("HUP", 129), ("ABRT", 134)] {
        world.run(&[], &["bash", "-c", &format!("ulimit -c 0; kill -{signal} $$; sleep 1000")]).ends(status);
    }
}

#[test]
fn a_command_that_is_not_there_or_not_executable() {
    let world = World::new();
    world.write("plain.txt", "not a program\n");
    world.run(&[], &["no-such-program-4bd1"]).ends(127).says("no-such-program-4bd1");
    world.run(&[], &["./plain.txt"]).ends(126);
    world.run(&[], &["/"]).ends(126);
}

/// What the `landlock` tier lacks for the default profile, taken by name.
const LANDLOCK: [&str; 14] = [
    "--tier",
    "landlock",
    "--accept",
    "metadata-confined",
    "--accept",
    "reads-confined",
    "--accept",
    "names-protected",
    "--accept",
    "sockets-confined",
    "--accept",
    "processes-hidden",
    "--accept",
    "tree-dies",
];

/// Landlock keeps signals to the enclosure from Linux 6.12 on; before, only the command's process group can be ended.
fn landlock_scopes_signals() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(6), Some(12))
}

#[test]
fn a_time_limit_ends_the_tree_without_namespaces_too() {
    if !landlock_scopes_signals() {
        return skip::record("a_time_limit_ends_the_tree_without_namespaces_too", "needs Linux 6.12");
    }
    let world = World::new();
    let mark = processes::mark();
    let script = format!("setsid bash -c 'trap \"\" TERM; exec -a {mark} sleep 1000' & exec sleep 1000");
    let options = [LANDLOCK.as_slice(), &["--timeout", "1s"]].concat();
    world.run(&options, &["bash", "-c", &script]).ends(124);
    until("the tree is gone", || processes::named(&mark).is_empty());
}

#[test]
fn signals_reach_the_command_without_namespaces_too() {
    if !landlock_scopes_signals() {
        return skip::record("signals_reach_the_command_without_namespaces_too", "needs Linux 6.12");
    }
    let world = World::new();
    let mark = processes::mark();
    let script = format!("exec -a {mark} sleep 1000");
    let arguments = [&["run", "-q"], LANDLOCK.as_slice(), &["--", "bash", "-c", &script]].concat();
    let mut child = world.bailiwick(arguments).stdin(std::process::Stdio::null()).spawn().expect("bailiwick");
    until("the command runs", || !processes::named(&mark).is_empty());
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::TERM).expect("SIGTERM");
    assert_eq!(wait(&mut child, "bailiwick").code(), Some(143));
    until("the command is gone", || processes::named(&mark).is_empty());
}

#[test]
fn a_time_limit_ends_the_tree_with_124() {
    let world = World::new();
    let mark = processes::mark();
    let script = format!("bash -c 'trap \"\" TERM; exec -a {mark} sleep 1000' & exec sleep 1000");
    world.run(&["--timeout", "1s"], &["bash", "-c", &script]).ends(124);
    until("the tree is gone", || processes::named(&mark).is_empty());
    world.run(&["--timeout", "5m"], &["true"]).ok();
}

#[test]
fn signals_to_bailiwick_reach_the_command() {
    let world = World::new();
    for (signal, name) in [(Signal::TERM, "TERM"), (Signal::HUP, "HUP"), (Signal::INT, "INT"), (Signal::USR1, "USR1")] {
        let ready = world.project.join("ready");
        let script = format!("trap 'echo got-{name}; exit 33' {name}; touch ready; while :; do sleep 0.05; done");
        let mut command = world.bailiwick(["run", "-q", "--", "bash", "-c", &script]);
        command.stdout(std::process::Stdio::piped());
        let mut child = command.spawn().expect("bailiwick");
        until("the trap is set", || ready.exists());
        std::fs::remove_file(&ready).expect("remove");
        let id = Pid::from_child(&child);
        kill_process(id, signal).expect("kill");
        let mut said = String::new();
        let status = wait(&mut child, name);
        child.stdout.take().expect("stdout").read_to_string(&mut said).expect("output");
        assert_eq!((status.code(), said.trim()), (Some(33), format!("got-{name}").as_str()));
    }
}

#[test]
fn a_wrong_command_line_is_refused_with_125() {
    let world = World::new();
    for arguments in
        [&["run", "--no-such-option", "--", "true"][..], &["run", "--profile", "no-such", "--", "true"], &["run"]]
    {
        let done = Done::of(world.bailiwick(arguments)).ends(125);
        assert_eq!(done.out(), "", "a refusal leaves standard output to the command: {done}");
        assert!(!done.err().is_empty());
    }
}

#[test]
fn many_runs_at_once_do_not_disturb_one_another() {
    let world = World::new();
    std::thread::scope(|scope| {
        let world = &world;
        let runs: Vec<_> = (0..12)
            .map(|n| scope.spawn(move || world.inside(&format!("echo {n} > file{n}; cat file{n}")).ok().out()))
            .collect();
        for (n, run) in runs.into_iter().enumerate() {
            assert_eq!(run.join().expect("a run"), n.to_string());
        }
    });
}
