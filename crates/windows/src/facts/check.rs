//! Holes in a description, and things that cannot be.

use bailiwick_winsec::Sid;

use super::{Facts, FactsError, ObjectKind, shown};
use crate::path::WindowsPath;

pub(super) fn check(facts: &Facts) -> Result<(), FactsError> {
    drives(facts)?;
    objects(facts)?;
    user(facts)?;
    places(facts)?;
    setup(facts)
}

fn refuse<T>(text: String) -> Result<T, FactsError> {
    Err(FactsError { line: None, text })
}

fn drives(facts: &Facts) -> Result<(), FactsError> {
    for (index, drive) in facts.drives.iter().enumerate() {
        if facts.drives.iter().skip(index + 1).any(|other| other.letter == drive.letter) {
            return refuse(format!("drive {}: is described twice", drive.letter));
        }
    }
    for (index, (volume, _)) in facts.volumes.iter().enumerate() {
        if facts.volumes.iter().skip(index + 1).any(|(other, _)| other == volume) {
            return refuse(format!("the volume `{}` has two letters; name files by one of them only", shown(volume)));
        }
    }
    Ok(())
}

/// Every object's directory must be described too, up to the root of a described drive.
fn objects(facts: &Facts) -> Result<(), FactsError> {
    for pair in facts.objects.windows(2) {
        if let [a, b] = pair
            && a.path == b.path
        {
            return refuse(format!("`{}` is described twice", a.path.shown()));
        }
    }
    for object in &facts.objects {
        on_known_drive(facts, &object.path)?;
        let Some(parent) = object.path.parent() else { continue };
        match facts.object(&parent).map(|holder| &holder.kind) {
            Some(ObjectKind::Directory) => {}
            Some(_) => return refuse(format!("`{}` lies below something that is no directory", object.path.shown())),
            None => {
                let (path, parent) = (object.path.shown(), parent.shown());
                return Err(FactsError::hole(format!("`{path}` is described, but its directory `{parent}` is not")));
            }
        }
        if let ObjectKind::Link(target) = &object.kind {
            on_known_drive(facts, target)?;
        }
    }
    Ok(())
}

fn on_known_drive(facts: &Facts, path: &WindowsPath) -> Result<(), FactsError> {
    match facts.drive_of(path) {
        Some(_) => Ok(()),
        None => Err(FactsError::hole(format!("nothing is said about the drive of `{}`", path.shown()))),
    }
}

fn user(facts: &Facts) -> Result<(), FactsError> {
    let user = &facts.user;
    // Every token of a user who has logged on holds these two.
    for group in [Sid::EVERYONE, Sid::AUTHENTICATED_USERS] {
        if !user.groups.contains(&group) {
            return Err(FactsError::hole(format!("the groups of the user do not hold {group}")));
        }
    }
    if !user.logon.is_logon() {
        return refuse(format!("`logon` is {}, which is not the SID of a logon", user.logon));
    }
    if user.sid.domain_of().is_none() {
        return refuse(format!("the user's SID {} is not one of an account", user.sid));
    }
    Ok(())
}

/// What every plan asks about must be described as a directory.
fn places(facts: &Facts) -> Result<(), FactsError> {
    let folders = &facts.folders;
    let named = [
        ("the profile", &facts.user.profile),
        ("windows", &folders.windows),
        ("program_files", &folders.program_files),
        ("program_data", &folders.program_data),
        ("profiles", &folders.profiles),
        ("roaming", &folders.roaming),
        ("local", &folders.local),
    ];
    for (name, path) in named {
        match facts.object(path).map(|object| &object.kind) {
            Some(ObjectKind::Directory) => {}
            Some(_) => return refuse(format!("{name} (`{}`) is no directory", path.shown())),
            None => return Err(FactsError::hole(format!("{name} (`{}`) is not described", path.shown()))),
        }
    }
    for place in &facts.open_to_all {
        on_known_drive(facts, &place.path)?;
    }
    for link in &facts.hard_links {
        on_known_drive(facts, &link.path)?;
        on_known_drive(facts, &link.other)?;
    }
    Ok(())
}

fn setup(facts: &Facts) -> Result<(), FactsError> {
    let Some(setup) = &facts.setup else { return Ok(()) };
    for (index, account) in setup.accounts.iter().enumerate() {
        if account.sid == facts.user.sid || account.sid == setup.group {
            return refuse(format!("the account `{}` has the SID of something else", shown(&account.name)));
        }
        if account.gate_port < 1024 {
            return refuse(format!("the gate port of `{}` is a port of the system's", shown(&account.name)));
        }
        let later = setup.accounts.iter().skip(index + 1);
        for other in later {
            let same_workspace = account.workspace.is_some() && account.workspace == other.workspace;
            if account.sid == other.sid || account.gate_port == other.gate_port || same_workspace {
                let (a, b) = (shown(&account.name), shown(&other.name));
                return refuse(format!("the accounts `{a}` and `{b}` share a SID, a port or a workspace"));
            }
        }
    }
    Ok(())
}
