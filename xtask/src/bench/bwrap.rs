//! The yardstick: bubblewrap told to build the same isolation, from the plan that bailiwick makes for the same run.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bailiwick::linux::api::Tier;
use bailiwick::linux::plan::{Kind, Mode, Plan, Step};
use bailiwick::linux::proc_parts;
use bailiwick::linux::seccomp::{self, Openings};

use super::fixture::Fixture;
use super::sample::timed_with;
use crate::shell::{self, Doing, Failure};

/// How much of bailiwick's isolation `bwrap` is told to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// All that it has words for.
    Same,
    /// Namespaces and the plan's mounts: no system call filter, and `/proc` as it comes.
    MountsAlone,
}

/// How `bwrap` is run for a workspace.
pub(crate) struct Yardstick {
    /// Up to the command.
    arguments: Vec<String>,
    /// Holds the system call filter, which bubblewrap reads from its standard input.
    filter: Option<PathBuf>,
}

impl Yardstick {
    /// For a run in this workspace.
    ///
    /// Left out, in bubblewrap's favour, since it has no words for them: the second lock (Landlock), the private home's own
    /// mount points, watching for protected names that appear.
    pub(crate) fn new(fixture: &Fixture, workspace: &Path, isolation: Isolation) -> Result<Yardstick, Failure> {
        let boundary = fixture.sandbox(workspace)?.boundary().doing("cannot resolve the policy")?;
        let plan = Plan::new(&boundary).doing("cannot plan the run")?;
        let fixed = [
            "--unshare-user",
            "--unshare-all",
            "--die-with-parent",
            "--new-session",
            "--cap-drop",
            "ALL",
            "--clearenv",
        ];
        let mut words: Vec<String> = fixed.map(str::to_owned).to_vec();
        for (name, value) in &boundary.environment {
            words.extend([
                "--setenv".to_owned(),
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            ]);
        }
        for step in &plan.steps {
            words.extend(step_arguments(step).into_iter().map(|word| word.to_string_lossy().into_owned()));
        }
        words.extend(["--dev", "/dev", "--proc", "/proc"].map(str::to_owned));
        let mut filter = None;
        if isolation == Isolation::Same {
            words.extend(covers_of_proc());
            words.extend(["--remount-ro", "/", "--seccomp", "0"].map(str::to_owned));
            let file = fixture.scratch("filter")?.join("seccomp.bpf");
            std::fs::write(&file, program()).doing(format!("cannot write {}", file.display()))?;
            filter = Some(file);
        }
        words.extend(["--chdir".to_owned(), workspace.display().to_string(), "--".to_owned()]);
        Ok(Yardstick { arguments: words, filter })
    }

    /// The time of one run of `command`.
    pub(crate) fn time(&self, fixture: &Fixture, workspace: &Path, command: &str) -> Result<Duration, Failure> {
        let input = match &self.filter {
            Some(filter) => File::open(filter).doing(format!("cannot open {}", filter.display()))?.into(),
            None => Stdio::null(),
        };
        timed_with(fixture.bare(workspace, "bwrap").args(&self.arguments).arg(command), input)
    }
}

/// What bailiwick does to the inside's `/proc`, in bubblewrap's words.
fn covers_of_proc() -> Vec<String> {
    let user_zero = shell::is_root();
    let parts = proc_parts::telling(user_zero).map(|part| format!("/{}", part.to_string_lossy()));
    let covers = parts.filter(|part| Path::new(part).exists());
    let covers = covers.flat_map(|part| ["--ro-bind".to_owned(), "/dev/null".to_owned(), part]);
    let read_only = user_zero.then(|| ["--remount-ro".to_owned(), "/proc".to_owned()]);
    covers.chain(read_only.into_iter().flatten()).collect()
}

/// bailiwick's filter as bubblewrap takes it: the instructions one after another (`struct sock_filter` of linux/filter.h).
fn program() -> Vec<u8> {
    let openings = Openings { tier: Tier::Namespaces, trace: false, nested_namespaces: false };
    let bytes = |step: &libc::sock_filter| {
        let [code, k] = [step.code.to_ne_bytes().to_vec(), step.k.to_ne_bytes().to_vec()];
        [code, vec![step.jt, step.jf], k].concat()
    };
    seccomp::filter(openings).iter().flat_map(bytes).collect()
}

/// One step in bubblewrap's words. Mount points are made by bubblewrap itself where it mounts.
fn step_arguments(step: &Step) -> Vec<&Path> {
    let option = Path::new;
    match step {
        Step::Make { at, kind: Kind::Directory, .. } => vec![option("--dir"), at],
        Step::Link { at, target } => vec![option("--symlink"), target, at],
        Step::Tree { host, at, mode: Mode::ReadOnly } => vec![option("--ro-bind"), host, at],
        Step::Tree { host, at, mode: Mode::Writable } => vec![option("--bind"), host, at],
        Step::Protect { at } => vec![option("--ro-bind-try"), at, at],
        Step::Pin { at } => vec![option("--bind-try"), at, at],
        Step::Memory { at } => vec![option("--tmpfs"), at],
        Step::Mask { at, kind: Kind::Directory } | Step::MaskAround { at, .. } => vec![option("--tmpfs"), at],
        Step::Mask { at, kind: Kind::File } => vec![option("--ro-bind-try"), option("/dev/null"), at],
        Step::Make { .. } | Step::MakeBeneath { .. } | Step::LinkBeneath { .. } | Step::MakeInMask { .. } => vec![],
        // Files that the gate needs; the bench runs without one.
        Step::File { .. } => vec![],
    }
}
