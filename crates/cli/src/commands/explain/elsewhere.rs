//! `bailiwick explain --as windows:TIER --facts FILE`: the same question about a described Windows machine, asked anywhere.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;

use bailiwick::policy::decide::Verdict;
use bailiwick::policy::explain::Verb;
use bailiwick::policy::text::escape;
use bailiwick_windows::explain::{Outcome, explain};
use bailiwick_windows::facts::{Facts, LARGEST};
use bailiwick_windows::profile;
use bailiwick_windows::target::{Asked, Target};
use bailiwick_windows::tier::Tier;

use super::super::common::sandbox;
use super::super::{NO, YES, answer, answer_json};
use super::coloured;
use crate::args::Parsed;
use crate::args::table::Opt;
use crate::failure::Failure;
use crate::render::style::Style;

/// The exit status where the tier would not do what the policy says.
const OTHERWISE: u8 = 3;

/// The profile that a run uses where none is named.
const PROFILE: &str = "workspace";

/// A described machine and the tier that is asked about.
pub(super) struct Machine {
    tier: Tier,
    facts: Facts,
}

impl Machine {
    /// The machine, if the question is about one.
    pub(super) fn asked_for(parsed: &Parsed) -> Result<Option<Machine>, Failure> {
        let (name, file) = match (parsed.value(Opt::As), parsed.value(Opt::Facts)) {
            (None, None) => return Ok(None),
            (Some(name), Some(file)) => (name, file),
            (Some(_), None) => {
                return Err(Failure::new(
                    "--as needs `--facts FILE`, the description of the machine, which `bailiwick doctor --record` writes on Windows",
                ));
            }
            (None, Some(_)) => {
                return Err(Failure::new(
                    "--facts needs `--as TIER`, the tier that is asked about, as `windows:account`",
                ));
            }
        };
        Ok(Some(Machine { tier: tier(name)?, facts: read(file)? }))
    }

    /// Answers.
    pub(super) fn explain(&self, parsed: &Parsed, verb: Verb) -> Result<u8, Failure> {
        let target = self.target(parsed)?;
        let explanation = explain(&target, &self.facts, verb, parsed.positional(1)).map_err(Failure::new)?;
        let verdict = explanation.policy.decision.verdict;
        if parsed.flag(Opt::Json) {
            answer_json(&explanation)?;
        } else {
            answer(&coloured(&explanation.to_text(), verdict, Style::stdout()))?;
        }
        Ok(match (explanation.enforcement.outcome, verdict) {
            (Outcome::AsDecided, Verdict::Allowed) => YES,
            (Outcome::AsDecided, _) => NO,
            _ => OTHERWISE,
        })
    }

    /// The policy resolved on that machine: a built-in profile and the options, since no policy file of this machine is one there.
    fn target(&self, parsed: &Parsed) -> Result<Target, Failure> {
        if parsed.value(Opt::Tier).is_some() {
            return Err(Failure::new("--as names the tier already; take --tier out"));
        }
        let request = sandbox(parsed)?.request().map_err(Failure::new)?;
        let name = request.profile.as_deref().unwrap_or(PROFILE);
        let policy = profile::policy(name, self.tier, None, Some(request.options)).map_err(Failure::new)?;
        let policy = policy.ok_or_else(|| {
            let name = escape(OsStr::new(name));
            Failure::new(format!("`{name}` is not a built-in profile, and --as knows no others: profiles of yours are files of this machine"))
        })?;
        let workspace = parsed.value(Opt::Workspace).ok_or_else(|| {
            Failure::new(
                "--as needs `--workspace DIR`, the directory of the project on that machine, as `C:\\src\\shop`",
            )
        })?;
        let workspace = self.facts.known(None).parse_os(workspace).map_err(Failure::new)?;
        let asked = Asked { current_dir: workspace.clone(), workspace, tier: self.tier };
        Target::resolve(&policy, &self.facts, &asked).map_err(Failure::new)
    }
}

fn tier(name: &OsStr) -> Result<Tier, Failure> {
    let known = Tier::ALL.into_iter().find(|tier| name.to_str() == Some(&format!("windows:{tier}")));
    known.ok_or_else(|| {
        let tiers = Tier::ALL.map(|tier| format!("windows:{tier}")).join(", ");
        Failure::new(format!("--as is one of {tiers}, not `{}`", escape(name)))
    })
}

/// Reads a description. It may be anybody's, so it is read up to a size and no further.
fn read(path: &OsStr) -> Result<Facts, Failure> {
    let shown = escape(path);
    let wrong = |what: &str, error: &dyn std::fmt::Display| Failure::new(format!("{what} `{shown}`: {error}"));
    let most = u64::try_from(LARGEST).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|error| wrong("reading the description of the machine,", &error))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        let text = "it is not UTF-8 (a redirection in Windows PowerShell writes UTF-16): save it as UTF-8";
        wrong("reading the description of the machine,", &text)
    })?;
    Facts::parse(&text).map_err(|error| wrong("in", &error))
}
