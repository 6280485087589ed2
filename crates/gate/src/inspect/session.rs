//! The gate as the TLS server of an inspected host, for one connection from inside.

use std::io;
use std::rc::Rc;

use rustls::AlertDescription;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::replay::Replay;
use super::{brief, rustls_error};
use crate::event::{Begun, Way};
use crate::gate::{Gate, Target};
use crate::http::{self, Scope};
use crate::program::Program;
use crate::refusal::{Refusal, shown};

use crate::socket::reset;
use crate::tls::hello::{self, Hello};

/// What an inspected connection is counted with: two TLS sessions, one to each side, with a record of each under way.
const MEMORY: usize = 32 * 1024;

/// Carries one inspected connection: `first` is what the client has said so far, with a whole TLS hello.
///
/// Nothing is dialled here. The requests inside are decided one by one, and each that is allowed reaches the host
/// by [`connect`](super::connect).
pub(crate) async fn inspect(
    gate: Rc<Gate>,
    client: TcpStream,
    first: Vec<u8>,
    target: Target,
    way: Way,
    program: Program,
) {
    let begun = Begun::now(way, &target.host.to_string(), target.port, program.clone());
    let held = gate.budget.take(MEMORY);
    let refused = match (&held, fits(&first, &target)) {
        (None, _) => Some(Refusal::Busy),
        (_, Err(refusal)) => Some(refusal),
        _ => None,
    };
    if let Some(refusal) = refused {
        begun.settled().await;
        reset(client);
        return gate.tell(begun.refused(&refusal));
    }
    match accept(&gate, client, first, &target).await {
        Ok(stream) => http::forward(gate, stream, Vec::new(), Scope::Inspected { target, way, program }).await,
        Err(reason) => gate.tell(begun.failed(reason)),
    }
    drop(held);
}

/// The hello must ask for the target. An encrypted hello in it is harmless: the gate has no key for one, so a client
/// that means it gives up, and one that only pretends (GREASE) goes on with the name that was seen.
fn fits(first: &[u8], target: &Target) -> Result<(), Refusal> {
    let said = |reason: String| Err(Refusal::Said { reason, grant: None });
    match hello::read(first) {
        Hello::Found(hello) => {
            if let Err(misnamed) = hello.names_in_the_clear(&target.host) {
                return said(misnamed.to_string());
            }
            Ok(())
        }
        Hello::Malformed(why) => said(why.to_string()),
        Hello::NotTls | Hello::Incomplete => said(format!(
            "`{}` is inspected, and what the program says is not TLS; remove `inspect = true` from its rule, or use https",
            shown(&target.to_string())
        )),
    }
}

async fn accept(
    gate: &Gate,
    client: TcpStream,
    first: Vec<u8>,
    target: &Target,
) -> Result<TlsStream<Replay<TcpStream>>, String> {
    // A rule that inspects and nothing to inspect with: the gate was put together wrongly. Nothing is carried unread.
    let inspection = gate.inspection.as_ref().ok_or("the gate was started without anything to inspect with")?;
    let config = inspection.leaves.server(&target.host).map_err(|error| error.to_string())?;
    let accepting = TlsAcceptor::from(config).accept(Replay::new(first, client));
    match tokio::time::timeout(gate.limits.first_bytes, accepting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(refused_by_program(&error, target)),
        Err(_) => Err(format!("the program did not finish the TLS handshake for `{}`", shown(&target.to_string()))),
    }
}

/// Why the program and the gate did not come together, and what helps.
pub(super) fn refused_by_program(error: &io::Error, target: &Target) -> String {
    let target = shown(&target.to_string());
    match rustls_error(error) {
        Some(rustls::Error::NoApplicationProtocol) => format!(
            "`{target}` is inspected, which the gate can do for HTTP/1.1, and the program offers only other protocols; \
             let it use HTTP/1.1, or remove `inspect = true` from the rule"
        ),
        Some(rustls::Error::AlertReceived(alert)) if is_distrust(*alert) => format!(
            "the program does not trust the authority of this run, which signs for `{target}` because it is inspected; \
             let the program use the certificates in the file that SSL_CERT_FILE names inside"
        ),
        Some(tls) => format!("the TLS handshake for `{target}` failed: {}", brief(tls)),
        None => format!(
            "the program ended the TLS handshake for `{target}`; perhaps it does not trust the authority of this run, \
             whose certificate is in the file that SSL_CERT_FILE names inside ({})",
            brief(error)
        ),
    }
}

/// What programs answer to a certificate that they do not trust (RFC 8446 6.2); they differ in which.
fn is_distrust(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
    )
}
