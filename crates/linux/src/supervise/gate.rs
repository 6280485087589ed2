//! The gate's process, as the supervisor sees it.
//!
//! It is forked when the inside's sockets have come, which is after the init was started, and it is told about its end by the
//! end of the line between the two. What it tells may hold text of the inside: it is passed on as it is.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use bailiwick_policy::text;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, Shutdown, SocketFlags, SocketType, recv, shutdown, socketpair};
use rustix::process::{Pid, Signal, WaitOptions, getpid, pidfd_send_signal, waitpid};

use super::gate_process::{self, Start};
use crate::api::Event;
use crate::gate::{Askers, Gatekeeper, LONGEST_RECORD, Line, Outlet, kind};
use crate::landlock::Lock;
use crate::sys::clone::{Side, fork_whole};

/// How long the gate may take to begin, and how long to end.
const TO_BEGIN: Duration = Duration::from_secs(10);
const TO_END: Duration = Duration::from_millis(500);

/// Records that are taken before the others get their turn.
const AT_ONCE: usize = 64;

/// What is needed to start the gate.
pub(crate) struct Gating {
    pub(crate) gatekeeper: Box<dyn Gatekeeper>,
    /// What the init opens a listener for, in this order.
    pub(crate) ports: Vec<u16>,
    /// What the gate may open.
    pub(crate) lock: Lock,
}

/// What has come of the gate.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It serves.
    Ready,
    /// It has ended: what it said of that, escaped for printing, if it said anything.
    Ended(Option<String>),
}

/// The running gate. Dropped, it is killed and waited for.
pub(super) struct Gate {
    process: Pid,
    pidfd: OwnedFd,
    line: OwnedFd,
    state: State,
    /// The other end of the line is closed: what is left are records that came before.
    hung_up: bool,
    /// It has told everything, and what it has left to do is to die.
    is_done: bool,
    /// Somebody else collects it.
    is_collected: bool,
    buffer: Vec<u8>,
    /// What it said of its end.
    said: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Until then it must be ready.
    Beginning(Instant),
    Serving,
    Ended,
}

impl Gate {
    /// Forks it. This process must have one thread.
    pub(super) fn start(
        gating: Gating,
        sockets: Vec<OwnedFd>,
        sees_packets: bool,
        askers: Option<Askers>,
    ) -> Result<Gate, Errno> {
        let outlet = Outlet::new(&gating.ports, sees_packets, sockets).ok_or(Errno::PROTO)?;
        let outlet = Outlet { askers, ..outlet };
        let (line, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        let supervisor = getpid();
        // SAFETY: this process has one thread (`run`'s contract), so no lock is held by another.
        match unsafe { fork_whole() }? {
            Side::Child => gate_process::live(Start {
                gatekeeper: gating.gatekeeper,
                outlet,
                line: Line::new(theirs),
                lock: &gating.lock,
                supervisor,
            }),
            Side::Parent { child, pidfd } => Ok(Gate {
                process: child,
                pidfd,
                line,
                state: State::Beginning(Instant::now() + TO_BEGIN),
                hung_up: false,
                is_done: false,
                is_collected: false,
                buffer: vec![0; LONGEST_RECORD + 1],
                said: None,
            }),
        }
    }

    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        (self.state != State::Ended).then(|| self.line.as_fd())
    }

    /// Whether the command may start.
    pub(super) fn is_ready(&self) -> bool {
        !matches!(self.state, State::Beginning(_))
    }

    /// When to look at [`Gate::is_late`].
    pub(super) fn tick(&self) -> Option<Duration> {
        match self.state {
            State::Beginning(until) => Some(until.saturating_duration_since(Instant::now())),
            State::Serving | State::Ended => None,
        }
    }

    /// Whether it should have begun.
    pub(super) fn is_late(&self) -> bool {
        self.tick() == Some(Duration::ZERO)
    }

    /// Takes what it has told.
    pub(super) fn on_ready(&mut self, tell: &mut dyn FnMut(Event)) -> Option<News> {
        for _ in 0..AT_ONCE {
            if self.state == State::Ended {
                return None;
            }
            // One more byte than the buffer has makes the record too long.
            let received = match recv(&self.line, self.buffer.as_mut_slice(), RecvFlags::DONTWAIT | RecvFlags::TRUNC) {
                Ok((_, received)) => received,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return None,
                Err(_) => 0,
            };
            // No record is empty: this is the end.
            let Some((kind, record)) = self.buffer.get(..received).and_then(<[u8]>::split_first) else {
                if received > 0 {
                    // Too long, which only a gate that is no gate any more sends.
                    continue;
                }
                if !self.hung_up {
                    // The kernel looks for a record first and then whether the other end is closed, and meanwhile the last
                    // one may have come (net/unix/af_unix.c, unix_dgram_recvmsg). None comes after this.
                    self.hung_up = true;
                    continue;
                }
                self.state = State::Ended;
                return Some(News::Ended(self.said.take()));
            };
            match *kind {
                kind::READY if !self.is_ready() => {
                    self.state = State::Serving;
                    return Some(News::Ready);
                }
                kind::EVENT => tell(Event::Network { record: record.to_vec() }),
                kind::DONE => {
                    self.state = State::Ended;
                    self.is_done = true;
                    return Some(News::Ended(None));
                }
                kind::FAILED => self.said = Some(text::escape(OsStr::from_bytes(record))),
                _ => {}
            }
        }
        None
    }

    /// Tells the gate to end. It goes on telling until it has.
    pub(super) fn ask_to_end(&self) {
        let _ = shutdown(&self.line, Shutdown::Write);
    }

    /// Hears the last words of a gate that was asked to end. One that is done is waited for only where nobody else would collect
    /// it.
    pub(super) fn end(mut self, orphans_are_collected: bool, tell: &mut dyn FnMut(Event)) {
        self.hear(tell);
        self.is_collected = self.is_done && orphans_are_collected;
    }

    /// Hears what comes until the end, for a while.
    fn hear(&mut self, tell: &mut dyn FnMut(Event)) {
        let until = Instant::now() + TO_END;
        while self.state != State::Ended {
            let left = until.saturating_duration_since(Instant::now());
            let Some(timeout) = Timespec::try_from(left).ok().filter(|_| !left.is_zero()) else { return };
            match poll(&mut [PollFd::new(&self.line, PollFlags::IN)], Some(&timeout)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return,
            }
            if let Some(News::Ended(Some(why))) = self.on_ready(tell) {
                tell(Event::NetworkLost { why });
            }
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        if self.is_collected {
            return;
        }
        while let Err(Errno::INTR) = waitpid(Some(self.process), WaitOptions::empty()) {}
    }
}
