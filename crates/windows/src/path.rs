//! Windows paths: one strict parser for every spelling, and one canonical form.
//!
//! A file on Windows has many names: `C:\a\b`, `c:/A/./B`, `\\?\C:\a\b`, `\\.\C:\a\b`, `\??\C:\a\b`, `\\?\Volume{…}\a\b`,
//! `C:\A~1\b`, `C:\a\b::$DATA`, `\\localhost\C$\a\b`. A rule about one of them must hold for all. So a text either becomes a
//! [`WindowsPath`], of which every file has exactly one as far as names go, or it is refused with the reason. Reparse points
//! (junctions, symbolic links) are no matter of names; who opens the file deals with them.
//!
//! # What is approximated
//!
//! NTFS compares names by a table of upper-case letters (`$UpCase`) that is stored on each volume, one UTF-16 unit at a time.
//! [`fold`] follows Unicode's simple upper case for letters that have exactly one partner inside the Basic Multilingual Plane,
//! which is what the table holds; letters where the two are known or suspected to differ are compared as they are. Directories
//! that were switched to case sensitivity (`fsutil file setCaseSensitiveInfo`) are treated like all others: two names in them
//! that differ only in case count as one.
//!
//! Sources: Microsoft Learn, "Naming Files, Paths, and Namespaces" and "File path formats on Windows systems"; MS-FSCC 2.1.5
//! (pathnames, streams, short names).

mod error;
pub mod fold;
mod names;
mod parse;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use bailiwick_policy::text::escape;
use serde::{Serialize, Serializer};

pub use error::{PathError, Refusal};
pub use parse::{Known, ShortName};

/// The longest path that programs handle which are not prepared for more: `MAX_PATH` without its final NUL, in UTF-16 units.
pub const MAX_PATH: usize = 259;

/// What a path starts from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Volume {
    /// A drive letter, upper case.
    Drive(char),
    /// A volume without a letter: its GUID in lower case, without braces.
    Guid(String),
}

impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Volume::Drive(letter) => write!(f, "{letter}:"),
            Volume::Guid(guid) => write!(f, r"\\?\Volume{{{guid}}}"),
        }
    }
}

/// A canonical absolute path: a volume and names. Two are equal if they differ in nothing but case.
#[derive(Clone)]
pub struct WindowsPath {
    volume: Volume,
    names: Vec<Name>,
}

/// One component, as spelled and as compared.
#[derive(Clone, Debug)]
struct Name {
    spelled: String,
    folded: String,
}

impl Name {
    fn new(spelled: &str) -> Name {
        Name { spelled: spelled.to_owned(), folded: fold::fold(spelled) }
    }
}

impl WindowsPath {
    /// Reads a text that needs no knowledge of a host: absolute, with a drive letter, no short names.
    ///
    /// # Errors
    ///
    /// [`PathError`]: what the text is, and why it cannot be told which file it names.
    pub fn parse(text: &str) -> Result<WindowsPath, PathError> {
        Known::nothing().parse(text)
    }

    /// The root directory of a drive.
    pub fn root(letter: char) -> WindowsPath {
        WindowsPath { volume: Volume::Drive(letter.to_ascii_uppercase()), names: Vec::new() }
    }

    /// The volume.
    pub fn volume(&self) -> &Volume {
        &self.volume
    }

    /// The names below the root, as spelled.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.names.iter().map(|name| name.spelled.as_str())
    }

    /// The last name; `None` for a root.
    pub fn name(&self) -> Option<&str> {
        self.names.last().map(|name| name.spelled.as_str())
    }

    /// Whether this is the root directory of its volume.
    pub fn is_root(&self) -> bool {
        self.names.is_empty()
    }

    /// The directory that holds it; `None` for a root.
    pub fn parent(&self) -> Option<WindowsPath> {
        let (_, above) = self.names.split_last()?;
        Some(WindowsPath { volume: self.volume.clone(), names: above.to_vec() })
    }

    /// Every directory above it, the nearest first, the root last.
    pub fn ancestors(&self) -> impl Iterator<Item = WindowsPath> {
        std::iter::successors(self.parent(), WindowsPath::parent)
    }

    /// Whether `other` is this path or lies below it.
    pub fn covers(&self, other: &WindowsPath) -> bool {
        self.volume == other.volume
            && self.names.len() <= other.names.len()
            && self.names.iter().zip(&other.names).all(|(a, b)| a.folded == b.folded)
    }

    /// Whether `other` lies below it and is not it.
    pub fn covers_strictly(&self, other: &WindowsPath) -> bool {
        self.names.len() < other.names.len() && self.covers(other)
    }

    /// The path of `below`, a relative text, from here.
    ///
    /// # Errors
    ///
    /// [`PathError`] if the text is not relative or cannot be understood.
    pub fn join(&self, below: &str) -> Result<WindowsPath, PathError> {
        Known { base: Some(self), ..Known::nothing() }.parse_below(below)
    }

    /// The same path with the names of `from` in front taken for those of `to`; `None` if it does not lie below `from`.
    pub fn moved(&self, from: &WindowsPath, to: &WindowsPath) -> Option<WindowsPath> {
        if !from.covers(self) {
            return None;
        }
        let mut names = to.names.clone();
        names.extend(self.names.iter().skip(from.names.len()).cloned());
        Some(WindowsPath { volume: to.volume.clone(), names })
    }

    /// The path as the policy's machinery knows it: absolute for this platform, in folded spelling, so that comparing it byte
    /// for byte is comparing as NTFS does. Nothing opens it.
    pub fn key(&self) -> PathBuf {
        let separator = std::path::MAIN_SEPARATOR;
        let mut text = String::new();
        if cfg!(windows) {
            text.push_str(&self.volume.to_string());
        } else {
            text.push(separator);
            match &self.volume {
                Volume::Drive(letter) => text.extend([*letter, ':']),
                Volume::Guid(guid) => text.push_str(&format!("Volume{{{guid}}}")),
            }
        }
        // A root on Windows is written with its separator, without which it would be relative to the drive.
        if cfg!(windows) && self.names.is_empty() {
            text.push(separator);
        }
        for name in &self.names {
            text.push(separator);
            text.push_str(&name.folded);
        }
        PathBuf::from(text)
    }

    /// The spelling that Windows takes as it is, of any length: `\\?\C:\a\b`.
    pub fn verbatim(&self) -> String {
        match self.volume {
            Volume::Drive(_) => format!(r"\\?\{self}"),
            Volume::Guid(_) => self.to_string(),
        }
    }

    /// Length of the ordinary spelling in UTF-16 units.
    pub fn len_utf16(&self) -> usize {
        self.to_string().encode_utf16().count()
    }

    /// Whether programs that are not prepared for long paths cannot open it by its ordinary spelling.
    pub fn exceeds_max_path(&self) -> bool {
        self.len_utf16() > MAX_PATH
    }

    /// Safe to print: control and direction characters are escaped.
    pub fn shown(&self) -> String {
        escape(OsStr::new(&self.to_string()))
    }

    fn folded(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| name.folded.as_str())
    }
}

/// The ordinary spelling: `C:\a\b`. Not escaped; see [`WindowsPath::shown`].
impl fmt::Display for WindowsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.volume)?;
        if self.names.is_empty() {
            return f.write_str("\\");
        }
        self.names.iter().try_for_each(|name| write!(f, "\\{}", name.spelled))
    }
}

impl fmt::Debug for WindowsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.shown())
    }
}

impl PartialEq for WindowsPath {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for WindowsPath {}

/// Parents come before what lies below them.
impl Ord for WindowsPath {
    fn cmp(&self, other: &Self) -> Ordering {
        self.volume.cmp(&other.volume).then_with(|| self.folded().cmp(other.folded()))
    }
}

impl PartialOrd for WindowsPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for WindowsPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.volume.hash(state);
        self.folded().for_each(|name| name.hash(state));
    }
}

impl Serialize for WindowsPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}
