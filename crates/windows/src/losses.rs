//! What a run does without: nothing starts before every need of the boundary that its tier does not keep was accepted by name, and
//! what was accepted is said in every run, with who accepted it.

use std::fmt;

use bailiwick_policy::guarantee::{Guarantee, Promise};
use bailiwick_policy::needs::{Shortfall, needs, shortfalls};
use bailiwick_policy::origin::Origin;
use serde::Serialize;

use crate::facts::Facts;
use crate::plan::Plan;
use crate::promises::promises;
use crate::target::Target;
use crate::tier::Tier;

/// A need that the tier does not keep here, and where its loss was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// The guarantee.
    pub guarantee: Guarantee,
    /// How far it is kept, and why no further.
    pub promise: Promise,
    /// Where its loss was accepted: the last place that says so.
    pub accepted: Origin,
}

/// All that a run does without. There is none of these but from [`admit`], so a session that asks for it was admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Losses {
    tier: Tier,
    losses: Vec<Loss>,
}

/// The tier does not keep what the boundary needs, and nobody accepted that: nothing may be started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotAdmitted {
    /// The tier.
    pub tier: Tier,
    /// What is missing.
    pub lacking: Vec<Shortfall>,
}

/// Holds the needs of a boundary against what its tier keeps on this host.
///
/// # Errors
///
/// [`NotAdmitted`] with everything that is missing and was not accepted.
pub fn admit(target: &Target, facts: &Facts, plan: &Plan) -> Result<Losses, NotAdmitted> {
    let (losses, lacking) = weigh(target, promises(target.tier, facts, Some(plan)));
    match lacking.is_empty() {
        true => Ok(Losses { tier: target.tier, losses }),
        false => Err(NotAdmitted { tier: target.tier, lacking }),
    }
}

/// What the boundary needs and these promises do not keep: what was accepted, and what was not.
pub(crate) fn weigh(target: &Target, promises: Vec<Promise>) -> (Vec<Loss>, Vec<Shortfall>) {
    let (mut losses, mut lacking) = (Vec::new(), Vec::new());
    for shortfall in shortfalls(&needs(&target.boundary), promises) {
        let guarantee = shortfall.promise.guarantee;
        match target.accepted.iter().rev().find(|accepted| accepted.value == guarantee) {
            Some(accepted) => {
                let accepted = accepted.origin.clone();
                losses.push(Loss { guarantee, promise: shortfall.promise, accepted });
            }
            None => lacking.push(shortfall),
        }
    }
    (losses, lacking)
}

impl Losses {
    /// The losses, in the order of [`Guarantee::ALL`].
    pub fn all(&self) -> &[Loss] {
        &self.losses
    }
}

/// Guarantees by where their loss was accepted: `processes-hidden, kernel-surface (built-in profile …)`.
pub(crate) fn by_origin(losses: &[Loss]) -> String {
    let mut parts: Vec<(String, Vec<&'static str>)> = Vec::new();
    for loss in losses {
        let document = Origin { line: None, ..loss.accepted.clone() }.to_string();
        match parts.iter_mut().find(|(known, _)| *known == document) {
            Some((_, names)) => names.push(loss.guarantee.name()),
            None => parts.push((document, vec![loss.guarantee.name()])),
        }
    }
    let parts: Vec<String> =
        parts.into_iter().map(|(document, names)| format!("{} ({document})", names.join(", "))).collect();
    parts.join("; ")
}

/// What every run says before its first command; nothing where nothing is lost.
impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.losses.is_empty() {
            return Ok(());
        }
        write!(f, "{} does not keep here, as accepted: {}", self.tier, by_origin(&self.losses))
    }
}

impl fmt::Display for NotAdmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the tier {} does not keep all that the policy needs on this host, so nothing was started",
            self.tier
        )?;
        for shortfall in &self.lacking {
            write!(f, "\n  {}", shortfall.to_string().replace('\n', "\n  "))?;
        }
        f.write_str("\n  to take the loss by name, add")?;
        self.lacking.iter().try_for_each(|shortfall| write!(f, " --accept {}", shortfall.promise.guarantee))
    }
}

impl std::error::Error for NotAdmitted {}

#[cfg(test)]
mod tests {
    use bailiwick_policy::document::Document;
    use bailiwick_policy::origin::{Layer, Source};

    use super::*;
    use crate::facts::tests::machine;
    use crate::profile;
    use crate::target::Asked;

    /// A run with this document of the user's and no option.
    fn run(name: &str, tier: Tier, user: &str) -> Result<Losses, NotAdmitted> {
        let (facts, workspace) = machine(name);
        let user = Document::parse(user, Source::File("policy.toml".into()), Layer::User).unwrap();
        let policy = profile::policy("workspace", tier, Some(user), None).unwrap().unwrap();
        let asked = Asked { current_dir: workspace.clone(), workspace, tier };
        let target = Target::resolve(&policy, &facts, &asked).unwrap();
        admit(&target, &facts, &Plan::new(&target, &facts).unwrap())
    }

    fn names(losses: &Losses) -> Vec<&'static str> {
        losses.all().iter().map(|loss| loss.guarantee.name()).collect()
    }

    #[test]
    fn a_run_with_no_file_at_all_starts_in_a_container_and_says_what_it_loses() {
        for name in ["domain-user", "home-edition", "dev-drive"] {
            let losses = run(name, Tier::Container, "").unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(names(&losses), ["processes-hidden", "kernel-surface"], "{name}");
            let said = "container does not keep here, as accepted: processes-hidden, kernel-surface (built-in profile `windows-losses`)";
            assert_eq!(losses.to_string(), said, "{name}");
        }
    }

    /// What an account loses besides is a way out or a way to others, which nobody accepts for the user.
    #[test]
    fn an_account_takes_its_own_losses_by_name() {
        insta::assert_snapshot!(run("domain-user", Tier::Account, "").unwrap_err());
        let accepting = "[isolation]\naccept = [\"network-off\", \"sockets-confined\", \"tree-dies\"]";
        let losses = run("domain-user", Tier::Account, accepting).unwrap();
        insta::assert_snapshot!(losses, @"account does not keep here, as accepted: network-off, sockets-confined, tree-dies (policy.toml); processes-hidden, kernel-surface (built-in profile `windows-losses`)");
    }

    /// In the guard the same name means that memory is read and processes are ended.
    #[test]
    fn a_guard_has_nothing_accepted_for_it() {
        let refused = run("domain-user", Tier::Guard, "").unwrap_err();
        let lacking: Vec<_> = refused.lacking.iter().map(|shortfall| shortfall.promise.guarantee).collect();
        assert!(lacking.contains(&Guarantee::ProcessesHidden) && lacking.contains(&Guarantee::KernelSurface));
    }

    /// What is accepted by the built-in profile is what its comment says it is: nothing outside can be opened.
    #[test]
    fn the_built_in_losses_are_of_the_kind_that_they_say() {
        for tier in [Tier::Account, Tier::Container] {
            let document = profile::losses(tier).unwrap().unwrap();
            let accepted: Vec<_> = document.isolation.accept.unwrap().into_iter().map(|loss| loss.value).collect();
            assert_eq!(accepted, [Guarantee::ProcessesHidden, Guarantee::KernelSurface]);
            let (facts, _) = machine("domain-user");
            let promises = promises(tier, &facts, None);
            let hidden = promises.iter().find(|promise| promise.guarantee == Guarantee::ProcessesHidden).unwrap();
            assert!(hidden.reason.starts_with("no process outside can be opened, signalled or traced"), "{tier}");
        }
        assert_eq!(profile::losses(Tier::Guard).unwrap(), None);
    }
}
