//! One bound for the memory that clients can make the gate hold.
//!
//! Every connection may need some bytes of its own (the start of a handshake, a request's head, what a slow reader has not taken yet). Each of them
//! is small; thousands of them are not. They are all taken from one budget, and when it is empty the next one is turned away.

use std::cell::Cell;
use std::rc::Rc;

/// Bytes that may still be held.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Cell<usize>,
}

impl Budget {
    /// A budget of this many bytes.
    pub(crate) fn new(bytes: usize) -> Rc<Budget> {
        Rc::new(Budget { left: Cell::new(bytes) })
    }

    /// Bytes that are left.
    pub(crate) fn left(&self) -> usize {
        self.left.get()
    }

    /// Takes bytes, to be given back when the result is dropped; none if they are not there.
    pub(crate) fn take(self: &Rc<Self>, bytes: usize) -> Option<Held> {
        let left = self.left.get().checked_sub(bytes)?;
        self.left.set(left);
        Some(Held { budget: self.clone(), bytes })
    }

    /// Takes as much as is there, and counts the rest as taken too: for bytes that are held already.
    pub(crate) fn take_held(self: &Rc<Self>, bytes: usize) -> Held {
        let bytes = bytes.min(self.left.get());
        self.left.set(self.left.get().saturating_sub(bytes));
        Held { budget: self.clone(), bytes }
    }
}

/// Bytes taken from a budget.
#[derive(Debug)]
pub(crate) struct Held {
    budget: Rc<Budget>,
    bytes: usize,
}

impl Held {
    /// Takes more; `false`, and nothing taken, if they are not there.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let Some(left) = self.budget.left.get().checked_sub(bytes) else { return false };
        self.budget.left.set(left);
        self.bytes = self.bytes.saturating_add(bytes);
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.left.set(self.budget.left.get().saturating_add(self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_comes_back_and_no_more_than_there_is_can_be_taken() {
        let budget = Budget::new(100);
        let mut held = budget.take(60).unwrap();
        assert!(budget.take(41).is_none());
        assert!(held.grow(40) && !held.grow(1));
        assert_eq!(budget.left(), 0);
        let more = budget.take_held(5);
        drop(more);
        assert_eq!(budget.left(), 0);
        drop(held);
        assert_eq!(budget.left(), 100);
    }
}
