//! What a run leaves that is ended by `kill -9` at the worst moment, and that the next one says so.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::support::World;
use super::support::done::{Done, until};

/// The entries of the runs that live, or were killed.
fn entries(world: &World) -> Vec<PathBuf> {
    let list = fs::read_dir(world.home.join(".local/state/bailiwick/runs"));
    list.map(|list| list.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
}

/// Lets a hostile command make `.idea` while bailiwick cannot see it, and kills bailiwick before it does.
fn kill_between_making_and_taking(world: &World) {
    let script =
        "touch ready; until test -e go; do sleep 0.01; done; mkdir .idea; echo evil > .idea/x; touch made; sleep 1000";
    let mut command = world.bailiwick(["run", "-q", "--", "sh", "-c", script]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("bailiwick");
    until("the command runs", || world.project.join("ready").exists());
    stop(&child);
    world.write("go", "");
    until("the name is made", || world.project.join("made").exists());
    child.kill().expect("kill -9");
    child.wait().expect("wait");
}

fn stop(child: &Child) {
    let id = Pid::from_child(child);
    kill_process(id, Signal::STOP).expect("kill -STOP");
    until("bailiwick is stopped", || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
        stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
    });
}

fn next(world: &World, options: &[&str]) -> Done {
    Done::of(world.bailiwick([&["run"], options, &["--", "true"]].concat())).ok()
}

#[test]
fn the_next_run_names_what_a_killed_one_left() {
    let world = World::new();
    let hidden = format!(".bailiwick-quarantine-{}", "0".repeat(32));
    kill_between_making_and_taking(&world);
    assert_eq!(entries(&world).len(), 1);
    world.write(&format!("{hidden}/left"), "by the same accident");
    let name = world.project.join(".idea");
    let sentence = format!("`{}`, which is protected and did not exist before that run, exists now", name.display());
    // Though remarks are unwanted: it is told once.
    next(&world, &["-q"]).says(&sentence);
    assert!(name.join("x").exists(), "nothing of the user's tree is removed unasked");
    assert!(!world.project.join(hidden).exists(), "what was being taken away is removed");
    assert_eq!(entries(&world), Vec::<PathBuf>::new());
    assert_eq!(next(&world, &[]).both().trim(), "");
}

#[test]
fn programs_hear_of_it_by_name() {
    let world = World::new();
    kill_between_making_and_taking(&world);
    let event = format!(r#"{{"event":"left-behind","name":"{}"}}"#, world.project.join(".idea").display());
    next(&world, &["--json"]).says(&event);
}

#[test]
fn runs_at_the_same_time_say_nothing_about_each_other() {
    let world = World::new();
    let mut command =
        world.bailiwick(["run", "-q", "--", "sh", "-c", "touch ready; until test -e go; do sleep 0.01; done"]);
    let mut first = command.stdin(Stdio::null()).spawn().expect("bailiwick");
    until("the command runs", || world.project.join("ready").exists());
    assert_eq!(entries(&world).len(), 1);
    assert_eq!(next(&world, &[]).both().trim(), "");
    assert_eq!(entries(&world).len(), 1);
    world.write("go", "");
    assert!(first.wait().expect("wait").success());
    assert_eq!(entries(&world), Vec::<PathBuf>::new());
}
