//! From the boundary's points to steps.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use bailiwick_policy::boundary::{Backing, Boundary, Present};
use bailiwick_policy::decide::{Grant, Guarded, Surveyed, path_order};
use bailiwick_policy::policy::FileRuleKind;
use bailiwick_policy::quick_hash::Seed;

use super::{Kind, Mode, OwnFile, Plan, PlanError, Step, Watched};

/// Where the tier builds its own file systems.
const RESERVED: [&str; 2] = ["/proc", "/dev"];

/// Directories of memory that every inside has, whatever the policy says about them.
const OWN_MEMORY: [&str; 1] = ["/dev/shm"];

pub(super) fn build(boundary: &Boundary, files: &[OwnFile]) -> Result<Plan, PlanError> {
    let (points, guarded) = boundary.survey();
    let mut builder = Builder::new(boundary, &points);
    for place in places(boundary, &points, &guarded) {
        match place.alias {
            Some(target) if builder.ground(place.path) != Ground::Host => builder.alias(place.path, target),
            // A tree of the host has the link itself. Where the link is guarded, it is mounted over itself like any name:
            // that keeps it from being removed or replaced, and following it goes on to work.
            _ => builder.place(&place)?,
        }
    }
    for socket in &boundary.network.sockets {
        builder.socket(&socket.value);
    }
    // Last: they lie over whatever the policy shows there.
    for file in files {
        builder.file(file, boundary.aliases.iter().any(|alias| alias.at == file.at));
    }
    let mut plan = builder.plan;
    plan.writable.extend(OWN_MEMORY.iter().map(PathBuf::from));
    // Names in private roots are made and mounted over before the start; nothing of the user's is there to watch.
    for name in guarded.iter().filter(|name| !name.in_private) {
        let watched =
            Watched { path: name.path.to_owned(), root: name.root.to_owned(), denied: name.kind == FileRuleKind::Deny };
        match name.present {
            Present::Absent => plan.absent.push(watched),
            Present::Directory | Present::File => plan.present.push(watched),
        }
    }
    Ok(plan)
}

/// A path at which something may have to be done.
struct Place<'a> {
    path: &'a Path,
    /// Its number among the points, if it is one.
    point: Option<usize>,
    /// Whether it must not be renamed, for what lies below it.
    is_pinned: bool,
    /// What it leads to, if it is a symbolic link that the policy runs through.
    alias: Option<&'a Path>,
}

/// All places, parents first.
fn places<'a>(boundary: &'a Boundary, points: &[Surveyed<'a>], guarded: &[Guarded<'a>]) -> Vec<Place<'a>> {
    let mut pins: HashSet<&OsStr, Seed> = HashSet::default();
    // In private roots a renamed ancestor harms nobody: nothing of the user's is there.
    for name in guarded.iter().filter(|name| !name.in_private) {
        pins.extend(above(name.path).take_while(|ancestor| *ancestor != name.root.as_os_str()));
    }
    let nothing = |path| Place { path, point: None, is_pinned: false, alias: None };
    let points = points.iter().enumerate().map(|(number, point)| Place { point: Some(number), ..nothing(point.path) });
    let pins = pins.into_iter().map(|pin| Place { is_pinned: true, ..nothing(Path::new(pin)) });
    let aliases = boundary.aliases.iter().map(|alias| Place { alias: Some(&alias.target), ..nothing(&alias.at) });
    let mut places: Vec<Place<'a>> = points.chain(pins).chain(aliases).collect();
    // Nearly all of them are in this order already.
    places.sort_by(|a, b| path_order(a.path, b.path));
    // As texts: they are canonical, and comparing paths takes them apart, which is much on the way to every launch.
    places.dedup_by(|later, earlier| {
        let is_same = later.path.as_os_str() == earlier.path.as_os_str();
        if is_same {
            earlier.point = earlier.point.or(later.point);
            earlier.is_pinned |= later.is_pinned;
            earlier.alias = later.alias.or(earlier.alias);
        }
        is_same
    });
    places
}

/// What is under a path in the new root as built so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ground {
    /// The root's own memory: mount points are made there.
    Memory,
    /// The private home on the host's disk: mount points are made with care.
    Home,
    /// A tree of the host: what is on the host is there.
    Host,
    /// The cover of a denied directory, by number.
    Mask(usize),
}

/// The directories above a canonical path, the nearest first.
fn above(path: &Path) -> impl Iterator<Item = &OsStr> {
    std::iter::successors(parent(path.as_os_str()), |text| parent(text))
}

/// Whether a canonical path is this directory or lies in it.
fn is_within(path: &Path, directory: &str) -> bool {
    let rest = path.as_os_str().as_encoded_bytes().strip_prefix(directory.as_bytes());
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
}

#[cfg(unix)]
fn parent(text: &OsStr) -> Option<&OsStr> {
    use std::os::unix::ffi::OsStrExt;
    let bytes = text.as_bytes();
    match bytes.iter().rposition(|byte| *byte == b'/')? {
        0 if bytes.len() == 1 => None,
        0 => Some(OsStr::new("/")),
        at => bytes.get(..at).map(OsStr::from_bytes),
    }
}

/// Plans are made elsewhere too, where nobody waits for them.
#[cfg(not(unix))]
fn parent(text: &OsStr) -> Option<&OsStr> {
    Path::new(text).parent().map(Path::as_os_str)
}

struct Builder<'a> {
    boundary: &'a Boundary,
    /// In the order in which everything below a point follows it at once.
    points: &'a [Surveyed<'a>],
    plan: Plan,
    /// Where the ground changes.
    grounds: HashMap<&'a OsStr, Ground, Seed>,
    /// Directories already made in memory.
    made: HashSet<&'a OsStr, Seed>,
    masks: usize,
}

impl<'a> Builder<'a> {
    fn new(boundary: &'a Boundary, points: &'a [Surveyed<'a>]) -> Self {
        let plan = Plan {
            steps: Vec::with_capacity(points.len()),
            homes: Vec::new(),
            writable: Vec::new(),
            absent: Vec::new(),
            present: Vec::new(),
        };
        let grounds = [(OsStr::new("/"), Ground::Memory)].into_iter().collect();
        Builder { boundary, points, plan, grounds, made: HashSet::default(), masks: 0 }
    }

    /// Makes the grant at `place` true, its parent's being so already.
    fn place(&mut self, place: &Place<'a>) -> Result<(), PlanError> {
        let point = place.point.and_then(|number| Some((number, self.points.get(number)?)));
        match point {
            Some((_, point)) if point.path.as_os_str() == "/" => match point.grant {
                Grant::Hidden => Ok(()),
                _ => Err(PlanError::WholeRoot),
            },
            Some((number, point)) if point.grant != point.parent_grant => self.point(number, point),
            // Nothing changes here.
            _ => {
                if place.is_pinned {
                    self.plan.steps.push(Step::Pin { at: place.path.to_owned() });
                }
                Ok(())
            }
        }
    }

    fn point(&mut self, number: usize, point: &Surveyed<'a>) -> Result<(), PlanError> {
        let place = point.path;
        let reserved = RESERVED.iter().any(|own| is_within(place, own));
        match point.grant {
            Grant::Private(_) if OWN_MEMORY.iter().any(|own| place == Path::new(own)) => {}
            Grant::Hidden => {}
            Grant::Denied if reserved => {}
            _ if reserved => return Err(PlanError::Reserved { path: place.to_owned() }),
            Grant::Denied if matches!(point.parent_grant, Grant::Private(_)) => self.deny_in_private(number, point),
            Grant::Denied => self.deny(number, point),
            Grant::Read => self.visible(point, Mode::ReadOnly),
            Grant::Write => {
                self.visible(point, Mode::Writable);
                self.plan.writable.push(place.to_owned());
            }
            Grant::Private(index) => self.private(place, index),
            Grant::PrivateProtected(index) => self.private_protected(point, index),
        }
        Ok(())
    }

    /// A tree of the host that is readable or writable.
    fn visible(&mut self, point: &Surveyed<'a>, mode: Mode) {
        let (Some(kind), place) = (kind(point), point.path) else { return };
        // A clone keeps the attributes of what it was cloned from, so only narrowing may clone from the new root;
        // a writable tree below a read-only one comes from the host afresh.
        let narrows = point.parent_grant == Grant::Write && mode == Mode::ReadOnly;
        if narrows {
            self.plan.steps.push(Step::Protect { at: place.to_owned() });
        } else {
            self.mount_point(place, kind);
            self.plan.steps.push(Step::Tree { host: place.to_owned(), at: place.to_owned(), mode });
        }
        self.grounds.insert(place.as_os_str(), Ground::Host);
    }

    fn deny(&mut self, number: usize, point: &Surveyed<'a>) {
        let Some(kind) = kind(point) else { return };
        if self.ground(point.path) != Ground::Host {
            // Not visible there in the first place: memory, the private home and covers hold only what is mounted.
            return;
        }
        self.cover(number, point.path, kind);
    }

    fn cover(&mut self, number: usize, place: &'a Path, kind: Kind) {
        let mut below = self.points.iter().skip(number + 1).take_while(|point| point.path.starts_with(place));
        let shows_below = kind == Kind::Directory
            && below.any(|point| matches!(point.grant, Grant::Read | Grant::Write | Grant::Private(_)));
        if shows_below {
            let number = self.masks;
            self.masks += 1;
            self.plan.steps.push(Step::MaskAround { at: place.to_owned(), number });
            self.grounds.insert(place.as_os_str(), Ground::Mask(number));
        } else {
            self.plan.steps.push(Step::Mask { at: place.to_owned(), kind });
        }
    }

    /// A denied name in a private root: nothing of the host's is there, but it may not be brought into being either.
    fn deny_in_private(&mut self, number: usize, point: &Surveyed<'a>) {
        let kind = kind(point).unwrap_or(Kind::File);
        self.mount_point(point.path, kind);
        self.cover(number, point.path, kind);
    }

    fn private(&mut self, place: &'a Path, index: usize) {
        let Some(root) = self.boundary.private.get(index) else { return };
        self.mount_point(place, Kind::Directory);
        match &root.backing {
            Backing::Memory => {
                self.plan.steps.push(Step::Memory { at: place.to_owned() });
                self.grounds.insert(place.as_os_str(), Ground::Memory);
            }
            Backing::Directory(host) => {
                self.plan.homes.push(host.clone());
                self.plan.steps.push(Step::Tree { host: host.clone(), at: place.to_owned(), mode: Mode::Writable });
                self.grounds.insert(place.as_os_str(), Ground::Home);
            }
        }
        self.plan.writable.push(place.to_owned());
    }

    /// A protected name in a private root is made, empty, in bailiwick's own directory, and mounted over read-only.
    fn private_protected(&mut self, point: &Surveyed<'a>, index: usize) {
        let place = point.path;
        if self.boundary.private.get(index).is_some_and(|root| root.path == place) {
            self.private(place, index);
        } else {
            self.mount_point(place, kind(point).unwrap_or(Kind::File));
        }
        self.plan.steps.push(Step::Protect { at: place.to_owned() });
    }

    fn alias(&mut self, at: &'a Path, target: &Path) {
        match self.ground(at) {
            Ground::Memory => {
                self.parents(at);
                self.plan.steps.push(Step::Link { at: at.to_owned(), target: target.to_owned() });
            }
            // The inside of an earlier run may have turned the link; that changes only what the inside itself sees.
            Ground::Home => {
                let base = self.base(at);
                self.parents_with(at, &base, |at| Step::MakeBeneath { at, kind: Kind::Directory });
                self.plan.steps.push(Step::LinkBeneath { at: at.to_owned(), target: target.to_owned() });
            }
            Ground::Host | Ground::Mask(_) => {}
        }
    }

    /// A socket of the host that is listed by name; where its directory is visible, it is there already.
    fn socket(&mut self, socket: &'a Path) {
        if matches!(self.boundary.grant(socket), Grant::Read | Grant::Write) || self.ground(socket) == Ground::Host {
            return;
        }
        self.mount_point(socket, Kind::File);
        let (host, at) = (socket.to_owned(), socket.to_owned());
        self.plan.steps.push(Step::Tree { host, at, mode: Mode::ReadOnly });
    }

    /// A file of bailiwick's own. Where a tree of the host is, or a link was made (`stands`), it is mounted over what is there.
    fn file(&mut self, file: &'a OwnFile, stands: bool) {
        if !stands {
            self.mount_point(&file.at, Kind::File);
        }
        let OwnFile { at, content, optional } = file.clone();
        self.plan.steps.push(Step::File { at, content, optional });
    }

    /// The ground that a mount point at `place` stands on.
    fn ground(&self, place: &Path) -> Ground {
        let ground = above(place).find_map(|ancestor| self.grounds.get(ancestor));
        ground.copied().unwrap_or(Ground::Memory)
    }

    /// Sees to it that something can be mounted at `place`.
    fn mount_point(&mut self, place: &'a Path, kind: Kind) {
        match self.ground(place) {
            Ground::Host => {}
            Ground::Memory => {
                self.parents(place);
                self.make(place, kind);
            }
            Ground::Home => {
                let base = self.base(place);
                self.parents_with(place, &base, |at| Step::MakeBeneath { at, kind: Kind::Directory });
                if self.made.insert(place.as_os_str()) {
                    self.plan.steps.push(Step::MakeBeneath { at: place.to_owned(), kind });
                }
            }
            Ground::Mask(number) => {
                let base = self.base(place);
                let below = |at: &Path| at.strip_prefix(&base).map(Path::to_owned).unwrap_or_default();
                self.parents_with(place, &base, |at| Step::MakeInMask {
                    number,
                    below: below(&at),
                    kind: Kind::Directory,
                });
                if self.made.insert(place.as_os_str()) {
                    self.plan.steps.push(Step::MakeInMask { number, below: below(place), kind });
                }
            }
        }
    }

    /// The path at which the ground under `place` begins.
    fn base(&self, place: &Path) -> PathBuf {
        let base = above(place).find(|ancestor| self.grounds.contains_key(*ancestor));
        base.unwrap_or(OsStr::new("/")).into()
    }

    fn parents(&mut self, place: &'a Path) {
        let base = self.base(place);
        self.parents_with(place, &base, |at| Step::Make { at, kind: Kind::Directory, mode: 0o755 });
    }

    /// Makes every directory strictly between `base` and `place` that is not made yet.
    fn parents_with(&mut self, place: &'a Path, base: &Path, step: impl Fn(PathBuf) -> Step) {
        let between: Vec<&'a OsStr> = above(place).take_while(|ancestor| *ancestor != base.as_os_str()).collect();
        for directory in between.into_iter().rev() {
            if self.made.insert(directory) {
                self.plan.steps.push(step(directory.into()));
            }
        }
    }

    fn make(&mut self, place: &'a Path, kind: Kind) {
        if self.made.insert(place.as_os_str()) {
            let own = self.boundary.private.iter().find(|root| root.path == place);
            let mode = match kind {
                // What is private and in memory is a directory for temporary files.
                Kind::Directory if own.is_some_and(|own| own.backing == Backing::Memory) => 0o1777,
                Kind::Directory => 0o755,
                Kind::File => 0o644,
            };
            self.plan.steps.push(Step::Make { at: place.to_owned(), kind, mode });
        }
    }
}

/// What the host has at the point; `None` where it has nothing.
fn kind(point: &Surveyed<'_>) -> Option<Kind> {
    match point.present? {
        Present::Directory => Some(Kind::Directory),
        Present::File => Some(Kind::File),
        Present::Absent => None,
    }
}
