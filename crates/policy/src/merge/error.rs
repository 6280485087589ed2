//! Why there is no policy.

use std::fmt;
use std::path::PathBuf;

use crate::document::{DocumentError, FileError};
use crate::nearest::nearest;
use crate::origin::Origin;
use crate::text::escape;
use crate::trust::TrustError;

/// Why the documents do not make a policy.
#[derive(Debug)]
pub enum PolicyError {
    /// A document was not read or not believed.
    File(FileError),
    /// A document was not understood.
    Document(DocumentError),
    /// What the user has trusted could not be looked up.
    Trust(TrustError),
    /// The workspace could not be looked at.
    Workspace {
        /// As asked for.
        path: PathBuf,
        /// The system's answer.
        error: std::io::Error,
    },
    /// No profile has this name.
    UnknownProfile {
        /// The name.
        name: String,
        /// Where it is extended.
        origin: Origin,
        /// The file that would hold it.
        file: PathBuf,
    },
    /// One of the user's profiles has the name of a built-in one.
    Shadow {
        /// The name.
        name: String,
        /// The user's file.
        file: PathBuf,
    },
    /// Profiles extend one another in a circle.
    Circle {
        /// The names, the first one again at the end.
        names: Vec<String>,
        /// Where the circle closes.
        origin: Origin,
    },
    /// Profiles extend one another too deeply.
    Depth {
        /// Where.
        origin: Origin,
    },
}

/// How deep profiles may extend one another.
pub(super) const DEEPEST: usize = 16;

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PolicyError::File(error) => error.fmt(f),
            PolicyError::Document(error) => error.fmt(f),
            PolicyError::Trust(error) => error.fmt(f),
            PolicyError::Workspace { path, error } => {
                write!(f, "looking at the workspace {}: {error}", escape(path.as_os_str()))
            }
            PolicyError::UnknownProfile { name, origin, file } => {
                let known = || crate::builtin::BUILTINS.iter().map(|profile| profile.name);
                write!(f, "{origin}: there is no profile `{}`; ", escape(name.as_ref()))?;
                match nearest(name, known()) {
                    Some(near) => write!(f, "did you mean `{near}`?")?,
                    None => write!(f, "built in are {}", known().collect::<Vec<_>>().join(", "))?,
                }
                write!(f, " (a profile of your own would be {})", escape(file.as_os_str()))
            }
            PolicyError::Shadow { name, file } => {
                write!(f, "{}: `{name}` is a built-in profile; rename yours", escape(file.as_os_str()))
            }
            PolicyError::Circle { names, origin } => {
                write!(f, "{origin}: profiles extend one another in a circle ({}); take one out", names.join(" → "))
            }
            PolicyError::Depth { origin } => {
                write!(f, "{origin}: profiles extend one another more than {DEEPEST} deep; merge some of them")
            }
        }
    }
}

impl std::error::Error for PolicyError {}

impl From<FileError> for PolicyError {
    fn from(error: FileError) -> Self {
        PolicyError::File(error)
    }
}

impl From<DocumentError> for PolicyError {
    fn from(error: DocumentError) -> Self {
        PolicyError::Document(error)
    }
}

impl From<TrustError> for PolicyError {
    fn from(error: TrustError) -> Self {
        PolicyError::Trust(error)
    }
}
