//! `bailiwick run`: a command inside its bailiwick.

mod messages;

use std::fs::File;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use bailiwick::linux::api::Tier;
use bailiwick::policy::text::escape;
use bailiwick::report::{Event, Report, open_descriptor, open_file};
use bailiwick::{Blank, Prepared, SandboxError};

use super::common::sandbox;
use crate::args::Parsed;
use crate::args::table::Opt;
use crate::failure::Failure;
use crate::gate::gatekeeper;
use messages::{Messages, Volume};

pub(crate) fn run(parsed: &Parsed, blank: Option<Blank>) -> Result<u8, Failure> {
    let volume = Volume::of(parsed);
    // Opened first of all, so that an embedding program hears of everything that goes wrong from here on.
    let watcher = parsed.value(Opt::ReportFd).map(descriptor).transpose()?;
    let refused = |error: SandboxError| {
        let failure = Failure::new(error);
        if let (Some(file), Failure::Told(why)) = (&watcher, &failure) {
            tell_refusal(file, why);
        }
        failure
    };
    // Never dropped: when the run has ended, so does the program, and the kernel takes all of its memory at once.
    let prepared = ManuallyDrop::new(sandbox(parsed)?.prepare().map_err(refused)?);
    let mut messages = Messages::new(volume);
    let mut report = Report::new();
    if let Some(path) = parsed.value(Opt::Report) {
        report = report.to(report_file(Path::new(path), &prepared)?);
    }
    if let Some(file) = &watcher {
        report = report.to(file.try_clone().map_err(Failure::new)?);
    }
    let mut report = report.watched(|event| messages.hear(event));
    let outcome = gatekeeper(&prepared).and_then(|gatekeeper| {
        prepared.run_in(blank, gatekeeper, parsed.positionals.clone(), &mut report).map_err(Failure::new)
    });
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(failure) => {
            if let Failure::Told(why) = &failure {
                report.record(&Event::Refused { why: why.clone() });
            }
            return Err(failure);
        }
    };
    let failure = report.failure();
    drop(report);
    if let Some(why) = failure {
        messages.say(&format!("the report is not whole: {why}"));
    }
    messages.end();
    Ok(outcome.exit_code())
}

/// Starts making namespaces while the command line and the policy are read. That there are none shows when they are needed; where
/// they are not wanted, they end.
pub(super) fn blank() -> Option<Blank> {
    Blank::start(Tier::Namespaces, crate::memory::region()).ok()
}

fn descriptor(value: &std::ffi::OsStr) -> Result<File, Failure> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    let number = number.ok_or_else(|| Failure::Told(format!("--report-fd: `{}` is no descriptor", escape(value))))?;
    open_descriptor(number).map_err(Failure::new)
}

fn tell_refusal(file: &File, why: &str) {
    if let Ok(file) = file.try_clone() {
        Report::new().to(file).record(&Event::Refused { why: why.to_owned() });
    }
}

/// Opens the report's file, unless the inside could change it: then it would be worth nothing.
fn report_file(path: &Path, prepared: &Prepared) -> Result<File, Failure> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let shown = escape(path.as_os_str());
    let folder = parent.canonicalize().map_err(|error| {
        Failure::Told(format!("opening the report file `{shown}`: its directory cannot be found: {error}"))
    })?;
    let name = path.file_name().map(|name| folder.join(name));
    let place: PathBuf = name.ok_or_else(|| Failure::Told(format!("--report: `{shown}` names no file")))?;
    if prepared.inside_may_change(&place) {
        return Err(Failure::Told(format!(
            "the report file `{shown}` lies where the command inside can change it, so it would prove nothing; name a \
             file outside the writable directories"
        )));
    }
    open_file(&place).map_err(Failure::new)
}
