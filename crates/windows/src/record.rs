//! Recording: what a real Windows machine is asked, so that its description and its access checks can be read elsewhere.
//!
//! ```text
//!  Machine ──► describe ──► Facts ──► text          Witness ──► record_checks ──► JSON lines
//!  answers     asks, sorts             doctor --record           answers     asks             doctor --record-corpus
//! ```
//!
//! What to ask and what to make of the answers is here, and runs everywhere. The answers come through [`Machine`] and [`checks::Witness`]; what
//! asks Windows is `sys`, which exists on Windows only. **It has not yet run on a real Windows**; under Wine it has, which shows that
//! readings arrive and nothing more.
//!
//! A hole in a description is a refusal that names what could not be read. Where Windows lets this user not look into something that is
//! there, the description says that it is there and that nothing is known of its access list.

pub mod buffer;
pub mod checks;
mod links;
mod machine;
mod open;
mod places;
#[cfg(test)]
mod tests;
pub mod tokens;
mod visit;

use std::fmt;

pub use links::MOST_FILES;
pub use machine::{
    DriveReading, DriveType, Entry, Folder, Identity, Look, LookKind, Machine, SystemReading, Unread, edition,
};

use crate::facts::{Drive, DriveKind, Facts, FactsError, Folders, NetworkState, System, Unsayable, User};
use crate::path::{PathError, WindowsPath};

/// A description and what a reader of it should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The facts.
    pub facts: Facts,
    /// The text, which reads as exactly these facts.
    pub text: String,
    /// What was left out or is not known, one line each, safe to print. They stand in the text as comments too.
    pub notes: Vec<String>,
}

/// Why there is no description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// Something could not be read.
    Unread(Unread),
    /// A path that Windows gave is none that rules can be about.
    Path {
        /// What it is the path of.
        of: String,
        /// Why not.
        error: PathError,
    },
    /// What was read makes no sense.
    Odd(String),
    /// A description that the reader refuses.
    Refused(FactsError),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::Unread(unread) => unread.fmt(f),
            RecordError::Path { of, error } => write!(f, "reading {of}: {error}"),
            RecordError::Odd(text) => f.write_str(text),
            RecordError::Refused(error) => write!(f, "what was read is no whole description: {error}"),
        }?;
        f.write_str("; a description with a hole would be one of another machine, so nothing was written")
    }
}

impl std::error::Error for RecordError {}

impl From<Unread> for RecordError {
    fn from(unread: Unread) -> RecordError {
        RecordError::Unread(unread)
    }
}

/// The group that `bailiwick setup` will make. This version cannot set up a real machine, so one that has it was set up by another.
const GROUP: &str = "bailiwick";

/// Describes a machine for a workspace on it.
///
/// # Errors
///
/// [`RecordError`]: what could not be read. A description has no holes.
pub fn describe(machine: &impl Machine, workspace: &str) -> Result<Recorded, RecordError> {
    let system = machine.system()?;
    if machine.has_group(GROUP)? {
        let text = format!(
            "this machine has a local group `{GROUP}`: another version was set up here, which this one cannot describe"
        );
        return Err(RecordError::Odd(text));
    }
    let mut notes = Vec::new();
    let folders = folders(machine)?;
    let (drives, volumes) = drives(machine, &mut notes)?;
    let mut facts = Facts {
        system: System {
            build: system.build,
            revision: system.revision,
            edition: edition(&system).map_err(RecordError::Odd)?,
            wine: system.wine.is_some(),
        },
        user: user(machine)?,
        folders,
        drives,
        volumes,
        short_names: Vec::new(),
        one_drive: Vec::new(),
        objects: Vec::new(),
        open_to_all: Vec::new(),
        hard_links: Vec::new(),
        features: machine.features()?,
        network: NetworkState {
            filtering_engine: machine.service_runs("BFE")?,
            firewall: machine.service_runs("MpsSvc")?,
        },
        setup: None,
    };
    for text in machine.one_drive()? {
        facts.one_drive.push(path("a directory of OneDrive", &text)?);
    }
    facts.one_drive.sort();
    facts.one_drive.dedup();
    let workspace = path("the workspace", workspace)?;
    visit::visit_all(machine, &mut facts, &workspace, &mut notes)?;
    facts.open_to_all = open::open_places(&facts);
    facts.hard_links = links::hard_links(machine, &workspace, &mut notes)?;
    finish(facts, &system, notes)
}

/// The text, after it has been read again: what is written must be what was meant.
fn finish(facts: Facts, system: &SystemReading, mut notes: Vec<String>) -> Result<Recorded, RecordError> {
    notes.sort();
    let mut head = vec![match &system.wine {
        Some(version) => {
            format!("Recorded under Wine {version}, WHICH IS NO WINDOWS: nothing in here holds on any Windows.")
        }
        None => "Recorded by `bailiwick doctor --record`. It names the user, groups and directories of this machine."
            .to_owned(),
    }];
    head.extend(notes.iter().cloned());
    let text = facts.to_text(&head).map_err(|Unsayable { path, why }| RecordError::Odd(format!("`{path}`: {why}")))?;
    match Facts::parse(&text) {
        Ok(read) if read == facts => Ok(Recorded { facts, text, notes }),
        Ok(_) => Err(RecordError::Odd("the description reads as another one than was recorded; report it".to_owned())),
        Err(error) => Err(RecordError::Refused(error)),
    }
}

/// A path that must be one.
fn path(of: &str, text: &str) -> Result<WindowsPath, RecordError> {
    WindowsPath::parse(text).map_err(|error| RecordError::Path { of: of.to_owned(), error })
}

fn folders(machine: &impl Machine) -> Result<Folders, RecordError> {
    let may = |folder: Folder| -> Result<Option<WindowsPath>, RecordError> {
        machine.folder(folder)?.map(|text| path(folder.name(), &text)).transpose()
    };
    let need = |folder: Folder| {
        may(folder)?.ok_or_else(|| RecordError::Odd(format!("Windows says that it has no {}", folder.name())))
    };
    Ok(Folders {
        windows: need(Folder::Windows)?,
        program_files: need(Folder::ProgramFiles)?,
        program_files_x86: may(Folder::ProgramFilesX86)?,
        program_data: need(Folder::ProgramData)?,
        profiles: need(Folder::Profiles)?,
        public: need(Folder::Public)?,
        roaming: need(Folder::Roaming)?,
        local: need(Folder::Local)?,
        temp: need(Folder::Temp)?,
    })
}

fn user(machine: &impl Machine) -> Result<User, RecordError> {
    let Identity { name, domain, computer, token, elevated } = machine.identity()?;
    // What is neither enabled nor deny-only takes no part in any check.
    let groups = token.groups.iter().filter(|group| group.used != bailiwick_winsec::token::GroupUse::Disabled);
    let groups: Vec<_> = groups.map(|group| group.sid).collect();
    let logon = token.groups.iter().find(|group| group.logon && group.sid.is_logon()).map(|group| group.sid);
    let logon = logon.ok_or_else(|| RecordError::Odd("the token of this process names no logon".to_owned()))?;
    if token.is_restricted() || token.low_box.is_some() {
        let text = "this process is itself in a sandbox (its token is restricted); record from an ordinary shell";
        return Err(RecordError::Odd(text.to_owned()));
    }
    let profile = machine.folder(Folder::Profile)?;
    let profile = profile.ok_or_else(|| RecordError::Odd("Windows says that you have no profile".to_owned()))?;
    Ok(User {
        is_domain_account: !domain.eq_ignore_ascii_case(&computer),
        name,
        domain,
        sid: token.user,
        administrator: groups.contains(&bailiwick_winsec::Sid::ADMINISTRATORS),
        groups,
        logon,
        elevated,
        profile: path(Folder::Profile.name(), &profile)?,
    })
}

type Volumes = Vec<(String, Option<char>)>;

/// Drives that hold files of their own. One that is another name for a directory is left out, so that paths on it are refused.
fn drives(machine: &impl Machine, notes: &mut Vec<String>) -> Result<(Vec<Drive>, Volumes), RecordError> {
    let (mut drives, mut volumes) = (Vec::new(), Volumes::new());
    for DriveReading { letter, drive_type, file_system, volume, stands_for, dev_drive } in machine.drives()? {
        let letter = letter.to_ascii_uppercase();
        if let Some(other) = stands_for {
            let other = bailiwick_policy::text::escape(other.as_ref());
            notes.push(format!("drive {letter}: is another name for {other} (subst) and is left out"));
            continue;
        }
        let kind = match drive_type {
            DriveType::Fixed => DriveKind::Fixed,
            DriveType::Removable => DriveKind::Removable,
            DriveType::Network => DriveKind::Network,
        };
        let Some(file_system) = file_system else {
            notes.push(format!(
                "drive {letter}: has nothing in it, or nothing that Windows understands, and is left out"
            ));
            continue;
        };
        if let Some(guid) = volume {
            volumes.push((guid.to_ascii_lowercase(), Some(letter)));
        }
        drives.push(Drive { letter, kind, file_system, dev_drive });
    }
    Ok((drives, volumes))
}
