//! `bailiwick policy check`: what is wrong with policy files, with file and line.

use std::path::{Path, PathBuf};

use bailiwick::policy::document::{Document, Keeper, read_file};
use bailiwick::policy::merge::PROJECT_FILE;
use bailiwick::policy::origin::{Layer, Source};
use bailiwick::policy::text::escape;
use serde::Serialize;

use super::super::common::sandbox;
use super::super::{NO, YES, answer, answer_json};
use crate::args::Parsed;
use crate::args::table::Opt;
use crate::failure::Failure;

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Findings {
    /// The files that were read, escaped for printing.
    files: Vec<String>,
    /// What is wrong.
    problems: Vec<Finding>,
    /// What is written and does not take effect, and what else there is to know.
    remarks: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Finding {
    /// File and line, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    text: String,
}

impl Finding {
    fn anywhere(text: impl ToString) -> Finding {
        Finding { place: None, text: text.to_string() }
    }

    fn line(&self) -> String {
        match &self.place {
            Some(place) => format!("{place}: {}\n", self.text),
            None => format!("{}\n", self.text),
        }
    }
}

pub(crate) fn check(parsed: &Parsed) -> Result<u8, Failure> {
    let findings = match parsed.positionals.first() {
        Some(file) => check_file(parsed, Path::new(file))?,
        None => check_all(parsed)?,
    };
    if parsed.flag(Opt::Json) {
        answer_json(&findings)?;
    } else {
        answer(&text(&findings))?;
    }
    Ok(if findings.problems.is_empty() { YES } else { NO })
}

fn text(findings: &Findings) -> String {
    let mut text: String = findings.problems.iter().chain(&findings.remarks).map(Finding::line).collect();
    if findings.problems.is_empty() {
        let files = if findings.files.is_empty() { "no policy file".to_owned() } else { findings.files.join(", ") };
        text.push_str(&format!("{files}: all is well\n"));
    }
    text
}

/// One file, taken for what its place makes it.
fn check_file(parsed: &Parsed, file: &Path) -> Result<Findings, Failure> {
    let host = bailiwick::host::collect().map_err(Failure::new)?;
    let path = host.current_dir.join(file);
    let (layer, keeper) = if path == host.admin_file {
        (Layer::Administrator, Keeper::Only(0))
    } else if path.file_name().is_some_and(|name| name == PROJECT_FILE) {
        (Layer::Project, Keeper::Anybody)
    } else if path.starts_with(&host.config_dir) {
        (Layer::User, Keeper::User(host.uid))
    } else {
        (Layer::User, Keeper::Anybody)
    };
    let mut findings = Findings { files: vec![escape(file.as_os_str())], ..Findings::default() };
    match read_file(&path, keeper) {
        Err(error) => findings.problems.push(Finding::anywhere(error)),
        Ok(None) => {
            let text = format!("`{}`: there is no such file", escape(path.as_os_str()));
            findings.problems.push(Finding::anywhere(text));
        }
        Ok(Some(bytes)) => {
            // A document names itself as it was named here, so that editors find the line.
            if let Err(error) = Document::parse_bytes(&bytes, Source::File(file.to_owned()), layer) {
                let wrong = error.problems.into_iter();
                findings.problems.extend(
                    wrong.map(|problem| Finding { place: Some(problem.origin.to_string()), text: problem.text }),
                );
            }
        }
    }
    // The profile that a document extends and the paths that it names are looked up where it takes effect.
    if findings.problems.is_empty() && layer != Layer::User {
        resolve(parsed, &mut findings)?;
    }
    Ok(findings)
}

/// Every file that a run here would read, and whether they make a boundary.
fn check_all(parsed: &Parsed) -> Result<Findings, Failure> {
    let mut findings = Findings::default();
    resolve(parsed, &mut findings)?;
    Ok(findings)
}

/// Merges and resolves as a run would; nothing is started.
fn resolve(parsed: &Parsed, findings: &mut Findings) -> Result<(), Failure> {
    let sandbox = sandbox(parsed)?;
    let policy = match sandbox.policy() {
        Ok(policy) => policy,
        Err(error) => {
            findings.problems.push(Finding::anywhere(error));
            return Ok(());
        }
    };
    if findings.files.is_empty() {
        let there = policy.documents.iter().chain([&sandbox.host().admin_file]).filter(|path| path.is_file());
        let there: Vec<&PathBuf> = there.collect();
        findings.files = there.iter().map(|path| escape(path.as_os_str())).collect();
    }
    match policy.resolve(sandbox.host(), sandbox.workspace_directory()) {
        Err(error) => findings.problems.push(Finding::anywhere(error)),
        Ok(boundary) => findings.remarks.extend(
            boundary
                .notices
                .into_iter()
                .map(|notice| Finding { place: notice.origin.map(|origin| origin.to_string()), text: notice.text }),
        ),
    }
    Ok(())
}
