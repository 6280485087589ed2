//! The gate's own TLS to an inspected host.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bailiwick_policy::host_pattern::Host;
use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{InspectError, brief, provider, rustls_error};
use crate::gate::{Gate, Target};
use crate::refusal::{Refusal, shown};

/// Sessions kept to take up again, so that the next connection to the same host costs one round trip less.
const SESSIONS: usize = 64;

/// A connection to an inspected host whose certificate was verified. Credentials go over no other.
pub(crate) struct Upstream {
    /// The connection; nothing but the handshake has been sent on it.
    pub(crate) stream: TlsStream<TcpStream>,
    /// The address that was dialled, or the upstream proxy's.
    pub(crate) address: SocketAddr,
}

/// Reaches `target` as [`Gate::reach`] does, and verifies that it is the host that was named. Called for each connection
/// that a request needs, after that request was decided.
pub(crate) async fn connect(gate: &Gate, target: &Target) -> Result<Upstream, Refusal> {
    let Some(inspection) = &gate.inspection else {
        return Err(untrusted(&target.host, "the gate was started without anything to inspect with".to_owned()));
    };
    let reached = gate.reach(target).await?;
    let secured = inspection.trust.secure(&target.host, reached.stream);
    let stream = match tokio::time::timeout(gate.limits.connect, secured).await {
        Ok(secured) => secured?,
        Err(_) => return Err(untrusted(&target.host, "the TLS handshake took too long".to_owned())),
    };
    Ok(Upstream { stream, address: reached.address })
}

/// Whom the gate trusts: the roots of the host.
pub(super) struct Trust {
    config: Arc<ClientConfig>,
}

impl Trust {
    pub(super) fn new(roots: Vec<CertificateDer<'static>>) -> Result<Trust, InspectError> {
        let mut store = RootCertStore::empty();
        let (usable, _) = store.add_parsable_certificates(roots);
        if usable == 0 {
            return Err(InspectError::NoRoots("none of them can be read as a certificate".to_owned()));
        }
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(InspectError::certificate)?
            .with_root_certificates(store)
            .with_no_client_auth();
        config.alpn_protocols = vec![super::HTTP_1.to_vec()];
        config.resumption = Resumption::in_memory_sessions(SESSIONS);
        Ok(Trust { config: Arc::new(config) })
    }

    /// TLS over `stream` with exactly `host`.
    pub(super) async fn secure<S>(&self, host: &Host, stream: S) -> Result<TlsStream<S>, Refusal>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = match host {
            Host::Name(name) => ServerName::try_from(name.clone())
                .map_err(|_| untrusted(host, "TLS has no way to name this host".to_owned()))?,
            Host::Address(address) => ServerName::from(*address),
        };
        TlsConnector::from(self.config.clone())
            .connect(name, stream)
            .await
            .map_err(|error| untrusted(host, handshake_failure(&error)))
    }
}

fn untrusted(host: &Host, reason: String) -> Refusal {
    Refusal::Untrusted { host: shown(&host.to_string()), reason }
}

/// What went wrong between gate and host, for a person.
fn handshake_failure(error: &io::Error) -> String {
    let Some(tls) = rustls_error(error) else {
        return format!("the TLS handshake failed: {}", brief(error));
    };
    match tls {
        rustls::Error::InvalidCertificate(why) => {
            format!("its certificate does not hold: {}", certificate_failure(why))
        }
        other => format!("the TLS handshake failed: {}", brief(other)),
    }
}

fn certificate_failure(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "no authority that this machine trusts has signed it (SSL_CERT_FILE, set where bailiwick is started, names others)"
                .to_owned()
        }
        other => brief(other),
    }
}
