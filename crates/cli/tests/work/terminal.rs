//! A terminal: editor, pager, job control, window size, raw mode, multiplexer.

use super::support::done::until;
use super::support::processes::{has_terminal, mark, named};
use super::support::{Pty, World, need};

fn on_terminal(world: &World, command: &[&str]) -> Pty {
    Pty::start(world.bailiwick([&["run", "-q", "--"], command].concat()), 24, 80)
}

fn shell(world: &World) -> Pty {
    let mut pty = on_terminal(world, &["bash", "--norc", "--noprofile", "-i"]);
    // Written in two parts so that the echo of what is typed is not taken for the answer.
    pty.types("PS1='rea''dy> '\r");
    pty.sees("ready> ");
    pty
}

#[test]
fn vim_edits_and_saves() {
    need!("vim");
    let world = World::new();
    world.write("note.txt", "first\n");
    let mut pty = on_terminal(&world, &["vim", "-u", "NONE", "-N", "-n", "note.txt"]);
    pty.sees("first");
    pty.types("osecond line\u{1b}");
    pty.sees("second line");
    pty.types(":wq\r");
    let (status, shown) = pty.end();
    assert!(status.success(), "{shown}");
    assert_eq!(world.read("note.txt"), "first\nsecond line\n");
}

#[test]
fn less_pages_through_a_file() {
    need!("less");
    let world = World::new();
    let lines: String = (1..=500).map(|number| format!("line-{number}\n")).collect();
    world.write("long.txt", &lines);
    let mut pty = on_terminal(&world, &["less", "long.txt"]);
    // One line of the 24 is the prompt.
    pty.sees("line-23");
    pty.types(" ");
    pty.sees("line-46");
    pty.types("G");
    pty.sees("line-500");
    pty.types("q");
    assert!(pty.end().0.success());
}

#[test]
fn top_shows_only_the_inside() {
    need!("top");
    let world = World::new();
    let mut pty = on_terminal(&world, &["top"]);
    let screen = pty.sees("COMMAND");
    assert!(screen.contains("Tasks:"), "{screen}");
    pty.types("q");
    assert!(pty.end().0.success());
}

#[test]
fn jobs_are_stopped_continued_and_interrupted() {
    let world = World::new();
    let mark = mark();
    let mut pty = shell(&world);
    pty.types(&format!("bash -c 'exec -a {mark} sleep 1000'\r"));
    // A key that is typed before the shell has handed the terminal over would hit the shell.
    until("the job has the terminal", || has_terminal(&mark));
    pty.types("\u{1a}");
    pty.sees("Stopped");
    pty.sees("ready> ");
    pty.types("bg; fg\r");
    until("the job has the terminal again", || has_terminal(&mark));
    pty.types("\u{3}");
    pty.sees("ready> ");
    pty.types("echo status-$?-$((6*7))\r");
    pty.sees("-42");
    pty.types("exit 7\r");
    assert_eq!(pty.end().0.code(), Some(7));
}

#[test]
fn an_interrupt_key_ends_the_tree() {
    let world = World::new();
    let mark = mark();
    let script = format!("bash -c 'exec -a {mark} sleep 1000' & echo star''ted; wait");
    let mut pty = on_terminal(&world, &["sh", "-c", &script]);
    pty.sees("started");
    until("it runs", || !named(&mark).is_empty());
    pty.types("\u{3}");
    let (status, shown) = pty.end();
    assert_eq!(status.code(), Some(130), "{shown}");
    until("it is gone", || named(&mark).is_empty());
}

#[test]
fn the_window_size_is_passed_on() {
    let world = World::new();
    let mut pty = shell(&world);
    pty.types("stty size\r");
    pty.sees("24 80");
    pty.types("trap 'echo now $(stty size)' WINCH; echo se''t\r");
    pty.sees("set");
    pty.resize(40, 132);
    pty.types("\r");
    pty.sees("now 40 132");
    pty.types("exit\r");
    pty.end();
}

#[test]
fn raw_mode_passes_keys_as_bytes() {
    let world = World::new();
    let script = "stty raw -echo; printf 'go>'; head -c 4 | od -An -tx1; stty sane; exit 5";
    let mut pty = on_terminal(&world, &["bash", "-c", script]);
    pty.sees("go>");
    // Interrupt, stop, flow control and end of file are bytes like any other in raw mode.
    pty.types("\u{3}\u{1a}\u{13}\u{4}");
    pty.sees("03 1a 13 04");
    assert_eq!(pty.end().0.code(), Some(5));
}

#[test]
fn the_callers_terminal_is_left_as_it_was() {
    let world = World::new();
    let bailiwick = super::support::binary::bailiwick();
    let inner = format!("{} run -q -- bash -c 'stty raw -echo; exit 3'", bailiwick.display());
    let mut outer = world.bare("bash");
    outer.args(["-c", &format!("b=$(stty -g); {inner}; s=$?; a=$(stty -g); [ \"$a\" = \"$b\" ] && echo same-$s")]);
    let mut pty = Pty::start(outer, 24, 80);
    pty.sees("same-3");
    pty.end();
}

#[test]
fn the_terminal_is_a_real_one_and_not_the_callers() {
    let world = World::new();
    let mut pty = on_terminal(
        &world,
        &["bash", "-c", "test -t 0 && test -t 1 && test -t 2 && tty && echo > /dev/tty && echo fi''ne"],
    );
    let shown = pty.sees("fine");
    assert!(shown.contains("/dev/pts/"), "{shown}");
    assert!(pty.end().0.success());
}

#[test]
fn tmux_runs_inside() {
    need!("tmux");
    let world = World::new();
    world
        .inside(
            "tmux -L own new-session -d -x 80 -y 24 'bash --norc'; tmux -L own send-keys 'echo $((6*7))-in-tmux' Enter
             for i in $(seq 200); do tmux -L own capture-pane -p | grep -q 42-in-tmux && break; sleep 0.05; done
             tmux -L own capture-pane -p | grep 42-in-tmux; tmux -L own kill-server",
        )
        .ok()
        .says("42-in-tmux");
}
