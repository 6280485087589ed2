//! What every account of the machine may use, refused to bailiwick's accounts.
//!
//! Three sources: the roots of drives, the places that the scan found open, and described places whose own entries let any account
//! read although the policy does not. The group of all accounts is named, once, at setup.

use bailiwick_winsec::token::Token;
use bailiwick_winsec::{AccessMask, AceFlags, Acl, AclField, Control, Request, Sid, check};

use super::build::{self, reads};
use super::rights::{self, Reach, deny};
use super::{Lifetime, PlanError, Purpose, Stamp, Writer};
use crate::facts::{Facts, Object, ObjectKind, OpenAccess};
use crate::path::WindowsPath;
use crate::target::Target;

/// What is refused, and what stays open.
pub(super) struct Closed {
    /// The refusals, parents first.
    pub(super) stamps: Vec<Stamp>,
    /// Places that any account may read and of which not even an administrator may change the access list.
    pub(super) open: Vec<WindowsPath>,
}

/// Refusals for the group of all accounts where any account could read or write. `plain` is the token of an account.
pub(super) fn close(target: &Target, facts: &Facts, group: Sid, plain: &Token) -> Result<Closed, PlanError> {
    let setup = |path: &WindowsPath, entries| Stamp {
        writer: Writer::Administrator,
        ..build::stamp(facts, path, Purpose::Ambient, Lifetime::Setup, entries)
    };
    // A directory on the way to others: its attributes may be asked and it is passed through, no more.
    let passed = [deny(group, rights::LIST_OR_CHANGE, Reach::Object), deny(group, rights::ALL, Reach::Below)];
    let mut stamps = Vec::new();
    for drive in facts.drives.iter().filter(|drive| drive.keeps_access_lists()) {
        stamps.push(setup(&WindowsPath::root(drive.letter), passed.to_vec()));
    }
    for place in build::open_places(target, facts).into_iter().filter(|place| !place.path.is_root()) {
        let mask = match place.access {
            OpenAccess::Write if reads(target.grant(&place.path)) => rights::CHANGE,
            OpenAccess::Write | OpenAccess::Read => rights::ALL,
        };
        stamps.push(setup(&place.path, vec![deny(group, mask, Reach::Tree)]));
    }
    let refused_by_rule = build::places(target, facts)?;
    let mut open = Vec::new();
    for object in facts.objects.iter().filter(|object| lets_read(facts, object, plain)) {
        let is_refused = stamps.iter().any(|stamp| stamp.path == object.path)
            || refused_by_rule.iter().any(|place| place.path == object.path);
        if reads(target.grant(&object.path)) || is_refused {
            continue;
        }
        let has_list = matches!(object.descriptor.dacl, AclField::Present(_));
        let administrator = Token::plain(Sid::ADMINISTRATORS, &[Sid::EVERYONE, Sid::AUTHENTICATED_USERS]);
        match has_list && build::is_granted(facts, &administrator, &object.path, AccessMask::WRITE_DAC) {
            true if object.kind == ObjectKind::Directory => stamps.push(setup(&object.path, passed.to_vec())),
            true => stamps.push(setup(&object.path, vec![deny(group, rights::ALL, Reach::Object)])),
            false => open.push(object.path.clone()),
        }
    }
    stamps.sort_by(|a, b| a.path.cmp(&b.path));
    stamps.dedup_by(|later, earlier| later.path == earlier.path && later.entries == earlier.entries);
    Ok(Closed { stamps, open })
}

/// Whether an object lets a token read by entries of its own, which stand before every refusal that it inherits. Unknown is yes.
fn lets_read(facts: &Facts, object: &Object, token: &Token) -> bool {
    let keeps = facts.drive_of(&object.path).is_some_and(|drive| drive.keeps_access_lists());
    if !keeps || object.path.is_root() || matches!(object.kind, ObjectKind::Link(_)) {
        return false;
    }
    let mut own = object.descriptor.clone();
    if !own.control.contains(Control::DACL_PROTECTED)
        && let AclField::Present(acl) = &object.descriptor.dacl
    {
        let aces = acl.aces.iter().filter(|ace| !ace.is_inherited()).cloned().collect();
        own.dacl = AclField::Present(Acl { revision: acl.revision, aces });
    }
    !check(token, &own, Request::file(AccessMask::FILE_READ_DATA)).is_denied()
}

/// Whether a refusal of the plan, its own or an inherited one, reaches some of these rights at a place.
pub(super) fn is_refused(facts: &Facts, ambient: &[Stamp], path: &WindowsPath, desired: AccessMask) -> bool {
    let mut here = Some(path.clone());
    while let Some(place) = here {
        let reaches = |flags: AceFlags| match place == *path {
            true => !flags.contains(AceFlags::INHERIT_ONLY),
            false => flags.intersects(AceFlags::INHERIT_ALL),
        };
        let entries = ambient.iter().filter(|stamp| stamp.path == place).flat_map(|stamp| &stamp.entries);
        if entries.into_iter().any(|entry| reaches(entry.flags) && entry.mask.intersects(desired)) {
            return true;
        }
        if !build::inherits(facts, &place) {
            return false;
        }
        here = place.parent();
    }
    false
}
