//! The plan: what a Windows tier will do, as data.
//!
//! Planning asks the system nothing. It takes a [`Target`] (the boundary of a run) and the [`Facts`] of a host and says every
//! entry of every access list, every handle that is held, the token, the environment, the job, the desktop, the network filters,
//! and what the tier is known not to hold. What would need a guess is refused with a [`PlanError`].
//!
//! ```text
//! Target ─┐
//!         ├─► stamps      entries of access lists, one stamp for each place and for life
//! Facts ──┘   pins        handles without FILE_SHARE_DELETE, for the run
//!             watched     names that do not exist and must not appear
//!             token, job, desktop, network, environment
//!             leaks       what this tier does not hold here     unmet    what is allowed and not supplied
//! ```

mod account;
mod ambient;
mod build;
mod container;
mod error;
mod guard;
pub mod network;
pub mod rights;
mod surroundings;
#[cfg(test)]
mod tests;
mod text;
mod token;

use bailiwick_winsec::{KnownAce, Sid};
use serde::Serialize;

pub use error::PlanError;
pub use network::{Gate, NetworkPlan};
pub use surroundings::{DesktopPlan, EnvironmentPlan, JobPlan, ObjectGrant};

use crate::facts::Facts;
use crate::path::WindowsPath;
use crate::target::Target;
use crate::tier::Tier;

/// What a tier will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The tier.
    pub tier: Tier,
    /// The canonical workspace.
    pub workspace: WindowsPath,
    /// Who the inside is.
    pub identity: Identity,
    /// The shape of its token.
    pub token: TokenPlan,
    /// Entries of access lists, parents first.
    pub stamps: Vec<Stamp>,
    /// Handles that are held while the run lasts.
    pub pins: Vec<Pin>,
    /// Guarded names that do not exist: watched while the run lasts; what appears is taken away and reported.
    pub watched: Vec<WindowsPath>,
    /// The private home.
    pub home: WindowsPath,
    /// The private directory for temporary files.
    pub temp: WindowsPath,
    /// The environment.
    pub environment: EnvironmentPlan,
    /// The job that holds the process tree.
    pub job: JobPlan,
    /// Desktop and window station.
    pub desktop: DesktopPlan,
    /// Filters and gate.
    pub network: NetworkPlan,
    /// What is asserted in the suspended process before its first instruction; any other answer refuses the run.
    pub assertions: Vec<Assertion>,
    /// What this tier is known not to hold on this host.
    pub leaks: Vec<Leak>,
    /// What the boundary allows and this plan does not supply.
    pub unmet: Vec<Unmet>,
}

/// Who the inside is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Identity {
    /// The user.
    Caller {
        /// The SID that stands for the workspace in access lists and in the restricting list.
        workspace: Sid,
    },
    /// One of bailiwick's local accounts.
    Account {
        /// Its name.
        name: String,
        /// Its SID.
        sid: Sid,
        /// The group of all of them.
        group: Sid,
    },
    /// An AppContainer of the user's.
    Container {
        /// The name that its SID is derived from.
        name: String,
        /// Its package SID, computed; a launch compares it with what Windows derives and refuses on a difference.
        package: Sid,
    },
}

impl Identity {
    /// The SID that the workspace's entries name.
    pub const fn sid(&self) -> Sid {
        match self {
            Identity::Caller { workspace } => *workspace,
            Identity::Account { sid, .. } => *sid,
            Identity::Container { package, .. } => *package,
        }
    }
}

/// How the token is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenSource {
    /// `CreateRestrictedToken` from the caller's own, with `WRITE_RESTRICTED`, `DISABLE_MAX_PRIVILEGE` and `LUA_TOKEN`.
    CallerWriteRestricted,
    /// A logon of the account by the secondary logon service; the runner then restricts its own token.
    AccountLogon,
    /// The caller's own with `PROC_THREAD_ATTRIBUTE_SECURITY_CAPABILITIES`.
    LowBox,
}

/// The shape of the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenPlan {
    /// How it is made.
    pub source: TokenSource,
    /// Groups that may only deny.
    pub deny_only: Vec<Sid>,
    /// Whether every logon SID may only deny: seclogon puts the caller's into the token, and the user's processes let it in.
    pub logons_deny_only: bool,
    /// The restricting list; `None` for a token that is not restricted.
    pub restricting: Option<Vec<Sid>>,
    /// Whether the restricting list counts for writing only.
    pub write_restricted: bool,
    /// The privileges that stay.
    pub privileges: Vec<String>,
    /// The integrity level.
    pub integrity: Level,
    /// Capabilities of an AppContainer.
    pub capabilities: Vec<Capability>,
    /// The default DACL, which protects what the inside makes without a directory to inherit from: its pipes and events.
    pub default_dacl: Vec<KnownAce>,
}

/// Integrity levels that the tiers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Low: AppContainers.
    Low,
    /// Medium: ordinary processes.
    Medium,
}

/// A capability of an AppContainer: a name of bailiwick's own that stands for reading one place. No network capability is ever one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// The name that Windows derives the SID from.
    pub name: String,
    /// The SID, computed; compared at launch like the package's.
    pub sid: Sid,
    /// The place that it lets be read.
    pub place: WindowsPath,
}

/// How long a stamp stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifetime {
    /// From `setup` to `setup --remove`.
    Setup,
    /// As long as anything that bailiwick keeps may read the place.
    Place,
    /// As long as the workspace is known.
    Workspace,
}

/// Who writes a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Writer {
    /// The user, who may change the object's access list.
    User,
    /// An administrator, once.
    Administrator,
}

/// What happens to the entries that the object inherits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inheritance {
    /// They stay.
    Keep,
    /// The list is protected; what was inherited stays as entries of its own, without those that name bailiwick's SIDs. An
    /// AppContainer's SID can only allow, so taking its entry away is the only way to say no.
    BreakWithoutOurs,
}

/// The entries that bailiwick adds to one object's access list. Compared by exact tuple, written once, journalled before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stamp {
    /// The object. It is opened without following a link, and a file with a second name is refused.
    pub path: WindowsPath,
    /// How long.
    pub lifetime: Lifetime,
    /// By whom.
    pub writer: Writer,
    /// What was inherited.
    pub inheritance: Inheritance,
    /// The entries, in their order: refusals first.
    pub entries: Vec<KnownAce>,
    /// What for.
    pub purpose: Purpose,
}

/// What a stamp is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A writable root.
    Write,
    /// A readable place.
    Read,
    /// A name inside a writable root that may be read and not changed.
    Protect,
    /// A place inside a readable one that may not be read.
    Deny,
    /// A directory above a granted place: programs ask for the attributes of every parent.
    Ancestor,
    /// A place that any account could use.
    Ambient,
    /// A directory above a protected name, which must not be renamed.
    Hold,
    /// A directory in which a guarded name could appear: the user may take away what appears, whatever its own list says. The entry is
    /// the user's, not the inside's.
    TakeAway,
}

/// A handle that is held while the run lasts, opened with `FILE_LIST_DIRECTORY` or `FILE_READ_DATA` and without
/// `FILE_SHARE_DELETE`: what it is open on cannot be renamed or deleted, whatever the access lists say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pin {
    /// What is held.
    pub path: WindowsPath,
    /// Whether everything below is held too, file by file. Without it children could go through the parent's
    /// `FILE_DELETE_CHILD`, where the inside has that right.
    pub everything_below: bool,
}

/// What is asserted before the first instruction of the inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assertion {
    /// The token is restricted, with exactly the planned list.
    RestrictingList,
    /// The privileges are exactly the planned ones.
    Privileges,
    /// The logon SIDs may only deny.
    LogonsDenyOnly,
    /// The user of the token is the planned account.
    Account,
    /// Package and capabilities are exactly the planned ones, and none is a network capability.
    Package,
    /// The integrity level is the planned one.
    Integrity,
    /// The job holds the process, with the planned limits.
    Job,
    /// The root of every stamp has exactly the planned entries: one look at each, no walk.
    Stamps,
    /// The filters are in place, and a connection to a place that they must refuse is refused.
    FiltersBite,
    /// A name that no cache can know is not even asked for on behalf of the inside: only a refusal counts.
    NamesNotAnswered,
}

/// Something that a tier does not hold on this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "leak")]
pub enum Leak {
    /// Same user: every file of the user can be read.
    UserFilesReadable,
    /// Same user: a file in a directory of which the user has full control can be deleted, or moved into the workspace, by way
    /// of the directory's `FILE_DELETE_CHILD`, which is no write-type right.
    DeletedThroughParent,
    /// The restricting list must hold Everyone, so what everyone may write the inside may write.
    EveryoneWritable {
        /// The places that were found.
        places: Vec<WindowsPath>,
    },
    /// Same user: memory of the user's processes can be read, and they can be ended.
    UserProcesses,
    /// Nothing stops packets.
    Network,
    /// The system's DNS service asks on behalf of everybody.
    NamesThroughService,
    /// A drive without access lists: what is on it cannot be kept from anybody.
    NoAccessLists {
        /// The drive.
        drive: char,
    },
    /// Places that every AppContainer may use.
    OpenToPackages {
        /// The places that were found.
        places: Vec<WindowsPath>,
    },
    /// Places that every account may read and of which not even an administrator may change the access list.
    OpenToAccounts {
        /// The places that are described.
        places: Vec<WindowsPath>,
    },
    /// Pipes of the host can be opened: of the user's own for reading in the `guard` tier, those that let everyone in.
    Pipes,
    /// The names of the host's pipes can be listed; of an AppContainer that is not known.
    PipesListed,
    /// The names and numbers of all processes can be listed; of an AppContainer that is not known.
    ProcessesListed,
    /// The user's desktop lets the user's logon in, which the restricting list must hold: it can be looked at and typed into.
    UserDesktop,
    /// Keys of the registry that every account, or everyone, may change. They are not searched for and not closed.
    OpenKeys,
    /// The user does not have full control of directories in which guarded names could appear, so nothing could be taken away there.
    NamesStay {
        /// The directories.
        places: Vec<WindowsPath>,
    },
    /// Services of the same user start programs on request: COM, WMI, the task scheduler.
    Brokers,
    /// Services start programs of the account outside of the job (WMI), and registered servers that run as whoever is logged on.
    StartedOutside,
}

/// Something that the boundary allows and the plan does not supply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// Where.
    pub path: WindowsPath,
    /// Why not.
    pub why: UnmetReason,
}

/// Why something is not supplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnmetReason {
    /// Only an administrator may change the access list, and this tier does without one.
    NeedsAdministrator,
    /// The drive has no access lists to say it in.
    NoAccessLists,
    /// Files below it have other names outside, with which they share their access list; they stay as they are.
    HardLinks,
}

impl Plan {
    /// Plans a run.
    ///
    /// # Errors
    ///
    /// [`PlanError`] where the tier cannot make the boundary true on this host.
    pub fn new(target: &Target, facts: &Facts) -> Result<Plan, PlanError> {
        build::check(target, facts)?;
        match target.tier {
            Tier::Guard => guard::plan(target, facts),
            Tier::Account => account::plan(target, facts),
            Tier::Container => container::plan(target, facts),
        }
    }

    /// The stamp with this purpose at a path.
    pub fn stamp(&self, path: &WindowsPath, purpose: Purpose) -> Option<&Stamp> {
        self.stamps.iter().find(|stamp| stamp.purpose == purpose && stamp.path == *path)
    }
}
