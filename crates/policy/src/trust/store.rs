//! The record's files.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Trust, TrustError, digest};
use crate::document::{Keeper, read_file};
use crate::text::escape;

impl Trust {
    /// The file of a workspace: paths are any bytes and any length, their hash is a plain name.
    fn file(&self, workspace: &Path) -> PathBuf {
        self.directory.join(digest(workspace.as_os_str().as_encoded_bytes()).to_string())
    }

    /// The recorded hash, in hexadecimal.
    pub(super) fn recorded(&self, workspace: &Path) -> Result<Option<String>, TrustError> {
        let file = self.file(workspace);
        let Some(bytes) = read_file(&file, Keeper::User(self.uid))? else { return Ok(None) };
        let hash = std::str::from_utf8(&bytes)
            .ok()
            .and_then(|text| text.lines().next())
            .and_then(|line| line.strip_prefix("sha256 "))
            .filter(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match hash {
            Some(hash) => Ok(Some(hash.to_owned())),
            None => Err(TrustError::Garbled { path: file }),
        }
    }

    /// Writes a record beside its place and moves it there, so that no reader ever sees half of one.
    pub(super) fn write(&self, workspace: &Path, hash: &str) -> Result<(), TrustError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| TrustError::Write { path, error }
        };
        make_directory(&self.directory).map_err(failed(&self.directory))?;
        let file = self.file(workspace);
        let text = format!("sha256 {hash}\nworkspace {}\n", escape(workspace.as_os_str()));
        let beside = file.with_extension(format!("{}.new", std::process::id()));
        // A file of this name can only be left from a process of the same number that died.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&beside)(error)),
            _ => {}
        }
        let written = write_new(&beside, text.as_bytes()).and_then(|()| fs::rename(&beside, &file));
        written.map_err(|error| {
            // The write has failed already; what it left is removed where that is possible.
            let _ = fs::remove_file(&beside);
            failed(&file)(error)
        })
    }

    pub(super) fn remove(&self, workspace: &Path) -> Result<bool, TrustError> {
        let file = self.file(workspace);
        match fs::remove_file(&file) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(TrustError::Write { path: file, error }),
        }
    }
}

/// Creates a file for the user alone, and has it on disk before it gets its name.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Creates the directory, and those above it, for the user alone.
fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
