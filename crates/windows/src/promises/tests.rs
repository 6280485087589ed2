//! The promises on the machines of the tests.

use super::*;
use crate::facts::tests::machine;
use crate::path::WindowsPath;
use crate::plan::Leak;
use crate::target::tests::target;

fn table(name: &str) -> String {
    let (facts, _) = machine(name);
    let mut text = String::new();
    for tier in Tier::ALL {
        text.push_str(&format!("{tier}\n"));
        for promise in promises(tier, &facts, None) {
            let Promise { guarantee, strength, reason, remedy } = promise;
            assert!(reason.ends_with(&format!("({SHOWN})")));
            let reason = reason.replace(&format!(" ({SHOWN})"), "");
            text.push_str(&format!("  {guarantee}: {} - {reason}\n", strength.name()));
            if let Some(remedy) = remedy {
                text.push_str(&format!("    supplied by {remedy}\n"));
            }
        }
    }
    text
}

#[test]
fn promises_read_like_what_they_are() {
    insta::assert_snapshot!("ordinary", table("domain-user"));
    insta::assert_snapshot!("not-set-up", table("home-edition"));
    insta::assert_snapshot!("drive-without-access-lists", table("several-drives"));
}

fn strength(promises: &[Promise], guarantee: Guarantee) -> Strength {
    promises.iter().find(|promise| promise.guarantee == guarantee).map_or(Strength::Lacks, |promise| promise.strength)
}

#[test]
fn every_guarantee_has_its_promise_in_every_tier() {
    let (facts, _) = machine("domain-user");
    for tier in Tier::ALL {
        let promises = promises(tier, &facts, None);
        let named: Vec<Guarantee> = promises.iter().map(|promise| promise.guarantee).collect();
        assert_eq!(named, Guarantee::ALL);
        assert!(promises.iter().all(|promise| !promise.reason.contains("does not know")), "{tier}");
    }
}

#[test]
fn a_leak_of_the_plan_is_a_promise_that_does_not_hold() {
    for (name, tier) in [
        ("domain-user", Tier::Guard),
        ("domain-user", Tier::Account),
        ("domain-user", Tier::Container),
        ("several-drives", Tier::Account),
        ("several-drives", Tier::Container),
    ] {
        let (facts, target) = target(name, tier, "").unwrap();
        let plan = Plan::new(&target, &facts).unwrap();
        let promises = promises(tier, &facts, Some(&plan));
        for leak in &plan.leaks {
            let guarantees: &[Guarantee] = match leak {
                Leak::UserFilesReadable => &[Guarantee::ReadsConfined],
                Leak::DeletedThroughParent | Leak::EveryoneWritable { .. } => &[Guarantee::WritesConfined],
                Leak::UserProcesses | Leak::ProcessesListed => &[Guarantee::ProcessesHidden],
                Leak::Network | Leak::NamesThroughService => &[Guarantee::NetworkOff],
                Leak::NoAccessLists { .. } => &[Guarantee::ReadsConfined, Guarantee::WritesConfined],
                Leak::OpenToPackages { .. } | Leak::OpenToAccounts { .. } => &[Guarantee::ReadsConfined],
                Leak::Pipes => &[Guarantee::SocketsConfined],
                Leak::UserDesktop => &[Guarantee::TerminalSafe],
                Leak::Brokers => &[Guarantee::TreeDies],
                Leak::NamesStay { .. } => &[Guarantee::NamesAbsent],
                // A name is not reached; the guarantees speak of files, not of the registry.
                Leak::PipesListed | Leak::OpenKeys => &[],
                Leak::StartedOutside => {
                    assert!(strength(&promises, Guarantee::TreeDies) < Strength::Holds, "{name} {tier}");
                    &[]
                }
            };
            for guarantee in guarantees {
                assert_eq!(strength(&promises, *guarantee), Strength::Lacks, "{name} {tier}: {leak}");
            }
        }
    }
}

#[test]
fn places_open_to_every_package_cost_the_container_its_promise() {
    let (mut facts, _) = machine("domain-user");
    let before = promises(Tier::Container, &facts, None);
    assert_eq!(strength(&before, Guarantee::WritesConfined), Strength::Holds);
    facts.open_to_all.push(OpenPlace {
        path: WindowsPath::parse(r"C:\shared").unwrap(),
        access: crate::facts::OpenAccess::Write,
        through: bailiwick_winsec::Sid::ALL_APPLICATION_PACKAGES,
    });
    let after = promises(Tier::Container, &facts, None);
    assert_eq!(strength(&after, Guarantee::WritesConfined), Strength::Lacks);
}

/// Of Program Files not even administrators may change the list, so where a policy does not let it be read, nothing keeps the account out.
#[test]
fn what_every_account_reads_and_nobody_can_close_costs_the_account_its_promise() {
    let of = |policy: &str| {
        let (facts, target) = target("domain-user", Tier::Account, policy).unwrap();
        let plan = Plan::new(&target, &facts).unwrap();
        let leaks = plan.leaks.iter().filter(|leak| matches!(leak, Leak::OpenToAccounts { .. })).cloned();
        (strength(&promises(Tier::Account, &facts, Some(&plan)), Guarantee::ReadsConfined), leaks.collect::<Vec<_>>())
    };
    assert_eq!(of(""), (Strength::Holds, Vec::new()));
    let places = vec![WindowsPath::parse(r"C:\Program Files").unwrap()];
    let denied = of("[files]\ndeny = [\"C:/Program Files\"]");
    assert_eq!(denied, (Strength::Lacks, vec![Leak::OpenToAccounts { places }]));
}

#[test]
fn a_limit_that_windows_has_nothing_for_is_not_held() {
    let (facts, target) = target("domain-user", Tier::Account, "[limits]\nfile_size = \"1GiB\"").unwrap();
    let plan = Plan::new(&target, &facts).unwrap();
    assert_eq!(strength(&promises(Tier::Account, &facts, Some(&plan)), Guarantee::LimitsHeld), Strength::Lacks);
    assert_eq!(strength(&promises(Tier::Account, &facts, None), Guarantee::LimitsHeld), Strength::Holds);
}

#[test]
fn the_page_has_a_row_for_every_guarantee_and_says_what_it_is() {
    let (facts, _) = machine("domain-user");
    let page = tiers_markdown(&facts);
    assert!(page.contains("not yet run on Windows"));
    for guarantee in Guarantee::ALL {
        assert!(page.contains(&format!("| `{guarantee}` | ")), "{guarantee}");
    }
    // Every variation changes something in some tier.
    for part in page.split("\n### ").skip(1) {
        assert!(!part.lines().filter(|line| line.starts_with("- ")).all(|line| line.ends_with(": nothing.")), "{part}");
    }
}
