//! Why the command failed, where the boundary is known for certain to be the cause.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use bailiwick_policy::decide::{Access, Verdict};
use bailiwick_policy::locate::locate;
use bailiwick_policy::text::escape;

use crate::report::Outcome;
use crate::run::Prepared;

/// `ENOENT`, `EACCES`, `ENOEXEC` of Linux.
const ENOENT: i32 = 2;
const EACCES: i32 = 13;
const ENOEXEC: i32 = 8;

/// The explanation, where there is one. It may have several lines.
pub(crate) fn explain(outcome: &Outcome, prepared: &Prepared, program: &OsStr) -> Option<String> {
    match outcome {
        Outcome::TimedOut => {
            let time =
                prepared.boundary.limits.time.map(|time| format!(" of {} s", time.as_secs())).unwrap_or_default();
            Some(format!("the time limit{time} was reached; the command and all that it started were ended"))
        }
        Outcome::NotStarted { errno } => Some(not_started(*errno, prepared, program)),
        _ => None,
    }
}

fn not_started(errno: i32, prepared: &Prepared, program: &OsStr) -> String {
    let shown = escape(program);
    let outside = find(program, prepared);
    let hidden = outside.as_ref().and_then(|path| hidden(path, prepared));
    if let Some(explanation) = hidden {
        return explanation;
    }
    match (errno, outside) {
        (ENOENT, None) => format!("`{shown}`: not found"),
        (ENOENT, Some(path)) => format!(
            "`{shown}`: `{}` is there, and yet cannot be started inside; the interpreter that it names in its first line, \
             or its loader, is missing there",
            escape(path.as_os_str())
        ),
        (EACCES, _) => format!("`{shown}`: it is not executable, or lies where nothing may be executed"),
        (ENOEXEC, _) => {
            format!("`{shown}`: it is neither a program nor a script with an interpreter in its first line")
        }
        (errno, _) => format!("`{shown}` cannot be started: {}", std::io::Error::from_raw_os_error(errno)),
    }
}

/// The program as the host has it: looked up in the `PATH` of the inside, and then in the caller's.
fn find(program: &OsStr, prepared: &Prepared) -> Option<PathBuf> {
    let path = Path::new(program);
    if path.components().count() > 1 || path.is_absolute() {
        // Without the dots of `./program`.
        let whole: PathBuf = prepared.directory().join(path).components().collect();
        return whole.is_file().then_some(whole);
    }
    let inside = prepared.boundary.environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
    let lists = [inside, std::env::var_os("PATH")];
    let folders = lists.iter().flatten().flat_map(std::env::split_paths).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

/// What hides the program, and the grant that would show it.
fn hidden(path: &Path, prepared: &Prepared) -> Option<String> {
    let canonical = locate(path).ok()?.path;
    let decision = prepared.boundary.decide(&Access::Read(canonical.clone()));
    if decision.verdict == Verdict::Allowed {
        return None;
    }
    let mut text =
        format!("`{}` is on this machine, but not inside: {}", escape(canonical.as_os_str()), decision.reason);
    if let Some(rule) = &decision.rule {
        text.push_str(&format!("\n  rule    {} ({})", rule.text, rule.origin));
    }
    if let Some(remedy) = &decision.remedy {
        for (label, value) in [("allow", &remedy.option), ("or", &remedy.policy_line), ("way out", &remedy.note)] {
            if let Some(value) = value {
                text.push_str(&format!("\n  {label:<8}{value}"));
            }
        }
    }
    Some(text)
}
