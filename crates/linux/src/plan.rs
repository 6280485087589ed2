//! The plan: what the `namespaces` tier will do to build the inside's file system, as data.
//!
//! Planning is pure. Every step follows from [`Boundary::grant`] at the points where it changes, so that the mounts
//! and `decide` cannot disagree; the property test in `plan/tests.rs` walks random boundaries and holds both against
//! each other.

mod build;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use bailiwick_policy::boundary::Boundary;
use bailiwick_policy::text;
use serde::Serialize;

/// How a tree is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// `MOUNT_ATTR_RDONLY`, in one call for the tree and everything mounted below it.
    ReadOnly,
    /// Writable.
    Writable,
}

/// A directory or anything else: a mount point must be of the same kind as what is mounted on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A directory.
    Directory,
    /// Anything but a directory.
    File,
}

/// One step of building the root. All paths are absolute paths of the inside, unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Make a mount point in the new root's own memory, where nothing hostile can be.
    Make {
        /// The mount point.
        at: PathBuf,
        /// Directory or file.
        kind: Kind,
        /// Permission bits.
        mode: u32,
    },
    /// Make a mount point in the private home, which the inside of an earlier run has filled: no symbolic link is followed.
    MakeBeneath {
        /// The mount point.
        at: PathBuf,
        /// Directory or file.
        kind: Kind,
    },
    /// Make a symbolic link in the new root's own memory.
    Link {
        /// The link.
        at: PathBuf,
        /// Its text.
        target: PathBuf,
    },
    /// Make a symbolic link in the private home, replacing a link with another text.
    LinkBeneath {
        /// The link.
        at: PathBuf,
        /// Its text.
        target: PathBuf,
    },
    /// Attach a tree of the host.
    Tree {
        /// The tree on the host.
        host: PathBuf,
        /// Where it appears.
        at: PathBuf,
        /// Read-only or writable.
        mode: Mode,
    },
    /// Mount what is at this path over itself, read-only.
    Protect {
        /// The path.
        at: PathBuf,
    },
    /// Mount the directory at this path, if it exists, over itself, so that it cannot be renamed.
    Pin {
        /// The path.
        at: PathBuf,
    },
    /// A directory of the root's own memory that the inside may write.
    Memory {
        /// The path.
        at: PathBuf,
    },
    /// Mount a file of bailiwick's own, made in the new root's memory, over what is at this path, a symbolic link too.
    File {
        /// The path.
        at: PathBuf,
        /// What is in the file.
        #[serde(skip)]
        content: String,
        /// Whether nothing is done where there is nothing at the path.
        optional: bool,
    },
    /// Cover a denied name with something that cannot be opened.
    Mask {
        /// The path.
        at: PathBuf,
        /// What is covered.
        kind: Kind,
    },
    /// Cover a denied directory with one that shows only the mount points of the readable things below it.
    MaskAround {
        /// The path.
        at: PathBuf,
        /// Its number: the cover is the directory `m<number>` among the covers.
        number: usize,
    },
    /// Make a mount point in the cover of a denied directory.
    MakeInMask {
        /// The cover's number.
        number: usize,
        /// Path below the covered directory.
        below: PathBuf,
        /// Directory or file.
        kind: Kind,
    },
}

impl Step {
    /// The path that the step is about.
    pub fn at(&self) -> &Path {
        match self {
            Step::Make { at, .. }
            | Step::MakeBeneath { at, .. }
            | Step::Link { at, .. }
            | Step::LinkBeneath { at, .. }
            | Step::Tree { at, .. }
            | Step::Protect { at }
            | Step::Pin { at }
            | Step::Memory { at }
            | Step::File { at, .. }
            | Step::Mask { at, .. }
            | Step::MaskAround { at, .. } => at,
            Step::MakeInMask { below, .. } => below,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |path: &Path| text::escape(path.as_os_str());
        match self {
            Step::Make { at, kind, mode } => write!(f, "make {} {} ({mode:04o})", kind.name(), show(at)),
            Step::MakeBeneath { at, kind } => write!(f, "make {} {} in the private home", kind.name(), show(at)),
            Step::LinkBeneath { at, target } => {
                write!(f, "link {} -> {} in the private home", show(at), show(target))
            }
            Step::Link { at, target } => write!(f, "link {} -> {}", show(at), show(target)),
            Step::Tree { host, at, mode } if host == at => write!(f, "tree {} {}", mode.name(), show(at)),
            Step::Tree { host, at, mode } => write!(f, "tree {} {} from {}", mode.name(), show(at), show(host)),
            Step::Protect { at } => write!(f, "protect {}", show(at)),
            Step::Pin { at } => write!(f, "pin {}", show(at)),
            Step::Memory { at } => write!(f, "memory {}", show(at)),
            Step::File { at, .. } => write!(f, "own file {}", show(at)),
            Step::Mask { at, kind } => write!(f, "mask {} {}", kind.name(), show(at)),
            Step::MaskAround { at, number } => write!(f, "mask around m{number} {}", show(at)),
            Step::MakeInMask { number, below, kind } => write!(f, "make {} m{number}/{}", kind.name(), show(below)),
        }
    }
}

impl Mode {
    const fn name(self) -> &'static str {
        match self {
            Mode::ReadOnly => "read-only",
            Mode::Writable => "writable",
        }
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Kind::Directory => "directory",
            Kind::File => "file",
        }
    }
}

/// A guarded name that the supervisor watches during the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Watched {
    /// The name, as a path of the host (the workspace has the same path inside and outside).
    pub path: PathBuf,
    /// The writable root above it.
    pub root: PathBuf,
    /// Whether a `deny` rule guards it, else a `protect` or `read` rule.
    pub denied: bool,
}

/// A file that the inside has instead of the host's. It cannot be changed there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFile {
    /// Where it is, absolute. Where a readable tree of the host reaches there, the host must have something at that place.
    pub at: PathBuf,
    /// What is in it.
    pub content: String,
    /// Whether the inside may be without, where a tree of the host is there and has nothing at that place.
    pub optional: bool,
}

/// What the `namespaces` tier will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The steps that build the root, in their order.
    pub steps: Vec<Step>,
    /// Directories on the host that must exist before the start: the private home.
    pub homes: Vec<PathBuf>,
    /// Trees that stay writable: the Landlock rules of the second lock.
    pub writable: Vec<PathBuf>,
    /// Guarded names that do not exist yet: watched and quarantined.
    pub absent: Vec<Watched>,
    /// Guarded names that exist in the user's tree: watched for being replaced from outside.
    pub present: Vec<Watched>,
}

impl Plan {
    /// Plans `boundary`.
    ///
    /// # Errors
    ///
    /// [`PlanError`] where this tier cannot make the boundary true.
    pub fn new(boundary: &Boundary) -> Result<Plan, PlanError> {
        build::build(boundary, &[])
    }

    /// Plans `boundary` with files of bailiwick's own in it.
    ///
    /// # Errors
    ///
    /// As [`Plan::new`].
    pub fn with_files(boundary: &Boundary, files: &[OwnFile]) -> Result<Plan, PlanError> {
        build::build(boundary, files)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        for Watched { path, .. } in &self.absent {
            writeln!(f, "watch {}", text::escape(path.as_os_str()))?;
        }
        Ok(())
    }
}

/// Why a boundary cannot be planned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// A readable, writable or private path lies where the tier builds its own `/proc` or `/dev`.
    Reserved {
        /// The path of the rule.
        path: PathBuf,
    },
    /// `/` itself is granted.
    WholeRoot,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::Reserved { path } => write!(
                f,
                "the policy grants {}, but the inside has a /proc and a /dev of its own: leave the path out of the policy",
                text::escape(path.as_os_str())
            ),
            PlanError::WholeRoot => write!(
                f,
                "the policy grants `/` as a whole, which this tier does not offer: name the directories that are needed"
            ),
        }
    }
}

impl std::error::Error for PlanError {}
