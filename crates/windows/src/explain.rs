//! What a tier would do about one access on a described host: the policy's verdict, and what the planned token gets of the
//! planned access lists.
//!
//! ```text
//! Target ──► decide() ─────────────────────────────┐
//!    │                                             ├──► Outcome    as decided, not held, not supplied, …
//!    └─► Plan ──► token, descriptor ──► winsec ────┘
//! ```
//!
//! There is no second decider here: the verdict is [`Target::decide`]'s, what is possible is [`bailiwick_winsec`]'s answer, and
//! this module holds one against the other. Where they differ, the promise that is concerned says why.

mod acts;
mod descriptor;
#[cfg(test)]
mod tests;
mod text;

use std::ffi::OsStr;
use std::fmt;

use bailiwick_policy::decide::{Decision, Verdict};
use bailiwick_policy::explain as policy;
use bailiwick_policy::guarantee::{Guarantee, Promise};
use bailiwick_policy::needs::Shortfall;
use bailiwick_policy::text::escape;
use bailiwick_winsec::Sid;
use serde::Serialize;

pub use acts::{Act, Deed, Possible};
pub use descriptor::Basis;

use crate::facts::{Facts, System};
use crate::losses::{self, Loss};
use crate::path::{PathError, WindowsPath};
use crate::plan::{Identity, Plan, PlanError, TokenPlan};
use crate::promises::promises;
use crate::target::{Target, TargetError, Verb};
use crate::tier::Tier;

/// Where the answer comes from.
pub const SHOWN: &str = "computed; not yet run on Windows";

/// The answer about one access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The tier that was asked about.
    pub tier: Tier,
    /// The machine, as its description says.
    pub system: System,
    /// Where the answer comes from: [`SHOWN`].
    pub shown: &'static str,
    /// What the policy says, as on every platform.
    pub policy: policy::Explanation,
    /// What the tier would do.
    pub enforcement: Enforcement,
}

/// What a tier would do about one access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Enforcement {
    /// What it comes to.
    pub outcome: Outcome,
    /// Why this tier refuses every run with this policy on this machine, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_run: Option<String>,
    /// Who the inside is, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside: Option<String>,
    /// Short names of long SIDs, which the text for people uses.
    pub names: Vec<ShortSid>,
    /// The token of the inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenPlan>,
    /// What the descriptor of the object was taken from; `None` for hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Basis>,
    /// What was tried on it.
    pub acts: Vec<Act>,
    /// The promise that is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promise: Option<Promise>,
    /// What the policy needs, the tier does not keep on this machine, and the policy does not accept to lose: with any of them a
    /// run is refused.
    pub shortfalls: Vec<Shortfall>,
    /// What it needs and the tier does not keep, accepted by name: a run starts without it and says so.
    pub losses: Vec<Loss>,
}

/// What a long SID is called in the text for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShortSid {
    /// `<user>`, `<workspace>`, `<account>`, `<group>`, `<package>`.
    pub name: &'static str,
    /// The SID.
    pub sid: Sid,
}

/// The SIDs that every line about a plan is full of.
fn short_sids(plan: &Plan, facts: &Facts) -> Vec<ShortSid> {
    let short = |name, sid: &Sid| ShortSid { name, sid: *sid };
    let user = short("<user>", &facts.user.sid);
    match &plan.identity {
        Identity::Caller { workspace } => vec![user, short("<workspace>", workspace)],
        Identity::Account { sid, group, .. } => vec![user, short("<account>", sid), short("<group>", group)],
        Identity::Container { package, .. } => vec![user, short("<package>", package)],
    }
}

/// What the policy says held against what the tier does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// What is allowed can be done, or nothing of what is refused can.
    AsDecided,
    /// Something that is refused can be done.
    NotHeld,
    /// Something that is allowed cannot be done.
    NotSupplied,
    /// The model or the description does not say; counts as not held.
    Unknown,
    /// No run would start.
    NoRun,
}

/// Why nothing can be said.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExplainError {
    /// The text is no path for which it is certain what it names.
    Path(PathError),
    /// The path runs through too many links.
    Links(TargetError),
    /// The text is no host.
    Host(policy::ExplainError),
    /// Sockets and named pipes of the host are granted by no Windows tier yet.
    Socket,
}

impl fmt::Display for ExplainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExplainError::Path(error) => error.fmt(f),
            ExplainError::Links(error) => error.fmt(f),
            ExplainError::Host(error) => error.fmt(f),
            ExplainError::Socket => f.write_str(
                "the Windows tiers let no socket or named pipe of the host be granted yet; ask about read, write, remove or connect",
            ),
        }
    }
}

impl std::error::Error for ExplainError {}

/// Explains one access on a described host: a path as it is written there, or a host as `bailiwick explain connect` takes it.
///
/// # Errors
///
/// [`ExplainError`] where it is not certain what is asked about.
pub fn explain(target: &Target, facts: &Facts, verb: policy::Verb, asked: &OsStr) -> Result<Explanation, ExplainError> {
    explain_planned(target, facts, &Plan::new(target, facts), verb, asked)
}

/// [`explain`] with the plan that was made for the target.
fn explain_planned(
    target: &Target,
    facts: &Facts,
    plan: &Result<Plan, PlanError>,
    verb: policy::Verb,
    asked: &OsStr,
) -> Result<Explanation, ExplainError> {
    let about = |policy, enforcement| Explanation {
        tier: target.tier,
        system: facts.system,
        shown: SHOWN,
        policy,
        enforcement,
    };
    let of_path = match verb {
        policy::Verb::Connect => {
            let policy = policy::explain_connect(&target.boundary, asked).map_err(ExplainError::Host)?;
            let enforcement = enforce(target, facts, plan, &Asked::Host(policy.decision.verdict));
            return Ok(about(policy, enforcement));
        }
        policy::Verb::Read => Verb::Read,
        policy::Verb::Write => Verb::Write,
        policy::Verb::Remove => Verb::Remove,
        policy::Verb::Socket => return Err(ExplainError::Socket),
    };
    let typed = target.typed(facts, asked).map_err(ExplainError::Path)?;
    let (path, links) = located(target, facts, of_path, &typed)?;
    let mut decision = target.decide(of_path, &path);
    let mut notes = Vec::new();
    if path != typed {
        notes.push(format!("the path leads to `{}`", path.shown()));
    }
    // A link that may not be read cannot be followed, whatever it leads to.
    let closed = links.iter().map(|at| (at, target.decide(Verb::Read, at)));
    if let Some((at, refusal)) = closed.into_iter().find(|(_, decision)| decision.verdict != Verdict::Allowed) {
        notes.push(format!("it is reached through the link `{}`, which the inside may not read", at.shown()));
        decision = refusal;
    }
    let enforcement = enforce(target, facts, plan, &Asked::Path { verb: of_path, path: &path, decision: &decision });
    let (asked, canonical) = (escape(asked), path.shown());
    Ok(about(policy::Explanation { verb, target: asked, canonical, decision, notes }, enforcement))
}

/// Removing takes a link itself, every other access what it leads to.
fn located(
    target: &Target,
    facts: &Facts,
    verb: Verb,
    typed: &WindowsPath,
) -> Result<(WindowsPath, Vec<WindowsPath>), ExplainError> {
    let holder = typed.parent().filter(|_| verb == Verb::Remove);
    let Some(holder) = holder else { return target.leads_to(facts, typed).map_err(ExplainError::Links) };
    let (directory, links) = target.leads_to(facts, &holder).map_err(ExplainError::Links)?;
    let path = typed.moved(&holder, &directory).unwrap_or_else(|| typed.clone());
    Ok((path, links))
}

/// What is asked, with what the policy says about it.
enum Asked<'a> {
    Path { verb: Verb, path: &'a WindowsPath, decision: &'a Decision },
    Host(Verdict),
}

fn enforce(target: &Target, facts: &Facts, plan: &Result<Plan, PlanError>, asked: &Asked<'_>) -> Enforcement {
    let promises = promises(target.tier, facts, plan.as_ref().ok());
    let guarantee = concerned(target, facts, asked);
    let promise = promises.iter().find(|promise| promise.guarantee == guarantee).cloned();
    let (losses, shortfalls) = losses::weigh(target, promises);
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => {
            return Enforcement {
                outcome: Outcome::NoRun,
                no_run: Some(error.to_string()),
                inside: None,
                names: Vec::new(),
                token: None,
                object: None,
                acts: Vec::new(),
                promise,
                shortfalls,
                losses,
            };
        }
    };
    let (object, acts, outcome) = match asked {
        Asked::Host(verdict) => {
            let acts = vec![acts::connecting(plan, *verdict)];
            let outcome = outcome(*verdict, &acts, Verdict::Allowed);
            (None, acts, outcome)
        }
        Asked::Path { verb, path, decision } => {
            let basis = Basis::of(plan, target, facts, path);
            let acts = acts::on_path(plan, facts, &basis, *verb, path);
            let removing = target.decide(Verb::Remove, path).verdict;
            let outcome = outcome(decision.verdict, &acts, removing);
            (Some(basis), acts, outcome)
        }
    };
    Enforcement {
        outcome,
        no_run: None,
        inside: Some(plan.identity.to_string()),
        names: short_sids(plan, facts),
        token: Some(plan.token.clone()),
        object,
        acts,
        promise,
        shortfalls,
        losses,
    }
}

/// Holds what can be done against what may be done. Whether it may be removed is a question of its own: a directory that may be
/// written is kept in its place for the sake of a name in it.
fn outcome(verdict: Verdict, acts: &[Act], removing: Verdict) -> Outcome {
    let mut worst = Outcome::AsDecided;
    for act in acts {
        let may = match act.deed {
            Deed::Delete if verdict == Verdict::Allowed => removing,
            _ => verdict,
        };
        let here = match (may == Verdict::Allowed, act.possible) {
            (_, Possible::Unknown) => Outcome::Unknown,
            // Nobody needs to change the list of what may be written.
            (true, _) if act.deed == Deed::Seize => Outcome::AsDecided,
            (true, Possible::Yes) | (false, Possible::No) => Outcome::AsDecided,
            (true, _) => Outcome::NotSupplied,
            (false, Possible::Partly | Possible::Yes) => Outcome::NotHeld,
        };
        worst = worse(worst, here);
    }
    worst
}

/// The one that a person must hear of first.
fn worse(one: Outcome, other: Outcome) -> Outcome {
    let weight = |outcome| match outcome {
        Outcome::AsDecided => 0,
        Outcome::NotSupplied => 1,
        Outcome::Unknown => 2,
        Outcome::NotHeld => 3,
        Outcome::NoRun => 4,
    };
    if weight(other) > weight(one) { other } else { one }
}

/// The guarantee that speaks of what is asked.
fn concerned(target: &Target, facts: &Facts, asked: &Asked<'_>) -> Guarantee {
    let (verb, path) = match asked {
        Asked::Host(_) if target.boundary.network.allow.is_empty() => return Guarantee::NetworkOff,
        Asked::Host(_) => return Guarantee::HostsFiltered,
        Asked::Path { verb, path, .. } => (verb, path),
    };
    let key = path.key();
    let guarded = target.boundary.guarded();
    let is_guarded =
        guarded.iter().any(|name| key.starts_with(name.path) || (*verb == Verb::Remove && name.path.starts_with(&key)));
    match (verb, is_guarded) {
        (Verb::Read, _) => Guarantee::ReadsConfined,
        (_, false) => Guarantee::WritesConfined,
        (_, true) if facts.object(path).is_some() => Guarantee::NamesProtected,
        (_, true) => Guarantee::NamesAbsent,
    }
}
