//! Plans and stamps that were made worse on purpose: the attacker finds the hole.

use bailiwick_winsec::{AccessMask, AceKind};
use proptest::prelude::*;

use super::adversary::{Act, Arena, acts, attack, facts, places};
use super::stage::{Stage, path};
use crate::plan::{Plan, Purpose};
use crate::run::stamp::LinkedFiles;
use crate::tier::Tier;

fn place(text: &str) -> usize {
    places().iter().position(|place| *place == path(text)).unwrap()
}

fn stage(tier: Tier, linked: LinkedFiles) -> Stage {
    let mut stage = Stage::of(facts(), path(r"D:\w"), tier, "[files]\nread = [\"D:/out\"]\nprotect = [\"D:/w/b\"]");
    stage.linked = linked;
    stage
}

fn grant_delete_child(plan: &mut Plan) {
    for entry in plan.stamps.iter_mut().flat_map(|stamp| &mut stamp.entries) {
        if entry.kind == AceKind::Allow {
            entry.mask |= AccessMask::FILE_DELETE_CHILD;
        }
    }
}

/// Whether a random search finds a hole.
fn is_found(stage: &Stage, weaken: &dyn Fn(&mut Plan)) -> bool {
    let config =
        ProptestConfig { cases: 400, failure_persistence: None, max_shrink_iters: 0, ..ProptestConfig::default() };
    let outcome = proptest::test_runner::TestRunner::new(config).run(&acts(), |acts| {
        let mut arena = Arena::new(stage.again(), weaken);
        attack(&mut arena, &acts).map(|_| ()).map_err(TestCaseError::fail)
    });
    outcome.is_err()
}

/// With `FILE_DELETE_CHILD` a protected file goes through its directory, whatever its own list says. (Pins are left out: they would
/// hold it while the run lasts.)
#[test]
fn a_grant_of_delete_child_is_found() {
    let weaken = |plan: &mut Plan| {
        grant_delete_child(plan);
        plan.pins.clear();
    };
    let without_pins = |plan: &mut Plan| plan.pins.clear();
    for tier in [Tier::Account, Tier::Container] {
        let acts = [Act::Delete(place(r"D:\w\.env")), Act::Delete(place(r"D:\w\b\f.txt"))];
        let stage = stage(tier, LinkedFiles::Leave);
        assert!(attack(&mut Arena::new(stage.again(), &without_pins), &acts).is_ok(), "{tier}");
        assert!(attack(&mut Arena::new(stage.again(), &weaken), &acts).is_err(), "{tier}");
        assert!(is_found(&stage, &weaken), "{tier}");
    }
}

/// A hard link to a file outside is made without a right to write it; when the stamps are handed down again, a stamper that does not
/// look at the number of names opens the file outside.
#[test]
fn stamping_files_with_a_second_name_is_found() {
    let (outside, workspace, link) = (place(r"D:\out\a\f.txt"), place(r"D:\w"), place(r"D:\w\link"));
    // "link" is the third of the names.
    let acts = [Act::HardLink(outside, workspace, 2), Act::Restamp, Act::Overwrite(link)];
    for tier in Tier::ALL {
        let honest = stage(tier, LinkedFiles::Leave);
        let outcome = attack(&mut Arena::new(honest, &|_| {}), &acts);
        assert!(outcome.is_ok(), "{tier}: {outcome:?}");
        let weak = stage(tier, LinkedFiles::Stamp);
        let outcome = attack(&mut Arena::new(weak, &|_| {}), &acts);
        assert!(outcome.is_err(), "{tier}");
    }
}

#[test]
fn missing_refusals_are_found() {
    let without = |purpose: Purpose| {
        move |plan: &mut Plan| {
            plan.stamps.retain(|stamp| stamp.purpose != purpose);
            plan.pins.clear();
        }
    };
    assert!(is_found(&stage(Tier::Account, LinkedFiles::Leave), &without(Purpose::Protect)));
    assert!(is_found(&stage(Tier::Container, LinkedFiles::Leave), &without(Purpose::Protect)));
}

/// The roots of drives and the directory of all profiles let Users list them, and what lies directly in them be read.
#[test]
fn open_directories_above_are_found() {
    for (above, below) in [(r"C:\Users", r"C:\Users\notes.txt"), (r"D:\", r"D:\archive\2019\taxes.txt")] {
        let weaken = |plan: &mut Plan| plan.stamps.retain(|stamp| stamp.path != path(above));
        for read in [above, below] {
            let (acts, stage) = ([Act::Read(place(read))], stage(Tier::Account, LinkedFiles::Leave));
            let outcome = attack(&mut Arena::new(stage.again(), &|_| {}), &acts);
            assert!(outcome.is_ok(), "{read}: {outcome:?}");
            let mut weak = stage.again();
            weak.weaken_walls = Some(path(above));
            assert!(attack(&mut Arena::new(weak, &weaken), &acts).is_err(), "{read}");
        }
    }
}
