//! The yardstick: bubblewrap told to build the same isolation, from the plan that bailiwick makes for the same run.

use std::path::Path;

use bailiwick::linux::plan::{Kind, Mode, Plan, Step};

use super::fixture::Fixture;
use crate::shell::{Doing, Failure};

/// The arguments of `bwrap` up to the command, for a run in this workspace.
///
/// Left out, in bubblewrap's favour: the second lock (Landlock), the system call filter, the limits, watching for
/// protected names that appear.
pub(crate) fn arguments(fixture: &Fixture, workspace: &Path) -> Result<Vec<String>, Failure> {
    let boundary = fixture.sandbox(workspace)?.boundary().doing("cannot resolve the policy")?;
    let plan = Plan::new(&boundary).doing("cannot plan the run")?;
    let fixed =
        ["--unshare-user", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"];
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
    let rest = ["--dev", "/dev", "--proc", "/proc", "--chdir"];
    words.extend(rest.map(str::to_owned));
    words.extend([workspace.display().to_string(), "--".to_owned()]);
    Ok(words)
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
