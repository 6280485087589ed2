//! What each command does.

mod common;
mod completions;
#[cfg(target_os = "linux")]
mod doctor;
mod explain;
mod man;
mod policy;
mod record;
#[cfg(target_os = "linux")]
mod run;
mod trust;

use std::ffi::OsString;
use std::io::Write;

use crate::args::Parsed;
use crate::args::help;
use crate::args::table::{Cmd, Opt};
use crate::failure::Failure;
use crate::render::style::Style;

/// The exit status of an answer that is yes.
pub(crate) const YES: u8 = 0;
/// The exit status of an answer that is no.
pub(crate) const NO: u8 = 1;

/// What is begun before the command line has been read as a whole. If it comes to nothing, dropping this ends it.
#[derive(Default)]
pub(crate) struct Begun {
    #[cfg(target_os = "linux")]
    blank: Option<bailiwick::Blank>,
}

impl Begun {
    /// Begins what the first word makes likely.
    pub(crate) fn by(word: Option<&OsString>) -> Begun {
        match word {
            #[cfg(target_os = "linux")]
            Some(word) if word == "run" => Begun { blank: run::blank() },
            _ => Begun::default(),
        }
    }
}

/// Does what the command line asks, and gives the exit status.
pub(crate) fn dispatch(parsed: &Parsed, begun: Begun) -> Result<u8, Failure> {
    #[cfg(not(target_os = "linux"))]
    let Begun {} = begun;
    if parsed.flag(Opt::Help) {
        answer(&help::help(parsed.command, Style::stdout()))?;
        return Ok(0);
    }
    if parsed.flag(Opt::Version) {
        answer(&format!("bailiwick {}\n", env!("CARGO_PKG_VERSION")))?;
        return Ok(0);
    }
    match parsed.command.cmd {
        Cmd::Doctor if record::is_asked_for(parsed) => record::record(parsed),
        #[cfg(target_os = "linux")]
        Cmd::Run => run::run(parsed, begun.blank),
        #[cfg(target_os = "linux")]
        Cmd::Doctor => doctor::doctor(parsed),
        #[cfg(not(target_os = "linux"))]
        Cmd::Run | Cmd::Doctor => Err(Failure::new(bailiwick::SandboxError::NotYet)),
        Cmd::Explain => explain::explain(parsed),
        Cmd::PolicyShow => policy::show(parsed),
        Cmd::PolicyCheck => policy::check(parsed),
        Cmd::PolicySchema => policy::schema(),
        Cmd::Trust => trust::trust(parsed),
        Cmd::Completions => completions::completions(parsed),
        Cmd::Man => man::man(),
        // The parser asks for one of the commands below them.
        Cmd::Root | Cmd::Policy => Err(Failure::new("a command is missing; `bailiwick --help` lists them")),
    }
}

/// Writes an answer to standard output.
pub(crate) fn answer(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Writes an answer for programs to standard output.
pub(crate) fn answer_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value).map_err(Failure::new)?;
    text.push('\n');
    answer(&text)
}
