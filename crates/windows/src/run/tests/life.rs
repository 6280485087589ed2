//! A whole life without accidents: nothing is left, and commands are cheap.

use super::stage::{Stage, difference};
use crate::facts::tests::MACHINES;
use crate::plan::Plan;
use crate::tier::Tier;

fn life(machine: &str, tier: Tier) {
    let stage = Stage::new(machine, tier, "");
    let before = stage.sim.snapshot();
    let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
    let planned =
        stage.set_up(&mut user, &mut admin, &|_| {}).unwrap_or_else(|error| panic!("{machine} {tier}: {error}"));
    assert_ne!(stage.sim.snapshot(), before);
    let live = stage.open(&mut user, &planned).unwrap_or_else(|error| panic!("{machine} {tier}: {error}"));
    let first = stage.command(&mut user, &live).unwrap_or_else(|error| panic!("{machine} {tier}: {error}"));
    let second = stage.command(&mut user, &live).unwrap();
    let running: Vec<u32> = stage.sim.running().into_iter().map(|(id, _)| id).collect();
    assert!(running.contains(&first) && running.contains(&second));
    stage.close(&mut user, live).unwrap();
    let running: Vec<u32> = stage.sim.running().into_iter().map(|(id, _)| id).collect();
    assert!(!running.contains(&first) && !running.contains(&second));
    let undone = stage.remove(&mut user, &mut admin).unwrap_or_else(|error| panic!("{machine} {tier}: {error}"));
    assert_eq!(undone.left, Vec::<String>::new(), "{machine} {tier}");
    let after = stage.sim.snapshot();
    assert!(after == before, "{machine} {tier}:\n{}", difference(&before, &after));
}

#[test]
fn after_removal_the_host_is_as_it_was() {
    for (machine, ..) in MACHINES {
        for tier in Tier::ALL {
            // What a tier refuses to plan on a machine is the planner's matter.
            let refused = matches!(
                (machine, tier),
                ("onedrive-folder", Tier::Account | Tier::Container) | ("pnpm-store", Tier::Account | Tier::Container)
            );
            if !refused {
                life(machine, tier);
            }
        }
    }
}

#[test]
fn the_second_command_starts_itself_and_writes_nothing() {
    for tier in Tier::ALL {
        let stage = Stage::new("several-drives", tier, "");
        let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
        let planned = stage.set_up(&mut user, &mut admin, &|_| {}).unwrap();
        let live = stage.open(&mut user, &planned).unwrap();
        stage.command(&mut user, &live).unwrap();
        let before = stage.sim.snapshot();
        stage.sim.reset_counts();
        stage.command(&mut user, &live).unwrap();
        let counts = stage.sim.counts();
        assert_eq!(counts.of("start"), 1, "{tier}");
        for call in ["set_security", "set_session_security", "create", "write", "append", "open", "restrict", "list"] {
            assert_eq!(counts.of(call), 0, "{tier}: {call}\n{counts}");
        }
        let after = stage.sim.snapshot();
        let new = after.lines().filter(|line| !before.contains(line)).count();
        assert_eq!(new, 0, "{}", difference(&before, &after));
        // One process more, of the same name as the first.
        assert_eq!(after.lines().count(), before.lines().count() + 1, "{tier}");
    }
}

#[test]
fn the_second_session_writes_nothing_either() {
    for tier in Tier::ALL {
        let stage = Stage::new("several-drives", tier, "");
        let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
        let planned = stage.set_up(&mut user, &mut admin, &|_| {}).unwrap();
        let live = stage.open(&mut user, &planned).unwrap();
        stage.close(&mut user, live).unwrap();
        stage.sim.reset_counts();
        stage.repair(&mut user, &planned.plan).unwrap();
        stage.open(&mut user, &planned).unwrap();
        assert_eq!(stage.sim.counts().of("set_security"), 0, "{tier}");
    }
}

/// How many handles a session opens grows with the protected names and not with the tree.
#[test]
fn opening_a_session_does_not_walk_the_tree() {
    let counts = |files: usize| {
        let stage = Stage::new("several-drives", Tier::Account, "");
        let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
        for number in 0..files {
            super::adversary::write_file(&mut user, &stage.workspace.join(&format!("src/{number}.rs")).unwrap(), b"x")
                .unwrap();
        }
        let planned = stage.set_up(&mut user, &mut admin, &|_| {}).unwrap();
        stage.sim.reset_counts();
        stage.open(&mut user, &planned).unwrap();
        stage.sim.counts().total()
    };
    assert_eq!(counts(1), counts(200));
}

type Spoil = fn(&mut Plan);

#[test]
fn what_is_not_as_planned_is_not_started() {
    let spoil: [(&str, Spoil); 3] = [
        ("privileges", |plan| plan.token.privileges.clear()),
        ("stamps", |plan| {
            plan.stamps.iter_mut().for_each(|stamp| stamp.entries.iter_mut().for_each(|entry| entry.mask.0 ^= 8))
        }),
        ("integrity", |plan| {
            plan.token.integrity = match plan.token.integrity {
                crate::plan::Level::Low => crate::plan::Level::Medium,
                crate::plan::Level::Medium => crate::plan::Level::Low,
            }
        }),
    ];
    for tier in [Tier::Guard, Tier::Container] {
        for (what, spoil) in spoil {
            let stage = Stage::new("several-drives", tier, "");
            let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
            let mut planned = stage.set_up(&mut user, &mut admin, &|_| {}).unwrap();
            spoil(&mut planned.plan);
            let processes = stage.sim.running().len();
            let outcome = stage.open(&mut user, &planned).and_then(|live| stage.command(&mut user, &live));
            assert!(outcome.is_err(), "{tier} {what}");
            assert_eq!(stage.sim.running().len(), processes, "{tier} {what}");
        }
    }
}

#[test]
fn filters_that_do_not_bite_end_the_session() {
    let stage = Stage::new("several-drives", Tier::Account, "");
    let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
    let planned = stage.set_up(&mut user, &mut admin, &|_| {}).unwrap();
    use crate::host::Network;
    let filters = admin.filters().unwrap();
    let outgoing = filters.iter().filter(|filter| filter.filter.layer == crate::plan::network::Layer::ConnectV4);
    admin.delete_filters(&outgoing.map(|filter| filter.key).collect::<Vec<_>>()).unwrap();
    let running = stage.sim.running();
    let error = stage.open(&mut user, &planned).map(|_| ()).unwrap_err();
    insta::assert_snapshot!(error, @"the started process is not confined as planned and was ended before its first instruction: filters: a connection to 192.0.2.1 from inside is not refused: Open");
    assert_eq!(stage.sim.running(), running);
}

/// The account's packets are blocked and its names are asked for by the service all the same; a package's are refused.
#[test]
fn names_are_asked_for_the_account_and_not_for_the_package() {
    use crate::host::{Code, Network};
    for (tier, answer) in [(Tier::Account, Code::HOST_NOT_FOUND), (Tier::Container, Code::SOCKET_ACCESS)] {
        let stage = Stage::new("several-drives", tier, "");
        let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
        let planned = stage.set_up(&mut user, &mut admin, &|_| {}).unwrap();
        let declared = planned.plan.leaks.contains(&crate::plan::Leak::NamesThroughService);
        assert_eq!(declared, answer == Code::HOST_NOT_FOUND, "{tier}");
        let live = stage.open(&mut user, &planned).unwrap();
        let inside = stage.command(&mut user, &live).unwrap();
        assert_eq!(stage.sim.actor(inside).resolve("x.example.com").unwrap_err().code, answer, "{tier}");
    }
}

#[test]
fn names_that_are_asked_for_from_inside_end_the_session() {
    let stage = Stage::new("several-drives", Tier::Container, "");
    let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
    let planned = stage.set_up(&mut user, &mut admin, &|_| {}).unwrap();
    stage.sim.answer_names_to_packages();
    let running = stage.sim.running();
    let error = stage.open(&mut user, &planned).map(|_| ()).unwrap_err();
    insta::assert_snapshot!(error, @"the system's DNS service does not refuse names that are asked for inside the container, so data could leave in them, and nothing is started: until this Windows refuses them, use `--tier account --accept network-off`, which names this loss");
    assert_eq!(stage.sim.running(), running);
}

/// The runner that asked is gone before the first command.
#[test]
fn a_container_holds_nothing_before_its_first_command() {
    let stage = Stage::new("several-drives", Tier::Container, "");
    let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
    let planned = stage.set_up(&mut user, &mut admin, &|_| {}).unwrap();
    let running = stage.sim.running();
    stage.sim.reset_counts();
    let _live = stage.open(&mut user, &planned).unwrap();
    assert_eq!(stage.sim.counts().of("resolve"), 1);
    assert_eq!(stage.sim.running(), running);
}
