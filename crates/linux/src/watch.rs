//! Guarded names that do not exist: nothing can be mounted over them, so they are watched, and what appears is taken away at
//! once.
//!
//! Also watched: protected names that exist. The mount that protects one is silently taken off by the kernel when somebody
//! outside removes or replaces the name, and has to be put on again.
//!
//! The watch sees the tree from outside the boundary by inotify(7), which reports changes of a directory whoever makes
//! them. Directories are opened beneath the writable root without following links, and watched through their descriptor, so
//! the inside cannot lead the watch elsewhere. When a directory on the way to a name appears, it is watched first and
//! looked at then, so nothing made in between is missed.

mod place;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fmt;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bailiwick_policy::text;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags};
use rustix::fs::{AtFlags, statat};
use rustix::io::Errno;

use crate::quarantine::{Cleaning, Quarantine, Taken};
use place::{Place, Places, Reach};

/// How often a name that is made again at once is taken away before the supervisor goes on with its other work. The next
/// event brings it back.
const ATTEMPTS: u32 = 32;
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
    /// inotify is not to be had.
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
            WatchError::Start(Errno::MFILE) => f.write_str(
                "watching for guarded names failed: all inotify instances of this user are in use; end programs that \
                 watch files, or raise the limit: sysctl fs.inotify.max_user_instances",
            ),
            WatchError::Start(errno) => write!(f, "watching for guarded names failed: inotify_init1: {errno}"),
            WatchError::Open { path, errno } => {
                write!(f, "watching for guarded names failed: opening {}: {errno}", escape(path))
            }
            WatchError::Add { path, errno: Errno::NOSPC } => write!(
                f,
                "watching {} failed: all inotify watches of this user are in use; end programs that watch files, or \
                 raise the limit: sysctl fs.inotify.max_user_watches",
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
    /// Exists and is protected by a mount.
    protected: bool,
    /// An event was about it.
    touched: bool,
}

impl Watch {
    /// Watches `absent`, which are taken away when they appear, and `protected`, which exist and whose replacement is
    /// reported. The inside must not run yet. `quarantine` must be out of its reach; it is made when needed.
    ///
    /// Two system calls for each directory that holds such names, two for inotify itself. Names that have come into being
    /// between resolving the policy and this call are seen by [`rescan`](Self::rescan).
    ///
    /// # Errors
    ///
    /// Any [`WatchError`]: the run must be refused.
    pub fn start(absent: &[WatchedName], protected: &[WatchedName], quarantine: PathBuf) -> Result<Watch, WatchError> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).map_err(WatchError::Start)?;
        let mut places = Places::new(inotify);
        let mut names = Vec::with_capacity(absent.len() + protected.len());
        // Protected names first: their directories are watched for more.
        let all = protected.iter().map(|name| (name, true)).chain(absent.iter().map(|name| (name, false)));
        for (name, is_protected) in all {
            let tail = name.path.strip_prefix(&name.root).ok().filter(|tail| tail.file_name().is_some());
            let tail = tail.ok_or_else(|| WatchError::Misplaced { path: name.path.clone() })?.to_path_buf();
            let root = places.root(&name.root)?;
            let parent = tail.parent().unwrap_or(Path::new(""));
            places.watch_at_start(root, parent, is_protected)?;
            names.push(Name { path: name.path.clone(), root, tail, protected: is_protected, touched: false });
        }
        Ok(Watch { places, names, quarantine: Quarantine::new(quarantine) })
    }

    /// The descriptor that is readable when [`on_ready`](Self::on_ready) has something to do.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.places.inotify()
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
        for name in &mut self.names {
            name.touched |= !name.protected;
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
        let mut descriptors = [PollFd::from_borrowed_fd(self.places.inotify(), PollFlags::IN)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut descriptors, Some(&at_once)).is_ok_and(|ready| ready > 0)
    }

    /// Reads one buffer of events and marks the names that they touch.
    fn read_events(&mut self) {
        let mut buffer = [MaybeUninit::uninit(); 8192];
        let Watch { places, names, .. } = self;
        let mut forgotten = Vec::new();
        let mut events = inotify::Reader::new(places.inotify(), &mut buffer);
        while let Ok(event) = events.next() {
            let flags = event.events();
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                names.iter_mut().for_each(|name| name.touched = true);
            } else if flags.contains(ReadFlags::IGNORED) {
                forgotten.push(event.wd());
            } else if let Some(entry) = event.file_name() {
                touch(places, names, event.wd(), OsStr::from_bytes(entry.to_bytes()));
            }
            if events.is_buffer_empty() {
                break;
            }
        }
        for wd in forgotten {
            places.forget(wd);
        }
    }

    fn examine_touched(&mut self, report: &mut dyn FnMut(Change)) {
        for index in 0..self.names.len() {
            let Some(name) = self.names.get_mut(index) else { continue };
            if !std::mem::take(&mut name.touched) {
                continue;
            }
            if name.protected && !self.examine_protected(index, report) {
                continue;
            }
            self.examine_absent(index, report);
        }
    }

    /// Reports what has become of a protected name. `true` if it is gone, and is an absent one from now on.
    fn examine_protected(&mut self, index: usize, report: &mut dyn FnMut(Change)) -> bool {
        let Some(name) = self.names.get_mut(index) else { return false };
        let parent = name.tail.parent().unwrap_or(Path::new(""));
        let exists = self.places.open(name.root, parent).is_ok_and(|parent| exists(parent.as_fd(), &name.tail));
        let path = name.path.clone();
        if exists {
            report(Change::ProtectedReplaced { path });
            return false;
        }
        name.protected = false;
        report(Change::ProtectedGone { path });
        true
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

/// Marks the names that the entry `entry` of the directory behind `wd` is on the way to.
fn touch(places: &Places, names: &mut [Name], wd: i32, entry: &OsStr) {
    for place in places.behind(wd) {
        for name in names.iter_mut().filter(|name| name.root == place.root()) {
            name.touched |= is_on_the_way(place, &name.tail, entry);
        }
    }
}

fn is_on_the_way(place: &Place, tail: &Path, entry: &OsStr) -> bool {
    tail.strip_prefix(place.tail()).is_ok_and(|rest| rest.components().next().is_some_and(|c| c.as_os_str() == entry))
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
