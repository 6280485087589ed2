//! What can go wrong with SDDL.

use std::fmt;

use crate::descriptor::{DescriptorError, Part};
use crate::sid::SidError;

/// Why a text is not a descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SddlError {
    /// The byte offset within the text.
    pub position: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong at a position of a text. Text that is quoted is at most a few characters and has been escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The text is longer than any descriptor can need.
    TooLong {
        /// The most that is read, in bytes.
        limit: usize,
    },
    /// Something else was expected.
    Expected(&'static str),
    /// An owner, group, DACL or SACL for the second time.
    Twice(Part),
    /// An entry type that exists and is not modelled.
    UnsupportedType {
        /// Its letters.
        letters: String,
        /// What it is called.
        name: &'static str,
    },
    /// Letters that are no entry type.
    UnknownType(String),
    /// Letters that are no flag of an entry.
    UnknownFlag(String),
    /// Letters that are no right.
    UnknownRight(String),
    /// Something between the semicolons of an object type: object entries are not modelled.
    ObjectGuid,
    /// A seventh field: conditions and resource attributes are not modelled.
    Condition,
    /// Two letters that are no SID.
    UnknownAlias(String),
    /// An alias that stands for an account of a domain that was not given.
    NeedsDomain {
        /// The alias.
        alias: &'static str,
        /// Which domain it is relative to.
        domain: &'static str,
    },
    /// A SID in string form that does not read.
    Sid(SidError),
    /// The descriptor reads and cannot be written as bytes.
    Descriptor(DescriptorError),
}

impl fmt::Display for SddlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reading SDDL at position {}: {}", self.position, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::TooLong { limit } => {
                write!(f, "the text is longer than {limit} bytes, more than any descriptor needs")
            }
            Problem::Expected(what) => write!(f, "expected {what}"),
            Problem::Twice(part) => write!(f, "a second {part}; each may stand once"),
            Problem::UnsupportedType { letters, name } => {
                write!(f, "{letters} is {name}, which is not modelled; read the descriptor from its bytes instead")
            }
            Problem::UnknownType(letters) => write!(f, "\"{letters}\" is no entry type; known are A, D, AU and ML"),
            Problem::UnknownFlag(letters) => {
                write!(f, "\"{letters}\" is no flag; known are OI, CI, NP, IO, ID, CR, SA and FA")
            }
            Problem::UnknownRight(letters) => {
                write!(f, "\"{letters}\" is no right; use letters such as FA, GR, SD or a number such as 0x1301bf")
            }
            Problem::ObjectGuid => write!(f, "an object type, which is not modelled; the field must be empty"),
            Problem::Condition => {
                write!(f, "a condition or attribute, which is not modelled; the entry must end after its SID")
            }
            Problem::UnknownAlias(letters) => {
                write!(f, "\"{letters}\" is no SID; use an alias such as BA or the form S-1-5-32-544")
            }
            Problem::NeedsDomain { alias, domain } => {
                write!(f, "{alias} stands for an account of {domain}, whose SID was not given")
            }
            Problem::Sid(error) => write!(f, "{error}"),
            Problem::Descriptor(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for SddlError {}

/// Why a descriptor has no SDDL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// An entry that the model keeps as bytes only.
    Opaque {
        /// Its `AceType` byte.
        type_byte: u8,
        /// What that type is called.
        name: &'static str,
    },
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Opaque { type_byte, name } => {
                write!(f, "writing SDDL: an entry of type {type_byte:#04x} ({name}) is not modelled; use the bytes")
            }
        }
    }
}

impl std::error::Error for WriteError {}
