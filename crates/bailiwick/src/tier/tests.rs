use bailiwick_linux::api::Tier;
use bailiwick_linux::facts::{Facts, KernelVersion, Namespaces};
use bailiwick_policy::boundary::{Boundary, Isolation};
use bailiwick_policy::guarantee::Guarantee;
use bailiwick_policy::policy::TierChoice;

use super::{after_failure, choose};

fn boundary(tier: TierChoice, accept: impl IntoIterator<Item = Guarantee>) -> Boundary {
    Boundary {
        isolation: Isolation { tier, accept: accept.into_iter().collect(), trace: false, nested_namespaces: false },
        ..Boundary::closed("/w".into(), "/home/ana".into())
    }
}

fn facts() -> Facts {
    Facts {
        kernel: KernelVersion(6, 18),
        uid: 1000,
        landlock_abi: 7,
        seccomp: true,
        namespaces: Namespaces::NotTried,
        wsl: None,
        container: None,
    }
}

#[test]
fn the_strongest_tier_that_holds_is_chosen() {
    let choice = choose(&boundary(TierChoice::Auto, []), &facts()).expect("namespaces hold");
    assert_eq!((choice.tier, choice.accepted), (Tier::Namespaces, Vec::new()));
}

#[test]
fn a_forced_tier_is_never_exchanged() {
    let refusal = choose(&boundary(TierChoice::Landlock, []), &facts()).expect_err("Landlock lacks something");
    assert_eq!(refusal.unfit.iter().map(|unfit| unfit.tier).collect::<Vec<_>>(), [Tier::Landlock]);
    let lacking: Vec<_> = refusal.unfit[0].lacking.iter().map(|shortfall| shortfall.promise.guarantee).collect();
    assert!(lacking.contains(&Guarantee::MetadataConfined));
    let text = refusal.to_string();
    assert!(text.contains("so nothing was started"), "{text}");
    assert!(text.contains("--accept metadata-confined"), "{text}");
}

#[test]
fn exactly_the_accepted_losses_are_taken() {
    let refusal = choose(&boundary(TierChoice::Landlock, []), &facts()).expect_err("Landlock lacks something");
    let all: Vec<_> = refusal.unfit[0].lacking.iter().map(|shortfall| shortfall.promise.guarantee).collect();
    let choice = choose(&boundary(TierChoice::Landlock, all.clone()), &facts()).expect("all losses are accepted");
    assert_eq!(choice.accepted.iter().map(|loss| loss.promise.guarantee).collect::<Vec<_>>(), all);
    let all_but_one = all.iter().copied().skip(1);
    let refusal = choose(&boundary(TierChoice::Landlock, all_but_one), &facts()).expect_err("one loss is not accepted");
    assert_eq!(refusal.unfit[0].lacking.len(), 1);
    assert_eq!(refusal.unfit[0].lacking[0].promise.guarantee, all[0]);
}

#[test]
fn a_tier_that_cannot_be_entered_is_not_made_up_for_by_accepting() {
    let old = Facts { kernel: KernelVersion(5, 4), landlock_abi: 0, ..facts() };
    let refusal = choose(&boundary(TierChoice::Auto, Guarantee::ALL), &old).expect_err("nothing can be entered");
    assert!(refusal.unfit.iter().all(|unfit| unfit.obstacle.is_some()));
    assert!(!refusal.to_string().contains("--accept"), "{refusal}");
}

#[test]
fn after_a_failed_launch_only_a_weaker_tier_that_holds_is_taken() {
    let refusal = after_failure(&boundary(TierChoice::Auto, []), &facts(), Tier::Namespaces, &"refused")
        .expect_err("Landlock lacks something");
    assert_eq!(refusal.unfit.iter().map(|unfit| unfit.tier).collect::<Vec<_>>(), Tier::ALL);
    let accepting = boundary(TierChoice::Auto, Guarantee::ALL);
    let choice = after_failure(&accepting, &facts(), Tier::Namespaces, &"refused").expect("all losses are accepted");
    assert_eq!(choice.tier, Tier::Landlock);
    assert!(!choice.accepted.is_empty());
    let nothing_left = after_failure(&accepting, &facts(), Tier::Landlock, &"refused");
    assert!(nothing_left.is_err());
}
