//! What is done with a plan on a host: set up, launch, repair, remove, recover.
//!
//! ```text
//! setup ──► prepare ──► Session::open ──► command, command, …        once │ once a workspace │ once a session │ each
//!    │          │
//!    └──────────┴──► Journal ──► recover (a step that was cut short)
//!                            └─► remove  (everything)
//! ```
//!
//! This code runs on every platform against [`Host`](crate::host::Host); what is proven with the simulated Windows is what
//! runs on the real one. Two rules make it undoable: nothing lasting is done that is not in the [journal](journal::Journal) before, and the
//! undo of each change looks at the host and not at what was believed, so that it can be repeated after any crash.
//!
//! A session itself changes nothing that lasts: its job, desktop, handles and processes end with the process that made them.

pub mod assert;
mod codec;
pub mod journal;
pub mod launch;
mod line;
pub mod prepare;
mod quarantine;
pub mod recover;
pub mod remove;
pub mod runner;
pub mod session;
pub mod setup;
pub mod stamp;
#[cfg(test)]
mod tests;
mod undo;
pub mod watch;

use std::fmt;

use bailiwick_policy::text::escape;

use crate::host::HostError;
use crate::path::WindowsPath;

/// Why a step is not done. What was done of it is in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// Windows did not do a call.
    Host {
        /// What was being done.
        doing: &'static str,
        /// The answer.
        error: HostError,
    },
    /// The journal cannot be read to its end.
    Journal {
        /// Where it is.
        path: WindowsPath,
        /// What is wrong with it.
        why: String,
    },
    /// Something is in the place where bailiwick keeps its own.
    NotOurs {
        /// What it is.
        what: String,
    },
    /// An object that is to be stamped is not what was planned for.
    Object {
        /// Where.
        path: WindowsPath,
        /// What is wrong with it.
        why: &'static str,
    },
    /// What appears under a guarded name could not be taken away there.
    Unwatched {
        /// The directory.
        path: WindowsPath,
        /// What Windows answers.
        error: HostError,
    },
    /// A stamp is not on its object as planned.
    Stamp {
        /// Where.
        path: WindowsPath,
    },
    /// What was asserted before the first instruction is not so.
    Assertion {
        /// Which assertion.
        what: &'static str,
        /// What is there instead.
        found: String,
    },
    /// The system's DNS service asks for names on behalf of the inside, which is a way out.
    NamesAsked,
    /// The plan is for another tier than the step.
    WrongTier,
    /// Everything inside was ended before.
    Over,
    /// The password of the account is not kept for this user.
    NoSecret {
        /// The account.
        account: String,
    },
    /// The runner answered something that no runner of ours answers.
    Runner(String),
}

impl RunError {
    fn host(doing: &'static str) -> impl Fn(HostError) -> RunError {
        move |error| RunError::Host { doing, error }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Host { doing, error } => write!(f, "{doing}: {error}"),
            RunError::Journal { path, why } => write!(
                f,
                "reading the journal `{}`: {why}. It says how to undo what bailiwick changed, so nothing goes on without it: keep a copy, and remove what it names by hand",
                path.shown()
            ),
            RunError::NotOurs { what } => write!(
                f,
                "`{}` is there already and was not made by bailiwick: move it away and set up again",
                escape(what.as_ref())
            ),
            RunError::Object { path, why } => {
                write!(f, "writing the access list of `{}`: it {why}; nothing was changed there", path.shown())
            }
            RunError::Unwatched { path, error } => write!(
                f,
                "watching `{}` for names that may not appear: {error}; nothing could be taken away there, so nothing is started: you need full control of that directory",
                path.shown()
            ),
            RunError::Stamp { path } => write!(
                f,
                "the access list of `{}` is not as planned, so nothing is started: `bailiwick setup --repair` writes it again",
                path.shown()
            ),
            RunError::Assertion { what, found } => write!(
                f,
                "the started process is not confined as planned and was ended before its first instruction: {what}: {}",
                escape(found.as_ref())
            ),
            RunError::NamesAsked => f.write_str(
                "the system's DNS service does not refuse names that are asked for inside the container, so data could leave in them, and nothing is started: until this Windows refuses them, use `--tier account --accept network-off`, which names this loss",
            ),
            RunError::Over => f.write_str("everything inside was ended before: open another session"),
            RunError::WrongTier => f.write_str("the plan is for another tier than this step"),
            RunError::NoSecret { account } => write!(
                f,
                "the password of `{}` is not kept for this user: `bailiwick setup --repair`, as the user who set it up",
                escape(account.as_ref())
            ),
            RunError::Runner(answer) => {
                write!(
                    f,
                    "the runner in the account answered `{}`, which means nothing: end the session",
                    escape(answer.as_ref())
                )
            }
        }
    }
}

impl std::error::Error for RunError {}
