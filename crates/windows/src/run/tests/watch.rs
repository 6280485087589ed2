//! Guarded names that do not exist: what appears is taken away and reported, whatever the inside does to keep it there.

use bailiwick_policy::guarantee::{Guarantee, Strength};
use bailiwick_winsec::ntfs::Share;
use bailiwick_winsec::{AccessMask, Ace, Acl, Control, SecurityDescriptor};

use super::adversary::{facts, write_file};
use super::stage::{Live, Planned, Stage, difference, path};
use crate::host::{Files, Links, OpenFile, Place, Want};
use crate::run::RunError;
use crate::run::watch::Seen;
use crate::sim::{Actor, Fault};
use crate::tier::Tier;

/// A session with one process inside.
struct Scene {
    stage: Stage,
    planned: Planned,
    user: Actor,
    admin: Actor,
    live: Live,
    inside: Actor,
}

fn stage(tier: Tier) -> Stage {
    Stage::of(facts(), path(r"D:\w"), tier, "")
}

fn scene(tier: Tier) -> Scene {
    let stage = stage(tier);
    let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
    let planned = stage.set_up(&mut user, &mut admin, &|_| {}).unwrap();
    let live = stage.open(&mut user, &planned).unwrap();
    let inside = stage.command(&mut user, &live).unwrap();
    stage.sim.turn_hostile(inside);
    let inside = stage.sim.actor(inside);
    Scene { stage, planned, user, admin, live, inside }
}

impl Scene {
    fn look(&mut self) -> Vec<Seen> {
        self.stage.look(&mut self.user, &mut self.live).unwrap()
    }

    fn is_there(&self, place: &str) -> bool {
        self.stage.sim.files().contains_key(&path(place))
    }

    /// Nothing of bailiwick's is left in the user's tree.
    fn assert_tidy(&self) {
        let files = self.stage.sim.files();
        let hidden = files.keys().find(|name| name.name().is_some_and(|name| name.starts_with(".bailiwick-taken-")));
        assert_eq!(hidden, None);
    }

    fn directory(&mut self, place: &str) {
        let want = Want::New { directory: true, security: None };
        let how = OpenFile { access: AccessMask::FILE_READ_ATTRIBUTES, share: Share::ALL, links: Links::Follow, want };
        let handle = self.inside.open(Place::Path(&path(place)), &how).unwrap();
        self.inside.close(handle).unwrap();
    }
}

fn taken(seen: &[Seen]) -> Vec<String> {
    let shown = |seen: &Seen| match seen {
        Seen::TakenAway { path, .. } => format!("taken {}", path.shown()),
        Seen::Ended { path } => format!("ended {}", path.shown()),
        Seen::Stuck { path, .. } => format!("stuck {}", path.shown()),
    };
    seen.iter().map(shown).collect()
}

#[test]
fn what_appears_is_taken_away_at_once_and_a_copy_is_kept() {
    for tier in Tier::ALL {
        let mut scene = scene(tier);
        assert_eq!(scene.look(), Vec::new(), "{tier}");
        write_file(&mut scene.inside, &path(r"D:\w\.husky"), b"hostile").unwrap();
        let seen = scene.look();
        let [Seen::TakenAway { path: name, kept: Some(copy) }] = seen.as_slice() else { panic!("{tier}: {seen:?}") };
        assert_eq!(*name, path(r"D:\w\.husky"), "{tier}");
        assert_eq!(scene.stage.sim.files()[copy].content, b"hostile", "{tier}");
        assert!(!scene.is_there(r"D:\w\.husky"), "{tier}");
        scene.assert_tidy();
        // The copy is out of the inside's reach.
        assert!(write_file(&mut scene.inside, copy, b"x").is_err(), "{tier}");
        let how = OpenFile::existing(AccessMask::FILE_WRITE_DATA);
        assert!(scene.inside.open(Place::Path(copy), &how).is_err(), "{tier}");
        assert!(!scene.live.session.is_over(), "{tier}");
    }
}

#[test]
fn the_promise_is_what_the_simulation_shows() {
    for (tier, strength) in
        [(Tier::Guard, Strength::Lacks), (Tier::Account, Strength::Detects), (Tier::Container, Strength::Detects)]
    {
        let scene = scene(tier);
        let promises = crate::promises::promises(tier, &scene.planned.facts, Some(&scene.planned.plan));
        let promise = promises.iter().find(|promise| promise.guarantee == Guarantee::NamesAbsent).unwrap();
        assert_eq!(promise.strength, strength, "{tier}: {}", promise.reason);
    }
}

#[test]
fn a_tree_is_taken_whole() {
    let mut scene = scene(Tier::Account);
    scene.directory(r"D:\w\.husky");
    scene.directory(r"D:\w\.husky\deep");
    write_file(&mut scene.inside, &path(r"D:\w\.husky\deep\pre-commit"), b"hostile").unwrap();
    let seen = scene.look();
    let [Seen::TakenAway { kept: Some(copy), .. }] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(scene.stage.sim.files()[&copy.join(r"deep\pre-commit").unwrap()].content, b"hostile");
    scene.assert_tidy();
}

#[test]
fn names_are_taken_behind_directories_that_the_inside_makes() {
    for tier in Tier::ALL {
        let mut scene = scene(tier);
        scene.directory(r"D:\w\Properties");
        assert_eq!(scene.look(), Vec::new(), "{tier}");
        write_file(&mut scene.inside, &path(r"D:\w\Properties\launchSettings.json"), b"hostile").unwrap();
        write_file(&mut scene.inside, &path(r"D:\w\Properties\AssemblyInfo.cs"), b"harmless").unwrap();
        assert_eq!(taken(&scene.look()), [r"taken D:\w\Properties\launchSettings.json"], "{tier}");
        assert!(scene.is_there(r"D:\w\Properties\AssemblyInfo.cs"), "{tier}");
        // The directory is the inside's to delete: nothing of ours holds it.
        for name in [r"D:\w\Properties\AssemblyInfo.cs", r"D:\w\Properties"] {
            let handle = scene.inside.open(Place::Path(&path(name)), &OpenFile::existing(AccessMask::DELETE)).unwrap();
            scene.inside.delete(handle).unwrap();
            scene.inside.close(handle).unwrap();
        }
        assert_eq!(scene.look(), Vec::new(), "{tier}");
    }
}

#[test]
fn a_way_that_leads_elsewhere_is_taken() {
    for tier in Tier::ALL {
        let mut scene = scene(tier);
        scene.directory(r"D:\w\real");
        write_file(&mut scene.inside, &path(r"D:\w\real\launchSettings.json"), b"hostile").unwrap();
        scene.directory(r"D:\w\Properties");
        assert_eq!(scene.look(), Vec::new(), "{tier}");
        // An empty directory that is watched already becomes a junction.
        let how = OpenFile::existing(AccessMask::FILE_WRITE_ATTRIBUTES);
        let handle = scene.inside.open(Place::Path(&path(r"D:\w\Properties")), &how).unwrap();
        scene.inside.set_link(handle, Some(&path(r"D:\w\real"))).unwrap();
        scene.inside.close(handle).unwrap();
        assert_eq!(taken(&scene.look()), [r"taken D:\w\Properties"], "{tier}");
        assert!(scene.is_there(r"D:\w\real\launchSettings.json"), "{tier}");
    }
}

/// When more happened than Windows keeps, nothing is told; then everything is looked at.
#[test]
fn an_overflow_hides_nothing() {
    for tier in Tier::ALL {
        let mut scene = scene(tier);
        for number in 0..40 {
            write_file(&mut scene.inside, &path(&format!(r"D:\w\{number}.o")), b"x").unwrap();
            if number == 20 {
                write_file(&mut scene.inside, &path(r"D:\w\.HUSKY"), b"hostile").unwrap();
            }
        }
        assert_eq!(taken(&scene.look()), [r"taken D:\w\.husky"], "{tier}");
    }
}

/// A handle that does not share deleting keeps a name in its place, as long as its process runs.
#[test]
fn a_name_that_is_held_ends_the_session_and_goes() {
    for tier in Tier::ALL {
        let mut scene = scene(tier);
        let share = Share { read: true, write: true, delete: false };
        let want = Want::New { directory: false, security: None };
        let how = OpenFile { access: AccessMask::FILE_GENERIC_WRITE, share, links: Links::Follow, want };
        scene.inside.open(Place::Path(&path(r"D:\w\.husky")), &how).unwrap();
        assert_eq!(taken(&scene.look()), [r"ended D:\w\.husky", r"taken D:\w\.husky"], "{tier}");
        assert!(!scene.inside.is_alive() && scene.live.session.is_over(), "{tier}");
        assert!(!scene.is_there(r"D:\w\.husky"), "{tier}");
    }
}

/// A second name of a protected file is held by the very handle that protects it. It goes, and the file stays.
#[test]
fn a_second_name_of_a_protected_file_goes_and_the_file_stays() {
    for tier in [Tier::Account, Tier::Container] {
        let mut scene = scene(tier);
        let before = scene.stage.sim.files()[&path(r"D:\w\.git\config")].clone();
        let how = OpenFile::existing(AccessMask::FILE_READ_DATA);
        let handle = scene.inside.open(Place::Path(&path(r"D:\w\.git\config")), &how).unwrap();
        scene.inside.link(handle, &path(r"D:\w\.husky")).unwrap();
        assert_eq!(taken(&scene.look()), [r"ended D:\w\.husky", r"taken D:\w\.husky"], "{tier}");
        assert_eq!(scene.stage.sim.files()[&path(r"D:\w\.git\config")], before, "{tier}");
    }
}

/// The account owns what it makes, so it can shut the user out of a directory. What the user cannot look into goes as a whole.
#[test]
fn a_directory_that_shuts_the_user_out_is_taken_whole() {
    let mut scene = scene(Tier::Account);
    let own = scene.planned.plan.identity.sid();
    let closed = SecurityDescriptor {
        control: Control::DACL_PROTECTED,
        dacl: Acl::new(vec![Ace::allow(own, AccessMask::GENERIC_ALL)]).into(),
        ..SecurityDescriptor::default()
    };
    let want = Want::New { directory: true, security: Some(&closed) };
    let how = OpenFile { access: AccessMask::FILE_READ_ATTRIBUTES, share: Share::ALL, links: Links::Never, want };
    let handle = scene.inside.open(Place::Path(&path(r"D:\w\Properties")), &how).unwrap();
    scene.inside.close(handle).unwrap();
    write_file(&mut scene.inside, &path(r"D:\w\Properties\launchSettings.json"), b"hostile").unwrap();
    assert_eq!(taken(&scene.look()), [r"taken D:\w\Properties"]);
    assert!(!scene.is_there(r"D:\w\Properties"));
    // What the user may not empty stays under its harmless name, and it is said.
    let closing = scene.stage.close(&mut scene.user, scene.live).unwrap();
    assert!(matches!(closing.left.as_slice(), [left] if left.contains(".bailiwick-taken-")), "{closing:?}");
}

/// What a service started outside of the job is ended with the session, and cannot hold a name.
#[test]
fn a_process_outside_of_the_job_holds_nothing_in_the_account() {
    let mut scene = scene(Tier::Account);
    let outside = scene.inside.use_server("WMI").unwrap();
    let mut outside = scene.stage.sim.actor(outside);
    let share = Share { read: false, write: false, delete: false };
    let want = Want::New { directory: false, security: None };
    let how = OpenFile { access: AccessMask::FILE_GENERIC_WRITE, share, links: Links::Follow, want };
    outside.open(Place::Path(&path(r"D:\w\.husky")), &how).unwrap();
    assert_eq!(taken(&scene.look()), [r"ended D:\w\.husky", r"taken D:\w\.husky"]);
    assert!(!outside.is_alive());
    assert!(!scene.is_there(r"D:\w\.husky"));
}

#[test]
fn what_services_started_ends_with_the_session_or_before_the_next_command() {
    let mut scene = scene(Tier::Account);
    let outside = scene.inside.use_server("WMI").unwrap();
    let closing = scene.stage.close(&mut scene.user, scene.live).unwrap();
    assert_eq!(closing.outside, None);
    assert!(!scene.stage.sim.actor(outside).is_alive());
    // bailiwick is killed: the job ends, what WMI started does not, until the next session opens.
    let live = scene.stage.open(&mut scene.user, &scene.planned).unwrap();
    let inside = scene.stage.command(&mut scene.user, &live).unwrap();
    let outside = scene.stage.sim.actor(inside).use_server("WMI").unwrap();
    scene.stage.sim.end(scene.user.process());
    assert!(scene.stage.sim.actor(outside).is_alive());
    let mut user = scene.stage.sim.shell();
    scene.stage.open(&mut user, &scene.planned).unwrap();
    assert!(!scene.stage.sim.actor(outside).is_alive());
}

/// What stood there before the run is the user's.
#[test]
fn what_was_there_before_is_never_taken() {
    for tier in Tier::ALL {
        let stage = stage(tier);
        let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
        let planned = stage.set_up(&mut user, &mut admin, &|_| {}).unwrap();
        // The user's own, made after the plan: the run is refused instead.
        write_file(&mut user, &path(r"D:\w\.husky"), b"mine").unwrap();
        let refused = stage.open(&mut user, &planned).map(|_| ()).unwrap_err();
        assert!(matches!(&refused, RunError::Object { path: name, .. } if *name == path(r"D:\w\.husky")), "{refused}");
        assert!(stage.sim.files().contains_key(&path(r"D:\w\.husky")), "{tier}");
        let handle = user.open(Place::Path(&path(r"D:\w\.husky")), &OpenFile::existing(AccessMask::DELETE)).unwrap();
        user.delete(handle).unwrap();
        user.close(handle).unwrap();
        // A file of the user's where a directory would be: it stays, and what replaces it goes.
        write_file(&mut user, &path(r"D:\w\Properties"), b"mine").unwrap();
        let mut live = stage.open(&mut user, &planned).unwrap();
        let inside = stage.command(&mut user, &live).unwrap();
        let mut inside = stage.sim.actor(inside);
        write_file(&mut inside, &path(r"D:\w\a.o"), b"x").unwrap();
        assert_eq!(stage.look(&mut user, &mut live).unwrap(), Vec::new(), "{tier}");
        assert_eq!(stage.sim.files()[&path(r"D:\w\Properties")].content, b"mine", "{tier}");
    }
}

/// Names that appear after the last look are found at the end, when nothing inside can make more.
#[test]
fn the_last_look_is_after_the_last_process() {
    for tier in Tier::ALL {
        let mut scene = scene(tier);
        write_file(&mut scene.inside, &path(r"D:\w\.husky"), b"hostile").unwrap();
        let closing = scene.stage.close(&mut scene.user, scene.live).unwrap();
        assert_eq!(taken(&closing.seen), [r"taken D:\w\.husky"], "{tier}");
        assert!(closing.left.is_empty() && closing.outside.is_none(), "{tier}: {closing:?}");
        let undone = scene.stage.remove(&mut scene.user, &mut scene.admin).unwrap();
        assert_eq!(undone.left, Vec::<String>::new(), "{tier}");
        assert_eq!(scene.stage.sim.snapshot(), stage(tier).sim.snapshot(), "{tier}");
    }
}

/// A session in which a guarded name appears; whether it got that far.
fn run(stage: &Stage, user: &mut Actor, admin: &mut Actor, appeared: &mut bool) -> Result<(), RunError> {
    let planned = stage.set_up(user, admin, &|_| {})?;
    let mut live = stage.open(user, &planned)?;
    let inside = stage.command(user, &live)?;
    let mut inside = stage.sim.actor(inside);
    *appeared = write_file(&mut inside, &path(r"D:\w\.husky"), b"hostile").is_ok();
    drop(inside);
    // What went wrong is told, and the session closed all the same.
    let looked = stage.look(user, &mut live);
    stage.close(user, live)?;
    looked.map(|_| ())
}

/// Lets the `at`-th call of the session go wrong. Afterwards the guarded name is as the inside made it or gone, never anything in between.
fn accident(fresh: &Stage, before: &str, at: u64, fault: Fault) -> Option<&'static str> {
    let (stage, tier) = (fresh.again(), fresh.tier);
    let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
    stage.sim.inject(&[user.process(), admin.process()], at, fault);
    let mut appeared = false;
    let outcome = run(&stage, &mut user, &mut admin, &mut appeared);
    let Some(struck) = stage.sim.calm() else {
        assert!(outcome.is_ok(), "{tier}: {outcome:?}");
        return None;
    };
    let what = format!("{tier}: {fault:?} at call {at}, {struck}");
    // A failed session that goes on living has ended the inside or has taken the name.
    if user.is_alive() && appeared && fault == Fault::Error {
        let is_inside_running = stage.sim.running().iter().any(|(_, name)| name == "cmd.exe");
        let is_there = stage.sim.files().contains_key(&path(r"D:\w\.husky"));
        assert!(!(is_inside_running && is_there), "{what}: the name stays and the inside goes on");
    }
    for process in [user.process(), admin.process()] {
        stage.sim.end(process);
    }
    let (mut user, mut admin) = (stage.sim.shell(), stage.sim.elevated());
    stage.recover(&mut user, &mut admin).unwrap_or_else(|error| panic!("{what}: {error}"));
    stage.remove(&mut user, &mut admin).unwrap_or_else(|error| panic!("{what}: {error}"));
    let after = stage.sim.snapshot();
    let changes = difference(before, &after);
    let left: Vec<&str> = changes.lines().filter(|line| !line.starts_with(r"+ file D:\w\.husky ")).collect();
    assert!(left.is_empty(), "{what}\n{}", left.join("\n"));
    Some(struck)
}

fn accidents(tier: Tier) -> u64 {
    let fresh = stage(tier);
    let before = fresh.sim.snapshot();
    let (mut at, mut saw) = (0, Vec::new());
    while let Some(call) = accident(&fresh, &before, at, Fault::CrashBefore) {
        saw.push(call);
        for fault in [Fault::Error, Fault::CrashAfter, Fault::CrashWithin] {
            if fault != Fault::CrashWithin || matches!(call, "append" | "write") {
                assert_eq!(accident(&fresh, &before, at, fault), Some(call), "{tier}: {fault:?} at call {at}");
            }
        }
        at += 1;
    }
    assert!(saw.contains(&"rename_here") && saw.contains(&"told"), "{tier}");
    at
}

#[test]
fn taking_away_survives_an_accident_at_every_call() {
    for tier in [Tier::Guard, Tier::Container] {
        assert!(accidents(tier) > 100, "{tier}");
    }
}

#[test]
fn taking_away_in_the_account_survives_an_accident_at_every_call() {
    assert!(accidents(Tier::Account) > 250);
}
