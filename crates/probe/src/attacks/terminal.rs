//! The caller's terminal: what is typed into it runs with the user's rights as soon as the run is over.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};

use bailiwick_policy::guarantee::Guarantee::TerminalSafe;

use crate::attack::{Attack, Proof, Stdio};
use crate::outcome::{Outcome, error_name};
use crate::stage::Stage;
use crate::sys::terminal;

/// What the harness looks for on the controlling terminal.
pub(crate) const SCRAWL: &[u8] = b"bailiwick-scrawl";

const fn types(name: &'static str, summary: &'static str, run: fn(&Stage) -> Outcome) -> Attack {
    Attack::new(name, TerminalSafe, Proof::TerminalInput, summary, run)
        .stdio(Stdio::Terminal)
        .unless("a kernel with dev.tty.legacy_tiocsti=1, or root")
}

const fn shows(name: &'static str, needle: &'static [u8], summary: &'static str, run: fn(&Stage) -> Outcome) -> Attack {
    Attack::new(name, TerminalSafe, Proof::TerminalOutput(needle), summary, run).stdio(Stdio::Terminal)
}

fn device(path: &str) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// Types the marker as a line.
fn type_line(stage: &Stage, path: &str, high: bool) -> io::Result<()> {
    let terminal = device(path)?;
    stage.mark().iter().chain(b"\n").try_for_each(|byte| terminal::type_byte(&terminal, *byte, high))
}

/// A device that is no terminal answers ENOTTY, a filter EPERM.
fn refused_by_filter(attempt: io::Result<()>) -> Outcome {
    match attempt {
        Err(error) if matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES | libc::ENOSYS)) => {
            Outcome::held(error_name(&error))
        }
        Err(error) => Outcome::breached(format!("the kernel answered {}", error_name(&error))),
        Ok(()) => Outcome::breached("the kernel obeyed"),
    }
}

fn print(bytes: &[u8]) -> Outcome {
    let mut out = io::stdout().lock();
    Outcome::of("stdout", out.write_all(bytes).and_then(|()| out.flush()))
}

const fn filters(name: &'static str, summary: &'static str, run: fn(&Stage) -> Outcome) -> Attack {
    Attack::new(name, TerminalSafe, Proof::Answer, summary, run)
}

pub(super) const ATTACKS: &[Attack] = &[
    types("type-stdin", "TIOCSTI on stdin types a command for the shell to run later (CVE-2017-5226)", |s| {
        Outcome::of("TIOCSTI", type_line(s, "/proc/self/fd/0", false))
    }),
    types("type-stdin-high", "TIOCSTI with high bits set, past a 64-bit comparison (CVE-2019-10063)", |s| {
        Outcome::of("TIOCSTI", type_line(s, "/proc/self/fd/0", true))
    }),
    types("type-controlling", "TIOCSTI on /dev/tty", |s| Outcome::of("TIOCSTI", type_line(s, "/dev/tty", false))),
    types("type-controlling-detached", "TIOCSTI on /dev/tty although the standard streams are files", |s| {
        Outcome::of("TIOCSTI", type_line(s, "/dev/tty", false))
    })
    .stdio(Stdio::ControllingTerminal),
    filters("ioctl-tiocsti", "the filter refuses TIOCSTI on any device", |_| {
        refused_by_filter(device("/dev/null").and_then(|null| terminal::type_byte(&null, b'x', false)))
    }),
    filters("ioctl-tiocsti-high", "the filter refuses TIOCSTI with high bits set (CVE-2019-10063)", |_| {
        refused_by_filter(device("/dev/null").and_then(|null| terminal::type_byte(&null, b'x', true)))
    }),
    filters("ioctl-tioclinux", "the filter refuses TIOCLINUX, which pastes on a console (CVE-2023-28339)", |_| {
        refused_by_filter(device("/dev/null").and_then(|null| terminal::console_call(&null, false)))
    }),
    filters("ioctl-tioclinux-high", "the filter refuses TIOCLINUX with high bits set", |_| {
        refused_by_filter(device("/dev/null").and_then(|null| terminal::console_call(&null, true)))
    }),
    shows(
        "scrawl-controlling",
        SCRAWL,
        "write to the caller's terminal although the standard streams are files",
        |_| Outcome::of("/dev/tty", device("/dev/tty").and_then(|mut terminal| terminal.write_all(SCRAWL))),
    )
    .stdio(Stdio::ControllingTerminal),
    shows("set-clipboard", b"\x1b]52;", "OSC 52 puts a command on the clipboard of the person", |_| {
        print(b"\x1b]52;c;ZWNobyBoYWNrZWQ=\x07")
    }),
    shows("set-title", b"\x1b]0;", "OSC 0 sets the window title", |_| print(b"\x1b]0;hacked\x07")),
    shows("report-title", b"\x1b[21t", "CSI 21 t makes terminals type their title (CVE-2003-0063)", |_| {
        print(b"\x1b[21t")
    }),
];
