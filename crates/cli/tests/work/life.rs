//! Nothing outlives a run, and nothing is left lying about.

use std::process::Stdio;

use super::support::done::until;
use super::support::{Done, World, binary, need, processes, tree};

#[test]
fn kill_9_of_bailiwick_ends_every_process() {
    let world = World::with_git();
    let before = tree::contents(&world.project);
    let mark = processes::mark();
    // One plain, one in its own session that ignores signals, one double-forked.
    let script = format!(
        "bash -c 'exec -a {mark} sleep 1000' & setsid bash -c 'trap \"\" TERM HUP INT; exec -a {mark} sleep 1000' &
         (setsid bash -c 'exec -a {mark} sleep 1000' &) & wait; sleep 1000"
    );
    let mut command = world.bailiwick(["run", "-q", "--", "bash", "-c", &script]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("bailiwick");
    until("three are running", || processes::named(&mark).len() == 3);
    child.kill().expect("kill -9");
    child.wait().expect("wait");
    until("all are gone", || processes::mentioning(&mark).is_empty());
    let litter = tree::difference(&before, &tree::contents(&world.project));
    assert!(litter.is_empty(), "{litter:#?}");
    // What was left behind does not disturb the next run.
    world.inside("git status --porcelain").ok();
}

/// A launch holds its processes to single processors for a while.
#[test]
fn the_inside_may_run_on_every_processor_that_the_caller_may() {
    let allowed = |status: &str| {
        let line = status.lines().find(|line| line.starts_with("Cpus_allowed_list:")).map(str::to_owned);
        line.unwrap_or_else(|| panic!("{status}"))
    };
    let here = allowed(&std::fs::read_to_string("/proc/self/status").expect("status"));
    let world = World::new();
    for whose in ["self", "1"] {
        let done = world.inside(&format!("cat /proc/{whose}/status")).ok();
        assert_eq!(allowed(&done.out()), here, "/proc/{whose}");
    }
}

/// A launch changes the policy of its processes for a while.
#[test]
fn the_inside_has_the_scheduling_policy_of_the_caller() {
    need!("chrt", "nice");
    let world = World::new();
    let program = binary::bailiwick();
    let run = |before: &str, command: &str| {
        world.outside(&format!("{before} {} run -q -- {command}", program.display())).ok().out().to_owned()
    };
    assert!(run("", "chrt -p 0").contains("SCHED_OTHER"));
    for (option, policy) in [("-b", "SCHED_BATCH"), ("-i", "SCHED_IDLE")] {
        let told = run(&format!("chrt {option} 0"), "chrt -p 0");
        assert!(told.contains(policy), "{told}");
    }
    assert_eq!(run("nice -n 5", "nice").trim(), "5");
}

#[test]
fn a_daemon_dies_with_the_run() {
    let world = World::new();
    let mark = processes::mark();
    let script = format!(
        "(setsid bash -c 'trap \"\" TERM HUP; exec -a {mark} sleep 1000' > /dev/null 2>&1 < /dev/null &) &
         until pgrep -f {mark} > /dev/null; do sleep 0.01; done"
    );
    world.inside(&script).ok();
    until("the daemon is gone", || processes::named(&mark).is_empty());
}

#[test]
fn a_daemon_that_holds_the_output_does_not_hold_the_caller() {
    let world = World::new();
    // Done::of reads to the end of both streams: it would hang if the daemon outlived the run.
    assert_eq!(world.inside("setsid sleep 1000 & echo ended").ok().out(), "ended");
}

#[test]
fn fork_bombs_end_with_the_run() {
    let world = World::new();
    let mark = processes::mark();
    let script = format!("for i in $(seq 50); do (setsid bash -c 'exec -a {mark} sleep 1000' &) ; done; exit 3");
    world.inside(&script).ends(3);
    until("all are gone", || processes::named(&mark).is_empty());
}

#[test]
fn a_run_leaves_nothing_in_the_tree_but_the_work() {
    let world = World::with_git();
    let before = tree::contents(&world.project);
    world.inside("git status > /dev/null; ls -la > /dev/null; cat README.md > /dev/null").ok();
    let litter = tree::difference(&before, &tree::contents(&world.project));
    assert!(litter.is_empty(), "{litter:#?}");
    world.inside("echo new > new.txt").ok();
    let work = tree::difference(&before, &tree::contents(&world.project));
    assert_eq!(work.len(), 1, "{work:#?}");
}

#[test]
fn an_empty_directory_stays_empty() {
    let world = World::new();
    world.inside("ls -A | wc -l | grep -qx 0 || { ls -lA; exit 1; }; true").ok();
    assert!(world.names().is_empty(), "{:?}", world.names());
}

#[test]
fn a_run_leaves_nothing_in_the_home_but_bailiwicks_own_directory() {
    let world = World::new();
    let before = tree::names(&world.home);
    world.inside("echo mine > ~/kept.txt; mkdir -p ~/.cache/tool; echo x > /tmp/gone").ok();
    for line in tree::difference(&before, &tree::names(&world.home)) {
        let place = line.trim_start_matches("+ ").get(2..).unwrap_or_default();
        let parents = [".local", ".local/share", ".local/state", ".cache"];
        assert!(place.contains("bailiwick") || parents.contains(&place), "litter in the home: {line}");
    }
    assert!(!world.home.join("kept.txt").exists() && !world.home.join(".cache/tool").exists());
}

#[test]
fn the_host_sees_no_new_mounts() {
    let world = World::new();
    let before = world.outside("cat /proc/self/mountinfo").ok().out();
    world.inside("true").ok();
    assert_eq!(world.outside("cat /proc/self/mountinfo").ok().out(), before);
}

#[test]
fn the_workspace_may_be_removed_and_made_again_between_runs() {
    let world = World::new();
    world.inside("echo a > a").ok();
    std::fs::remove_dir_all(&world.project).expect("remove");
    std::fs::create_dir(&world.project).expect("make again");
    assert_eq!(world.inside("ls -A; echo b > b").ok().out(), "");
    assert_eq!(
        Done::of({
            let mut ls = world.bare("ls");
            ls.arg("-A");
            ls
        })
        .out(),
        "b"
    );
}

/// The init may be gone before the supervisor looks at it, with an order unread.
#[test]
fn a_launch_that_fails_says_why_whenever_it_fails() {
    let world = World::new();
    let program = binary::bailiwick();
    for most in (20..36).step_by(2).flat_map(|most| [most; 4]) {
        let done = world.outside(&format!("ulimit -n {most}; exec {} run -q -- true", program.display())).ends(125);
        // EMFILE, whatever the C library calls it.
        assert!(done.both().contains("os error 24"), "with {most} descriptors: {done}");
    }
}
