//! The answer for people.

use std::fmt::Write as _;

use bailiwick_policy::decide::Verdict;

use super::descriptor::{Basis, sddl_of};
use super::{Enforcement, Explanation, Outcome};
use crate::losses::by_origin;
use crate::path::WindowsPath;

/// Where the second column starts.
const COLUMN: usize = 13;

impl Explanation {
    /// The answer as plain text, several lines, without colours: first what the policy says, as on every platform, then what the tier
    /// does about it.
    pub fn to_text(&self) -> String {
        let mut text = self.policy.to_text();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\nwindows:{} on {}: {}", self.tier, self.system, self.shown);
        let place = WindowsPath::parse(&self.policy.canonical).ok();
        let mut below = String::new();
        self.enforcement.write(&mut below, self.policy.decision.verdict, place.as_ref());
        let names = &self.enforcement.names;
        text.push_str(&names.iter().fold(below, |below, short| shorten(&below, &short.sid.to_string(), short.name)));
        for (index, short) in names.iter().enumerate() {
            line(&mut text, if index == 0 { "names" } else { "" }, &format!("{} is {}", short.name, short.sid));
        }
        text
    }
}

/// The text with a SID by its short name; one that only begins alike stays.
pub(super) fn shorten(text: &str, sid: &str, name: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(sid) {
        let (before, from) = rest.split_at(at);
        let after = from.strip_prefix(sid).unwrap_or_default();
        let is_whole = !after.starts_with(|next: char| next.is_ascii_digit() || next == '-');
        out.push_str(before);
        out.push_str(if is_whole { name } else { sid });
        rest = after;
    }
    out.push_str(rest);
    out
}

fn line(text: &mut String, label: &str, value: &str) {
    let mut lines = value.lines();
    let _ = writeln!(text, "  {label:<width$}{}", lines.next().unwrap_or_default(), width = COLUMN - 2);
    for more in lines {
        let _ = writeln!(text, "{:COLUMN$}{more}", "");
    }
}

impl Enforcement {
    fn write(&self, text: &mut String, verdict: Verdict, place: Option<&WindowsPath>) {
        if let Some(inside) = &self.inside {
            line(text, "inside", inside);
        }
        if let Some(token) = &self.token {
            line(text, "token", &shortened(&token.to_string(), token, place));
        }
        if let Some(object) = &self.object {
            object.write(text);
        }
        for act in &self.acts {
            line(text, act.deed.name(), &format!("{}: {}", act.possible.name(), act.because));
            for step in &act.steps {
                let _ = writeln!(text, "{:COLUMN$}  {step}", "");
            }
        }
        line(text, "result", &self.result(verdict));
        if let Some(promise) = &self.promise {
            let (guarantee, strength) = (promise.guarantee, promise.strength.name());
            line(text, "promise", &format!("{guarantee} {strength}: {}", promise.reason));
        }
        if self.no_run.is_none() && !self.shortfalls.is_empty() {
            let names: Vec<&str> = self.shortfalls.iter().map(|short| short.promise.guarantee.name()).collect();
            let names = names.join(", ");
            line(text, "run", &format!("refused unless the policy accepts to lose {names}"));
        }
        if self.no_run.is_none() && !self.losses.is_empty() {
            line(text, "losses", &format!("accepted: {}", by_origin(&self.losses)));
        }
    }

    fn result(&self, verdict: Verdict) -> String {
        let is_allowed = verdict == Verdict::Allowed;
        match self.outcome {
            Outcome::AsDecided if is_allowed => "supplied: what the policy allows can be done".to_owned(),
            Outcome::AsDecided => "held: nothing of what the policy refuses can be done".to_owned(),
            Outcome::NotHeld => "NOT HELD: the policy refuses something here that can be done".to_owned(),
            Outcome::NotSupplied => "not supplied: the policy allows something here that cannot be done".to_owned(),
            Outcome::Unknown => "not known, which counts as not held".to_owned(),
            Outcome::NoRun => {
                format!("no run would start: {}", self.no_run.as_deref().unwrap_or("the tier cannot be planned"))
            }
        }
    }
}

/// The token without what has no bearing on this place: other places' capabilities, and what it gives to objects that it makes.
fn shortened(shown: &str, token: &crate::plan::TokenPlan, place: Option<&WindowsPath>) -> String {
    let shown = shown.strip_prefix("token ").unwrap_or(shown);
    let concerns = |line: &str| {
        let capability = token.capabilities.iter().find(|capability| line.contains(&format!("({})", capability.sid)));
        match capability {
            Some(capability) => place.is_some_and(|place| capability.place.covers(place)),
            None => !line.trim_start().starts_with("makes objects"),
        }
    };
    let lines: Vec<&str> = shown.lines().filter(|line| concerns(line)).collect();
    lines.join("\n")
}

impl Basis {
    fn write(&self, text: &mut String) {
        match self {
            Basis::Descriptor { descriptor, directory, described, itself, added, .. } => {
                let kind = if *directory { "a directory" } else { "a file" };
                let from = match itself {
                    true => format!("{kind}, as the facts describe it"),
                    false => {
                        format!(
                            "not described: taken for {kind} that inherits from `{}` and has no entries of its own",
                            described.shown()
                        )
                    }
                };
                line(text, "object", &from);
                let added = if added.is_empty() {
                    "adds no entry here".to_owned()
                } else {
                    format!("adds {}", added.join(" "))
                };
                line(text, "plan", &added);
                line(text, "list", &sddl_of(descriptor));
            }
            Basis::NoAccessLists { drive, file_system } => {
                line(text, "object", &format!("on {drive}: ({file_system}), which has no access lists"));
            }
            Basis::NotKnown { why } => line(text, "object", &format!("no descriptor: {why}")),
        }
    }
}
