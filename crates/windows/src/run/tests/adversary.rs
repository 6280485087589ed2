//! An attacker with the planned token against the boundary: what became of the host, held against `decide` and the declared leaks.
//!
//! Before and after each act everything is compared: every file under every name, keys, processes, pipes, services, the desktop, the
//! clipboard. What changed, and what the attacker got to know, must be allowed by `decide` or be a leak that the plan
//! declares. The search draws trees, policies and acts from a fixed seed; which leaks it saw must be exactly those that the plan
//! declares, so a leak that is new and one that is gone both fail.

pub(super) mod acts;
mod attempt;
pub(super) mod places;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use bailiwick_policy::decide::Verdict;
use bailiwick_winsec::token::Token;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};

pub(super) use acts::{Act, Spot};
pub(super) use attempt::write_file;
pub(super) use places::{facts, places};

use super::stage::{Planned, Stage, path};
use crate::path::WindowsPath;
use crate::plan::{Leak, Plan};
use crate::run::stamp::LinkedFiles;
use crate::sim::{Actor, FileState};
use crate::target::Verb;
use crate::tier::Tier;

/// What was seen to leak, by kind.
pub(super) type Seen = BTreeSet<&'static str>;

/// Something that happened and that the boundary does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    /// What it happened to: a path, or the name of an object.
    pub(super) at: String,
    pub(super) place: Option<WindowsPath>,
    pub(super) what: &'static str,
}

/// How a tier is made worse on purpose; not at all by default.
#[derive(Clone, Copy)]
pub(super) struct Weakness<'a> {
    pub(super) plan: &'a dyn Fn(&mut Plan),
    /// What the token of the attacker is, instead of what was planned and asserted.
    pub(super) token: &'a dyn Fn(&mut Token),
    pub(super) linked: LinkedFiles,
}

impl Weakness<'_> {
    pub(super) const NONE: Weakness<'static> = Weakness { plan: &|_| {}, token: &|_| {}, linked: LinkedFiles::Leave };
}

type Objects = BTreeMap<(&'static str, String), String>;

/// One attacker, one host.
pub(super) struct Arena<'a> {
    pub(super) stage: Stage,
    pub(super) planned: Planned,
    weakness: Weakness<'a>,
    user: Actor,
    live: Option<super::stage::Live>,
    attacker: Actor,
    /// What the attacker brought about, the last first.
    made: Vec<WindowsPath>,
    files: BTreeMap<WindowsPath, FileState>,
}

impl<'a> Arena<'a> {
    pub(super) fn new(mut stage: Stage, weakness: Weakness<'a>) -> Arena<'a> {
        stage.linked = weakness.linked;
        let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
        let planned = stage.set_up(&mut user, &mut admin, weakness.plan).unwrap_or_else(|error| panic!("{error}"));
        // Set-up is over before anything of the inside runs.
        stage.sim.end(admin.process());
        let live = stage.open(&mut user, &planned).unwrap_or_else(|error| panic!("{error}"));
        let process = stage.command(&mut user, &live).unwrap_or_else(|error| panic!("{error}"));
        let (attacker, files) = (stage.sim.actor(process), stage.sim.files());
        let arena = Arena { stage, planned, weakness, user, live: Some(live), attacker, made: Vec::new(), files };
        arena.unleash();
        arena
    }

    fn unleash(&self) {
        let process = self.attacker.process();
        self.stage.sim.turn_hostile(process);
        if let Some(mut token) = self.stage.sim.token(process) {
            (self.weakness.token)(&mut token);
            self.stage.sim.replace_token(process, token);
        }
    }

    fn restamp(&mut self) {
        if let Some(live) = self.live.take() {
            self.stage.close(&mut self.user, live).unwrap();
        }
        // What the inside left can make a repair refuse; then there is no next session either.
        if self.stage.repair(&mut self.user, &self.planned.plan).is_err() {
            return;
        }
        let Ok(live) = self.stage.open(&mut self.user, &self.planned) else { return };
        if let Ok(process) = self.stage.command(&mut self.user, &live) {
            self.attacker = self.stage.sim.actor(process);
            self.unleash();
        }
        self.live = Some(live);
    }

    fn at(&self, spot: Spot) -> WindowsPath {
        let places = places();
        match spot {
            Spot::Known(index) => places[index % places.len()].clone(),
            Spot::Made(ago) => self.made.get(ago).unwrap_or(&places[ago % places.len()]).clone(),
        }
    }

    /// Lets the attacker act once; what came of it that is not allowed.
    pub(super) fn act(&mut self, act: &Act) -> Vec<Breach> {
        if let Act::Restamp = act {
            self.restamp();
            self.files = self.stage.sim.files();
            return Vec::new();
        }
        if let Act::Read(spot) = act {
            let at = self.at(*spot);
            let Ok(names) = attempt::read(&mut self.attacker, &at) else { return Vec::new() };
            let allowed = names.iter().any(|place| self.may(Verb::Read, place));
            return if allowed { Vec::new() } else { vec![on_file(&at, "read")] };
        }
        let objects = self.stage.sim.objects();
        if let Ok(Some((what, at))) = attempt::on_object(&mut self.attacker, act) {
            return vec![Breach { at, place: None, what }];
        }
        let mut attacker = self.attacker.clone();
        for further in 0..act.patience() {
            match attempt::on_files(&mut attacker, act, &|spot| self.at(spot.moved(further))) {
                Ok(Some(made)) => self.made.insert(0, made),
                Ok(None) => {}
                Err(_) => continue,
            }
            break;
        }
        let mut breaches = object_breaches(&objects, &self.stage.sim.objects());
        breaches.extend(self.file_breaches());
        breaches.extend(self.names_that_stay());
        breaches
    }

    /// The guarded names that are there although bailiwick had its turn.
    fn names_that_stay(&mut self) -> Vec<Breach> {
        let Some(live) = &mut self.live else { return Vec::new() };
        let looked = self.stage.look(&mut self.user, live);
        if looked.is_err() || live.session.is_over() {
            self.restamp();
        }
        self.files = self.stage.sim.files();
        let watched = self.planned.plan.watched.iter().filter(|name| self.files.contains_key(name));
        watched.map(|name| on_file(name, "stays")).collect()
    }

    /// What changed among the files since the last look.
    fn file_breaches(&mut self) -> Vec<Breach> {
        let after = self.stage.sim.files();
        let before = std::mem::replace(&mut self.files, after);
        let after = &self.files;
        let names: BTreeSet<&WindowsPath> = before.keys().chain(after.keys()).collect();
        let mut breaches = Vec::new();
        for name in names {
            let (verb, what) = match (before.get(name), after.get(name)) {
                (Some(old), Some(new)) if old == new => continue,
                (Some(old), Some(new)) if old.id == new.id => (Verb::Write, "changed"),
                (Some(_), Some(_)) => (Verb::Remove, "replaced"),
                (Some(_), None) => (Verb::Remove, "removed"),
                (None, Some(_)) => (Verb::Write, "made"),
                (None, None) => continue,
            };
            // A guarded name that was absent is watched, not kept from coming and going; nor is a way to one.
            let is_watched =
                self.planned.plan.watched.iter().any(|watched| watched.covers(name) || name.covers(watched));
            let is_left_to_the_watch = is_watched && self.stage.facts.object(name).is_none();
            if !self.may(verb, name) && !is_left_to_the_watch {
                breaches.push(on_file(name, what));
            }
        }
        breaches
    }

    fn may(&self, verb: Verb, place: &WindowsPath) -> bool {
        self.planned.target.decide(verb, place).verdict == Verdict::Allowed
    }

    /// The leak that the plan declares and that a breach is an instance of.
    pub(super) fn declared(&self, breach: &Breach) -> Option<&'static str> {
        let plan = &self.planned.plan;
        let is_on_machine = |at: &str| !at.starts_with("s-1-5-21") && !at.starts_with("S-1-5-21");
        let covers = |places: &[WindowsPath]| {
            breach.place.as_ref().is_some_and(|at| places.iter().any(|place| place.covers(at)))
        };
        plan.leaks.iter().find_map(|leak| {
            let is_it = match (leak, breach.what) {
                (Leak::UserFilesReadable, "read" | "key read") => true,
                (Leak::UserProcesses, "process" | "process ended") => breach.at.contains("agent.exe"),
                (Leak::ProcessesListed, "processes listed") | (Leak::PipesListed, "pipes listed") => true,
                (Leak::EveryoneWritable { places } | Leak::OpenToPackages { places }, _) => covers(places),
                (Leak::DeletedThroughParent, "removed") => {
                    breach.place.as_ref().is_some_and(|at| !plan.workspace.covers(at))
                }
                (Leak::Pipes, "pipe") => !breach.at.contains("bailiwick"),
                (Leak::UserDesktop, "desktop") | (Leak::Network, "network" | "names") => true,
                (Leak::OpenKeys, "key") => is_on_machine(&breach.at),
                (Leak::Brokers | Leak::StartedOutside, "started") => true,
                // What a service started for the inside is the inside's.
                (Leak::Brokers | Leak::StartedOutside, "process" | "process ended") => breach.at.contains("started by"),
                (Leak::NamesThroughService, "names") => true,
                _ => false,
            };
            is_it.then(|| label(leak))
        })
    }
}

/// A short word for a leak.
fn label(leak: &Leak) -> &'static str {
    match leak {
        Leak::UserFilesReadable => "reads",
        Leak::DeletedThroughParent => "deleted through parent",
        Leak::EveryoneWritable { .. } => "everyone",
        Leak::UserProcesses => "processes",
        Leak::ProcessesListed => "processes listed",
        Leak::Network => "network",
        Leak::NamesThroughService => "names",
        Leak::NoAccessLists { .. } => "no access lists",
        Leak::OpenToPackages { .. } => "packages",
        Leak::OpenToAccounts { .. } => "accounts",
        Leak::Pipes => "pipes",
        Leak::PipesListed => "pipes listed",
        Leak::UserDesktop => "desktop",
        Leak::OpenKeys => "keys",
        Leak::NamesStay { .. } => "names stay",
        Leak::Brokers => "brokers",
        Leak::StartedOutside => "started outside",
    }
}

fn on_file(place: &WindowsPath, what: &'static str) -> Breach {
    Breach { at: place.shown(), place: Some(place.clone()), what }
}

/// What changed among everything that is no file. A process of the inside's own, in the job, is nobody else's loss.
fn object_breaches(before: &Objects, after: &Objects) -> Vec<Breach> {
    let names: BTreeSet<&(&'static str, String)> = before.keys().chain(after.keys()).collect();
    let mut breaches = Vec::new();
    for (kind, name) in names {
        let key = (*kind, name.clone());
        let what = match (before.get(&key), after.get(&key), *kind) {
            (old, new, _) if old == new => continue,
            (None, Some(new), "process") if new.starts_with("inside true") => continue,
            (None, _, "process") => "started",
            (_, None, "process") => "process ended",
            _ => *kind,
        };
        breaches.push(Breach { at: name.clone(), place: None, what });
    }
    breaches
}

/// Runs one sequence; the leaks that were seen, or what was neither allowed nor declared.
pub(super) fn attack(arena: &mut Arena<'_>, acts: &[Act]) -> Result<Seen, String> {
    let mut seen = Seen::new();
    for (number, act) in acts.iter().enumerate() {
        for breach in arena.act(act) {
            match arena.declared(&breach) {
                Some(leak) => seen.insert(leak),
                None => return Err(format!("{} {} by act {number}, {act:?}", breach.at, breach.what)),
            };
        }
    }
    Ok(seen)
}

/// What a search came to.
pub(super) struct Searched {
    /// The leaks that were seen and are declared.
    pub(super) seen: Seen,
    /// The leaks that the plans declare.
    pub(super) declared: Seen,
    /// What was seen and is not declared, and the shortest way there that was found.
    pub(super) hole: Option<(String, Vec<Act>)>,
}

/// The seed of every search: the same acts in every run.
const SEED: [u8; 32] = *b"bailiwick searches for its holes";

/// Sequences for each tree and policy: planning costs more than attacking.
const SEQUENCES: usize = 8;

/// Searches `cases` trees and policies, each with a few sequences of acts.
pub(super) fn search(tier: Tier, cases: u32, weakness: Weakness<'_>) -> Searched {
    let (seen, declared) = (RefCell::new(Seen::new()), RefCell::new(Seen::new()));
    let config =
        ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 600, ..ProptestConfig::default() };
    let attacks = prop::collection::vec(acts::acts(), 1..=SEQUENCES);
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &SEED));
    let outcome = runner.run(&(places::trees(), places::rules(), attacks), |(tree, rules, attacks)| {
        let stage = Stage::of(places::facts_with(&tree), path(r"D:\w"), tier, &rules);
        for acts in attacks {
            let mut arena = Arena::new(stage.again(), weakness);
            declared.borrow_mut().extend(arena.planned.plan.leaks.iter().map(label));
            let more = attack(&mut arena, &acts).map_err(TestCaseError::fail)?;
            seen.borrow_mut().extend(more);
        }
        Ok(())
    });
    let hole = match outcome {
        Ok(()) => None,
        Err(TestError::Fail(why, (_, _, attacks))) => {
            Some((why.to_string(), attacks.into_iter().max_by_key(Vec::len).unwrap_or_default()))
        }
        Err(TestError::Abort(why)) => panic!("{tier}: {why}"),
    };
    Searched { seen: seen.into_inner(), declared: declared.into_inner(), hole }
}

/// What is searched and found: nothing that is not declared, and everything that is.
fn leaks_what_it_declares(tier: Tier, cases: u32) -> Seen {
    let searched = search(tier, cases, Weakness::NONE);
    assert!(searched.hole.is_none(), "{tier}: {:?}", searched.hole);
    assert_eq!(searched.seen, searched.declared, "{tier}");
    searched.seen
}

#[test]
fn the_guard_leaks_what_it_declares_and_nothing_else() {
    let seen = leaks_what_it_declares(Tier::Guard, 60);
    let expected = [
        "reads",
        "processes",
        "processes listed",
        "everyone",
        "deleted through parent",
        "pipes",
        "pipes listed",
        "desktop",
        "keys",
        "brokers",
        "network",
    ];
    assert_eq!(seen, Seen::from(expected));
}

#[test]
fn the_account_leaks_what_it_declares_and_nothing_else() {
    let seen = leaks_what_it_declares(Tier::Account, 60);
    let expected = ["names", "pipes", "pipes listed", "processes listed", "keys", "started outside"];
    assert_eq!(seen, Seen::from(expected));
}

#[test]
fn the_container_leaks_what_it_declares_and_nothing_else() {
    let seen = leaks_what_it_declares(Tier::Container, 60);
    assert_eq!(seen, Seen::from(["pipes listed", "processes listed"]));
}
