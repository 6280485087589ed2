//! What goes into a run and what comes out of it.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::Serialize;

/// A way of enforcing a boundary on Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Own user, mount, pid, ipc, uts, cgroup and net namespaces; Landlock and seccomp on top.
    Namespaces,
    /// Landlock and seccomp alone, for hosts that forbid user namespaces.
    Landlock,
}

impl Tier {
    /// Strongest first.
    pub const ALL: [Tier; 2] = [Tier::Namespaces, Tier::Landlock];

    /// The name used in policy files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Tier::Namespaces => "namespaces",
            Tier::Landlock => "landlock",
        }
    }
}

/// What is run inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments; never empty. A program without `/` is looked up in the `PATH` of the boundary's environment.
    pub argv: Vec<OsString>,
    /// The directory that the command starts in: the workspace or a directory below it, canonical.
    pub directory: PathBuf,
}

/// What happens during a run, as it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A guarded name that did not exist was brought into being and has been taken away.
    Quarantined {
        /// The name, escaped for printing.
        name: String,
        /// Where its content is kept, if it could be kept.
        kept: Option<String>,
    },
    /// A guarded name appeared and could not be taken away.
    QuarantineFailed {
        /// The name, escaped for printing.
        name: String,
        /// What the system answered.
        why: String,
    },
    /// A protected name was replaced from outside during the run, which takes the protection off it; it has been put back.
    ProtectedAgain {
        /// The name, escaped for printing.
        name: String,
    },
    /// A protected name was removed from outside. From now on it is taken away if it appears.
    ProtectedGone {
        /// The name, escaped for printing.
        name: String,
    },
    /// A protected name was replaced from outside and could not be protected again: the run is ended.
    ProtectionLost {
        /// The name, escaped for printing.
        name: String,
    },
    /// An earlier run was killed, and a name that did not exist before it, and is protected or denied, exists now.
    LeftBehind {
        /// The name, escaped for printing.
        name: String,
    },
    /// The network gate tells of an attempt to reach something.
    Network {
        /// What the [`Gatekeeper`](crate::gate::Gatekeeper) wrote, in its own form. Text of the inside may stand in it, not escaped.
        record: Vec<u8>,
    },
    /// The network gate has ended during the run. The inside has no network from here on; nothing else changes.
    NetworkLost {
        /// Why, as far as known, escaped for printing.
        why: String,
    },
    /// Something the user should know.
    Remark {
        /// The sentence.
        text: String,
    },
}

/// How the run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "ended", rename_all = "kebab-case")]
pub enum Outcome {
    /// The command exited with this status.
    Exited {
        /// 0 to 255.
        status: u8,
    },
    /// The command was ended by this signal.
    Signalled {
        /// Signal number.
        signal: i32,
    },
    /// The time limit was reached and the tree was killed.
    TimedOut,
    /// The command could not be started inside: errno of `execve`, after everything else was set up.
    NotStarted {
        /// The errno: ENOENT means not found (exit status 127), others not executable (126).
        errno: i32,
    },
}
