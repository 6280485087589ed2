//! Why a document was not trusted, or trust not looked up.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::document::{DocumentError, FileError};
use crate::text::escape;

/// Why a document was not trusted, or trust not looked up.
#[derive(Debug)]
pub enum TrustError {
    /// The workspace could not be looked at.
    Workspace {
        /// As asked for.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// The workspace has no document of its own.
    NoDocument {
        /// Where it would be.
        path: PathBuf,
    },
    /// The document or a record was not read.
    File(FileError),
    /// The document was not understood.
    Document(DocumentError),
    /// A record that says nothing bailiwick has written.
    Garbled {
        /// The record.
        path: PathBuf,
    },
    /// A record was not written or removed.
    Write {
        /// The record.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrustError::Workspace { path, error } => {
                write!(f, "looking at the workspace {}: {error}", escape(path.as_os_str()))
            }
            TrustError::NoDocument { path } => {
                write!(f, "there is nothing to trust: {} does not exist", escape(path.as_os_str()))
            }
            TrustError::File(error) => error.fmt(f),
            TrustError::Document(error) => error.fmt(f),
            TrustError::Garbled { path } => write!(
                f,
                "{} is not a record of trust; remove it and run `bailiwick trust` again",
                escape(path.as_os_str())
            ),
            TrustError::Write { path, error } => {
                write!(
                    f,
                    "recording trust in {}: {error}; make the directory writable for you",
                    escape(path.as_os_str())
                )
            }
        }
    }
}

impl std::error::Error for TrustError {}

impl From<FileError> for TrustError {
    fn from(error: FileError) -> Self {
        TrustError::File(error)
    }
}

impl From<DocumentError> for TrustError {
    fn from(error: DocumentError) -> Self {
        TrustError::Document(error)
    }
}
