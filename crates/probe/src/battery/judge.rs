//! What happened, as seen from outside.

use std::io::Read;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::{Ended, GLANCE, killed_by_filter, report_of};
use crate::attack::{Attack, Proof};
use crate::attacks::limits::GROWN;
use crate::decoys::Decoys;
use crate::outcome::Outcome;
use crate::sys::terminal;

/// What one run of one attack came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", content = "how", rename_all = "kebab-case")]
pub enum Finding {
    /// It worked.
    Breached(String),
    /// It was refused, or worked only on a private copy.
    Held(String),
    /// It worked and was undone.
    Detected(String),
    /// It means nothing here.
    Inapplicable(String),
    /// It cannot be told: the attack did not report. Never taken for a success of the boundary.
    Unclear(String),
}

/// What the harness itself saw.
enum Seen {
    Breach(String),
    Nothing,
    /// Only the inside can see it.
    Unseen,
}

pub(super) fn judge(attack: &Attack, decoys: &mut Decoys, ended: &Ended, survivor: bool, grace: Duration) -> Finding {
    let outcome = report_of(decoys);
    let seen = look(attack, decoys, outcome.as_ref(), survivor, grace);
    match (seen, outcome) {
        (Seen::Breach(what), _) => Finding::Breached(what),
        (_, Some(Outcome::Inapplicable { why })) => Finding::Inapplicable(why),
        (_, Some(Outcome::Held { how })) => Finding::Held(how),
        (Seen::Unseen, Some(Outcome::Breached { evidence })) => Finding::Breached(evidence),
        (Seen::Nothing, Some(Outcome::Breached { .. })) if attack.proof == Proof::Absent => {
            Finding::Detected("the name was created and is gone".to_owned())
        }
        (Seen::Nothing, Some(Outcome::Breached { .. })) => Finding::Held(illusion(attack.proof).to_owned()),
        (Seen::Nothing, None) if matches!(ended, Ended::Killed) => {
            Finding::Held("nothing outlived the launcher".to_owned())
        }
        (_, None) if killed_by_filter(ended) => Finding::Held("killed by a filter".to_owned()),
        (_, None) => Finding::Unclear(no_report(ended, decoys)),
    }
}

/// Why what worked inside is no breach.
fn illusion(proof: Proof) -> &'static str {
    match proof {
        Proof::Secret => "what was read holds no secret",
        Proof::Survivor | Proof::SurvivorOfKill => "it died with the run",
        Proof::TerminalInput | Proof::TerminalOutput(_) => "it did not reach the caller's terminal",
        _ => "it worked on something else than the host's",
    }
}

/// Why there may be no report.
fn no_report(ended: &Ended, decoys: &Decoys) -> String {
    let how = match ended {
        Ended::With(status) => status.to_string(),
        Ended::Late => "did not end in time".to_owned(),
        Ended::Killed => "was killed".to_owned(),
    };
    let complaint = decoys.complaint();
    format!("no report: {how}; {complaint}")
}

fn seen(breach: Option<String>) -> Seen {
    breach.map_or(Seen::Nothing, Seen::Breach)
}

/// Looks where the attack's proof would be.
fn look(attack: &Attack, decoys: &mut Decoys, outcome: Option<&Outcome>, survivor: bool, grace: Duration) -> Seen {
    match attack.proof {
        Proof::Answer => Seen::Unseen,
        Proof::Tree => seen(decoys.changes()),
        Proof::Secret => match outcome {
            Some(Outcome::Breached { evidence }) if decoys.is_told_in(evidence) => {
                Seen::Breach("a secret was read".to_owned())
            }
            _ => Seen::Nothing,
        },
        Proof::Received => seen(decoys.received().map(|ear| format!("{ear} was reached"))),
        Proof::Process => seen(decoys.harm()),
        Proof::Survivor | Proof::SurvivorOfKill => seen(survivor.then(|| "a process lives on".to_owned())),
        Proof::Absent => seen(lingering(decoys, grace)),
        Proof::TerminalInput => seen(typed(decoys).then(|| "the terminal has input that nobody typed".to_owned())),
        Proof::TerminalOutput(needle) => {
            seen(contains(&shown(decoys), needle).then(|| "the terminal was sent it".to_owned()))
        }
        Proof::Grown => seen(grown(decoys)),
    }
}

/// The names that are still there after the grace.
fn lingering(decoys: &Decoys, grace: Duration) -> Option<String> {
    let start = Instant::now();
    loop {
        let there = decoys.appeared();
        if there.is_empty() {
            return None;
        }
        if start.elapsed() >= grace {
            return Some(format!("{} exists", there.join(", ")));
        }
        std::thread::sleep(GLANCE);
    }
}

/// What the caller's terminal was sent.
fn shown(decoys: &mut Decoys) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some((person, _)) = &mut decoys.terminal {
        // It does not block: the end is an error, and what came before it is kept.
        let _ = person.read_to_end(&mut bytes);
    }
    bytes
}

/// Whether the marker waits in the terminal's input, or was echoed as if typed.
fn typed(decoys: &mut Decoys) -> bool {
    let marker = decoys.stage.marker.clone().into_bytes();
    let echoed = contains(&shown(decoys), &marker);
    let Some((_, program)) = &mut decoys.terminal else { return false };
    let waiting = terminal::waiting(program).unwrap_or(0);
    let mut bytes = vec![0; waiting];
    // Reads what is there and no more, so it does not block.
    let got = if waiting > 0 { program.read(&mut bytes).unwrap_or(0) } else { 0 };
    echoed || contains(bytes.get(..got).unwrap_or_default(), &marker)
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len().max(1)).any(|window| window == needle)
}

/// Whether the file is larger than the limit.
fn grown(decoys: &Decoys) -> Option<String> {
    let limit = decoys.stage.limits?.file_size;
    let size = std::fs::symlink_metadata(decoys.stage.workspace.join(GROWN)).ok()?.len();
    (size > limit).then(|| format!("a file of {size} bytes"))
}
