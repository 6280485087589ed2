//! The verdict about one target, for people: what, why, which rule, and what would change it.

use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::boundary::{Alias, Boundary, Present};
use crate::decide::{Access, Decision, Verdict};
use crate::evaluate::{covers, covers_strictly};
use crate::host::Host;
use crate::locate::{LocateError, Located, expand_home, lexical, locate};
use crate::text::escape;

mod network;

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Read, list or execute.
    Read,
    /// Create, change, delete, or change metadata.
    Write,
    /// Remove, rename, move away or replace the object itself.
    Remove,
    /// Connect to a host.
    Connect,
    /// Connect to a UNIX socket of the host.
    Socket,
}

/// The answer about one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What was asked.
    pub verb: Verb,
    /// The target as asked, escaped for printing.
    pub target: String,
    /// What it is: the canonical path, or the host name and port. Escaped for printing.
    pub canonical: String,
    /// The decision.
    pub decision: Decision,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// Why nothing can be said about a target.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExplainError {
    /// The path cannot be made canonical.
    Locate(LocateError),
    /// The text is no host, and no request. Escaped for printing.
    Host(String),
}

impl fmt::Display for ExplainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExplainError::Locate(error) => write!(f, "the path cannot be followed: {error}"),
            ExplainError::Host(text) => {
                write!(
                    f,
                    "`{text}` is not a host: write `example.org`, `example.org:8080` or `[::1]:8080`, or a request as `GET example.org/path` or `https://example.org/path`"
                )
            }
        }
    }
}

impl std::error::Error for ExplainError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ExplainError::Locate(error) => Some(error),
            ExplainError::Host(_) => None,
        }
    }
}

/// Explains what the boundary says about `target`: a path (from the host's current directory, `~` being the home), a
/// host with an optional port (443 where none is written), or a request (`GET example.org/path`, `https://example.org/path`).
pub fn explain(boundary: &Boundary, host: &Host, verb: Verb, target: &OsStr) -> Result<Explanation, ExplainError> {
    match verb {
        Verb::Connect => explain_connect(boundary, target),
        _ => explain_path(boundary, host, verb, target),
    }
}

/// [`explain`] for [`Verb::Connect`], which asks nothing of the host: so it answers for boundaries of other hosts too.
pub fn explain_connect(boundary: &Boundary, target: &OsStr) -> Result<Explanation, ExplainError> {
    network::explain(boundary, Verb::Connect, target)
}

fn explain_path(boundary: &Boundary, host: &Host, verb: Verb, target: &OsStr) -> Result<Explanation, ExplainError> {
    let asked = host.current_dir.join(expand_home(target, &boundary.home));
    let located = locate_for(verb, &asked)?;
    let path = located.path.clone();
    let mut decision = boundary.decide(&match verb {
        Verb::Write => Access::Write(path),
        Verb::Remove => Access::Remove(path),
        Verb::Socket => Access::Socket(path),
        Verb::Read | Verb::Connect => Access::Read(path),
    });
    let mut notes = Vec::new();
    // What the target is called matters as well as what it is: a link on the way may be hidden or denied.
    if let Some((link, refusal)) = refused_link(boundary, &located.links) {
        notes.push(format!(
            "it is reached through the symbolic link `{}`, which the inside cannot follow; under its own name `{}` it is {}",
            escape(link.at.as_os_str()),
            escape(located.path.as_os_str()),
            verdict_word(decision.verdict)
        ));
        decision = refusal;
    } else if lexical(&asked) != located.path {
        notes.push(format!("the path leads to `{}`", escape(located.path.as_os_str())));
    }
    if verb == Verb::Write && decision.verdict != Verdict::Refused {
        notes.extend(note_about_removal(boundary, &located.path));
    }
    if decision.verdict != Verdict::Allowed && located.present == Present::Absent && verb != Verb::Remove {
        notes.extend(note_about_absence(&located.path, &decision));
    }
    let canonical = escape(located.path.as_os_str());
    Ok(Explanation { verb, target: escape(target), canonical, decision, notes })
}

/// Removing takes the link itself, every other access what it leads to.
fn locate_for(verb: Verb, asked: &Path) -> Result<Located, ExplainError> {
    match (verb, asked.parent(), asked.file_name()) {
        (Verb::Remove, Some(parent), Some(name)) => {
            let mut located = locate(parent).map_err(ExplainError::Locate)?;
            located.path.push(name);
            Ok(located)
        }
        _ => locate(asked).map_err(ExplainError::Locate),
    }
}

/// The first link on the way that is not there inside: neither recreated by the tier nor in a readable tree.
fn refused_link<'a>(boundary: &Boundary, links: &'a [Alias]) -> Option<(&'a Alias, Decision)> {
    links.iter().find_map(|link| {
        let decision = boundary.decide(&Access::Read(link.at.clone()));
        let is_recreated = boundary.aliases.iter().any(|alias| alias.at == link.at);
        let denied = decision.verdict == Verdict::Refused && (decision.rule.is_some() || !is_recreated);
        let hidden = decision.verdict == Verdict::Private && !is_recreated;
        (denied || hidden).then_some((link, decision))
    })
}

fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allowed => "allowed",
        Verdict::Private => "the inside's own",
        Verdict::Refused => "refused",
    }
}

/// A directory that may be written but not moved, since it holds a name that must stay.
fn note_about_removal(boundary: &Boundary, path: &Path) -> Option<String> {
    let holds_guarded =
        boundary.guarded().iter().any(|name| covers_strictly(path, name.path) && covers(name.root, path));
    let removal = boundary.decide(&Access::Remove(path.to_path_buf()));
    (holds_guarded && removal.verdict == Verdict::Refused).then_some(removal.reason)
}

/// A grant of something that does not exist has no effect: its directory has to be granted.
fn note_about_absence(path: &Path, decision: &Decision) -> Option<String> {
    decision.remedy.as_ref().and_then(|remedy| remedy.option.as_ref())?;
    if decision.verdict == Verdict::Private {
        // The directory above may be the whole home.
        return Some(
            "the host has nothing there, and a grant of a missing path has no effect: create it first".to_owned(),
        );
    }
    let holder: PathBuf = path.ancestors().skip(1).find(|above| above.is_dir())?.to_path_buf();
    Some(format!(
        "there is nothing now, and a grant of a missing path has no effect: create it first, or grant `{}`",
        escape(holder.as_os_str())
    ))
}

impl Explanation {
    /// The answer as plain text, several lines, without colours.
    pub fn to_text(&self) -> String {
        let decision = &self.decision;
        let mut text = format!("{}: {}\n", verdict_word(decision.verdict), decision.reason);
        let mut line = |label: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {label:<8}{value}");
        };
        if let Some(rule) = &decision.rule {
            line("rule", &format!("{} ({})", rule.text, rule.origin));
        }
        for note in &self.notes {
            line("note", note);
        }
        if let Some(remedy) = &decision.remedy {
            if let (Verdict::Private, Some(option)) = (decision.verdict, &remedy.option) {
                let done = if option.starts_with("--write") { "write" } else { "read" };
                line("note", &format!("to let the inside {done} the host's own:"));
            }
            let parts = [("allow", &remedy.option), ("or", &remedy.policy_line), ("way out", &remedy.note)];
            for (label, value) in parts {
                if let Some(value) = value {
                    line(label, value);
                }
            }
        }
        text
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
