//! The boundary: the policy resolved on this host for this run. Plain data; everything here is absolute and canonical.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::credential::Credential;
use crate::guarantee::Guarantee;
use crate::host_pattern::HostPattern;
use crate::host_rule::HostRule;
use crate::origin::Origin;
use crate::policy::{FileRuleKind, Notice, Ruled, TierChoice, WorkspaceMode};

/// What exists at a path when the boundary is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Present {
    /// A directory.
    Directory,
    /// Anything else: file, socket, device.
    File,
    /// Nothing.
    Absent,
}

/// One file rule on this host. It covers its path and everything below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileRule {
    /// What it does.
    pub kind: FileRuleKind,
    /// Canonical path: no symbolic link in any existing component, no `.` or `..`.
    #[serde(serialize_with = "crate::text::path_as_text")]
    pub path: PathBuf,
    /// What is there now. Symbolic links are resolved, and a dangling link is `Absent` at its target. The one exception: a
    /// `deny` or `protect` rule that runs through a link also covers the link's own name, as `File`; such a path is the
    /// `at` of one of [`Boundary::aliases`].
    pub present: Present,
    /// The text as written in the policy (for a glob: the glob).
    pub written: String,
    /// Where it was written.
    pub origin: Origin,
}

/// A directory that the inside has for itself: its writes stay away from the host's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrivateRoot {
    /// Where the inside sees it. It hides whatever the host has there.
    #[serde(serialize_with = "crate::text::path_as_text")]
    pub path: PathBuf,
    /// What is behind it.
    pub backing: Backing,
    /// Why it is there.
    pub origin: Origin,
}

/// What is behind a private root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backing {
    /// Memory, gone with the run.
    Memory,
    /// A directory of bailiwick's own on the host, kept per workspace. It may not exist yet.
    Directory(#[serde(serialize_with = "crate::text::path_as_text")] PathBuf),
}

/// A symbolic link on a path of the policy: inside, `at` must lead to the same place as outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alias {
    /// Where the link is: an absolute path whose parent is canonical.
    #[serde(serialize_with = "crate::text::path_as_text")]
    pub at: PathBuf,
    /// The link's text, as stored.
    #[serde(serialize_with = "crate::text::path_as_text")]
    pub target: PathBuf,
    /// The canonical path that it leads to.
    #[serde(serialize_with = "crate::text::path_as_text")]
    pub leads_to: PathBuf,
}

/// Network rules on this host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Hosts that may be reached; empty means no network at all. A host that several rules cover has what any of them allows.
    pub allow: Vec<Ruled<HostRule>>,
    /// Hosts that may not.
    pub deny: Vec<Ruled<HostPattern>>,
    /// The administrator's list: what is reached must also be allowed by one of these, if there is a list.
    pub ceiling: Option<Vec<Ruled<HostRule>>>,
    /// Headers that the gate sets; none of them opens a host.
    pub credentials: Vec<Ruled<Credential>>,
    /// Sockets of the host that may be connected to: canonical path and rule.
    pub sockets: Vec<Ruled<PathBuf>>,
}

/// How the gate carries what goes to a host and port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Handling {
    /// What is said on the connection is not looked at. Never together with `inspect`.
    pub opaque: bool,
    /// The gate ends the TLS connection and decides each request.
    pub inspect: bool,
}

/// The limits of the run. `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RunLimits {
    /// Wall-clock time.
    pub time: Option<Duration>,
    /// Bytes of address space of each process.
    pub memory: Option<u64>,
    /// Processes and threads.
    pub processes: Option<u64>,
    /// Bytes of the largest file.
    pub file_size: Option<u64>,
    /// Open descriptors of each process.
    pub open_files: Option<u64>,
}

/// Tier and options.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Isolation {
    /// Which tier.
    pub tier: TierChoice,
    /// Losses taken by name.
    pub accept: BTreeSet<Guarantee>,
    /// Tracing of own children.
    pub trace: bool,
    /// User namespaces inside.
    pub nested_namespaces: bool,
}

/// The policy resolved for one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Boundary {
    /// The canonical workspace: the start directory of the command.
    #[serde(serialize_with = "crate::text::path_as_text")]
    pub workspace: PathBuf,
    /// The home directory as the inside knows it (canonical path of the user's home).
    #[serde(serialize_with = "crate::text::path_as_text")]
    pub home: PathBuf,
    /// File rules of every layer but the administrator's, globs expanded, sorted by path then kind, no exact duplicates.
    pub rules: Vec<FileRule>,
    /// The administrator's `deny` and `protect`, and bailiwick's own about its files (origin `Inherent`): they hold over
    /// everything, however specific.
    pub ceiling_rules: Vec<FileRule>,
    /// The administrator's most that may be read, if written.
    pub ceiling_read: Option<Vec<FileRule>>,
    /// The administrator's most that may be written, if written.
    pub ceiling_write: Option<Vec<FileRule>>,
    /// The inside's own directories.
    pub private: Vec<PrivateRoot>,
    /// Symbolic links on the policy's own paths.
    pub aliases: Vec<Alias>,
    /// Network rules.
    pub network: Network,
    /// The whole environment of the command, sorted by name.
    #[serde(serialize_with = "crate::text::environment_as_text")]
    pub environment: Vec<(OsString, OsString)>,
    /// Limits.
    pub limits: RunLimits,
    /// Direct or layer.
    pub workspace_mode: WorkspaceMode,
    /// Tier and options.
    pub isolation: Isolation,
    /// What the user should know before the run.
    pub notices: Vec<Notice>,
}

impl Boundary {
    /// A boundary that allows nothing, with these as its canonical workspace and home.
    pub fn closed(workspace: PathBuf, home: PathBuf) -> Boundary {
        Boundary {
            workspace,
            home,
            rules: Vec::new(),
            ceiling_rules: Vec::new(),
            ceiling_read: None,
            ceiling_write: None,
            private: Vec::new(),
            aliases: Vec::new(),
            network: Network::default(),
            environment: Vec::new(),
            limits: RunLimits::default(),
            workspace_mode: WorkspaceMode::default(),
            isolation: Isolation::default(),
            notices: Vec::new(),
        }
    }
}
