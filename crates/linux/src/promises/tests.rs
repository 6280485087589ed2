use std::path::PathBuf;

use bailiwick_policy::boundary::{Boundary, FileRule, Present, RunLimits};
use bailiwick_policy::needs::{needs_for, shortfalls};
use bailiwick_policy::origin::{Layer, Origin, Source};
use bailiwick_policy::policy::FileRuleKind;

use super::markdown::representative;
use super::*;
use crate::facts::{Container, Wsl};
use crate::userns::{Cause, Diagnosis};

/// `guarantee strength` in one line each, both tiers beside each other.
fn shown(facts: &Facts, asked: &Asked) -> String {
    let [namespaces, landlock] = Tier::ALL.map(|tier| promises_for(tier, facts, asked));
    let rows: Vec<String> = namespaces
        .iter()
        .zip(&landlock)
        .map(|(left, right)| {
            format!("{:<18} {:<8} {}", left.guarantee.name(), left.strength.name(), right.strength.name())
        })
        .collect();
    rows.join("\n")
}

fn strength(tier: Tier, facts: &Facts, asked: &Asked, guarantee: Guarantee) -> Strength {
    promises_for(tier, facts, asked)
        .into_iter()
        .find(|promise| promise.guarantee == guarantee)
        .map(|promise| promise.strength)
        .expect("every guarantee has a promise")
}

#[test]
fn every_guarantee_has_one_promise_with_a_reason_in_order() {
    for tier in Tier::ALL {
        for facts in [representative(), Facts { landlock_abi: 0, seccomp: false, uid: 0, ..representative() }] {
            let promises = promises_for(tier, &facts, &Asked::anything());
            let names: Vec<Guarantee> = promises.iter().map(|promise| promise.guarantee).collect();
            assert_eq!(names, Guarantee::ALL);
            for promise in promises {
                assert!(!promise.reason.is_empty());
                assert!(!promise.reason.contains("does not know"), "{}", promise.guarantee);
                assert!(
                    !promise.reason.ends_with('.'),
                    "{}: sentences are put together from reasons",
                    promise.guarantee
                );
            }
        }
    }
}

#[test]
fn an_ordinary_user_on_a_current_kernel() {
    insta::assert_snapshot!(shown(&representative(), &Asked::default()), @r"
    writes-confined    holds    holds
    metadata-confined  holds    lacks
    reads-confined     holds    holds
    names-protected    holds    lacks
    names-absent       detects  detects
    network-off        holds    holds
    hosts-filtered     holds    lacks
    sockets-confined   holds    lacks
    processes-hidden   holds    lacks
    tree-dies          holds    lacks
    terminal-safe      holds    holds
    environment-clean  holds    holds
    kernel-surface     holds    holds
    identity-separate  lacks    lacks
    limits-held        holds    holds
    ");
}

#[test]
fn root_has_no_limit_on_processes() {
    let root = Facts { uid: 0, ..representative() };
    let limited = Asked { processes: true, ..Asked::default() };
    for tier in Tier::ALL {
        assert_eq!(strength(tier, &root, &limited, Guarantee::LimitsHeld), Strength::Lacks);
        assert_eq!(strength(tier, &root, &Asked::default(), Guarantee::LimitsHeld), Strength::Holds);
    }
    assert_eq!(strength(Tier::Namespaces, &representative(), &limited, Guarantee::LimitsHeld), Strength::Holds);
    assert_eq!(strength(Tier::Landlock, &representative(), &limited, Guarantee::LimitsHeld), Strength::Lacks);
}

#[test]
fn an_old_kernel_has_no_namespaces_tier_and_a_weak_landlock_tier() {
    let old = Facts { kernel: KernelVersion(5, 10), landlock_abi: 0, ..representative() };
    assert!(Tier::ALL.into_iter().all(|tier| obstacle(tier, &old).is_some()));
    let middle = Facts { kernel: KernelVersion(5, 15), landlock_abi: 1, ..representative() };
    insta::assert_snapshot!(shown(&middle, &Asked::default()), @r"
    writes-confined    holds    lacks
    metadata-confined  holds    lacks
    reads-confined     holds    holds
    names-protected    holds    lacks
    names-absent       detects  detects
    network-off        holds    holds
    hosts-filtered     holds    lacks
    sockets-confined   holds    lacks
    processes-hidden   holds    lacks
    tree-dies          holds    lacks
    terminal-safe      holds    holds
    environment-clean  holds    holds
    kernel-surface     holds    holds
    identity-separate  lacks    lacks
    limits-held        holds    holds
    ");
}

#[test]
fn windows_bridge_is_named_where_it_is_open() {
    let wsl = Facts { wsl: Some(Wsl { version: 2, interop: true }), landlock_abi: 3, ..representative() };
    let sockets = promises_for(Tier::Landlock, &wsl, &Asked::default())
        .into_iter()
        .find(|promise| promise.guarantee == Guarantee::SocketsConfined)
        .expect("every guarantee has a promise");
    assert_eq!(sockets.strength, Strength::Lacks);
    assert!(sockets.reason.contains("Windows programs"));
    assert_eq!(strength(Tier::Namespaces, &wsl, &Asked::default(), Guarantee::SocketsConfined), Strength::Holds);
    let first = Facts { wsl: Some(Wsl { version: 1, interop: true }), landlock_abi: 0, ..representative() };
    assert!(obstacle(Tier::Namespaces, &first).is_some());
}

#[test]
fn a_container_that_forbids_namespaces_leaves_the_landlock_tier() {
    let diagnosis =
        Diagnosis { cause: Cause::SystemCallFilter, explanation: "refused".into(), remedy: "allow it".into() };
    let container =
        Facts { container: Some(Container::Docker), namespaces: Namespaces::Fail(diagnosis), ..representative() };
    insta::assert_snapshot!(shown(&container, &Asked::default()), @r"
    writes-confined    lacks    holds
    metadata-confined  lacks    lacks
    reads-confined     lacks    holds
    names-protected    lacks    lacks
    names-absent       lacks    detects
    network-off        lacks    holds
    hosts-filtered     lacks    lacks
    sockets-confined   lacks    lacks
    processes-hidden   lacks    lacks
    tree-dies          lacks    lacks
    terminal-safe      lacks    holds
    environment-clean  lacks    holds
    kernel-surface     lacks    holds
    identity-separate  lacks    lacks
    limits-held        lacks    holds
    ");
    let promise = promises_for(Tier::Namespaces, &container, &Asked::default()).swap_remove(0);
    assert_eq!(promise.reason, "the tier cannot be entered here: refused");
    assert_eq!(promise.remedy.as_deref(), Some("allow it"));
}

#[test]
fn a_denied_file_below_a_readable_tree_is_read_in_the_landlock_tier() {
    let asked =
        Asked { hidden_below: ["/w/.env", "/w/b", "/w/c", "/w/d"].map(String::from).to_vec(), ..Asked::default() };
    assert_eq!(strength(Tier::Namespaces, &representative(), &asked, Guarantee::ReadsConfined), Strength::Holds);
    let promises = promises_for(Tier::Landlock, &representative(), &asked);
    assert_eq!(promises[2].strength, Strength::Lacks);
    assert!(promises[2].reason.ends_with("/w/.env, /w/b, /w/c and 1 more"), "{}", promises[2].reason);
}

#[test]
fn newer_landlock_never_promises_less() {
    for tier in Tier::ALL {
        for abi in 1..12 {
            let of = |landlock_abi| promises_for(tier, &Facts { landlock_abi, ..representative() }, &Asked::default());
            for (older, newer) in of(abi).iter().zip(of(abi + 1)) {
                assert!(older.strength <= newer.strength, "{} at ABI {}", newer.guarantee, abi + 1);
            }
        }
    }
}

#[test]
fn needs_follow_the_boundary() {
    let names = |guarded, hosts, limits: &RunLimits| -> Vec<String> {
        needs_for(guarded, hosts, limits)
            .iter()
            .map(|need| format!("{} {}", need.guarantee, need.strength.name()))
            .collect()
    };
    let plain = names(0, false, &RunLimits::default());
    assert!(plain.contains(&"network-off holds".to_owned()));
    assert!(!plain.iter().any(|need| need.starts_with("hosts-filtered") || need.starts_with("names-")));
    assert!(!plain.iter().any(|need| need.starts_with("limits-held") || need.starts_with("identity")));
    let full = names(2, true, &RunLimits { processes: Some(9), ..RunLimits::default() });
    assert!(full.contains(&"hosts-filtered holds".to_owned()) && !full.contains(&"network-off holds".to_owned()));
    assert!(full.contains(&"names-protected holds".to_owned()) && full.contains(&"names-absent detects".to_owned()));
    assert!(full.contains(&"limits-held holds".to_owned()));
}

#[test]
fn the_namespaces_tier_falls_short_of_nothing_that_the_default_needs() {
    let needs = needs_for(20, false, &RunLimits::default());
    let promises = promises_for(Tier::Namespaces, &representative(), &Asked::default());
    assert_eq!(shortfalls(&needs, promises), []);
}

#[test]
fn the_landlock_tier_says_what_it_falls_short_of() {
    let needs = needs_for(20, false, &RunLimits::default());
    let promises = promises_for(Tier::Landlock, &representative(), &Asked::default());
    let short: Vec<String> =
        shortfalls(&needs, promises).iter().map(|shortfall| shortfall.promise.guarantee.to_string()).collect();
    let expected = ["metadata-confined", "names-protected", "sockets-confined", "processes-hidden", "tree-dies"];
    assert_eq!(short, expected);
}

#[test]
fn a_shortfall_is_told_in_full() {
    let needs = needs_for(0, true, &RunLimits::default());
    let promises = promises_for(Tier::Landlock, &representative(), &Asked::default());
    let mut shortfall = shortfalls(&needs, promises);
    shortfall.retain(|shortfall| shortfall.promise.guarantee == Guarantee::HostsFiltered);
    insta::assert_snapshot!(shortfall.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), @r"
    hosts-filtered: lacks here, holds is needed because the policy lists the hosts that may be reached
      without a network namespace nothing leads an ordinary connection to the network gate and nowhere else: Landlock knows ports and no addresses, and a run in this tier has no network at all
      what would supply it: the `namespaces` tier
    ");
}

#[test]
fn the_page_has_every_guarantee_and_no_open_end() {
    let page = tiers_markdown();
    for guarantee in Guarantee::ALL {
        assert!(page.contains(&format!("| `{guarantee}` |")));
    }
    assert!(!page.contains(".."), "a reason that ends with a full stop");
    insta::assert_snapshot!(page.lines().filter(|line| line.starts_with("| `")).count().to_string(), @"15");
}

fn rule(kind: FileRuleKind, path: &str, present: Present) -> FileRule {
    let origin = Origin { layer: Layer::User, source: Source::Option("test".into()), line: None };
    FileRule { kind, path: PathBuf::from(path), present, written: path.into(), origin }
}

/// A workspace with a protected name, a denied file that exists and one that does not.
fn boundary() -> Boundary {
    Boundary {
        rules: vec![
            rule(FileRuleKind::Read, "/usr", Present::Directory),
            rule(FileRuleKind::Write, "/w", Present::Directory),
            rule(FileRuleKind::Deny, "/w/.env", Present::File),
            rule(FileRuleKind::Deny, "/w/.env.local", Present::Absent),
            rule(FileRuleKind::Protect, "/w/.git", Present::Directory),
        ],
        ..Boundary::closed("/w".into(), "/h".into())
    }
}

#[test]
fn a_real_boundary_goes_through_and_accepted_losses_are_taken_out() {
    let mut boundary = boundary();
    assert_eq!(shortfall(Tier::Namespaces, &representative(), &boundary), []);
    let short = |boundary: &Boundary| -> Vec<Guarantee> {
        shortfall(Tier::Landlock, &representative(), boundary)
            .into_iter()
            .map(|shortfall| shortfall.promise.guarantee)
            .collect()
    };
    let all = short(&boundary);
    assert!(all.contains(&Guarantee::ReadsConfined) && all.contains(&Guarantee::NamesProtected));
    let reads = promises(Tier::Landlock, &representative(), Some(&boundary)).swap_remove(2);
    assert!(reads.reason.ends_with("/w/.env"), "the absent one cannot be read: {}", reads.reason);
    boundary.isolation.accept.extend(all);
    assert_eq!(short(&boundary), []);
}

#[test]
fn nested_namespaces_take_away_what_mounts_inside_writable_roots_hold() {
    let mut boundary = boundary();
    boundary.isolation.nested_namespaces = true;
    let short = |boundary: &Boundary| -> Vec<String> {
        let short = shortfall(Tier::Namespaces, &representative(), boundary);
        short.into_iter().map(|shortfall| shortfall.promise.guarantee.to_string()).collect()
    };
    assert_eq!(short(&boundary), ["metadata-confined", "reads-confined", "names-protected"]);
    let reads = promises(Tier::Namespaces, &representative(), Some(&boundary)).swap_remove(2);
    assert!(reads.reason.ends_with(": /w/.env"), "the absent one cannot be read: {}", reads.reason);

    // What is hidden below a tree that is read-only cannot be moved.
    boundary.rules.retain(|rule| rule.kind != FileRuleKind::Deny);
    boundary.rules.push(rule(FileRuleKind::Deny, "/usr/secret", Present::File));
    assert_eq!(short(&boundary), ["metadata-confined", "names-protected"]);

    boundary.isolation.accept.extend([Guarantee::MetadataConfined, Guarantee::NamesProtected]);
    assert_eq!(short(&boundary), Vec::<String>::new());

    // Nothing guarded: nothing to lose.
    boundary.isolation.accept.clear();
    boundary.rules.retain(|rule| rule.kind != FileRuleKind::Protect);
    assert_eq!(short(&boundary), Vec::<String>::new());
}

#[test]
fn landlock_is_not_counted_on_for_sockets_where_nested_namespaces_switch_it_off() {
    let newest = Facts { landlock_abi: 9, ..representative() };
    let reason = |asked: &Asked| {
        let sockets = promises_for(Tier::Namespaces, &newest, asked)
            .into_iter()
            .find(|promise| promise.guarantee == Guarantee::SocketsConfined);
        sockets.expect("every guarantee has a promise").reason
    };
    assert!(reason(&Asked::default()).contains("Landlock refuses every socket"));
    assert!(reason(&Asked { nested: true, ..Asked::default() }).contains("belongs to the grant"));
}
