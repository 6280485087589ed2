//! The directories that are watched: opened beneath their root, each held open with a notification on it.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstat, openat, openat2};
use rustix::io::Errno;

use super::WatchError;
use super::known::{Identity, RIGHTS_ATTEMPTS, look};
use crate::sys::directory_notify::{Bell, ring};

/// A directory by its way from the root, whatever inode is there at the moment.
#[derive(Debug)]
pub(super) struct Place {
    root: usize,
    tail: PathBuf,
    /// The inode that was there when it was last looked at.
    held: Option<Held>,
    /// Whether removals are of interest too.
    removals: bool,
    /// Whether it has been there from the start: it is no work of the inside, and must never be taken away.
    initial: bool,
}

impl Place {
    pub(super) fn root(&self) -> usize {
        self.root
    }

    pub(super) fn tail(&self) -> &Path {
        &self.tail
    }
}

/// A directory that is held open, because its notification ends when it is closed.
#[derive(Debug)]
struct Held {
    directory: OwnedFd,
    /// Device and inode.
    identity: (u64, u64),
    /// Whether it tells of removals too.
    removals: bool,
}

/// A writable root.
#[derive(Debug)]
struct Root {
    path: PathBuf,
    directory: OwnedFd,
}

/// Where the way to a directory has led.
pub(super) enum Reach {
    /// To the directory. It is watched, and so is everything on the way that was not there from the start.
    Parent(OwnedFd),
    /// Nowhere: something on the way does not exist. Where it could come into being is watched.
    Missing,
    /// To an object of the inside that leads elsewhere or cannot be watched: the last component of `tail`, in `parent`.
    Obstacle {
        /// The directory that it stands in.
        parent: OwnedFd,
        /// The object, from the root.
        tail: PathBuf,
    },
    /// To a directory that was there from the start and cannot be watched or opened any more.
    Blind(Errno),
}

/// All roots and watched directories.
#[derive(Debug)]
pub(super) struct Places {
    roots: Vec<Root>,
    places: Vec<Place>,
    /// What has stood from the start where a directory was wanted: the user's, never to be taken away.
    stood: Vec<(usize, PathBuf, Identity)>,
    /// Dropped last: when no directory rings it any more.
    bell: Bell,
}

impl Places {
    pub(super) fn new(bell: Bell) -> Places {
        Places { bell, roots: Vec::with_capacity(4), places: Vec::with_capacity(8), stood: Vec::new() }
    }

    pub(super) fn bell(&self) -> &Bell {
        &self.bell
    }

    /// The index of the root at `path`, opened when it is new.
    pub(super) fn root(&mut self, path: &Path) -> Result<usize, WatchError> {
        if let Some(index) = self.roots.iter().position(|root| root.path == path) {
            return Ok(index);
        }
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let directory = openat2(CWD, path, DIRECTORY, Mode::empty(), resolve)
            .map_err(|errno| WatchError::Open { path: path.to_path_buf(), errno })?;
        self.roots.push(Root { path: path.to_path_buf(), directory });
        Ok(self.roots.len() - 1)
    }

    /// Where root number `index` is.
    pub(super) fn path(&self, index: usize) -> &Path {
        self.roots.get(index).map_or(Path::new(""), |root| &root.path)
    }

    /// Places whose directory is held by descriptor `number`.
    pub(super) fn behind(&self, number: i32) -> impl Iterator<Item = &Place> {
        let holds = move |held: &Held| held.directory.as_raw_fd() == number;
        self.places.iter().filter(move |place| place.held.as_ref().is_some_and(holds))
    }

    /// Puts another directory in the place of the first root.
    #[cfg(test)]
    pub(super) fn replace_root(&mut self, directory: OwnedFd) {
        if let Some(root) = self.roots.first_mut() {
            root.directory = directory;
        }
    }

    /// How many directories are held open.
    #[cfg(test)]
    pub(super) fn held_count(&self) -> usize {
        self.places.iter().filter(|place| place.held.is_some()).count()
    }

    /// The directory at `tail` below root number `root` as it was when it was last looked at.
    pub(super) fn held(&self, root: usize, tail: &Path) -> Option<BorrowedFd<'_>> {
        let place = self.places.iter().find(|place| place.root == root && place.tail == tail)?;
        place.held.as_ref().map(|held| held.directory.as_fd())
    }

    /// Opens the directory at `tail` below root number `root`.
    pub(super) fn open(&self, root: usize, tail: &Path) -> Result<OwnedFd, Errno> {
        let root = self.roots.get(root).ok_or(Errno::NOENT)?;
        let tail = if tail.as_os_str().is_empty() { Path::new(".") } else { tail };
        openat2(&root.directory, tail, DIRECTORY, Mode::empty(), BENEATH)
    }

    /// The same where the inside may have taken rights off: they are given back on the way.
    pub(super) fn open_with_rights(&self, root: usize, tail: &Path) -> Result<OwnedFd, Errno> {
        let mut answer = self.open_searchable(root, tail);
        for _ in 0..RIGHTS_ATTEMPTS {
            match answer {
                Err(Errno::ACCESS) => self.give_rights_back(root, tail)?,
                // Renamed meanwhile.
                Err(Errno::AGAIN) => {}
                _ => break,
            }
            answer = self.open_searchable(root, tail);
        }
        answer
    }

    /// Opens the directory, in which names can then be looked up.
    fn open_searchable(&self, root: usize, tail: &Path) -> Result<OwnedFd, Errno> {
        self.open(root, &tail.join("."))
    }

    /// Gives the owner all rights on each directory from the root to `tail`.
    fn give_rights_back(&self, root: usize, tail: &Path) -> Result<(), Errno> {
        let root = self.roots.get(root).ok_or(Errno::NOENT)?;
        crate::quarantine::give_rights_back(root.directory.as_fd())?;
        let mut directory: Option<OwnedFd> = None;
        for component in tail.components() {
            let above = directory.as_ref().map_or(root.directory.as_fd(), OwnedFd::as_fd);
            let next = open_step(above, component.as_os_str())?;
            crate::quarantine::give_rights_back(next.as_fd())?;
            directory = Some(next);
        }
        Ok(())
    }

    /// Whether the directory that was at `tail` when it was last looked at is still there, open for looking.
    pub(super) fn is_current(&self, root: usize, tail: &Path) -> bool {
        let place = self.places.iter().find(|place| place.root == root && place.tail == tail);
        place.is_some_and(|place| self.is_in_place(place, self.open_searchable(root, tail)))
    }

    fn is_in_place(&self, place: &Place, now: Result<OwnedFd, Errno>) -> bool {
        let now = now.and_then(fstat);
        let held = place.held.as_ref();
        matches!((held, now), (Some(held), Ok(now)) if held.identity == (now.st_dev, now.st_ino))
    }

    /// Gives rights back wherever they are missing, and says which places cannot be opened or hold another directory than
    /// the one that is watched.
    pub(super) fn unsure(&self) -> Vec<(usize, PathBuf)> {
        let watched = self.places.iter().filter(|place| place.held.is_some());
        let unsure = watched.filter(|place| !self.is_in_place(place, self.open_with_rights(place.root, &place.tail)));
        unsure.map(|place| (place.root, place.tail.clone())).collect()
    }

    /// Before the inside runs: watches the directory at `tail` and all above it, as far as they exist. With `removals`, also
    /// what disappears from it.
    pub(super) fn watch_at_start(&mut self, root: usize, tail: &Path, removals: bool) -> Result<(), WatchError> {
        let index = self.index(root, tail);
        if let Some(place) = self.places.get_mut(index) {
            if place.held.is_some() && (place.removals || !removals) {
                return Ok(());
            }
            place.removals |= removals;
        }
        let whole = self.path(root).join(tail);
        match self.open(root, tail) {
            Ok(directory) => self.watch_existing(index, &directory, &whole)?,
            Err(errno @ (Errno::NOENT | Errno::NOTDIR | Errno::LOOP)) => {
                if tail.as_os_str().is_empty() {
                    return Err(WatchError::Open { path: whole, errno });
                }
                self.note_standing(root, tail);
            }
            Err(errno) => return Err(WatchError::Open { path: whole, errno }),
        }
        // Also what is above: another directory may come to stand there.
        tail.parent().map_or(Ok(()), |above| self.watch_at_start(root, above, false))
    }

    /// Remembers what stands at `tail` and is no directory.
    fn note_standing(&mut self, root: usize, tail: &Path) {
        let Some(Ok(above)) = tail.parent().map(|above| self.open(root, above)) else { return };
        if let Ok(Some(identity)) = look(above.as_fd(), tail) {
            self.stood.push((root, tail.to_path_buf(), identity));
        }
    }

    fn watch_existing(&mut self, index: usize, directory: &OwnedFd, path: &Path) -> Result<(), WatchError> {
        // A directory of the user's stays as it is: where it cannot be read, the run is refused.
        self.watch(index, directory.as_fd(), false)
            .map_err(|errno| WatchError::Add { path: path.to_path_buf(), errno })?;
        if let Some(place) = self.places.get_mut(index) {
            place.initial = true;
        }
        Ok(())
    }

    /// During the run: goes to the directory at `tail` step by step, watching each directory before looking into it.
    pub(super) fn reach(&mut self, root: usize, tail: &Path) -> Reach {
        let mut directory = match self.open_with_rights(root, Path::new("")) {
            Ok(directory) => directory,
            Err(errno) => return Reach::Blind(errno),
        };
        let mut so_far = PathBuf::new();
        if let Err(errno) = self.watch_again(root, &so_far, directory.as_fd()) {
            return Reach::Blind(errno);
        }
        for component in tail.components() {
            let step = open_step(directory.as_fd(), component.as_os_str());
            so_far.push(component);
            let failed = match step {
                Ok(next) => match self.watch_again(root, &so_far, next.as_fd()) {
                    Ok(()) => {
                        directory = next;
                        continue;
                    }
                    Err(errno) => errno,
                },
                Err(Errno::NOENT) => return Reach::Missing,
                // No directory. Left as a file, the guarded name could not be made, but it may itself lead elsewhere (a
                // `.git` file does).
                Err(Errno::LOOP | Errno::NOTDIR) => match look(directory.as_fd(), &so_far) {
                    Ok(None) => return Reach::Missing,
                    Ok(Some(identity)) if self.has_stood(root, &so_far, identity) => return Reach::Missing,
                    Ok(Some(_)) => return Reach::Obstacle { parent: directory, tail: so_far },
                    Err(errno) => return Reach::Blind(errno),
                },
                Err(errno) => errno,
            };
            if self.was_there(root, &so_far) {
                return Reach::Blind(failed);
            }
            return Reach::Obstacle { parent: directory, tail: so_far };
        }
        Reach::Parent(directory)
    }

    /// Whether the directory at `tail` has been there from the start.
    fn was_there(&self, root: usize, tail: &Path) -> bool {
        self.places.iter().any(|place| place.initial && place.root == root && place.tail.starts_with(tail))
    }

    fn has_stood(&self, root: usize, tail: &Path, identity: Identity) -> bool {
        self.stood.iter().any(|stood| stood.0 == root && stood.1 == tail && stood.2 == identity)
    }

    /// Watches the inode that is at `tail` now.
    fn watch_again(&mut self, root: usize, tail: &Path, directory: BorrowedFd<'_>) -> Result<(), Errno> {
        let index = self.index(root, tail);
        self.watch(index, directory, true)
    }

    /// `repair`: whether rights that the inside has taken off are given back.
    fn watch(&mut self, index: usize, directory: BorrowedFd<'_>, repair: bool) -> Result<(), Errno> {
        let Some(place) = self.places.get_mut(index) else { return Err(Errno::INVAL) };
        let found = fstat(directory)?;
        let identity = (found.st_dev, found.st_ino);
        if place.held.as_ref().is_some_and(|held| held.identity == identity && held.removals == place.removals) {
            return Ok(());
        }
        // By descriptor: the inside cannot swap what is watched for something else.
        let open = || openat(directory, c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let readable = match open() {
            Err(Errno::ACCESS) if repair => {
                crate::quarantine::give_rights_back(directory)?;
                open()?
            }
            answer => answer?,
        };
        ring(readable.as_fd(), place.removals)?;
        // Another directory than the one from the start is the work of somebody since.
        place.initial &= place.held.is_none();
        place.held = Some(Held { directory: readable, identity, removals: place.removals });
        Ok(())
    }

    fn index(&mut self, root: usize, tail: &Path) -> usize {
        if let Some(index) = self.places.iter().position(|place| place.root == root && place.tail == tail) {
            return index;
        }
        self.places.push(Place { root, tail: tail.to_path_buf(), held: None, removals: false, initial: false });
        self.places.len() - 1
    }
}

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

/// Opens one sub-directory. Where the inside has taken the right to search off the directory, it is given back: else the
/// name could come into being unseen while nobody may look.
fn open_step(directory: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, Errno> {
    let open = || openat2(directory, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty(), BENEATH);
    match open() {
        Err(Errno::ACCESS) => {
            crate::quarantine::give_rights_back(directory)?;
            open()
        }
        answer => answer,
    }
}
