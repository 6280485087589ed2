//! What a run watches, written down where the next one finds it.
//!
//! A run that is ended by `kill -9` takes nothing away any more: a guarded name that came into being shortly before stays in
//! the user's tree, and so may what was being taken away. So every run that watches names keeps an entry while it lives, in
//! a directory that all runs share, and every run looks at the entries of the dead first.
//!
//! An entry is a file that its run holds locked (flock(2)). The kernel lets the lock go with the run, however it ends, so who
//! gets the lock knows that the run is dead. A process id would have to be told from a later one that has the same number,
//! and means nothing in another process-id namespace.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ffi::{CStr, CString, OsStr};
use std::fmt;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bailiwick_policy::text;
use rustix::fs::{
    AtFlags, CWD, FlockOperation, Mode, OFlags, RawDir, ResolveFlags, flock, openat, openat2, statat, unlinkat,
};
use rustix::io::Errno;

use crate::plan::Watched;
use crate::quarantine;
use crate::sys::late::Hold;

/// Bytes of an entry that are read at most.
const MOST_BYTES: u64 = 1 << 22;
/// An empty entry is one that its run has made and not locked yet, unless it is older than this.
const BIRTH: Duration = Duration::from_secs(60);

/// The entries of all runs, and this run's own.
#[derive(Debug)]
pub struct Journal {
    place: PathBuf,
    /// `None` where no run has written anything yet.
    directory: Option<OwnedFd>,
    own: Option<Own>,
}

/// This run's entry.
#[derive(Debug)]
struct Own {
    name: CString,
    /// Holds the lock.
    file: OwnedFd,
    /// Made beforehand, so that the end need not wait for it; without it, closing takes longer.
    hold: Option<Hold>,
}

/// What a killed run has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This name, which was watched since it did not exist, exists now.
    Name(PathBuf),
    /// So many entries that were being taken away stood in this directory, and are removed.
    Swept(PathBuf, usize),
}

/// A step that failed: what was being done, to what, and the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalError {
    step: Step,
    path: PathBuf,
    errno: Errno,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Open,
    List,
    LookAt,
    Make,
    Write,
    Remove,
}

impl Step {
    const fn doing(self) -> &'static str {
        match self {
            Step::Open => "opening",
            Step::List => "listing",
            Step::LookAt => "looking at the entry",
            Step::Make => "making",
            Step::Write => "writing",
            Step::Remove => "removing",
        }
    }

    /// What it means for the user.
    const fn so(self) -> &'static str {
        match self {
            Step::Open | Step::List | Step::LookAt => {
                "if an earlier run was killed, it is not known what it left; see to the directory's permissions, or remove the \
                 entry"
            }
            Step::Make | Step::Write => "should this run be killed, the next one cannot say what it left",
            Step::Remove => "the next run will look at it, and may name what this one has already told",
        }
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let JournalError { step, path, errno } = self;
        write!(f, "{} {} failed: {errno}; {}", step.doing(), text::escape(path.as_os_str()), step.so())
    }
}

impl std::error::Error for JournalError {}

impl Journal {
    /// The journal in the directory `place`, which must be out of the inside's reach. It is made when something is written.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be opened.
    pub fn open(place: PathBuf) -> Result<Journal, JournalError> {
        match open_directory(&place) {
            Ok(directory) => Ok(Journal { place, directory: Some(directory), own: None }),
            Err(Errno::NOENT) => Ok(Journal { place, directory: None, own: None }),
            Err(errno) => Err(JournalError { step: Step::Open, path: place, errno }),
        }
    }

    /// Looks at what killed runs have left, tells it, and removes their entries. Hidden names of the quarantine are removed
    /// from the user's tree, nothing else. Two system calls where no other run has an entry.
    ///
    /// # Errors
    ///
    /// The first entry or list that cannot be read or removed, after all have been looked at.
    pub fn look_back(&self, tell: &mut dyn FnMut(Found)) -> Result<(), JournalError> {
        let Some(directory) = &self.directory else { return Ok(()) };
        let names =
            list(directory).map_err(|errno| JournalError { step: Step::List, path: self.place.clone(), errno })?;
        let mut result = Ok(());
        for name in names {
            let looked = look_at(directory.as_fd(), &name, tell);
            let failed = looked.map_err(|errno| self.failed(Step::LookAt, &name, errno));
            result = result.and(failed);
        }
        result
    }

    /// Writes down the names that this run watches, under `name`, which no other run has. The command must not run yet.
    ///
    /// # Errors
    ///
    /// The step that failed; there is no entry then.
    pub fn write(&mut self, name: &OsStr, watched: &[Watched]) -> Result<(), JournalError> {
        let c_name = CString::new(name.as_bytes()).unwrap_or_default();
        let made = self.make(&c_name);
        let file = made.map_err(|errno| self.failed(Step::Make, &c_name, errno))?;
        // A file system without locks: nobody will get this one either, and the entry stays.
        let _ = rustix::io::retry_on_intr(|| flock(&file, FlockOperation::LockExclusive));
        let mut file = std::fs::File::from(file);
        let written = file.write_all(&content(watched));
        self.own = Some(Own { name: c_name, file: file.into(), hold: Hold::new().ok() });
        written.map_err(|error| {
            let failed = JournalError { step: Step::Write, path: self.place.join(name), errno: errno(&error) };
            let _ = self.close();
            failed
        })
    }

    /// Removes this run's entry: everything that it watched is taken away or reported.
    ///
    /// # Errors
    ///
    /// When it cannot be removed; the next run will look at it.
    pub fn close(&mut self) -> Result<(), JournalError> {
        let (Some(Own { name, file, hold }), Some(directory)) = (self.own.take(), &self.directory) else {
            return Ok(());
        };
        // Who closes a removed file last takes it off the disk, which takes longer than removing its name.
        let late = hold.and_then(|hold| hold.on(&file).ok());
        let removed = unlinkat(directory, &name, AtFlags::empty());
        drop(file);
        drop(late);
        match removed {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(self.failed(Step::Remove, &name, errno)),
        }
    }

    fn make(&mut self, name: &CString) -> Result<OwnedFd, Errno> {
        if self.directory.is_none() {
            // A failure shows when it is opened; another run may have made it meanwhile.
            let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.place);
            self.directory = Some(open_directory(&self.place)?);
        }
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(self.directory.as_ref().ok_or(Errno::NOENT)?, name, flags, Mode::RUSR | Mode::WUSR)
    }

    fn failed(&self, step: Step, name: &CStr, errno: Errno) -> JournalError {
        JournalError { step, path: self.place.join(OsStr::from_bytes(name.to_bytes())), errno }
    }
}

fn open_directory(place: &Path) -> Result<OwnedFd, Errno> {
    openat(CWD, place, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

fn list(directory: &OwnedFd) -> Result<Vec<CString>, Errno> {
    let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
    let mut list = RawDir::new(directory, &mut buffer);
    let mut names = Vec::new();
    while let Some(entry) = list.next() {
        let name = entry?.file_name().to_owned();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    Ok(names)
}

/// Looks at one entry; nothing is done if its run lives, or another one is looking at it.
fn look_at(directory: BorrowedFd<'_>, name: &CString, tell: &mut dyn FnMut(Found)) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(directory, name, flags, Mode::empty()) {
        // Its run has ended meanwhile, or another one has looked at it.
        Err(Errno::NOENT) => return Ok(()),
        answer => answer?,
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK | Errno::INTR) => return Ok(()),
        answer => answer?,
    }
    let file = std::fs::File::from(file);
    let mut bytes = Vec::new();
    (&file).take(MOST_BYTES).read_to_end(&mut bytes).map_err(|error| errno(&error))?;
    if bytes.is_empty() && is_young(&file) {
        return Ok(());
    }
    tell_of(&bytes, tell);
    // The lock is held until here: no other run tells the same.
    match unlinkat(directory, name, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        answer => answer,
    }
}

fn is_young(file: &std::fs::File) -> bool {
    let made = file.metadata().and_then(|metadata| metadata.modified()).ok();
    made.and_then(|made| SystemTime::now().duration_since(made).ok()).is_none_or(|age| age < BIRTH)
}

/// Root and path of every name, each ended by a zero byte, which no path holds.
fn content(watched: &[Watched]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(watched.len() * 128);
    for name in watched {
        for path in [&name.root, &name.path] {
            bytes.extend_from_slice(path.as_os_str().as_bytes());
            bytes.push(0);
        }
    }
    bytes
}

/// Tells which of the names of an entry exist now, and sweeps the directories from their roots down to them. What is not
/// whole was being written when its run was killed, before its command started.
fn tell_of(bytes: &[u8], tell: &mut dyn FnMut(Found)) {
    let whole = bytes.iter().rposition(|byte| *byte == 0).and_then(|end| bytes.get(..end)).unwrap_or_default();
    let paths: Vec<&Path> = whole.split(|byte| *byte == 0).map(|bytes| Path::new(OsStr::from_bytes(bytes))).collect();
    let mut holders = BTreeSet::new();
    for pair in paths.chunks_exact(2) {
        let [root, path] = pair else { continue };
        if !root.is_absolute() || !path.starts_with(root) {
            continue;
        }
        if exists(path) {
            tell(Found::Name(path.to_path_buf()));
        }
        holders.extend(path.ancestors().skip(1).take_while(|above| above.starts_with(root)));
    }
    for holder in holders {
        // A directory that is gone, or in whose place something else stands, holds nothing of that run.
        if let Ok(swept @ 1..) = quarantine::sweep(holder) {
            tell(Found::Swept(holder.to_path_buf(), swept));
        }
    }
}

/// Whether there is something at `path`. A link on the way is the work of that run, since there was none: what it leads to
/// is not looked at, and the name counts as there; so does what cannot be looked at.
fn exists(path: &Path) -> bool {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return false };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(CWD, parent, flags, Mode::empty(), resolve) {
        Ok(parent) => !matches!(statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW), Err(Errno::NOENT)),
        Err(Errno::NOENT | Errno::NOTDIR) => false,
        Err(_) => true,
    }
}

fn errno(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
