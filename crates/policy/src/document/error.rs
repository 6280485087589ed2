//! What is wrong with a document.

use std::fmt;

use crate::origin::Origin;

/// A document that is not understood, and so refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    /// Everything that is wrong, in the order of the lines; never empty.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub origin: Origin,
    /// What, and the way out. Hostile text in it is escaped.
    pub text: String,
}

/// A hostile document can have as many problems as it has lines; nobody reads more than these.
const MOST_SHOWN: usize = 20;

impl DocumentError {
    /// An error with one problem.
    pub(crate) fn one(origin: Origin, text: impl Into<String>) -> DocumentError {
        DocumentError { problems: vec![Problem { origin, text: text.into() }] }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.text)
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.problems.iter().take(MOST_SHOWN).enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        match self.problems.len().checked_sub(MOST_SHOWN) {
            Some(more) if more > 0 => write!(f, "\nand {more} more"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for DocumentError {}
