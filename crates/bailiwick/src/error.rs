//! Why there is no boundary, or nothing was run inside it.

use std::fmt;

use bailiwick_policy::document::DocumentError;
use bailiwick_policy::merge::PolicyError;
use bailiwick_policy::resolve::ResolveError;

/// Why there is no boundary, or nothing was run inside it.
#[derive(Debug)]
#[non_exhaustive]
pub enum SandboxError {
    /// An option that is not one.
    Option(DocumentError),
    /// The policy documents could not be read or understood.
    Policy(Box<PolicyError>),
    /// The policy could not be resolved on this host.
    Resolve(Box<ResolveError>),
    /// Nothing was given to run.
    NoCommand,
    /// The policy wants the changes to the workspace kept apart, which no tier can do yet.
    NoLayer {
        /// Where it is written.
        origin: String,
    },
    /// The policy lists hosts, and there is no gate to reach them through.
    NoGate,
    /// No tier keeps what the policy needs.
    #[cfg(target_os = "linux")]
    Refused(Box<crate::tier::Refusal>),
    /// The run could not be started, or was ended by bailiwick.
    #[cfg(target_os = "linux")]
    Run(bailiwick_linux::run::RunError),
    /// This operating system has no tier yet.
    #[cfg(not(target_os = "linux"))]
    NotYet,
}

impl fmt::Display for SandboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SandboxError::Option(error) => error.fmt(f),
            SandboxError::Policy(error) => error.fmt(f),
            SandboxError::Resolve(error) => error.fmt(f),
            SandboxError::NoCommand => f.write_str("there is no command to run"),
            SandboxError::NoLayer { origin } => write!(
                f,
                "{origin}: keeping the changes to the workspace apart until they are reviewed (`layer`) is not built \
                 yet, so nothing was started; use mode `direct`, on a copy of the workspace if need be"
            ),
            SandboxError::NoGate => f.write_str(
                "the policy lists hosts, and this program runs commands without a network gate, so nothing was started; \
                 the program `bailiwick` has one (`Sandbox::spawn`)",
            ),
            #[cfg(target_os = "linux")]
            SandboxError::Refused(refusal) => refusal.fmt(f),
            #[cfg(target_os = "linux")]
            SandboxError::Run(error) => error.fmt(f),
            #[cfg(not(target_os = "linux"))]
            SandboxError::NotYet => f.write_str(crate::NOT_YET),
        }
    }
}

impl std::error::Error for SandboxError {}

impl From<DocumentError> for SandboxError {
    fn from(error: DocumentError) -> Self {
        SandboxError::Option(error)
    }
}

impl From<PolicyError> for SandboxError {
    fn from(error: PolicyError) -> Self {
        SandboxError::Policy(Box::new(error))
    }
}

impl From<ResolveError> for SandboxError {
    fn from(error: ResolveError) -> Self {
        SandboxError::Resolve(Box::new(error))
    }
}
