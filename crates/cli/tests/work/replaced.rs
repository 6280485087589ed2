//! Protected names that somebody outside replaces or removes during a run: protected again, and told in words.

use std::process::Stdio;

use super::support::World;
use super::support::done::{Done, until};

/// Runs `inside` until it makes `ready`, does `outside` meanwhile, and lets it go on when it waits for `go`.
fn meanwhile(world: &World, options: &[&str], inside: &str, outside: &str) -> Done {
    let script = format!("touch ready; until test -e go; do sleep 0.01; done; {inside}");
    std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            let mut command = world.bailiwick([&["run"], options, &["--", "sh", "-c", &script]].concat());
            command.stdin(Stdio::null());
            Done::of(command)
        });
        until("the command runs", || world.project.join("ready").exists());
        world.outside(outside).ok();
        world.write("go", "");
        run.join().expect("the run")
    })
}

/// Until the inside cannot write it: the mount is there again.
const UNTIL_PROTECTED: &str = "while sh -c ': >> .git/config' 2> /dev/null; do sleep 0.01; done";

#[test]
fn a_replaced_name_is_protected_again() {
    let world = World::with_git();
    let done = meanwhile(&world, &[], UNTIL_PROTECTED, "git config user.nickname x").ok();
    let config = world.project.join(".git/config");
    done.says(&format!("bailiwick: `{}` was replaced from outside during the run", config.display()));
    let world = World::with_git();
    let done = meanwhile(&world, &["--json"], UNTIL_PROTECTED, "git config user.nickname x").ok();
    let config = world.project.join(".git/config");
    done.says(&format!(r#"{{"event":"protected-again","name":"{}"}}"#, config.display()));
}

#[test]
fn a_removed_name_is_kept_from_being_made_again() {
    let world = World::with_git();
    let made = "mkdir .git/hooks && while test -e .git/hooks; do sleep 0.01; done";
    let done = meanwhile(&world, &[], made, "rm -r .git/hooks").ok();
    let hooks = world.project.join(".git/hooks");
    let done = done.says(&format!("bailiwick: `{}`, which is protected, was removed from outside", hooks.display()));
    done.says(&format!("bailiwick: the command made `{}`, which is protected; it was taken away", hooks.display()));
    let world = World::with_git();
    let done = meanwhile(&world, &["-q"], made, "rm -r .git/hooks").ok();
    assert_eq!(done.both().trim(), "", "remarks are unwanted");
}
