//! Pipes for tunnels with bytes under way, and what is used where there are none left.

use std::cell::{Cell, RefCell};
use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::pipe::{PipeFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with};

use crate::budget::{Budget, Held};

/// Bytes moved at once: what a pipe takes as it is made, and what a socket takes that says it can be written to.
pub(super) const PIPE_SIZE: usize = 64 << 10;

/// Bytes moved at once where there is more than that to move: fewer calls, and fewer times that either end is woken for a little.
/// More than this leaves the processor's caches between the reading and the writing, and is slower again (*measured*).
const WIDE: usize = 256 << 10;

/// A pipe that was given so many bytes at once may have been full: it takes sixteen pieces, and those that come from an Ethernet have
/// 1,448 bytes.
const NEARLY_FULL: usize = 16 << 10;

/// Wide pipes at one time. A user's pipes hold 16,384 pages together before new ones are made small (`pipe-user-pages-soft`, see
/// pipe(7)); these take an eighth of them.
const MOST_WIDE: usize = 32;

/// A pipe that takes less is not worth using. (Once a user's pipes hold `pipe-user-pages-soft` pages, new ones get two pages; see pipe(7).)
const LEAST: usize = 32 << 10;

/// Pipes at one time, kept or in use. Each may hold [`PIPE_SIZE`] bytes of the kernel's memory, or [`WIDE`] of them.
const MOST: usize = 192;

/// Pipes that are kept for the next tunnel.
const KEPT: usize = 8;

/// Bytes copied at once where there is no pipe.
const CHUNK: usize = 64 << 10;

/// Bytes copied at once where readers that stopped hold much already.
const SMALL_CHUNK: usize = 2 << 10;

/// The pool of pipes, and the buffer that all tunnels without a pipe share.
pub(crate) struct Pipes {
    kept: RefCell<Vec<Pipe>>,
    number: Cell<usize>,
    wide: Cell<usize>,
    /// Never held over a wait, so one is enough.
    scratch: RefCell<Vec<u8>>,
    budget: Rc<Budget>,
}

/// An empty pipe, or one with bytes under way.
pub(super) struct Pipe {
    /// The end to read from.
    pub(super) reader: OwnedFd,
    /// The end to write to.
    pub(super) writer: OwnedFd,
    /// Bytes that it takes.
    pub(super) size: usize,
}

/// Bytes that were copied and could not be written yet.
pub(super) struct Remainder {
    bytes: Box<[u8]>,
    done: usize,
    _held: Held,
}

impl Remainder {
    /// What is left to write.
    pub(super) fn left(&self) -> &[u8] {
        self.bytes.get(self.done..).unwrap_or_default()
    }

    /// `number` bytes were written.
    pub(super) fn advance(&mut self, number: usize) {
        self.done = self.done.saturating_add(number).min(self.bytes.len());
    }
}

impl Pipes {
    /// An empty pool; remainders are taken from `budget`.
    pub(crate) fn new(budget: Rc<Budget>) -> Pipes {
        Pipes {
            kept: RefCell::default(),
            number: Cell::new(0),
            wide: Cell::new(0),
            scratch: RefCell::default(),
            budget,
        }
    }

    /// A pool that has none to give.
    #[cfg(test)]
    pub(super) fn without_pipes(budget: Rc<Budget>) -> Pipes {
        let pipes = Pipes::new(budget);
        pipes.number.set(MOST);
        pipes
    }

    /// An empty pipe; none if there are as many as there may be, or the system gives none of use.
    pub(super) fn take(&self) -> Option<Pipe> {
        if let Some(pipe) = self.kept.borrow_mut().pop() {
            return Some(pipe);
        }
        if self.number.get() >= MOST {
            return None;
        }
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).ok()?;
        if fcntl_getpipe_size(&writer).ok()? < LEAST {
            return None;
        }
        self.number.set(self.number.get() + 1);
        Some(Pipe { reader, writer, size: PIPE_SIZE })
    }

    /// Makes a pipe wide that was given so many bytes at once, if there may be more where they came from, and not too many are wide.
    pub(super) fn widen(&self, pipe: &mut Pipe, filled: usize) {
        if filled < NEARLY_FULL || pipe.size >= WIDE || self.wide.get() >= MOST_WIDE {
            return;
        }
        // What the user's other pipes hold may be too much for it; then it stays as it is, and is asked again when it is full again.
        if fcntl_setpipe_size(&pipe.writer, WIDE).is_ok() {
            pipe.size = WIDE;
            self.wide.set(self.wide.get() + 1);
        }
    }

    /// Gives an empty pipe back.
    pub(super) fn put(&self, pipe: Pipe) {
        let mut kept = self.kept.borrow_mut();
        if kept.len() < KEPT {
            kept.push(pipe);
        } else {
            self.discard(pipe);
        }
    }

    /// Closes a pipe that was taken and may hold bytes.
    pub(super) fn discard(&self, pipe: Pipe) {
        if pipe.size >= WIDE {
            self.wide.set(self.wide.get().saturating_sub(1));
        }
        drop(pipe);
        self.number.set(self.number.get().saturating_sub(1));
    }

    /// Lends the shared buffer. What `use_it` could not write it gives back as the number of bytes read and the number
    /// written; the rest is kept for later.
    pub(super) fn copy<E>(
        &self,
        use_it: impl FnOnce(&mut [u8]) -> Result<(usize, usize), E>,
    ) -> Result<(usize, Option<Remainder>), E> {
        let mut scratch = self.scratch.borrow_mut();
        scratch.resize(CHUNK, 0);
        let chunk = if self.budget.left() > 8 * CHUNK { CHUNK } else { SMALL_CHUNK };
        let buffer = scratch.get_mut(..chunk).unwrap_or_default();
        let (read, written) = use_it(buffer)?;
        let rest = buffer.get(written..read).unwrap_or_default();
        if rest.is_empty() {
            return Ok((read, None));
        }
        // A small chunk is kept even when the budget is empty: the number of connections bounds it.
        let held = self.budget.take_held(rest.len());
        Ok((read, Some(Remainder { bytes: rest.into(), done: 0, _held: held })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_that_was_full_becomes_wide_and_only_so_many_are() {
        let pipes = Pipes::new(Budget::new(1 << 20));
        let mut taken: Vec<Pipe> = (0..=MOST_WIDE).filter_map(|_| pipes.take()).collect();
        assert_eq!(taken.len(), MOST_WIDE + 1);
        let [first, ..] = taken.as_mut_slice() else { panic!() };
        pipes.widen(first, NEARLY_FULL - 1);
        assert_eq!((first.size, pipes.wide.get()), (PIPE_SIZE, 0));
        for pipe in &mut taken {
            pipes.widen(pipe, NEARLY_FULL);
        }
        let wide = taken.iter().filter(|pipe| pipe.size == WIDE).count();
        assert_eq!(wide, pipes.wide.get());
        assert!(wide <= MOST_WIDE);
        for pipe in &taken {
            let size = fcntl_getpipe_size(&pipe.writer).unwrap();
            assert!(size >= pipe.size, "{size} of {}", pipe.size);
        }
        for pipe in taken {
            pipes.put(pipe);
        }
        // Those that are kept stay wide, and count.
        assert_eq!(pipes.wide.get(), pipes.kept.borrow().iter().filter(|pipe| pipe.size == WIDE).count());
        assert_eq!(pipes.number.get(), KEPT);
    }
}
