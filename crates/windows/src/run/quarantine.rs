//! Taking away what must not exist, and keeping a copy for the user to look at.
//!
//! One rename in its directory, to a name that nobody can foresee, takes the guarded name away. Then it is copied within bounds and
//! deleted. It is never moved out of the workspace: a move keeps the descriptor, and with it the inside's right to write, and a handle
//! that the inside holds would go along, so there would be a place outside of the writable roots that the inside may write.
//!
//! The new name is in the journal before the rename. What a crash leaves under it is deleted by the next session, by recovery or by
//! removal, whichever comes first.

use bailiwick_winsec::AccessMask;
use bailiwick_winsec::ntfs::Share;

use super::RunError;
use super::journal::{Change, Journal};
use super::launch;
use super::undo::delete_hidden;
use crate::host::{Answer, Code, FileHandle, Host, HostError, Kind, Links, OpenFile, Place, Want, if_there};
use crate::path::WindowsPath;

/// How the names begin that stand in the user's tree between taking away and deleting.
const PREFIX: &str = ".bailiwick-taken-";
/// The directory of the copies, in the user's state.
const DIRECTORY: &str = "quarantine";
/// Most objects that are copied of one that is taken away.
const MOST_OBJECTS: usize = 256;
/// Most bytes.
const MOST_BYTES: usize = 16 << 20;
/// Deepest directory.
const DEEPEST: usize = 16;
/// Characters of a name that its copy carries.
const LONGEST_LABEL: usize = 64;
/// How often the journal is tried while another set-up or session writes it.
const ATTEMPTS: u32 = 16;

/// Where a session puts copies of what it takes away.
pub(super) struct Quarantine {
    state: WindowsPath,
    taken: u32,
    /// The directory of this session's copies, once it was needed.
    copies: Option<WindowsPath>,
    /// Taken away and not yet deleted.
    left: Vec<WindowsPath>,
}

/// What became of an object that was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is gone; a copy of it is there.
    Kept(WindowsPath),
    /// It is gone, and could not be copied, or was too much.
    Removed,
    /// It is still there.
    Stuck(HostError),
}

impl Quarantine {
    pub(super) fn new(state: &WindowsPath) -> Quarantine {
        Quarantine { state: state.clone(), taken: 0, copies: None, left: Vec::new() }
    }

    /// Takes `name` in an open directory away; `at` is where that is. `None` if there is no such name.
    ///
    /// # Errors
    ///
    /// [`RunError`] where the journal cannot be written: then nothing was renamed.
    pub(super) fn take<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        directory: FileHandle,
        at: &WindowsPath,
    ) -> Result<Option<Taken>, RunError> {
        let failed = RunError::host("taking a name away that may not appear");
        let Some(name) = at.name() else { return Ok(None) };
        let handle = match host.open(Place::Below(directory, name), &OpenFile::existing(AccessMask::DELETE)) {
            Err(error) if error.code.is_absent() => return Ok(None),
            Err(error) if is_refusal(&error) => return Ok(Some(Taken::Stuck(error))),
            opened => opened.map_err(&failed)?,
        };
        let hidden = format!("{PREFIX}{}", launch::nonce(host)?);
        let there = at.parent().and_then(|parent| parent.join(&hidden).ok()).ok_or(RunError::WrongTier)?;
        let mut journal = journal(host, &self.state)?;
        journal.begin(host, "quarantine")?;
        let number = journal.will(host, Change::Hidden { path: there.clone() })?;
        let renamed = host.rename_here(handle, &hidden);
        host.close(handle).map_err(&failed)?;
        let taken = match renamed {
            Ok(()) => {
                self.taken += 1;
                match self.copy(host, &mut journal, directory, &hidden, name)? {
                    Some(copy) => Taken::Kept(copy),
                    None => Taken::Removed,
                }
            }
            Err(error) if is_refusal(&error) => Taken::Stuck(error),
            Err(error) => return Err(failed(error)),
        };
        match delete_hidden(host, &there)?.is_empty() {
            true => journal.undone(host, number)?,
            false => self.left.push(there),
        }
        journal.end(host)?;
        journal.close(host)?;
        Ok(Some(taken))
    }

    /// Deletes what could not be deleted before; what is left of it all the same.
    ///
    /// # Errors
    ///
    /// [`RunError`].
    pub(super) fn clean<H: Host + ?Sized>(&mut self, host: &mut H) -> Result<Vec<String>, RunError> {
        if self.left.is_empty() {
            return Ok(Vec::new());
        }
        self.left.clear();
        sweep(host, &self.state)
    }

    /// Copies what stands under the hidden name. A copy that fails is no reason to keep the name; only a dead process stops here.
    fn copy<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        journal: &mut Journal,
        directory: FileHandle,
        hidden: &str,
        name: &str,
    ) -> Result<Option<WindowsPath>, RunError> {
        let failed = RunError::host("keeping a copy of what was taken away");
        let Some(copies) = self.copies(host, journal)? else { return Ok(None) };
        let label: String = name.chars().take(LONGEST_LABEL).collect();
        let Ok(copy) = copies.join(&format!("{}-{label}", self.taken)) else { return Ok(None) };
        let mut left = Budget { objects: MOST_OBJECTS, bytes: MOST_BYTES };
        match copy_one(host, Place::Below(directory, hidden), &copy, &mut left, DEEPEST) {
            Ok(true) => Ok(Some(copy)),
            Ok(false) => Ok(None),
            Err(error) if error.code == Code::PROCESS_ABORTED => Err(failed(error)),
            Err(_) => Ok(None),
        }
    }

    /// The directory of this session's copies, made when it is first needed.
    fn copies<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        journal: &mut Journal,
    ) -> Result<Option<WindowsPath>, RunError> {
        let failed = RunError::host("keeping a copy of what was taken away");
        if let Some(copies) = &self.copies {
            return Ok(Some(copies.clone()));
        }
        let Ok(all) = self.state.join(DIRECTORY) else { return Ok(None) };
        let Ok(own) = all.join(&launch::nonce(host)?) else { return Ok(None) };
        let look = OpenFile::existing(AccessMask::FILE_READ_ATTRIBUTES);
        match if_there(host.open(Place::Path(&all), &look)).map_err(&failed)? {
            Some(handle) => host.close(handle).map_err(&failed)?,
            None => {
                journal.will(host, Change::Directory { path: all.clone() })?;
                make(host, &all, true).and_then(|handle| host.close(handle)).map_err(&failed)?;
            }
        }
        let made = make(host, &own, true).and_then(|handle| host.close(handle));
        match made {
            Ok(()) => self.copies = Some(own),
            Err(error) if error.code == Code::PROCESS_ABORTED => return Err(failed(error)),
            Err(_) => {}
        }
        Ok(self.copies.clone())
    }
}

/// Deletes everything that the journal names as taken away. What is left of it.
///
/// # Errors
///
/// [`RunError`].
pub(super) fn sweep<H: Host + ?Sized>(host: &mut H, state: &WindowsPath) -> Result<Vec<String>, RunError> {
    if !Journal::exists(host, state)? {
        return Ok(Vec::new());
    }
    let mut journal = match journal(host, state) {
        // Somebody else's turn; there will be another one of ours.
        Err(RunError::Host { error, .. }) if error.code == Code::SHARING_VIOLATION => return Ok(Vec::new()),
        journal => journal?,
    };
    let mut left = Vec::new();
    for pending in journal.pending() {
        let Change::Hidden { path } = &pending.change else { continue };
        let remains = delete_hidden(host, path)?;
        if remains.is_empty() {
            journal.undone(host, pending.number)?;
        }
        left.extend(remains);
    }
    journal.close(host)?;
    Ok(left)
}

/// The journal of the user, which one process writes at a time.
fn journal<H: Host + ?Sized>(host: &mut H, state: &WindowsPath) -> Result<Journal, RunError> {
    let mut opened = Journal::open(host, state, None);
    for _ in 1..ATTEMPTS {
        match &opened {
            Err(RunError::Host { error, .. }) if error.code == Code::SHARING_VIOLATION => {}
            _ => break,
        }
        opened = Journal::open(host, state, None);
    }
    opened
}

/// An answer that somebody inside can bring about.
fn is_refusal(error: &HostError) -> bool {
    matches!(error.code, Code::ACCESS_DENIED | Code::SHARING_VIOLATION | Code::DIRECTORY | Code::ALREADY_EXISTS)
}

/// How much may still be copied.
struct Budget {
    objects: usize,
    bytes: usize,
}

fn make<H: Host + ?Sized>(host: &mut H, path: &WindowsPath, directory: bool) -> Answer<FileHandle> {
    let access = if directory { AccessMask::FILE_READ_ATTRIBUTES } else { AccessMask::FILE_GENERIC_WRITE };
    let want = Want::New { directory, security: None };
    host.open(Place::Path(path), &OpenFile { access, share: Share::ALL, links: Links::Never, want })
}

/// Copies one object; `false` for what is not copied: a link, which could lead anywhere, and what is beyond the budget. Streams stay behind.
fn copy_one<H: Host + ?Sized>(
    host: &mut H,
    from: Place<'_>,
    to: &WindowsPath,
    left: &mut Budget,
    deep: usize,
) -> Answer<bool> {
    let how = OpenFile::existing(AccessMask::FILE_READ_DATA | AccessMask::FILE_READ_ATTRIBUTES);
    let handle = host.open(from, &how)?;
    let copied = copy_through(host, handle, to, left, deep);
    host.close(handle)?;
    copied
}

fn copy_through<H: Host + ?Sized>(
    host: &mut H,
    handle: FileHandle,
    to: &WindowsPath,
    left: &mut Budget,
    deep: usize,
) -> Answer<bool> {
    if left.objects == 0 || deep == 0 {
        return Ok(false);
    }
    left.objects -= 1;
    match host.facts(handle)?.kind {
        Kind::Link => return Ok(false),
        Kind::File => {
            let content = host.read(handle, left.bytes)?;
            left.bytes = left.bytes.saturating_sub(content.len());
            let copy = make(host, to, false)?;
            let written = host.write(copy, &content);
            host.close(copy)?;
            written?;
        }
        Kind::Directory => {
            let copy = make(host, to, true)?;
            host.close(copy)?;
            for entry in host.list(handle)? {
                let Ok(to) = to.join(&entry.name) else { continue };
                match copy_one(host, Place::Below(handle, &entry.name), &to, left, deep - 1) {
                    Err(error) if error.code == Code::PROCESS_ABORTED => return Err(error),
                    // The rest is worth keeping.
                    _ => {}
                }
            }
        }
    }
    Ok(true)
}
