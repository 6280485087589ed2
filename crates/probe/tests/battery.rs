//! The battery against no boundary at all, where every attack must succeed, and against one that others built.

#![cfg(target_os = "linux")]
// clippy.toml allows this in tests, but clippy knows only functions marked as such, not what they call.
#![allow(clippy::expect_used)]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bailiwick_policy::guarantee::Guarantee;
use bailiwick_probe::battery::{Battery, BatteryReport, Row, Verdict};
use bailiwick_probe::{Project, Proof, Stage, StageLimits};

/// The probe that cargo built, or the one that stands beside a copied test.
fn probe() -> PathBuf {
    std::env::var_os("BAILIWICK_PROBE").map_or_else(|| env!("CARGO_BIN_EXE_bailiwick-probe").into(), PathBuf::from)
}

/// A directory for stages that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("bwp-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).expect("a scratch directory");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Only empty directories: what a stage left behind is a fault to be seen.
        std::fs::remove_dir(&self.0).expect("every stage removes itself");
    }
}

const LIMITS: StageLimits = StageLimits { processes: Some(64), file_size: 1 << 20, memory: 64 << 30, open_files: 128 };

fn without_boundary(arguments: &[OsString], _: &Stage) -> Command {
    let (program, rest) = arguments.split_first().expect("a program");
    let mut command = Command::new(program);
    command.args(rest);
    command
}

fn complain(rows: &[&Row]) -> String {
    rows.iter().map(|row| format!("{}: {:?}\n", row.name, row.verdict)).collect()
}

fn say_skips(report: &BatteryReport) {
    for row in &report.rows {
        if let Verdict::Skipped(why) = &row.verdict {
            eprintln!("SKIPPED: {}: {why}", row.name);
        }
    }
}

#[test]
fn names_are_unique_and_in_kebab_case() {
    let names: Vec<&str> = bailiwick_probe::all().map(|attack| attack.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    let is_kebab = |name: &&str| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    assert_eq!(names.iter().filter(|name| !is_kebab(name)).count(), 0, "{names:?}");
}

#[test]
fn every_guarantee_of_the_linux_tiers_is_attacked() {
    let attacked: BTreeSet<_> = bailiwick_probe::all().map(|attack| attack.guarantee).collect();
    // A filter of hosts needs the gate, and no Linux tier runs the inside as somebody else.
    let missing: Vec<_> = Guarantee::ALL
        .into_iter()
        .filter(|guarantee| !matches!(guarantee, Guarantee::HostsFiltered | Guarantee::IdentitySeparate))
        .filter(|guarantee| !attacked.contains(guarantee))
        .collect();
    assert_eq!(missing, []);
}

#[test]
fn without_a_boundary_every_attack_succeeds() {
    let scratch = Scratch::new("open");
    let battery = Battery {
        probe: &probe(),
        directory: &scratch.0,
        launcher: &without_boundary,
        limits: Some(LIMITS),
        grace: Duration::ZERO,
    };
    let report = battery.run(&|_| true);
    say_skips(&report);
    let wrong: Vec<&Row> =
        report.rows.iter().filter(|row| !matches!(row.verdict, Verdict::Breached(_) | Verdict::Skipped(_))).collect();
    assert!(wrong.is_empty(), "{}", complain(&wrong));
    assert!(report.count("BREACHED") >= 150, "too few attacks bite on this host:\n{report}");
}

#[test]
fn a_launcher_that_runs_nothing_is_unclear_and_never_held() {
    let scratch = Scratch::new("nothing");
    let battery = Battery {
        probe: &probe(),
        directory: &scratch.0,
        launcher: &|_, _| Command::new("false"),
        limits: None,
        grace: Duration::ZERO,
    };
    // One attack for each way of judging.
    let chosen = ["write-by-path", "read-private-key", "tcp4", "kill", "survive-daemon", "survive-kill", "absent-open"];
    let more = ["set-title", "type-stdin", "mount", "write-by-old-hard-link"];
    let report = battery.run(&|attack| chosen.contains(&attack.name) || more.contains(&attack.name));
    assert_eq!(report.rows.len(), chosen.len() + more.len());
    let wrong: Vec<&Row> =
        report.rows.iter().filter(|row| !matches!(row.verdict, Verdict::Unclear(_) | Verdict::Skipped(_))).collect();
    assert!(wrong.is_empty(), "{}", complain(&wrong));
}

#[test]
fn a_lie_about_success_is_no_breach_and_a_lie_about_failure_hides_none() {
    let scratch = Scratch::new("lies");
    // Says of every attack that it worked, and does nothing; then does it, and says that it failed.
    let braggart = |arguments: &[OsString], _: &Stage| {
        let mut command = Command::new("sh");
        command.args(["-c", r#"printf '{"outcome":"breached","evidence":"I am in"}' > report.json"#, "sh"]);
        command.args(arguments);
        command
    };
    let hypocrite = |arguments: &[OsString], _: &Stage| {
        let mut command = Command::new("sh");
        let script = r#""$@"; printf '{"outcome":"held","how":"EPERM"}' > report.json"#;
        command.args(["-c", script, "sh"]).args(arguments);
        command
    };
    let seen_outside = |proof: Proof| matches!(proof, Proof::Tree | Proof::Received | Proof::Process);
    let sample = ["write-by-path", "config-replace", "tcp4", "socket-abstract", "kill", "chmod"];
    let battery = |launcher| Battery {
        probe: PROBE.get_or_init(probe),
        directory: &scratch.0,
        launcher,
        limits: None,
        grace: Duration::ZERO,
    };
    let boast = battery(&braggart).run(&|attack| sample.contains(&attack.name) && seen_outside(attack.proof));
    assert_eq!(boast.count("held"), sample.len(), "{boast}");
    let denial = battery(&hypocrite).run(&|attack| sample.contains(&attack.name) && seen_outside(attack.proof));
    assert_eq!(denial.count("BREACHED"), sample.len(), "{denial}");
}

static PROBE: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();

/// Bubblewrap with what it offers for the same isolation, by its manual.
fn bubblewrap(arguments: &[OsString], stage: &Stage) -> Command {
    let mut command = Command::new("bwrap");
    command.args(["--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--clearenv"]);
    command.args(["--cap-drop", "ALL", "--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"]);
    command.args(["--tmpfs", "/tmp", "--setenv", "PATH", "/usr/bin"]);
    for link in ["bin", "lib", "lib64", "sbin"] {
        command.arg("--symlink").arg(format!("usr/{link}")).arg(format!("/{link}"));
    }
    let bind = |command: &mut Command, how: &str, path: &Path| {
        command.arg(how).arg(path).arg(path);
    };
    bind(&mut command, "--ro-bind", &stage.readable);
    bind(&mut command, "--bind", &stage.workspace);
    // The directory itself first, so that what is mounted below it stays on top.
    bind(&mut command, "--bind", &stage.workspace.join(".git"));
    for name in stage.protected.iter().filter(|name| *name != ".git") {
        bind(&mut command, "--ro-bind-try", &stage.workspace.join(name));
    }
    command.arg("--chdir").arg(&stage.workspace).arg("--").args(arguments);
    command
}

#[test]
fn the_battery_tells_a_boundary_from_none() {
    let works = Command::new("bwrap").args(["--unshare-all", "--ro-bind", "/", "/", "true"]).status();
    if !works.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: the_battery_tells_a_boundary_from_none: bubblewrap is missing or does not work here");
        return;
    }
    let scratch = Scratch::new("bwrap");
    let battery = Battery {
        probe: &probe(),
        directory: &scratch.0,
        launcher: &bubblewrap,
        limits: None,
        grace: Duration::from_secs(2),
    };
    // What it does about linked worktrees and limits is the caller's to say.
    let report =
        battery.run(&|attack| attack.project == Project::Repository && attack.guarantee != Guarantee::LimitsHeld);
    eprintln!("{report}");
    let verdict = |name: &str| report.rows.iter().find(|row| row.name == name).map(|row| row.verdict.name());
    for name in [
        "write-by-path",
        "write-by-dotdot",
        "chmod",
        "read-private-key",
        "tcp4",
        "kill",
        "survive-daemon",
        "config-write",
    ] {
        assert_eq!(verdict(name), Some("held"), "{name}");
    }
    // By its manual it leaves these open.
    for name in ["inherited-descriptors", "absent-open", "socket-readable", "read-keyring", "mount"] {
        assert_eq!(verdict(name), Some("BREACHED"), "{name}");
    }
}
