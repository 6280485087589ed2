//! What the tiers' plans share: the boundary's points, conditions, pins, directories above.

use std::collections::BTreeSet;

use bailiwick_policy::boundary::Present;
use bailiwick_policy::decide::Grant;
use bailiwick_policy::policy::WorkspaceMode;
use bailiwick_winsec::token::{Group, Token};
use bailiwick_winsec::{AccessMask, Control, KnownAce, Request, Sid, check as access_check};

use super::rights::{self, Reach, allow};
use super::{Inheritance, Leak, Lifetime, Pin, PlanError, Purpose, Stamp, Unmet, UnmetReason, Writer};
use crate::facts::{DriveKind, Facts, HardLink, ObjectKind, OpenAccess, OpenPlace};
use crate::path::WindowsPath;
use crate::target::Target;
use crate::tier::Tier;

/// A point at which the boundary's grant changes.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: WindowsPath,
    pub(super) grant: Grant,
    /// What holds in the directory around it.
    pub(super) around: Grant,
    pub(super) present: Present,
}

impl Place {
    pub(super) fn reach(&self) -> Reach {
        Reach::tree(self.present == Present::Directory)
    }
}

/// Whether the inside reads here. (No root of a Windows boundary is a private one.)
pub(super) fn reads(grant: Grant) -> bool {
    matches!(grant, Grant::Read | Grant::Write)
}

/// The points at which the grant changes, parents first.
pub(super) fn places(target: &Target, facts: &Facts) -> Result<Vec<Place>, PlanError> {
    let mut places: Vec<Place> = Vec::new();
    let mut above: Vec<(WindowsPath, Grant)> = Vec::new();
    let mut points = Vec::new();
    for (key, grant) in target.boundary.point_grants() {
        points.push((target.spelled(key).ok_or(PlanError::Lost)?.clone(), grant));
    }
    points.sort_by(|a, b| a.0.cmp(&b.0));
    for (path, grant) in points {
        while above.last().is_some_and(|(outer, _)| !outer.covers(&path)) {
            above.pop();
        }
        let around = above.last().map_or(Grant::Hidden, |(_, grant)| *grant);
        above.push((path.clone(), grant));
        if grant == around || !(reads(grant) || reads(around)) {
            continue;
        }
        let present = match facts.object(&path).map(|object| &object.kind) {
            // The private home is made before anything is stamped.
            None if path == target.home => Present::Directory,
            None => Present::Absent,
            Some(ObjectKind::Directory) => Present::Directory,
            Some(_) => Present::File,
        };
        places.push(Place { path, grant, around, present });
    }
    Ok(places)
}

/// What no tier can do anything about.
pub(super) fn check(target: &Target, facts: &Facts) -> Result<(), PlanError> {
    let tier = target.tier;
    if facts.user.elevated && tier != Tier::Account {
        return Err(PlanError::Elevated { tier });
    }
    if target.boundary.workspace_mode == WorkspaceMode::Layer {
        return Err(PlanError::Layer);
    }
    let places = places(target, facts)?;
    for place in &places {
        let path = place.path.clone();
        if place.grant == Grant::Write {
            let folders = &facts.folders;
            let system = [Some(&folders.windows), Some(&folders.program_files), folders.program_files_x86.as_ref()];
            let is_system = system.iter().flatten().any(|folder| path.covers(folder) || folder.covers(&path));
            if path.is_root() || is_system || path.covers(&folders.profiles) {
                return Err(PlanError::TooBroad { path });
            }
            match facts.drive_of(&path) {
                Some(drive) if drive.kind == DriveKind::Network => return Err(PlanError::NetworkDrive { path }),
                Some(drive) if !drive.keeps_access_lists() => {
                    return Err(PlanError::NoAccessLists { path, file_system: drive.file_system.clone() });
                }
                _ => {}
            }
        } else if path.is_root() && place.grant == Grant::Read {
            return Err(PlanError::TooBroad { path });
        }
    }
    if tier != Tier::Guard {
        one_drive(target, facts)?;
        hard_links(target, facts)?;
    }
    Ok(())
}

fn one_drive(target: &Target, facts: &Facts) -> Result<(), PlanError> {
    match facts.one_drive_of(&target.workspace) {
        Some(root) => {
            Err(PlanError::OneDrive { path: target.workspace.clone(), root: root.clone(), tier: target.tier })
        }
        None => Ok(()),
    }
}

/// A file with one name that the inside may write and another that it may not: both are one object with one list.
pub(super) fn linked_outside<'a>(target: &Target, facts: &'a Facts) -> Vec<&'a HardLink> {
    let is_outside =
        |link: &&HardLink| target.grant(&link.path) == Grant::Write && target.grant(&link.other) != Grant::Write;
    facts.hard_links.iter().filter(is_outside).collect()
}

fn hard_links(target: &Target, facts: &Facts) -> Result<(), PlanError> {
    let outside = linked_outside(target, facts);
    match outside.first() {
        Some(link) => {
            Err(PlanError::HardLinks { count: outside.len(), path: link.path.clone(), other: link.other.clone() })
        }
        None => Ok(()),
    }
}

/// Whether a token is granted these rights on what is described at a path. Unknown is no.
pub(super) fn is_granted(facts: &Facts, token: &Token, path: &WindowsPath, desired: AccessMask) -> bool {
    facts
        .object(path)
        .is_some_and(|object| access_check(token, &object.descriptor, Request::file(desired)).is_granted())
}

/// Whether a place inherits entries from above.
pub(super) fn inherits(facts: &Facts, path: &WindowsPath) -> bool {
    !facts.object(path).is_some_and(|object| object.descriptor.control.contains(Control::DACL_PROTECTED))
}

/// The user as an ordinary shell has it: Administrators may only deny there.
pub(super) fn user_token(facts: &Facts) -> Token {
    let user = &facts.user;
    let mut token = Token::plain(user.sid, &[]);
    token.groups = user.groups.iter().map(|sid| group(*sid)).collect();
    token
}

fn group(sid: Sid) -> Group {
    if sid.is_logon() {
        Group::logon(sid)
    } else if sid == Sid::ADMINISTRATORS {
        Group::deny_only(sid)
    } else {
        Group::enabled(sid)
    }
}

/// Who writes a stamp on a path: the user where Windows lets them.
pub(super) fn writer(facts: &Facts, path: &WindowsPath) -> Writer {
    let token = user_token(facts);
    let nearest = std::iter::once(path.clone()).chain(path.ancestors()).find(|place| facts.object(place).is_some());
    let may = nearest.is_some_and(|place| is_granted(facts, &token, &place, AccessMask::WRITE_DAC));
    if may { Writer::User } else { Writer::Administrator }
}

/// A stamp that leaves what is inherited as it is.
pub(super) fn stamp(
    facts: &Facts,
    path: &WindowsPath,
    purpose: Purpose,
    lifetime: Lifetime,
    entries: Vec<KnownAce>,
) -> Stamp {
    let writer = writer(facts, path);
    Stamp { path: path.clone(), lifetime, writer, inheritance: Inheritance::Keep, entries, purpose }
}

/// What holds guarded names: pins and watches.
pub(super) struct Guarding {
    pub(super) pins: Vec<Pin>,
    pub(super) watched: Vec<WindowsPath>,
    /// Existing directories strictly between a writable root and a guarded name.
    pub(super) held: Vec<WindowsPath>,
}

/// Pins for what exists and its directories, watches for what does not.
pub(super) fn guarding(target: &Target, facts: &Facts) -> Result<Guarding, PlanError> {
    let (mut pins, mut watched) = (Vec::new(), Vec::new());
    let mut held = BTreeSet::new();
    for name in target.boundary.guarded() {
        let path = target.spelled(name.path).ok_or(PlanError::Lost)?;
        let root = target.spelled(name.root).ok_or(PlanError::Lost)?;
        match facts.object(path) {
            Some(object) => {
                let everything_below = object.kind == ObjectKind::Directory;
                pins.push(Pin { path: path.clone(), everything_below });
            }
            None => watched.push(path.clone()),
        }
        held.extend(path.ancestors().filter(|above| root.covers_strictly(above) && facts.object(above).is_some()));
    }
    let held: Vec<WindowsPath> = held.into_iter().filter(|above| !pins.iter().any(|pin| pin.path == *above)).collect();
    pins.extend(held.iter().map(|path| Pin { path: path.clone(), everything_below: false }));
    // The root itself: renaming it would take every name below out of the boundary's sight.
    pins.push(Pin { path: target.workspace.clone(), everything_below: false });
    pins.sort_by(|a, b| a.path.cmp(&b.path).then(b.everything_below.cmp(&a.everything_below)));
    pins.dedup_by(|later, earlier| later.path == earlier.path);
    Ok(Guarding { pins, watched, held })
}

/// Stamps on the directories above `granted` for programs that ask for the attributes of every parent, where `token` does not have
/// them already and nothing that the plan adds takes them away.
pub(super) fn ancestors(
    target: &Target,
    facts: &Facts,
    granted: &[WindowsPath],
    sid: Sid,
    token: &Token,
    covered: impl Fn(&WindowsPath) -> bool,
) -> Vec<Stamp> {
    let mut above = BTreeSet::new();
    for path in granted {
        above.extend(path.ancestors().filter(|directory| !reads(target.grant(directory))));
    }
    above
        .into_iter()
        .filter(|path| covered(path) || !is_granted(facts, token, path, rights::ANCESTOR))
        .map(|path| {
            let entries = vec![allow(sid, rights::ANCESTOR, Reach::Object)];
            stamp(facts, &path, Purpose::Ancestor, Lifetime::Workspace, entries)
        })
        .collect()
}

/// Takes out the stamps that only an administrator could write.
pub(super) fn without_administrator(
    target: &Target,
    stamps: Vec<Stamp>,
    unmet: &mut Vec<Unmet>,
) -> Result<Vec<Stamp>, PlanError> {
    let (kept, left): (Vec<Stamp>, Vec<Stamp>) = stamps.into_iter().partition(|stamp| stamp.writer == Writer::User);
    for stamp in left {
        if !matches!(stamp.purpose, Purpose::Read | Purpose::Ancestor) {
            return Err(PlanError::NotOurs { path: stamp.path, tier: target.tier });
        }
        unmet.push(Unmet { path: stamp.path, why: UnmetReason::NeedsAdministrator });
    }
    Ok(kept)
}

/// Drives on which nothing can be kept from anybody.
pub(super) fn unguarded_drives(facts: &Facts) -> Vec<Leak> {
    let open = facts.drives.iter().filter(|drive| drive.kind != DriveKind::Network && !drive.keeps_access_lists());
    open.map(|drive| Leak::NoAccessLists { drive: drive.letter }).collect()
}

/// What taking a name away takes of the directory that holds it, whatever the list of the name says: deleting children, and another name
/// in the same directory.
const TAKING: [AccessMask; 3] =
    [AccessMask::FILE_DELETE_CHILD, AccessMask::FILE_ADD_FILE, AccessMask::FILE_ADD_SUBDIRECTORY];

/// How what appears is taken away.
pub(super) struct TakingAway {
    /// Entries for the user, where those of the directory do not suffice and the user may change them.
    pub(super) stamps: Vec<Stamp>,
    /// The directories in which nothing can be taken away.
    pub(super) leak: Option<Leak>,
}

/// What taking away needs in the directories in which watched names could appear. What the inside made in an earlier run (`inside` owns
/// it) is none of them: it goes itself if it has to.
pub(super) fn taking_away(facts: &Facts, watched: &[WindowsPath], inside: Sid) -> TakingAway {
    let token = user_token(facts);
    let is_closed = |path: &WindowsPath| TAKING.iter().any(|right| !is_granted(facts, &token, path, *right));
    let is_users = |path: &WindowsPath| {
        facts.object(path).is_some_and(|object| object.kind == ObjectKind::Directory && object.owner != inside)
    };
    let nearest = |name: &WindowsPath| name.ancestors().find(is_users);
    let closed: BTreeSet<WindowsPath> = watched.iter().filter_map(nearest).filter(is_closed).collect();
    let mask = TAKING.into_iter().fold(AccessMask::NONE, |all, right| all | right);
    let (mut stamps, mut places) = (Vec::new(), Vec::new());
    for path in closed {
        let entries = vec![allow(facts.user.sid, mask, Reach::Object)];
        let stamp = stamp(facts, &path, Purpose::TakeAway, Lifetime::Workspace, entries);
        let keeps = facts.drive_of(&path).is_some_and(|drive| drive.keeps_access_lists());
        if stamp.writer == Writer::User && keeps { stamps.push(stamp) } else { places.push(path) }
    }
    let leak = (!places.is_empty()).then_some(Leak::NamesStay { places });
    TakingAway { stamps, leak }
}

/// Open places that the boundary does not grant as wide as they are open.
pub(super) fn open_places<'a>(target: &Target, facts: &'a Facts) -> Vec<&'a OpenPlace> {
    let is_too_open = |place: &&OpenPlace| match place.access {
        OpenAccess::Write => target.grant(&place.path) != Grant::Write,
        OpenAccess::Read => !reads(target.grant(&place.path)),
    };
    facts.open_to_all.iter().filter(is_too_open).collect()
}
