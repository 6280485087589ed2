//! What a boundary needs of a tier.

use std::path::{Path, PathBuf};

use bailiwick_policy::boundary::{Boundary, Present, RunLimits};
use bailiwick_policy::decide::Grant;
use bailiwick_policy::guarantee::{Guarantee, Strength};
use bailiwick_policy::text::escape;
use serde::Serialize;

use crate::landlock::unheld;

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

pub(super) fn needs_for(guarded: usize, hosts: bool, limits: &RunLimits) -> Vec<Need> {
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

/// Existing places that must not be read, below trees that may: escaped for printing.
pub(super) fn hidden_below(boundary: &Boundary) -> Vec<String> {
    hidden(boundary).iter().map(|path| escape(path.as_os_str())).collect()
}

/// Those of them that lie below a tree that may be written, however deep: what moves a name takes what is under it along.
pub(super) fn hidden_below_writable(boundary: &Boundary) -> Vec<String> {
    let writable: Vec<&Path> =
        boundary.point_grants().into_iter().filter(|(_, grant)| *grant == Grant::Write).map(|(path, _)| path).collect();
    let hidden = hidden(boundary);
    let hidden = hidden.iter().filter(|path| writable.iter().any(|root| path.starts_with(root)));
    hidden.map(|path| escape(path.as_os_str())).collect()
}

fn hidden(boundary: &Boundary) -> Vec<PathBuf> {
    let is_absent = |path: &Path| {
        let mut rules =
            boundary.rules.iter().chain(&boundary.ceiling_rules).filter(|rule| rule.path == path).peekable();
        rules.peek().is_some() && rules.all(|rule| rule.present == Present::Absent)
    };
    unheld(boundary)
        .into_iter()
        .filter(|unheld| matches!(unheld.wanted, Grant::Hidden | Grant::Denied | Grant::Private(_)))
        .filter(|unheld| !is_absent(&unheld.path))
        .map(|unheld| unheld.path)
        .collect()
}
