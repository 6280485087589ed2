//! Why guarded names cannot be watched.

use std::fmt;
use std::path::{Path, PathBuf};

use bailiwick_policy::text;
use rustix::io::Errno;

/// The watch could not be set up: the run must not start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WatchError {
    /// The signals of the notifications cannot be received.
    Start(Errno),
    /// The directory cannot be opened.
    Open {
        /// The directory.
        path: PathBuf,
        /// The answer.
        errno: Errno,
    },
    /// The directory cannot be watched.
    Add {
        /// The directory.
        path: PathBuf,
        /// The answer.
        errno: Errno,
    },
    /// The name is not below its root.
    Misplaced {
        /// The name.
        path: PathBuf,
    },
}

impl fmt::Display for WatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escape = |path: &Path| text::escape(path.as_os_str());
        match self {
            WatchError::Start(errno) => write!(f, "watching for guarded names failed: signalfd: {errno}"),
            WatchError::Open { path, errno } => {
                write!(f, "watching for guarded names failed: opening {}: {errno}", escape(path))
            }
            WatchError::Add { path, errno: Errno::INVAL } => write!(
                f,
                "watching {} for guarded names failed: this kernel is built without directory notifications \
                 (CONFIG_DNOTIFY); `--accept names-absent` runs without them",
                escape(path)
            ),
            WatchError::Add { path, errno } => {
                write!(f, "watching {} for guarded names failed: {errno}; the directory must be readable", escape(path))
            }
            WatchError::Misplaced { path } => {
                write!(f, "{} cannot be watched: it is not below its writable root", escape(path))
            }
        }
    }
}

impl std::error::Error for WatchError {}
