//! A Windows host as a text: what plans and promises rest on, recorded once, read anywhere.
//!
//! `bailiwick doctor --record` writes the text on a Windows host; `bailiwick explain --as windows:account --facts FILE` reads
//! it on any platform. It is TOML. A document is understood to the last key or refused, and a description with a hole in it (an object
//! without its directory, a path on a drive that is not described) is refused as well: a plan made from half the facts would be
//! a plan for another machine. What exists and could not be looked into is described as that: the access check answers *unknown* for it.

mod check;
mod document;
mod parse;
#[cfg(test)]
pub(crate) mod tests;
mod write;

use std::fmt;

use bailiwick_policy::text::escape;
use bailiwick_winsec::{Ace, AceFlags, Acl, OpaqueAce, SecurityDescriptor, Sid};
use serde::Serialize;

pub use write::Unsayable;

use crate::path::{Known, ShortName, WindowsPath};

/// The number of the format that this version reads.
pub const FORMAT: u64 = 1;

/// The largest description that is read, in bytes.
pub const LARGEST: usize = 4 << 20;

/// What is known about one Windows host, for one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The system.
    pub system: System,
    /// The user whose agent is confined.
    pub user: User,
    /// Where Windows keeps what.
    pub folders: Folders,
    /// Drives with a letter.
    pub drives: Vec<Drive>,
    /// Volumes by GUID, each with its letter.
    pub volumes: Vec<(String, Option<char>)>,
    /// Names that have a second, short one.
    pub short_names: Vec<ShortName>,
    /// Directories that OneDrive keeps.
    pub one_drive: Vec<WindowsPath>,
    /// What is at the places that matter, sorted by path. A place that is not here was looked for and does not exist.
    pub objects: Vec<Object>,
    /// Places outside the system's own directories that a new account could read or write.
    pub open_to_all: Vec<OpenPlace>,
    /// Files of the workspace that have another name elsewhere.
    pub hard_links: Vec<HardLink>,
    /// What this version of Windows offers.
    pub features: Features,
    /// What stands between an account and the network.
    pub network: NetworkState,
    /// What `bailiwick setup` has made.
    pub setup: Option<Setup>,
}

/// The system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct System {
    /// The build number: 26200.
    pub build: u32,
    /// The update revision, the part after the dot.
    pub revision: u32,
    /// The edition.
    pub edition: Edition,
    /// Recorded under Wine, which plays Windows and enforces next to nothing of it. Whatever is printed about such a host says so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub wine: bool,
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let posing = if self.wine { "Wine, which is no Windows, posing as " } else { "" };
        write!(f, "{posing}Windows {} build {}.{}", self.edition.name(), self.build, self.revision)
    }
}

/// Editions, as far as they differ in what bailiwick can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edition {
    /// Without Windows Sandbox and domain membership.
    Home,
    /// Pro, Education, Enterprise.
    Professional,
    /// Windows Server.
    Server,
}

impl Edition {
    const WORDS: [(&'static str, Edition); 3] =
        [("home", Edition::Home), ("professional", Edition::Professional), ("server", Edition::Server)];

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Edition::Home => "Home",
            Edition::Professional => "Professional",
            Edition::Server => "Server",
        }
    }
}

/// The user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name, without its domain.
    pub name: String,
    /// The domain or the computer.
    pub domain: String,
    /// Whether the account is a domain's.
    pub is_domain_account: bool,
    /// The SID.
    pub sid: Sid,
    /// The groups in the token of the shell that `doctor` ran in.
    pub groups: Vec<Sid>,
    /// The SID of that logon.
    pub logon: Sid,
    /// Whether that shell was elevated.
    pub elevated: bool,
    /// Whether the user can give consent as an administrator.
    pub administrator: bool,
    /// The profile directory: `~` of policies.
    pub profile: WindowsPath,
}

/// Known folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// `%SystemRoot%`.
    pub windows: WindowsPath,
    /// `%ProgramFiles%`.
    pub program_files: WindowsPath,
    /// `%ProgramFiles(x86)%`, which 32-bit systems do not have.
    pub program_files_x86: Option<WindowsPath>,
    /// `%ProgramData%`.
    pub program_data: WindowsPath,
    /// The directory of all profiles.
    pub profiles: WindowsPath,
    /// `%PUBLIC%`.
    pub public: WindowsPath,
    /// `%APPDATA%`.
    pub roaming: WindowsPath,
    /// `%LOCALAPPDATA%`.
    pub local: WindowsPath,
    /// The user's `%TEMP%`.
    pub temp: WindowsPath,
}

/// A drive with a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drive {
    /// Upper case.
    pub letter: char,
    /// What it is on.
    pub kind: DriveKind,
    /// `NTFS`, `ReFS`, `FAT32`, `exFAT`, as Windows says it.
    pub file_system: String,
    /// A Dev Drive: ReFS with fewer filters above it.
    pub dev_drive: bool,
}

impl Drive {
    /// Whether files on it have security descriptors and those are enforced here.
    pub fn keeps_access_lists(&self) -> bool {
        self.kind != DriveKind::Network && matches!(self.file_system.as_str(), "NTFS" | "ReFS")
    }
}

/// What a drive is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriveKind {
    /// A disk of this machine.
    Fixed,
    /// A stick or card.
    Removable,
    /// A share of another machine.
    Network,
}

impl DriveKind {
    const WORDS: [(&'static str, DriveKind); 3] =
        [("fixed", DriveKind::Fixed), ("removable", DriveKind::Removable), ("network", DriveKind::Network)];
}

/// What is at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Where.
    pub path: WindowsPath,
    /// What.
    pub kind: ObjectKind,
    /// Who owns it; the null SID where that could not be read.
    pub owner: Sid,
    /// Its security descriptor, recorded as SDDL, or one that answers *unknown* to every question.
    pub descriptor: SecurityDescriptor,
    /// Number of names (hard links) of a file.
    pub links: u32,
}

impl Object {
    /// The owner of what could not be looked into: S-1-0-0.
    pub const NOBODY: Sid = Sid::NOBODY;

    /// The descriptor of what could not be looked into: one entry of a type that nobody knows, which is handed on to what is made
    /// below. The access check answers *unknown*, and who promises anything takes that for the worse.
    pub fn unknown() -> SecurityDescriptor {
        let flags = AceFlags::OBJECT_INHERIT | AceFlags::CONTAINER_INHERIT;
        let entry = Ace::Opaque(OpaqueAce { type_byte: 0xff, flags, body: Box::default() });
        SecurityDescriptor::new(Object::NOBODY, Object::NOBODY, Acl::new(vec![entry]))
    }

    /// Whether its descriptor could not be read.
    pub fn is_unknown(&self) -> bool {
        self.owner == Object::NOBODY
    }
}

/// What an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A directory.
    Directory,
    /// A file.
    File,
    /// A junction, symbolic link or mount point, and the canonical path that it leads to.
    Link(WindowsPath),
}

/// A place that an account which nobody has mentioned could use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenPlace {
    /// The directory.
    pub path: WindowsPath,
    /// What it could do there.
    pub access: OpenAccess,
    /// By which group: Everyone, Users, Authenticated Users, INTERACTIVE, BATCH.
    pub through: Sid,
}

/// What is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpenAccess {
    /// Reading and listing.
    Read,
    /// Creating or changing files.
    Write,
}

impl OpenAccess {
    const WORDS: [(&'static str, OpenAccess); 2] = [("read", OpenAccess::Read), ("write", OpenAccess::Write)];
}

/// A file of the workspace that has another name elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HardLink {
    /// The name in the workspace.
    pub path: WindowsPath,
    /// One of the other names.
    pub other: WindowsPath,
}

/// What this version of Windows offers; looked for in the system, not concluded from the build number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Features {
    /// AppContainer profiles can be made: the functions are there, and one that changes nothing works.
    pub app_container: bool,
    /// `processmodel.dll` has the functions that make process security environments.
    pub process_model: bool,
    /// `wsb.exe`, which starts Windows Sandbox, is there.
    pub windows_sandbox: bool,
}

/// What stands between an account and the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NetworkState {
    /// The filtering engine (BFE) runs.
    pub filtering_engine: bool,
    /// The firewall service (MpsSvc) runs.
    pub firewall: bool,
}

/// What `bailiwick setup` has made on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The local group of all of bailiwick's accounts.
    pub group: Sid,
    /// The accounts.
    pub accounts: Vec<Account>,
}

/// One of bailiwick's accounts. Each serves one workspace at a time, so that sessions of two projects cannot reach each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name.
    pub name: String,
    /// The SID.
    pub sid: Sid,
    /// Its profile directory, where the private home is.
    pub profile: WindowsPath,
    /// The loopback port that its filters leave open: the gate.
    pub gate_port: u16,
    /// The workspace that it serves.
    pub workspace: Option<WindowsPath>,
}

impl Facts {
    /// Reads a description.
    ///
    /// # Errors
    ///
    /// [`FactsError`] with the line: not TOML, an unknown key, a value that does not belong, or a hole.
    pub fn parse(text: &str) -> Result<Facts, FactsError> {
        let facts = parse::parse(text)?;
        check::check(&facts)?;
        Ok(facts)
    }

    /// What a path of this host is read with; relative ones start from `base`.
    pub fn known<'a>(&'a self, base: Option<&'a WindowsPath>) -> Known<'a> {
        Known { base, volumes: &self.volumes, short_names: &self.short_names }
    }

    /// What is at a place; `None` if nothing is.
    pub fn object(&self, path: &WindowsPath) -> Option<&Object> {
        let index = self.objects.binary_search_by(|object| object.path.cmp(path)).ok()?;
        self.objects.get(index)
    }

    /// The drive of a path.
    pub fn drive_of(&self, path: &WindowsPath) -> Option<&Drive> {
        self.drives.iter().find(|drive| WindowsPath::root(drive.letter).covers(path))
    }

    /// The directory that OneDrive keeps and this path is in.
    pub fn one_drive_of(&self, path: &WindowsPath) -> Option<&WindowsPath> {
        self.one_drive.iter().find(|root| root.covers(path))
    }
}

/// Why a description is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsError {
    /// The line, counted from 1, where one is to blame.
    pub line: Option<u32>,
    /// What is wrong and what to do, safe to print.
    pub text: String,
}

impl FactsError {
    fn hole(text: String) -> FactsError {
        let text =
            format!("{text}; a plan cannot be made from half the facts: record them again with `doctor --record`");
        FactsError { line: None, text }
    }
}

impl fmt::Display for FactsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "the description of the host, line {line}: {}", self.text),
            None => write!(f, "the description of the host: {}", self.text),
        }
    }
}

impl std::error::Error for FactsError {}

/// Hostile text as it is shown.
fn shown(text: &str) -> String {
    escape(text.as_ref())
}
