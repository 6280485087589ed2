//! What the user has trusted: for each workspace the content of its own document, by hash.
//!
//! One small file for each workspace below the state directory, named by the hash of the workspace's canonical path:
//!
//! ```text
//! sha256 9f86d0…
//! workspace /home/me/project
//! ```
//!
//! Only the first line counts; the second is for people.

mod error;
mod store;

use std::path::{Path, PathBuf};

use crate::document::{Document, Keeper, read_file};
use crate::host::Host;
use crate::merge::PROJECT_FILE;
use crate::origin::{Layer, Source};

pub use error::TrustError;

/// SHA-256 of a document's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest([u8; 32]);

/// The hash of a document's bytes.
pub fn digest(bytes: &[u8]) -> Digest {
    Digest(hmac_sha256::Hash::hash(bytes))
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A workspace's own document, read once: what a person is shown is what is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The canonical workspace.
    pub workspace: PathBuf,
    /// The document's file.
    pub file: PathBuf,
    /// Its text, as hostile as the workspace: escape it before it is shown.
    pub text: String,
    /// What it says.
    pub document: Document,
    /// The hash of exactly this text.
    pub digest: Digest,
}

impl Candidate {
    /// Reads the document of a workspace.
    ///
    /// # Errors
    /// No workspace, no document, or one that cannot be read or understood: nobody can trust what bailiwick does not understand.
    pub fn read(workspace: &Path) -> Result<Candidate, TrustError> {
        let workspace =
            workspace.canonicalize().map_err(|error| TrustError::Workspace { path: workspace.to_owned(), error })?;
        let file = workspace.join(PROJECT_FILE);
        let bytes = read_file(&file, Keeper::Anybody)?.ok_or_else(|| TrustError::NoDocument { path: file.clone() })?;
        let document = Document::parse_bytes(&bytes, Source::File(file.clone()), Layer::Project)?;
        let digest = digest(&bytes);
        let text = String::from_utf8(bytes).map_err(|_| TrustError::NoDocument { path: file.clone() })?;
        Ok(Candidate { workspace, file, text, document, digest })
    }
}

/// What recording changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustOutcome {
    /// Exactly this content was trusted already.
    Already,
    /// The workspace had no trusted content before.
    New,
    /// Another content was trusted before, and is no longer.
    Replaced,
}

/// The record of what the user has trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    directory: PathBuf,
    uid: u32,
}

impl Trust {
    /// The record of this user on this host.
    pub fn of(host: &Host) -> Trust {
        Trust { directory: host.state_dir.join("trust"), uid: host.uid }
    }

    /// Has the user trusted exactly this content for this (canonical) workspace?
    ///
    /// # Errors
    /// A record that exists and cannot be read or believed: it is never taken for a yes, nor silently for a no.
    pub fn holds(&self, workspace: &Path, digest: Digest) -> Result<bool, TrustError> {
        Ok(self.recorded(workspace)?.is_some_and(|recorded| recorded == digest.to_string()))
    }

    /// Trusts a document as it was read.
    ///
    /// # Errors
    /// A record that cannot be read or written.
    pub fn record(&self, candidate: &Candidate) -> Result<TrustOutcome, TrustError> {
        let wanted = candidate.digest.to_string();
        let outcome = match self.recorded(&candidate.workspace)? {
            Some(recorded) if recorded == wanted => return Ok(TrustOutcome::Already),
            Some(_) => TrustOutcome::Replaced,
            None => TrustOutcome::New,
        };
        self.write(&candidate.workspace, &wanted)?;
        Ok(outcome)
    }

    /// Forgets what was trusted for a workspace, which need not exist any more; tells whether there was anything.
    ///
    /// # Errors
    /// A record that cannot be removed.
    pub fn forget(&self, workspace: &Path) -> Result<bool, TrustError> {
        let workspace = workspace.canonicalize().unwrap_or_else(|_| workspace.to_owned());
        self.remove(&workspace)
    }
}

/// Reads the document of a workspace and trusts it, for callers that have nobody to show it to.
///
/// # Errors
/// See [`Candidate::read`] and [`Trust::record`].
pub fn trust(host: &Host, workspace: &Path) -> Result<TrustOutcome, TrustError> {
    Trust::of(host).record(&Candidate::read(workspace)?)
}

#[cfg(test)]
mod tests;
