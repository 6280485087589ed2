//! Why a policy cannot be resolved on a described host.

use std::fmt;

use bailiwick_policy::origin::Origin;

use crate::path::{PathError, WindowsPath};

/// Why a policy cannot be resolved on a described host. Nothing has been started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetError {
    /// The directory cannot be a workspace.
    Workspace {
        /// The directory.
        workspace: WindowsPath,
        /// Why not, and what to do.
        why: String,
    },
    /// A path of the policy cannot be understood.
    Path {
        /// The text as written, escaped.
        written: String,
        /// Where it was written.
        origin: Box<Origin>,
        /// What is wrong with it.
        error: PathError,
    },
    /// A path begins with `%NAME%`, and this is not the name of a known folder.
    Variable {
        /// The text as written, escaped.
        written: String,
        /// Where it was written.
        origin: Box<Origin>,
    },
    /// A pattern: the names that it matches are not among the facts.
    Pattern {
        /// The pattern as written, escaped.
        written: String,
        /// Where it was written.
        origin: Box<Origin>,
    },
    /// A path runs through too many links, or in a circle.
    TooManyLinks(WindowsPath),
    /// A granted path leaves the workspace through a link in it.
    LeavesThroughLink {
        /// The text as written, escaped.
        written: String,
        /// Where it was written.
        origin: Box<Origin>,
        /// The link.
        link: Box<WindowsPath>,
        /// Where it leads.
        leads_to: Box<WindowsPath>,
    },
    /// Named pipes of the host cannot be granted yet.
    Sockets,
    /// One of bailiwick's own directories has no usable path.
    Own(PathError),
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetError::Workspace { workspace, why } => {
                write!(f, "`{}` cannot be the workspace: {why}", workspace.shown())
            }
            TargetError::Path { written, origin, error } => {
                write!(f, "the rule for `{written}` ({origin}) cannot be resolved: {error}")
            }
            TargetError::Variable { written, origin } => write!(
                f,
                "the rule for `{written}` ({origin}) begins with a variable that is no known folder; known are {}",
                super::files::VARIABLES.join(", ")
            ),
            TargetError::Pattern { written, origin } => write!(
                f,
                "the pattern `{written}` ({origin}) cannot be resolved from a description, which does not list every file: \
                 write the paths out"
            ),
            TargetError::TooManyLinks(path) => {
                write!(f, "`{}` runs through too many junctions and symbolic links, or in a circle", path.shown())
            }
            TargetError::LeavesThroughLink { written, origin, link, leads_to } => write!(
                f,
                "the grant of `{written}` ({origin}) is refused: the link `{}` leads to `{}`, out of a directory whose \
                 content is not trusted. If that place is meant, grant it by its own path",
                link.shown(),
                leads_to.shown()
            ),
            TargetError::Sockets => f.write_str(
                "the policy grants sockets of the host, which the Windows tiers do not offer yet: take `[network] sockets` out",
            ),
            TargetError::Own(error) => write!(f, "one of bailiwick's own directories: {error}"),
        }
    }
}

impl std::error::Error for TargetError {}
