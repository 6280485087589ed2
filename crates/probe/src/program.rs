//! What the program does, by its arguments.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use bailiwick_policy::text::escape;
use bailiwick_probe::battery::{Battery, Finding};
use bailiwick_probe::{Outcome, Stage};

const USAGE: &str = "\
bailiwick-probe list [--json]                               the attacks
bailiwick-probe attack NAME --stage FILE [--report FILE]    one attempt, here and now; one line of JSON
bailiwick-probe control [NAME]                              which attacks succeed on this machine without a boundary
bailiwick-probe battery [--json] [--only WORD] -- LAUNCHER…  every attack inside; {workspace} {home} {readable} are filled in
";

pub(crate) fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let texts: Vec<&str> = arguments.iter().map(|argument| argument.to_str().unwrap_or("\u{fffd}")).collect();
    let result = match texts.as_slice() {
        ["list"] => list(false),
        ["list", "--json"] => list(true),
        ["attack", name, "--stage", stage] => attack(name, Path::new(stage), None),
        ["attack", name, "--stage", stage, "--report", report] => {
            attack(name, Path::new(stage), Some(Path::new(report)))
        }
        ["control"] => control(None),
        ["control", name] => control(Some(name)),
        ["battery", rest @ ..] => battery(rest),
        // For the harness: what it starts.
        ["copy-to", to] => own_path().and_then(|probe| {
            std::fs::copy(probe, to)
                .map(drop)
                .map_err(|error| format!("cannot copy to {}: {error}", escape(to.as_ref())))
        }),
        ["decoy", _] => bailiwick_probe::be_decoy().map_err(|error| format!("the decoy failed: {error}")),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Nobody is left to tell if stderr is gone.
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::from(2)
        }
    }
}

fn print(text: &str) -> Result<(), String> {
    writeln!(io::stdout(), "{text}").map_err(|error| format!("cannot write to stdout: {error}"))
}

fn list(json: bool) -> Result<(), String> {
    if json {
        let rows: Vec<_> = bailiwick_probe::all()
            .map(|attack| {
                serde_json::json!({
                    "name": attack.name,
                    "guarantee": attack.guarantee,
                    "summary": attack.summary,
                    "needs": attack.unless,
                    "residue": attack.residue,
                })
            })
            .collect();
        return print(&serde_json::Value::from(rows).to_string());
    }
    bailiwick_probe::all().try_for_each(|attack| {
        print(&format!("{:<18}  {:<30}  {}", attack.guarantee.name(), attack.name, attack.summary))
    })
}

fn unknown(name: &str) -> String {
    format!("there is no attack `{}`; `bailiwick-probe list` shows all", escape(name.as_ref()))
}

/// Runs one attack and reports on stdout, or in the file where stdout is a terminal that is under attack itself.
fn attack(name: &str, stage: &Path, report: Option<&Path>) -> Result<(), String> {
    let attack = bailiwick_probe::find(name).ok_or_else(|| unknown(name))?;
    let stage = Stage::read(stage).map_err(|error| error.to_string())?;
    let outcome: Outcome = (attack.run)(&stage);
    let line = serde_json::to_string(&outcome).map_err(|error| format!("cannot write the outcome: {error}"))?;
    match report {
        Some(file) => std::fs::write(file, line)
            .map_err(|error| format!("cannot write the report {}: {error}", escape(file.as_os_str()))),
        None => print(&line),
    }
}

/// A directory of our own for stages.
fn directory() -> Result<PathBuf, String> {
    let path = std::env::temp_dir().join(format!("bwp-{}", std::process::id()));
    std::fs::create_dir(&path).map_err(|error| format!("cannot create {}: {error}", escape(path.as_os_str())))?;
    Ok(path)
}

fn own_path() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))
}

fn control(name: Option<&str>) -> Result<(), String> {
    let (probe, directory) = (own_path()?, directory()?);
    let battery = Battery {
        probe: &probe,
        directory: &directory,
        launcher: &|_, _| Command::new("false"),
        limits: None,
        grace: Duration::ZERO,
    };
    if let Some(name) = name.filter(|name| bailiwick_probe::find(name).is_none()) {
        return Err(unknown(name));
    }
    for attack in bailiwick_probe::all().filter(|attack| name.is_none_or(|name| attack.name == name)) {
        let (word, how) = match battery.control(attack) {
            Finding::Breached(how) => ("succeeds", how),
            Finding::Held(how) | Finding::Detected(how) => ("refused", how),
            Finding::Inapplicable(how) => ("means nothing", how),
            Finding::Unclear(how) => ("UNCLEAR", how),
        };
        print(&format!("{word:<14}  {:<30}  {}", attack.name, escape(how.as_ref())))?;
    }
    let _ = std::fs::remove_dir(&directory);
    Ok(())
}

/// Fills the stage's places into the launcher's words.
fn filled(word: &str, stage: &Stage) -> OsString {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    word.replace("{workspace}", &text(&stage.workspace))
        .replace("{home}", &text(&stage.home))
        .replace("{readable}", &text(&stage.readable))
        .into()
}

fn battery(arguments: &[&str]) -> Result<(), String> {
    let split = arguments.iter().position(|argument| *argument == "--").ok_or_else(|| USAGE.to_owned())?;
    let (options, launcher) = arguments.split_at(split);
    let (program, words) = launcher.get(1..).and_then(<[&str]>::split_first).ok_or_else(|| USAGE.to_owned())?;
    let (json, only) = match options {
        [] => (false, ""),
        ["--json"] => (true, ""),
        ["--only", word] => (false, *word),
        ["--json", "--only", word] => (true, *word),
        _ => return Err(USAGE.to_owned()),
    };
    let (probe, directory) = (own_path()?, directory()?);
    let launch = |attack: &[OsString], stage: &Stage| {
        let mut command = Command::new(filled(program, stage));
        command.args(words.iter().map(|word| filled(word, stage))).args(attack);
        command
    };
    let battery = Battery {
        probe: &probe,
        directory: &directory,
        launcher: &launch,
        limits: None,
        grace: Duration::from_secs(5),
    };
    let report = battery.run(&|attack| attack.name.contains(only) || attack.guarantee.name() == only);
    let _ = std::fs::remove_dir(&directory);
    let text = if json { report.to_json().map_err(|error| error.to_string())? } else { report.to_string() };
    print(text.trim_end())
}
