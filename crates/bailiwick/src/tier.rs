//! Which tier holds a boundary on this host, and what is said when none does.

use std::fmt::{self, Write as _};

use bailiwick_linux::api::Tier;
use bailiwick_linux::facts::Facts;
use bailiwick_linux::promises::{Obstacle, obstacle, promises};
use bailiwick_policy::boundary::Boundary;
use bailiwick_policy::needs::{Shortfall, shortfalls_of};
use bailiwick_policy::policy::TierChoice;
use serde::Serialize;

/// The tier that will hold a boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The tier.
    pub tier: Tier,
    /// What it does not keep, the boundary needs, and the user accepted to lose by name.
    pub accepted: Vec<Shortfall>,
}

/// Why one tier will not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unfit {
    /// The tier.
    pub tier: Tier,
    /// Why it cannot be entered at all, if so. No acceptance helps then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<Obstacle>,
    /// What it does not keep, the boundary needs, and the user has not accepted to lose.
    pub lacking: Vec<Shortfall>,
}

/// No tier keeps what the boundary needs: nothing was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Every tier that was considered, the strongest first.
    pub unfit: Vec<Unfit>,
}

/// Chooses the strongest tier that keeps what the boundary needs, or looks only at the one that the policy names.
///
/// # Errors
///
/// When none keeps it.
pub fn choose(boundary: &Boundary, facts: &Facts) -> Result<Choice, Refusal> {
    let candidates: &[Tier] = match boundary.isolation.tier {
        TierChoice::Auto => &Tier::ALL,
        TierChoice::Namespaces => &[Tier::Namespaces],
        TierChoice::Landlock => &[Tier::Landlock],
    };
    first_fit(boundary, facts, candidates, Vec::new())
}

/// Chooses among the tiers weaker than `failed`, which could not be entered although nothing spoke against it.
pub(crate) fn after_failure(
    boundary: &Boundary,
    facts: &Facts,
    failed: Tier,
    error: &impl fmt::Display,
) -> Result<Choice, Refusal> {
    let remedy = "`bailiwick doctor` says why, and what to do".to_owned();
    let obstacle = Some(Obstacle { why: error.to_string(), remedy });
    let unfit = vec![Unfit { tier: failed, obstacle, lacking: Vec::new() }];
    let weaker = Tier::ALL.iter().position(|tier| *tier == failed).map_or(0, |place| place + 1);
    first_fit(boundary, facts, Tier::ALL.get(weaker..).unwrap_or_default(), unfit)
}

fn first_fit(
    boundary: &Boundary,
    facts: &Facts,
    candidates: &[Tier],
    mut unfit: Vec<Unfit>,
) -> Result<Choice, Refusal> {
    for &tier in candidates {
        if let Some(obstacle) = obstacle(tier, facts) {
            unfit.push(Unfit { tier, obstacle: Some(obstacle), lacking: Vec::new() });
            continue;
        }
        let (accepted, lacking): (Vec<_>, Vec<_>) = shortfalls_of(boundary, promises(tier, facts, Some(boundary)))
            .into_iter()
            .partition(|shortfall| boundary.isolation.accept.contains(&shortfall.promise.guarantee));
        if lacking.is_empty() {
            return Ok(Choice { tier, accepted });
        }
        unfit.push(Unfit { tier, obstacle: None, lacking });
    }
    Err(Refusal { unfit })
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.unfit.as_slice() {
            [_] => "this tier does not keep all that the policy needs on this host, so nothing was started",
            _ => "no tier keeps all that the policy needs on this host, so nothing was started",
        })?;
        let closest = self.closest().map(|unfit| unfit.tier);
        for unfit in &self.unfit {
            f.write_str("\n  ")?;
            unfit.tell(f, closest == Some(unfit.tier))?;
        }
        write!(f, "\n  {}", self.way_out())
    }
}

impl Refusal {
    /// The tier that can be entered and lacks least: the one to accept a loss of.
    fn closest(&self) -> Option<&Unfit> {
        self.unfit.iter().filter(|unfit| unfit.obstacle.is_none()).min_by_key(|unfit| unfit.lacking.len())
    }

    /// The last line: what to do.
    fn way_out(&self) -> String {
        let mut text = "`bailiwick doctor` says what this host can keep".to_owned();
        if let Some(closest) = self.closest() {
            text.push_str("; to take the loss by name, add");
            for shortfall in &closest.lacking {
                let _ = write!(text, " --accept {}", shortfall.promise.guarantee);
            }
        }
        text
    }
}

impl Unfit {
    /// With all reasons, or by name alone.
    fn tell(&self, f: &mut fmt::Formatter<'_>, with_reasons: bool) -> fmt::Result {
        let name = self.tier.name();
        if let Some(Obstacle { why, remedy }) = &self.obstacle {
            return write!(f, "{name} cannot be entered: {}\n    {}", indented(why, 4), indented(remedy, 4));
        }
        if !with_reasons {
            let names: Vec<_> = self.lacking.iter().map(|shortfall| shortfall.promise.guarantee.name()).collect();
            return write!(f, "{name} lacks {}", names.join(", "));
        }
        write!(f, "{name} lacks")?;
        for Shortfall { promise, need } in &self.lacking {
            write!(f, "\n    {}: {}", promise.guarantee, indented(&promise.reason, 6))?;
            write!(f, "\n      needed because {}", need.why)?;
            if let Some(remedy) = &promise.remedy {
                write!(f, "\n      what would supply it: {}", indented(remedy, 6))?;
            }
        }
        Ok(())
    }
}

/// Further lines stand below the first one.
fn indented(text: &str, columns: usize) -> String {
    text.replace('\n', &format!("\n{}", " ".repeat(columns)))
}

#[cfg(test)]
mod tests;
