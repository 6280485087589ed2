//! `bailiwick doctor`: what this host can guarantee, what is missing, and how to get it.

mod hard_links;
mod text;

use std::path::{Path, PathBuf};

use bailiwick::linux::api::Tier;
use bailiwick::linux::facts::Facts;
use bailiwick::linux::promises::{Obstacle, obstacle, promises};
use bailiwick::policy::boundary::Boundary;
use bailiwick::policy::guarantee::Promise;
use bailiwick::policy::text::escape;
use bailiwick::tier::choose;
use bailiwick::{Sandbox, SandboxError};
use serde::Serialize;

use super::common::sandbox;
use super::{NO, YES, answer, answer_json};
use crate::args::Parsed;
use crate::args::table::Opt;
use crate::failure::Failure;
use crate::render::style::Style;
use hard_links::Findings;

/// Everything that `doctor` found out.
#[derive(Debug, Serialize)]
struct Diagnosis {
    version: &'static str,
    facts: Facts,
    /// Whether the promises are those for the policy here, or for any.
    for_the_policy_here: bool,
    tiers: Vec<TierPromises>,
    here: Here,
    paths: Vec<Place>,
}

/// One tier on this host.
#[derive(Debug, Serialize)]
struct TierPromises {
    tier: Tier,
    #[serde(skip_serializing_if = "Option::is_none")]
    obstacle: Option<Obstacle>,
    promises: Vec<Promise>,
}

/// This workspace under its policy.
#[derive(Debug, Serialize)]
struct Here {
    /// The workspace, escaped for printing.
    workspace: String,
    /// The tier that a run would take.
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<Tier>,
    /// Guarantees that it would not keep, as accepted in the policy.
    accepted: Vec<&'static str>,
    /// Why a run would be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    /// Files of the workspace with a name outside it; only where there is a boundary, since another directory is none of
    /// bailiwick's business.
    #[serde(skip_serializing_if = "Option::is_none")]
    hard_links: Option<Findings>,
}

/// A place that bailiwick uses.
#[derive(Debug, Serialize)]
struct Place {
    what: &'static str,
    /// Escaped for printing.
    path: String,
    exists: bool,
}

pub(crate) fn doctor(parsed: &Parsed) -> Result<u8, Failure> {
    let sandbox = sandbox(parsed)?;
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("bailiwick"));
    let facts = Facts::probe(&program);
    let boundary = sandbox.boundary();
    let known = boundary.as_ref().ok();
    let diagnosis = Diagnosis {
        version: env!("CARGO_PKG_VERSION"),
        tiers: Tier::ALL
            .into_iter()
            .map(|tier| TierPromises {
                tier,
                obstacle: obstacle(tier, &facts),
                promises: promises(tier, &facts, known),
            })
            .collect(),
        for_the_policy_here: known.is_some(),
        here: here(&sandbox, &boundary, &facts),
        paths: places(&sandbox, &program),
        facts,
    };
    if parsed.flag(Opt::Json) {
        answer_json(&diagnosis)?;
    } else {
        answer(&text::show(&diagnosis, Style::stdout()))?;
    }
    Ok(if diagnosis.here.refusal.is_none() { YES } else { NO })
}

fn here(sandbox: &Sandbox, boundary: &Result<Boundary, SandboxError>, facts: &Facts) -> Here {
    let directory = sandbox.workspace_directory();
    let mut here = Here {
        workspace: escape(directory.as_os_str()),
        tier: None,
        accepted: Vec::new(),
        refusal: None,
        hard_links: None,
    };
    let boundary = match boundary {
        Ok(boundary) => boundary,
        Err(error) => {
            here.refusal = Some(error.to_string());
            return here;
        }
    };
    match choose(boundary, facts) {
        Ok(choice) => {
            here.tier = Some(choice.tier);
            here.accepted = choice.accepted.iter().map(|loss| loss.promise.guarantee.name()).collect();
        }
        Err(refusal) => here.refusal = Some(refusal.to_string()),
    }
    here.hard_links = Some(hard_links::scan(&boundary.workspace, hard_links::MOST_NAMES));
    here
}

fn places(sandbox: &Sandbox, program: &Path) -> Vec<Place> {
    let host = sandbox.host();
    let trust = host.state_dir.join("trust");
    let quarantine = host.state_dir.join("quarantine");
    let list: [(&'static str, &Path); 6] = [
        ("program", program),
        ("administrator's policy", &host.admin_file),
        ("your policy and profiles", &host.config_dir),
        ("private homes", &host.data_dir),
        ("trusted project files", &trust),
        ("quarantine", &quarantine),
    ];
    let place =
        |(what, path): (&'static str, &Path)| Place { what, path: escape(path.as_os_str()), exists: path.exists() };
    list.map(place).into()
}
