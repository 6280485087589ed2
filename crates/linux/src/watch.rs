//! Guarded names that do not exist: nothing can be mounted over them, so they are watched, and what appears is taken away at
//! once.
//!
//! Also watched: protected names that exist. The mount that protects one is silently taken off by the kernel when somebody
//! outside removes or replaces the name, and has to be put on again.
//!
//! The watch sees the tree from outside the boundary: the kernel tells of changes in a directory whoever makes them.
//! Directories are opened beneath the writable root without following links, and watched through their descriptor, so the
//! inside cannot lead the watch elsewhere. When a directory on the way to a name appears, it is watched first and looked at
//! then, so nothing made in between is missed.

mod place;
#[cfg(test)]
mod tests;

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bailiwick_policy::text;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, StatxFlags, statat, statx};
use rustix::io::Errno;

use crate::sys::directory_notify::{Bell, Changed};
use crate::quarantine::{Cleaning, Quarantine, Taken};
use place::{Places, Reach};

/// How often a name that is made again at once is taken away before the supervisor goes on with its other work. The next
/// event brings it back.
const ATTEMPTS: u32 = 32;
/// How many notifications are taken in before the supervisor goes on with its other work.
const EVENTS_AT_ONCE: usize = 1024;
/// How soon to go on removing what was too much for one call.
const REMOVAL_TICK: Duration = Duration::from_millis(10);
/// A name to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedName {
    /// The name: absolute, no link in any component that exists.
    pub path: PathBuf,
    /// The writable root above it: an existing directory, an ancestor of `path` and not `path` itself.
    pub root: PathBuf,
    /// Whether a `deny` rule guards it (else `protect`). Both are taken away.
    pub deny: bool,
}

/// What the watch has seen and done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A name appeared and was taken away. `path` is the guarded name, or the link or directory on the way to it that had to
    /// go.
    Quarantined {
        /// What was taken away.
        path: PathBuf,
        /// Where it is kept, if it could be kept.
        kept: Option<PathBuf>,
    },
    /// A name appeared and could not be taken away.
    Failed {
        /// The name.
        path: PathBuf,
        /// What the system answered. Safe to print.
        why: String,
    },
    /// A protected name was replaced: its mount is gone and has to be put on again. May be reported though nothing has
    /// changed, so putting it on must bear being done twice.
    ProtectedReplaced {
        /// The name.
        path: PathBuf,
    },
    /// A protected name was removed from outside. From now on it is guarded like one that was absent from the start.
    ProtectedGone {
        /// The name.
        path: PathBuf,
    },
}

/// The watch could not be set up: the run must not start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WatchError {
    /// The signals of the notifications cannot be received.
    Start(Errno),
    /// The directory cannot be opened.
    Open {
        /// The directory.
        path: PathBuf,
        /// The answer.
        errno: Errno,
    },
    /// The directory cannot be watched.
    Add {
        /// The directory.
        path: PathBuf,
        /// The answer.
        errno: Errno,
    },
    /// The name is not below its root.
    Misplaced {
        /// The name.
        path: PathBuf,
    },
}

impl fmt::Display for WatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escape = |path: &Path| text::escape(path.as_os_str());
        match self {
            WatchError::Start(errno) => write!(f, "watching for guarded names failed: signalfd: {errno}"),
            WatchError::Open { path, errno } => {
                write!(f, "watching for guarded names failed: opening {}: {errno}", escape(path))
            }
            WatchError::Add { path, errno: Errno::INVAL } => write!(
                f,
                "watching {} for guarded names failed: this kernel is built without directory notifications \
                 (CONFIG_DNOTIFY); `--accept names-absent` runs without them",
                escape(path)
            ),
            WatchError::Add { path, errno } => {
                write!(f, "watching {} for guarded names failed: {errno}; the directory must be readable", escape(path))
            }
            WatchError::Misplaced { path } => {
                write!(f, "{} cannot be watched: it is not below its writable root", escape(path))
            }
        }
    }
}

impl std::error::Error for WatchError {}

/// The watch of one run.
#[derive(Debug)]
pub struct Watch {
    places: Places,
    names: Vec<Name>,
    quarantine: Quarantine,
}

/// A name, relative to its root.
#[derive(Debug)]
struct Name {
    path: PathBuf,
    /// Index of its root in `places`.
    root: usize,
    /// The name from its root.
    tail: PathBuf,
    /// Exists and is protected by a mount: what it was when it was last looked at.
    protected: Option<Identity>,
    touched: Touched,
}

/// Device, inode and time of birth (of the last change where the file system keeps no births): an inode number alone may
/// be given to the next file at once.
type Identity = (u64, u64, i64, u32);

/// Whether a name has to be looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Touched {
    /// Nothing has happened.
    #[default]
    No,
    /// Something has changed in its directory.
    InItsDirectory,
    /// Something has changed on the way to its directory, or nobody knows where.
    OnTheWay,
}

impl Watch {
    /// Watches `absent`, which are taken away when they appear, and `protected`, which exist and whose replacement is
    /// reported. The inside must not run yet. `quarantine` must be out of its reach; it is made when needed.
    ///
    /// Two system calls for each directory that holds such names, one for the notifications themselves. Names that have come into being
    /// between resolving the policy and this call are seen by [`rescan`](Self::rescan).
    ///
    /// # Errors
    ///
    /// Any [`WatchError`]: the run must be refused.
    pub fn start(absent: &[WatchedName], protected: &[WatchedName], quarantine: PathBuf) -> Result<Watch, WatchError> {
        let mut places = Places::new(Bell::new().map_err(WatchError::Start)?);
        let mut names = Vec::with_capacity(absent.len() + protected.len());
        // Protected names first: their directories are watched for more.
        let all = protected.iter().map(|name| (name, true)).chain(absent.iter().map(|name| (name, false)));
        for (name, is_protected) in all {
            let tail = name.path.strip_prefix(&name.root).ok().filter(|tail| tail.file_name().is_some());
            let tail = tail.ok_or_else(|| WatchError::Misplaced { path: name.path.clone() })?.to_path_buf();
            let root = places.root(&name.root)?;
            let parent = tail.parent().unwrap_or(Path::new(""));
            places.watch_at_start(root, parent, is_protected)?;
            let now = places.held(root, parent).filter(|_| is_protected).and_then(|parent| identity(parent, &tail));
            let touched = if is_protected && now.is_none() { Touched::OnTheWay } else { Touched::No };
            let protected = is_protected.then(|| now.unwrap_or_default());
            names.push(Name { path: name.path.clone(), root, tail, protected, touched });
        }
        Ok(Watch { places, names, quarantine: Quarantine::new(quarantine) })
    }

    /// The descriptor that is readable when [`on_ready`](Self::on_ready) has something to do.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.places.bell().descriptor()
    }

    /// How long the supervisor's poll may wait at most before it calls [`on_ready`](Self::on_ready) in any case; `None` is
    /// forever.
    pub fn tick(&self) -> Option<Duration> {
        self.quarantine.has_leftovers().then_some(REMOVAL_TICK)
    }

    /// Takes in what has happened and takes away what must go. Does not block; does a bounded amount of work, and is called
    /// again while the descriptor is readable.
    pub fn on_ready(&mut self, report: &mut dyn FnMut(Change)) {
        self.read_events();
        self.examine_touched(report);
        if self.quarantine.has_leftovers() {
            self.quarantine.clean();
        }
    }

    /// Looks at every absent name, without waiting for an event. To be called once when the inside has been let go, off the
    /// hot path.
    pub fn rescan(&mut self, report: &mut dyn FnMut(Change)) {
        for name in self.names.iter_mut().filter(|name| name.protected.is_none()) {
            name.touched = name.touched.max(Touched::InItsDirectory);
        }
        self.examine_touched(report);
    }

    /// The last look, when the tree is dead: takes away every absent name that was made and removes all leftovers.
    ///
    /// The kernel queues an event before the call that caused it returns, so with the tree dead all of them are there, and
    /// where nothing happened nothing has to be looked at.
    pub fn final_check(&mut self, report: &mut dyn FnMut(Change)) {
        while self.has_events() {
            self.read_events();
            self.examine_touched(report);
        }
        while let Cleaning::Unfinished = self.quarantine.clean() {}
        for (path, errno) in self.quarantine.leftovers() {
            report(Change::Failed { path, why: errno.to_string() });
        }
    }

    fn has_events(&self) -> bool {
        let mut descriptors = [PollFd::from_borrowed_fd(self.fd(), PollFlags::IN)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut descriptors, Some(&at_once)).is_ok_and(|ready| ready > 0)
    }

    /// Takes in what the kernel tells, up to a bound, and marks the names that it is about.
    fn read_events(&mut self) {
        let Watch { places, names, .. } = self;
        for _ in 0..EVENTS_AT_ONCE {
            match places.bell().next() {
                None => return,
                Some(Changed::Directory(number)) => touch(places, names, number),
                Some(Changed::Anything) => names.iter_mut().for_each(|name| name.touched = Touched::OnTheWay),
            }
        }
    }

    fn examine_touched(&mut self, report: &mut dyn FnMut(Change)) {
        for index in 0..self.names.len() {
            let Some(name) = self.names.get_mut(index) else { continue };
            let touched = std::mem::take(&mut name.touched);
            if touched == Touched::No || (name.protected.is_some() && !self.examine_protected(index, report)) {
                continue;
            }
            if touched == Touched::OnTheWay || !self.is_still_absent(index) {
                self.examine_absent(index, report);
            }
        }
    }

    /// Reports what has become of a protected name. `true` if it is gone, and is an absent one from now on.
    fn examine_protected(&mut self, index: usize, report: &mut dyn FnMut(Change)) -> bool {
        let Some(name) = self.names.get_mut(index) else { return false };
        let parent = name.tail.parent().unwrap_or(Path::new(""));
        let parent = self.places.open(name.root, parent);
        let now = parent.as_ref().ok().and_then(|parent| identity(parent.as_fd(), &name.tail));
        if now.is_some() && now == name.protected {
            return false;
        }
        let path = name.path.clone();
        if parent.is_ok_and(|parent| exists(parent.as_fd(), &name.tail)) {
            name.protected = Some(now.unwrap_or_default());
            report(Change::ProtectedReplaced { path });
            return false;
        }
        name.protected = None;
        report(Change::ProtectedGone { path });
        true
    }

    /// The quick look: one system call, in the directory that was there when it was last looked at.
    fn is_still_absent(&self, index: usize) -> bool {
        let Some(name) = self.names.get(index) else { return true };
        let parent = self.places.held(name.root, name.tail.parent().unwrap_or(Path::new("")));
        parent.is_some_and(|parent| !exists(parent, &name.tail))
    }

    /// Takes an absent name away, as often as it takes.
    fn examine_absent(&mut self, index: usize, report: &mut dyn FnMut(Change)) {
        let Watch { places, names, quarantine } = self;
        let Some(name) = names.get(index) else { return };
        let parent_tail = name.tail.parent().unwrap_or(Path::new(""));
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let taken = match places.reach(name.root, parent_tail) {
                Reach::Missing => return,
                Reach::Parent(parent) => match take(quarantine, &parent, &name.tail, &name.path) {
                    Ok(None) => return,
                    answer => answer,
                },
                // What stands on the way cannot be watched, or leads elsewhere: it goes.
                Reach::Obstacle { parent, tail } => {
                    take(quarantine, &parent, &tail, &places.path(name.root).join(&tail))
                }
                Reach::Blind(errno) => Err(errno),
            };
            match taken {
                Ok(Some(change)) => report(change),
                Ok(None) => {}
                Err(errno) => last = Some(errno),
            }
        }
        let why = match last {
            Some(errno) => errno.to_string(),
            None => "it is made again as soon as it is taken away".to_owned(),
        };
        report(Change::Failed { path: name.path.clone(), why });
    }
}

/// Marks the names to which the directory behind descriptor `number` is on the way.
fn touch(places: &Places, names: &mut [Name], number: i32) {
    for place in places.behind(number) {
        for name in names.iter_mut().filter(|name| name.root == place.root()) {
            let touched = match name.tail.parent() {
                Some(parent) if parent == place.tail() => Touched::InItsDirectory,
                _ if name.tail.starts_with(place.tail()) => Touched::OnTheWay,
                _ => continue,
            };
            name.touched = name.touched.max(touched);
        }
    }
}

/// What the last component of `tail` in `parent` is now.
fn identity(parent: BorrowedFd<'_>, tail: &Path) -> Option<Identity> {
    let wanted = StatxFlags::INO | StatxFlags::BTIME | StatxFlags::CTIME;
    let found = statx(parent, tail.file_name()?, AtFlags::SYMLINK_NOFOLLOW, wanted).ok()?;
    let has_birth = found.stx_mask & StatxFlags::BTIME.bits() != 0;
    let since = if has_birth { found.stx_btime } else { found.stx_ctime };
    Some((rustix::fs::makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino, since.tv_sec, since.tv_nsec))
}

/// Whether the last component of `tail` exists in `parent`. What cannot be looked at counts as there.
fn exists(parent: BorrowedFd<'_>, tail: &Path) -> bool {
    let Some(last) = tail.file_name() else { return false };
    !matches!(statat(parent, last, AtFlags::SYMLINK_NOFOLLOW), Err(Errno::NOENT))
}

fn take(quarantine: &mut Quarantine, parent: &OwnedFd, tail: &Path, path: &Path) -> Result<Option<Change>, Errno> {
    let last = tail.file_name().ok_or(Errno::INVAL)?;
    let taken = quarantine.take(parent.as_fd(), last, path)?;
    Ok(taken.map(|taken| {
        let kept = match taken {
            Taken::Kept(kept) => Some(kept),
            Taken::Removed => None,
        };
        Change::Quarantined { path: path.to_path_buf(), kept }
    }))
}
