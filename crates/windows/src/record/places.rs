//! Where to look.

use crate::facts::Facts;
use crate::path::WindowsPath;
use crate::profile;
use crate::target::named_places;
use crate::tier::Tier;

use super::RecordError;
use bailiwick_policy::builtin::BUILTINS;

/// Directories of the system that every account is known to be able to write (Learn; published lists), besides those that the scan
/// of whole directories finds.
const WRITABLE: [&str; 6] = [
    "Temp",
    "Tasks",
    "tracing",
    "System32/Tasks",
    "System32/spool/drivers/color",
    "System32/Microsoft/Crypto/RSA/MachineKeys",
];

/// Places that a plan asks about: what is not described of them must not be there.
pub(super) fn needed(facts: &Facts, workspace: &WindowsPath) -> Result<Vec<WindowsPath>, RecordError> {
    let folders = &facts.folders;
    let mut places: Vec<WindowsPath> = facts.drives.iter().map(|drive| WindowsPath::root(drive.letter)).collect();
    let known = [
        &folders.windows,
        &folders.program_files,
        &folders.program_data,
        &folders.profiles,
        &folders.public,
        &folders.roaming,
        &folders.local,
        &folders.temp,
        &facts.user.profile,
        workspace,
    ];
    places.extend(known.into_iter().chain(&folders.program_files_x86).cloned());
    places.extend(facts.one_drive.iter().cloned());
    let own = [
        (&folders.local, "bailiwick"),
        (&folders.local, "bailiwick-homes"),
        (&folders.roaming, "bailiwick"),
        (&folders.program_data, "bailiwick"),
        (workspace, "bailiwick.toml"),
        (workspace, ".git"),
    ];
    let below = |folder: &WindowsPath, name: &str| {
        folder.join(name).map_err(|error| RecordError::Path { of: format!("`{name}` in `{}`", folder.shown()), error })
    };
    for (folder, name) in own {
        places.push(below(folder, name)?);
    }
    for (builtin, tier) in BUILTINS.iter().flat_map(|builtin| Tier::ALL.map(|tier| (builtin, tier))) {
        let documents = profile::documents(builtin.name, tier).map_err(|error| RecordError::Odd(error.to_string()))?;
        for document in documents.unwrap_or_default() {
            let files = &document.files;
            let lists = [&files.read, &files.write, &files.deny, &files.protect];
            let entries = lists.into_iter().flatten().flatten();
            let named = named_places(facts, workspace, entries);
            places.extend(named.map_err(|error| RecordError::Odd(error.to_string()))?);
        }
    }
    places.sort();
    places.dedup();
    Ok(places)
}

/// Directories of which everything in them is looked at too, as far as it can be: what is open in them leaks.
pub(super) fn scanned(facts: &Facts, workspace: &WindowsPath) -> Vec<WindowsPath> {
    let drives = facts.drives.iter().filter(|drive| drive.keeps_access_lists());
    let mut places: Vec<WindowsPath> = drives.map(|drive| WindowsPath::root(drive.letter)).collect();
    let folders = &facts.folders;
    let known = [&folders.profiles, &folders.public, &folders.program_data, &facts.user.profile, workspace];
    places.extend(known.into_iter().cloned());
    places
}

/// Single places that are worth a look and need not be there.
pub(super) fn worth_a_look(facts: &Facts) -> Vec<WindowsPath> {
    // Plain names below a path that was understood.
    WRITABLE.iter().filter_map(|name| facts.folders.windows.join(name).ok()).collect()
}
