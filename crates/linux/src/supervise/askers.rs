//! Telling the gate which program connects.
//!
//! ```text
//!  gate ── whose is 198.18.0.2:40000 → 198.19.0.1:443? ──► supervisor ── sock_diag, in the inside's net namespace ──► inode
//!       ◄─ /usr/bin/curl ─────────────────────────────────            ── links in /proc/PID/fd of the enclosure ───► process
//! ```
//!
//! The gate cannot look itself: it is in no namespace of the inside, sees no `/proc`, and may look into no process. The
//! supervisor may, also an ordinary user's: whoever owns a user namespace has every capability over what runs in it
//! (user_namespaces(7)), so that ptrace(2)'s check for reading lets it through. What it cannot see, unless it is root's, are the
//! descriptors of a process that has made itself undumpable, or was started from a file that it may not read: their directory
//! belongs to root (proc(5)).
//!
//! The supervisor's main work is the watch over names, so this is done in slices of a fraction of a millisecond, each after a look at
//! everything else, and only so many in a second. What it finds is the best that can be had, not the truth: a socket can be handed
//! on, and a program can call itself anything.

mod search;

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::io::Errno;

use crate::enter::outlet::DEVICE;
use crate::gate::{Askers as GateSide, Connection, Question, answer};
use crate::sys::sockdiag::SockDiag;
use search::{Search, Step};

/// Questions that wait. Further ones wait in the line, and when that is full, the gate puts none.
const MOST_WAITING: usize = 64;

/// Looks in one slice, which may take half as many more; one takes two or three microseconds (measured).
const SLICE: usize = 128;

/// Looks in a second, on average, and how many may be saved up: an inside that makes itself hard to search costs a tenth of a
/// processor, and the names of its programs.
const RATE: f64 = 40_000.0;
const MOST_SAVED: f64 = 40_000.0;

/// What every question costs beside its looks, in looks.
const QUESTION: usize = 8;

/// How many processes that have connected are remembered, to be looked at first.
const MOST_LIKELY: usize = 8;

/// What can be seen of the inside.
struct View {
    /// The enclosure's `/proc`.
    processes: OwnedFd,
    sockets: SockDiag,
}

/// Answers the gate.
pub(super) struct Askers {
    line: OwnedFd,
    view: Option<View>,
    waiting: VecDeque<Question>,
    /// The search for the asker of a question.
    search: Option<(u32, Search)>,
    /// Processes that have connected, the last one first. Whether it is them again is seen anew each time.
    likely: VecDeque<u32>,
    allowance: f64,
    refilled: Instant,
    is_over: bool,
}

impl Askers {
    /// With the end of the line that is the gate's.
    pub(super) fn new() -> Result<(Askers, GateSide), Errno> {
        let (gate, line) = GateSide::pair()?;
        let askers = Askers {
            line,
            view: None,
            waiting: VecDeque::new(),
            search: None,
            likely: VecDeque::new(),
            allowance: MOST_SAVED,
            refilled: Instant::now(),
            is_over: false,
        };
        Ok((askers, gate))
    }

    /// With what the init has opened: its `/proc`, and the line about its sockets.
    pub(super) fn see(&mut self, mut opened: Vec<OwnedFd>) {
        if let (Some(sockets), Some(processes), None) = (opened.pop(), opened.pop(), opened.pop()) {
            self.view = Some(View { processes, sockets: SockDiag::from_descriptor(sockets) });
        }
    }

    /// What to wait for.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        (!self.is_over && self.waiting.len() < MOST_WAITING).then(|| self.line.as_fd())
    }

    /// Whether there is something to do without waiting.
    pub(super) fn is_busy(&self) -> bool {
        self.search.is_some() || !self.waiting.is_empty()
    }

    /// Takes questions, and does a slice of the work.
    pub(super) fn work(&mut self) {
        while !self.is_over && self.waiting.len() < MOST_WAITING {
            match Question::receive(&self.line) {
                Ok(question) => self.waiting.push_back(question),
                Err(Errno::AGAIN) => break,
                Err(_gone) => self.is_over = true,
            }
        }
        self.refill(Instant::now());
        let mut looks = 0;
        while looks < SLICE && self.is_busy() {
            self.step(&mut looks);
        }
        self.allowance -= looks as f64;
    }

    fn refill(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.allowance = (self.allowance + since * RATE).min(MOST_SAVED);
        self.refilled = now;
    }

    fn step(&mut self, looks: &mut usize) {
        let Some((number, mut search)) = self.search.take().or_else(|| self.begin(looks)) else { return };
        let Some(view) = self.view.as_ref().filter(|_| self.allowance > *looks as f64) else {
            return answer(&self.line, number, b"");
        };
        match search.step(&view.processes, looks) {
            Step::More => self.search = Some((number, search)),
            Step::Nobody => answer(&self.line, number, b""),
            Step::Found(process, program) => {
                answer(&self.line, number, &program);
                self.likely.retain(|other| *other != process);
                self.likely.push_front(process);
                self.likely.truncate(MOST_LIKELY);
            }
        }
    }

    /// Begins with the next question, if it can be answered at all.
    fn begin(&mut self, looks: &mut usize) -> Option<(u32, Search)> {
        let Question { number, connection } = self.waiting.pop_front()?;
        *looks += QUESTION;
        match self.view.as_ref().map(|view| inode(&view.sockets, &connection)) {
            // Zero: nobody holds it any more.
            Some(Ok(inode)) if inode > 0 => Some((number, Search::new(inode, self.likely.iter().copied()))),
            _ => {
                answer(&self.line, number, b"");
                None
            }
        }
    }
}

fn inode(sockets: &SockDiag, connection: &Connection) -> Result<u32, Errno> {
    // A socket that is bound to the device is found by it only; every other one as well.
    sockets.inode(connection.transport, connection.inside, connection.asked, DEVICE)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
