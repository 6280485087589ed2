//! Staying alive after the run. A survivor holds a lock in the workspace; the harness asks the kernel who holds it.

use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use bailiwick_policy::guarantee::Guarantee::TreeDies;

use crate::attack::{Attack, Proof};
use crate::outcome::{Outcome, error_name};
use crate::stage::Stage;
use crate::sys::{file, process};

/// Name of the lock file in the workspace.
pub(crate) const LOCK: &str = "alive";
/// A survivor that nobody kills ends by itself after this time.
const LIFE: Duration = Duration::from_secs(60);

const fn survives(name: &'static str, summary: &'static str, run: fn(&Stage) -> Outcome) -> Attack {
    Attack::new(name, TreeDies, Proof::Survivor, summary, run)
}

/// What a survivor does before it takes the lock.
type Prepare = fn() -> io::Result<()>;

fn open_lock(stage: &Stage) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(stage.at(LOCK))
}

/// The survivor: takes the lock, says so, and stays.
fn stay(stage: &Stage, mut ready: PipeWriter, prepare: Prepare, stop: bool) -> ! {
    let lock = prepare().and_then(|()| open_lock(stage)).and_then(|lock| file::take_lock(&lock).map(|()| lock));
    if lock.is_ok() && ready.write_all(b"1").is_ok() {
        drop(ready);
        if stop {
            // Nobody continues it; only SIGKILL ends a stopped process.
            let _ = process::kill(std::process::id() as i32, libc::SIGSTOP);
        }
        let born = Instant::now();
        while born.elapsed() < LIFE {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    process::exit_now(0)
}

/// Whether a survivor said that it holds the lock.
fn is_ready(mut ready: PipeReader) -> Outcome {
    let mut byte = [0; 1];
    match ready.read_exact(&mut byte) {
        Ok(()) => Outcome::breached("a survivor is in place"),
        Err(error) => Outcome::held(format!("no survivor: {}", error_name(&error))),
    }
}

/// Leaves a survivor behind, `generations` forks away.
fn leave(stage: &Stage, generations: u32, prepare: Prepare, stop: bool) -> Outcome {
    let (reader, writer) = match io::pipe() {
        Ok(ends) => ends,
        Err(error) => return Outcome::held(format!("pipe: {}", error_name(&error))),
    };
    match process::fork() {
        Ok(0) => {
            drop(reader);
            for _ in 1..generations {
                match process::fork() {
                    Ok(0) => {}
                    _ => process::exit_now(0),
                }
            }
            stay(stage, writer, prepare, stop)
        }
        Ok(_) => {
            drop(writer);
            is_ready(reader)
        }
        Err(error) => Outcome::held(format!("fork: {}", error_name(&error))),
    }
}

fn nothing() -> io::Result<()> {
    Ok(())
}

fn ignore_signals() -> io::Result<()> {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGPIPE, libc::SIGUSR1] {
        process::ignore(signal);
    }
    Ok(())
}

/// Leaves a survivor, then waits for the harness to kill the launcher.
fn leave_and_wait(stage: &Stage) -> Outcome {
    let left = leave(stage, 2, process::new_session, false);
    if matches!(left, Outcome::Breached { .. }) {
        std::thread::sleep(LIFE);
    }
    left
}

pub(super) const ATTACKS: &[Attack] = &[
    survives("survive-child", "a child that is simply left behind", |s| leave(s, 1, nothing, false)),
    survives("survive-daemon", "a daemon: forked twice, in a session of its own", |s| {
        leave(s, 2, process::new_session, false)
    }),
    survives("survive-deaf", "a daemon that ignores every signal that can be ignored", |s| {
        leave(s, 2, || process::new_session().and_then(|()| ignore_signals()), false)
    }),
    survives("survive-stopped", "a stopped process, which acts on no signal but SIGKILL", |s| {
        leave(s, 2, process::new_session, true)
    }),
    survives("survive-parent-death", "a daemon that clears its parent-death signal and takes orphans in", |s| {
        leave(
            s,
            2,
            || {
                process::set_parent_death_signal(0)?;
                process::become_subreaper()?;
                process::new_session()
            },
            false,
        )
    }),
    survives("survive-depth", "a survivor thirty generations away, whose ancestors are gone", |s| {
        leave(s, 30, process::new_session, false)
    }),
    Attack::new(
        "survive-kill",
        TreeDies,
        Proof::SurvivorOfKill,
        "the launcher is killed with SIGKILL in the middle of the run",
        leave_and_wait,
    ),
];
