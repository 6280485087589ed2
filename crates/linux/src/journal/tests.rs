use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::quarantine::tests::{Scratch, names_in};

/// A tree, and a journal beside it.
struct World {
    scratch: Scratch,
}

impl World {
    fn new() -> World {
        let scratch = Scratch::new();
        fs::create_dir(scratch.0.join("tree")).unwrap();
        World { scratch }
    }

    fn tree(&self) -> PathBuf {
        self.scratch.0.join("tree")
    }

    fn place(&self) -> PathBuf {
        self.scratch.0.join("state/runs")
    }

    fn journal(&self) -> Journal {
        Journal::open(self.place()).unwrap()
    }

    fn watched(&self, names: &[&str]) -> Vec<Watched> {
        let root = self.tree();
        names.iter().map(|name| Watched { path: root.join(name), root: root.clone(), denied: false }).collect()
    }

    /// What a run leaves that is killed: its entry without the lock.
    fn killed(&self, entry: &str, names: &[&str]) {
        self.journal().write(OsStr::new(entry), &self.watched(names)).unwrap();
        assert!(self.place().join(entry).exists());
    }

    fn look_back(&self) -> Vec<Found> {
        let mut found = Vec::new();
        self.journal().look_back(&mut |one| found.push(one)).unwrap();
        found
    }
}

#[test]
fn a_journal_that_was_never_written_is_no_trace() {
    let world = World::new();
    assert_eq!(world.look_back(), []);
    world.journal().close().unwrap();
    assert_eq!(names_in(&world.scratch.0), ["tree"]);
}

#[test]
fn an_entry_is_for_the_user_alone_and_goes_with_its_run() {
    let world = World::new();
    let mut journal = world.journal();
    journal.write(OsStr::new("1"), &world.watched(&["a"])).unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(world.place()), mode(world.place().join("1"))), (0o700, 0o600));
    journal.close().unwrap();
    assert_eq!(names_in(&world.place()), Vec::<String>::new());
}

#[test]
fn what_a_killed_run_left_is_told_once_and_stays() {
    let world = World::new();
    world.killed("1", &[".vscode", ".git/hooks", "absent", "line\nend"]);
    fs::create_dir_all(world.tree().join(".vscode")).unwrap();
    fs::write(world.tree().join("line\nend"), "x").unwrap();
    let names = [".vscode", "line\nend"].map(|name| Found::Name(world.tree().join(name)));
    assert_eq!(world.look_back(), names);
    assert_eq!(world.look_back(), []);
    assert_eq!(names_in(&world.place()), Vec::<String>::new());
    assert_eq!(names_in(&world.tree()), [".vscode", "line\nend"]);
}

#[test]
fn the_entry_of_a_run_that_lives_is_left_alone() {
    let world = World::new();
    let mut first = world.journal();
    first.write(OsStr::new("1"), &world.watched(&["a"])).unwrap();
    fs::write(world.tree().join("a"), "x").unwrap();
    assert_eq!(world.look_back(), []);
    assert_eq!(names_in(&world.place()), ["1"]);
    drop(first);
    assert_eq!(world.look_back(), [Found::Name(world.tree().join("a"))]);
}

#[test]
fn an_entry_that_another_run_looks_at_is_not_told_twice() {
    let world = World::new();
    world.killed("1", &["a"]);
    fs::write(world.tree().join("a"), "x").unwrap();
    let mut told = 0;
    world
        .journal()
        .look_back(&mut |_| {
            told += 1;
            assert_eq!(world.look_back(), []);
        })
        .unwrap();
    assert_eq!(told, 1);
}

#[test]
fn hidden_names_are_removed_and_nothing_else() {
    let world = World::new();
    world.killed("1", &["sub/deep/name"]);
    let deep = world.tree().join("sub/deep");
    fs::create_dir_all(&deep).unwrap();
    let hidden = format!(".bailiwick-quarantine-{}", "0123456789abcdef".repeat(2));
    for holder in [world.tree(), deep.clone(), world.scratch.0.clone()] {
        fs::create_dir_all(holder.join(&hidden).join("below")).unwrap();
        fs::write(holder.join(".bailiwick-quarantine-mine"), "x").unwrap();
    }
    assert_eq!(world.look_back(), [Found::Swept(world.tree(), 1), Found::Swept(deep.clone(), 1)]);
    assert_eq!(names_in(&deep), [".bailiwick-quarantine-mine"]);
    assert_eq!(names_in(&world.tree()), [".bailiwick-quarantine-mine", "sub"]);
    // Above the root nothing is the run's.
    assert!(world.scratch.0.join(hidden).exists());
}

#[test]
fn links_are_not_followed_and_told() {
    let world = World::new();
    world.killed("1", &[".git/hooks", "link"]);
    let outside = world.scratch.0.join("outside");
    let hidden = format!(".bailiwick-quarantine-{}", "0".repeat(32));
    fs::create_dir_all(outside.join(&hidden)).unwrap();
    symlink(&outside, world.tree().join(".git")).unwrap();
    symlink("nowhere", world.tree().join("link")).unwrap();
    let names = [".git/hooks", "link"].map(|name| Found::Name(world.tree().join(name)));
    assert_eq!(world.look_back(), names);
    assert!(outside.join(hidden).exists());
}

#[test]
fn entries_that_are_not_whole_are_taken_as_far_as_they_go() {
    let world = World::new();
    let tree = world.tree();
    fs::write(tree.join("a"), "x").unwrap();
    fs::write(tree.join("b"), "x").unwrap();
    fs::create_dir_all(world.place()).unwrap();
    let whole = content(&world.watched(&["a", "b"]));
    for end in 0..=whole.len() {
        fs::write(world.place().join("1"), &whole[..end]).unwrap();
        let found = world.look_back();
        let one = content(&world.watched(&["a"])).len();
        let most = if end == whole.len() { 2 } else { usize::from(end >= one) };
        assert_eq!(found.len(), most, "{end}");
    }
    for odd in ["\0\0", "\0", "relative\0relative/a\0", "/x\0/y\0"] {
        fs::write(world.place().join("1"), odd).unwrap();
        assert_eq!(world.look_back(), [], "{odd:?}");
    }
}

#[test]
fn an_empty_entry_may_be_one_that_is_being_made() {
    let world = World::new();
    fs::create_dir_all(world.place()).unwrap();
    let file = fs::File::create(world.place().join("1")).unwrap();
    assert_eq!(world.look_back(), []);
    assert_eq!(names_in(&world.place()), ["1"]);
    file.set_modified(SystemTime::now() - 2 * BIRTH).unwrap();
    assert_eq!(world.look_back(), []);
    assert_eq!(names_in(&world.place()), Vec::<String>::new());
}

#[test]
fn one_entry_that_cannot_be_read_hides_no_other() {
    let world = World::new();
    for entry in ["1", "3"] {
        world.killed(entry, &["a"]);
    }
    fs::create_dir(world.place().join("2")).unwrap();
    fs::write(world.tree().join("a"), "x").unwrap();
    let mut told = 0;
    let answer = world.journal().look_back(&mut |_| told += 1);
    assert_eq!(told, 2);
    assert!(answer.unwrap_err().to_string().contains("looking at the entry"));
}

#[test]
fn runs_that_start_at_once_do_not_disturb_each_other() {
    let world = World::new();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let world = &world;
            scope.spawn(move || {
                for round in 0..50 {
                    let mut journal = world.journal();
                    journal.look_back(&mut |found| panic!("{found:?}")).unwrap();
                    journal.write(OsStr::new(&format!("{thread}-{round}")), &world.watched(&["a"])).unwrap();
                    assert!(world.place().join(format!("{thread}-{round}")).exists());
                    journal.close().unwrap();
                }
            });
        }
    });
    assert_eq!(names_in(&world.place()), Vec::<String>::new());
}
