//! What a boundary needs of a tier, whatever the operating system, and what a tier's promises leave short of it.

use std::fmt;

use serde::Serialize;

use crate::boundary::{Boundary, RunLimits};
use crate::guarantee::{Guarantee, Promise, Strength};

/// One guarantee that a boundary cannot do without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    /// Which.
    pub guarantee: Guarantee,
    /// How strongly, at least.
    pub strength: Strength,
    /// Why, as the end of "… is needed because".
    pub why: String,
}

/// A promise that is weaker than what the boundary needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shortfall {
    /// What the tier promises.
    pub promise: Promise,
    /// What the boundary needs.
    pub need: Need,
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (promise, need) = (&self.promise, &self.need);
        let needed = if need.strength == Strength::Detects { "at least detects" } else { need.strength.name() };
        write!(
            f,
            "{}: {} here, {needed} is needed because {}\n  {}",
            promise.guarantee,
            promise.strength.name(),
            need.why,
            promise.reason
        )?;
        match &promise.remedy {
            Some(remedy) => write!(f, "\n  what would supply it: {}", remedy.replace('\n', "\n  ")),
            None => Ok(()),
        }
    }
}

/// What every boundary needs, whatever it allows.
const ALWAYS: [(Guarantee, &str); 9] = [
    (Guarantee::WritesConfined, "the policy lists what may be written"),
    (Guarantee::MetadataConfined, "the policy lists what may be written, modes and times included"),
    (Guarantee::ReadsConfined, "the policy lists what may be read"),
    (Guarantee::SocketsConfined, "the policy lists the sockets of the host that may be reached"),
    (Guarantee::ProcessesHidden, "no policy lets the inside reach other processes"),
    (Guarantee::TreeDies, "nothing may outlive the run"),
    (Guarantee::TerminalSafe, "the inside may print, not type"),
    (Guarantee::EnvironmentClean, "the policy lists the variables that are passed"),
    (Guarantee::KernelSurface, "what is closed must not be reached through the kernel"),
];

/// Everything that the boundary needs, in the order of [`Guarantee::ALL`].
pub fn needs(boundary: &Boundary) -> Vec<Need> {
    needs_for(boundary.guarded().len(), !boundary.network.allow.is_empty(), &boundary.limits)
}

/// [`needs`] by what they depend on: the number of guarded names, whether any host is allowed, and the limits.
pub fn needs_for(guarded: usize, hosts: bool, limits: &RunLimits) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    let mut need = |guarantee, strength, why: &str| needs.push(Need { guarantee, strength, why: why.to_owned() });
    for (guarantee, why) in ALWAYS {
        need(guarantee, Strength::Holds, why);
    }
    if guarded > 0 {
        let names = if guarded == 1 { "1 name".to_owned() } else { format!("{guarded} names") };
        need(Guarantee::NamesProtected, Strength::Holds, &format!("the policy protects {names}"));
        need(Guarantee::NamesAbsent, Strength::Detects, &format!("the policy protects {names}, present or not"));
    }
    if hosts {
        need(Guarantee::HostsFiltered, Strength::Holds, "the policy lists the hosts that may be reached");
    } else {
        need(Guarantee::NetworkOff, Strength::Holds, "the policy allows no host");
    }
    if *limits != RunLimits::default() {
        need(Guarantee::LimitsHeld, Strength::Holds, "the policy sets limits");
    }
    needs.sort_by_key(|need| need.guarantee);
    needs
}

/// What the boundary needs and these promises do not keep, accepted as a loss or not.
pub fn shortfalls_of(boundary: &Boundary, promises: Vec<Promise>) -> Vec<Shortfall> {
    // Nearly always everything is kept, and then nobody needs to count the guarded names, which every launch would wait for.
    let most = needs_for(1, !boundary.network.allow.is_empty(), &boundary.limits);
    let is_kept = |promise: &Promise| {
        most.iter().all(|need| need.guarantee != promise.guarantee || need.strength <= promise.strength)
    };
    if promises.iter().all(is_kept) { Vec::new() } else { shortfalls(&needs(boundary), promises) }
}

/// What is needed and these promises do not keep, accepted as a loss or not.
pub fn shortfalls(needs: &[Need], promises: Vec<Promise>) -> Vec<Shortfall> {
    promises
        .into_iter()
        .filter_map(|promise| {
            let need = needs.iter().find(|need| need.guarantee == promise.guarantee)?;
            (promise.strength < need.strength).then(|| Shortfall { promise, need: need.clone() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(guarantee: Guarantee, strength: Strength) -> Promise {
        Promise { guarantee, strength, reason: "as said".to_owned(), remedy: None }
    }

    #[test]
    fn what_a_closed_boundary_needs() {
        let needs = needs_for(0, false, &RunLimits::default());
        assert!(needs.is_sorted_by_key(|need| need.guarantee));
        assert!(needs.iter().any(|need| need.guarantee == Guarantee::NetworkOff));
        assert!(!needs.iter().any(|need| need.guarantee == Guarantee::HostsFiltered));
        assert!(!needs.iter().any(|need| need.guarantee == Guarantee::NamesAbsent));
    }

    #[test]
    fn hosts_names_and_limits_are_needed_where_they_are_written() {
        let limits = RunLimits { processes: Some(9), ..RunLimits::default() };
        let needs = needs_for(2, true, &limits);
        let strength = |guarantee| needs.iter().find(|need| need.guarantee == guarantee).map(|need| need.strength);
        assert_eq!(strength(Guarantee::HostsFiltered), Some(Strength::Holds));
        assert_eq!(strength(Guarantee::NetworkOff), None);
        assert_eq!(strength(Guarantee::NamesAbsent), Some(Strength::Detects));
        assert_eq!(strength(Guarantee::LimitsHeld), Some(Strength::Holds));
    }

    #[test]
    fn short_is_what_is_needed_and_weaker() {
        let boundary = Boundary::closed("/w".into(), "/h".into());
        let promises = vec![
            promise(Guarantee::WritesConfined, Strength::Holds),
            promise(Guarantee::ReadsConfined, Strength::Detects),
            promise(Guarantee::NetworkOff, Strength::Lacks),
            // Nobody needs it.
            promise(Guarantee::IdentitySeparate, Strength::Lacks),
        ];
        let short: Vec<Guarantee> =
            shortfalls(&needs(&boundary), promises).into_iter().map(|shortfall| shortfall.promise.guarantee).collect();
        assert_eq!(short, [Guarantee::ReadsConfined, Guarantee::NetworkOff]);
    }
}
