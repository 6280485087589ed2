//! Guarded names that do not exist: nothing can keep them from appearing, so their directories are watched, and what appears is taken
//! away at once.
//!
//! NTFS refuses no single name (an entry refuses adding files, not adding *this* file), and nothing of bailiwick's is ever placed in the
//! user's tree. So the nearest directory that exists is held and watched (`ReadDirectoryChangesW`), and so is every directory on the
//! way that appears during the run. What Windows tells is only when to look: a told name may be a short one, and what overflowed
//! tells nothing. A way through directories that the inside made is looked at in every turn, since no document says what is told when an
//! empty directory becomes a junction.
//!
//! Everything is opened by one name below a handle, never through a link. What leads elsewhere on a way (a link, a file where a
//! directory was to be, a directory that the user is not let into) is taken away like the name itself. What stood there before the
//! run is the user's and stays.

use bailiwick_winsec::AccessMask;
use bailiwick_winsec::ntfs::Share;

use super::RunError;
use super::quarantine::{Quarantine, Taken};
use crate::host::{Code, FileHandle, FileId, Host, HostError, Kind, Links, OpenFile, Place, Told, Want, if_there};
use crate::path::{WindowsPath, fold};
use crate::plan::{Leak, Plan};
use crate::tier::Tier;

/// How often one name is taken away in one turn, if it is made again at once.
const ATTEMPTS: u32 = 32;

/// What happened to a guarded name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It appeared and was taken away.
    TakenAway {
        /// The name, or what on the way to it had to go.
        path: WindowsPath,
        /// Where a copy of it is, if one could be made.
        kept: Option<WindowsPath>,
    },
    /// It appeared and a process of the inside held it, so everything inside was ended.
    Ended {
        /// The name.
        path: WindowsPath,
    },
    /// It appeared and is still there.
    Stuck {
        /// The name.
        path: WindowsPath,
        /// What Windows answers.
        why: HostError,
    },
}

/// The watch of a session.
pub(super) struct Watch {
    bases: Vec<Base>,
    ways: Vec<Way>,
    /// What stood where a directory was to be: the user's.
    stood: Vec<(WindowsPath, FileId)>,
    /// Directories of the inside on a way.
    inner: Vec<Inner>,
}

/// A directory that was there before the run.
struct Base {
    path: WindowsPath,
    handle: FileHandle,
}

/// A guarded name, as the names that lead to it from a base.
struct Way {
    base: usize,
    steps: Vec<WindowsPath>,
}

/// A directory that appeared during the run.
struct Inner {
    path: WindowsPath,
    id: FileId,
    handle: FileHandle,
}

/// What taking away takes of the directory that was there before: `FILE_DELETE_CHILD`, whatever the list of the name says, and
/// the right to give another name in it.
const NEEDED: AccessMask = AccessMask(
    AccessMask::FILE_LIST_DIRECTORY.0
        | AccessMask::FILE_DELETE_CHILD.0
        | AccessMask::FILE_ADD_FILE.0
        | AccessMask::FILE_ADD_SUBDIRECTORY.0
        | AccessMask::FILE_READ_ATTRIBUTES.0,
);
const LIST: AccessMask = AccessMask(AccessMask::FILE_LIST_DIRECTORY.0 | AccessMask::FILE_READ_ATTRIBUTES.0);
const DOING: &str = "watching for names that may not appear";

impl Watch {
    /// Watches for all names of a plan that are to stay absent.
    ///
    /// # Errors
    ///
    /// [`RunError::Object`] for a name that is there; [`RunError::Unwatched`] where the user may not take away what appears.
    pub(super) fn open<H: Host + ?Sized>(host: &mut H, plan: &Plan) -> Result<Watch, RunError> {
        let mut watch = Watch { bases: Vec::new(), ways: Vec::new(), stood: Vec::new(), inner: Vec::new() };
        for name in &plan.watched {
            let mut steps = vec![name.clone()];
            let base = loop {
                let Some(above) = steps.last().and_then(WindowsPath::parent) else {
                    return Err(RunError::Object { path: name.clone(), why: "has no directory" });
                };
                match watch.base(host, plan, &above)? {
                    Some(base) => break base,
                    None => steps.push(above),
                }
            };
            steps.reverse();
            if steps.len() == 1 && watch.is_there(host, base, name)? {
                return Err(RunError::Object {
                    path: name.clone(),
                    why: "was absent when it was planned and is there now",
                });
            }
            watch.ways.push(Way { base, steps });
        }
        Ok(watch)
    }

    /// The directory at a path, held and watched; `None` if there is none.
    fn base<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        plan: &Plan,
        path: &WindowsPath,
    ) -> Result<Option<usize>, RunError> {
        let failed = RunError::host(DOING);
        if let Some(known) = self.bases.iter().position(|base| base.path == *path) {
            return Ok(Some(known));
        }
        let look = OpenFile::existing(AccessMask::FILE_READ_ATTRIBUTES);
        let found = match host.open(Place::Path(path), &look) {
            Err(error) if error.code == Code::REPARSE_POINT_ENCOUNTERED => return Ok(None),
            opened => if_there(opened).map_err(&failed)?,
        };
        let Some(handle) = found else { return Ok(None) };
        let facts = host.facts(handle).map_err(&failed)?;
        host.close(handle).map_err(&failed)?;
        if facts.kind != Kind::Directory {
            self.stood.push((path.clone(), facts.id));
            return Ok(None);
        }
        let unwatched = |error| RunError::Unwatched { path: path.clone(), error };
        match host.open(Place::Path(path), &OpenFile::existing(NEEDED)) {
            Ok(able) => host.close(able).map_err(&failed)?,
            Err(error) if error.code == Code::ACCESS_DENIED => {
                // What the inside made in an earlier run is looked at like what it makes in this one.
                if is_of_inside(host, plan, path)? {
                    return Ok(None);
                }
                if !is_lost(plan, path) {
                    return Err(unwatched(error));
                }
            }
            Err(error) => return Err(failed(error)),
        }
        // Held like a protected name: another directory in its place would not be seen.
        let how = OpenFile { access: LIST, share: Share::PIN, links: Links::Never, want: Want::Existing };
        let handle = host.open(Place::Path(path), &how).map_err(unwatched)?;
        host.watch(handle).map_err(&failed)?;
        self.bases.push(Base { path: path.clone(), handle });
        Ok(Some(self.bases.len() - 1))
    }

    fn is_there<H: Host + ?Sized>(&self, host: &mut H, base: usize, name: &WindowsPath) -> Result<bool, RunError> {
        let failed = RunError::host(DOING);
        let (Some(base), Some(name)) = (self.bases.get(base), name.name()) else { return Ok(false) };
        let look = OpenFile::existing(AccessMask::FILE_READ_ATTRIBUTES);
        match if_there(host.open(Place::Below(base.handle, name), &look)).map_err(&failed)? {
            Some(handle) => host.close(handle).map_err(failed).map(|()| true),
            None => Ok(false),
        }
    }

    /// Looks at what was told, or with `all` at everything, and takes away what is there.
    ///
    /// # Errors
    ///
    /// [`RunError`] where it cannot be told any more what is there: nothing of the inside may go on then.
    pub(super) fn turn<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        quarantine: &mut Quarantine,
        all: bool,
    ) -> Result<Vec<Seen>, RunError> {
        let failed = RunError::host(DOING);
        let mut told = Vec::new();
        for base in &self.bases {
            told.push(host.told(base.handle).map_err(&failed)?);
        }
        let mut gone = Vec::new();
        for (index, inner) in self.inner.iter().enumerate() {
            // Only the waking counts: these ways are looked at in any case.
            if host.told(inner.handle).is_err() {
                gone.push(index);
            }
        }
        for index in gone.into_iter().rev() {
            host.close(self.inner.remove(index).handle).map_err(&failed)?;
        }
        let mut seen = Vec::new();
        for index in 0..self.ways.len() {
            let Some(way) = self.ways.get(index) else { continue };
            let is_due = all || way.steps.len() > 1 || told.get(way.base).is_none_or(|told| concerns(told, way));
            if is_due {
                self.look(host, quarantine, index, &mut seen)?;
            }
        }
        Ok(seen)
    }

    /// Looks at one way until nothing stands at its end.
    fn look<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        quarantine: &mut Quarantine,
        way: usize,
        seen: &mut Vec<Seen>,
    ) -> Result<(), RunError> {
        for _ in 0..ATTEMPTS {
            let Some(mut obstacle) = self.walk(host, way)? else { return Ok(()) };
            let answer = loop {
                let (directory, at) = (obstacle.directory, &obstacle.at);
                match quarantine.take(host, directory, at)? {
                    // The directory lets the user do nothing: it is of the inside's making, and goes itself.
                    Some(Taken::Stuck(_)) if obstacle.above.is_some() => {
                        let Some(above) = obstacle.above.take() else { continue };
                        obstacle = *above;
                    }
                    answer => break answer,
                }
            };
            let path = obstacle.at.clone();
            match answer {
                None => {}
                Some(Taken::Kept(copy)) => seen.push(Seen::TakenAway { path, kept: Some(copy) }),
                Some(Taken::Removed) => seen.push(Seen::TakenAway { path, kept: None }),
                Some(Taken::Stuck(why)) => {
                    seen.push(Seen::Stuck { path, why });
                    return Ok(());
                }
            }
        }
        let path = self.ways.get(way).and_then(|way| way.steps.last()).cloned();
        let why = HostError::new("rename_here", "a name that is made again and again", Code::ALREADY_EXISTS);
        seen.extend(path.map(|path| Seen::Stuck { path, why }));
        Ok(())
    }

    /// Goes a way from its base; what must go, if something stands there.
    fn walk<H: Host + ?Sized>(&mut self, host: &mut H, way: usize) -> Result<Option<Obstacle>, RunError> {
        let failed = RunError::host(DOING);
        let Some(Way { base, steps }) = self.ways.get(way) else { return Ok(None) };
        let (base, steps) = (*base, steps.clone());
        let Some(mut directory) = self.bases.get(base).map(|base| base.handle) else { return Ok(None) };
        let mut above: Option<Box<Obstacle>> = None;
        for (index, at) in steps.iter().enumerate() {
            let obstacle = Obstacle { directory, at: at.clone(), above: above.take() };
            let name = at.name().unwrap_or_default();
            let look = OpenFile::existing(AccessMask::FILE_READ_ATTRIBUTES);
            let handle = match host.open(Place::Below(directory, name), &look) {
                Err(error) if error.code.is_absent() => return Ok(None),
                Err(error) if error.code == Code::ACCESS_DENIED => return Ok(Some(obstacle)),
                opened => opened.map_err(&failed)?,
            };
            let facts = host.facts(handle).map_err(&failed)?;
            host.close(handle).map_err(&failed)?;
            if self.stood.iter().any(|(path, id)| path == at && *id == facts.id) {
                return Ok(None);
            }
            if index + 1 == steps.len() || facts.kind != Kind::Directory {
                return Ok(Some(obstacle));
            }
            let Some(next) = self.enter(host, directory, at, facts.id)? else { return Ok(Some(obstacle)) };
            directory = next;
            above = Some(Box::new(obstacle));
        }
        Ok(None)
    }

    /// A directory that appeared on a way: watched before anything in it is looked at. `None` where the user is not let in.
    fn enter<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        directory: FileHandle,
        at: &WindowsPath,
        id: FileId,
    ) -> Result<Option<FileHandle>, RunError> {
        let failed = RunError::host(DOING);
        if let Some(index) = self.inner.iter().position(|inner| inner.path == *at) {
            match self.inner.get(index) {
                Some(inner) if inner.id == id => return Ok(Some(inner.handle)),
                _ => host.close(self.inner.remove(index).handle).map_err(&failed)?,
            }
        }
        let name = at.name().unwrap_or_default();
        // It is the inside's: nothing keeps it from being deleted.
        let handle = match host.open(Place::Below(directory, name), &OpenFile::existing(LIST)) {
            Err(error) if error.code == Code::PROCESS_ABORTED => return Err(failed(error)),
            Err(_) => return Ok(None),
            Ok(handle) => handle,
        };
        let facts = host.facts(handle).map_err(&failed)?;
        if facts.kind != Kind::Directory {
            host.close(handle).map_err(&failed)?;
            return Ok(None);
        }
        host.watch(handle).map_err(&failed)?;
        self.inner.push(Inner { path: at.clone(), id: facts.id, handle });
        Ok(Some(handle))
    }

    /// Ends the watch.
    ///
    /// # Errors
    ///
    /// [`RunError::Host`].
    pub(super) fn close<H: Host + ?Sized>(self, host: &mut H) -> Result<(), RunError> {
        let handles = self.inner.into_iter().map(|inner| inner.handle);
        let mut handles = handles.chain(self.bases.into_iter().map(|base| base.handle));
        handles.try_for_each(|handle| host.close(handle)).map_err(RunError::host(DOING))
    }
}

/// Whether the inside owns what is there.
fn is_of_inside<H: Host + ?Sized>(host: &mut H, plan: &Plan, path: &WindowsPath) -> Result<bool, RunError> {
    let failed = RunError::host(DOING);
    let handle = match host.open(Place::Path(path), &OpenFile::existing(AccessMask::READ_CONTROL)) {
        Err(error) if error.code == Code::ACCESS_DENIED => return Ok(false),
        opened => opened.map_err(&failed)?,
    };
    let security = host.security(handle);
    host.close(handle).map_err(&failed)?;
    Ok(security.map_err(failed)?.owner == Some(plan.identity.sid()))
}

/// Whether the plan says already that nothing can be taken away there.
fn is_lost(plan: &Plan, path: &WindowsPath) -> bool {
    plan.tier == Tier::Guard
        || plan.leaks.iter().any(|leak| matches!(leak, Leak::NamesStay { places } if places.contains(path)))
}

/// What stands where nothing may, or leads elsewhere.
struct Obstacle {
    /// The directory that it stands in.
    directory: FileHandle,
    /// Where that is.
    at: WindowsPath,
    /// That directory itself, if it appeared during the run.
    above: Option<Box<Obstacle>>,
}

/// Whether what was told of a base may be about a way. A short name may stand for any.
fn concerns(told: &Told, way: &Way) -> bool {
    let first = way.steps.first().and_then(WindowsPath::name).map(fold::fold);
    match told {
        Told::Overflow => true,
        Told::Names(names) => names.iter().any(|name| name.contains('~') || first == Some(fold::fold(name))),
    }
}
