//! The first message of a TLS client, read without ending the connection: which server does it ask for?
//!
//! The parser is strict where two readers could disagree: what a lenient server might take for another name is
//! refused here. It sees the name that is *asked for*, not what is said after the handshake: a client that
//! asks for an allowed name may still name another host in the encrypted request, and a server with both answers
//! ("domain fronting"). After a `HelloRetryRequest` it may also send a second hello with another name, with the same effect.
//! Only inspection shows either.
//!
//! Facts: RFC 8446 4.1.2 and 5.1 (hello, records), RFC 5246 7.4.1.2 (before TLS 1.3), RFC 6066 3 (server name),
//! RFC 7301 3.1 (ALPN), RFC 9849 (encrypted hello).

mod bytes;
mod malformed;
mod record;

use std::fmt;

use bailiwick_policy::host_pattern::Host;
use bailiwick_policy::text::escape;

use bytes::Bytes;
pub use malformed::Malformed;
pub use record::LONGEST;

/// Extension: server name (RFC 6066).
const SERVER_NAME: u16 = 0;
/// Extension: protocols above TLS (RFC 7301).
const ALPN: u16 = 16;
/// Extension: encrypted hello (RFC 9849). Clients that have nothing to encrypt send a random one ("GREASE").
const ENCRYPTED_HELLO: u16 = 0xfe0d;
/// Extension: the encrypted server name of the drafts before.
const ENCRYPTED_NAME: u16 = 0xffce;
/// Most extensions of one hello; browsers send about 20.
const MOST_EXTENSIONS: usize = 128;
/// Most protocols of one hello; browsers offer two.
const MOST_PROTOCOLS: usize = 64;

/// What the first bytes of a client are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hello {
    /// Something else than TLS, whatever follows.
    NotTls,
    /// The beginning of a hello, or nothing yet.
    Incomplete,
    /// A whole hello.
    Found(ClientHello),
    /// TLS, and not as the standard has it.
    Malformed(Malformed),
}

/// What a hello says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// The server that is asked for: a checked name in lower case. None where the client names none.
    pub server_name: Option<String>,
    /// An encrypted hello is in it, or what looks like one: the name above may be a cover.
    pub encrypted: bool,
    /// The protocols that are offered (ALPN), most wanted first. Hostile bytes.
    pub protocols: Vec<Vec<u8>>,
}

/// Reads the first bytes of a client, as many as there are. Bytes after the hello are not looked at.
///
/// Of a prefix of a hello it says [`Hello::Incomplete`]; at most [`LONGEST`] bytes are ever needed for another answer.
pub fn read(bytes: &[u8]) -> Hello {
    match record::message(bytes) {
        record::Message::NotTls => Hello::NotTls,
        record::Message::Incomplete => Hello::Incomplete,
        record::Message::Malformed(why) => Hello::Malformed(why),
        record::Message::Whole(body) => match client_hello(&body) {
            Ok(hello) => Hello::Found(hello),
            Err(why) => Hello::Malformed(why),
        },
    }
}

impl ClientHello {
    /// Does this hello ask for exactly `host`, and for nothing that cannot be seen?
    ///
    /// # Errors
    /// Another name, no name where `host` has one, an encrypted hello. An address has no server name (RFC 6066 3), so
    /// a client that connects to an address must name none.
    pub fn names(&self, host: &Host) -> Result<(), Misnamed> {
        if self.encrypted {
            return Err(Misnamed::Encrypted);
        }
        self.names_in_the_clear(host)
    }

    /// As [`names`](Self::names), where the gate is the server itself: it has no key for an encrypted hello, so none
    /// takes effect.
    pub(crate) fn names_in_the_clear(&self, host: &Host) -> Result<(), Misnamed> {
        match (host, &self.server_name) {
            (Host::Name(wanted), Some(said)) if wanted == said => Ok(()),
            (Host::Address(_), None) => Ok(()),
            (Host::Name(_), None) => Err(Misnamed::Nameless),
            (_, Some(said)) => Err(Misnamed::Other(said.clone())),
        }
    }

    /// Does the client speak HTTP/1.1, as far as it says? One that offers nothing is taken at its word later.
    pub fn speaks_http_1(&self) -> bool {
        self.protocols.is_empty() || self.protocols.iter().any(|protocol| protocol == b"http/1.1")
    }
}

/// Why a hello does not fit the host that was allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misnamed {
    /// No server name.
    Nameless,
    /// Another server name.
    Other(String),
    /// The name is encrypted, or may be.
    Encrypted,
}

impl fmt::Display for Misnamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misnamed::Nameless => f.write_str(
                "the TLS hello names no server, so the gate cannot tell whom it is for; \
                 a rule with `opaque = true` lets it through unread",
            ),
            Misnamed::Other(name) => {
                write!(f, "the TLS hello asks for `{}`, another host than was allowed", escape(name.as_ref()))
            }
            Misnamed::Encrypted => f.write_str(
                "the TLS hello is or may be encrypted (ECH), so the gate cannot tell whom it is for; switch ECH off in \
                 the program, or use a rule with `inspect = true`, or one with `opaque = true`, which lets it through unread",
            ),
        }
    }
}

impl std::error::Error for Misnamed {}

/// The body of a `ClientHello` (RFC 8446 4.1.2).
fn client_hello(body: &[u8]) -> Result<ClientHello, Malformed> {
    let mut body = Bytes::new(body);
    if body.u16()? >> 8 != 3 {
        return Err(Malformed::Version);
    }
    body.take(32)?; // random
    if body.vector_8()?.len() > 32 {
        return Err(Malformed::SessionId);
    }
    let suites = body.vector_16()?;
    if suites.is_empty() || suites.len() % 2 != 0 {
        return Err(Malformed::Suites);
    }
    if body.vector_8()?.is_empty() {
        return Err(Malformed::Compression);
    }
    if body.is_empty() {
        // Before TLS 1.3 a hello may have no extensions, and then no name.
        return Ok(ClientHello { server_name: None, encrypted: false, protocols: Vec::new() });
    }
    let extensions = body.vector_16()?;
    body.end()?;
    read_extensions(extensions)
}

fn read_extensions(mut extensions: Bytes<'_>) -> Result<ClientHello, Malformed> {
    let mut hello = ClientHello { server_name: None, encrypted: false, protocols: Vec::new() };
    let mut seen: Vec<u16> = Vec::new();
    while !extensions.is_empty() {
        let kind = extensions.u16()?;
        let content = extensions.vector_16()?;
        if seen.contains(&kind) {
            return Err(Malformed::Twice(kind));
        }
        if seen.len() == MOST_EXTENSIONS {
            return Err(Malformed::Extensions);
        }
        seen.push(kind);
        match kind {
            SERVER_NAME => hello.server_name = Some(server_name(content)?),
            ALPN => hello.protocols = protocols(content)?,
            ENCRYPTED_HELLO | ENCRYPTED_NAME => hello.encrypted = true,
            _ => {}
        }
    }
    Ok(hello)
}

/// `ServerNameList` (RFC 6066 3) with exactly one `host_name`: no client sends more, and servers differ in which they take.
fn server_name(mut content: Bytes<'_>) -> Result<String, Malformed> {
    let mut list = content.vector_16()?;
    content.end()?;
    if list.u8()? != 0 {
        return Err(Malformed::NameType);
    }
    let name = list.vector_16()?;
    if !list.is_empty() {
        return Err(Malformed::Names);
    }
    // No trailing dot, no literal address, ASCII only: RFC 6066 3.
    let text = std::str::from_utf8(name.rest()).map_err(|_| Malformed::Name)?;
    match Host::parse(text) {
        Ok(Host::Name(name)) if !text.ends_with('.') => Ok(name),
        _ => Err(Malformed::Name),
    }
}

/// `ProtocolNameList` (RFC 7301 3.1).
fn protocols(mut content: Bytes<'_>) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut list = content.vector_16()?;
    content.end()?;
    let mut found = Vec::new();
    while !list.is_empty() {
        let protocol = list.vector_8()?;
        if protocol.is_empty() || found.len() == MOST_PROTOCOLS {
            return Err(Malformed::Protocols);
        }
        found.push(protocol.rest().to_vec());
    }
    if found.is_empty() {
        return Err(Malformed::Protocols);
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
