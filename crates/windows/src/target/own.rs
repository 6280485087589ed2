//! bailiwick's own: the workspace's conditions, the private home, its files, the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;

use bailiwick_policy::boundary::{Boundary, Present};
use bailiwick_policy::origin::{Layer, Origin, Source};
use bailiwick_policy::policy::{FileRuleKind, NoticeKind, Policy};
use hmac_sha256::Hash;

use super::files::{Files, written};
use super::{TargetError, account_for, variable};
use crate::facts::{Facts, ObjectKind};
use crate::path::WindowsPath;
use crate::tier::Tier;

/// Below `%LOCALAPPDATA%`: trust, journal, the record of what was stamped.
const STATE: &str = "bailiwick";
/// Below `%LOCALAPPDATA%`: private homes, apart from the state because the inside writes them.
const HOMES: &str = "bailiwick-homes";

fn inherent(reason: &str) -> Origin {
    Origin { layer: Layer::BuiltIn, source: Source::Inherent(reason.to_owned()), line: None }
}

/// The canonical workspace, if the directory can be one.
pub(super) fn workspace(facts: &Facts, asked: &WindowsPath) -> Result<WindowsPath, TargetError> {
    let refuse = |why: &str| TargetError::Workspace { workspace: asked.clone(), why: why.to_owned() };
    match facts.object(asked).map(|object| &object.kind) {
        Some(ObjectKind::Directory) => {}
        Some(ObjectKind::Link(_)) => return Err(refuse("it is a link; name the directory that it leads to")),
        Some(ObjectKind::File) => return Err(refuse("it is a file; name the directory of the project")),
        None => return Err(refuse("the description says nothing about it; record the facts for this workspace")),
    }
    let linked = asked
        .ancestors()
        .any(|above| matches!(facts.object(&above).map(|object| &object.kind), Some(ObjectKind::Link(_))));
    if linked {
        return Err(refuse("a directory above it is a link; name it by its real place"));
    }
    if asked.is_root() {
        return Err(refuse("it is a whole drive; name the directory of the project"));
    }
    if asked.covers(&facts.user.profile) {
        return Err(refuse("your whole profile would be inside; name the directory of the project"));
    }
    let folders = &facts.folders;
    let system = [&folders.windows, &folders.program_files, &folders.program_data];
    let local_own = [STATE, HOMES].map(|name| folders.local.join(name));
    let own = local_own.iter().flatten();
    for place in system.into_iter().chain(folders.program_files_x86.as_ref()).chain(own) {
        if place.covers(asked) || asked.covers(place) {
            return Err(refuse("it is a place of the system's or of bailiwick's own"));
        }
    }
    Ok(asked.clone())
}

/// Where the private home of a workspace is.
pub(super) fn home(facts: &Facts, tier: Tier, workspace: &WindowsPath) -> WindowsPath {
    let account = account_for(facts, workspace).filter(|_| tier == Tier::Account);
    match account {
        Some(account) => account.profile.clone(),
        // Plain ASCII names below a path that was understood are understood.
        None => facts
            .folders
            .local
            .join(&format!("{HOMES}/{}", workspace_name(facts, workspace)))
            .unwrap_or_else(|_| facts.folders.local.clone()),
    }
}

/// A name for a workspace: readable, and different for every user and place.
pub(crate) fn workspace_name(facts: &Facts, workspace: &WindowsPath) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let readable: String = workspace.name().unwrap_or_default().chars().take(24).map(plain).collect();
    let digits: String = workspace_hash(facts, workspace).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{readable}-{digits}")
}

/// What a workspace's SIDs and names are made from: the user and the canonical place.
pub(crate) fn workspace_hash(facts: &Facts, workspace: &WindowsPath) -> [u8; 32] {
    let mut text = format!("bailiwick workspace\0{}\0{}", facts.user.sid, workspace.volume());
    for name in workspace.names() {
        text.push('\\');
        text.push_str(&crate::path::fold::fold(name));
    }
    Hash::hash(text.as_bytes())
}

/// The grant of the private home, which need not exist yet.
pub(super) fn grant_home(files: &mut Files<'_>, boundary: &mut Boundary, home: &WindowsPath) {
    let origin = inherent("the private home, kept per workspace");
    boundary.rules.push(files.rule(FileRuleKind::Write, home, Present::Directory, written(home), origin));
}

/// bailiwick's own files, out of reach whatever the rules say.
pub(super) fn protect(
    files: &mut Files<'_>,
    boundary: &mut Boundary,
    workspace: &WindowsPath,
) -> Result<(), TargetError> {
    let facts = files.facts;
    let folders = &facts.folders;
    let below = |folder: &WindowsPath, name: &str| folder.join(name).map_err(TargetError::Own);
    let own = [
        (FileRuleKind::Deny, below(&folders.local, STATE)?, "its own state"),
        (FileRuleKind::Protect, below(&folders.roaming, "bailiwick")?, "a policy file"),
        (FileRuleKind::Protect, below(&folders.program_data, "bailiwick")?, "the administrator's policy file"),
        (FileRuleKind::Protect, below(workspace, "bailiwick.toml")?, "a policy file"),
    ];
    for (kind, path, reason) in own {
        files.restrict(kind, &path, &written(&path), &inherent(reason), &mut boundary.ceiling_rules)?;
    }
    let git = below(workspace, ".git")?;
    if facts.object(&git).is_some_and(|object| object.kind == ObjectKind::File) {
        let text = "`.git` is a file: the git directory of this worktree lies elsewhere and is not granted, so git will not \
                    work inside; grant it with `write` if that is wanted";
        files.notice(NoticeKind::Remark, text.to_owned(), None);
    }
    Ok(())
}

/// The variables that are set, sorted. What is passed from the caller is a matter of the run.
pub(super) fn environment(
    policy: &Policy,
    facts: &Facts,
    tier: Tier,
    home: &WindowsPath,
    temp: &WindowsPath,
) -> Vec<(OsString, OsString)> {
    let folders = &facts.folders;
    let home_text = home.to_string();
    let (drive, below) = home_text.split_at(home_text.find('\\').unwrap_or(home_text.len()));
    let windows = folders.windows.to_string();
    let user = match tier {
        Tier::Account => None,
        Tier::Guard | Tier::Container => Some(facts.user.name.clone()),
    };
    let system_drive = folders.windows.volume().to_string();
    let roaming = format!(r"{home_text}\AppData\Roaming");
    let local = format!(r"{home_text}\AppData\Local");
    let command = format!(r"{windows}\System32\cmd.exe");
    let modules = format!(
        r"{}\WindowsPowerShell\Modules;{windows}\System32\WindowsPowerShell\v1.0\Modules",
        folders.program_files
    );
    let mut variables = vec![
        variable("USERPROFILE", &home_text),
        variable("HOME", &home_text),
        variable("HOMEDRIVE", drive),
        variable("HOMEPATH", below),
        variable("APPDATA", roaming),
        variable("LOCALAPPDATA", local),
        variable("TEMP", temp.to_string()),
        variable("TMP", temp.to_string()),
        variable("TMPDIR", temp.to_string()),
        variable("SystemRoot", &windows),
        variable("windir", &windows),
        variable("SystemDrive", system_drive),
        variable("ComSpec", command),
        variable("PSModulePath", modules),
        variable("ProgramFiles", folders.program_files.to_string()),
        variable("ProgramW6432", folders.program_files.to_string()),
        variable("ProgramData", folders.program_data.to_string()),
        variable("ALLUSERSPROFILE", folders.program_data.to_string()),
    ];
    variables.extend(folders.program_files_x86.as_ref().map(|path| variable("ProgramFiles(x86)", path.to_string())));
    let account = user.or_else(|| {
        let setup = facts.setup.as_ref()?;
        setup.accounts.iter().find(|account| account.profile == *home).map(|account| account.name.clone())
    });
    variables.extend(account.map(|name| variable("USERNAME", name)));
    // Names of variables on Windows do not differ by case.
    let mut environment: BTreeMap<String, (OsString, OsString)> = BTreeMap::new();
    let mark = [variable("BAILIWICK", "1")];
    let set = policy.environment.set.iter().map(|rule| rule.value.clone());
    for (name, value) in variables.into_iter().chain(set).chain(mark) {
        environment.insert(name.to_string_lossy().to_ascii_uppercase(), (name, value));
    }
    environment.into_values().collect()
}
