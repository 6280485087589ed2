//! Coverage-guided fuzzing of every parser that reads hostile bytes: the targets of `fuzz/`, on the stable toolchain.
//!
//! libFuzzer and the compiler's own coverage instrumentation; no sanitizer, for those need a nightly compiler, and what is fuzzed
//! is safe code whose assertions and overflow checks are on.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use bailiwick_policy::text::escape;

use crate::project;
use crate::shell::{self, Doing, Failure};

/// Instruments every crate of the build: edges, counted in eight bits, and the operands of comparisons.
const INSTRUMENTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table --cfg fuzzing";

/// How long each target runs as a test.
const TEST: Duration = Duration::from_secs(2);

/// How long each target runs when a person asks for it and says no time.
const ALONE: Duration = Duration::from_secs(60);

/// The most that one input may take, in seconds, and that a target may hold, in MiB.
const BOUNDS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=512"];

/// How a run is made.
struct Settings {
    time: Duration,
    /// As a test: the same start every time, from the committed inputs alone.
    is_test: bool,
}

/// What came of one target.
struct Outcome {
    target: String,
    result: Result<Figures, Failure>,
}

/// What libFuzzer says at the end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    executions: u64,
    per_second: u64,
    /// Edges of the code that were taken.
    edges: u64,
    /// Inputs worth keeping.
    inputs: u64,
}

/// `cargo xtask fuzz [TARGET…] [--seconds N]`
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, Failure> {
    let mut wanted = Vec::new();
    let mut time = ALONE;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--seconds" {
            let number = arguments.next().and_then(|text| text.parse().ok()).filter(|seconds| *seconds > 0);
            time = Duration::from_secs(number.ok_or_else(|| Failure::new("`--seconds` needs a number"))?);
        } else {
            wanted.push(argument.clone());
        }
    }
    let all = targets()?;
    if let Some(unknown) = wanted.iter().find(|target| !all.contains(target)) {
        return Err(Failure::new(format!("`{unknown}` is no fuzz target; there are {}", all.join(", "))));
    }
    let directory = build()?;
    let targets = if wanted.is_empty() { all } else { wanted };
    println!("{:<20} {:>12} {:>9} {:>7} {:>7}", "target", "executions", "a second", "edges", "inputs");
    let outcomes = run_all(&directory, targets, &Settings { time, is_test: false }, |outcome| match &outcome.result {
        Ok(it) => {
            println!(
                "{:<20} {:>12} {:>9} {:>7} {:>7}",
                outcome.target, it.executions, it.per_second, it.edges, it.inputs
            );
        }
        Err(failure) => println!("{:<20} FAILED\n{failure}", outcome.target),
    });
    let is_well = outcomes.iter().all(|outcome| outcome.result.is_ok());
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs every target for a moment; the failure has the input and how to run it again.
pub(crate) fn check() -> Result<(), Failure> {
    let directory = build()?;
    let settings = Settings { time: TEST, is_test: true };
    let outcomes = run_all(&directory, targets()?, &settings, |_| {});
    let failures: Vec<String> = outcomes
        .iter()
        .filter_map(|outcome| outcome.result.as_ref().err().map(|failure| format!("{}:\n{failure}", outcome.target)))
        .collect();
    if failures.is_empty() { Ok(()) } else { Err(Failure::new(failures.join("\n"))) }
}

/// Why the targets cannot be built here, if so.
pub(crate) fn missing() -> Option<&'static str> {
    let has_compiler = shell::has_program("c++") || shell::has_program("g++");
    (!has_compiler).then_some("libFuzzer is C++, and there is no compiler for it: install g++")
}

/// The package of the targets.
fn home() -> PathBuf {
    project::root().join("fuzz")
}

/// Every target, by name: the files are the list.
fn targets() -> Result<Vec<String>, Failure> {
    let directory = home().join("targets");
    let entries = fs::read_dir(&directory).doing(format!("cannot list {}", directory.display()))?;
    let names = entries.flatten().map(|entry| PathBuf::from(entry.file_name()));
    let mut names: Vec<String> = names
        .filter(|name| name.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|name| name.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// Builds all targets and gives the directory that they are in.
fn build() -> Result<PathBuf, Failure> {
    if let Some(why) = missing() {
        return Err(Failure::new(why));
    }
    let version = shell::text(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or_else(|| Failure::new(format!("`rustc -vV` names no host: {version}")))?;
    let target = project::target().join("fuzz");
    // With a target named, build scripts and macros are built without the instrumentation.
    let mut cargo = project::cargo(["build", "--release", "--quiet", "--target", host]);
    cargo.current_dir(home()).env("CARGO_TARGET_DIR", &target);
    cargo.env("RUSTFLAGS", INSTRUMENTED).env_remove("CARGO_ENCODED_RUSTFLAGS");
    shell::run(&mut cargo)?;
    Ok(target.join(host).join("release"))
}

/// Runs the targets, as many at a time as there are processors, and tells each as it ends.
fn run_all(directory: &Path, targets: Vec<String>, settings: &Settings, tell: impl Fn(&Outcome)) -> Vec<Outcome> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(targets.len().max(1));
    let queue = Mutex::new(VecDeque::from(targets));
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (send, queue) = (send.clone(), &queue);
            scope.spawn(move || {
                // The lock is let go before the target runs.
                while let Some(target) = queue.lock().ok().and_then(|mut queue| queue.pop_front()) {
                    let result = run_one(directory, &target, settings);
                    if send.send(Outcome { target, result }).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        receive.iter().inspect(|outcome| tell(outcome)).collect()
    })
}

/// Runs one target.
fn run_one(directory: &Path, target: &str, settings: &Settings) -> Result<Figures, Failure> {
    let found = project::target().join("fuzz").join(if settings.is_test { "test" } else { "found" }).join(target);
    let artifacts = home().join("artifacts").join(target);
    if settings.is_test && found.exists() {
        fs::remove_dir_all(&found).doing(format!("cannot remove {}", found.display()))?;
    }
    for needed in [&found, &artifacts] {
        fs::create_dir_all(needed).doing(format!("cannot make {}", needed.display()))?;
    }
    let mut command = Command::new(directory.join(target));
    command.args(BOUNDS).arg(format!("-max_total_time={}", settings.time.as_secs()));
    command.args(["-print_final_stats=1", "-seed=1"].iter().take(if settings.is_test { 2 } else { 1 }));
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    // The first directory is where new inputs go; the others are read.
    command.arg(found);
    let committed = ["corpus", "regressions"].map(|kind| home().join(kind).join(target));
    command.args(committed.iter().filter(|directory| directory.is_dir()));
    let output = command.output().doing(format!("cannot start the fuzz target {target}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { figures(&said) } else { Err(Failure::new(last_words(target, &said))) }
}

/// Reads `#123 DONE cov: 45 ft: 67 corp: 8/9b … exec/s: 10 …`.
fn figures(said: &str) -> Result<Figures, Failure> {
    let line = said.lines().rev().find(|line| line.contains("DONE")).unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |name: &str| {
        let at = words.iter().position(|word| *word == name)?;
        words.get(at + 1)?.split('/').next()?.parse().ok()
    };
    let executions = words.first().and_then(|word| word.strip_prefix('#')).and_then(|number| number.parse().ok());
    match (executions, after("cov:"), after("exec/s:"), after("corp:")) {
        (Some(executions), Some(edges), Some(per_second), Some(inputs)) if edges > 0 => {
            Ok(Figures { executions, per_second, edges, inputs })
        }
        _ => Err(Failure::new(format!("libFuzzer did not say how much it covered: `{line}`"))),
    }
}

/// What a target said when it failed: the panic, and where the input is kept.
fn last_words(target: &str, said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    let start = lines.iter().position(|line| line.contains("panicked at") || line.contains("ERROR: libFuzzer"));
    let panic = lines.get(start.unwrap_or(0)..).unwrap_or_default().iter().take(6);
    let kept = lines.iter().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path);
    let mut words: Vec<String> = panic.map(|line| format!("  {}", escape(line.as_ref()))).collect();
    words.push(match kept {
        Some(path) => format!(
            "  the input: {path}\n  once it is mended, keep the input as fuzz/regressions/{target}/NAME, which every run begins with"
        ),
        None => "  no input was kept".to_owned(),
    });
    words.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_the_last_line() {
        let said = "#2\tINITED cov: 1 ft: 2 corp: 1/1b exec/s: 0 rss: 27Mb\n\
            #361413\tDONE   cov: 670 ft: 2913 corp: 589/32Kb lim: 738 exec/s: 13385 rss: 29Mb\nDone 361413 runs in 26 second(s)\n";
        let expected = Figures { executions: 361_413, per_second: 13_385, edges: 670, inputs: 589 };
        assert_eq!(figures(said).unwrap(), expected);
        // Without instrumentation nothing is covered, and nothing was fuzzed.
        assert!(figures("#9\tDONE   cov: 0 ft: 0 corp: 1/1b exec/s: 9 rss: 27Mb").is_err());
        assert!(figures("").is_err());
    }

    #[test]
    fn the_last_words_have_the_panic_and_the_input() {
        let said = "INFO: Seed: 1\nthread 'main' panicked at targets/x.rs:3:5:\nno \x1b[31m\n==12== ERROR: libFuzzer: deadly signal\n\
            artifact_prefix='a/'; Test unit written to a/crash-1\n";
        let words = last_words("x", said);
        assert!(words.contains("panicked at targets/x.rs:3:5:") && words.contains("the input: a/crash-1"), "{words}");
        assert!(!words.contains('\x1b'));
    }
}
