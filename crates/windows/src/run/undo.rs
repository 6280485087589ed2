//! The undo of each change. Every one looks at the host first, so it can be repeated, and a change that was announced and not made is
//! no change.

use bailiwick_winsec::{AccessMask, Ace, SecurityDescriptor, Sid};

use super::RunError;
use super::journal::Change;
use super::stamp::{self, Aim, LinkedFiles, Walk};
use crate::host::{
    Code, FileHandle, FileId, Host, Kind, LogonRight, OpenFile, Place, Security, SessionObject, if_there,
};
use crate::path::WindowsPath;

/// Undoes a change; what is left of it, if anything is.
pub(super) fn undo<H: Host + ?Sized>(host: &mut H, change: &Change) -> Result<Vec<String>, RunError> {
    match change {
        Change::Stamp { path, id, original, written, ours } => {
            return unstamp(host, &Stamped { path, id: *id, original, written, ours });
        }
        Change::Directory { path } | Change::File { path } => return delete_tree(host, path),
        Change::Hidden { path } => return delete_hidden(host, path),
        Change::Account { name, comment } => return delete_account(host, name, comment),
        // A broker that ends between starting its runner and putting it into the job leaves it suspended: it never ran, and it
        // is in no job that would end it.
        Change::Profile { sid } => host.end_all_of(*sid).and_then(|()| host.delete_profile(*sid)),
        Change::Right { sid, right } => return take_right(host, *sid, *right).map(|()| Vec::new()),
        Change::RegistryValue { key, name } => if_there(host.delete_value(key, name)).map(|_| ()),
        Change::RegistryKey { key } => match if_there(host.delete_key(key)) {
            Err(error) if error.code == Code::DIRECTORY_NOT_EMPTY => {
                return Ok(vec![format!("{change}: others have put something into it")]);
            }
            deleted => deleted.map(|_| ()),
        },
        Change::Filters { keys } => host.delete_filters(keys),
        Change::Container { name } => if_there(host.delete_container(name)).map(|_| ()),
        Change::Session { object, sid } => return take_grant(host, *object, *sid),
    }
    .map(|()| Vec::new())
    .map_err(RunError::host("undoing a change"))
}

/// A stamp as the journal has it.
struct Stamped<'a> {
    path: &'a WindowsPath,
    id: FileId,
    original: &'a [u8],
    written: &'a [u8],
    ours: &'a [Sid],
}

fn unstamp<H: Host + ?Sized>(host: &mut H, stamped: &Stamped<'_>) -> Result<Vec<String>, RunError> {
    let failed = RunError::host("taking entries out of an access list");
    let place = stamped.path.shown();
    let opened = host.open(Place::Path(stamped.path), &OpenFile::existing(stamp::STAMP));
    let handle = match opened {
        Ok(handle) => handle,
        Err(error) if error.code.is_absent() || error.code == Code::REPARSE_POINT_ENCOUNTERED => {
            return Ok(vec![format!(
                "`{place}` is no longer there; where it went, it keeps its entries for {}",
                list(stamped.ours)
            )]);
        }
        Err(error) => return Err(failed(error)),
    };
    let left = unstamp_through(host, stamped, handle);
    host.close(handle).map_err(failed)?;
    left
}

fn unstamp_through<H: Host + ?Sized>(
    host: &mut H,
    stamped: &Stamped<'_>,
    handle: FileHandle,
) -> Result<Vec<String>, RunError> {
    let failed = RunError::host("taking entries out of an access list");
    let place = stamped.path.shown();
    let facts = host.facts(handle).map_err(&failed)?;
    if facts.id != stamped.id || facts.kind == Kind::Link {
        return Ok(vec![format!(
            "`{place}` is another object now and was not touched; where the first one went, it keeps its entries for {}",
            list(stamped.ours)
        )]);
    }
    let present = host.security(handle).map_err(&failed)?;
    let damaged =
        |_| RunError::Journal { path: stamped.path.clone(), why: "a kept descriptor does not read".to_owned() };
    let original = SecurityDescriptor::parse(stamped.original).map_err(damaged)?;
    let written = SecurityDescriptor::parse(stamped.written).map_err(damaged)?;
    let is_as_written = present.dacl == written.dacl && present.control == written.control;
    // Somebody else changed the list since: only what is ours goes.
    let after = match is_as_written {
        true => original,
        false => without_added(&stamp::without(&present, stamped.ours, true), &original, &written),
    };
    if after.dacl != present.dacl || after.control != present.control {
        host.set_security(handle, Security::Dacl(&after)).map_err(&failed)?;
    }
    if facts.kind != Kind::Directory {
        return Ok(Vec::new());
    }
    let is_writable = written.dacl.acl().is_some_and(|acl| acl.aces.iter().any(|ace| lets_add(ace, stamped.ours)));
    let aim = if is_writable { Aim::Cleanse } else { Aim::TakeBack };
    let how = Walk { ours: stamped.ours, linked: LinkedFiles::Leave, aim };
    let walked = stamp::walk(host, handle, &after, &how)?;
    Ok(walked.left.into_iter().map(|left| format!("{place}{left}")).collect())
}

/// The list without the very entries that a stamp added: one of them may be for the user, whose other entries stay.
fn without_added(
    present: &SecurityDescriptor,
    original: &SecurityDescriptor,
    written: &SecurityDescriptor,
) -> SecurityDescriptor {
    let aces = |descriptor: &SecurityDescriptor| descriptor.dacl.acl().map(|acl| acl.aces.clone()).unwrap_or_default();
    let before = aces(original);
    let added: Vec<Ace> =
        aces(written).into_iter().filter(|ace| !ace.is_inherited() && !before.contains(ace)).collect();
    let mut after = present.clone();
    if let Some(acl) = after.dacl.acl_mut() {
        acl.aces.retain(|ace| !added.contains(ace));
    }
    after
}

/// Whether an entry lets one of ours make files.
fn lets_add(ace: &Ace, ours: &[Sid]) -> bool {
    stamp::is_for(ace, ours)
        && !ace.denies()
        && ace.as_known().is_some_and(|ace| ace.mask.contains(AccessMask::FILE_ADD_FILE))
}

fn list(sids: &[Sid]) -> String {
    sids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Deletes what bailiwick made and what the inside put into it, never through a link.
fn delete_tree<H: Host + ?Sized>(host: &mut H, path: &WindowsPath) -> Result<Vec<String>, RunError> {
    let failed = RunError::host("deleting what bailiwick made");
    let access = AccessMask::DELETE | AccessMask::FILE_LIST_DIRECTORY | AccessMask::FILE_READ_ATTRIBUTES;
    let Some(root) = if_there(host.open(Place::Path(path), &OpenFile::existing(access))).map_err(&failed)? else {
        return Ok(Vec::new());
    };
    delete_through(host, root, path)
}

/// Deletes what was taken away. The inside may have made it so that the user cannot look into it or delete it: then it is left,
/// under its harmless name.
pub(super) fn delete_hidden<H: Host + ?Sized>(host: &mut H, path: &WindowsPath) -> Result<Vec<String>, RunError> {
    match delete_tree(host, path) {
        Err(RunError::Host { error, .. }) if matches!(error.code, Code::ACCESS_DENIED | Code::SHARING_VIOLATION) => {
            Ok(vec![format!("`{}` was taken away and cannot be deleted: {error}", path.shown())])
        }
        // Its directory was moved: where it went, its name is as harmless.
        Err(RunError::Host { error, .. }) if error.code == Code::REPARSE_POINT_ENCOUNTERED => Ok(Vec::new()),
        deleted => deleted,
    }
}

/// [`delete_tree`] through a handle with `DELETE` and `FILE_LIST_DIRECTORY`, which is closed.
fn delete_through<H: Host + ?Sized>(
    host: &mut H,
    root: FileHandle,
    path: &WindowsPath,
) -> Result<Vec<String>, RunError> {
    let failed = RunError::host("deleting what bailiwick made");
    let access = AccessMask::DELETE | AccessMask::FILE_LIST_DIRECTORY | AccessMask::FILE_READ_ATTRIBUTES;
    // Each directory is emptied before it goes. A name that cannot be deleted is left, and with it what is above.
    let mut stack: Vec<(FileHandle, Option<Vec<String>>)> = vec![(root, None)];
    let mut left = Vec::new();
    while let Some((handle, names)) = stack.last_mut() {
        let handle = *handle;
        if names.is_none() {
            let is_directory = host.facts(handle).map_err(&failed)?.kind == Kind::Directory;
            let entries = if is_directory { host.list(handle).map_err(&failed)? } else { Vec::new() };
            *names = Some(entries.into_iter().map(|entry| entry.name).collect());
        }
        if let Some(name) = names.as_mut().and_then(Vec::pop) {
            match host.open(Place::Below(handle, &name), &OpenFile::existing(access)) {
                Ok(child) => stack.push((child, None)),
                Err(error) if error.code.is_absent() => {}
                Err(error) if error.code == Code::PROCESS_ABORTED => return Err(failed(error)),
                Err(error) => left.push(error.to_string()),
            }
            continue;
        }
        stack.pop();
        let deleted = host.delete(handle);
        host.close(handle).map_err(&failed)?;
        match deleted {
            Ok(()) => {}
            Err(error) if error.code == Code::DIRECTORY_NOT_EMPTY => {
                left.push(format!("`{}` is not empty", path.shown()));
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(left)
}

fn delete_account<H: Host + ?Sized>(host: &mut H, name: &str, comment: &str) -> Result<Vec<String>, RunError> {
    let failed = RunError::host("deleting an account");
    match if_there(host.account(name)).map_err(&failed)? {
        None => Ok(Vec::new()),
        // The comment holds a number that was drawn for this account.
        Some(facts) if facts.comment != comment => Ok(Vec::new()),
        Some(_) => if_there(host.delete_account(name)).map(|_| Vec::new()).map_err(failed),
    }
}

fn take_right<H: Host + ?Sized>(host: &mut H, sid: Sid, right: LogonRight) -> Result<(), RunError> {
    host.set_right(sid, right, false).map_err(RunError::host("taking a right of an account back"))
}

fn take_grant<H: Host + ?Sized>(host: &mut H, object: SessionObject, sid: Sid) -> Result<Vec<String>, RunError> {
    let failed = RunError::host("taking entries from an object of the session");
    let present = host.session_security(object).map_err(&failed)?;
    let after = stamp::without(&present, &[sid], false);
    if after != present {
        host.set_session_security(object, &after).map_err(&failed)?;
    }
    Ok(Vec::new())
}
