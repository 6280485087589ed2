//! Work inside against the same work bare.
//!
//! The launch is measured elsewhere. Here a small timer runs on both sides and starts the work there, so that only
//! what the boundary does to running work is seen.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use super::fixture::Fixture;
use super::sample::{Sample, timed};
use super::table::{Budget, Table};
use crate::shell::{self, Doing, Failure};

/// The word that makes the bench a timer: `bench WORD COUNT PREPARE COMMAND…`.
pub(crate) const INSIDE: &str = "--time-here";

/// How often both sides change places.
const BATCHES: usize = 8;

struct Work {
    name: &'static str,
    directory: PathBuf,
    /// A shell command before each run, not measured.
    prepare: &'static str,
    command: Vec<String>,
    /// Runs in one batch.
    count: usize,
}

/// `cargo build`, `git status`, the start of node.
pub(crate) fn work(fixture: &Fixture, table: &mut Table) -> Result<(), Failure> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let sysroot = PathBuf::from(shell::text(Command::new("rustc").args(["--print", "sysroot"]))?);
    let bin = sysroot.join("bin");
    let cargo = format!("PATH={}:$PATH exec cargo build --offline --quiet", bin.display());
    let all = [
        Work {
            name: "git status, 5,000 files",
            directory: fixture.repository()?,
            prepare: "",
            command: words(&["git", "status", "--porcelain"]),
            count: 25,
        },
        Work {
            name: "node -e 0",
            directory: fixture.small(),
            prepare: "",
            command: words(&["node", "-e", "0"]),
            count: 15,
        },
        Work {
            name: "cargo build of a small crate",
            directory: fixture.krate()?,
            prepare: "rm -rf target",
            command: words(&["sh", "-c", &cargo]),
            count: 3,
        },
    ];
    // The timer must be readable inside, wherever cargo has put it.
    let timer = fixture.scratch("timer")?.join("xtask");
    let myself = std::env::current_exe().doing("cannot find this program")?;
    std::fs::copy(myself, &timer).doing(format!("cannot copy the timer to {}", timer.display()))?;
    for work in &all {
        if work.command.first().is_some_and(|program| !shell::has_program(program)) {
            table.note(format!("work: {} skipped, since the program is not installed", work.name));
            continue;
        }
        measure(fixture, table, work, &timer, &sysroot)?;
    }
    Ok(())
}

fn measure(fixture: &Fixture, table: &mut Table, work: &Work, timer: &Path, sysroot: &Path) -> Result<(), Failure> {
    let (mut bare, mut inside) = (Vec::new(), Vec::new());
    let count = work.count.to_string();
    let timer = timer.to_string_lossy();
    let mut line = vec![&*timer, "bench", INSIDE, &count, work.prepare];
    line.extend(work.command.iter().map(String::as_str));
    let grants = ["--read", &*timer, "--read", &sysroot.to_string_lossy()];
    for batch in 0..=BATCHES {
        let [program, arguments @ ..] = line.as_slice() else { continue };
        let outside = times(fixture.bare(&work.directory, program).args(arguments))?;
        let within = times(&mut fixture.run(&work.directory, &grants, &line))?;
        // The first batch warms the caches.
        if batch > 0 {
            bare.extend(outside);
            inside.extend(within);
        }
    }
    let (bare, inside) = (Sample::of(bare), Sample::of(inside));
    table.time("work", &format!("{}, bare", work.name), &bare);
    table.compare("work", &format!("{}, inside", work.name), &inside, Some(("bare", &bare)), Budget::Ratio(1.03));
    Ok(())
}

fn times(command: &mut Command) -> Result<Vec<Duration>, Failure> {
    let text = shell::text(command)?;
    let number = |line: &str| line.parse().map(Duration::from_nanos).doing("the timer answered strangely");
    text.lines().map(number).collect()
}

/// The timer: runs the work several times and prints each time in nanoseconds.
pub(crate) fn inside(arguments: &[String]) -> Result<ExitCode, Failure> {
    let [count, prepare, program, rest @ ..] = arguments else {
        return Err(Failure::new("the timer needs a count, a preparation and a command"));
    };
    let count: usize = count.parse().doing("the timer's count")?;
    for _ in 0..count {
        if !prepare.is_empty() {
            shell::output(Command::new("sh").args(["-c", prepare]))?;
        }
        println!("{}", timed(Command::new(program).args(rest))?.as_nanos());
    }
    Ok(ExitCode::SUCCESS)
}
