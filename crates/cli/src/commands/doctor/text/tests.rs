use bailiwick::linux::api::Tier;
use bailiwick::linux::facts::{Facts, KernelVersion, Namespaces};
use bailiwick::linux::promises::{obstacle, promises};
use bailiwick::linux::userns::{Cause, Diagnosis as Why};
use bailiwick::policy::guarantee::Guarantee;

use super::super::hard_links::Findings;
use super::super::{Diagnosis, Here, Place, TierPromises};
use super::show;
use crate::render::style::Style;

fn diagnosis(namespaces: Namespaces) -> Diagnosis {
    let facts = Facts {
        kernel: KernelVersion(6, 18),
        uid: 1000,
        landlock_abi: 7,
        seccomp: true,
        namespaces,
        wsl: None,
        container: None,
    };
    let tiers = Tier::ALL.into_iter().map(|tier| TierPromises {
        tier,
        obstacle: obstacle(tier, &facts),
        promises: promises(tier, &facts, None),
    });
    Diagnosis {
        version: "1.2.3",
        for_the_policy_here: false,
        tiers: tiers.collect(),
        here: Here {
            workspace: "/w".to_owned(),
            tier: Some(Tier::Namespaces),
            accepted: Vec::new(),
            refusal: None,
            hard_links: Some(Findings {
                looked_at: 7,
                stopped: true,
                unreadable: 2,
                outside: 1,
                first: vec!["/w/\x1b[2J".into()],
            }),
        },
        paths: vec![Place { what: "program", path: "/usr/bin/bailiwick".to_owned(), exists: false }],
        facts,
    }
}

#[test]
fn every_guarantee_has_its_row_and_every_lack_its_reason() {
    let diagnosis = diagnosis(Namespaces::Work);
    let text = show(&diagnosis, Style::PLAIN);
    for guarantee in Guarantee::ALL {
        assert!(text.lines().any(|line| line.starts_with(guarantee.name())), "{guarantee}");
    }
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let all = words(&text);
    for tier in &diagnosis.tiers {
        for promise in tier.promises.iter().filter(|promise| promise.strength.name() == "lacks") {
            assert!(all.contains(&words(&promise.reason)), "{}", promise.reason);
        }
    }
}

#[test]
fn a_remedy_with_a_file_to_copy_keeps_its_lines() {
    let remedy = "Write this:\nprofile bailiwick {\n  userns,\n}".to_owned();
    let why = Why { cause: Cause::AppArmor, explanation: "AppArmor restricts them.".to_owned(), remedy };
    let text = show(&diagnosis(Namespaces::Fail(why)), Style::PLAIN);
    assert!(text.contains("namespaces cannot be entered here\n  AppArmor restricts them."), "{text}");
    assert!(text.contains("  profile bailiwick {\n    userns,\n  }\n"), "{text}");
}

#[test]
fn hard_links_are_named_and_their_names_escaped() {
    let text = show(&diagnosis(Namespaces::Work), Style::PLAIN);
    assert!(text.contains("    /w/\\u{1b}[2J\n"), "{text}");
    assert!(text.contains("the rest was not looked at"));
    assert!(text.contains("2 directories could not be read"));
}
