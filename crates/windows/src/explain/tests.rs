//! Answers about the machines of the tests, and that no promise is contradicted by one.

use std::ffi::OsStr;

use bailiwick_policy::explain::Verb as Ask;
use bailiwick_policy::guarantee::Strength;

use super::*;
use crate::facts::ObjectKind;
use crate::facts::tests::MACHINES;
use crate::target::tests::target;

fn answer(machine: &str, tier: Tier, verb: Ask, asked: &str) -> Explanation {
    let (facts, target) = target(machine, tier, "").unwrap();
    explain(&target, &facts, verb, OsStr::new(asked)).unwrap_or_else(|error| panic!("{asked}: {error}"))
}

/// The text from the line about the object on.
fn from_object(explanation: &Explanation) -> String {
    let text = explanation.to_text();
    text[text.find("  object").unwrap()..].to_owned()
}

fn outcome(machine: &str, tier: Tier, verb: Ask, asked: &str) -> Outcome {
    answer(machine, tier, verb, asked).enforcement.outcome
}

#[test]
fn a_key_of_the_user() {
    let key = r"C:\Users\Ada\.ssh";
    insta::assert_snapshot!(answer("home-edition", Tier::Guard, Ask::Read, key).to_text());
    assert_eq!(outcome("home-edition", Tier::Guard, Ask::Read, key), Outcome::NotHeld);
    assert_eq!(outcome("home-edition", Tier::Container, Ask::Read, key), Outcome::AsDecided);
    assert_eq!(outcome("home-edition", Tier::Account, Ask::Read, key), Outcome::NoRun);
    let other = r"C:\Users\jdoe.CONTOSO\.ssh";
    assert_eq!(outcome("domain-user", Tier::Account, Ask::Read, other), Outcome::AsDecided);
}

#[test]
fn the_guard_does_not_stop_deleting_through_the_parent() {
    let text = from_object(&answer("home-edition", Tier::Guard, Ask::Remove, r"C:\Users\Ada\.gitconfig"));
    insta::assert_snapshot!(text);
}

#[test]
fn the_workspace_is_supplied_in_every_tier() {
    for (machine, tier, file) in [
        ("home-edition", Tier::Guard, r"C:\Users\Ada\source\project\src"),
        ("home-edition", Tier::Guard, r"C:\Users\Ada\source\project\src\main.rs"),
        ("home-edition", Tier::Container, r"C:\Users\Ada\source\project\src"),
        ("home-edition", Tier::Container, r"src\main.rs"),
        ("domain-user", Tier::Account, r"C:\src\billing\new.txt"),
        ("domain-user", Tier::Container, r"C:\src\billing"),
    ] {
        let explanation = answer(machine, tier, Ask::Write, file);
        assert_eq!(explanation.enforcement.outcome, Outcome::AsDecided, "{file}\n{}", explanation.to_text());
        assert_eq!(explanation.policy.decision.verdict, Verdict::Allowed, "{file}");
    }
}

#[test]
fn a_hook_is_held_and_an_absent_one_only_watched() {
    let hook = r"C:\Users\Ada\source\project\.git\hooks";
    for tier in [Tier::Guard, Tier::Container] {
        assert_eq!(outcome("home-edition", tier, Ask::Write, hook), Outcome::AsDecided, "{tier}");
        assert_eq!(outcome("home-edition", tier, Ask::Write, r".git\hooks\pre-commit"), Outcome::AsDecided, "{tier}");
        assert_eq!(outcome("home-edition", tier, Ask::Write, r".idea\workspace.xml"), Outcome::NotHeld, "{tier}");
    }
    insta::assert_snapshot!(from_object(&answer("home-edition", Tier::Guard, Ask::Remove, hook)));
}

#[test]
fn a_sid_that_only_begins_alike_keeps_its_digits() {
    assert_eq!(
        text::shorten("S-1-5-21-7, S-1-5-21-71; S-1-5-21-7-1 S-1-5-21-7", "S-1-5-21-7", "USER"),
        "USER, S-1-5-21-71; S-1-5-21-7-1 USER"
    );
}

#[test]
fn hosts() {
    let connect = |machine, tier| outcome(machine, tier, Ask::Connect, "github.com:443");
    assert_eq!(connect("home-edition", Tier::Guard), Outcome::NotHeld);
    assert_eq!(connect("home-edition", Tier::Container), Outcome::AsDecided);
    assert_eq!(connect("domain-user", Tier::Account), Outcome::AsDecided);
    let (facts, allowing) = target("home-edition", Tier::Container, "[network]\nallow = [\"github.com\"]").unwrap();
    let allowed = explain(&allowing, &facts, Ask::Connect, OsStr::new("github.com")).unwrap();
    assert_eq!(allowed.enforcement.outcome, Outcome::NotSupplied);
}

#[test]
fn spellings_of_one_file_have_one_answer() {
    let spellings = [
        r"C:\Users\Ada\.ssh\id",
        r"c:/users/ADA/.SSH/id",
        r"\\?\C:\Users\Ada\.ssh\id",
        r"C:\Users\Ada\x\..\.ssh\id",
        "~/.ssh/id",
        r"..\..\.ssh\id",
    ];
    for spelled in spellings {
        let explanation = answer("home-edition", Tier::Container, Ask::Read, spelled);
        assert!(explanation.policy.canonical.eq_ignore_ascii_case(spellings[0]), "{spelled}");
        assert_eq!(explanation.enforcement.outcome, Outcome::AsDecided, "{spelled}");
    }
    let (facts, target) = target("home-edition", Tier::Guard, "").unwrap();
    for refused in [r"\\server\share", "", "C:relative", "a\0b", r"C:\a::$INDEX_ALLOCATION"] {
        assert!(explain(&target, &facts, Ask::Read, OsStr::new(refused)).is_err(), "{refused:?}");
    }
    assert!(explain(&target, &facts, Ask::Socket, OsStr::new(r"\\.\pipe\x")).is_err());
}

#[test]
fn what_is_not_described_is_not_known() {
    // Without access lists nobody is refused anything; on another machine that one decides.
    assert_eq!(outcome("several-drives", Tier::Container, Ask::Read, r"E:\x"), Outcome::NotHeld);
    assert_eq!(outcome("several-drives", Tier::Container, Ask::Read, r"Z:\x"), Outcome::Unknown);
    assert_eq!(outcome("home-edition", Tier::Guard, Ask::Read, r"Q:\x"), Outcome::Unknown);
}

/// Every described place of every machine, and a new name in it, under every verb and tier: where something can be done that the
/// policy refuses, the
/// promise that is concerned is not one that holds.
#[test]
fn no_promise_that_holds_is_contradicted() {
    let mut seen = [0; 3];
    for (machine, ..) in MACHINES {
        for tier in Tier::ALL {
            let (facts, target) = target(machine, tier, "").unwrap();
            let plan = Plan::new(&target, &facts);
            let objects = facts.objects.iter().filter(|object| !matches!(object.kind, ObjectKind::Link(_)));
            let below = |path: &WindowsPath| [Some(path.clone()), path.join("new.txt").ok()];
            for path in objects.flat_map(|object| below(&object.path)).flatten() {
                for verb in [Ask::Read, Ask::Write, Ask::Remove] {
                    let asked = path.to_string();
                    let explanation = explain_planned(&target, &facts, &plan, verb, asked.as_ref()).unwrap();
                    let Enforcement { outcome, promise, .. } = &explanation.enforcement;
                    let strength = promise.as_ref().unwrap().strength;
                    match outcome {
                        Outcome::NotHeld => seen[0] += 1,
                        Outcome::NotSupplied => seen[1] += 1,
                        Outcome::AsDecided => seen[2] += 1,
                        _ => {}
                    }
                    let contradicts = *outcome == Outcome::NotHeld && strength != Strength::Lacks;
                    assert!(!contradicts, "{machine} {tier}\n{}", explanation.to_text());
                }
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}
