//! The journal: what bailiwick changes on a host, written before it is done.
//!
//! The journal is a file of lines that only grows, each on the disk before the change that it announces. A step (`begin … end`) that has
//! no end was cut short; [`recover`](super::recover) undoes it. [`remove`](super::remove) undoes everything, the last first. A line that
//! a crash cut off has no end mark, and its change was never begun; a line that has an end mark and does not add up is damage,
//! and then nothing goes on.
//!
//! ```text
//! 3 <tab> stamp <tab> D:\projects\game <tab> … <tab> 5f2c11aa.
//! └ number  └ change and its fields               └ checksum and end mark
//! ```

mod change;

use bailiwick_winsec::ntfs::Share;
use bailiwick_winsec::{AccessMask, SecurityDescriptor};
use hmac_sha256::Hash;

pub use change::Change;

use super::RunError;
use crate::host::{FileHandle, Host, Links, OpenFile, Place, Want, if_there};
use crate::path::WindowsPath;

/// The largest journal that is read, in bytes.
const LARGEST: usize = 64 << 20;

/// The name of the file.
const NAME: &str = "journal";

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    /// A step begins.
    Begin(String),
    /// The step that began last is done.
    End,
    /// A change that is about to be made.
    Will(Change),
    /// The change with this number is undone, or what is left of it was reported.
    Undone(u64),
}

/// A change that may have been made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its number.
    pub number: u64,
    /// The change.
    pub change: Change,
    /// The step that it belongs to.
    pub step: String,
    /// Whether that step was cut short.
    pub cut_short: bool,
}

/// An open journal.
pub struct Journal {
    directory: WindowsPath,
    file: FileHandle,
    lines: Vec<(u64, Line)>,
    /// An append failed: what is on the disk is not known, so no change may follow.
    broken: bool,
}

impl Journal {
    /// Opens the journal of a directory, which is made if it is not there, with this descriptor.
    ///
    /// # Errors
    ///
    /// [`RunError::Journal`] if it is damaged, [`RunError::NotOurs`] if the directory is a link or somebody else's.
    pub fn open<H: Host + ?Sized>(
        host: &mut H,
        directory: &WindowsPath,
        security: Option<&SecurityDescriptor>,
    ) -> Result<Journal, RunError> {
        make_directory(host, directory, security)?;
        let failed = RunError::host("opening the journal");
        let path = file_of(directory)?;
        let access = AccessMask::FILE_GENERIC_READ | AccessMask::FILE_APPEND_DATA;
        // Nobody else writes while it is open: two set-ups at once would each undo half.
        let share = Share { read: true, write: false, delete: true };
        let how = OpenFile { access, share, links: Links::Never, want: Want::Existing };
        let file = match if_there(host.open(Place::Path(&path), &how)).map_err(&failed)? {
            Some(file) => file,
            None => {
                let want = Want::New { directory: false, security };
                host.open(Place::Path(&path), &OpenFile { want, ..how }).map_err(&failed)?
            }
        };
        let bytes = host.read(file, LARGEST).map_err(&failed)?;
        match parse(&bytes) {
            Ok(lines) => Ok(Journal { directory: directory.clone(), file, lines, broken: false }),
            Err(why) => Err(RunError::Journal { path, why }),
        }
    }

    /// Whether there is a journal in this directory.
    ///
    /// # Errors
    ///
    /// [`RunError::Host`].
    pub fn exists<H: Host + ?Sized>(host: &mut H, directory: &WindowsPath) -> Result<bool, RunError> {
        let failed = RunError::host("looking for the journal");
        let how = OpenFile::existing(AccessMask::FILE_READ_ATTRIBUTES);
        match if_there(host.open(Place::Path(&file_of(directory)?), &how)).map_err(&failed)? {
            Some(handle) => host.close(handle).map_err(failed).map(|()| true),
            None => Ok(false),
        }
    }

    fn append<H: Host + ?Sized>(&mut self, host: &mut H, line: Line) -> Result<u64, RunError> {
        let number = self.lines.last().map_or(1, |(number, _)| number + 1);
        if self.broken {
            let why = "a line could not be written to it".to_owned();
            return Err(RunError::Journal { path: file_of(&self.directory)?, why });
        }
        let text = write(number, &line);
        if let Err(error) = host.append(self.file, text.as_bytes()) {
            self.broken = true;
            return Err(RunError::Host { doing: "writing the journal", error });
        }
        self.lines.push((number, line));
        Ok(number)
    }

    /// A step begins.
    ///
    /// # Errors
    ///
    /// [`RunError::Host`]; then nothing may be changed.
    pub fn begin<H: Host + ?Sized>(&mut self, host: &mut H, step: &str) -> Result<(), RunError> {
        self.append(host, Line::Begin(step.to_owned())).map(|_| ())
    }

    /// The step is done.
    ///
    /// # Errors
    ///
    /// [`RunError::Host`]; the step counts as cut short.
    pub fn end<H: Host + ?Sized>(&mut self, host: &mut H) -> Result<(), RunError> {
        self.append(host, Line::End).map(|_| ())
    }

    /// Announces a change. Only after this may it be made.
    ///
    /// # Errors
    ///
    /// [`RunError::Host`]; then the change may not be made.
    pub fn will<H: Host + ?Sized>(&mut self, host: &mut H, change: Change) -> Result<u64, RunError> {
        self.append(host, Line::Will(change))
    }

    /// A change is undone.
    ///
    /// # Errors
    ///
    /// [`RunError::Host`]; it will be undone once more, which does no harm.
    pub fn undone<H: Host + ?Sized>(&mut self, host: &mut H, number: u64) -> Result<(), RunError> {
        self.append(host, Line::Undone(number)).map(|_| ())
    }

    /// The changes that may have been made, the last first.
    pub fn pending(&self) -> Vec<Pending> {
        let mut pending: Vec<Pending> = Vec::new();
        let mut step = String::new();
        for (number, line) in &self.lines {
            match line {
                Line::Begin(name) => step.clone_from(name),
                Line::End => pending.iter_mut().for_each(|change| change.cut_short = false),
                Line::Will(change) => {
                    let (change, step) = (change.clone(), step.clone());
                    pending.push(Pending { number: *number, change, step, cut_short: true });
                }
                Line::Undone(number) => pending.retain(|change| change.number != *number),
            }
        }
        pending.reverse();
        pending
    }

    /// Ends the use of the journal; one that has nothing left to undo is deleted together with its directory, if that is empty then.
    ///
    /// # Errors
    ///
    /// [`RunError::Host`].
    pub fn close<H: Host + ?Sized>(self, host: &mut H) -> Result<(), RunError> {
        let failed = RunError::host("closing the journal");
        host.close(self.file).map_err(&failed)?;
        if self.pending().is_empty() { discard(host, &self.directory) } else { Ok(()) }
    }
}

/// Deletes an empty state directory and the journal in it that has nothing left to undo.
pub(super) fn discard<H: Host + ?Sized>(host: &mut H, directory: &WindowsPath) -> Result<(), RunError> {
    let failed = RunError::host("deleting the journal");
    for path in [file_of(directory)?, directory.clone()] {
        let how = OpenFile::existing(AccessMask::DELETE);
        let Some(handle) = if_there(host.open(Place::Path(&path), &how)).map_err(&failed)? else { continue };
        let deleted = host.delete(handle);
        host.close(handle).map_err(&failed)?;
        match deleted {
            // Something else of bailiwick's is in it still.
            Err(error) if error.code == crate::host::Code::DIRECTORY_NOT_EMPTY => {}
            deleted => deleted.map_err(&failed)?,
        }
    }
    Ok(())
}

fn file_of(directory: &WindowsPath) -> Result<WindowsPath, RunError> {
    directory.join(NAME).map_err(|error| RunError::Journal { path: directory.clone(), why: error.to_string() })
}

/// The state directory, new or ours: no link, and with a wanted descriptor also with its owner.
fn make_directory<H: Host + ?Sized>(
    host: &mut H,
    directory: &WindowsPath,
    security: Option<&SecurityDescriptor>,
) -> Result<(), RunError> {
    let failed = RunError::host("making the directory of the journal");
    let how = OpenFile::existing(AccessMask::READ_CONTROL | AccessMask::FILE_READ_ATTRIBUTES);
    let handle = match if_there(host.open(Place::Path(directory), &how)).map_err(&failed)? {
        Some(handle) => handle,
        None => {
            let want = Want::New { directory: true, security };
            let handle = host.open(Place::Path(directory), &OpenFile { want, ..how }).map_err(&failed)?;
            return host.close(handle).map_err(&failed);
        }
    };
    let facts = host.facts(handle).map_err(&failed)?;
    let present = host.security(handle).map_err(&failed)?;
    host.close(handle).map_err(&failed)?;
    // Anybody may make directories in ProgramData; one that somebody else made is theirs to change.
    let is_ours = security.is_none_or(|wanted| wanted.owner == present.owner && wanted.dacl == present.dacl);
    if facts.kind == crate::host::Kind::Directory && is_ours {
        Ok(())
    } else {
        Err(RunError::NotOurs { what: directory.to_string() })
    }
}

fn write(number: u64, line: &Line) -> String {
    let fields = match line {
        Line::Begin(step) => format!("begin\t{}", super::codec::quote(step.as_bytes())),
        Line::End => "end".to_owned(),
        Line::Will(change) => change.to_fields().join("\t"),
        Line::Undone(number) => format!("undone\t{number}"),
    };
    let text = format!("{number}\t{fields}");
    // The line end comes first: what follows a line that was cut off starts a new one.
    format!("\n{text}\t{}.", checksum(&text))
}

fn checksum(text: &str) -> String {
    Hash::hash(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn parse(bytes: &[u8]) -> Result<Vec<(u64, Line)>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
    let mut lines = Vec::new();
    for (index, line) in text.split('\n').enumerate().skip(1) {
        // Cut off by a crash: the change was not begun.
        let Some(line) = line.strip_suffix('.') else { continue };
        let wrong = || format!("line {} does not add up", index + 1);
        let (line, sum) = line.rsplit_once('\t').ok_or_else(wrong)?;
        if checksum(line) != sum {
            return Err(wrong());
        }
        let (number, fields) = line.split_once('\t').ok_or_else(wrong)?;
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let fields: Vec<&str> = fields.split('\t').collect();
        let read = match fields.as_slice() {
            ["begin", step] => super::codec::text(step).map(Line::Begin),
            ["end"] => Some(Line::End),
            ["undone", number] => number.parse().ok().map(Line::Undone),
            fields => Change::from_fields(fields).map(Line::Will),
        };
        lines.push((number, read.ok_or_else(wrong)?));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests;
