//! What is asserted of a suspended process before its first instruction. Any other answer ends it.

use bailiwick_winsec::Sid;
use bailiwick_winsec::token::{GroupUse, Integrity, Privileges, Token};

use super::RunError;
use crate::host::{JobFacts, ProcessId};
use crate::plan::{Assertion, Identity, JobPlan, Level, Plan};

fn wrong<T>(what: &'static str, found: String) -> Result<T, RunError> {
    Err(RunError::Assertion { what, found })
}

/// The token of the inside against the plan.
///
/// # Errors
///
/// [`RunError::Assertion`] with what is there instead.
pub fn token(plan: &Plan, token: &Token) -> Result<(), RunError> {
    for assertion in &plan.assertions {
        match assertion {
            Assertion::RestrictingList => restricting(plan, token)?,
            Assertion::Privileges => privileges(plan, token)?,
            Assertion::LogonsDenyOnly => logons(token)?,
            Assertion::Account => account(plan, token)?,
            Assertion::Package => package(plan, token)?,
            Assertion::Integrity => integrity(plan, token)?,
            // Of the process and the host, not of the token: `job` below, `stamp::check`, and what a session proves from inside.
            Assertion::Job | Assertion::Stamps | Assertion::FiltersBite | Assertion::NamesNotAnswered => {}
        }
    }
    let enabled = |sid: &&Sid| token.allows_as(sid);
    match plan.token.deny_only.iter().find(enabled) {
        Some(sid) => wrong("groups that may only deny", format!("{sid} allows")),
        None => Ok(()),
    }
}

fn restricting(plan: &Plan, token: &Token) -> Result<(), RunError> {
    let Some(present) = &token.restricting else { return wrong("restricting list", "the token has none".to_owned()) };
    let wanted = plan.token.restricting.clone().unwrap_or_default();
    let same = present.sids.len() == wanted.len() && wanted.iter().all(|sid| present.sids.contains(sid));
    if same && present.writes_only == plan.token.write_restricted {
        return Ok(());
    }
    wrong("restricting list", present.sids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
}

fn privileges(plan: &Plan, token: &Token) -> Result<(), RunError> {
    let held: Vec<String> = token.privileges.iter().map(|(privilege, _)| privilege.name().to_owned()).collect();
    let same =
        held.len() == plan.token.privileges.len() && plan.token.privileges.iter().all(|name| held.contains(name));
    if same { Ok(()) } else { wrong("privileges", held.join(" ")) }
}

fn logons(token: &Token) -> Result<(), RunError> {
    match token.logon_sids().find(|group| group.used == GroupUse::Enabled) {
        Some(group) => wrong("logons that may only deny", format!("{} allows", group.sid)),
        None => Ok(()),
    }
}

fn account(plan: &Plan, token: &Token) -> Result<(), RunError> {
    if token.user == plan.identity.sid() { Ok(()) } else { wrong("account", token.user.to_string()) }
}

fn package(plan: &Plan, token: &Token) -> Result<(), RunError> {
    let Some(low_box) = &token.low_box else { return wrong("package", "the token is in no AppContainer".to_owned()) };
    let Identity::Container { package, .. } = &plan.identity else { return Err(RunError::WrongTier) };
    let wanted: Vec<Sid> = plan.token.capabilities.iter().map(|capability| capability.sid).collect();
    let present: Vec<Sid> = low_box.capabilities.iter().map(|capability| capability.sid).collect();
    if low_box.package == *package && wanted == present {
        return Ok(());
    }
    let capabilities: Vec<String> = present.iter().map(ToString::to_string).collect();
    wrong("package", format!("{} with {}", low_box.package, capabilities.join(" ")))
}

fn integrity(plan: &Plan, token: &Token) -> Result<(), RunError> {
    let wanted = match plan.token.integrity {
        Level::Low => Integrity::LOW,
        Level::Medium => Integrity::MEDIUM,
    };
    if token.integrity == wanted { Ok(()) } else { wrong("integrity", token.integrity.to_string()) }
}

/// The job of the inside against the plan.
///
/// # Errors
///
/// [`RunError::Assertion`].
pub fn job(plan: &JobPlan, job: &JobFacts, process: ProcessId) -> Result<(), RunError> {
    let limits = &job.limits;
    let same = limits.kill_on_close == plan.kill_on_close
        && limits.processes == plan.processes
        && limits.memory == plan.memory
        && limits.ui.iter().map(String::as_str).eq(plan.ui_limits.iter().copied());
    if !same {
        return wrong("limits of the job", format!("{limits:?}"));
    }
    if job.members.contains(&process) { Ok(()) } else { wrong("job", "the process is not in it".to_owned()) }
}

/// The token that a runner gives to what it starts: every logon may only deny, the privileges are gone.
///
/// # Errors
///
/// [`RunError::Assertion`].
pub(super) fn runner_child(token: &Token) -> Result<(), RunError> {
    logons(token)?;
    let least = Privileges::NONE.with(bailiwick_winsec::token::Privilege::ChangeNotify);
    if token.privileges == least { Ok(()) } else { wrong("privileges", format!("{:?}", token.privileges)) }
}
