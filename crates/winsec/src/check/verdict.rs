//! The answer of an access check.

use std::fmt;

use crate::AccessMask;

/// The answer of the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Granted: exactly what was asked for, with generic rights mapped, or for `MAXIMUM_ALLOWED` everything that can be had.
    Granted(AccessMask),
    /// Refused, for certain.
    Denied,
    /// Something that the model does not know could have decided. Who promises anything must take this as the worse of the two.
    Unknown(Unknown),
}

impl Verdict {
    /// Whether access is granted for certain.
    pub const fn is_granted(self) -> bool {
        matches!(self, Verdict::Granted(_))
    }

    /// Whether access is refused for certain.
    pub const fn is_denied(self) -> bool {
        matches!(self, Verdict::Denied)
    }

    /// The rights granted for certain; none if refused or unknown.
    pub const fn granted(self) -> AccessMask {
        match self {
            Verdict::Granted(rights) => rights,
            Verdict::Denied | Verdict::Unknown(_) => AccessMask::NONE,
        }
    }

    /// This verdict and another, where both must grant: refusal outweighs not knowing. Granted rights are those of `self` and `other`.
    #[must_use]
    pub const fn and(self, other: Verdict) -> Verdict {
        match (self, other) {
            (Verdict::Denied, _) | (_, Verdict::Denied) => Verdict::Denied,
            (Verdict::Unknown(why), _) | (_, Verdict::Unknown(why)) => Verdict::Unknown(why),
            (Verdict::Granted(one), Verdict::Granted(two)) => Verdict::Granted(one.union(two)),
        }
    }

    /// This verdict or else another, where one of them suffices: a grant outweighs not knowing.
    #[must_use]
    pub const fn or(self, other: Verdict) -> Verdict {
        match (self, other) {
            (Verdict::Granted(_), _) => self,
            (_, Verdict::Granted(_)) => other,
            (Verdict::Unknown(_), _) => self,
            (_, Verdict::Unknown(_)) => other,
            (Verdict::Denied, Verdict::Denied) => Verdict::Denied,
        }
    }
}

/// What the model does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unknown {
    /// An entry of the DACL of a type that the model does not evaluate (conditional, object, compound, or yet unheard of).
    Entry {
        /// Its index in the DACL, from 0.
        index: usize,
        /// Its `AceType` byte.
        type_byte: u8,
    },
    /// An entry of the SACL that can take rights away: scoped policy, process trust label, access filter, or yet unheard of.
    SystemEntry {
        /// Its index in the SACL, from 0.
        index: usize,
        /// Its `AceType` byte.
        type_byte: u8,
    },
    /// A label whose SID is no integrity level.
    Label {
        /// Its index in the SACL, from 0.
        index: usize,
    },
    /// A label above the token that does not forbid writing: no document says what it does with rights that are neither read, write
    /// nor execute.
    LabelWithoutNoWriteUp {
        /// Its index in the SACL, from 0.
        index: usize,
    },
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unknown::Entry { index, type_byte } => write!(
                f,
                "entry {index} of the DACL is of type {type_byte:#04x}, which this model does not evaluate, and it could have decided"
            ),
            Unknown::SystemEntry { index, type_byte } => write!(
                f,
                "entry {index} of the SACL is of type {type_byte:#04x}, which this model does not evaluate, and it could refuse this"
            ),
            Unknown::Label { index } => {
                write!(f, "entry {index} of the SACL is a label whose SID is no integrity level")
            }
            Unknown::LabelWithoutNoWriteUp { index } => write!(
                f,
                "entry {index} of the SACL is a label without NO_WRITE_UP, and no document says whether it covers the rights asked for"
            ),
        }
    }
}
