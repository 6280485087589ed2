//! From the boundary's points to steps.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use bailiwick_policy::boundary::{Backing, Boundary, FileRule, Present};
use bailiwick_policy::decide::Grant;
use bailiwick_policy::policy::FileRuleKind;

use super::{Kind, Mode, OwnFile, Plan, PlanError, Step, Watched};

/// Where the tier builds its own file systems.
const RESERVED: [&str; 2] = ["/proc", "/dev"];

/// Directories of memory that every inside has, whatever the policy says about them.
const OWN_MEMORY: [&str; 1] = ["/dev/shm"];

pub(super) fn build(boundary: &Boundary, files: &[OwnFile]) -> Result<Plan, PlanError> {
    let (grants, guarded) = boundary.survey();
    let mut builder = Builder::new(boundary, grants);
    let writable = |root: &Path| builder.grants.at(root) == Grant::Write;
    let mut pins: BTreeSet<&OsStr> = BTreeSet::new();
    // In private roots a renamed ancestor harms nobody: nothing of the user's is there.
    for name in guarded.iter().filter(|name| writable(name.root)) {
        pins.extend(above(name.path).take_while(|ancestor| *ancestor != name.root.as_os_str()));
    }
    // As texts, parents still come first, which is all that the steps rely on.
    let mut places: BTreeSet<&OsStr> = builder.grants.0.keys().copied().collect();
    places.extend(&pins);
    let aliases: BTreeMap<&OsStr, &Path> =
        boundary.aliases.iter().map(|alias| (alias.at.as_os_str(), alias.target.as_path())).collect();
    places.extend(aliases.keys());

    for text in places {
        let place = Path::new(text);
        match aliases.get(text) {
            Some(target) if builder.ground(place) != Ground::Host => builder.alias(place, target),
            // A tree of the host has the link itself. Where the link is guarded, it is mounted over itself like any name:
            // that keeps it from being removed or replaced, and following it goes on to work.
            _ => builder.point(place, pins.contains(text))?,
        }
    }
    for socket in &boundary.network.sockets {
        builder.socket(&socket.value);
    }
    // Last: they lie over whatever the policy shows there.
    for file in files {
        builder.file(file, aliases.contains_key(file.at.as_os_str()));
    }
    let Builder { mut plan, grants, .. } = builder;
    plan.writable.extend(OWN_MEMORY.iter().map(PathBuf::from));
    for name in guarded {
        // Names in private roots are made and mounted over before the start; nothing of the user's is there to watch.
        if grants.at(name.root) != Grant::Write {
            continue;
        }
        let watched =
            Watched { path: name.path.to_owned(), root: name.root.to_owned(), denied: name.kind == FileRuleKind::Deny };
        match name.present {
            Present::Absent => plan.absent.push(watched),
            Present::Directory | Present::File => plan.present.push(watched),
        }
    }
    Ok(plan)
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

/// The boundary's grants where they change; between two such points the upper one holds.
///
/// Here and below paths are looked up as texts: they are canonical, and comparing [`Path`]s takes them apart each time,
/// which on the way to every launch is much.
struct Grants<'a>(BTreeMap<&'a OsStr, Grant>);

impl Grants<'_> {
    fn at(&self, path: &Path) -> Grant {
        let own = std::iter::once(path.as_os_str());
        own.chain(above(path)).find_map(|text| self.0.get(text)).copied().unwrap_or(Grant::Hidden)
    }
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
    grants: Grants<'a>,
    plan: Plan,
    /// Where the ground changes, by path.
    grounds: BTreeMap<OsString, Ground>,
    /// Directories already made in memory.
    made: BTreeSet<OsString>,
    /// Kinds of the host's objects by rule path.
    present: BTreeMap<&'a OsStr, Present>,
    masks: usize,
}

impl<'a> Builder<'a> {
    fn new(boundary: &'a Boundary, grants: Vec<(&'a Path, Grant)>) -> Self {
        let ceilings = [&boundary.ceiling_read, &boundary.ceiling_write];
        let rules =
            boundary.rules.iter().chain(&boundary.ceiling_rules).chain(ceilings.into_iter().flatten().flatten());
        let present = rules.map(|FileRule { path, present, .. }| (path.as_os_str(), *present)).collect();
        let plan = Plan {
            steps: Vec::with_capacity(64),
            homes: Vec::new(),
            writable: Vec::new(),
            absent: Vec::new(),
            present: Vec::new(),
        };
        Builder {
            boundary,
            grants: Grants(grants.into_iter().map(|(path, grant)| (path.as_os_str(), grant)).collect()),
            plan,
            grounds: BTreeMap::from([(OsString::from("/"), Ground::Memory)]),
            made: BTreeSet::new(),
            present,
            masks: 0,
        }
    }

    /// Makes the grant at `place` true, its parent's being so already.
    fn point(&mut self, place: &Path, pinned: bool) -> Result<(), PlanError> {
        let grant = self.grants.at(place);
        let Some(parent) = place.parent() else {
            return if grant == Grant::Hidden { Ok(()) } else { Err(PlanError::WholeRoot) };
        };
        let around = self.grants.at(parent);
        if grant == around {
            if pinned {
                self.plan.steps.push(Step::Pin { at: place.to_owned() });
            }
            return Ok(());
        }
        let reserved = RESERVED.iter().any(|own| is_within(place, own));
        match grant {
            Grant::Private(_) if OWN_MEMORY.iter().any(|own| place == Path::new(own)) => {}
            Grant::Hidden => {}
            Grant::Denied if reserved => {}
            _ if reserved => return Err(PlanError::Reserved { path: place.to_owned() }),
            Grant::Denied if matches!(around, Grant::Private(_)) => self.deny_in_private(place),
            Grant::Denied => self.deny(place),
            Grant::Read => self.visible(place, Mode::ReadOnly, around),
            Grant::Write => {
                self.visible(place, Mode::Writable, around);
                self.plan.writable.push(place.to_owned());
            }
            Grant::Private(index) => self.private(place, index),
            Grant::PrivateProtected(index) => self.private_protected(place, index),
        }
        Ok(())
    }

    /// A tree of the host that is readable or writable.
    fn visible(&mut self, place: &Path, mode: Mode, around: Grant) {
        let Some(kind) = self.kind(place) else { return };
        // A clone keeps the attributes of what it was cloned from, so only narrowing may clone from the new root;
        // a writable tree below a read-only one comes from the host afresh.
        let narrows = around == Grant::Write && mode == Mode::ReadOnly;
        if narrows {
            self.plan.steps.push(Step::Protect { at: place.to_owned() });
        } else {
            self.mount_point(place, kind);
            self.plan.steps.push(Step::Tree { host: place.to_owned(), at: place.to_owned(), mode });
        }
        self.grounds.insert(place.into(), Ground::Host);
    }

    fn deny(&mut self, place: &Path) {
        let Some(kind) = self.kind(place) else { return };
        if self.ground(place) != Ground::Host {
            // Not visible there in the first place: memory, the private home and covers hold only what is mounted.
            return;
        }
        self.cover(place, kind);
    }

    fn cover(&mut self, place: &Path, kind: Kind) {
        let shows_below = kind == Kind::Directory
            && self.grants.0.range(place.as_os_str()..).skip(1).any(|(point, grant)| {
                matches!(grant, Grant::Read | Grant::Write | Grant::Private(_)) && Path::new(point).starts_with(place)
            });
        if shows_below {
            let number = self.masks;
            self.masks += 1;
            self.plan.steps.push(Step::MaskAround { at: place.to_owned(), number });
            self.grounds.insert(place.into(), Ground::Mask(number));
        } else {
            self.plan.steps.push(Step::Mask { at: place.to_owned(), kind });
        }
    }

    /// A denied name in a private root: nothing of the host's is there, but it may not be brought into being either.
    fn deny_in_private(&mut self, place: &Path) {
        let kind = self.kind(place).unwrap_or(Kind::File);
        self.mount_point(place, kind);
        self.cover(place, kind);
    }

    fn private(&mut self, place: &Path, index: usize) {
        let Some(root) = self.boundary.private.get(index) else { return };
        self.mount_point(place, Kind::Directory);
        match &root.backing {
            Backing::Memory => {
                self.plan.steps.push(Step::Memory { at: place.to_owned() });
                self.grounds.insert(place.into(), Ground::Memory);
            }
            Backing::Directory(host) => {
                self.plan.homes.push(host.clone());
                self.plan.steps.push(Step::Tree { host: host.clone(), at: place.to_owned(), mode: Mode::Writable });
                self.grounds.insert(place.into(), Ground::Home);
            }
        }
        self.plan.writable.push(place.to_owned());
    }

    /// A protected name in a private root is made, empty, in bailiwick's own directory, and mounted over read-only.
    fn private_protected(&mut self, place: &Path, index: usize) {
        if self.boundary.private.get(index).is_some_and(|root| root.path == place) {
            self.private(place, index);
        } else {
            self.mount_point(place, self.kind(place).unwrap_or(Kind::File));
        }
        self.plan.steps.push(Step::Protect { at: place.to_owned() });
    }

    fn alias(&mut self, at: &Path, target: &Path) {
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
    fn socket(&mut self, socket: &Path) {
        if matches!(self.grants.at(socket), Grant::Read | Grant::Write) || self.ground(socket) == Ground::Host {
            return;
        }
        self.mount_point(socket, Kind::File);
        let (host, at) = (socket.to_owned(), socket.to_owned());
        self.plan.steps.push(Step::Tree { host, at, mode: Mode::ReadOnly });
    }

    /// A file of bailiwick's own. Where a tree of the host is, or a link was made (`stands`), it is mounted over what is there.
    fn file(&mut self, file: &OwnFile, stands: bool) {
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
    fn mount_point(&mut self, place: &Path, kind: Kind) {
        match self.ground(place) {
            Ground::Host => {}
            Ground::Memory => {
                self.parents(place);
                self.make(place, kind);
            }
            Ground::Home => {
                let base = self.base(place);
                self.parents_with(place, &base, |at| Step::MakeBeneath { at, kind: Kind::Directory });
                if self.made.insert(place.into()) {
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
                if self.made.insert(place.into()) {
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

    fn parents(&mut self, place: &Path) {
        let base = self.base(place);
        self.parents_with(place, &base, |at| Step::Make { at, kind: Kind::Directory, mode: 0o755 });
    }

    /// Makes every directory strictly between `base` and `place` that is not made yet.
    fn parents_with(&mut self, place: &Path, base: &Path, step: impl Fn(PathBuf) -> Step) {
        let between: Vec<&OsStr> = above(place).take_while(|ancestor| *ancestor != base.as_os_str()).collect();
        for directory in between.into_iter().rev() {
            if self.made.insert(directory.into()) {
                self.plan.steps.push(step(directory.into()));
            }
        }
    }

    fn make(&mut self, place: &Path, kind: Kind) {
        if self.made.insert(place.into()) {
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

    /// What the host has at the path of a rule; `None` where it has nothing.
    fn kind(&self, place: &Path) -> Option<Kind> {
        match self.present.get(place.as_os_str()) {
            Some(Present::Directory) => Some(Kind::Directory),
            Some(Present::File) => Some(Kind::File),
            Some(Present::Absent) | None => None,
        }
    }
}
