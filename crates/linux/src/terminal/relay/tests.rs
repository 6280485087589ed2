//! The user's terminal is played by a pseudo-terminal whose master the test holds.

use std::fs::File;
use std::io::{Read, Write};
use std::thread;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{OptionalActions, Winsize, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

use super::*;
use crate::terminal::buffer::CAPACITY;

fn pty() -> (OwnedFd, OwnedFd) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags).unwrap();
    unlockpt(&master).unwrap();
    let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
    (master, slave)
}

fn make_raw(terminal: &OwnedFd) {
    let mut modes = tcgetattr(terminal).unwrap();
    modes.make_raw();
    tcsetattr(terminal, OptionalActions::Now, &modes).unwrap();
}

struct Scene {
    relay: Relay,
    /// What the user's terminal emulator holds.
    screen: File,
    /// The user's terminal as the shell has it.
    terminal: OwnedFd,
    /// The inside.
    inside: File,
}

fn scene_with(keyboard: bool) -> Scene {
    let (screen, terminal) = pty();
    let (master, slave) = pty();
    let outer = Outer::at(terminal.as_fd(), terminal.as_fd(), keyboard).unwrap();
    let relay = Relay::start(outer, master).unwrap();
    Scene { relay, screen: File::from(screen), terminal, inside: File::from(slave) }
}

fn scene() -> Scene {
    scene_with(true)
}

/// Runs the supervisor's loop until `done`.
fn turn(relay: &mut Relay, mut done: impl FnMut(&Relay) -> bool) {
    while !done(relay) {
        let mut fds = Vec::new();
        relay.poll_fds(&mut fds);
        // Not forever: `done` may be about another thread.
        poll(&mut fds, Some(&Timespec::try_from(Duration::from_millis(20)).unwrap())).unwrap();
        drop(fds);
        relay.on_ready().unwrap();
    }
}

/// Reads exactly what is expected, in a thread, so that the loop can go on.
fn reader(mut from: File, count: usize) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = vec![0; count];
        from.read_exact(&mut bytes).unwrap();
        bytes
    })
}

fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|i| b'a' + u8::try_from(i * 7 % 26).unwrap()).collect()
}

#[test]
fn keys_go_in_and_filtered_output_comes_out() {
    let mut scene = scene();
    make_raw(&OwnedFd::from(scene.inside.try_clone().unwrap()));
    scene.screen.write_all(b"ls\x03\r").unwrap();
    scene.inside.write_all(b"\x1b]0;title\x07ok\x1b[6n\n").unwrap();
    let keys = reader(scene.inside.try_clone().unwrap(), 4);
    let output = reader(scene.screen.try_clone().unwrap(), 7);
    turn(&mut scene.relay, |_| keys.is_finished() && output.is_finished());
    assert_eq!(keys.join().unwrap(), b"ls\x03\r");
    assert_eq!(output.join().unwrap(), b"ok\x1b[6n\n");
}

#[test]
fn the_inside_starts_with_the_modes_and_size_of_the_users_terminal() {
    let (_screen, terminal) = pty();
    let mut modes = tcgetattr(&terminal).unwrap();
    modes.local_modes.remove(rustix::termios::LocalModes::ECHOK);
    modes.special_codes[rustix::termios::SpecialCodeIndex::VERASE] = 8;
    tcsetattr(&terminal, OptionalActions::Now, &modes).unwrap();
    let size = Winsize { ws_row: 33, ws_col: 111, ws_xpixel: 5, ws_ypixel: 6 };
    tcsetwinsize(&terminal, size).unwrap();
    let (master, slave) = pty();
    let relay = Relay::start(Outer::at(terminal.as_fd(), terminal.as_fd(), true).unwrap(), master).unwrap();
    assert_eq!(format!("{:?}", tcgetattr(&slave).unwrap()), format!("{modes:?}"));
    assert_eq!(tcgetwinsize(&slave).unwrap(), size);
    let larger = Winsize { ws_row: 50, ..size };
    tcsetwinsize(&terminal, larger).unwrap();
    relay.on_resize().unwrap();
    assert_eq!(tcgetwinsize(&slave).unwrap(), larger);
}

#[test]
fn the_users_terminal_is_put_back_exactly() {
    let (_screen, terminal) = pty();
    let before = format!("{:?}", tcgetattr(&terminal).unwrap());
    let flags = rustix::fs::fcntl_getfl(&terminal).unwrap();
    let start = || {
        let (master, slave) = pty();
        let outer = Outer::at(terminal.as_fd(), terminal.as_fd(), true).unwrap();
        let relay = Relay::start(outer, master).unwrap();
        assert_ne!(format!("{:?}", tcgetattr(&terminal).unwrap()), before);
        (relay, slave)
    };
    let (relay, slave) = start();
    drop(relay);
    drop(slave);
    assert_eq!(format!("{:?}", tcgetattr(&terminal).unwrap()), before, "dropped");
    let (relay, slave) = start();
    drop(slave);
    relay.finish(Duration::from_secs(5)).unwrap();
    assert_eq!(format!("{:?}", tcgetattr(&terminal).unwrap()), before, "finished");
    assert_eq!(rustix::fs::fcntl_getfl(&terminal).unwrap(), flags);
    assert!(!flags.contains(OFlags::NONBLOCK));
}

#[test]
fn answers_that_nobody_has_read_are_thrown_away() {
    let mut scene = scene();
    scene.screen.write_all(b"\x1b[24;80R").unwrap();
    drop(scene.inside);
    scene.relay.finish(Duration::from_secs(5)).unwrap();
    let mut modes = tcgetattr(&scene.terminal).unwrap();
    modes.make_raw();
    tcsetattr(&scene.terminal, OptionalActions::Now, &modes).unwrap();
    rustix::io::ioctl_fionbio(&scene.terminal, true).unwrap();
    let mut bytes = [0; 64];
    assert_eq!(rustix::io::read(&scene.terminal, &mut bytes), Err(Errno::AGAIN));
}

#[test]
fn without_a_keyboard_the_modes_stay_and_nothing_is_asked() {
    let mut scene = scene_with(false);
    assert!(!scene.relay.outer.is_raw());
    assert_eq!(scene.relay.tick(), None);
    scene.inside.write_all(b"\x1b[6n\x1b[?1000hx\n").unwrap();
    let output = reader(scene.screen.try_clone().unwrap(), 3);
    turn(&mut scene.relay, |_| output.is_finished());
    assert_eq!(output.join().unwrap(), b"x\r\n");
}

#[test]
fn much_output_arrives_whole_and_in_order_before_the_end() {
    let mut scene = scene();
    make_raw(&OwnedFd::from(scene.inside.try_clone().unwrap()));
    let text = pattern(1 << 20);
    let mut inside = scene.inside;
    let written = text.clone();
    let writer = thread::spawn(move || inside.write_all(&written).unwrap());
    let output = reader(scene.screen.try_clone().unwrap(), text.len());
    // The last part is still in the pseudo-terminal when the inside ends.
    turn(&mut scene.relay, |_| writer.is_finished());
    writer.join().unwrap();
    scene.relay.finish(Duration::from_secs(20)).unwrap();
    assert!(output.join().unwrap() == text);
}

#[test]
fn a_terminal_that_takes_nothing_holds_up_the_writer_and_nothing_else() {
    let mut scene = scene();
    make_raw(&OwnedFd::from(scene.inside.try_clone().unwrap()));
    let mut inside = scene.inside.try_clone().unwrap();
    let text = pattern(600_000);
    let written = text.clone();
    let writer = thread::spawn(move || inside.write_all(&written).unwrap());
    turn(&mut scene.relay, |relay| relay.to_outer.room() < ROOM_FOR_CHUNK);
    assert!(!writer.is_finished());
    assert!(scene.relay.to_outer.waiting().len() <= CAPACITY);
    // The inside is not asked any more, so that the loop sleeps.
    assert_eq!(scene.relay.interest(), (PollFlags::empty(), PollFlags::IN, PollFlags::OUT));
    // Keys still pass.
    scene.screen.write_all(b"q").unwrap();
    let key = reader(scene.inside.try_clone().unwrap(), 1);
    turn(&mut scene.relay, |_| key.is_finished());
    assert_eq!(key.join().unwrap(), b"q");
    // It is given up at the end.
    let output = reader(scene.screen.try_clone().unwrap(), text.len());
    turn(&mut scene.relay, |_| output.is_finished());
    writer.join().unwrap();
    assert!(output.join().unwrap() == text);
    scene.inside.write_all(&pattern(3000)).unwrap();
    drop(scene.inside);
    scene.relay.finish(Duration::from_millis(50)).unwrap();
}

#[test]
fn a_program_that_reads_nothing_gets_every_key_later() {
    let mut scene = scene();
    make_raw(&OwnedFd::from(scene.inside.try_clone().unwrap()));
    let text = pattern(400_000);
    let mut screen = scene.screen.try_clone().unwrap();
    let written = text.clone();
    let writer = thread::spawn(move || screen.write_all(&written).unwrap());
    turn(&mut scene.relay, |relay| relay.to_inside.room() < CHUNK);
    assert!(!writer.is_finished());
    assert!(scene.relay.to_inside.waiting().len() <= CAPACITY);
    assert_eq!(scene.relay.interest().1, PollFlags::empty());
    let keys = reader(scene.inside.try_clone().unwrap(), text.len());
    turn(&mut scene.relay, |_| keys.is_finished());
    writer.join().unwrap();
    assert!(keys.join().unwrap() == text);
}

#[test]
fn a_pseudo_terminal_that_all_have_closed_may_be_opened_again() {
    let mut scene = scene();
    let name = rustix::termios::ttyname(&scene.inside, Vec::new()).unwrap();
    drop(scene.inside);
    turn(&mut scene.relay, |relay| relay.hung_up);
    assert_eq!(scene.relay.tick(), Some(REOPEN_TICK));
    let again = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, rustix::fs::Mode::empty());
    let mut again = File::from(again.unwrap());
    again.write_all(b"back").unwrap();
    let output = reader(scene.screen.try_clone().unwrap(), 4);
    turn(&mut scene.relay, |_| output.is_finished());
    assert_eq!(output.join().unwrap(), b"back");
}

#[test]
fn a_lost_terminal_is_noticed_and_does_not_hold_up_the_inside() {
    let mut scene = scene();
    drop(scene.screen);
    turn(&mut scene.relay, Relay::outer_is_gone);
    make_raw(&OwnedFd::from(scene.inside.try_clone().unwrap()));
    let mut inside = scene.inside.try_clone().unwrap();
    let writer = thread::spawn(move || inside.write_all(&pattern(300_000)).unwrap());
    turn(&mut scene.relay, |_| writer.is_finished());
    writer.join().unwrap();
    drop(scene.inside);
    scene.relay.finish(Duration::from_secs(5)).unwrap();
}

#[test]
fn what_the_inside_has_left_on_is_switched_off() {
    let mut scene = scene();
    scene.inside.write_all(b"\x1b[?1000h\x1b[?25l").unwrap();
    drop(scene.inside);
    let expected = b"\x1b[?1000h\x1b[?25l\x1b[?1000l\x1b[?25h";
    let output = reader(scene.screen.try_clone().unwrap(), expected.len());
    scene.relay.finish(Duration::from_secs(5)).unwrap();
    assert_eq!(output.join().unwrap(), expected);
}
