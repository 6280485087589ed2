//! What a workspace needs once: the private home, the AppContainer, the stamps, the entries on the session's objects.
//!
//! Preparing what is prepared changes nothing and costs one look for each object. `setup --repair` is the same call.

use bailiwick_winsec::ntfs::Share;
use bailiwick_winsec::{AccessMask, Ace, AclField};

use super::RunError;
use super::journal::{Change, Journal};
use super::stamp::{self, LinkedFiles, Walked};
use crate::host::{Host, Links, OpenFile, Place, SessionObject, Want, if_there};
use crate::path::WindowsPath;
use crate::plan::{Identity, Lifetime, Plan, Writer};

/// Prepares a workspace as far as the user may: everything but the stamps that only an administrator writes.
///
/// # Errors
///
/// [`RunError`]; what was done is in the journal, as a step that was cut short.
pub fn as_user<H: Host + ?Sized>(host: &mut H, journal: &mut Journal, plan: &Plan) -> Result<Walked, RunError> {
    with(host, journal, plan, LinkedFiles::Leave)
}

pub(super) fn with<H: Host + ?Sized>(
    host: &mut H,
    journal: &mut Journal,
    plan: &Plan,
    linked: LinkedFiles,
) -> Result<Walked, RunError> {
    journal.begin(host, &format!("workspace {}", plan.workspace))?;
    match &plan.identity {
        Identity::Container { name, .. } => container(host, journal, plan, name)?,
        Identity::Caller { .. } => {}
        // The account's profile is its home; Windows makes it at the first logon.
        Identity::Account { .. } => {}
    }
    if !matches!(plan.identity, Identity::Account { .. }) {
        directories(host, journal, &plan.home)?;
        directories(host, journal, &plan.temp)?;
    }
    let walked = stamps(host, journal, plan, Writer::User, linked)?;
    session(host, journal, plan)?;
    journal.end(host)?;
    Ok(walked)
}

/// Writes the stamps of a workspace that only an administrator writes, with the elevated process.
///
/// # Errors
///
/// As [`as_user`].
pub fn as_administrator<H: Host + ?Sized>(
    host: &mut H,
    journal: &mut Journal,
    plan: &Plan,
) -> Result<Walked, RunError> {
    journal.begin(host, &format!("workspace {}", plan.workspace))?;
    let walked = stamps(host, journal, plan, Writer::Administrator, LinkedFiles::Leave)?;
    journal.end(host)?;
    Ok(walked)
}

/// Hands the entries of all of the user's stamps down once more: after files were moved in, or lists were changed by hand.
///
/// What the inside left in the workspace is hostile here: a hard link to a file outside gets nothing, a junction is not entered.
///
/// # Errors
///
/// As [`as_user`].
pub fn repair<H: Host + ?Sized>(host: &mut H, journal: &mut Journal, plan: &Plan) -> Result<Walked, RunError> {
    repair_with(host, journal, plan, LinkedFiles::Leave)
}

pub(super) fn repair_with<H: Host + ?Sized>(
    host: &mut H,
    journal: &mut Journal,
    plan: &Plan,
    linked: LinkedFiles,
) -> Result<Walked, RunError> {
    let mut walked = with(host, journal, plan, linked)?;
    for stamp in plan.stamps.iter().filter(|stamp| stamp.writer == Writer::User) {
        let more = stamp::hand_down(host, stamp, linked)?;
        walked.written += more.written;
        walked.left.extend(more.left.into_iter().map(|left| format!("{}{left}", stamp.path.shown())));
    }
    Ok(walked)
}

/// Whether there is something in a plan that only an administrator can prepare.
pub fn needs_administrator(plan: &Plan) -> bool {
    plan.stamps.iter().any(|stamp| stamp.writer == Writer::Administrator && stamp.lifetime != Lifetime::Setup)
}

fn stamps<H: Host + ?Sized>(
    host: &mut H,
    journal: &mut Journal,
    plan: &Plan,
    writer: Writer,
    linked: LinkedFiles,
) -> Result<Walked, RunError> {
    let ours = stamp::sids(plan);
    let mut walked = Walked::default();
    let mine = plan.stamps.iter().filter(|stamp| stamp.writer == writer && stamp.lifetime != Lifetime::Setup);
    for stamp in mine {
        let more = stamp::write(host, journal, stamp, &ours, linked)?;
        walked.written += more.written;
        walked.left.extend(more.left.into_iter().map(|left| format!("{}{left}", stamp.path.shown())));
    }
    Ok(walked)
}

/// Makes a directory and those above it that are missing.
fn directories<H: Host + ?Sized>(host: &mut H, journal: &mut Journal, path: &WindowsPath) -> Result<(), RunError> {
    let failed = RunError::host("making the private home");
    let mut missing = Vec::new();
    for place in std::iter::once(path.clone()).chain(path.ancestors()) {
        let look = OpenFile::existing(AccessMask::FILE_READ_ATTRIBUTES);
        match if_there(host.open(Place::Path(&place), &look)).map_err(&failed)? {
            Some(handle) => {
                host.close(handle).map_err(&failed)?;
                break;
            }
            None => missing.push(place),
        }
    }
    for place in missing.iter().rev() {
        journal.will(host, Change::Directory { path: place.clone() })?;
        let want = Want::New { directory: true, security: None };
        let access = AccessMask::FILE_READ_ATTRIBUTES;
        let how = OpenFile { access, share: Share::ALL, links: Links::Never, want };
        let handle = host.open(Place::Path(place), &how).map_err(&failed)?;
        host.close(handle).map_err(&failed)?;
    }
    Ok(())
}

/// The AppContainer: its SIDs are computed, and what Windows derives must be the same.
fn container<H: Host + ?Sized>(host: &mut H, journal: &mut Journal, plan: &Plan, name: &str) -> Result<(), RunError> {
    let failed = RunError::host("making the AppContainer");
    let differs = |what, found: String| Err(RunError::Assertion { what, found });
    let package = host.derive_container(name).map_err(&failed)?;
    if package != plan.identity.sid() {
        return differs("package", format!("Windows derives {package} from `{name}`"));
    }
    for capability in &plan.token.capabilities {
        let derived = host.derive_capability(&capability.name).map_err(&failed)?;
        if derived != capability.sid {
            return differs("capability", format!("Windows derives {derived} from `{}`", capability.name));
        }
    }
    let announced =
        journal.pending().iter().any(|pending| pending.change == Change::Container { name: name.to_owned() });
    if !announced {
        journal.will(host, Change::Container { name: name.to_owned() })?;
        host.create_container(name).map_err(&failed)?;
    }
    Ok(())
}

/// The entries on the objects of the session, which last until the user logs off.
fn session<H: Host + ?Sized>(host: &mut H, journal: &mut Journal, plan: &Plan) -> Result<(), RunError> {
    let failed = RunError::host("letting the inside use the session");
    for grant in &plan.desktop.grants {
        let Some(object) = SessionObject::from_name(grant.object) else { continue };
        let mut security = host.session_security(object).map_err(&failed)?;
        let entry = Ace::allow(grant.sid, grant.mask);
        let AclField::Present(acl) = &mut security.dacl else { continue };
        if acl.aces.contains(&entry) {
            continue;
        }
        acl.aces.push(entry);
        journal.will(host, Change::Session { object, sid: grant.sid })?;
        host.set_session_security(object, &security).map_err(&failed)?;
    }
    Ok(())
}
