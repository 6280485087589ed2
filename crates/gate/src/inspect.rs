//! Inspection by choice: for hosts whose rule says `inspect = true` the gate ends the TLS of the inside, reads each
//! request, decides it, and speaks TLS of its own with the host.
//!
//! ```text
//!  program inside ──TLS, the run's authority──► gate ──TLS, the host's roots──► host
//!                                                │ each request: decide, put credentials in
//! ```
//!
//! The inside trusts the run's [`Authority`] because its certificate stands in the bundle that the inside is given
//! ([`bundle`]); nothing outside ever does. Its key stays in the memory of the gate (and of the process that made
//! the gate: it is made before the fork, because the inside needs the certificate from the start).

mod authority;
pub mod bundle;
mod credentials;
mod error;
mod leaves;
mod replay;
mod session;
mod upstream;

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bailiwick_policy::boundary::Network;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;

use crate::event::bounded;
use crate::refusal::shown;
pub use authority::{Authority, Inspected};
pub use credentials::Credentials;
pub use error::{CredentialError, InspectError};
use leaves::Leaves;
pub(crate) use session::inspect;
use upstream::Trust;
pub(crate) use upstream::connect;

/// The only protocol that is offered to both sides (ALPN): the forwarder reads HTTP/1.1.
const HTTP_1: &[u8] = b"http/1.1";

/// Most bytes of what an error says of the other side.
const LONGEST_REASON: usize = 400;

/// What inspection needs for one run.
pub struct Inspection {
    leaves: Leaves,
    trust: Trust,
    credentials: Credentials,
    bundle: String,
}

impl Inspection {
    /// Makes the authority, reads the host's roots and every credential. `None` where no rule of the policy inspects:
    /// then nothing is made and nothing is read.
    ///
    /// `run` names the run in the authority's certificate; `environment` is the caller's, where credentials may be, and
    /// `home` the user's, where their commands run.
    /// Runs the commands that credentials come from, so it is called before the run starts and outside of it.
    ///
    /// # Errors
    /// No root certificate, a credential that cannot be had, a failure of the cryptography; each refuses the run.
    pub fn prepare(
        network: &Network,
        run: &str,
        environment: &[(OsString, OsString)],
        home: &Path,
    ) -> Result<Option<Inspection>, InspectError> {
        let Some(inspected) = authority::inspected(network) else { return Ok(None) };
        let roots = bundle::host_roots()?;
        let credentials = Credentials::read(&network.credentials, environment, home)?;
        let authority = Authority::new(run, &inspected)?;
        Inspection::new(authority, roots, credentials).map(Some)
    }

    fn new(
        authority: Authority,
        roots: Vec<CertificateDer<'static>>,
        credentials: Credentials,
    ) -> Result<Inspection, InspectError> {
        let bundle = bundle::text(&roots, &authority);
        Ok(Inspection { trust: Trust::new(roots)?, leaves: Leaves::new(authority)?, credentials, bundle })
    }

    /// The certificates that the inside trusts, as PEM: the host's roots and the run's authority.
    pub fn bundle(&self) -> &str {
        &self.bundle
    }

    /// What is put into requests at the gate.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }
}

/// Says nothing of what it holds.
impl std::fmt::Debug for Inspection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inspection")
    }
}

/// The cryptography of both sides.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Fills `bytes` with random ones.
fn random(bytes: &mut [u8]) -> Result<(), InspectError> {
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(bytes).map_err(|_| InspectError::Certificate("the system gives no random bytes".to_owned()))
}

/// The TLS error in an I/O error, if that is what it is.
fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// An error as one short line: a certificate can hold thousands of names, and errors quote them.
fn brief(error: &dyn std::fmt::Display) -> String {
    shown(bounded(&error.to_string(), LONGEST_REASON))
}

#[cfg(test)]
mod tests;
