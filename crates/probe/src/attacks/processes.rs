//! Seeing, signalling and opening processes outside. The decoy is a process of the same user.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::os::unix::process::parent_id;

use bailiwick_policy::guarantee::Guarantee::ProcessesHidden;

use crate::attack::{Attack, Proof};
use crate::outcome::Outcome;
use crate::stage::Stage;
use crate::sys::process;

const fn affects(name: &'static str, summary: &'static str, run: fn(&Stage) -> Outcome) -> Attack {
    Attack::new(name, ProcessesHidden, Proof::Process, summary, run)
}

const fn learns(name: &'static str, summary: &'static str, run: fn(&Stage) -> Outcome) -> Attack {
    Attack::new(name, ProcessesHidden, Proof::Secret, summary, run)
}

/// Where a policy of the machine (Yama) lets only parents trace.
const TRACING: &str = "a host where a process of the same user may be traced";

/// A file of every process that /proc shows, one after another.
fn of_every_process(file: &str) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    let own = std::process::id().to_string();
    for entry in fs::read_dir("/proc")?.flatten() {
        let name = entry.file_name();
        let is_process = name.as_encoded_bytes().iter().all(u8::is_ascii_digit);
        // The decoys of the environment are in our own; what counts here is another process.
        if is_process && name != *own {
            all.extend(fs::read(entry.path().join(file)).unwrap_or_default());
        }
    }
    // Only what looks like a secret of the stage, to keep the report short.
    let text = String::from_utf8_lossy(&all);
    let found: Vec<&str> = text.split(['\0', ' ', '=', '\n']).filter(|word| word.starts_with("secret-")).collect();
    if found.is_empty() { Err(io::Error::from_raw_os_error(libc::ESRCH)) } else { Ok(found.join(" ").into_bytes()) }
}

fn of_decoy(stage: &Stage, file: &str) -> String {
    format!("/proc/{}/{file}", stage.decoy.pid)
}

fn memory(path: &str, stage: &Stage) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; stage.decoy.length];
    File::open(path)?.read_exact_at(&mut bytes, stage.decoy.address)?;
    Ok(bytes)
}

/// Attaches and reads memory as a tracer.
fn trace(stage: &Stage) -> io::Result<Vec<u8>> {
    process::seize(stage.decoy.pid)?;
    memory(&of_decoy(stage, "mem"), stage)
}

/// Takes the decoy's standard input, a secret file.
fn steal_descriptor(stage: &Stage) -> io::Result<Vec<u8>> {
    let decoy = process::pidfd_open(stage.decoy.pid)?;
    let stolen = File::from(process::pidfd_getfd(decoy.as_fd(), 0)?);
    let mut bytes = vec![0; 256];
    let got = stolen.read_at(&mut bytes, 0)?;
    bytes.truncate(got);
    Ok(bytes)
}

fn signal_by_pidfd(stage: &Stage) -> io::Result<()> {
    let decoy = process::pidfd_open(stage.decoy.pid)?;
    process::pidfd_send_signal(decoy.as_fd(), libc::SIGKILL)
}

pub(super) const ATTACKS: &[Attack] = &[
    affects("kill", "SIGKILL to a process outside", |s| Outcome::of("kill", process::kill(s.decoy.pid, libc::SIGKILL))),
    affects("kill-group", "SIGKILL to a process group outside", |s| {
        Outcome::of("kill", process::kill(-s.decoy.pid, libc::SIGKILL))
    }),
    affects("stop", "SIGSTOP to a process outside", |s| Outcome::of("kill", process::kill(s.decoy.pid, libc::SIGSTOP))),
    affects("queue-signal", "sigqueue(3) to a process outside", |s| {
        Outcome::of("sigqueue", process::queue_signal(s.decoy.pid, libc::SIGTERM))
    }),
    affects("pidfd-signal", "pidfd_open(2) and pidfd_send_signal(2)", |s| {
        Outcome::of("pidfd_send_signal", signal_by_pidfd(s))
    }),
    affects("limit", "prlimit(2) takes descriptors away from a process outside", |s| {
        Outcome::of("prlimit", process::limit_open_files_of(s.decoy.pid, 32))
    }),
    affects("slow-down", "setpriority(2) of a process outside", |s| {
        Outcome::of("setpriority", process::set_priority_of(s.decoy.pid, 19))
    }),
    affects("offer-to-killer", "write oom_score_adj of a process outside", |s| {
        Outcome::of("oom_score_adj", fs::write(of_decoy(s, "oom_score_adj"), "1000"))
    }),
    learns("list-command-lines", "command lines of other processes, where people write passwords", |_| {
        Outcome::of_read("cmdline", of_every_process("cmdline"))
    }),
    learns("list-environments", "environments of other processes: tokens of the shell that started all", |_| {
        Outcome::of_read("environ", of_every_process("environ"))
    }),
    learns("read-descriptor", "open a file of another process by /proc/PID/fd", |s| {
        let mut bytes = Vec::new();
        let attempt = File::open(of_decoy(s, "fd/0")).and_then(|mut file| file.read_to_end(&mut bytes));
        Outcome::of_read("fd/0", attempt.map(|_| bytes))
    })
    .unless(TRACING),
    learns("steal-descriptor", "pidfd_getfd(2) takes an open file from another process", |s| {
        Outcome::of_read("pidfd_getfd", steal_descriptor(s))
    })
    .unless(TRACING),
    learns("read-memory", "process_vm_readv(2) of another process", |s| {
        Outcome::of_read("memory", process::read_memory(s.decoy.pid, s.decoy.address, s.decoy.length))
    })
    .unless(TRACING),
    learns("read-memory-file", "/proc/PID/mem of another process", |s| {
        Outcome::of_read("mem", memory(&of_decoy(s, "mem"), s))
    })
    .unless(TRACING),
    learns("trace", "ptrace(2) attaches to another process", |s| Outcome::of_read("ptrace", trace(s))).unless(TRACING),
    Attack::new(
        "open-parent-memory",
        ProcessesHidden,
        Proof::Answer,
        "the parent is the supervisor or its init: whoever writes its memory is outside",
        |_| Outcome::of("mem", OpenOptions::new().read(true).write(true).open(format!("/proc/{}/mem", parent_id()))),
    )
    .unless(TRACING),
];
