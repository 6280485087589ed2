//! Which descriptor the inside gets for each of its three, and whether the keyboard is relayed.
//!
//! No descriptor of the user's terminal ever goes inside: through it, the inside could type into the user's shell, read
//! its keyboard, or write without the filter.
//!
//! | stdin | stdout | stderr | inside 0 | inside 1 | inside 2 | keyboard |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | terminal | terminal | terminal | pty | pty | pty | relayed |
//! | terminal | terminal | other | pty | pty | as is | relayed |
//! | terminal | file | terminal | pty | as is | pty | relayed |
//! | terminal | pipe | terminal | empty | as is | pty | left alone |
//! | terminal | other | other | empty | as is | as is | left alone |
//! | other | terminal | terminal | as is | pty | pty | relayed |
//! | other | terminal | other | as is | pty | as is | relayed |
//! | other | other | terminal | as is | as is | pty | left alone |
//! | other | other | other | as is | as is | as is | left alone |
//!
//! The keyboard is relayed (and the terminal put into raw mode) only where standard output is the terminal, or standard
//! input and standard error are and standard output is not a pipe: in `bailiwick run -- cat f | less`, both programs would
//! fight over the keyboard, and `less` is the one that the user talks to. Where standard input is the terminal and the
//! keyboard is not relayed, the inside reads an empty input.

use rustix::fs::FileType;
use rustix::termios;
use std::os::fd::AsFd;

/// What one of bailiwick's own standard descriptors is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A terminal.
    Terminal,
    /// A pipe or a socket: somebody else reads what is written.
    Pipe,
    /// A file, a device that is no terminal, or closed.
    Other,
}

impl End {
    /// Looks at a descriptor. One that cannot be looked at is no terminal.
    pub fn of(descriptor: impl AsFd) -> End {
        if termios::isatty(&descriptor) {
            return End::Terminal;
        }
        match rustix::fs::fstat(&descriptor).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Ok(FileType::Fifo | FileType::Socket) => End::Pipe,
            _ => End::Other,
        }
    }
}

/// What the inside gets for one of its standard descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// bailiwick's own descriptor.
    Original,
    /// The slave of the inside's pseudo-terminal.
    Pty,
    /// An input that is at its end: `/dev/null`.
    Empty,
}

/// How the inside is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wiring {
    /// For standard input, output and error.
    pub inside: [Source; 3],
    /// Whether the keyboard is relayed to the inside, the user's terminal being in raw mode meanwhile.
    pub keyboard: bool,
    /// Which of bailiwick's own descriptors (1 or 2) leads to the terminal that the relayed output goes to; `None` where no
    /// pseudo-terminal is needed.
    pub output: Option<usize>,
}

impl Wiring {
    /// The table above.
    pub fn decide(stdin: End, stdout: End, stderr: End) -> Wiring {
        let is_terminal = |end| end == End::Terminal;
        let keyboard = is_terminal(stdout) || (is_terminal(stdin) && is_terminal(stderr) && stdout != End::Pipe);
        let output_of = |end| if is_terminal(end) { Source::Pty } else { Source::Original };
        let input = match (is_terminal(stdin), keyboard) {
            (false, _) => Source::Original,
            (true, true) => Source::Pty,
            (true, false) => Source::Empty,
        };
        let output = match (stdout, stderr) {
            (End::Terminal, _) => Some(1),
            (_, End::Terminal) => Some(2),
            _ => None,
        };
        Wiring { inside: [input, output_of(stdout), output_of(stderr)], keyboard, output }
    }

    /// The wiring for this process.
    pub fn of_this_process() -> Wiring {
        Wiring::decide(
            End::of(rustix::stdio::stdin()),
            End::of(rustix::stdio::stdout()),
            End::of(rustix::stdio::stderr()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::End::{Other, Pipe, Terminal};
    use super::Source::{Empty, Original, Pty};
    use super::*;

    #[test]
    fn the_table_in_the_documentation_is_what_is_decided() {
        let rows = [
            ([Terminal, Terminal, Terminal], [Pty, Pty, Pty], true, Some(1)),
            ([Terminal, Terminal, Other], [Pty, Pty, Original], true, Some(1)),
            ([Terminal, Terminal, Pipe], [Pty, Pty, Original], true, Some(1)),
            ([Terminal, Other, Terminal], [Pty, Original, Pty], true, Some(2)),
            ([Terminal, Pipe, Terminal], [Empty, Original, Pty], false, Some(2)),
            ([Terminal, Other, Other], [Empty, Original, Original], false, None),
            ([Terminal, Pipe, Pipe], [Empty, Original, Original], false, None),
            ([Other, Terminal, Terminal], [Original, Pty, Pty], true, Some(1)),
            ([Pipe, Terminal, Terminal], [Original, Pty, Pty], true, Some(1)),
            ([Pipe, Terminal, Other], [Original, Pty, Original], true, Some(1)),
            ([Other, Other, Terminal], [Original, Original, Pty], false, Some(2)),
            ([Pipe, Pipe, Terminal], [Original, Original, Pty], false, Some(2)),
            ([Other, Pipe, Other], [Original, Original, Original], false, None),
        ];
        for ([stdin, stdout, stderr], inside, keyboard, output) in rows {
            assert_eq!(
                Wiring::decide(stdin, stdout, stderr),
                Wiring { inside, keyboard, output },
                "{stdin:?} {stdout:?} {stderr:?}"
            );
        }
    }

    #[test]
    fn no_terminal_of_the_user_goes_inside() {
        let all = [Terminal, Pipe, Other];
        for stdin in all {
            for stdout in all {
                for stderr in all {
                    let wiring = Wiring::decide(stdin, stdout, stderr);
                    for (end, source) in [stdin, stdout, stderr].into_iter().zip(wiring.inside) {
                        assert_eq!(end == Terminal, source != Original, "{stdin:?} {stdout:?} {stderr:?}");
                    }
                    let needs_pty = wiring.inside.contains(&Pty);
                    assert_eq!(needs_pty, wiring.output.is_some(), "{stdin:?} {stdout:?} {stderr:?}");
                    assert!(!wiring.keyboard || needs_pty, "{stdin:?} {stdout:?} {stderr:?}");
                }
            }
        }
    }

    #[test]
    fn descriptors_are_told_apart() {
        let (pipe, _) = rustix::pipe::pipe().unwrap();
        assert_eq!(End::of(&pipe), Pipe);
        assert_eq!(End::of(std::fs::File::open("/dev/null").unwrap()), Other);
        let master = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY).unwrap();
        assert_eq!(End::of(&master), Terminal);
    }
}
