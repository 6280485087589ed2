//! One policy document: what it says, with the line of every rule, not yet merged with any other.

mod error;
mod file;
mod lines;
mod options;
mod paths;
mod reader;
mod values;

use std::ffi::OsString;

use crate::credential::Credential;
use crate::guarantee::Guarantee;
use crate::host_pattern::HostPattern;
use crate::host_rule::HostRule;
use crate::origin::{Layer, Origin, Source};
use crate::policy::{FileEntry, FileEntryText, Limits, Ruled, TierChoice, WorkspaceMode};

pub use error::{DocumentError, Problem};
pub use file::{FileError, Keeper, read_file};
pub(crate) use reader::items::profile_name;
pub use values::{parse_duration, parse_size};

/// The largest document that is read, in bytes.
pub const LARGEST_DOCUMENT: u64 = 1 << 20;

/// A document as written. A list that is `None` was not written; one that was written empty is `Some` of nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What the document is.
    pub source: Source,
    /// The layer that its rules belong to.
    pub layer: Layer,
    /// `extends`: profiles by name.
    pub extends: Option<Vec<Ruled<String>>>,
    /// `[files]`
    pub files: FilesTable,
    /// `[network]`
    pub network: NetworkTable,
    /// `[environment]`
    pub environment: EnvironmentTable,
    /// `[limits]`
    pub limits: Limits,
    /// `[workspace] mode`
    pub mode: Option<Ruled<WorkspaceMode>>,
    /// `[isolation]`
    pub isolation: IsolationTable,
}

/// `[files]` as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilesTable {
    /// `read`
    pub read: Option<Vec<FileEntry>>,
    /// `write`
    pub write: Option<Vec<FileEntry>>,
    /// `deny`
    pub deny: Option<Vec<FileEntry>>,
    /// `protect`
    pub protect: Option<Vec<FileEntry>>,
    /// `search_limit`
    pub search_limit: Option<Ruled<u64>>,
}

/// `[network]` as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkTable {
    /// `allow`
    pub allow: Option<Vec<Ruled<HostRule>>>,
    /// `deny`
    pub deny: Option<Vec<Ruled<HostPattern>>>,
    /// `sockets`
    pub sockets: Option<Vec<FileEntryText>>,
    /// `credential`
    pub credentials: Option<Vec<Ruled<Credential>>>,
    /// `--offline`: every `allow` of this and all other layers is dropped. No document can say it.
    pub offline: Option<Origin>,
}

/// `[environment]` as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentTable {
    /// `pass`
    pub pass: Option<Vec<Ruled<String>>>,
    /// `set`
    pub set: Option<Vec<Ruled<(OsString, OsString)>>>,
}

/// `[isolation]` as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IsolationTable {
    /// `tier`
    pub tier: Option<Ruled<TierChoice>>,
    /// `accept`
    pub accept: Option<Vec<Ruled<Guarantee>>>,
    /// `trace`
    pub trace: Option<Ruled<bool>>,
    /// `nested_namespaces`
    pub nested_namespaces: Option<Ruled<bool>>,
}

impl Document {
    /// A document that says nothing.
    pub fn empty(source: Source, layer: Layer) -> Document {
        Document {
            source,
            layer,
            extends: None,
            files: FilesTable::default(),
            network: NetworkTable::default(),
            environment: EnvironmentTable::default(),
            limits: Limits::default(),
            mode: None,
            isolation: IsolationTable::default(),
        }
    }

    /// Reads a TOML text. A document is either understood to the last key or refused.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its line and the way out.
    pub fn parse(text: &str, source: Source, layer: Layer) -> Result<Document, DocumentError> {
        reader::read(text, source, layer)
    }

    /// Like [`parse`](Self::parse), for the bytes of a file.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and bytes that are not UTF-8.
    pub fn parse_bytes(bytes: &[u8], source: Source, layer: Layer) -> Result<Document, DocumentError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Document::parse(text, source, layer),
            Err(error) => {
                let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let line = lines::line_at_end(before);
                let text = "a byte is not UTF-8, which TOML needs; save the file as UTF-8";
                Err(DocumentError::one(Origin { layer, source, line: Some(line) }, text))
            }
        }
    }
}

#[cfg(test)]
mod tests;
