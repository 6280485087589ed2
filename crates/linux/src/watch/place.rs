//! The directories that are watched: opened beneath their root, and one inotify watch for each.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, WatchFlags};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, openat2, statat};
use rustix::io::Errno;

use super::WatchError;

/// A directory by its way from the root, whatever inode is there at the moment.
#[derive(Debug)]
pub(super) struct Place {
    root: usize,
    tail: PathBuf,
    /// The watch of the inode that was there when it was last looked at.
    wd: Option<i32>,
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
    inotify: OwnedFd,
    roots: Vec<Root>,
    places: Vec<Place>,
}

impl Places {
    pub(super) fn new(inotify: OwnedFd) -> Places {
        Places { inotify, roots: Vec::with_capacity(4), places: Vec::with_capacity(8) }
    }

    pub(super) fn inotify(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
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

    /// Places whose inode `wd` watches.
    pub(super) fn behind(&self, wd: i32) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(move |place| place.wd == Some(wd))
    }

    /// The kernel has dropped the watch `wd`: its directory is gone.
    pub(super) fn forget(&mut self, wd: i32) {
        for place in self.places.iter_mut().filter(|place| place.wd == Some(wd)) {
            place.wd = None;
            place.initial = false;
        }
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
            if place.wd.is_some() && (place.removals || !removals) {
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

    /// Watches the inode that is at `tail` now. One that was there from the start is pinned, and watched already.
    fn watch_again(&mut self, root: usize, tail: &Path, directory: BorrowedFd<'_>) -> Result<(), Errno> {
        let index = self.index(root, tail);
        if self.places.get(index).is_some_and(|place| place.initial && place.wd.is_some()) {
            return Ok(());
        }
        self.watch(index, directory, true)
    }

    /// `repair`: whether rights that the inside has taken off are given back.
    fn watch(&mut self, index: usize, directory: BorrowedFd<'_>, repair: bool) -> Result<(), Errno> {
        let Some(place) = self.places.get(index) else { return Err(Errno::INVAL) };
        let mut events = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
        if place.removals {
            events |= WatchFlags::DELETE | WatchFlags::MOVED_FROM;
        }
        let before = place.wd;
        // By descriptor: the inside cannot swap what is watched for something else.
        let path = format!("/proc/self/fd/{}", directory.as_raw_fd());
        let added = match inotify::add_watch(&self.inotify, path.as_str(), events) {
            Err(Errno::ACCESS) if repair => {
                crate::quarantine::give_rights_back(directory)?;
                inotify::add_watch(&self.inotify, path.as_str(), events)?
            }
            answer => answer?,
        };
        if let Some(place) = self.places.get_mut(index) {
            place.wd = Some(added);
        }
        if let Some(old) = before.filter(|old| *old != added && self.behind(*old).next().is_none()) {
            // Another directory is at this place now; the old one may be gone already, and its watch with it.
            let _ = inotify::remove_watch(&self.inotify, old);
        }
        Ok(())
    }

    fn index(&mut self, root: usize, tail: &Path) -> usize {
        if let Some(index) = self.places.iter().position(|place| place.root == root && place.tail == tail) {
            return index;
        }
        self.places.push(Place { root, tail: tail.to_path_buf(), wd: None, removals: false, initial: false });
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
