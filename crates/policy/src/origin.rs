//! Where a rule comes from, so that every decision can name its file and line.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// The layers of a policy, in the order in which they are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// Profiles compiled into bailiwick.
    BuiltIn,
    /// The administrator's file: a ceiling that nothing below it widens.
    Administrator,
    /// The user's own files.
    User,
    /// The file in the workspace, which only narrows until it is trusted.
    Project,
    /// Options of this command.
    CommandLine,
}

/// Where one rule was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Origin {
    /// The layer that the rule belongs to.
    pub layer: Layer,
    /// The document.
    pub source: Source,
    /// The line in the document, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// The document that a rule stands in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A profile compiled into bailiwick, by name. Borrowed, because every rule of every run carries it.
    Profile(Cow<'static, str>),
    /// A file.
    File(PathBuf),
    /// A command-line option, as typed (`--read`).
    Option(String),
    /// bailiwick itself: a rule that holds whatever the documents say, with the reason.
    Inherent(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Profile(name) => write!(f, "built-in profile `{name}`")?,
            Source::File(path) => write!(f, "{}", path.display().to_string().escape_debug())?,
            Source::Option(option) => write!(f, "{option}")?,
            Source::Inherent(reason) => write!(f, "bailiwick itself ({reason})")?,
        }
        match self.line {
            Some(line) => write!(f, ":{line}"),
            None => Ok(()),
        }
    }
}
