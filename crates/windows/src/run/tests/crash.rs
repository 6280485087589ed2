//! A fault at every call in turn: after recovery and removal the host is as it was, or it is said what is left.

use super::stage::{Stage, difference};
use crate::run::RunError;
use crate::sim::{Actor, Fault};
use crate::tier::Tier;

/// The whole life, as far as it goes.
fn life(stage: &Stage, user: &mut Actor, admin: &mut Actor) -> Result<(), RunError> {
    let planned = stage.set_up(user, admin, &|_| {})?;
    let live = stage.open(user, &planned)?;
    stage.command(user, &live)?;
    stage.close(user, live)?;
    stage.remove(user, admin).map(|_| ())
}

/// The calls that can be done by half. For all others [`Fault::CrashWithin`] is [`Fault::CrashBefore`], and once is enough.
const TEARS: [&str; 2] = ["append", "write"];

/// The faults that differ at a call.
fn faults_at(call: &str) -> impl Iterator<Item = Fault> {
    let tears = TEARS.contains(&call);
    Fault::ALL.into_iter().filter(move |fault| *fault != Fault::CrashBefore && (tears || *fault != Fault::CrashWithin))
}

/// Lets the `at`-th call go wrong and cleans up; the call, if there was one.
fn accident(stage: &Stage, before: &str, at: u64, fault: Fault) -> Option<&'static str> {
    let (stage, tier) = (stage.again(), stage.tier);
    let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
    stage.sim.inject(&[user.process(), admin.process()], at, fault);
    let outcome = life(&stage, &mut user, &mut admin);
    let Some(struck) = stage.sim.calm() else {
        assert!(outcome.is_ok(), "{tier}: {outcome:?}");
        return None;
    };
    let what = format!("{tier}: {fault:?} at call {at}, {struck}");
    // An error does not end a process: here it gives up. After the crash of one, the other is ended too.
    for process in [user.process(), admin.process()] {
        stage.sim.end(process);
    }
    let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
    let recovered = stage.recover(&mut user, &mut admin).unwrap_or_else(|error| panic!("{what}: {error}"));
    let removed = stage.remove(&mut user, &mut admin).unwrap_or_else(|error| panic!("{what}: {error}"));
    let left: Vec<String> = recovered.left.into_iter().chain(removed.left).collect();
    let after = stage.sim.snapshot();
    assert!(after == before, "{what}; left: {left:?}\n{}", difference(before, &after));
    assert!(left.is_empty(), "{what}: {left:?}");
    Some(struck)
}

fn accidents(machine: &str, tier: Tier) -> u64 {
    let stage = Stage::new(machine, tier, "");
    let before = stage.sim.snapshot();
    let mut at = 0;
    while let Some(call) = accident(&stage, &before, at, Fault::CrashBefore) {
        for fault in faults_at(call) {
            assert_eq!(accident(&stage, &before, at, fault), Some(call), "{tier}: {fault:?} at call {at}");
        }
        at += 1;
    }
    at
}

#[test]
fn the_guard_survives_an_accident_at_every_call() {
    assert!(accidents("several-drives", Tier::Guard) > 100);
}

#[test]
fn the_account_survives_an_accident_at_every_call() {
    assert!(accidents("several-drives", Tier::Account) > 250);
}

#[test]
fn the_container_survives_an_accident_at_every_call() {
    assert!(accidents("several-drives", Tier::Container) > 100);
}

/// Cleaning up is cut short; the call at which, if there was one.
fn accident_of_removal(fresh: &Stage, before: &str, at: u64, fault: Fault) -> Option<&'static str> {
    let (stage, tier) = (fresh.again(), fresh.tier);
    let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
    stage.set_up(&mut user, &mut admin, &|_| {}).unwrap();
    stage.sim.inject(&[user.process(), admin.process()], at, fault);
    let outcome = stage.remove(&mut user, &mut admin);
    let Some(struck) = stage.sim.calm() else {
        assert!(outcome.is_ok());
        return None;
    };
    for process in [user.process(), admin.process()] {
        stage.sim.end(process);
    }
    let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
    let undone = stage.remove(&mut user, &mut admin).unwrap();
    let after = stage.sim.snapshot();
    let what = format!("{tier}: {fault:?} at call {at}, {struck}; left: {:?}", undone.left);
    assert!(after == before && undone.left.is_empty(), "{what}\n{}", difference(before, &after));
    Some(struck)
}

/// Cleaning up is cut short at every call, and done again.
fn accidents_of_removal(tier: Tier) -> u64 {
    let fresh = Stage::new("several-drives", tier, "");
    let before = fresh.sim.snapshot();
    let mut at = 0;
    while let Some(call) = accident_of_removal(&fresh, &before, at, Fault::CrashBefore) {
        for fault in faults_at(call) {
            assert_eq!(accident_of_removal(&fresh, &before, at, fault), Some(call), "{tier}: {fault:?} at call {at}");
        }
        at += 1;
    }
    at
}

#[test]
fn removing_the_guard_survives_an_accident_at_every_call() {
    assert!(accidents_of_removal(Tier::Guard) > 50);
}

#[test]
fn removing_the_account_survives_an_accident_at_every_call() {
    assert!(accidents_of_removal(Tier::Account) > 100);
}

#[test]
fn removing_the_container_survives_an_accident_at_every_call() {
    assert!(accidents_of_removal(Tier::Container) > 50);
}

#[test]
fn when_the_user_is_killed_everything_inside_ends() {
    for tier in Tier::ALL {
        let stage = Stage::new("several-drives", tier, "");
        let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
        let planned = stage.set_up(&mut user, &mut admin, &|_| {}).unwrap();
        let before = stage.sim.running();
        let live = stage.open(&mut user, &planned).unwrap();
        stage.command(&mut user, &live).unwrap();
        assert!(stage.sim.running().len() > before.len());
        stage.sim.end(user.process());
        let after = stage.sim.running();
        assert!(after.iter().all(|process| before.contains(process)), "{tier}: {after:?}");
    }
}
