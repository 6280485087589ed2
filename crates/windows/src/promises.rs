//! What each Windows tier promises on a described host.
//!
//! The one rule is Linux's: a promise is *holds* only where a breach is impossible with the kernel trusted. One more is
//! Windows': nothing here has run on Windows, and every promise says so. What the model does not know counts as *lacks*.

mod account;
mod container;
mod guard;
mod markdown;
#[cfg(test)]
mod tests;

use bailiwick_policy::guarantee::{Guarantee, Promise, Strength};
use serde::Serialize;

pub use markdown::tiers_markdown;

use crate::facts::{Drive, DriveKind, Facts, OpenPlace};
use crate::path::WindowsPath;
use crate::plan::{Leak, Plan};
use crate::tier::Tier;

/// Where a promise was shown.
pub const SHOWN: &str = "computed and simulated; not yet run on Windows";

/// Why a tier cannot be entered on a host at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// What is in the way.
    pub why: String,
    /// What would remove it.
    pub remedy: String,
}

/// What stands in the way of a tier, whatever the policy.
pub fn obstacle(tier: Tier, facts: &Facts) -> Option<Obstacle> {
    let obstacle = |why: &str, remedy: &str| Some(Obstacle { why: why.to_owned(), remedy: remedy.to_owned() });
    match tier {
        Tier::Guard | Tier::Container if facts.user.elevated => {
            obstacle("this shell is elevated, and the tier confines the caller's own token", "an ordinary shell")
        }
        Tier::Guard => None,
        Tier::Account if facts.setup.as_ref().is_none_or(|setup| setup.accounts.is_empty()) => obstacle(
            "bailiwick has no account on this machine",
            "bailiwick setup, once, with an administrator's consent",
        ),
        Tier::Account if !facts.network.filtering_engine => {
            obstacle("the filtering engine does not run, so nothing would stop packets", "the service BFE")
        }
        Tier::Account => None,
        Tier::Container if !facts.features.app_container => {
            obstacle("AppContainers cannot be made on this machine", "the `account` tier")
        }
        Tier::Container => None,
    }
}

/// One promise for each guarantee, in the order of [`Guarantee::ALL`]: with a plan those for exactly this run, without one those
/// for any run on this host.
pub fn promises(tier: Tier, facts: &Facts, plan: Option<&Plan>) -> Vec<Promise> {
    let blocked = obstacle(tier, facts);
    let ground = Ground::of(facts, plan);
    Guarantee::ALL
        .into_iter()
        .map(|guarantee| {
            let answer = match (&blocked, common(guarantee, &ground)) {
                (Some(Obstacle { why, remedy }), _) => {
                    lacks_but(format!("the tier cannot be entered here: {why}"), remedy.clone())
                }
                (None, Some(answer)) => answer,
                (None, None) => match tier {
                    Tier::Guard => guard::answer(guarantee, &ground),
                    Tier::Account => account::answer(guarantee, &ground),
                    Tier::Container => container::answer(guarantee, &ground),
                },
            };
            let Answer { strength, reason, remedy } = answer;
            Promise { guarantee, strength, reason: format!("{reason} ({SHOWN})"), remedy }
        })
        .collect()
}

/// What of the host and the run the answers turn on.
struct Ground<'a> {
    facts: &'a Facts,
    /// Local drives on which nothing can be kept from anybody.
    open_drives: Vec<String>,
    /// Limits of the policy that Windows has nothing for.
    limits_not_held: Vec<&'static str>,
    /// Places that every account may read and that nothing closes for this run.
    open_to_accounts: Vec<String>,
    /// Directories in which what appears cannot be taken away.
    names_stay: Vec<String>,
}

impl<'a> Ground<'a> {
    fn of(facts: &'a Facts, plan: Option<&Plan>) -> Ground<'a> {
        let is_open = |drive: &&Drive| drive.kind != DriveKind::Network && !drive.keeps_access_lists();
        let open = facts.drives.iter().filter(is_open);
        let open_to_accounts = plan.into_iter().flat_map(|plan| &plan.leaks).flat_map(|leak| match leak {
            Leak::OpenToAccounts { places } => places.as_slice(),
            _ => &[],
        });
        let names_stay = plan.into_iter().flat_map(|plan| &plan.leaks).flat_map(|leak| match leak {
            Leak::NamesStay { places } => places.as_slice(),
            _ => &[],
        });
        Ground {
            facts,
            names_stay: names_stay.map(WindowsPath::shown).collect(),
            open_drives: open.map(|drive| format!("{}: ({})", drive.letter, shown(&drive.file_system))).collect(),
            limits_not_held: plan.map(|plan| plan.job.not_held.clone()).unwrap_or_default(),
            open_to_accounts: open_to_accounts.map(WindowsPath::shown).collect(),
        }
    }

    /// The loss of a drive without access lists, if there is one.
    fn open_drive(&self) -> Option<Answer> {
        let drives = (!self.open_drives.is_empty()).then(|| self.open_drives.join(", "))?;
        let reason = format!("there are no access lists on {drives}, so what is there is open to everybody");
        Some(lacks_but(reason, "the drive formatted with NTFS or ReFS, or taken out for the run"))
    }

    /// The loss of a place that every account may read, if there is one.
    fn open_to_accounts(&self) -> Option<Answer> {
        let places = (!self.open_to_accounts.is_empty()).then(|| self.open_to_accounts.join(", "))?;
        let reason = format!("every account may read {places}, and not even an administrator may change that");
        Some(lacks_but(reason, "a policy that lets them be read, or the `container` tier"))
    }

    /// Places that the scan found open, which a tier cannot close.
    fn open_places(&self, is_open: impl Fn(&OpenPlace) -> bool) -> Option<String> {
        const SHOWN_PLACES: usize = 3;
        let places: Vec<String> =
            self.facts.open_to_all.iter().filter(|place| is_open(place)).map(|place| place.path.shown()).collect();
        let more = places.len().saturating_sub(SHOWN_PLACES);
        let first = places.iter().take(SHOWN_PLACES).map(String::as_str).collect::<Vec<_>>().join(", ");
        match (places.is_empty(), more) {
            (true, _) => None,
            (false, 0) => Some(first),
            (false, more) => Some(format!("{first} and {more} more")),
        }
    }
}

/// A promise without its name.
struct Answer {
    strength: Strength,
    reason: String,
    remedy: Option<String>,
}

fn holds(reason: impl Into<String>) -> Answer {
    Answer { strength: Strength::Holds, reason: reason.into(), remedy: None }
}

fn detects(reason: impl Into<String>) -> Answer {
    Answer { strength: Strength::Detects, reason: reason.into(), remedy: None }
}

fn lacks(reason: impl Into<String>) -> Answer {
    Answer { strength: Strength::Lacks, reason: reason.into(), remedy: None }
}

fn lacks_but(reason: impl Into<String>, remedy: impl Into<String>) -> Answer {
    Answer { strength: Strength::Lacks, reason: reason.into(), remedy: Some(remedy.into()) }
}

/// How names that are absent are kept so, where nothing outside of the job can hold one in its place.
fn taken_away(also: &str) -> Answer {
    detects(format!(
        "their directories are watched; what appears is taken away by one rename, copied into quarantine and deleted, and reported; a name that is held open ends everything inside first{also}"
    ))
}

fn shown(text: &str) -> String {
    bailiwick_policy::text::escape(text.as_ref())
}

/// Answers that do not depend on the tier.
fn common(guarantee: Guarantee, ground: &Ground<'_>) -> Option<Answer> {
    Some(match guarantee {
        Guarantee::NamesAbsent if !ground.names_stay.is_empty() => lacks_but(
            format!(
                "what appears could not be taken away in {}, of which you do not have full control",
                ground.names_stay.join(", ")
            ),
            "full control of these directories",
        ),
        Guarantee::EnvironmentClean => holds(
            "the environment is built from the policy; the handle list of the new process holds standard input, output and error and nothing else",
        ),
        Guarantee::HostsFiltered => lacks("there is no network gate for Windows in this version"),
        Guarantee::KernelSurface => lacks(
            "Windows has no filter of system calls that toolchains bear: refusing all of win32k ends every program that loads user32; for hostile code there is the `vm` tier",
        ),
        Guarantee::LimitsHeld if !ground.limits_not_held.is_empty() => lacks(format!(
            "job objects have no limit for {}; time, memory and processes hold",
            ground.limits_not_held.join(" and ")
        )),
        Guarantee::LimitsHeld => {
            holds("time by the supervisor; memory of each process and their number by the job object")
        }
        _ => return None,
    })
}
