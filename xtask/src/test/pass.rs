//! One pass over all test programs as one person.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::place::{Place, Program};
use super::sum::Sum;
use crate::dist::Built;
use crate::shell::{self, Doing, Failure};
use crate::system::User;

/// Whom the tests run as.
#[derive(Debug)]
pub(crate) struct Person {
    /// For people.
    name: String,
    /// Another account than this process's, with the environment of a fresh login.
    account: Option<User>,
}

impl Person {
    /// Whoever runs this.
    pub(crate) fn myself() -> Person {
        Person { name: if shell::is_root() { "root" } else { "this user" }.to_owned(), account: None }
    }

    /// An ordinary user.
    pub(crate) fn user(user: User) -> Person {
        Person { name: user.name.clone(), account: Some(user) }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some(user) = &self.account {
            // The standard library drops root's other groups when it changes the user.
            command.uid(user.uid).gid(user.gid).env_clear();
            let path = format!("{}/.cargo/bin:/usr/local/bin:/usr/bin:/bin", user.home.display());
            command.env("HOME", &user.home).env("PATH", path).env("SHELL", "/bin/bash").env("LANG", "C.UTF-8");
            command.env("USER", &user.name).env("LOGNAME", &user.name).env("RUST_BACKTRACE", "1");
        }
        command
    }
}

/// Runs every program and adds what came of it to the sum.
pub(crate) fn run(sum: &mut Sum, place: &Place, person: &Person, built: &Built, programs: &[Program]) {
    println!("== tests as {}", person.name);
    let skips = match Skips::new(person) {
        Ok(skips) => skips,
        Err(failure) => {
            eprintln!("{failure}");
            return sum.fail(format!("tests as {}", person.name));
        }
    };
    for program in programs {
        // The chores' own tests are the same for everyone.
        if person.account.is_some() && program.name.starts_with("xtask/") {
            continue;
        }
        let mut command = person.command(&program.path);
        command.current_dir(&program.package).stdin(Stdio::null()).stdout(Stdio::piped());
        command.env("CARGO_MANIFEST_DIR", &program.package).env("BAILIWICK_SKIPS", &skips.file);
        command.env("BAILIWICK_BIN", &built.bailiwick).env("BAILIWICK_PROBE", &built.probe);
        // Nobody reviews snapshots here, and the ordinary user could not write them.
        command.env("INSTA_UPDATE", "no").env("INSTA_WORKSPACE_ROOT", &place.source);
        command.env("INSTA_PENDING_DIR", &skips.directory);
        println!("-- {} as {}", program.name, person.name);
        let what = |test: &str| format!("{} {test} as {}", program.name, person.name);
        match outcome(&mut command) {
            Ok(outcome) => count(sum, &outcome, &skips.take(), what),
            Err(failure) => {
                eprintln!("{failure}");
                sum.fail(what("(the whole program)"));
            }
        }
    }
}

fn count(sum: &mut Sum, outcome: &Outcome, skips: &BTreeMap<String, String>, what: impl Fn(&str) -> String) {
    for test in &outcome.failed {
        sum.fail(what(test));
    }
    for test in &outcome.ignored {
        sum.skip(&what(test), "marked to be ignored");
    }
    for (test, why) in skips {
        sum.skip(&what(test), why);
    }
    // A test that skips itself ends well, and libtest takes it for passed. A skip may also name a part of a test.
    sum.pass(outcome.passed.iter().filter(|test| !skips.contains_key(*test)).count());
    if !outcome.ended_well && outcome.failed.is_empty() {
        sum.fail(what("(the whole program)"));
    }
}

/// What libtest said about the tests of one program.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    passed: Vec<String>,
    failed: Vec<String>,
    ignored: Vec<String>,
    ended_well: bool,
}

impl Outcome {
    /// Takes one line of output in: `test NAME ... ok`, `FAILED` or `ignored`, perhaps with a reason.
    fn line(&mut self, line: &str) {
        let Some((name, result)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")) else { return };
        let name = name.trim_end_matches(" - should panic").to_owned();
        match result.split([',', ' ']).next() {
            Some("ok") => self.passed.push(name),
            Some("FAILED") => self.failed.push(name),
            Some("ignored") => self.ignored.push(name),
            _ => {}
        }
    }
}

fn outcome(command: &mut Command) -> Result<Outcome, Failure> {
    let line = shell::shown(command);
    let mut child = command.spawn().doing(format!("cannot start `{line}`"))?;
    let mut outcome = Outcome::default();
    if let Some(stdout) = child.stdout.take() {
        // Split by hand: what a failed test printed need not be text.
        for part in BufReader::new(stdout).split(b'\n') {
            let part = part.doing(format!("cannot read what `{line}` says"))?;
            let text = String::from_utf8_lossy(&part);
            println!("{text}");
            outcome.line(&text);
        }
    }
    outcome.ended_well = child.wait().doing(format!("cannot wait for `{line}`"))?.success();
    Ok(outcome)
}

/// The file into which tests write that they skip themselves, and why.
struct Skips {
    directory: PathBuf,
    file: PathBuf,
}

impl Skips {
    fn new(person: &Person) -> Result<Skips, Failure> {
        let directory = PathBuf::from(format!("/var/tmp/bailiwick-skips-{}-{}", std::process::id(), person.name));
        let file = directory.join("skips");
        // A directory of our own: a fresh one cannot be a link that somebody has laid there.
        fs::create_dir(&directory).doing(format!("cannot make {}", directory.display()))?;
        fs::write(&file, "").doing(format!("cannot make {}", file.display()))?;
        if let Some(user) = &person.account {
            fs::set_permissions(&directory, PermissionsExt::from_mode(0o755))
                .and_then(|()| std::os::unix::fs::chown(&file, Some(user.uid), Some(user.gid)))
                .doing(format!("cannot give away {}", file.display()))?;
        }
        Ok(Skips { directory, file })
    }

    /// What was skipped since the last time, by the name of the test.
    fn take(&self) -> BTreeMap<String, String> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let _ = fs::write(&self.file, "");
        let parts = text.lines().filter_map(|line| line.split_once(": "));
        parts.map(|(name, why)| (name.to_owned(), why.to_owned())).collect()
    }
}

impl Drop for Skips {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome;

    #[test]
    fn lines_of_libtest_are_understood() {
        let mut outcome = Outcome::default();
        for line in [
            "running 4 tests",
            "test git::stash ... ok",
            "test a - should panic ... ok",
            "test b ... FAILED",
            "test c ... ignored, needs a moon",
            "test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            outcome.line(line);
        }
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(outcome.passed, names(&["git::stash", "a"]));
        assert_eq!(outcome.failed, names(&["b"]));
        assert_eq!(outcome.ignored, names(&["c"]));
    }
}
