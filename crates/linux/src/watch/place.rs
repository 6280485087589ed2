//! The directories that are watched: opened beneath their root, each held open with a notification on it.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2, statat};
use rustix::io::Errno;

use super::WatchError;
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
    /// Dropped last: when no directory rings it any more.
    bell: Bell,
}

impl Places {
    pub(super) fn new(bell: Bell) -> Places {
        Places { bell, roots: Vec::with_capacity(4), places: Vec::with_capacity(8) }
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

    /// Before the inside runs: watches the directory at `tail`, or as much of the way to it as exists. With `removals`, also
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
            Ok(directory) => self.watch_existing(index, &directory, &whole),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => match tail.parent() {
                Some(above) => self.watch_at_start(root, above, false),
                None => Err(WatchError::Open { path: whole, errno: Errno::NOENT }),
            },
            Err(errno) => Err(WatchError::Open { path: whole, errno }),
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
        let mut directory = match self.open(root, Path::new("")) {
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
                Err(errno @ (Errno::LOOP | Errno::NOTDIR)) => {
                    if !is_link(directory.as_fd(), component.as_os_str()) {
                        return Reach::Missing;
                    }
                    errno
                }
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

fn is_link(directory: BorrowedFd<'_>, name: &OsStr) -> bool {
    statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
}
