//! `bailiwick trust`: the workspace's own policy file, by its content.

use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal, Read, Write};

use bailiwick::Sandbox;
use bailiwick::policy::merge::{Layers, Request};
use bailiwick::policy::policy::NoticeKind;
use bailiwick::policy::text::escape;
use bailiwick::policy::trust::{Candidate, Trust, TrustOutcome};
use serde::Serialize;

use super::common::sandbox;
use super::{YES, answer, answer_json};
use crate::args::Parsed;
use crate::args::table::Opt;
use crate::failure::Failure;
use crate::render::style::Style;

/// What there is to decide about.
#[derive(Debug, Serialize)]
struct Matter {
    /// The file, escaped for printing.
    file: String,
    sha256: String,
    /// What it would widen, a sentence for each rule.
    widens: Vec<String>,
    trusted: bool,
    #[serde(skip)]
    lines: Vec<String>,
}

pub(crate) fn trust(parsed: &Parsed) -> Result<u8, Failure> {
    let sandbox = sandbox(parsed)?;
    let record = Trust::of(sandbox.host());
    if parsed.flag(Opt::Forget) {
        return forget(parsed, &sandbox, &record);
    }
    let candidate = Candidate::read(sandbox.workspace_directory()).map_err(Failure::new)?;
    let mut matter = matter(&sandbox, &candidate, &record)?;
    let json = parsed.flag(Opt::Json);
    if !json {
        answer(&show(&matter, Style::stdout()))?;
    }
    if !parsed.flag(Opt::Show) && !matter.trusted {
        if !parsed.flag(Opt::Yes) && !asked(json)? {
            return Err(Failure::new("nothing was recorded; the file still only narrows the policy"));
        }
        let outcome = record.record(&candidate).map_err(Failure::new)?;
        matter.trusted = true;
        if !json {
            answer(match outcome {
                TrustOutcome::Already => "This content was trusted already.\n",
                TrustOutcome::New => "This content is trusted now, until it changes.\n",
                TrustOutcome::Replaced => "This content is trusted now, and what was trusted before no longer.\n",
            })?;
        }
    }
    if json {
        answer_json(&matter)?;
    }
    Ok(YES)
}

fn forget(parsed: &Parsed, sandbox: &Sandbox, record: &Trust) -> Result<u8, Failure> {
    let forgotten = record.forget(sandbox.workspace_directory()).map_err(Failure::new)?;
    if parsed.flag(Opt::Json) {
        answer_json(&serde_json::json!({ "forgotten": forgotten }))?;
    } else {
        answer(if forgotten { "It is trusted no longer.\n" } else { "Nothing was trusted for this workspace.\n" })?;
    }
    Ok(YES)
}

fn matter(sandbox: &Sandbox, candidate: &Candidate, record: &Trust) -> Result<Matter, Failure> {
    let trusted = record.holds(&candidate.workspace, candidate.digest).map_err(Failure::new)?;
    let request = Request {
        profile: None,
        workspace: candidate.workspace.clone(),
        options: bailiwick::policy::document::Document::options(),
    };
    let mut layers = Layers::read(sandbox.host(), &request).map_err(Failure::new)?;
    // What it would widen is what is ignored while it is not trusted.
    match &mut layers.project {
        Some(project) if project.document == candidate.document => project.trusted = false,
        _ => return Err(Failure::new("the file changed while it was being read; nothing was recorded, look again")),
    }
    let widens = layers.merge().notices.into_iter().filter(|notice| notice.kind == NoticeKind::IgnoredUntrusted);
    let widens = widens.map(|notice| {
        // That it is ignored as yet goes without saying here.
        let what = notice.text.split(" is ignored").next().unwrap_or_default();
        match notice.origin.and_then(|origin| origin.line) {
            Some(line) => format!("line {line}: {what}"),
            None => what.to_owned(),
        }
    });
    Ok(Matter {
        file: escape(candidate.file.as_os_str()),
        sha256: candidate.digest.to_string(),
        widens: widens.collect(),
        trusted,
        lines: candidate.text.lines().map(|line| escape(line.as_ref())).collect(),
    })
}

fn show(matter: &Matter, style: Style) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", style.bold(&matter.file));
    for (index, line) in matter.lines.iter().enumerate() {
        let number = style.dim(&format!("{:>4}", index + 1));
        let _ = writeln!(out, "{}", format!("{number}  {line}").trim_end());
    }
    let _ = writeln!(out, "sha256 {}\n", matter.sha256);
    if matter.widens.is_empty() {
        out.push_str("It widens nothing: it takes effect as it is, trusted or not.\n");
    } else {
        let _ = writeln!(out, "{}", style.bold("What it would widen:"));
        for text in &matter.widens {
            let _ = writeln!(out, "  {text}");
        }
    }
    if matter.trusted {
        out.push_str("This content is trusted.\n");
    }
    out
}

/// Asks on the terminal; refuses where there is none to ask on.
fn asked(json: bool) -> Result<bool, Failure> {
    if json || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::new(
            "there is no terminal to ask on, so nothing was recorded; look at the file, then say `bailiwick trust --yes`",
        ));
    }
    let mut err = std::io::stderr().lock();
    write!(err, "Trust exactly this content? [y/N] ")?;
    err.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().take(64).read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}
