//! The questions that a machine is asked, as small as the system's own interfaces.

use std::fmt;

use bailiwick_winsec::token::Token;

use crate::facts::{Edition, Features};
use crate::path::WindowsPath;

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// What: `the descriptor of C:\x`. Safe to print.
    pub what: String,
    /// What the system answered. Safe to print.
    pub why: String,
    /// The system refused this user, where another might be answered.
    pub denied: bool,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reading {}: {}", self.what, self.why)
    }
}

impl std::error::Error for Unread {}

/// What answers.
///
/// Texts are what the system says. Paths are ordinary spellings (`C:\a`), resolved: they lead through no link and hold no short name.
pub trait Machine {
    /// Which Windows it is.
    fn system(&self) -> Result<SystemReading, Unread>;
    /// Who records.
    fn identity(&self) -> Result<Identity, Unread>;
    /// Where Windows keeps something; `None` where it has no such folder.
    fn folder(&self, folder: Folder) -> Result<Option<String>, Unread>;
    /// The drives with a letter that could hold files; no optical ones.
    fn drives(&self) -> Result<Vec<DriveReading>, Unread>;
    /// Directories that OneDrive keeps for the user.
    fn one_drive(&self) -> Result<Vec<String>, Unread>;
    /// What this Windows offers.
    fn features(&self) -> Result<Features, Unread>;
    /// Whether a service runs. One that does not exist does not.
    fn service_runs(&self, name: &str) -> Result<bool, Unread>;
    /// Whether there is a local group of this name.
    fn has_group(&self, name: &str) -> Result<bool, Unread>;
    /// What is at a path, links not followed; `None` if nothing is.
    fn look(&self, path: &WindowsPath) -> Result<Option<Look>, Unread>;
    /// What a directory holds. Names that are not Unicode are given with what replaces the rest, and are refused as names later.
    fn list(&self, directory: &WindowsPath) -> Result<Vec<Entry>, Unread>;
    /// How many names a file has; 0 if it has gone.
    fn link_count(&self, file: &WindowsPath) -> Result<u32, Unread>;
    /// All names of a file on its volume, as absolute paths.
    fn names_of(&self, file: &WindowsPath) -> Result<Vec<String>, Unread>;
}

/// Which Windows it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemReading {
    /// The build.
    pub build: u32,
    /// The update revision (`UBR`).
    pub revision: u32,
    /// `wProductType` of `OSVERSIONINFOEX`: 1 for a workstation.
    pub product_type: u8,
    /// What `GetProductInfo` answers.
    pub product: u32,
    /// The version of Wine, if it is that.
    pub wine: Option<String>,
}

/// The edition of these readings (Learn, `OSVERSIONINFOEXW`, `GetProductInfo`).
///
/// # Errors
///
/// A text for a system that does not say what it is.
pub fn edition(system: &SystemReading) -> Result<Edition, String> {
    const WORKSTATION: u8 = 1;
    const UNDEFINED: u32 = 0;
    const UNLICENSED: u32 = 0xABCD_ABCD;
    // PRODUCT_CORE and its editions N, for one country, for one language.
    const HOME: [u32; 4] = [0x65, 0x62, 0x63, 0x64];
    match (system.product_type, system.product) {
        (WORKSTATION, UNDEFINED | UNLICENSED) => {
            Err(format!("Windows does not say which edition it is (`GetProductInfo` answers {:#x})", system.product))
        }
        (WORKSTATION, product) if HOME.contains(&product) => Ok(Edition::Home),
        (WORKSTATION, _) => Ok(Edition::Professional),
        _ => Ok(Edition::Server),
    }
}

/// Who records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name of the account.
    pub name: String,
    /// Its domain, or the computer.
    pub domain: String,
    /// The computer.
    pub computer: String,
    /// The token of this process.
    pub token: Token,
    /// `TokenElevation`.
    pub elevated: bool,
}

/// Known folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folder {
    /// `FOLDERID_Windows`.
    Windows,
    /// `FOLDERID_ProgramFiles`, of the system's own width.
    ProgramFiles,
    /// `FOLDERID_ProgramFilesX86`.
    ProgramFilesX86,
    /// `FOLDERID_ProgramData`.
    ProgramData,
    /// `FOLDERID_UserProfiles`.
    Profiles,
    /// `FOLDERID_Public`.
    Public,
    /// `FOLDERID_Profile`.
    Profile,
    /// `FOLDERID_RoamingAppData`.
    Roaming,
    /// `FOLDERID_LocalAppData`.
    Local,
    /// What `GetTempPath` gives.
    Temp,
}

impl Folder {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Folder::Windows => "the Windows directory",
            Folder::ProgramFiles => "Program Files",
            Folder::ProgramFilesX86 => "Program Files (x86)",
            Folder::ProgramData => "ProgramData",
            Folder::Profiles => "the directory of all profiles",
            Folder::Public => "the public profile",
            Folder::Profile => "your profile",
            Folder::Roaming => "your roaming application data",
            Folder::Local => "your local application data",
            Folder::Temp => "your directory for temporary files",
        }
    }
}

/// A drive with a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriveReading {
    /// The letter.
    pub letter: char,
    /// What it is on.
    pub drive_type: DriveType,
    /// The file system by name; `None` if there is no medium or nothing on it that is understood.
    pub file_system: Option<String>,
    /// The GUID of the volume without braces, where Windows gives one.
    pub volume: Option<String>,
    /// The directory that the letter is another name for (`subst`).
    pub stands_for: Option<String>,
    /// `PERSISTENT_VOLUME_STATE_DEV_VOLUME`.
    pub dev_drive: bool,
}

/// What a drive is on, as `GetDriveType` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriveType {
    /// A disk, one in memory too.
    Fixed,
    /// A stick or card.
    Removable,
    /// A share of another machine.
    Network,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// What.
    pub kind: LookKind,
    /// Its self-relative descriptor with owner, group, DACL and label, or why it could not be read.
    pub descriptor: Result<Vec<u8>, Unread>,
    /// Number of names.
    pub links: u32,
    /// The second, short name of its last component.
    pub short: Option<String>,
}

/// What kind of object it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookKind {
    /// A directory.
    Directory,
    /// A file.
    File,
    /// A junction, symbolic link or mount point: where it leads in the end, or why that cannot be told.
    Link(Result<String, Unread>),
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The long name.
    pub name: String,
    /// A directory that is no link.
    pub is_directory: bool,
    /// A file that is no link.
    pub is_file: bool,
}
