//! Tiers that were made worse on purpose: the search finds the hole by itself. Each finding is shrunk, and the shortest way to it
//! says that it is the hole that was made.

use bailiwick_winsec::token::{GroupUse, Token};
use bailiwick_winsec::{AccessMask, AceKind, Sid};

use super::adversary::{Act, Arena, Searched, Spot, Weakness, attack, facts, places, search};
use super::stage::{Stage, path};
use crate::plan::{Plan, Purpose};
use crate::run::stamp::LinkedFiles;
use crate::tier::Tier;

/// Trees and policies that a search for a hole goes through at most.
const CASES: u32 = 150;

fn found(searched: Searched, tier: Tier) -> (String, Vec<Act>) {
    searched.hole.unwrap_or_else(|| panic!("{tier}: the search found nothing"))
}

fn grant_delete_child(plan: &mut Plan) {
    for entry in plan.stamps.iter_mut().flat_map(|stamp| &mut stamp.entries) {
        if entry.kind == AceKind::Allow {
            entry.mask |= AccessMask::FILE_DELETE_CHILD;
        }
    }
}

/// Without the handles on the protected names themselves, which would hold them while the run lasts. Those on the directories above
/// stay: in the `container` tier nothing else keeps these from being renamed.
fn without_pins(plan: &mut Plan) {
    let pins = plan.pins.clone();
    plan.pins.retain(|pin| pins.iter().any(|other| pin.path.covers_strictly(&other.path)));
}

/// With `FILE_DELETE_CHILD` a protected file goes through its directory, whatever its own list says.
#[test]
fn a_grant_of_delete_child_is_found() {
    let weaken = |plan: &mut Plan| {
        grant_delete_child(plan);
        without_pins(plan);
    };
    for tier in [Tier::Account, Tier::Container] {
        let honest = search(tier, 20, Weakness { plan: &without_pins, ..Weakness::NONE });
        assert!(honest.hole.is_none(), "{tier}: {:?}", honest.hole);
        let (why, acts) = found(search(tier, CASES, Weakness { plan: &weaken, ..Weakness::NONE }), tier);
        assert!(why.contains("removed") || why.contains("replaced"), "{tier}: {why}");
        assert!(matches!(acts.last(), Some(Act::Delete(_) | Act::Move(..) | Act::Replace(..))), "{tier}: {acts:?}");
    }
}

/// A hard link to a file outside is made without a right to write it; when the stamps are handed down again, a stamper that does not
/// look at the number of names opens the file outside. Three acts in this order, which nobody told the search.
#[test]
fn stamping_files_with_a_second_name_is_found() {
    for tier in Tier::ALL {
        let (why, acts) = found(search(tier, CASES, Weakness { linked: LinkedFiles::Stamp, ..Weakness::NONE }), tier);
        let position = |is_it: fn(&Act) -> bool| acts.iter().position(is_it);
        let link = position(|act| matches!(act, Act::HardLink(..)));
        let restamp = position(|act| matches!(act, Act::Restamp));
        assert!(link.is_some() && link < restamp, "{tier}: {why}: {acts:?}");
        assert!(restamp < Some(acts.len() - 1) && why.contains("changed"), "{tier}: {why}: {acts:?}");
    }
}

#[test]
fn missing_refusals_are_found() {
    let without = |purpose: Purpose| {
        move |plan: &mut Plan| {
            plan.stamps.retain(|stamp| stamp.purpose != purpose);
            without_pins(plan);
        }
    };
    for tier in [Tier::Account, Tier::Container] {
        found(search(tier, CASES, Weakness { plan: &without(Purpose::Protect), ..Weakness::NONE }), tier);
    }
}

/// The secondary logon service puts the caller's logon SID into the account's token. Where it may allow, the user's desktop
/// and the memory of the user's processes are open.
#[test]
fn a_logon_that_allows_is_found() {
    let user = facts().user.logon;
    let allow = move |token: &mut Token| {
        token.groups.iter_mut().filter(|group| group.sid == user).for_each(|group| group.used = GroupUse::Enabled);
    };
    let (why, acts) = found(search(Tier::Account, CASES, Weakness { token: &allow, ..Weakness::NONE }), Tier::Account);
    assert!(matches!(acts.as_slice(), [Act::Memory(_) | Act::Kill(_) | Act::Desktop(_)]), "{why}: {acts:?}");
}

/// With the user in the restricting list everything that the user may write can be written.
#[test]
fn the_user_in_the_restricting_list_is_found() {
    let user = facts().user.sid;
    let add = move |token: &mut Token| token.restricting.iter_mut().for_each(|list| list.sids.push(user));
    let (why, acts) = found(search(Tier::Guard, CASES, Weakness { token: &add, ..Weakness::NONE }), Tier::Guard);
    assert_eq!(acts.len(), 1, "{why}: {acts:?}");
}

/// The user's own token instead of the package's: the hive, the pipes, the services that start programs.
#[test]
fn a_token_that_is_in_no_container_is_found() {
    let leave = |token: &mut Token| token.low_box = None;
    let (why, acts) =
        found(search(Tier::Container, CASES, Weakness { token: &leave, ..Weakness::NONE }), Tier::Container);
    assert_eq!(acts.len(), 1, "{why}: {acts:?}");
}

/// Everybody in the account's groups that may change services: what the search would see if a service were open.
#[test]
fn an_administrator_inside_is_found() {
    let raise = |token: &mut Token| token.groups.push(bailiwick_winsec::token::Group::enabled(Sid::ADMINISTRATORS));
    found(search(Tier::Account, CASES, Weakness { token: &raise, ..Weakness::NONE }), Tier::Account);
}

/// A guarded name that is not watched comes and stays.
#[test]
fn names_that_nobody_watches_are_found() {
    let forget = |plan: &mut Plan| plan.watched.clear();
    for tier in Tier::ALL {
        let (why, acts) = found(search(tier, CASES, Weakness { plan: &forget, ..Weakness::NONE }), tier);
        assert!(why.contains("made") && acts.len() <= 2, "{tier}: {why}: {acts:?}");
    }
}

/// The roots of drives and the directory of all profiles let Users list them, and what lies directly in them be read.
#[test]
fn open_directories_above_are_found() {
    let place = |text: &str| Spot::Known(places().iter().position(|place| *place == path(text)).unwrap());
    let stage = Stage::of(facts(), path(r"D:\w"), Tier::Account, "[files]\nread = [\"D:/out\"]");
    for (above, below) in [(r"C:\Users", r"C:\Users\notes.txt"), (r"D:\", r"D:\archive\2019\taxes.txt")] {
        let weaken = |plan: &mut Plan| plan.stamps.retain(|stamp| stamp.path != path(above));
        for read in [above, below] {
            let acts = [Act::Read(place(read))];
            let outcome = attack(&mut Arena::new(stage.again(), Weakness::NONE), &acts);
            assert!(outcome.is_ok(), "{read}: {outcome:?}");
            let mut weak = stage.again();
            weak.weaken_walls = Some(path(above));
            let mut arena = Arena::new(weak, Weakness { plan: &weaken, ..Weakness::NONE });
            assert!(attack(&mut arena, &acts).is_err(), "{read}");
        }
    }
}
