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

mod error;
mod known;
mod place;
#[cfg(test)]
mod tests;

use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bailiwick_policy::text;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::quarantine::{Cleaning, Quarantine, Taken};
use crate::sys::directory_notify::{Bell, Changed};
pub use error::WatchError;
use known::{Identity, Known, look};
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
    /// It cannot be told any more what stands at a name, though all rights that may be given back were: the run must end.
    /// Never reported by [`Watch::final_check`], where nothing is left to be ended; that reports `Failed`.
    Blind {
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

/// The watch of one run.
#[derive(Debug)]
pub struct Watch {
    places: Places,
    names: Vec<Name>,
    /// What the protected names were at the start: the user's own, never taken away, wherever it stands.
    known: Vec<Known>,
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
    protected: Option<Protected>,
    touched: Touched,
    /// Whether the last look has found out nothing, or has found what could not be taken away.
    unsure: bool,
}

impl Name {
    /// The directory that the name is in, from its root.
    fn parent_tail(&self) -> &Path {
        self.tail.parent().unwrap_or(Path::new(""))
    }
}

/// What a protected name was when it was last looked at.
#[derive(Debug, Default)]
struct Protected {
    /// `None`: looked at too late, or it cannot be told from what may come after it.
    identity: Option<Identity>,
    /// See [`known::pin`].
    _pin: Option<OwnedFd>,
}

/// What has become of an absent name.
enum Answer {
    /// It is absent.
    Absent,
    /// What stood there was taken away; look again.
    Taken(Change),
    /// The user's own stands there.
    Own(Identity),
}

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
    /// Two system calls for each directory that holds such names or is above one, one for the notifications themselves. Names that have come into being
    /// between resolving the policy and this call are seen by [`rescan`](Self::rescan).
    ///
    /// # Errors
    ///
    /// Any [`WatchError`]: the run must be refused.
    pub fn start(absent: &[WatchedName], protected: &[WatchedName], quarantine: PathBuf) -> Result<Watch, WatchError> {
        let mut places = Places::new(Bell::new().map_err(WatchError::Start)?);
        let mut names = Vec::with_capacity(absent.len() + protected.len());
        let mut known = Vec::with_capacity(protected.len());
        // Protected names first: their directories are watched for more.
        let all = protected.iter().map(|name| (name, true)).chain(absent.iter().map(|name| (name, false)));
        for (name, is_protected) in all {
            let tail = name.path.strip_prefix(&name.root).ok().filter(|tail| tail.file_name().is_some());
            let tail = tail.ok_or_else(|| WatchError::Misplaced { path: name.path.clone() })?.to_path_buf();
            let root = places.root(&name.root)?;
            let parent = tail.parent().unwrap_or(Path::new(""));
            places.watch_at_start(root, parent, is_protected)?;
            let mut entry =
                Name { path: name.path.clone(), root, tail, protected: None, touched: Touched::No, unsure: false };
            if is_protected {
                let (protected, first) = remember(&places, &entry);
                entry.touched = if protected.identity.is_none() { Touched::OnTheWay } else { Touched::No };
                entry.protected = Some(protected);
                known.extend(first);
            }
            names.push(entry);
        }
        Ok(Watch { places, names, known, quarantine: Quarantine::new(quarantine) })
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
    /// where nothing happened nothing has to be looked at. Looked at again are the names whose last look has settled nothing, and
    /// those on whose way a directory could not be opened; rights taken off are given back first.
    pub fn final_check(&mut self, report: &mut dyn FnMut(Change)) {
        let report = &mut |change| {
            report(match change {
                Change::Blind { path, why } => Change::Failed { path, why },
                change => change,
            });
        };
        let unsure = self.places.unsure();
        for name in &mut self.names {
            let is_below = |(root, tail): &(usize, PathBuf)| *root == name.root && name.tail.starts_with(tail);
            if name.unsure || unsure.iter().any(is_below) {
                name.touched = Touched::OnTheWay;
            }
        }
        self.examine_touched(report);
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
        // The absent name that was looked at last, and whether its directory was the one that is held.
        let mut before: Option<(usize, bool)> = None;
        for index in 0..self.names.len() {
            let Some(name) = self.names.get_mut(index) else { continue };
            let touched = std::mem::take(&mut name.touched);
            if touched == Touched::No || (name.protected.is_some() && !self.examine_protected(index, report)) {
                continue;
            }
            if touched != Touched::OnTheWay {
                // Names of one directory follow one another; should it be replaced meanwhile, that is told again.
                let is_current = match before {
                    Some((other, is_current)) if self.are_siblings(other, index) => is_current,
                    _ => self.place_is_current(index),
                };
                before = Some((index, is_current));
                if is_current && self.is_still_absent(index) {
                    continue;
                }
            }
            before = None;
            self.examine_absent(index, report);
        }
    }

    fn are_siblings(&self, one: usize, other: usize) -> bool {
        let (Some(one), Some(other)) = (self.names.get(one), self.names.get(other)) else { return false };
        one.root == other.root && one.tail.parent() == other.tail.parent()
    }

    /// Whether the directory of this name is still the one that was there when it was last looked at.
    fn place_is_current(&self, index: usize) -> bool {
        self.names.get(index).is_none_or(|name| self.places.is_current(name.root, name.parent_tail()))
    }

    /// Reports what has become of a protected name. `true` if it is gone, and is an absent one from now on: only if the
    /// system has answered that it, or the directory that it was in, does not exist.
    fn examine_protected(&mut self, index: usize, report: &mut dyn FnMut(Change)) -> bool {
        let Some(name) = self.names.get_mut(index) else { return false };
        let parent = self.places.open_with_rights(name.root, name.parent_tail());
        let now = match &parent {
            Ok(parent) => look(parent.as_fd(), &name.tail),
            // Something else stands where its directory was: looking for the absent name finds it.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(errno) => Err(*errno),
        };
        let path = name.path.clone();
        name.unsure = now.is_err();
        match now {
            Err(errno) => report(Change::Blind { path, why: errno.to_string() }),
            Ok(None) => {
                name.protected = None;
                report(Change::ProtectedGone { path });
                return true;
            }
            Ok(now) if name.protected.as_ref().is_some_and(|protected| protected.identity == now) => {}
            Ok(Some(identity)) => {
                name.protected =
                    Some(parent.map(|parent| protected(&parent, &name.tail, identity)).unwrap_or_default());
                report(Change::ProtectedReplaced { path });
            }
        }
        false
    }

    /// The quick look, in the directory that was there when it was last looked at.
    fn is_still_absent(&self, index: usize) -> bool {
        let Some(name) = self.names.get(index) else { return true };
        let parent = self.places.held(name.root, name.parent_tail());
        !name.unsure && parent.is_some_and(|parent| look(parent, &name.tail) == Ok(None))
    }

    /// Takes an absent name away, as often as it takes.
    fn examine_absent(&mut self, index: usize, report: &mut dyn FnMut(Change)) {
        let Some(name) = self.names.get(index) else { return };
        let path = name.path.clone();
        let mut last = None;
        let mut is_blind = false;
        for _ in 0..ATTEMPTS {
            let (answer, blind) = self.take_once(index);
            is_blind = blind;
            match answer {
                Ok(Answer::Absent) => return self.settle(index, false),
                Ok(Answer::Taken(change)) => {
                    last = None;
                    report(change);
                }
                Ok(Answer::Own(identity)) => return self.leave(index, identity, report),
                Err(errno) => last = Some(errno),
            }
        }
        self.settle(index, true);
        let why = match last {
            Some(errno) => errno.to_string(),
            None => "it is made again as soon as it is taken away".to_owned(),
        };
        report(if is_blind { Change::Blind { path, why } } else { Change::Failed { path, why } });
    }

    fn settle(&mut self, index: usize, unsure: bool) {
        if let Some(name) = self.names.get_mut(index) {
            name.unsure = unsure;
        }
    }

    /// One attempt. Also says whether an error means that nobody can look.
    fn take_once(&mut self, index: usize) -> (Result<Answer, Errno>, bool) {
        let Watch { places, names, known, quarantine } = self;
        let Some(name) = names.get(index) else { return (Ok(Answer::Absent), false) };
        let (parent, tail) = match places.reach(name.root, name.parent_tail()) {
            Reach::Missing => return (Ok(Answer::Absent), false),
            Reach::Blind(errno) => return (Err(errno), true),
            Reach::Parent(parent) => (parent, name.tail.clone()),
            // What stands on the way cannot be watched, or leads elsewhere: it goes.
            Reach::Obstacle { parent, tail } => (parent, tail),
        };
        let path = places.path(name.root).join(&tail);
        // A protected name on the way is answered for by its own mount.
        if names.iter().any(|other| other.protected.is_some() && other.path == path) {
            return (Ok(Answer::Absent), false);
        }
        (take(quarantine, known, &parent, &tail, &path), false)
    }

    /// The user's own stands at an absent name: it is never taken away. Where it belongs it is protected again; elsewhere it
    /// cannot stay, and the run ends.
    fn leave(&mut self, index: usize, identity: Identity, report: &mut dyn FnMut(Change)) {
        let Watch { places, names, known, .. } = self;
        let Some(name) = names.get_mut(index) else { return };
        let path = name.path.clone();
        if known.iter().any(|known| known.identity == identity && known.path == path) {
            let parent = places.open_with_rights(name.root, name.parent_tail());
            name.protected = Some(parent.map(|parent| protected(&parent, &name.tail, identity)).unwrap_or_default());
            name.unsure = false;
            return report(Change::ProtectedReplaced { path });
        }
        name.unsure = true;
        let own = known.iter().find(|known| known.identity == identity);
        let own = own.map_or_else(String::new, |known| text::escape(known.path.as_os_str()).to_string());
        report(Change::Blind { path, why: format!("on its way stands {own}, which is protected and was moved there") });
    }
}

/// What a protected name is at the start: for noticing its replacement, and for ever.
fn remember(places: &Places, name: &Name) -> (Protected, Option<Known>) {
    let parent = places.held(name.root, name.parent_tail());
    let Some((parent, Ok(Some(identity)))) = parent.map(|parent| (parent, look(parent, &name.tail))) else {
        return (Protected::default(), None);
    };
    match known::pin(parent, &name.tail, identity) {
        Ok(pin) => {
            let known = Known::new(&name.path, identity, pin);
            (Protected { identity: Some(identity), _pin: None }, Some(known))
        }
        Err(_) => (Protected::default(), None),
    }
}

fn protected(parent: &OwnedFd, tail: &Path, identity: Identity) -> Protected {
    match known::pin(parent.as_fd(), tail, identity) {
        Ok(pin) => Protected { identity: Some(identity), _pin: pin },
        Err(_) => Protected::default(),
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

/// Takes away what stands at `tail` in `parent`, unless it is one of `known`.
fn take(
    quarantine: &mut Quarantine,
    known: &[Known],
    parent: &OwnedFd,
    tail: &Path,
    path: &Path,
) -> Result<Answer, Errno> {
    let last = tail.file_name().ok_or(Errno::INVAL)?;
    let own = |identity: &Identity| known.iter().any(|known| known.identity == *identity);
    match look(parent.as_fd(), tail)? {
        None => return Ok(Answer::Absent),
        Some(identity) if own(&identity) => return Ok(Answer::Own(identity)),
        Some(_) => {}
    }
    // What cannot be looked at may be the user's.
    let is_spared = |directory: BorrowedFd<'_>, name: &CStr| {
        look(directory, Path::new(OsStr::from_bytes(name.to_bytes())))
            .map_or(true, |found| found.as_ref().is_some_and(own))
    };
    let kept = match quarantine.take(parent.as_fd(), last, path, &is_spared)? {
        None => return Ok(Answer::Absent),
        // Moved here since: the next look finds it.
        Some(Taken::Spared) => return Err(Errno::AGAIN),
        Some(Taken::Kept(kept)) => Some(kept),
        Some(Taken::Removed) => None,
    };
    Ok(Answer::Taken(Change::Quarantined { path: path.to_path_buf(), kept }))
}
