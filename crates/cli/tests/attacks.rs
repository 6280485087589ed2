//! Every attack of the probe against a real run: what a tier says that it holds here, it must hold.
//!
//! The tiers' promises are read from `bailiwick doctor --json`, so that a promise and what becomes of it cannot drift apart. What
//! a tier lacks is accepted by name, as a user would have to.

#![cfg(target_os = "linux")]
// clippy.toml allows this in tests, but clippy knows only functions marked as such, not what they call.
#![allow(clippy::expect_used)]

mod support;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bailiwick_probe::battery::{Battery, BatteryReport, Row, Verdict};
use bailiwick_probe::{Attack, Stage, StageLimits};
use serde_json::Value;
use support::{binary, skip};

/// Promises that a Linux tier makes about an attack: name of the guarantee, and `holds`, `detects` or `lacks`.
type Promises = BTreeMap<String, String>;

/// The probe: as named, beside the program, or built now.
fn probe() -> PathBuf {
    if let Some(probe) = binary::probe() {
        return probe;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo).args(["build", "--quiet", "--package", "bailiwick-probe"]).status();
    assert!(built.is_ok_and(|status| status.success()), "the probe cannot be built");
    binary::probe().expect("the probe, set by BAILIWICK_PROBE or beside the program under test")
}

/// A directory that is neither in `/tmp` nor in a home, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = Path::new("/var/tmp").join(format!("bwp-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("empty")).expect("a scratch directory");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the tier promises on this host for the default policy; `None` with the reason where it cannot run.
fn promises(tier: &str, scratch: &Scratch) -> Result<Promises, String> {
    let output = Command::new(binary::bailiwick())
        .args(["doctor", "--json"])
        .current_dir(scratch.0.join("empty"))
        .env("HOME", &scratch.0)
        .output()
        .expect("bailiwick doctor");
    let doctor: Value = serde_json::from_slice(&output.stdout).expect("JSON from bailiwick doctor");
    let tiers = doctor["tiers"].as_array().expect("a list of tiers");
    let found = tiers.iter().find(|entry| entry["tier"] == tier).expect("the tier");
    if !found["obstacle"].is_null() {
        return Err(found["obstacle"].to_string());
    }
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let promises = found["promises"].as_array().expect("a list of promises");
    Ok(promises.iter().map(|promise| (text(&promise["guarantee"]), text(&promise["strength"]))).collect())
}

/// `bailiwick run` with this tier, taking what it lacks by name.
fn run(tier: &str, promises: &Promises, arguments: &[OsString], stage: &Stage) -> Command {
    let mut command = Command::new(binary::bailiwick());
    command.args(["run", "--quiet", "--tier", tier]);
    for (guarantee, _) in promises.iter().filter(|(_, strength)| *strength == "lacks") {
        command.args(["--accept", guarantee]);
    }
    // A linked worktree has no denied names in it, but its policy is the same.
    command.arg("--read").arg(&stage.readable).arg("--deny").arg(stage.workspace.join("keep/vault"));
    command.arg("--").args(arguments);
    command
}

/// Whether the row is what the tier promises.
fn is_kept(row: &Row, promises: &Promises) -> bool {
    let strength = promises.get(row.guarantee.name()).map(String::as_str);
    match (&row.verdict, strength) {
        (Verdict::Unclear(_), _) => false,
        (Verdict::Held(_) | Verdict::Skipped(_), _) => true,
        (Verdict::Detected(_), Some("holds")) => false,
        (Verdict::Detected(_), _) => true,
        (Verdict::Breached(_), Some("holds" | "detects")) => row.residue.is_some(),
        (Verdict::Breached(_), _) => true,
    }
}

/// Runs the chosen attacks and complains of every promise that was broken.
fn attack(tier: &str, limits: Option<StageLimits>, wanted: &dyn Fn(&Attack) -> bool) {
    let name = if limits.is_some() { "limits" } else { tier };
    let scratch = Scratch::new(name);
    let promises = match promises(tier, &scratch) {
        Ok(promises) => promises,
        Err(obstacle) => return skip::record(&format!("attacks on {name}"), &obstacle),
    };
    let launcher = |arguments: &[OsString], stage: &Stage| run(tier, &promises, arguments, stage);
    let battery =
        Battery { probe: &probe(), directory: &scratch.0, launcher: &launcher, limits, grace: Duration::from_secs(5) };
    let report = battery.run(wanted);
    show(tier, &report);
    let broken: Vec<&Row> = report.rows.iter().filter(|row| !is_kept(row, &promises)).collect();
    let broken: String =
        broken.iter().map(|row| format!("{} ({}): {:?}\n", row.name, row.guarantee, row.verdict)).collect();
    assert!(broken.is_empty(), "promises of the tier `{tier}` that were not kept:\n{broken}");
    assert!(report.count("held") > 0, "no attack was withstood: that is no test");
}

/// Writes down what was skipped, and what a tier does not promise and fell to.
fn show(tier: &str, report: &BatteryReport) {
    for row in &report.rows {
        match (&row.verdict, row.residue) {
            (Verdict::Skipped(why), _) => skip::record(&format!("attack {} on {tier}", row.name), why),
            (Verdict::Breached(_), Some(residue)) => eprintln!("residue: {}: {residue}", row.name),
            (Verdict::Breached(how), None) => eprintln!("breached: {} ({}): {how}", row.name, row.guarantee),
            _ => {}
        }
    }
}

/// Limits would get in the way of other attacks.
fn is_about_limits(attack: &Attack) -> bool {
    attack.guarantee.name() == "limits-held"
}

#[test]
fn namespaces_withstand_every_attack() {
    attack("namespaces", None, &|attack| !is_about_limits(attack));
}

#[test]
fn landlock_withstands_what_it_promises() {
    attack("landlock", None, &|attack| !is_about_limits(attack));
}

#[test]
fn limits_are_held() {
    // No limit of processes holds for root; the tier says so and refuses.
    let processes = (!skip::is_root()).then_some(64);
    let limits = StageLimits { processes, file_size: 1 << 20, memory: 8 << 30, open_files: 128 };
    attack("namespaces", Some(limits), &is_about_limits);
}
