//! From text to canonical path.

use std::ffi::OsStr;

use super::{Name, PathError, Refusal, Volume, WindowsPath, names};

/// The longest path that Windows can handle, in UTF-16 units (`UNICODE_STRING` holds 65,535 bytes).
const LONGEST_PATH: usize = 32_767;

/// A short name that a host's description explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortName {
    /// The directory that holds the file, in long names.
    pub directory: WindowsPath,
    /// The short name.
    pub short: String,
    /// The long name; the same text for a file that has no other.
    pub long: String,
}

/// What is known about the host that a path is read for. What is not known is refused, never guessed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The directory that relative paths start from; its drive is the one of rooted paths.
    pub base: Option<&'a WindowsPath>,
    /// Volumes by GUID (lower case, no braces), each with its drive letter if it has one.
    pub volumes: &'a [(String, Option<char>)],
    /// Short names.
    pub short_names: &'a [ShortName],
}

/// How Windows would read the rest of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// `/` is a separator too, `.` and `..` are taken away, doubled separators count once.
    Win32,
    /// Every character as it is.
    Verbatim,
}

impl<'a> Known<'a> {
    /// Nothing about any host.
    pub fn nothing() -> Known<'a> {
        Known::default()
    }

    /// Reads a text.
    ///
    /// # Errors
    ///
    /// [`PathError`] if it cannot be told for certain which file it names.
    pub fn parse(&self, text: &str) -> Result<WindowsPath, PathError> {
        self.read(text).map_err(|refusal| PathError::new(text, refusal))
    }

    /// Reads a name that the system gave, in UTF-16.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), and [`Refusal::LoneSurrogate`].
    pub fn parse_utf16(&self, text: &[u16]) -> Result<WindowsPath, PathError> {
        match String::from_utf16(text) {
            Ok(text) => self.parse(&text),
            Err(_) => Err(PathError::new(&String::from_utf16_lossy(text), Refusal::LoneSurrogate)),
        }
    }

    /// Reads a name as Rust keeps it: UTF-8, or WTF-8 where the system's name is not Unicode.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), and [`Refusal::LoneSurrogate`].
    pub fn parse_os(&self, text: &OsStr) -> Result<WindowsPath, PathError> {
        match text.to_str() {
            Some(text) => self.parse(text),
            None => Err(PathError::new(&text.to_string_lossy(), Refusal::LoneSurrogate)),
        }
    }

    /// Reads a text that must be relative.
    pub(super) fn parse_below(&self, text: &str) -> Result<WindowsPath, PathError> {
        let starts = text.starts_with(['/', '\\']) || drive(text).is_some();
        if starts { Err(PathError::new(text, Refusal::Rooted)) } else { self.parse(text) }
    }

    fn read(&self, text: &str) -> Result<WindowsPath, Refusal> {
        if text.is_empty() {
            return Err(Refusal::Empty);
        }
        if text.encode_utf16().count() > LONGEST_PATH {
            return Err(Refusal::TooLong);
        }
        if text.contains(|c: char| c < ' ') {
            return Err(Refusal::Control);
        }
        // The object manager's own spelling of `\\?\`; only `\` is a separator there.
        if let Some(rest) = text.strip_prefix(r"\\?\").or_else(|| text.strip_prefix(r"\??\")) {
            return self.named(rest, Manner::Verbatim);
        }
        // With any other mixture of separators Windows reads `//?/` like `\\.\`: the rest is tidied first.
        let slashes: String = text.chars().map(|c| if c == '/' { '\\' } else { c }).collect();
        if let Some(rest) = slashes.strip_prefix(r"\\.\").or_else(|| slashes.strip_prefix(r"\\?\")) {
            return self.named(rest, Manner::Win32);
        }
        if slashes.starts_with(r"\\") {
            return Err(Refusal::Network);
        }
        if slashes.starts_with(r"\??\") {
            return Err(Refusal::VerbatimSeparator);
        }
        if slashes == r"\\." || slashes == r"\\?" {
            return Err(Refusal::Device);
        }
        if let Some((letter, rest)) = drive(&slashes) {
            let rest = rest.strip_prefix('\\').ok_or(Refusal::DriveRelative)?;
            return self.below(WindowsPath::root(letter), rest, Manner::Win32);
        }
        match (slashes.strip_prefix('\\'), self.base) {
            (Some(rest), Some(base)) => {
                let root = WindowsPath { volume: base.volume.clone(), names: Vec::new() };
                self.below(root, rest, Manner::Win32)
            }
            (None, Some(base)) => self.below(base.clone(), &slashes, Manner::Win32),
            (Some(_), None) => Err(Refusal::Rooted),
            (None, None) => {
                // What could not be named anywhere is refused for that; the way out differs.
                self.below(WindowsPath::root('C'), &slashes, Manner::Win32)?;
                Err(Refusal::Relative)
            }
        }
    }

    /// What stands after `\\?\`, `\\.\` or `\??\`.
    fn named(&self, rest: &str, manner: Manner) -> Result<WindowsPath, Refusal> {
        if manner == Manner::Verbatim && rest.contains('/') {
            return Err(Refusal::VerbatimSeparator);
        }
        let (first, below) = rest.split_once('\\').map_or((rest, None), |(first, below)| (first, Some(below)));
        if first.eq_ignore_ascii_case("UNC") {
            return Err(Refusal::Network);
        }
        if first.eq_ignore_ascii_case("GLOBALROOT") || first.eq_ignore_ascii_case("Global") {
            return Err(Refusal::GlobalRoot);
        }
        if let Some((letter, "")) = drive(first) {
            // Without the separator it is the volume itself, as a device.
            return self.below(WindowsPath::root(letter), below.ok_or(Refusal::Device)?, manner);
        }
        if let Some(guid) = volume_guid(first) {
            let (_, letter) = self.volumes.iter().find(|(known, _)| *known == guid).ok_or(Refusal::UnknownVolume)?;
            let volume = letter.map_or(Volume::Guid(guid), |letter| Volume::Drive(letter.to_ascii_uppercase()));
            let root = WindowsPath { volume, names: Vec::new() };
            return self.below(root, below.ok_or(Refusal::Device)?, manner);
        }
        Err(Refusal::Device)
    }

    fn below(&self, start: WindowsPath, rest: &str, manner: Manner) -> Result<WindowsPath, Refusal> {
        let mut path = start;
        // One separator at the end says that a directory is meant, in every spelling.
        let rest = rest.strip_suffix('\\').unwrap_or(rest);
        for part in rest.split('\\').filter(|_| !rest.is_empty()) {
            match (part, manner) {
                ("" | ".", Manner::Win32) => {}
                ("..", Manner::Win32) => {
                    path.names.pop().ok_or(Refusal::Parent)?;
                }
                ("", Manner::Verbatim) => return Err(Refusal::VerbatimSeparator),
                ("." | "..", Manner::Verbatim) => return Err(Refusal::Parent),
                (name, _) => {
                    names::check(name)?;
                    let name = self.long(&path, name)?;
                    path.names.push(name);
                }
            }
        }
        Ok(path)
    }

    /// The long name of what may be a short one.
    fn long(&self, directory: &WindowsPath, name: &str) -> Result<Name, Refusal> {
        if !names::looks_short(name) {
            return Ok(Name::new(name));
        }
        let written = Name::new(name);
        let known = self
            .short_names
            .iter()
            .find(|known| known.directory == *directory && super::fold::fold(&known.short) == written.folded);
        known.map(|known| Name::new(&known.long)).ok_or_else(|| Refusal::ShortName(name.to_owned()))
    }
}

/// The drive letter at the start, and what follows the colon.
fn drive(text: &str) -> Option<(char, &str)> {
    let letter = text.chars().next().filter(char::is_ascii_alphabetic)?;
    Some((letter, text.strip_prefix(letter)?.strip_prefix(':')?))
}

/// The GUID of `Volume{…}`, in lower case.
fn volume_guid(text: &str) -> Option<String> {
    let prefix = text.get(.."Volume".len()).filter(|prefix| prefix.eq_ignore_ascii_case("Volume"))?;
    let guid = text.strip_prefix(prefix)?.strip_prefix('{')?.strip_suffix('}')?;
    let groups: Vec<&str> = guid.split('-').collect();
    let is_guid = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_guid.then(|| guid.to_ascii_lowercase())
}
