//! Taking more than was given. Only where the stage has limits.

use std::fs::File;
use std::io;

use bailiwick_policy::guarantee::Guarantee::LimitsHeld;

use crate::attack::{Attack, Proof};
use crate::outcome::Outcome;
use crate::stage::{Stage, StageLimits};
use crate::sys::process;

/// Name of the file in the workspace that grows.
pub(crate) const GROWN: &str = "grown";

/// Runs the attempt against the limits, where there are any.
fn against(stage: &Stage, attempt: impl FnOnce(StageLimits) -> io::Result<()>) -> Outcome {
    match stage.limits {
        Some(limits) => Outcome::of("more than the limit", attempt(limits)),
        None => Outcome::inapplicable("the run has no limits"),
    }
}

/// Starts more children than the limit allows, all alive at once.
fn multiply(processes: u64) -> io::Result<()> {
    let (mut children, mut end) = (Vec::new(), Ok(()));
    for _ in 0..processes.saturating_add(8) {
        match process::fork() {
            Ok(0) => loop {
                std::thread::sleep(std::time::Duration::from_secs(1));
            },
            Ok(child) => children.push(child),
            Err(error) => {
                end = Err(error);
                break;
            }
        }
    }
    for child in children {
        let _ = process::kill(child, libc::SIGKILL);
        let _ = process::wait(child);
    }
    end
}

fn grow(stage: &Stage, limits: StageLimits) -> io::Result<()> {
    // The signal would end the probe before it can report.
    process::ignore(libc::SIGXFSZ);
    File::create(stage.at(GROWN))?.set_len(limits.file_size.saturating_add(1))
}

fn open_many(limits: StageLimits) -> io::Result<()> {
    let count = limits.open_files.saturating_add(8);
    (0..count).map(|_| File::open("/dev/null")).collect::<io::Result<Vec<_>>>().map(drop)
}

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new(
        "limit-processes",
        LimitsHeld,
        Proof::Answer,
        "more processes than allowed: a bounded fork bomb",
        |s| match s.limits.and_then(|limits| limits.processes) {
            Some(processes) => Outcome::of("more than the limit", multiply(processes)),
            None => Outcome::inapplicable("the run has no limit of processes"),
        },
    )
    .unless("a run with a limit of processes, which needs an ordinary user"),
    Attack::new("limit-file-size", LimitsHeld, Proof::Grown, "a file larger than allowed", |s| {
        against(s, |limits| grow(s, limits))
    })
    .unless("a run with limits"),
    Attack::new("limit-memory", LimitsHeld, Proof::Answer, "more address space than allowed", |s| {
        against(s, |limits| process::reserve(usize::try_from(limits.memory).unwrap_or(usize::MAX / 2)))
    })
    .unless("a run with limits"),
    Attack::new("limit-open-files", LimitsHeld, Proof::Answer, "more descriptors than allowed", |s| {
        against(s, open_many)
    })
    .unless("a run with limits"),
];
