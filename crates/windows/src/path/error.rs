//! Why a text does not name a file for certain.

use std::ffi::OsStr;
use std::fmt;

use bailiwick_policy::text::escape;

/// A text that is refused as a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    /// The text, escaped for printing.
    pub text: String,
    /// Why it is refused.
    pub refusal: Refusal,
}

impl PathError {
    pub(super) fn new(text: &str, refusal: Refusal) -> PathError {
        PathError { text: escape(OsStr::new(text)), refusal }
    }
}

/// Why a text is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No text at all.
    Empty,
    /// Longer than the 32,767 UTF-16 units that Windows can handle.
    TooLong,
    /// A UTF-16 unit without its other half (WTF-8 in Rust's terms): such a name has no text.
    LoneSurrogate,
    /// A control character: below U+0020.
    Control,
    /// `a\b`: relative, and no directory to start from was given.
    Relative,
    /// `\a`: on the current drive, which is not known here.
    Rooted,
    /// `C:a`: in the current directory of that drive, which every process has its own of.
    DriveRelative,
    /// `\\server\share`: another machine, or this one by way of the network (`\\localhost\C$`).
    Network,
    /// `\\?\Volume{…}` of which the host's description says nothing.
    UnknownVolume,
    /// `\\?\GLOBALROOT\…`: the object manager's own names, past every drive letter.
    GlobalRoot,
    /// `\\.\PhysicalDrive0`, `\\.\pipe\x`: a device that is no drive.
    Device,
    /// `NUL`, `COM1.txt`, `con`: Windows takes it for a device in every directory.
    DeviceName(String),
    /// `..` above the root, or in a spelling that takes it as a name.
    Parent,
    /// `/` or a doubled separator after `\\?\`, where Windows takes every character as it is.
    VerbatimSeparator,
    /// A character that no name can hold.
    Forbidden(char),
    /// `f.txt:x`, `f::$DATA`, `dir::$INDEX_ALLOCATION`: a stream, or another name of the file by way of one.
    Stream,
    /// A name that ends in a dot or a space, which Windows takes off in one spelling and keeps in another.
    TrailingDotOrSpace,
    /// A name of more than 255 UTF-16 units.
    NameTooLong,
    /// `PROGRA~1`: a short name of a file whose long name is not known here.
    ShortName(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Refusal::Empty => "an empty path names nothing",
            Refusal::TooLong => "it is longer than the 32,767 units that a path can have",
            Refusal::LoneSurrogate => "a name in it is not Unicode (half of a surrogate pair); rename the file",
            Refusal::Control => "it holds a control character, which no name on Windows can",
            Refusal::Relative => "it is relative; write it from the drive on, like `C:/work`",
            Refusal::Rooted => "it names no drive; write it from the drive on, like `C:/work`",
            Refusal::DriveRelative => {
                "without a separator after the drive it depends on the current directory of that drive; write `C:/…`"
            }
            Refusal::Network => {
                "it is reached through the network, where the server decides with the user's full rights; use a local path"
            }
            Refusal::UnknownVolume => "nothing is known about this volume; write the path with its drive letter",
            Refusal::GlobalRoot => {
                "it goes past the drive letters by the object manager's names; write it with its drive letter"
            }
            Refusal::Device => "it names a device, not a file on a drive",
            Refusal::DeviceName(name) => return write!(f, "`{}` is a device in every directory", shown(name)),
            Refusal::Parent => "`..` leads above the root, or stands where Windows takes it for a name",
            Refusal::VerbatimSeparator => {
                "after `\\\\?\\` every separator is one `\\`, and no name is empty; write the path without that start"
            }
            Refusal::Forbidden(character) => {
                return write!(f, "no name can hold `{}`", shown(&character.to_string()));
            }
            Refusal::Stream => {
                "`:` names a stream of a file; a rule is about the whole file, so write the path without it"
            }
            Refusal::TrailingDotOrSpace => {
                "a name in it ends in a dot or a space, which Windows takes off in one spelling and keeps in another; \
                 rename the file, or write the name without"
            }
            Refusal::NameTooLong => "a name in it is longer than the 255 units that a name can have",
            Refusal::ShortName(name) => {
                return write!(
                    f,
                    "`{}` looks like the short name of a file whose long name is not known here; write the long name",
                    shown(name)
                );
            }
        };
        f.write_str(text)
    }
}

fn shown(text: &str) -> String {
    escape(OsStr::new(text))
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not taken as a path: {}", self.text, self.refusal)
    }
}

impl std::error::Error for PathError {}
