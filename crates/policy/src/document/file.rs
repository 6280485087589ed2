//! Reading a document from disk: once, bounded, and never from anything but a regular file.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::LARGEST_DOCUMENT;
use crate::text::escape;

/// Who may have written a file for it to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// Only this user (root for the administrator's file): owned by it, writable by nobody else, and so its directory.
    Only(u32),
    /// This user or root; writable by nobody else but the user's own group.
    User(u32),
    /// Anybody: the workspace is hostile in any case. The last component may not be a symbolic link.
    Anybody,
}

/// Why a file was not read.
#[derive(Debug)]
pub enum FileError {
    /// The system refused.
    Read {
        /// The file.
        path: PathBuf,
        /// Its answer.
        error: io::Error,
    },
    /// It is a symbolic link, a directory, a pipe, a device.
    NotRegular {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// It is larger than any document.
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Others than its keeper could have written it.
    Untrustworthy {
        /// The file, or the directory it stands in.
        path: PathBuf,
        /// What is wrong and how to mend it.
        text: String,
    },
}

/// The whole content of the file at `path`; `None` if there is none.
///
/// # Errors
/// Whatever else keeps it from being read or believed.
pub fn read_file(path: &Path, keeper: Keeper) -> Result<Option<Vec<u8>>, FileError> {
    let mut file = match open(path, keeper) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(not_opened(path, error)),
    };
    let failed = |error| FileError::Read { path: path.to_owned(), error };
    // Everything from here on is about the open file, whatever the name has become since.
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() {
        let what = if about.is_dir() { "a directory" } else { "a pipe, socket or device" };
        return Err(FileError::NotRegular { path: path.to_owned(), what });
    }
    check_keeper(path, &about, keeper)?;
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that grew from one that fits.
    Read::by_ref(&mut file).take(LARGEST_DOCUMENT + 1).read_to_end(&mut bytes).map_err(failed)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= LARGEST_DOCUMENT => Ok(Some(bytes)),
        _ => Err(FileError::TooLarge { path: path.to_owned() }),
    }
}

#[cfg(unix)]
fn open(path: &Path, keeper: Keeper) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // Not blocking: opening a pipe that a hostile workspace has put there would otherwise wait for ever.
    let mut flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    if keeper == Keeper::Anybody {
        flags |= libc::O_NOFOLLOW;
    }
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path, _keeper: Keeper) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

fn not_opened(path: &Path, error: io::Error) -> FileError {
    match path.symlink_metadata() {
        Ok(about) if about.is_symlink() => FileError::NotRegular { path: path.to_owned(), what: "a symbolic link" },
        _ => FileError::Read { path: path.to_owned(), error },
    }
}

#[cfg(unix)]
fn check_keeper(path: &Path, about: &Metadata, keeper: Keeper) -> Result<(), FileError> {
    use std::os::unix::fs::MetadataExt;
    let wrong = |path: &Path, text: String| Err(FileError::Untrustworthy { path: path.to_owned(), text });
    let mode = about.mode();
    match keeper {
        Keeper::Anybody => Ok(()),
        Keeper::User(uid) => {
            if about.uid() != uid && about.uid() != 0 {
                return wrong(path, format!("it belongs to user {}, not to you; `chown` it", about.uid()));
            }
            // Many systems give each user a group of the same number and let it write by default.
            let group = mode & 0o020 != 0 && about.gid() != uid;
            if mode & 0o002 != 0 || group {
                return wrong(path, "others may write it; take that away with `chmod go-w`".to_owned());
            }
            Ok(())
        }
        Keeper::Only(owner) => {
            let only = |path: &Path, about: &Metadata| {
                if about.uid() != owner {
                    return wrong(path, format!("it belongs to user {}, not to user {owner}; `chown` it", about.uid()));
                }
                if about.mode() & 0o022 != 0 {
                    return wrong(path, "others may write it; take that away with `chmod go-w`".to_owned());
                }
                Ok(())
            };
            only(path, about)?;
            let Some(directory) = path.parent() else { return Ok(()) };
            let above = directory.metadata().map_err(|error| FileError::Read { path: directory.to_owned(), error })?;
            only(directory, &above)
        }
    }
}

/// Windows keeps permissions in access control lists; its default ones for these places let nobody else write.
#[cfg(not(unix))]
fn check_keeper(_path: &Path, _about: &Metadata, _keeper: Keeper) -> Result<(), FileError> {
    Ok(())
}

/// What is said of a document that is too large.
pub(super) fn too_large() -> String {
    format!("larger than {} KiB, which no policy is; make it smaller", LARGEST_DOCUMENT >> 10)
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::Read { path, error } => {
                write!(
                    f,
                    "reading {}: {error}; make it readable, or remove it if it is not wanted",
                    escape(path.as_os_str())
                )
            }
            FileError::NotRegular { path, what } => {
                write!(
                    f,
                    "reading {}: it is {what}; put a regular file in its place, or remove it",
                    escape(path.as_os_str())
                )
            }
            FileError::TooLarge { path } => write!(f, "reading {}: {}", escape(path.as_os_str()), too_large()),
            FileError::Untrustworthy { path, text } => write!(f, "believing {}: {text}", escape(path.as_os_str())),
        }
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            FileError::Read { error, .. } => Some(error),
            _ => None,
        }
    }
}
