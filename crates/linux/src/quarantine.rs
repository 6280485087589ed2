//! Taking away what must not exist, and keeping it out of reach for the user to look at.
//!
//! A name goes by one atomic rename into the quarantine directory where that is on the same file system. Else it is renamed
//! where it stands, to a name that nobody knows, which already takes the guarded name away; then it is copied within bounds
//! and removed. What cannot be kept is removed all the same: the name is the danger, the copy a courtesy.
//!
//! Everything is done relative to directory descriptors, follows no symbolic link and crosses no mount, because the inside
//! changes the tree at the same time. What is kept remains hostile, and a file of it may be the same inode as one in the
//! workspace.

mod copy;
mod remove;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use remove::give_rights_back;

use std::ffi::{CStr, CString, OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, ResolveFlags, openat2, renameat, renameat_with, statat,
};
use rustix::io::Errno;

/// How the names begin that stand in the user's tree between taking away and removing.
const PREFIX: &str = ".bailiwick-quarantine-";
/// Most objects that one run keeps.
const KEEP_MOST: u32 = 64;
/// Entries that one call removes at most, so that the supervisor goes on with its other work.
const ENTRIES_AT_ONCE: u32 = 4096;
/// Most objects that are left for later; each holds a descriptor.
const MOST_LEFTOVERS: usize = 64;
/// Bytes of a name that its copy in quarantine carries.
const LONGEST_LABEL: usize = 200;

/// Where a run puts what it has taken away.
#[derive(Debug)]
pub struct Quarantine {
    directory: PathBuf,
    /// Opened when first needed: a run that takes nothing away leaves nothing behind.
    open: Option<OwnedFd>,
    taken: u32,
    kept: u32,
    leftovers: Vec<Leftover>,
}

/// What is taken away and not yet removed from the user's tree.
#[derive(Debug)]
struct Leftover {
    parent: OwnedFd,
    name: CString,
    /// Where it is, as far as is known: for the report only.
    path: PathBuf,
    /// Why it could not be removed at the last attempt.
    error: Option<Errno>,
}

/// How far removing has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleaning {
    /// Nothing is left.
    Done,
    /// More calls will remove more.
    Unfinished,
    /// What is left cannot be removed.
    Stuck,
}

/// What has become of an object that was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is in the quarantine directory.
    Kept(PathBuf),
    /// It is gone: a special file, or too large to be copied, or the quarantine directory takes no more.
    Removed,
    /// It is of the user's own: it is where it was.
    Spared,
}

impl Quarantine {
    /// A quarantine in `directory`, which must be out of the inside's reach. It is made when it is needed.
    pub fn new(directory: PathBuf) -> Quarantine {
        Quarantine { directory, open: None, taken: 0, kept: 0, leftovers: Vec::new() }
    }

    /// Takes `name` (one component) in the directory `parent` away; `None` if there is no such name. `path` is where that is,
    /// for reports only. `is_spared` says of a name in a directory whether the object is the user's own, which is put back:
    /// asked once it is out of reach, so that no swap between looking and taking costs the user a file.
    ///
    /// # Errors
    ///
    /// The answer of the last attempt; the name may still be there.
    pub fn take(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        path: &Path,
        is_spared: &dyn Fn(BorrowedFd<'_>, &CStr) -> bool,
    ) -> Result<Option<Taken>, Errno> {
        let name = CString::new(name.as_bytes()).map_err(|_| Errno::INVAL)?;
        let kind = match statat(parent, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => FileType::from_raw_mode(stat.st_mode),
            Err(Errno::NOENT) => return Ok(None),
            Err(_) => FileType::Unknown,
        };
        self.taken += 1;
        let label = label(self.taken, &name);
        let keep = kept_kind(kind) && self.kept < KEEP_MOST && self.open();
        if keep && self.rename_whole(parent, &name, &label)? {
            if self.put_back_from_quarantine(&label, parent, &name, is_spared) {
                return Ok(Some(Taken::Spared));
            }
            return Ok(Some(self.note_kept(&label)));
        }
        let hidden = match hide(parent, &name) {
            Ok(hidden) => hidden,
            Err(Errno::NOENT) => return Ok(None),
            // No room for another name, or the like: it has to go where it stands.
            Err(_) if is_spared(parent, &name) => return Ok(Some(Taken::Spared)),
            Err(errno) => return self.remove_in_place(parent, &name, errno).map(|()| Some(Taken::Removed)),
        };
        if is_spared(parent, &hidden) {
            return rename_without_replacing(parent, &hidden, &name).map(|()| Some(Taken::Spared));
        }
        let is_kept = keep && self.copy(parent, &hidden, &label);
        self.remove(parent, hidden, path);
        Ok(Some(if is_kept { self.note_kept(&label) } else { Taken::Removed }))
    }

    /// Goes on with removing what earlier calls have left.
    pub fn clean(&mut self) -> Cleaning {
        let mut left = ENTRIES_AT_ONCE;
        let mut more = false;
        self.leftovers.retain_mut(|leftover| {
            if left == 0 {
                more = true;
                return true;
            }
            let removed = remove::remove_by_force(leftover.parent.as_fd(), &leftover.name, &mut left);
            more |= removed == Ok(false);
            leftover.error = removed.err();
            removed != Ok(true)
        });
        match (self.leftovers.is_empty(), more) {
            (true, _) => Cleaning::Done,
            (false, true) => Cleaning::Unfinished,
            (false, false) => Cleaning::Stuck,
        }
    }

    /// Whether [`clean`](Self::clean) has something to do.
    pub fn has_leftovers(&self) -> bool {
        !self.leftovers.is_empty()
    }

    /// What is left in the user's tree, and why.
    pub fn leftovers(&self) -> impl Iterator<Item = (PathBuf, Errno)> {
        self.leftovers.iter().map(|leftover| (leftover.path.clone(), leftover.error.unwrap_or(Errno::AGAIN)))
    }

    /// Makes and opens the directory, once.
    fn open(&mut self) -> bool {
        if self.open.is_none() {
            // A failure shows when it is opened.
            let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory);
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            self.open = rustix::fs::openat(CWD, &self.directory, flags, Mode::empty()).ok();
        }
        self.open.is_some()
    }

    /// One rename from the tree into the quarantine. `false` where it takes another way.
    fn rename_whole(&self, parent: BorrowedFd<'_>, name: &CString, label: &OsStr) -> Result<bool, Errno> {
        let Some(quarantine) = &self.open else { return Ok(false) };
        match renameat_with(parent, name, quarantine, label, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(true),
            // Gone meanwhile, another file system, no permission, no room: `hide` finds out.
            Err(_) => Ok(false),
        }
    }

    /// `false`: it is kept, as what is not spared is, and as what cannot be put back.
    fn put_back_from_quarantine(
        &self,
        label: &OsStr,
        parent: BorrowedFd<'_>,
        name: &CString,
        is_spared: &dyn Fn(BorrowedFd<'_>, &CStr) -> bool,
    ) -> bool {
        let (Some(quarantine), Ok(label)) = (&self.open, CString::new(label.as_bytes())) else { return false };
        is_spared(quarantine.as_fd(), &label)
            && renameat_with(quarantine, &label, parent, name, RenameFlags::NOREPLACE).is_ok()
    }

    fn note_kept(&mut self, label: &OsStr) -> Taken {
        self.kept += 1;
        Taken::Kept(self.directory.join(label))
    }

    fn copy(&self, parent: BorrowedFd<'_>, name: &CString, label: &OsStr) -> bool {
        let Some(quarantine) = &self.open else { return false };
        let Ok(label) = CString::new(label.as_bytes()) else { return false };
        // On the same file system after all (the first attempt failed on a permission of the directory).
        if renameat_with(parent, name, quarantine, &label, RenameFlags::NOREPLACE).is_ok() {
            return true;
        }
        let copied = copy::copy(parent, name, quarantine.as_fd(), &label, &mut copy::Budget::default());
        if copied.is_err() {
            let mut all = u32::MAX;
            let _ = remove::remove(quarantine.as_fd(), &label, &mut all);
        }
        copied.is_ok()
    }

    /// Removes what stands under a hidden name, now or, if it is much, little by little.
    fn remove(&mut self, parent: BorrowedFd<'_>, name: CString, path: &Path) {
        let mut left = if self.leftovers.len() < MOST_LEFTOVERS { ENTRIES_AT_ONCE } else { u32::MAX };
        if matches!(remove::remove_by_force(parent, &name, &mut left), Ok(true)) {
            return;
        }
        if let Ok(parent) = rustix::io::fcntl_dupfd_cloexec(parent, 3) {
            let path = path.with_file_name(OsStr::from_bytes(name.to_bytes()));
            self.leftovers.push(Leftover { parent, name, path, error: None });
        }
    }

    fn remove_in_place(&self, parent: BorrowedFd<'_>, name: &CString, why: Errno) -> Result<(), Errno> {
        let mut left = ENTRIES_AT_ONCE;
        match remove::remove_by_force(parent, name, &mut left) {
            Ok(true) => Ok(()),
            Ok(false) => Err(why),
            Err(errno) => Err(errno),
        }
    }
}

/// Removes what a killed run has left in `directory`: entries under hidden names. Says how many.
///
/// # Errors
///
/// What opening the directory answers. Entries that cannot be removed are left.
pub fn sweep(directory: &Path) -> Result<usize, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let parent = openat2(CWD, directory, flags, Mode::empty(), resolve)?;
    let mut removed = 0;
    for name in remove::entries(parent.as_fd(), usize::MAX)?.iter().filter(|name| is_hidden_name(name.to_bytes())) {
        let mut all = u32::MAX;
        removed += usize::from(matches!(remove::remove(parent.as_fd(), name, &mut all), Ok(true)));
    }
    Ok(removed)
}

/// Special files are not kept: opening one later could block or answer.
fn kept_kind(kind: FileType) -> bool {
    matches!(kind, FileType::RegularFile | FileType::Directory | FileType::Symlink)
}

/// The name in quarantine: a number, so that it is unique in the run, and the name taken away.
fn label(number: u32, name: &CString) -> OsString {
    let bytes = name.to_bytes();
    let mut label = OsString::from(format!("{number}-"));
    label.push(OsStr::from_bytes(bytes.get(..LONGEST_LABEL).unwrap_or(bytes)));
    label
}

/// Renames `name` where it stands to a name that cannot be guessed, atomically.
fn hide(parent: BorrowedFd<'_>, name: &CString) -> Result<CString, Errno> {
    let hidden = hidden_name()?;
    match rename_without_replacing(parent, name, &hidden) {
        Err(Errno::ACCESS) => {
            give_rights_back(parent)?;
            rename_without_replacing(parent, name, &hidden)?;
        }
        answer => answer?,
    }
    Ok(hidden)
}

fn rename_without_replacing(parent: BorrowedFd<'_>, name: &CString, hidden: &CString) -> Result<(), Errno> {
    match renameat_with(parent, name, parent, hidden, RenameFlags::NOREPLACE) {
        // A file system without the flag: 128 random bits replace nothing either.
        Err(Errno::INVAL) => renameat(parent, name, parent, hidden),
        answer => answer,
    }
}

fn hidden_name() -> Result<CString, Errno> {
    let mut random = [0_u8; 16];
    let filled = rustix::rand::getrandom(&mut random[..], rustix::rand::GetRandomFlags::empty())?;
    if filled != random.len() {
        return Err(Errno::AGAIN);
    }
    let mut name = String::from(PREFIX);
    for byte in random {
        name.push_str(&format!("{byte:02x}"));
    }
    CString::new(name).map_err(|_| Errno::INVAL)
}

fn is_hidden_name(name: &[u8]) -> bool {
    name.strip_prefix(PREFIX.as_bytes())
        .is_some_and(|rest| rest.len() == 32 && rest.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}
