//! A terminal with a person at it: types, looks at the screen, resizes the window.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::done::{PATIENCE, wait};

/// A command on a pseudo-terminal of its own.
#[derive(Debug)]
pub(crate) struct Pty {
    what: String,
    child: Child,
    keyboard: File,
    screen: Arc<Screen>,
    seen: usize,
}

#[derive(Debug, Default)]
struct Screen {
    shown: Mutex<(Vec<u8>, bool)>,
    changed: Condvar,
}

impl Pty {
    /// Starts the command as the leader of a session whose terminal has this size.
    pub(crate) fn start(mut command: Command, rows: u16, columns: u16) -> Pty {
        let what = format!("{command:?}");
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pseudo-terminal");
        grantpt(&master).expect("grantpt");
        unlockpt(&master).expect("unlockpt");
        set_size(&master, rows, columns);
        let name = ptsname(&master, Vec::new()).expect("the terminal's name").into_string().expect("a plain name");
        let slave = || File::options().read(true).write(true).open(&name).expect("the terminal");
        command.stdin(slave()).stdout(slave()).stderr(slave());
        // SAFETY: the closure runs after fork in the child and makes two system calls, which allocate nothing and take no lock.
        unsafe {
            command.pre_exec(|| {
                rustix::process::setsid()?;
                let stdin = rustix::stdio::stdin();
                Ok(rustix::process::ioctl_tiocsctty(stdin)?)
            });
        }
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {what}: {error}"));
        // The command keeps copies of the terminal open here until it is dropped, and the screen would never end.
        drop(command);
        let screen = Arc::new(Screen::default());
        watch(File::from(master.try_clone().expect("a second handle")), Arc::clone(&screen));
        Pty { what, child, keyboard: File::from(master), screen, seen: 0 }
    }

    /// Types.
    pub(crate) fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("typing");
    }

    /// Waits until this text appears after everything that was waited for before; fails the test when it never does.
    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) -> String {
        let found = |shown: &[u8], seen: usize| {
            let at = shown[seen..].windows(text.len()).position(|part| part == text.as_bytes())?;
            Some(seen + at + text.len())
        };
        let mut shown = self.screen.shown.lock().expect("screen");
        let start = std::time::Instant::now();
        loop {
            if let Some(end) = found(&shown.0, self.seen) {
                let part = String::from_utf8_lossy(&shown.0[self.seen..end]).into_owned();
                self.seen = end;
                return part;
            }
            let hopeless = shown.1 || start.elapsed() > PATIENCE;
            assert!(!hopeless, "`{text}` never appeared: {}\n{}", self.what, String::from_utf8_lossy(&shown.0));
            shown = self.screen.changed.wait_timeout(shown, PATIENCE).expect("screen").0;
        }
    }

    /// Changes the size of the window.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        set_size(&self.keyboard, rows, columns);
    }

    /// The id of the command.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end of the command; gives how it ended and everything that the screen showed.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = wait(&mut self.child, &self.what);
        let mut shown = self.screen.shown.lock().expect("screen");
        while !shown.1 {
            let (next, late) = self.screen.changed.wait_timeout(shown, PATIENCE).expect("screen");
            assert!(!late.timed_out(), "something outlived {} and holds its terminal", self.what);
            shown = next;
        }
        let text = String::from_utf8_lossy(&shown.0).into_owned();
        drop(shown);
        (status, text)
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // A failed test leaves nothing running; after `end` the child is already gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn set_size(terminal: impl AsFd, rows: u16, columns: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).expect("window size");
}

/// Collects what the terminal shows. Linux answers EIO once the last holder of the other end is gone: that is the end.
fn watch(mut terminal: File, screen: Arc<Screen>) {
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        loop {
            let count = terminal.read(&mut chunk).unwrap_or(0);
            let mut shown = screen.shown.lock().expect("screen");
            shown.0.extend_from_slice(&chunk[..count]);
            shown.1 |= count == 0;
            screen.changed.notify_all();
            if count == 0 {
                return;
            }
        }
    });
}
