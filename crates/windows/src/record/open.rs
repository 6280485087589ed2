//! Which of the described places an account may use that nobody has mentioned.

use std::collections::BTreeMap;

use bailiwick_winsec::token::Token;
use bailiwick_winsec::{AccessMask, AclField, Control, Request, Sid, check};

use crate::facts::{Facts, Object, ObjectKind, OpenAccess, OpenPlace};
use crate::path::WindowsPath;

/// The groups by which an account that logs on is let in, the widest first.
const GROUPS: [Sid; 5] = [Sid::EVERYONE, Sid::USERS, Sid::AUTHENTICATED_USERS, Sid::INTERACTIVE, Sid::BATCH];

/// A domain in which no account exists: the account that is tried owns nothing and is named nowhere.
const STRANGER: Sid = Sid::account([0, 0, 0], 1001);

/// Directories that one of those groups may write, and outside the system's own that it may read.
///
/// A place below another that is as open is named only where its own entries open it: what is inherited from there is closed there.
/// What the access check does not know counts as open; what nobody could look into is none of these, since the user, who is in those
/// groups, was refused.
pub(super) fn open_places(facts: &Facts) -> Vec<OpenPlace> {
    let mut places = Vec::new();
    let mut known: BTreeMap<&WindowsPath, OpenAccess> = BTreeMap::new();
    // Parents come first.
    for object in facts.objects.iter().filter(|object| object.kind == ObjectKind::Directory && !object.is_unknown()) {
        let Some((access, through)) = open(facts, object) else { continue };
        let above = object.path.parent().and_then(|parent| known.get(&parent).copied());
        known.insert(&object.path, access);
        if above < Some(access) || !opened_by_inheritance(object, access) {
            places.push(OpenPlace { path: object.path.clone(), access, through });
        }
    }
    places
}

/// The widest access that one of the groups has.
fn open(facts: &Facts, object: &Object) -> Option<(OpenAccess, Sid)> {
    let keeps = facts.drive_of(&object.path).is_some_and(|drive| drive.keeps_access_lists());
    if !keeps {
        // Nothing is kept from anybody on it, which plans say of the whole drive.
        return None;
    }
    let folders = &facts.folders;
    let system = [Some(&folders.windows), Some(&folders.program_files), folders.program_files_x86.as_ref()];
    let is_system = system.into_iter().flatten().any(|folder| folder.covers(&object.path));
    let write = [AccessMask::FILE_ADD_FILE, AccessMask::FILE_ADD_SUBDIRECTORY];
    if let Some(through) = write.into_iter().find_map(|right| lets(object, right)) {
        return Some((OpenAccess::Write, through));
    }
    // A directory that only lets pass is not open: listing is what tells its names.
    let through = lets(object, AccessMask::FILE_LIST_DIRECTORY).filter(|_| !is_system)?;
    Some((OpenAccess::Read, through))
}

/// The first group that gets the right.
fn lets(object: &Object, right: AccessMask) -> Option<Sid> {
    GROUPS.into_iter().find(|group| {
        let token = Token::plain(STRANGER, &[*group]);
        !check(&token, &object.descriptor, Request::file(right)).is_denied()
    })
}

/// Whether inherited entries alone open it: without them it would be closed.
fn opened_by_inheritance(object: &Object, access: OpenAccess) -> bool {
    let mut own = object.clone();
    let AclField::Present(acl) = &mut own.descriptor.dacl else { return false };
    if object.descriptor.control.contains(Control::DACL_PROTECTED) {
        return false;
    }
    acl.aces.retain(|ace| !ace.is_inherited());
    let rights: &[AccessMask] = match access {
        OpenAccess::Write => &[AccessMask::FILE_ADD_FILE, AccessMask::FILE_ADD_SUBDIRECTORY],
        OpenAccess::Read => &[AccessMask::FILE_LIST_DIRECTORY],
    };
    rights.iter().all(|right| lets(&own, *right).is_none())
}
