//! The certificates that the inside trusts, and how its programs are told where they are.

use std::ffi::OsString;
use std::path::Path;

use rustls::pki_types::CertificateDer;

use super::{Authority, InspectError};

/// Variables that name a file with *all* trusted certificates, and one (Node's) that names a file with more of them.
///
/// | variable | read by |
/// | --- | --- |
/// | `SSL_CERT_FILE` | OpenSSL (Python's `ssl`, Ruby, PHP, wget with OpenSSL), Go, rustls-native-certs, uv |
/// | `CURL_CA_BUNDLE` | the `curl` program; programs over libcurl only if they read it themselves |
/// | `GIT_SSL_CAINFO` | Git, with libcurl over GnuTLS too |
/// | `REQUESTS_CA_BUNDLE` | Python `requests`, with `certifi` or without |
/// | `PIP_CERT` | pip |
/// | `NODE_EXTRA_CA_CERTS` | Node, in addition to its built-in list |
/// | `NPM_CONFIG_CAFILE` | npm; pnpm |
/// | `CARGO_HTTP_CAINFO` | Cargo |
/// | `AWS_CA_BUNDLE` | AWS CLI and SDKs |
/// | `DENO_CERT` | Deno, in addition |
///
/// What has no variable and therefore does not trust the run's authority: Java (own key store; needs `-Djavax.net.ssl.trustStore`
/// with a store made by `keytool`), Firefox and Chrome (own stores), programs with pinned or built-in roots, and whatever
/// clears its environment; GnuTLS programs that read no variable (wget on Debian) do where the tier mounts the bundle
/// over the system's own. All of them fail closed: the handshake fails, nothing goes around the gate.
const VARIABLES: [&str; 10] = [
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
    "NPM_CONFIG_CAFILE",
    "CARGO_HTTP_CAINFO",
    "AWS_CA_BUNDLE",
    "DENO_CERT",
];

/// The variables for the inside when the bundle is at `path`, which is a path of the inside.
pub fn environment(path: &Path) -> Vec<(&'static str, OsString)> {
    VARIABLES.into_iter().map(|name| (name, path.as_os_str().to_owned())).collect()
}

/// The root certificates of this host: `SSL_CERT_FILE` and `SSL_CERT_DIR` if set, else the system's.
pub(super) fn host_roots() -> Result<Vec<CertificateDer<'static>>, InspectError> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(InspectError::NoRoots(if why.is_empty() { "there are none".to_owned() } else { why.join("; ") }));
    }
    // A broken file among many is the host's affair: with fewer roots less is trusted, never more.
    Ok(found.certs)
}

/// The bundle: the host's roots, because hosts that are not inspected are verified inside as ever, then the run's authority.
pub(super) fn text(roots: &[CertificateDer<'_>], authority: &Authority) -> String {
    let mut text: String = roots.iter().map(|root| pem(root)).collect();
    text.push_str(authority.certificate_pem());
    text
}

/// A certificate as PEM (RFC 7468).
pub(super) fn pem(der: &[u8]) -> String {
    let mut text = String::with_capacity(der.len() * 3 / 2 + 64);
    text.push_str("-----BEGIN CERTIFICATE-----\n");
    for line in der.chunks(48) {
        line.chunks(3).for_each(|group| base64_group(group, &mut text));
        text.push('\n');
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}

/// One to three bytes as four letters (RFC 4648 4).
fn base64_group(group: &[u8], text: &mut String) {
    let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
    let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (at, shift) in [18, 12, 6, 0].into_iter().enumerate() {
        text.push(if at <= group.len() { letter(bits >> shift & 63) } else { '=' });
    }
}

fn letter(six_bits: u32) -> char {
    match six_bits as u8 {
        value @ 0..=25 => char::from(b'A' + value),
        value @ 26..=51 => char::from(b'a' + (value - 26)),
        value @ 52..=61 => char::from(b'0' + (value - 52)),
        62 => '+',
        _ => '/',
    }
}

#[cfg(test)]
mod tests;
