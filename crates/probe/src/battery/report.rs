//! What the battery found.

use std::ffi::OsStr;
use std::fmt;

use bailiwick_policy::guarantee::Guarantee;
use bailiwick_policy::text::escape;
use serde::Serialize;

use super::Finding;
use crate::attack::Attack;

/// One attack: outside, inside, and what that means.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The attack's name.
    pub name: &'static str,
    /// The promise that it would break.
    pub guarantee: Guarantee,
    /// What it tries.
    pub summary: &'static str,
    /// What the control came to.
    pub control: Finding,
    /// What the attack came to; `None` where it was not run.
    pub inside: Option<Finding>,
    /// What that means.
    pub verdict: Verdict,
    /// Why a tier may keep its promise and still fall to this.
    pub residue: Option<&'static str>,
}

/// What an attack says about a boundary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "why", rename_all = "kebab-case")]
pub enum Verdict {
    /// The boundary withstood what succeeds outside.
    Held(String),
    /// It succeeded and was undone.
    Detected(String),
    /// It succeeded.
    Breached(String),
    /// It means nothing on this host.
    Skipped(String),
    /// It cannot be told, and counts as a failure.
    Unclear(String),
}

impl Verdict {
    /// The word shown to people.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Held(_) => "held",
            Verdict::Detected(_) => "detected",
            Verdict::Breached(_) => "BREACHED",
            Verdict::Skipped(_) => "skipped",
            Verdict::Unclear(_) => "UNCLEAR",
        }
    }

    /// How, or why.
    pub fn why(&self) -> &str {
        match self {
            Verdict::Held(why)
            | Verdict::Detected(why)
            | Verdict::Breached(why)
            | Verdict::Skipped(why)
            | Verdict::Unclear(why) => why,
        }
    }
}

/// Text of the inside, on one line, short enough for a table and safe to print.
fn safe(text: &str) -> String {
    const MOST: usize = 160;
    let short: String = text.chars().take(MOST).collect();
    escape(OsStr::new(&short))
}

impl Row {
    pub(super) fn new(attack: &Attack, control: Finding, inside: Option<Finding>) -> Self {
        let verdict = verdict(attack, &control, inside.as_ref());
        Row {
            name: attack.name,
            guarantee: attack.guarantee,
            summary: attack.summary,
            control,
            inside,
            verdict,
            residue: attack.residue,
        }
    }
}

fn verdict(attack: &Attack, control: &Finding, inside: Option<&Finding>) -> Verdict {
    match (control, inside) {
        (Finding::Breached(_), Some(inside)) => match inside {
            Finding::Breached(what) => Verdict::Breached(safe(what)),
            Finding::Held(how) => Verdict::Held(safe(how)),
            Finding::Detected(how) => Verdict::Detected(safe(how)),
            // What means something outside and nothing inside was taken away.
            Finding::Inapplicable(why) => Verdict::Held(safe(why)),
            Finding::Unclear(why) => Verdict::Unclear(safe(why)),
        },
        (Finding::Breached(_), None) => Verdict::Unclear("the attack was not run".to_owned()),
        (Finding::Unclear(why), _) => Verdict::Unclear(format!("the control: {}", safe(why))),
        (Finding::Held(how) | Finding::Inapplicable(how) | Finding::Detected(how), _) => match attack.unless {
            Some(needs) => Verdict::Skipped(format!("it fails outside too ({}): {needs}", safe(how))),
            None => Verdict::Unclear(format!("the control must succeed and did not: {}", safe(how))),
        },
    }
}

/// What the battery found, one row for each attack.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BatteryReport {
    /// In the order of the table of attacks.
    pub rows: Vec<Row>,
}

impl BatteryReport {
    /// As JSON.
    ///
    /// # Errors
    /// None in practice: everything in a report can be written as JSON.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// How many rows have a verdict of that name.
    pub fn count(&self, name: &str) -> usize {
        self.rows.iter().filter(|row| row.verdict.name() == name).count()
    }
}

impl fmt::Display for BatteryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        for row in &self.rows {
            let guarantee = row.guarantee.name();
            writeln!(f, "{:<8}  {guarantee:<18}  {:<name$}  {}", row.verdict.name(), row.name, row.verdict.why())?;
        }
        let counts = ["held", "detected", "BREACHED", "UNCLEAR", "skipped"];
        let counts: Vec<String> = counts.iter().map(|verdict| format!("{} {verdict}", self.count(verdict))).collect();
        writeln!(f, "{} attacks: {}", self.rows.len(), counts.join(", "))
    }
}
