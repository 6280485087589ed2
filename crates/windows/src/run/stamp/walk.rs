//! The walk below a stamped directory, from handle to handle.

use bailiwick_winsec::{AccessMask, SecurityDescriptor, Sid};

use super::STAMP;
use super::entries::{self, Below};
use crate::host::{Answer, Code, Entry, FileHandle, Host, Kind, OpenFile, Place, Security};
use crate::run::RunError;

/// What the walk does about files with a second name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkedFiles {
    /// They are given nothing.
    Leave,
    /// They are stamped like all others: the mistake that the tests must find.
    #[cfg(test)]
    Stamp,
}

/// What a walk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::run) enum Aim {
    /// What the directory hands down arrives.
    HandDown,
    /// What the directory handed down goes again.
    TakeBack,
    /// Every entry for these SIDs goes, also below protected lists: the inside could write here, and it may have made some.
    Cleanse,
}

/// How to walk.
pub(in crate::run) struct Walk<'a> {
    /// Whose entries are handed down.
    pub(in crate::run) ours: &'a [Sid],
    /// Files with a second name.
    pub(in crate::run) linked: LinkedFiles,
    /// What is done with the entries.
    pub(in crate::run) aim: Aim,
}

/// What a walk did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// How many access lists were written.
    pub written: u64,
    /// What was left alone that the entries should have reached, and why.
    pub left: Vec<String>,
}

/// A directory on the way down.
struct Frame {
    handle: FileHandle,
    descriptor: SecurityDescriptor,
    entries: std::vec::IntoIter<Entry>,
    shown: String,
    /// Whether the walk opened the handle and closes it.
    opened: bool,
}

/// Hands the entries of `ours` down from a directory that has them. Handles are open as deep as the tree, never as wide.
pub(in crate::run) fn walk<H: Host + ?Sized>(
    host: &mut H,
    root: FileHandle,
    descriptor: &SecurityDescriptor,
    how: &Walk<'_>,
) -> Result<Walked, RunError> {
    let failed = RunError::host("handing entries down");
    let mut walked = Walked { written: 1, left: Vec::new() };
    let entries = host.list(root).map_err(&failed)?.into_iter();
    let mut frames =
        vec![Frame { handle: root, descriptor: descriptor.clone(), entries, shown: String::new(), opened: false }];
    while let Some(frame) = frames.last_mut() {
        let Some(entry) = frame.entries.next() else {
            let Some(frame) = frames.pop() else { break };
            if frame.opened {
                host.close(frame.handle).map_err(&failed)?;
            }
            continue;
        };
        let shown = format!("{}\\{}", frame.shown, entry.name);
        let (parent, above) = (frame.handle, frame.descriptor.clone());
        match child(host, parent, &above, &entry.name, how).map_err(&failed)? {
            Child::Gone => {}
            Child::Left(why) => walked.left.push(format!("{shown}: {why}")),
            Child::Done { wrote, down } => {
                walked.written += u64::from(wrote);
                if let Some(down) = down {
                    let (handle, descriptor) = *down;
                    let entries = host.list(handle).map_err(&failed)?.into_iter();
                    frames.push(Frame { handle, descriptor, entries, shown, opened: true });
                }
            }
        }
    }
    Ok(walked)
}

enum Child {
    /// It is no longer there.
    Gone,
    Left(&'static str),
    Done {
        wrote: bool,
        down: Option<Box<(FileHandle, SecurityDescriptor)>>,
    },
}

fn child<H: Host + ?Sized>(
    host: &mut H,
    parent: FileHandle,
    above: &SecurityDescriptor,
    name: &str,
    how: &Walk<'_>,
) -> Answer<Child> {
    let handle = match host.open(Place::Below(parent, name), &OpenFile::existing(STAMP)) {
        Ok(handle) => handle,
        Err(error) if error.code.is_absent() => return Ok(Child::Gone),
        Err(error) if matches!(error.code, Code::ACCESS_DENIED | Code::SHARING_VIOLATION) => {
            return denied(host, parent, above, name, how);
        }
        Err(error) => return Err(error),
    };
    let facts = host.facts(handle)?;
    let present = host.security(handle)?;
    let is_directory = facts.kind == Kind::Directory;
    let done = |host: &mut H, child: Child| host.close(handle).map(|()| child);
    let after = match entries::below(above, &present, is_directory, how.ours, how.aim) {
        Below::Protected => return done(host, Child::Done { wrote: false, down: None }),
        Below::Odd => return done(host, Child::Left("its access list takes nothing from above")),
        Below::Same => None,
        Below::Changed(after) => Some(*after),
    };
    if let Some(after) = &after {
        let gives = facts.kind == Kind::File && facts.links > 1 && entries::gives(&present, after, how.ours);
        if gives && how.aim == Aim::HandDown && how.linked == LinkedFiles::Leave {
            return done(host, Child::Left("it has a second name"));
        }
        host.set_security(handle, Security::Dacl(after))?;
    }
    let wrote = after.is_some();
    if is_directory {
        return Ok(Child::Done { wrote, down: Some(Box::new((handle, after.unwrap_or(present)))) });
    }
    done(host, Child::Done { wrote, down: None })
}

/// What cannot be opened for writing its list: whether that matters.
fn denied<H: Host + ?Sized>(
    host: &mut H,
    parent: FileHandle,
    above: &SecurityDescriptor,
    name: &str,
    how: &Walk<'_>,
) -> Answer<Child> {
    const LEFT: Child = Child::Left("its access list may not be changed");
    let Ok(handle) = host.open(Place::Below(parent, name), &OpenFile::existing(AccessMask::READ_CONTROL)) else {
        return Ok(LEFT);
    };
    let present = host.security(handle);
    host.close(handle)?;
    Ok(match entries::below(above, &present?, false, how.ours, how.aim) {
        Below::Protected => Child::Done { wrote: false, down: None },
        Below::Same | Below::Odd | Below::Changed(_) => LEFT,
    })
}
