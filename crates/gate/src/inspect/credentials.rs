//! Credentials that stay outside: read before the run starts, put into requests at the gate.
//!
//! The inside never has them: not in its environment, not in a file, not in what it sends. What the gate cannot prevent
//! is a *server* that sends one back (an echo service, a debug page, an error that quotes the request): whoever may
//! see the answers of a host sees what the host chooses to answer. Credentials belong to hosts that do not.

mod command;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use bailiwick_policy::credential::OF_THE_CONNECTION;
use bailiwick_policy::credential::{Credential, CredentialSource};
use bailiwick_policy::policy::Ruled;

use super::InspectError;
use super::error::CredentialError;

/// Most bytes of one credential: servers refuse longer headers.
const LONGEST: usize = 8 * 1024;

/// Every credential of a run, with the hosts that get it.
#[derive(Default)]
pub struct Credentials(Vec<Held>);

/// One credential. Its value is cleared when it is dropped, as far as the compiler lets a program say so.
struct Held {
    rule: Credential,
    header: String,
    value: Cleared,
}

impl Credentials {
    /// Reads every credential of `rules` from where its rule says; `environment` is the caller's,
    /// `home` the user's: commands run there, because the directory that bailiwick was started in may be the workspace.
    ///
    /// # Errors
    /// The first credential that cannot be had or cannot stand in a header, named by host and header. Never its value.
    pub fn read(
        rules: &[Ruled<Credential>],
        environment: &[(OsString, OsString)],
        home: &Path,
    ) -> Result<Credentials, InspectError> {
        let one = |rule: &Ruled<Credential>| {
            let credential = &rule.value;
            hold(credential, environment, home).map_err(|why| InspectError::Credential {
                host: credential.host.to_string(),
                header: credential.header.clone(),
                why,
            })
        };
        rules.iter().map(one).collect::<Result<_, _>>().map(Credentials)
    }

    /// What is put into a request to `host` on `port`: header name in lower case, value. Only for connections made by
    /// [`connect`](super::connect), whose host is verified. Where two credentials have the same header, the one written
    /// last is it, as in [`Network::credentials_for`](bailiwick_policy::boundary::Network::credentials_for).
    pub(crate) fn of(&self, host: &str, port: u16) -> impl Iterator<Item = (&str, &str)> {
        let fitting = move |held: &&Held| held.rule.is_for(host, port);
        self.0.iter().enumerate().filter(move |(_, held)| fitting(held)).filter_map(move |(at, held)| {
            let mut later = self.0.iter().skip(at + 1).filter(fitting);
            let replaced = later.any(|later| later.header == held.header);
            (!replaced).then_some((held.header.as_str(), held.value.0.as_str()))
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Says how many there are and nothing else.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.0.len())
    }
}

fn hold(credential: &Credential, environment: &[(OsString, OsString)], home: &Path) -> Result<Held, CredentialError> {
    let header = header_name(&credential.header)?;
    let secret = match &credential.from {
        CredentialSource::Env(name) => from_environment(name, environment)?,
        CredentialSource::File(path) => from_file(path)?,
        CredentialSource::Command(arguments) => command::run(arguments, environment, home, LONGEST)?,
    };
    let secret = text(&secret)?;
    let mut value = Cleared(String::with_capacity(secret.len() + 64));
    value.0.push_str(credential.prefix.as_deref().unwrap_or_default());
    value.0.push_str(secret);
    if value.0.bytes().any(|byte| !matches!(byte, b' '..=b'~')) || value.0.starts_with(' ') {
        return Err(CredentialError::Character);
    }
    Ok(Held { rule: credential.clone(), header, value })
}

/// A header name in lower case (`token`, RFC 9110 5.6.2) that is the request's own.
fn header_name(name: &str) -> Result<String, CredentialError> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let lower = name.to_ascii_lowercase();
    if lower.is_empty() || !lower.bytes().all(token) || OF_THE_CONNECTION.contains(&lower.as_str()) {
        return Err(CredentialError::Header);
    }
    Ok(lower)
}

fn from_environment(name: &str, environment: &[(OsString, OsString)]) -> Result<Bytes, CredentialError> {
    // Windows takes `Token` and `TOKEN` for one variable.
    let same = |key: &OsStr| key == OsStr::new(name) || (cfg!(windows) && key.eq_ignore_ascii_case(name));
    let found = environment.iter().find(|(key, _)| same(key));
    let (_, value) = found.ok_or_else(|| CredentialError::NoVariable(name.to_owned()))?;
    Ok(Bytes(value.as_encoded_bytes().to_vec()))
}

fn from_file(path: &Path) -> Result<Bytes, CredentialError> {
    // Room for all of it from the start: a buffer that grows leaves copies behind.
    let mut bytes = Bytes(Vec::with_capacity(LONGEST + 2));
    let file = File::open(path).map_err(|error| CredentialError::File(path.to_owned(), error))?;
    let most = LONGEST as u64 + 2;
    file.take(most).read_to_end(&mut bytes.0).map_err(|error| CredentialError::File(path.to_owned(), error))?;
    Ok(bytes)
}

/// The secret without the one line end that editors and commands put after it.
fn text(bytes: &Bytes) -> Result<&str, CredentialError> {
    let text = std::str::from_utf8(&bytes.0).map_err(|_| CredentialError::Character)?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(CredentialError::Empty);
    }
    if text.len() > LONGEST {
        return Err(CredentialError::Long(LONGEST));
    }
    if text.starts_with(' ') || text.ends_with(' ') || text.bytes().any(|byte| !matches!(byte, b' '..=b'~')) {
        return Err(CredentialError::Character);
    }
    Ok(text)
}

/// Bytes that are cleared when they are dropped.
struct Bytes(Vec<u8>);

impl Drop for Bytes {
    fn drop(&mut self) {
        self.0.fill(0);
        // Without a reader the compiler might leave the clearing out. Best effort: what was moved is not reached.
        std::hint::black_box(&self.0);
    }
}

/// A text that is cleared when it is dropped.
struct Cleared(String);

impl Drop for Cleared {
    fn drop(&mut self) {
        drop(Bytes(std::mem::take(&mut self.0).into_bytes()));
    }
}

#[cfg(test)]
mod tests;
