//! Recorded access checks: what a real Windows answered, and whether this model answers the same.
//!
//! A corpus is a text of JSON lines, one [`Case`] each: the token as it was, the descriptor's bytes, the request, the answer, and the
//! build that gave it. `AccessCheck` needs no privileges, so anybody can record one: `bailiwick doctor --record-corpus` does, with
//! [`record`](fn@record). [`replay`](fn@replay) asks the model each case and lists the differences.
//!
//! A case that nobody recorded says so in its source: `computed, not recorded on Windows`; one that Wine answered says that.

mod hex;
mod questions;
mod record;
mod replay;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};

pub use questions::{Question, Questions};
pub use record::{Recording, Tally, record};
pub use replay::{Difference, Replay, replay};

use crate::check::Request;
use crate::descriptor::DescriptorError;
use crate::token::Token;
use crate::{AccessMask, ObjectType, SecurityDescriptor};

/// The longest line, in bytes. A descriptor has at most 128 KiB in two lists, which is twice that in hexadecimal.
pub const MAX_LINE: u64 = 512 * 1024;

/// Where an expected answer comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Source {
    /// `AccessCheck` on a real Windows answered.
    #[serde(rename = "recorded")]
    Recorded {
        /// The build, such as 26100.
        build: u32,
        /// The revision of the build, such as 9278.
        revision: u32,
    },
    /// Nobody asked a Windows: the answer follows from a document.
    #[serde(rename = "computed, not recorded on Windows")]
    Computed {
        /// The document and section.
        from: String,
    },
    /// `AccessCheck` under Wine answered, which knows neither restricting SIDs nor labels. Such a case shows that recording works and
    /// nothing about Windows: [`replay`](fn@replay) does not ask it and agrees with no corpus that holds one.
    #[serde(rename = "Wine, not Windows")]
    Wine {
        /// Its version, such as 8.0.
        version: String,
    },
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// These rights were granted.
    Granted(AccessMask),
    /// Access was refused.
    Denied,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Granted(rights) => write!(f, "granted {rights}"),
            Expected::Denied => f.write_str("refused"),
        }
    }
}

/// One access check and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the case shows. Text from a file: escape it before it is printed.
    pub name: String,
    /// Where the answer comes from.
    pub source: Source,
    /// Who asked.
    pub token: Token,
    /// The self-relative descriptor.
    #[serde(with = "hex")]
    pub descriptor: Vec<u8>,
    /// The type of the object, for the generic mapping.
    pub object: ObjectType,
    /// The rights asked for, before mapping.
    pub desired: AccessMask,
    /// The answer.
    pub expected: Expected,
}

impl Case {
    /// The descriptor, read.
    pub fn descriptor(&self) -> Result<SecurityDescriptor, DescriptorError> {
        SecurityDescriptor::parse(&self.descriptor)
    }

    /// The request.
    pub const fn request(&self) -> Request {
        Request::new(self.object, self.desired)
    }
}

/// Why a corpus cannot be read or written.
#[derive(Debug)]
pub enum CorpusError {
    /// Reading or writing failed.
    Io {
        /// The line, from 1.
        line: usize,
        /// What the system answered.
        error: io::Error,
    },
    /// A line is longer than [`MAX_LINE`].
    TooLong {
        /// The line, from 1.
        line: usize,
    },
    /// A line is no case.
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What is wrong, and where in the line.
        error: serde_json::Error,
    },
    /// The bytes of a descriptor are none.
    Descriptor {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        error: DescriptorError,
    },
}

impl fmt::Display for CorpusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CorpusError::Io { line, error } => write!(f, "line {line} of the corpus: {error}"),
            CorpusError::TooLong { line } => {
                write!(
                    f,
                    "line {line} of the corpus has more than {MAX_LINE} bytes, more than any case needs; remove it"
                )
            }
            // The text of the error quotes keys and values of the file.
            CorpusError::Syntax { line, error } => {
                let text = error.to_string();
                write!(f, "line {line} of the corpus is no recorded check: {}; record it again", text.escape_default())
            }
            CorpusError::Descriptor { line, error } => {
                write!(f, "line {line} of the corpus: its descriptor does not read: {error}; record it again")
            }
        }
    }
}

impl std::error::Error for CorpusError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            CorpusError::Io { error, .. } => Some(error),
            CorpusError::Syntax { error, .. } => Some(error),
            CorpusError::Descriptor { error, .. } => Some(error),
            CorpusError::TooLong { .. } => None,
        }
    }
}

/// Writes a case as one line.
pub fn write(out: &mut impl Write, case: &Case) -> io::Result<()> {
    serde_json::to_writer(&mut *out, case)?;
    out.write_all(b"\n")
}

/// Reads cases line by line, one at a time in memory. Ends after the first line that does not read. Empty lines are passed over.
pub struct Cases<R> {
    input: R,
    line: usize,
    ended: bool,
}

impl<R: BufRead> Cases<R> {
    /// The cases in this text.
    pub const fn new(input: R) -> Cases<R> {
        Cases { input, line: 0, ended: false }
    }

    fn read(&mut self) -> Result<Option<Numbered>, CorpusError> {
        loop {
            self.line += 1;
            let line = self.line;
            let mut text = Vec::new();
            let mut limited = (&mut self.input).take(MAX_LINE);
            let read = limited.read_until(b'\n', &mut text).map_err(|error| CorpusError::Io { line, error })?;
            if read == 0 {
                return Ok(None);
            }
            if text.last() != Some(&b'\n') && limited.limit() == 0 {
                return Err(CorpusError::TooLong { line });
            }
            if text.trim_ascii().is_empty() {
                continue;
            }
            let case: Case = serde_json::from_slice(&text).map_err(|error| CorpusError::Syntax { line, error })?;
            let descriptor = case.descriptor().map_err(|error| CorpusError::Descriptor { line, error })?;
            return Ok(Some(Numbered { line, case, descriptor }));
        }
    }
}

/// A case as read from a corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Its line, from 1.
    pub line: usize,
    /// The case.
    pub case: Case,
    /// Its descriptor, read.
    pub descriptor: SecurityDescriptor,
}

impl<R: BufRead> Iterator for Cases<R> {
    type Item = Result<Numbered, CorpusError>;

    fn next(&mut self) -> Option<Result<Numbered, CorpusError>> {
        if self.ended {
            return None;
        }
        let next = self.read().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}
