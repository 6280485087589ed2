//! An attacker with the planned token against the boundary: what happened on the host, held against `decide`.
//!
//! Before and after the attacker acts, every file under every name is compared. What changed must be allowed by `decide`, or be a leak that the
//! plan declares; which leaks were seen is collected, and the ones that a tier declares are found by the search.

use std::collections::BTreeSet;

use bailiwick_policy::decide::Verdict;
use bailiwick_winsec::ntfs::Share;
use bailiwick_winsec::sddl::{self, Domains};
use bailiwick_winsec::token::Integrity;
use bailiwick_winsec::{AccessMask, Sid};
use proptest::prelude::*;

use super::stage::{Planned, Stage, path};
use crate::facts::tests::machine;
use crate::facts::{Facts, Object, ObjectKind};
use crate::host::{Answer, Files, Host, Links, OpenFile, Place, Processes, Security, Want};
use crate::path::WindowsPath;
use crate::plan::{Leak, Plan};
use crate::sim::Actor;
use crate::target::Verb;
use crate::tier::Tier;

pub(super) fn write_file<H: Host + ?Sized>(host: &mut H, path: &WindowsPath, content: &[u8]) -> Answer<()> {
    let want = Want::New { directory: false, security: None };
    let how = OpenFile { access: AccessMask::FILE_GENERIC_WRITE, share: Share::ALL, links: Links::Follow, want };
    let handle = host.open(Place::Path(path), &how)?;
    host.write(handle, content)?;
    host.close(handle)
}

/// What the attacker does. Numbers choose among [`places`].
#[derive(Clone, Debug)]
pub(super) enum Act {
    Read(usize),
    Overwrite(usize),
    MakeFile(usize, usize),
    MakeDirectory(usize, usize),
    Delete(usize),
    Move(usize, usize, usize),
    Replace(usize, usize),
    HardLink(usize, usize, usize),
    Junction(usize, usize),
    Stream(usize),
    OpenList(usize),
    Own(usize),
    Lower(usize),
    ReadOnly(usize),
    Memory,
    /// Not the attacker's: the user ends the session, has the stamps handed down again, and opens another.
    Restamp,
}

pub(super) fn acts() -> impl Strategy<Value = Vec<Act>> {
    let place = || 0..64usize;
    let name = || 0..NAMES.len();
    let act = prop_oneof![
        place().prop_map(Act::Read),
        place().prop_map(Act::Overwrite),
        (place(), name()).prop_map(|(at, name)| Act::MakeFile(at, name)),
        (place(), name()).prop_map(|(at, name)| Act::MakeDirectory(at, name)),
        place().prop_map(Act::Delete),
        (place(), place(), name()).prop_map(|(from, to, name)| Act::Move(from, to, name)),
        (place(), place()).prop_map(|(from, to)| Act::Replace(from, to)),
        (place(), place(), name()).prop_map(|(from, to, name)| Act::HardLink(from, to, name)),
        (place(), place()).prop_map(|(at, to)| Act::Junction(at, to)),
        place().prop_map(Act::Stream),
        place().prop_map(Act::OpenList),
        place().prop_map(Act::Own),
        place().prop_map(Act::Lower),
        place().prop_map(Act::ReadOnly),
        Just(Act::Memory),
        Just(Act::Restamp),
    ];
    prop::collection::vec(act, 1..24)
}

const NAMES: [&str; 6] = ["new", "b", "link", ".husky", "hooks", "f.txt"];

/// Where the attacker tries: the workspace with its protected names, what lies beside it, and everything that it would like.
pub(super) fn places() -> Vec<WindowsPath> {
    [
        r"D:\w",
        r"D:\w\a",
        r"D:\w\a\f.txt",
        r"D:\w\a\b",
        r"D:\w\b",
        r"D:\w\b\f.txt",
        r"D:\w\new",
        r"D:\w\link",
        r"D:\w\new\link",
        r"D:\w\new\new",
        r"D:\w\a\link",
        r"D:\w\a\new",
        r"D:\w\.git",
        r"D:\w\.git\hooks",
        r"D:\w\.git\hooks\f.txt",
        r"D:\w\.git\config",
        r"D:\w\.vscode",
        r"D:\w\.env",
        r"D:\out",
        r"D:\out\a",
        r"D:\out\a\f.txt",
        r"D:\out\b",
        r"D:\out\b\f.txt",
        r"D:\out\f.txt",
        r"D:\",
        r"D:\archive\2019\taxes.txt",
        r"D:\archive\2019",
        r"C:\",
        r"C:\Users",
        r"C:\Users\notes.txt",
        r"C:\Users\lee\.ssh\id_ed25519",
        r"C:\Users\lee\.ssh",
        r"C:\Users\lee\.gitconfig",
        r"C:\Users\lee\.cargo\bin",
        r"C:\Users\lee\Documents\letter.txt",
        r"C:\Users\lee\Documents",
        r"C:\Users\lee",
        r"C:\Users\lee\AppData\Local",
        r"C:\Users\lee\AppData\Local\bailiwick",
        r"C:\Users\lee\AppData\Local\bailiwick\journal",
        r"C:\Users\lee\AppData\Local\bailiwick\bailiwick-01.secret",
        r"C:\Users\eve\diary.txt",
        r"C:\Users\eve",
        r"C:\Users\Public\Documents",
        r"C:\Users\Public\Documents\shared.txt",
        r"C:\ProgramData\Everyone",
        r"C:\ProgramData\Everyone\drop.txt",
        r"C:\ProgramData\Vendor\settings.ini",
        r"C:\ProgramData\bailiwick-setup\journal",
        r"C:\Program Files\Git\cmd\git.exe",
        r"C:\Windows\System32\cmd.exe",
        r"C:\Windows\Temp",
        r"C:\Windows\System32\spool\drivers\color",
    ]
    .map(path)
    .to_vec()
}

/// A machine with two drives and a tree of the user's on the second, open as a drive's root makes it.
pub(super) fn facts() -> Facts {
    let (mut facts, _) = machine("several-drives");
    facts.setup = None;
    // A drive without access lists is a loss that every tier declares; here it would hide others.
    facts.drives.retain(|drive| matches!(drive.letter, 'C' | 'D'));
    facts.volumes.retain(|(_, letter)| matches!(letter, Some('C' | 'D')));
    facts.objects.retain(|object| !path(r"E:\").covers(&object.path) && !path(r"Z:\").covers(&object.path));
    let user = facts.user.sid;
    let directory = format!(
        "O:{user}G:{user}D:AI(A;OICIID;FA;;;BA)(A;OICIID;FA;;;SY)(A;OICIID;0x1200a9;;;BU)(A;ID;0x1301bf;;;AU)(A;OICIIOID;SDGXGWGR;;;AU)(A;OICIID;FA;;;{user})"
    );
    let file = format!(
        "O:{user}G:{user}D:AI(A;ID;FA;;;BA)(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)(A;ID;0x1301bf;;;AU)(A;ID;FA;;;{user})"
    );
    for place in places().into_iter().filter(|place| path(r"D:\w").covers(place) || path(r"D:\out").covers(place)) {
        let name = place.name().unwrap_or_default().to_owned();
        if name == "new" || name == "link" {
            continue;
        }
        let is_file = name == "f.txt" || name == "config" || name == ".env";
        let (kind, sddl) = if is_file { (ObjectKind::File, &file) } else { (ObjectKind::Directory, &directory) };
        let descriptor = sddl::parse(sddl, &Domains::NONE).unwrap();
        facts.objects.push(Object { path: place, kind, owner: user, descriptor, links: 1 });
    }
    facts.objects.sort_by(|a, b| a.path.cmp(&b.path));
    super::stage::scanned(&mut facts);
    facts
}

/// Random rules inside and beside the workspace.
pub(super) fn rules() -> impl Strategy<Value = String> {
    let places = ["D:/w/a", "D:/w/a/b", "D:/w/b", "D:/w/b/f.txt", "D:/out", "D:/out/a", "D:/out/b/f.txt"];
    prop::collection::vec((0..4usize, 0..places.len()), 0..5).prop_map(move |chosen| {
        let mut lists: [Vec<String>; 4] = Default::default();
        for (kind, place) in chosen {
            lists[kind].push(format!("\"{}\"", places[place]));
        }
        let [read, write, deny, protect] = lists.map(|list| list.join(", "));
        format!("[files]\nread = [{read}]\nwrite = [{write}]\ndeny = [{deny}]\nprotect = [{protect}]")
    })
}

/// What was seen to leak, by kind.
pub(super) type Seen = BTreeSet<&'static str>;

/// A place at which something happened that the boundary does not allow, and what.
#[derive(Debug)]
pub(super) struct Breach {
    pub(super) at: WindowsPath,
    pub(super) what: &'static str,
}

/// One attacker, one host.
pub(super) struct Arena {
    pub(super) stage: Stage,
    pub(super) planned: Planned,
    user: Actor,
    live: Option<super::stage::Live>,
    attacker: Actor,
}

impl Arena {
    pub(super) fn new(stage: Stage, weaken: &dyn Fn(&mut Plan)) -> Arena {
        let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
        let planned = stage.set_up(&mut user, &mut admin, weaken).unwrap_or_else(|error| panic!("{error}"));
        let live = stage.open(&mut user, &planned).unwrap_or_else(|error| panic!("{error}"));
        let process = stage.command(&mut user, &live).unwrap_or_else(|error| panic!("{error}"));
        stage.sim.turn_hostile(process);
        let attacker = stage.sim.actor(process);
        Arena { stage, planned, user, live: Some(live), attacker }
    }

    fn restamp(&mut self) {
        if let Some(live) = self.live.take() {
            live.session.close(&mut self.user).unwrap();
        }
        // What the inside left can make a repair refuse; then there is no next session either.
        if self.stage.repair(&mut self.user, &self.planned.plan).is_err() {
            return;
        }
        let Ok(live) = self.stage.open(&mut self.user, &self.planned) else { return };
        if let Ok(process) = self.stage.command(&mut self.user, &live) {
            self.stage.sim.turn_hostile(process);
            self.attacker = self.stage.sim.actor(process);
        }
        self.live = Some(live);
    }

    /// Lets the attacker act once; what came of it that is not allowed.
    pub(super) fn act(&mut self, act: &Act) -> Vec<Breach> {
        if let Act::Restamp = act {
            self.restamp();
            return Vec::new();
        }
        let places = places();
        let at = |index: usize| &places[index % places.len()];
        if let Act::Read(index) = act {
            let read = attempt_read(&mut self.attacker, at(*index));
            let Ok(final_path) = read else { return Vec::new() };
            let allowed = final_path.iter().any(|place| self.may(Verb::Read, place));
            return if allowed { Vec::new() } else { vec![Breach { at: at(*index).clone(), what: "read" }] };
        }
        if let Act::Memory = act {
            let agent = self.stage.sim.running().into_iter().find(|(_, name)| name == "agent.exe");
            let memory = agent.and_then(|(agent, _)| self.attacker.read_memory(agent).ok());
            return memory.map(|_| Breach { at: at(0).clone(), what: "memory" }).into_iter().collect();
        }
        let before = self.stage.sim.files();
        let _ = attempt(&mut self.attacker, act, &at);
        let after = self.stage.sim.files();
        let mut breaches = Vec::new();
        let names: BTreeSet<&WindowsPath> = before.keys().chain(after.keys()).collect();
        for name in names {
            let (verb, what) = match (before.get(name), after.get(name)) {
                (Some(old), Some(new)) if old == new => continue,
                (Some(old), Some(new)) if old.id == new.id => (Verb::Write, "changed"),
                (Some(_), Some(_)) => (Verb::Remove, "replaced"),
                (Some(_), None) => (Verb::Remove, "removed"),
                (None, Some(_)) => (Verb::Write, "made"),
                (None, None) => continue,
            };
            let watched = what == "made" && self.planned.plan.watched.iter().any(|watched| watched.covers(name));
            if !self.may(verb, name) && !watched {
                breaches.push(Breach { at: name.clone(), what });
            }
        }
        breaches
    }

    fn may(&self, verb: Verb, place: &WindowsPath) -> bool {
        self.planned.target.decide(verb, place).verdict == Verdict::Allowed
    }

    /// The leak that the plan declares and that a breach is an instance of.
    pub(super) fn declared(&self, breach: &Breach) -> Option<&'static str> {
        self.planned.plan.leaks.iter().find_map(|leak| match (leak, breach.what) {
            (Leak::UserFilesReadable, "read") => Some("reads"),
            (Leak::UserProcesses, "memory") => Some("processes"),
            (Leak::EveryoneWritable { places }, _) if places.iter().any(|place| place.covers(&breach.at)) => {
                Some("everyone")
            }
            (Leak::DeletedThroughParent, "removed") if !self.planned.plan.workspace.covers(&breach.at) => {
                Some("deleted through parent")
            }
            (Leak::OpenToPackages { places }, _) if places.iter().any(|place| place.covers(&breach.at)) => {
                Some("packages")
            }
            _ => None,
        })
    }
}

/// Reads; all the names of what was read, so that a link is judged by where it leads.
fn attempt_read(host: &mut Actor, at: &WindowsPath) -> Answer<Vec<WindowsPath>> {
    let how = OpenFile { links: Links::Follow, ..OpenFile::existing(AccessMask::FILE_READ_DATA) };
    let handle = host.open(Place::Path(at), &how)?;
    let id = host.facts(handle)?.id;
    host.close(handle)?;
    let files = host.sim().files();
    Ok(files.into_iter().filter(|(_, state)| state.id == id).map(|(name, _)| name).collect())
}

fn attempt<'a>(host: &mut Actor, act: &Act, at: &dyn Fn(usize) -> &'a WindowsPath) -> Answer<()> {
    let named = |place: usize, name: usize| at(place).join(NAMES[name % NAMES.len()]).unwrap();
    let open = |host: &mut Actor, place: &WindowsPath, access: AccessMask, links: Links| {
        host.open(Place::Path(place), &OpenFile { links, ..OpenFile::existing(access) })
    };
    let (follow, itself) = (Links::Follow, Links::Never);
    let attributes = AccessMask::FILE_READ_ATTRIBUTES;
    let handle = match act {
        Act::Overwrite(place) => {
            let handle = open(host, at(*place), AccessMask::FILE_WRITE_DATA, follow)?;
            host.write(handle, b"attacker")?;
            handle
        }
        Act::MakeFile(place, name) => return write_file(host, &named(*place, *name), b"attacker"),
        Act::MakeDirectory(place, name) => {
            let want = Want::New { directory: true, security: None };
            let how = OpenFile { access: attributes, share: Share::ALL, links: follow, want };
            host.open(Place::Path(&named(*place, *name)), &how)?
        }
        Act::Delete(place) => {
            let handle = open(host, at(*place), AccessMask::DELETE, itself)?;
            let deleted = host.delete(handle);
            host.close(handle)?;
            return deleted;
        }
        Act::Move(from, to, name) => {
            let handle = open(host, at(*from), AccessMask::DELETE, itself)?;
            let moved = host.rename(handle, &named(*to, *name), false);
            host.close(handle)?;
            return moved;
        }
        Act::Replace(from, to) => {
            let handle = open(host, at(*from), AccessMask::DELETE, itself)?;
            let moved = host.rename(handle, at(*to), true);
            host.close(handle)?;
            return moved;
        }
        Act::HardLink(from, to, name) => {
            let handle = open(host, at(*from), AccessMask::MAXIMUM_ALLOWED, follow)?;
            let linked = host.link(handle, &named(*to, *name));
            host.close(handle)?;
            return linked;
        }
        Act::Junction(place, to) => {
            let handle = open(host, at(*place), AccessMask::FILE_WRITE_ATTRIBUTES, itself)?;
            let set = host.set_link(handle, Some(at(*to)));
            host.close(handle)?;
            return set;
        }
        Act::Stream(place) => {
            let handle = open(host, at(*place), AccessMask::FILE_WRITE_DATA, follow)?;
            host.write_stream(handle, "x", b"attacker")?;
            handle
        }
        Act::OpenList(place) => {
            let handle = open(host, at(*place), AccessMask::WRITE_DAC, follow)?;
            let open = sddl::parse("D:(A;OICI;FA;;;WD)", &Domains::NONE).unwrap();
            host.set_security(handle, Security::Dacl(&open))?;
            handle
        }
        Act::Own(place) => {
            let handle = open(host, at(*place), AccessMask::WRITE_OWNER, follow)?;
            host.set_security(handle, Security::Owner(Sid::EVERYONE))?;
            handle
        }
        Act::Lower(place) => {
            let handle = open(host, at(*place), AccessMask::WRITE_OWNER, follow)?;
            host.set_security(handle, Security::Label(Integrity::LOW))?;
            handle
        }
        Act::ReadOnly(place) => {
            let handle = open(host, at(*place), AccessMask::FILE_WRITE_ATTRIBUTES, follow)?;
            host.set_read_only(handle, true)?;
            handle
        }
        Act::Read(_) | Act::Memory | Act::Restamp => return Ok(()),
    };
    host.close(handle)
}

/// Runs one sequence; the leaks that were seen, or what was neither allowed nor declared.
pub(super) fn attack(arena: &mut Arena, acts: &[Act]) -> Result<Seen, String> {
    let mut seen = Seen::new();
    for (number, act) in acts.iter().enumerate() {
        for breach in arena.act(act) {
            match arena.declared(&breach) {
                Some(leak) => seen.insert(leak),
                None => return Err(format!("{} {} by act {number}, {act:?}", breach.at.shown(), breach.what)),
            };
        }
    }
    Ok(seen)
}

/// Searches; all leaks that were seen.
fn search(tier: Tier, cases: u32) -> Seen {
    let facts = facts();
    let seen = std::cell::RefCell::new(Seen::new());
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = proptest::test_runner::TestRunner::new(config).run(&(rules(), acts()), |(rules, acts)| {
        let stage = Stage::of(facts.clone(), path(r"D:\w"), tier, &rules);
        let mut arena = Arena::new(stage, &|_| {});
        let more = attack(&mut arena, &acts).map_err(TestCaseError::fail)?;
        seen.borrow_mut().extend(more);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{tier}: {error}");
    }
    seen.into_inner()
}

#[test]
fn the_guard_leaks_what_it_declares_and_nothing_else() {
    let seen = search(Tier::Guard, 200);
    assert_eq!(seen, Seen::from(["reads", "processes", "everyone", "deleted through parent"]));
}

#[test]
fn the_account_leaks_nothing_of_files_and_processes() {
    assert_eq!(search(Tier::Account, 200), Seen::new());
}

#[test]
fn the_container_leaks_nothing_of_files_and_processes() {
    assert_eq!(search(Tier::Container, 200), Seen::new());
}
