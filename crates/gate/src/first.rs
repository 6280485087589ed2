//! What a client says first, as far as the gate has to see it.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::budget::Held;
use crate::carry::opaque_rule;
use crate::gate::{Gate, Target};
use crate::http::looks_like_request;
use crate::refusal::{Refusal, shown};
use crate::tls::hello::{self, ClientHello, Hello};

/// The most that is read before it is known what it is, in bytes. A hello that is longer is refused.
const MOST: usize = 66 << 10;

/// So much is not counted against the gate's memory, so that clients with much to say first cannot keep others, who say as much as is usual,
/// from being heard. The number of connections bounds it.
const FREE: usize = 4 << 10;

/// In how many pieces it may come: each costs a look at all that there is.
const MOST_PIECES: usize = 128;

/// How long a first word on a port that is not the web's may stand alone before it is taken for a protocol of its own: many say a word
/// and wait for the answer. A request that comes more slowly than that is not held against its host (see `opaque`, which does the same).
const A_WORD: Duration = Duration::from_secs(1);

/// What the first bytes are.
pub(crate) enum Said {
    /// A TLS handshake.
    Tls(ClientHello),
    /// An HTTP request.
    Http,
    /// Anything else.
    Other,
}

/// The first bytes of a connection, counted against the gate's memory.
pub(crate) struct First {
    bytes: Vec<u8>,
    held: Option<Held>,
}

impl First {
    /// With what was read already.
    pub(crate) fn new(gate: &Gate, bytes: Vec<u8>) -> First {
        let held = (bytes.len() > FREE).then(|| gate.budget.take_held(bytes.len() - FREE));
        First { bytes, held }
    }

    /// Was nothing read?
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What was read.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was read, no longer counted.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Reads until it is known what is said.
    pub(crate) async fn known(
        &mut self,
        gate: &Gate,
        client: &mut TcpStream,
        target: &Target,
    ) -> Result<Said, Refusal> {
        let deadline = Instant::now() + gate.limits.first_bytes;
        for _ in 0..MOST_PIECES {
            if let Some(said) = self.said(target)? {
                return Ok(said);
            }
            let is_a_word = !matches!(target.port, 80 | 443) && self.is_a_word();
            let until = if is_a_word { deadline.min(Instant::now() + A_WORD) } else { deadline };
            match timeout_at(until, self.more(gate, client)).await {
                Ok(Ok(true)) => {}
                // Whatever it might have become, it is no request now.
                Ok(Ok(false)) if self.is_a_word() => return Ok(Said::Other),
                Ok(Ok(false)) => return Err(self.unsaid(target, "closed the connection")),
                Ok(Err(refusal)) => return Err(refusal),
                Err(_elapsed) if is_a_word => return Ok(Said::Other),
                Err(_elapsed) => {
                    let silent = format!("fell silent for {} s", gate.limits.first_bytes.as_secs());
                    return Err(self.unsaid(target, &silent));
                }
            }
        }
        Err(Refusal::Said { reason: self.context(target, "came in too many pieces"), grant: opaque_rule(target) })
    }

    /// Something was said, and it is no handshake.
    fn is_a_word(&self) -> bool {
        !self.is_empty() && matches!(hello::read(&self.bytes), Hello::NotTls)
    }

    /// What the bytes are, if that can be told.
    fn said(&self, target: &Target) -> Result<Option<Said>, Refusal> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        match hello::read(&self.bytes) {
            Hello::Found(hello) => Ok(Some(Said::Tls(hello))),
            Hello::Incomplete if self.bytes.len() < MOST => Ok(None),
            Hello::Incomplete => {
                Err(Refusal::Said { reason: self.context(target, "is too long"), grant: opaque_rule(target) })
            }
            Hello::Malformed(why) => Err(Refusal::Said {
                reason: self.context(target, &format!("is a broken TLS handshake: {why}")),
                grant: opaque_rule(target),
            }),
            Hello::NotTls => Ok(self.is_request().map(|is_http| if is_http { Said::Http } else { Said::Other })),
        }
    }

    /// Empty lines before a request are passed over, as servers do (RFC 9112, section 2.2).
    fn is_request(&self) -> Option<bool> {
        let start = self.bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
        looks_like_request(self.bytes.get(start..).unwrap_or_default())
    }

    /// Reads what there is; `false` at the end.
    async fn more(&mut self, gate: &Gate, client: &mut TcpStream) -> Result<bool, Refusal> {
        loop {
            if client.readable().await.is_err() {
                return Ok(false);
            }
            match self.read_once(gate, client) {
                Ok(Some(number)) => return Ok(number > 0),
                Ok(None) => {}
                Err(refusal) => return Err(refusal),
            }
        }
    }

    /// One read; none if there was nothing after all. The end and a broken connection are alike here.
    fn read_once(&mut self, gate: &Gate, client: &TcpStream) -> Result<Option<usize>, Refusal> {
        let mut piece = [0; 4096];
        let number = match client.try_read(&mut piece) {
            Ok(number) => number,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(None),
            Err(_) => return Ok(Some(0)),
        };
        let length = self.bytes.len().saturating_add(number);
        let more = length.saturating_sub(self.bytes.len().max(FREE));
        let is_counted = match &mut self.held {
            _ if more == 0 => true,
            Some(held) => held.grow(more),
            None => {
                self.held = gate.budget.take(more);
                self.held.is_some()
            }
        };
        if !is_counted {
            return Err(Refusal::Busy);
        }
        self.bytes.extend_from_slice(piece.get(..number).unwrap_or_default());
        Ok(Some(number))
    }

    fn unsaid(&self, target: &Target, what: &str) -> Refusal {
        let before = if self.bytes.is_empty() { "before it said anything" } else { "in the middle of its first words" };
        Refusal::Unsaid { reason: shown(&format!("the client of a connection to `{target}` {what} {before}")) }
    }

    fn context(&self, target: &Target, what: &str) -> String {
        shown(&format!("what was said first on a connection to `{target}` {what}"))
    }
}
