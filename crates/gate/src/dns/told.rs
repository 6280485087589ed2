//! Which names were told already: programs ask for the same one again and again, and a person wants to hear it once.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// Most names that are remembered. After that nothing new is told of names that are looked up, but one last line.
const MOST: usize = 4_096;

/// The names that were told in this run.
///
/// Fingerprints are kept, not names, because a hostile inside chooses the names: a name needs eight bytes. That two names
/// meet in one fingerprint is as good as impossible, and would cost one line of the report.
#[derive(Debug, Default)]
pub(crate) struct Told {
    hasher: RandomState,
    seen: HashSet<u64>,
    full: bool,
}

/// Is a name to be told?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tell {
    /// For the first time.
    Yes,
    /// No: it was told, or too many were.
    No,
    /// It is one too many: say that from now on names are not told.
    Last,
}

impl Told {
    /// Takes note of a name in the way that it is told.
    pub(crate) fn first(&mut self, name: &str) -> Tell {
        let mark = self.hasher.hash_one(name);
        if self.seen.contains(&mark) || self.full {
            return Tell::No;
        }
        if self.seen.len() >= MOST {
            self.full = true;
            return Tell::Last;
        }
        self.seen.insert(mark);
        Tell::Yes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_told_once_and_not_without_end() {
        let mut told = Told::default();
        assert_eq!((told.first("a"), told.first("a"), told.first("b")), (Tell::Yes, Tell::No, Tell::Yes));
        for number in 2..MOST {
            assert_eq!(told.first(&number.to_string()), Tell::Yes);
        }
        assert_eq!((told.first("x"), told.first("y"), told.first("a")), (Tell::Last, Tell::No, Tell::No));
        assert_eq!(told.seen.len(), MOST);
    }
}
