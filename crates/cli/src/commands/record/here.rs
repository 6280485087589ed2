//! Recording on Windows itself.

use std::fs;
use std::io::Write;
use std::path::Path;

use bailiwick::policy::text::escape;
use bailiwick_windows::record::checks::{QUESTIONS, record_checks, source};
use bailiwick_windows::record::{Machine, describe};
use bailiwick_windows::sys::Here;

use crate::args::Parsed;
use crate::args::table::Opt;
use crate::commands::{NO, YES, answer};
use crate::failure::Failure;

/// `--record`: the description of this machine for the workspace.
pub(super) fn facts(parsed: &Parsed) -> Result<u8, Failure> {
    let workspace = parsed.value(Opt::Workspace).map_or(Path::new("."), Path::new);
    let resolved = Here.resolve(workspace);
    let resolved = resolved
        .map_err(|error| Failure::new(format!("finding the workspace `{}`: {error}", escape(workspace.as_os_str()))))?;
    let recorded =
        describe(&Here, &resolved).map_err(|error| Failure::new(format!("recording this machine: {error}")))?;
    for note in &recorded.notes {
        remark(note);
    }
    let facts = &recorded.facts;
    let said = format!(
        "{}: {} places, {} of them open to every account, {} hard links; it names you, your groups and your directories",
        facts.system,
        facts.objects.len(),
        facts.open_to_all.len(),
        facts.hard_links.len()
    );
    deliver(parsed, recorded.text.as_bytes(), &said)?;
    Ok(YES)
}

/// `--record-corpus`: what this Windows answers to access checks.
pub(super) fn corpus(parsed: &Parsed) -> Result<u8, Failure> {
    let system = Here.system().map_err(Failure::new)?;
    let recorded = record_checks(&Here, &source(&system), QUESTIONS)
        .map_err(|error| Failure::new(format!("recording access checks: {error}")))?;
    for (name, outcome) in &recorded.variants {
        remark(&format!("{name}: {outcome}"));
    }
    let said = format!("{}; it holds the SIDs of you and your groups, and no names", recorded.replay);
    deliver(parsed, &recorded.text, &said)?;
    Ok(if recorded.replay.agrees() { YES } else { NO })
}

/// Writes the whole recording at once, to FILE or to standard output, and then says what it is.
fn deliver(parsed: &Parsed, text: &[u8], said: &str) -> Result<(), Failure> {
    let file = parsed.positional(0);
    if file.is_empty() {
        let mut out = std::io::stdout().lock();
        out.write_all(text)?;
        out.flush()?;
        remark(said);
        return Ok(());
    }
    fs::write(file, text).map_err(|error| Failure::new(format!("writing `{}`: {error}", escape(file))))?;
    answer(&format!("{}: {said}\n", escape(file)))
}

/// A remark on standard error, which may be closed.
fn remark(text: &str) {
    let _ = writeln!(std::io::stderr(), "bailiwick: {text}");
}
