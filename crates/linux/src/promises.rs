//! What each tier promises on a host, what a boundary needs, and what is missing between the two.
//!
//! The one rule: a promise is *holds* only where a breach is impossible with the kernel trusted. Everything else says so, with the
//! reason and what would supply it.

mod landlock;
mod markdown;
mod namespaces;
mod needs;
#[cfg(test)]
mod tests;

use bailiwick_policy::boundary::Boundary;
use bailiwick_policy::guarantee::{Guarantee, Promise, Strength};
use bailiwick_policy::needs::shortfalls_of;
use serde::Serialize;

use crate::api::Tier;
use crate::facts::{Facts, KernelVersion, Namespaces};
use crate::userns::OLDEST_FOR_NAMESPACES;

pub use bailiwick_policy::needs::{Need, Shortfall, needs};
pub use markdown::tiers_markdown;

/// Why a tier cannot be entered on a host at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// What is in the way.
    pub why: String,
    /// What would remove it.
    pub remedy: String,
}

/// Whether something that these facts show stands in the way of a tier. `None` with facts of
/// [`Facts::quick`] leaves it to the launch whether namespaces can be made.
pub fn obstacle(tier: Tier, facts: &Facts) -> Option<Obstacle> {
    let obstacle = |why: &str, remedy: &str| Some(Obstacle { why: why.to_owned(), remedy: remedy.to_owned() });
    match tier {
        Tier::Namespaces => match &facts.namespaces {
            Namespaces::Fail(diagnosis) => obstacle(&diagnosis.explanation, &diagnosis.remedy),
            _ if facts.kernel < OLDEST_FOR_NAMESPACES => Some(Obstacle {
                why: format!("Linux {} is older than {OLDEST_FOR_NAMESPACES} (mount_setattr)", facts.kernel),
                remedy: format!("Linux {OLDEST_FOR_NAMESPACES} or newer"),
            }),
            _ if facts.wsl.is_some_and(|wsl| wsl.version == 1) => {
                obstacle("WSL 1 has no namespaces", "wsl --set-version <distribution> 2")
            }
            _ => None,
        },
        Tier::Landlock if facts.landlock_abi == 0 => obstacle(
            "this kernel has no Landlock, or it is not switched on, or a container's filter hides it",
            "Linux 5.13 or newer with `landlock` in the kernel option `lsm=` (6.2 or newer holds more)",
        ),
        Tier::Landlock if !facts.seccomp => obstacle(
            "system-call filters cannot be loaded here, and in this tier the network is closed by them",
            "a kernel with CONFIG_SECCOMP_FILTER",
        ),
        Tier::Landlock => None,
    }
}

/// One promise for each guarantee, in the order of [`Guarantee::ALL`].
///
/// With a boundary they are those for exactly this run; without one, for any that opens no namespaces to the inside.
pub fn promises(tier: Tier, facts: &Facts, boundary: Option<&Boundary>) -> Vec<Promise> {
    let asked = boundary.map_or_else(Asked::anything, |boundary| Asked::of(tier, boundary));
    promises_for(tier, facts, &asked)
}

/// What a boundary asks that a tier may or may not be able to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asked {
    /// A limit on processes, or any limit could be asked.
    processes: bool,
    /// Points that are denied, hidden or private below a tree whose mounts or rules do not hold them, escaped for printing:
    /// out of Landlock's reach, and below a writable root out of reach of mounts that nested namespaces take apart.
    hidden_below: Vec<String>,
    /// The inside may make mount namespaces of its own.
    nested: bool,
    /// A name inside a writable root must not be changed.
    guards: bool,
}

impl Asked {
    fn anything() -> Asked {
        Asked { processes: true, ..Asked::default() }
    }

    fn of(tier: Tier, boundary: &Boundary) -> Asked {
        let nested = boundary.isolation.nested_namespaces;
        // Half a millisecond of every launch, and of no concern to mounts that stay where they are.
        let hidden_below = match tier {
            Tier::Landlock => needs::hidden_below(boundary),
            Tier::Namespaces if nested => needs::hidden_below_writable(boundary),
            Tier::Namespaces => Vec::new(),
        };
        let guards = nested && !boundary.guarded().is_empty();
        Asked { processes: boundary.limits.processes.is_some(), hidden_below, nested, guards }
    }
}

fn promises_for(tier: Tier, facts: &Facts, asked: &Asked) -> Vec<Promise> {
    if let Some(Obstacle { why, remedy }) = obstacle(tier, facts) {
        let reason = format!("the tier cannot be entered here: {why}");
        return Guarantee::ALL.map(|guarantee| promise(guarantee, lacks_but(&reason, &remedy))).into();
    }
    Guarantee::ALL
        .into_iter()
        .map(|guarantee| {
            let answer = match tier {
                Tier::Namespaces => namespaces::answer(guarantee, facts, asked),
                Tier::Landlock => landlock::answer(guarantee, facts, asked),
            };
            promise(guarantee, answer)
        })
        .collect()
}

/// A promise without its name.
struct Answer {
    strength: Strength,
    reason: String,
    remedy: Option<String>,
}

fn promise(guarantee: Guarantee, answer: Answer) -> Promise {
    Promise { guarantee, strength: answer.strength, reason: answer.reason, remedy: answer.remedy }
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

/// The first few of many, for a reason; more would bury the rest of the report.
fn some_of(places: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = places.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match places.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Where RLIMIT_NPROC counts a user's processes for each user namespace apart (ucounts).
const COUNTS_APART: KernelVersion = KernelVersion(5, 14);

/// Answers that do not depend on the tier.
fn common(guarantee: Guarantee, facts: &Facts) -> Option<Answer> {
    Some(match guarantee {
        Guarantee::EnvironmentClean => holds(
            "the environment is built from the policy; close_range takes every descriptor but standard input, output and error",
        ),
        Guarantee::NamesAbsent => detects(
            "the supervisor watches the directories that the names would appear in, moves what appears into quarantine at once and reports it",
        ),
        Guarantee::IdentitySeparate => {
            lacks("the inside runs as the same user, by design on Linux; its capabilities are dropped")
        }
        Guarantee::KernelSurface if facts.seccomp => holds(
            "a system-call filter refuses them: new mount calls, io_uring, bpf, keyrings, ptrace and others; calls newer than the filter do not exist inside",
        ),
        Guarantee::KernelSurface => {
            lacks_but("system-call filters cannot be loaded here", "a kernel with CONFIG_SECCOMP_FILTER")
        }
        Guarantee::TerminalSafe if facts.seccomp => holds(
            "own session and pseudo-terminal; titles, clipboard access and questions to the terminal are taken out of the output; TIOCSTI, TIOCLINUX and TIOCSETD are refused",
        ),
        Guarantee::TerminalSafe => lacks_but(
            "system-call filters cannot be loaded here to refuse TIOCSTI",
            "a kernel with CONFIG_SECCOMP_FILTER",
        ),
        _ => return None,
    })
}

/// What the boundary needs and the tier does not keep here, without the losses that the user accepted by name.
pub fn shortfall(tier: Tier, facts: &Facts, boundary: &Boundary) -> Vec<Shortfall> {
    shortfalls_of(boundary, promises(tier, facts, Some(boundary)))
        .into_iter()
        .filter(|shortfall| !boundary.isolation.accept.contains(&shortfall.promise.guarantee))
        .collect()
}
