//! The promises that a tier can make, by name, and how strongly it keeps each of them.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// A promise about what the inside cannot do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Guarantee {
    /// No file outside the writable roots is created, changed, deleted or moved.
    WritesConfined,
    /// Nor its mode, owner, times, attributes or access control list.
    MetadataConfined,
    /// Nothing outside the readable roots is read or listed.
    ReadsConfined,
    /// Existing protected names cannot be changed, replaced, renamed, nor reached by renaming an ancestor.
    NamesProtected,
    /// Protected names that do not exist cannot be brought into being, or are removed at once and reported.
    NamesAbsent,
    /// No packet leaves, whatever the protocol or address family; no host service answers.
    NetworkOff,
    /// Only hosts in the policy are reached, by name; DNS answers only for them.
    HostsFiltered,
    /// No UNIX socket, abstract socket, named pipe or vsock of the host is reachable unless listed.
    SocketsConfined,
    /// No process outside can be seen, signalled, traced or opened.
    ProcessesHidden,
    /// Nothing of the enclosure outlives the run, also when bailiwick is killed.
    TreeDies,
    /// No injection into the caller's terminal or console, no clipboard or title escape.
    TerminalSafe,
    /// No variable but the listed ones; no inherited handle or descriptor but stdio.
    EnvironmentClean,
    /// The system calls that agents do not need are closed.
    KernelSurface,
    /// The inside runs as another principal than the user.
    IdentitySeparate,
    /// Time, memory, processes and file size stay within their limits.
    LimitsHeld,
}

impl Guarantee {
    /// Every guarantee, in the order in which they are shown.
    pub const ALL: [Guarantee; 15] = [
        Guarantee::WritesConfined,
        Guarantee::MetadataConfined,
        Guarantee::ReadsConfined,
        Guarantee::NamesProtected,
        Guarantee::NamesAbsent,
        Guarantee::NetworkOff,
        Guarantee::HostsFiltered,
        Guarantee::SocketsConfined,
        Guarantee::ProcessesHidden,
        Guarantee::TreeDies,
        Guarantee::TerminalSafe,
        Guarantee::EnvironmentClean,
        Guarantee::KernelSurface,
        Guarantee::IdentitySeparate,
        Guarantee::LimitsHeld,
    ];

    /// The name used in policy files, on the command line and in the documentation.
    pub const fn name(self) -> &'static str {
        match self {
            Guarantee::WritesConfined => "writes-confined",
            Guarantee::MetadataConfined => "metadata-confined",
            Guarantee::ReadsConfined => "reads-confined",
            Guarantee::NamesProtected => "names-protected",
            Guarantee::NamesAbsent => "names-absent",
            Guarantee::NetworkOff => "network-off",
            Guarantee::HostsFiltered => "hosts-filtered",
            Guarantee::SocketsConfined => "sockets-confined",
            Guarantee::ProcessesHidden => "processes-hidden",
            Guarantee::TreeDies => "tree-dies",
            Guarantee::TerminalSafe => "terminal-safe",
            Guarantee::EnvironmentClean => "environment-clean",
            Guarantee::KernelSurface => "kernel-surface",
            Guarantee::IdentitySeparate => "identity-separate",
            Guarantee::LimitsHeld => "limits-held",
        }
    }

    /// What the promise means, in one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Guarantee::WritesConfined => "no file outside the writable roots is created, changed, deleted or moved",
            Guarantee::MetadataConfined => "nor its mode, owner, times, attributes or access control list",
            Guarantee::ReadsConfined => "nothing outside the readable roots is read or listed",
            Guarantee::NamesProtected => {
                "existing protected names cannot be changed, replaced, renamed, nor reached by renaming an ancestor"
            }
            Guarantee::NamesAbsent => {
                "protected names that do not exist cannot be brought into being (holds), or are removed at once and reported (detects)"
            }
            Guarantee::NetworkOff => {
                "no packet leaves, whatever the protocol or address family; no host service answers"
            }
            Guarantee::HostsFiltered => "only hosts in the policy are reached, by name; DNS answers only for them",
            Guarantee::SocketsConfined => {
                "no UNIX socket, abstract socket, named pipe or vsock of the host is reachable unless listed"
            }
            Guarantee::ProcessesHidden => "no process outside can be seen, signalled, traced or opened",
            Guarantee::TreeDies => "nothing of the enclosure outlives the run, also when bailiwick is killed",
            Guarantee::TerminalSafe => "no injection into the caller's terminal, no clipboard or title escape",
            Guarantee::EnvironmentClean => {
                "no variable but the listed ones; no inherited handle or descriptor but stdio"
            }
            Guarantee::KernelSurface => "the system calls that agents do not need are closed",
            Guarantee::IdentitySeparate => "the inside runs as another principal than the user",
            Guarantee::LimitsHeld => "time, memory, processes and file size stay within their limits",
        }
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is not a guarantee's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownGuarantee(pub String);

impl fmt::Display for UnknownGuarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a guarantee", self.0.escape_debug())
    }
}

impl std::error::Error for UnknownGuarantee {}

impl FromStr for Guarantee {
    type Err = UnknownGuarantee;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Guarantee::ALL
            .into_iter()
            .find(|guarantee| guarantee.name() == name)
            .ok_or_else(|| UnknownGuarantee(name.to_owned()))
    }
}

/// How strongly a promise is kept, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// Nothing enforces it.
    Lacks,
    /// A breach is undone at once and reported.
    Detects,
    /// A breach is impossible, the kernel being trusted.
    Holds,
}

impl Strength {
    /// The word shown to people.
    pub const fn name(self) -> &'static str {
        match self {
            Strength::Lacks => "lacks",
            Strength::Detects => "detects",
            Strength::Holds => "holds",
        }
    }
}

/// One guarantee as one tier keeps it on one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Promise {
    /// Which promise.
    pub guarantee: Guarantee,
    /// How strongly it is kept.
    pub strength: Strength,
    /// By what it is kept, or why it is not.
    pub reason: String,
    /// What would supply it, where something would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}
