//! Stamps: bailiwick's entries in the access list of one object, and what is below it.
//!
//! One stamp is written for the life of a workspace and compared by exact tuple ever after. What is below gets exactly the entries that its
//! directory hands down, through handles from directory to child: nobody can swap a directory for a junction on the way. Entries that are not
//! bailiwick's are never recomputed, so taking its own out again restores every list to the byte.
//!
//! A file with a second name shares its access list with a name that this walk does not know. It is given nothing (refusals may reach
//! it: they take nothing from anybody but bailiwick's own accounts).

mod entries;
mod walk;

use bailiwick_winsec::{AccessMask, Ace, SecurityDescriptor, Sid};

pub(super) use entries::{is_for, without};
pub(super) use walk::{Aim, Walk, walk};
pub use walk::{LinkedFiles, Walked};

use super::RunError;
use super::journal::{Change, Journal};
use crate::host::{Code, FileHandle, Host, Kind, OpenFile, Place, Security};
use crate::path::WindowsPath;
use crate::plan::{Inheritance, Plan, Purpose, Stamp};

/// What looking at a stamped object takes.
const LOOK: AccessMask = AccessMask(AccessMask::READ_CONTROL.0 | AccessMask::FILE_READ_ATTRIBUTES.0);

/// What writing a stamp takes: `FILE_LIST_DIRECTORY` for the walk.
pub(super) const STAMP: AccessMask = AccessMask(LOOK.0 | AccessMask::WRITE_DAC.0 | AccessMask::FILE_LIST_DIRECTORY.0);

/// Every SID of bailiwick's that a plan puts into access lists. The user's is not bailiwick's: of its entries exactly the planned ones are.
pub fn sids(plan: &Plan) -> Vec<Sid> {
    let mut sids = vec![plan.identity.sid()];
    let ours = plan.stamps.iter().filter(|stamp| stamp.purpose != Purpose::TakeAway);
    for entry in ours.flat_map(|stamp| &stamp.entries) {
        if !sids.contains(&entry.sid) {
            sids.push(entry.sid);
        }
    }
    sids
}

/// Writes a stamp where it is not there yet.
///
/// # Errors
///
/// [`RunError::Object`] for a link and for a file with a second name; [`RunError::Host`].
pub fn write<H: Host + ?Sized>(
    host: &mut H,
    journal: &mut Journal,
    stamp: &Stamp,
    ours: &[Sid],
    linked: LinkedFiles,
) -> Result<Walked, RunError> {
    let failed = RunError::host("writing an access list");
    let handle = host.open(Place::Path(&stamp.path), &OpenFile::existing(STAMP)).map_err(&failed)?;
    let written = write_through(host, journal, stamp, ours, linked, handle);
    host.close(handle).map_err(failed)?;
    written
}

fn write_through<H: Host + ?Sized>(
    host: &mut H,
    journal: &mut Journal,
    stamp: &Stamp,
    ours: &[Sid],
    linked: LinkedFiles,
    handle: FileHandle,
) -> Result<Walked, RunError> {
    let failed = RunError::host("writing an access list");
    let refuse = |why| Err(RunError::Object { path: stamp.path.clone(), why });
    let facts = host.facts(handle).map_err(&failed)?;
    match facts.kind {
        Kind::Link => return refuse("is a link"),
        Kind::File if facts.links > 1 && linked == LinkedFiles::Leave => {
            return refuse("has a second name, under which the same list would hold");
        }
        Kind::File | Kind::Directory => {}
    }
    let before = host.security(handle).map_err(&failed)?;
    let Some(after) = entries::stamped(&before, stamp, ours) else { return refuse("has no access list") };
    if after == before {
        return Ok(Walked::default());
    }
    // A broken inheritance takes the entries of all of ours away, which the undo must know.
    let named: Vec<Sid> = match stamp.inheritance {
        Inheritance::BreakWithoutOurs => ours.to_vec(),
        Inheritance::Keep => {
            ours.iter().copied().filter(|sid| stamp.entries.iter().any(|entry| entry.sid == *sid)).collect()
        }
    };
    let (original, written) = (bytes(&before, stamp)?, bytes(&after, stamp)?);
    let change = Change::Stamp { path: stamp.path.clone(), id: facts.id, original, written, ours: named.clone() };
    journal.will(host, change)?;
    host.set_security(handle, Security::Dacl(&after)).map_err(&failed)?;
    if facts.kind == Kind::Directory {
        return walk(host, handle, &after, &Walk { ours: &named, linked, aim: Aim::HandDown });
    }
    Ok(Walked { written: 1, ..Walked::default() })
}

/// Hands the entries of a stamp that is on its object down once more. The journal needs no word of it: the undo of the stamp
/// looks at everything below.
pub(super) fn hand_down<H: Host + ?Sized>(
    host: &mut H,
    stamp: &Stamp,
    linked: LinkedFiles,
) -> Result<Walked, RunError> {
    let failed = RunError::host("handing entries down");
    let handle = host.open(Place::Path(&stamp.path), &OpenFile::existing(STAMP)).map_err(&failed)?;
    let present = host.security(handle).map_err(&failed)?;
    let ours: Vec<Sid> = stamp.entries.iter().map(|entry| entry.sid).collect();
    let walked = match host.facts(handle).map_err(&failed)?.kind {
        Kind::Directory => walk(host, handle, &present, &Walk { ours: &ours, linked, aim: Aim::HandDown }),
        Kind::File | Kind::Link => Ok(Walked::default()),
    };
    host.close(handle).map_err(failed)?;
    walked
}

fn bytes(descriptor: &SecurityDescriptor, stamp: &Stamp) -> Result<Vec<u8>, RunError> {
    let why = "has an access list that cannot be kept";
    descriptor.to_bytes().map_err(|_| RunError::Object { path: stamp.path.clone(), why })
}

/// Looks whether the objects of all stamps have exactly the planned entries: one look at each, no walk, no write. The stamps whose
/// objects do not let this process look are returned: they must be tried from inside.
///
/// # Errors
///
/// [`RunError::Stamp`] with the first that is not so.
pub fn check<'a, H: Host + ?Sized>(host: &mut H, plan: &'a Plan) -> Result<Vec<&'a Stamp>, RunError> {
    let ours = sids(plan);
    let mut unseen = Vec::new();
    for stamp in &plan.stamps {
        match is_as_planned(host, plan, stamp, &ours)? {
            Some(true) => {}
            Some(false) => return Err(RunError::Stamp { path: stamp.path.clone() }),
            None => unseen.push(stamp),
        }
    }
    Ok(unseen)
}

fn is_as_planned<H: Host + ?Sized>(
    host: &mut H,
    plan: &Plan,
    stamp: &Stamp,
    ours: &[Sid],
) -> Result<Option<bool>, RunError> {
    let failed = RunError::host("looking at an access list");
    let handle = match host.open(Place::Path(&stamp.path), &OpenFile::existing(LOOK)) {
        Err(error) if error.code == Code::ACCESS_DENIED => return Ok(None),
        opened => opened.map_err(&failed)?,
    };
    let facts = host.facts(handle);
    let present = host.security(handle);
    host.close(handle).map_err(&failed)?;
    let (facts, present) = (facts.map_err(&failed)?, present.map_err(&failed)?);
    let is_single = facts.kind != Kind::Link && (facts.kind == Kind::Directory || facts.links == 1);
    let is_complete = entries::stamped(&present, stamp, ours).is_some_and(|wanted| wanted == present);
    Ok(Some(is_single && is_complete && !has_more(plan, &stamp.path, &present, ours)))
}

/// Whether the object has an entry of its own for one of our SIDs that no stamp of the plan put there.
fn has_more(plan: &Plan, path: &WindowsPath, present: &SecurityDescriptor, ours: &[Sid]) -> bool {
    let planned: Vec<Ace> = plan
        .stamps
        .iter()
        .filter(|stamp| stamp.path == *path)
        .flat_map(|stamp| &stamp.entries)
        .map(|entry| Ace::Known(*entry))
        .collect();
    let own = present.dacl.acl().map(|acl| acl.aces.as_slice()).unwrap_or_default().iter();
    own.filter(|ace| !ace.is_inherited() && entries::is_for(ace, ours)).any(|ace| !planned.contains(ace))
}
