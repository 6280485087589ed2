//! The diagnosis as text.

use std::fmt::Write as _;

use bailiwick::linux::facts::Facts;
use bailiwick::policy::guarantee::{Guarantee, Strength};

use super::hard_links::{Findings, MOST_NAMES};
use super::{Diagnosis, Here, TierPromises};
use crate::render::style::Style;
use crate::render::wrap::wrap;

const WIDTH: usize = 96;

/// The whole answer.
pub(super) fn show(diagnosis: &Diagnosis, style: Style) -> String {
    let mut out = format!("bailiwick {} on {}\n", diagnosis.version, host(&diagnosis.facts));
    out.push_str(if diagnosis.for_the_policy_here {
        "What a run here would be promised, under the policy of this workspace:\n\n"
    } else {
        "What a run could be promised on this host:\n\n"
    });
    table(&mut out, &diagnosis.tiers, style);
    for tier in &diagnosis.tiers {
        lacks(&mut out, tier, style);
    }
    here(&mut out, &diagnosis.here, style);
    let _ = writeln!(out, "\n{}", style.bold("Places"));
    for place in &diagnosis.paths {
        let missing = if place.exists { "" } else { " (not there)" };
        let _ = writeln!(out, "  {:<26}{}{missing}", place.what, place.path);
    }
    out
}

fn host(facts: &Facts) -> String {
    let mut text = format!("Linux {}, user {}", facts.kernel, facts.uid);
    text.push_str(&match facts.landlock_abi {
        0 => ", no Landlock".to_owned(),
        abi => format!(", Landlock ABI {abi}"),
    });
    if !facts.seccomp {
        text.push_str(", no system-call filters");
    }
    if let Some(container) = &facts.container {
        let _ = write!(text, ", in {}", container.name());
    }
    if let Some(wsl) = facts.wsl {
        let _ = write!(text, ", WSL {}", wsl.version);
    }
    text
}

/// Tiers × guarantees.
fn table(out: &mut String, tiers: &[TierPromises], style: Style) {
    let mut head = format!("{:<20}", "guarantee");
    for tier in tiers {
        let _ = write!(head, "{:<12}", tier.tier.name());
    }
    let _ = writeln!(out, "{}", style.bold(head.trim_end()));
    for guarantee in Guarantee::ALL {
        let mut row = format!("{:<20}", guarantee.name());
        for tier in tiers {
            let promise = tier.promises.iter().find(|promise| promise.guarantee == guarantee);
            let strength = promise.map_or(Strength::Lacks, |promise| promise.strength);
            let word = format!("{:<12}", strength.name());
            row.push_str(&match strength {
                Strength::Holds => style.good(&word),
                Strength::Detects => style.middling(&word),
                Strength::Lacks => style.bad(&word),
            });
        }
        let _ = writeln!(out, "{}", row.trim_end());
    }
}

/// Why each one is lacking; once for the whole tier where it cannot be entered at all.
fn lacks(out: &mut String, tier: &TierPromises, style: Style) {
    let name = tier.tier.name();
    if let Some(obstacle) = &tier.obstacle {
        let _ = writeln!(out, "\n{}", style.bold(&format!("{name} cannot be entered here")));
        let _ = writeln!(out, "{}", wrap(&obstacle.why, 2, WIDTH));
        verbatim(out, &obstacle.remedy);
        return;
    }
    let _ = writeln!(out, "\n{}", style.bold(&format!("What {name} does not hold, and why")));
    for promise in tier.promises.iter().filter(|promise| promise.strength != Strength::Holds) {
        let _ = writeln!(out, "  {} {}:", promise.guarantee, promise.strength.name());
        let _ = writeln!(out, "{}", wrap(&promise.reason, 4, WIDTH));
        if let Some(remedy) = &promise.remedy {
            let _ = writeln!(out, "{}", wrap(&format!("What would supply it: {remedy}"), 4, WIDTH));
        }
    }
}

/// Text that may hold files to copy: its lines stay as they are.
fn verbatim(out: &mut String, text: &str) {
    for line in text.lines() {
        let _ = writeln!(out, "  {line}");
    }
}

fn here(out: &mut String, here: &Here, style: Style) {
    let _ = writeln!(out, "\n{}", style.bold("Here"));
    let _ = writeln!(out, "  workspace {}", here.workspace);
    if let Some(tier) = here.tier {
        let _ = writeln!(out, "  a run takes the tier {}", tier.name());
    }
    if !here.accepted.is_empty() {
        let _ = writeln!(out, "  and loses, as the policy accepts: {}", here.accepted.join(", "));
    }
    if let Some(refusal) = &here.refusal {
        let _ = writeln!(out, "  {}", style.bad("a run is refused:"));
        for line in refusal.lines() {
            let _ = writeln!(out, "    {line}");
        }
    }
    if let Some(findings) = &here.hard_links {
        hard_links(out, findings);
    }
}

fn hard_links(out: &mut String, findings: &Findings) {
    let looked = format!("{} looked at", count(findings.looked_at, "name"));
    if findings.outside == 0 {
        let _ = writeln!(out, "  no file of the workspace has a hard link outside it ({looked})");
    } else {
        let text = format!(
            "{} of the workspace with a hard link outside it, or under a name not looked at ({looked}). What a run writes to \
             such a file is written there too; to part the two, copy it over itself (cp FILE FILE.new && mv FILE.new FILE), \
             or `protect` it:",
            count(findings.outside, "file")
        );
        let _ = writeln!(out, "{}", wrap(&text, 2, WIDTH));
        for path in &findings.first {
            let _ = writeln!(out, "    {}", bailiwick::policy::text::escape(path.as_os_str()));
        }
    }
    if findings.stopped {
        let _ = writeln!(out, "  there are more than {MOST_NAMES} names; the rest was not looked at");
    }
    if findings.unreadable > 0 {
        let _ = writeln!(out, "  {} could not be read", count(findings.unreadable, "directory"));
    }
}

/// `1 file`, `2 files`.
fn count(number: u64, what: &str) -> String {
    match (number, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {what}s"),
    }
}

#[cfg(test)]
mod tests;
