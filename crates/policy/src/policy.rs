//! The merged policy: every rule of every layer with its origin, not yet resolved on this host.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Duration;

use serde::Serialize;

use crate::credential::Credential;
use crate::guarantee::Guarantee;
use crate::host_pattern::HostPattern;
use crate::host_rule::HostRule;
use crate::origin::Origin;

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ruled<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub origin: Origin,
}

/// What a file rule does to the tree below its path.
///
/// On the same path the earlier variant wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileRuleKind {
    /// Neither read nor written.
    Deny,
    /// Readable if something else makes it so, but never changed, replaced or brought into being.
    Protect,
    /// Read and written.
    Write,
    /// Read, not written.
    Read,
}

/// One path or glob of a `[files]` list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Which list it stands in.
    pub kind: FileRuleKind,
    /// The text as written: `~/…`, absolute, or relative; `deny` and `protect` may hold globs.
    pub text: OsString,
    /// What a relative text starts from.
    pub base: Base,
    /// Whether `*`, `?`, `[` in the text are pattern characters (never for names that a program passed).
    pub glob: bool,
    /// Where it was written.
    pub origin: Origin,
}

/// What relative paths start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The workspace: every policy document.
    Workspace,
    /// The caller's current directory: command-line options.
    CurrentDirectory,
}

/// The rules of the `[network]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkRules {
    /// Hosts that may be reached.
    pub allow: Vec<Ruled<HostRule>>,
    /// Hosts that may not, whatever `allow` says.
    pub deny: Vec<Ruled<HostPattern>>,
    /// UNIX sockets or named pipes of the host, by path (same syntax as `[files]`, no globs).
    pub sockets: Vec<FileEntryText>,
    /// Headers that the gate sets. Never from the workspace's own document.
    pub credentials: Vec<Ruled<Credential>>,
}

/// A path of `[network] sockets` as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntryText {
    /// The text as written.
    pub text: OsString,
    /// What a relative text starts from.
    pub base: Base,
    /// Where it was written.
    pub origin: Origin,
}

/// The rules of the `[environment]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentRules {
    /// Names that are passed from the caller, `*` at the end or the start matching any text.
    pub pass: Vec<Ruled<String>>,
    /// Variables that are set, later ones winning.
    pub set: Vec<Ruled<(OsString, OsString)>>,
}

/// Limits on the run. `None` is no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Wall-clock time of the run.
    pub time: Option<Ruled<Duration>>,
    /// Bytes of address space of each process.
    pub memory: Option<Ruled<u64>>,
    /// Processes and threads in the enclosure.
    pub processes: Option<Ruled<u64>>,
    /// Bytes of the largest file that may be written.
    pub file_size: Option<Ruled<u64>>,
    /// Open descriptors of each process.
    pub open_files: Option<Ruled<u64>>,
}

/// Where the inside's changes to the workspace go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkspaceMode {
    /// Straight into the real tree.
    #[default]
    Direct,
    /// Into a copy-on-write layer that waits for review.
    Layer,
}

/// Which tier enforces the boundary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TierChoice {
    /// The strongest that holds what the policy needs.
    #[default]
    Auto,
    /// Linux namespaces.
    Namespaces,
    /// Linux Landlock and seccomp.
    Landlock,
}

/// The rules of the `[isolation]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IsolationRules {
    /// Which tier.
    pub tier: Option<Ruled<TierChoice>>,
    /// Losses that the user takes by name.
    pub accept: Vec<Ruled<Guarantee>>,
    /// Whether processes inside may trace their own children (debuggers, strace).
    pub trace: Option<Ruled<bool>>,
    /// Whether user namespaces may be made inside (browsers, nested sandboxes).
    pub nested_namespaces: Option<Ruled<bool>>,
}

/// Something that was written and does not take effect, or that the user should know before the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// What kind of notice, for programs.
    pub kind: NoticeKind,
    /// The sentence for people. Hostile text in it is escaped.
    pub text: String,
    /// The rule that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// Kinds of notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NoticeKind {
    /// A rule of the workspace's own file that would widen, and is not trusted.
    IgnoredUntrusted,
    /// A rule that the administrator's ceiling cuts.
    IgnoredCeiling,
    /// An allowed path that does not exist.
    MissingPath,
    /// A variable that looks like a secret and is passed by name.
    SecretPassed,
    /// A credential in the workspace's own document, which is never read from there.
    IgnoredProject,
    /// A bare `*` or a range of all addresses opens the network.
    NetworkOpen,
    /// The gate reads the traffic of a host.
    Inspected,
    /// What is said to a host on a port of the web is not looked at.
    Opaque,
    /// Any other remark.
    Remark,
}

/// All layers merged; the rules keep their order: built-in first, command line last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// File rules of every layer but the administrator's.
    pub files: Vec<FileEntry>,
    /// The most directory entries that the search for a glob may visit; the resolver's default where nothing is written.
    pub search_limit: Option<Ruled<u64>>,
    /// Network rules of every layer but the administrator's.
    pub network: NetworkRules,
    /// Environment rules.
    pub environment: EnvironmentRules,
    /// Limits, the administrator's being upper bounds.
    pub limits: Limits,
    /// Direct or layer.
    pub workspace_mode: Option<Ruled<WorkspaceMode>>,
    /// Tier, accepted losses, options.
    pub isolation: IsolationRules,
    /// The administrator's ceiling, where there is one.
    pub ceiling: Option<Ceiling>,
    /// Files that this policy was read from: always protected names.
    pub documents: Vec<std::path::PathBuf>,
    /// What was ignored, and other remarks of merging.
    pub notices: Vec<Notice>,
}

/// What the administrator's file forbids to everything below it.
///
/// A `None` list was not written and caps nothing; a written list, even an empty one, is the most that any
/// lower layer may grant of its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ceiling {
    /// Rules of `deny` and `protect`: they hold over everything, however specific.
    pub files: Vec<FileEntry>,
    /// The most that may be read (`read` and `write` lists together), if written.
    pub read: Option<Vec<FileEntry>>,
    /// The most that may be written, if written.
    pub write: Option<Vec<FileEntry>>,
    /// The most that may be reached, if written.
    pub allow: Option<Vec<Ruled<HostRule>>>,
    /// Hosts that may not be reached.
    pub deny: Vec<Ruled<HostPattern>>,
    /// The sockets that may be reached, if written.
    pub sockets: Option<Vec<FileEntryText>>,
    /// The names that may be passed, if written.
    pub pass: Option<Vec<Ruled<String>>>,
    /// The losses that may be accepted, if written.
    pub accept: Option<BTreeSet<Guarantee>>,
    /// The only tier that may be used, if written.
    pub tier: Option<Ruled<TierChoice>>,
}
