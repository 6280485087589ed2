//! What a server's message says about the question that was put to it.

use std::net::IpAddr;
use std::time::Duration;

use super::ServerError;
use crate::dns::message::{self, CLASS_IN, Data, HEADER, Message, MessageError, Name, code, flag};

/// Most steps from name to name.
const MOST_ALIASES: usize = 16;
/// Most addresses that are taken from one answer.
const MOST_ADDRESSES: usize = 32;

/// What a server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// The name's addresses, each once, and how long they hold.
    Addresses(Vec<IpAddr>, Duration),
    /// The name is there, without addresses of this kind.
    NoAddress,
    /// The name is not there.
    NoName,
    /// There is more, over TCP.
    Truncated,
}

/// Why a message is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It belongs to another question, or is none: a late answer, or a forged one.
    Other,
    /// It has the question's id, and cannot be read.
    Malformed(MessageError),
    /// It is the server's word that there will be no answer.
    Server(ServerError),
}

/// Reads an answer to `query`.
pub(super) fn read(bytes: &[u8], query: &Message) -> Result<Reading, Unfit> {
    let (id, flags) = message::header(bytes).ok_or(Unfit::Other)?;
    if id != query.id || flags & flag::RESPONSE == 0 || flags & flag::OPERATION != 0 {
        return Err(Unfit::Other);
    }
    let code = flags & flag::CODE;
    if bytes.len() == HEADER && code != code::NO_ERROR {
        // Servers that did not understand the question cannot repeat it.
        return Err(Unfit::Server(ServerError::Code(code)));
    }
    if flags & flag::TRUNCATED != 0 {
        // It may end anywhere, so only what comes first is read.
        return match question_of(bytes) {
            Some((name, kind)) if name.is(&query.question.name) && kind == query.question.kind => {
                Ok(Reading::Truncated)
            }
            _ => Err(Unfit::Other),
        };
    }
    let answer = Message::read(bytes).map_err(Unfit::Malformed)?;
    let (asked, repeated) = (&query.question, &answer.question);
    if !repeated.name.is(&asked.name) || repeated.kind != asked.kind || repeated.class != asked.class {
        return Err(Unfit::Other);
    }
    match code {
        code::NO_ERROR => Ok(addresses(&answer, asked.kind)),
        code::NO_NAME => Ok(Reading::NoName),
        other => Err(Unfit::Server(ServerError::Code(other))),
    }
}

fn question_of(bytes: &[u8]) -> Option<(Name, u16)> {
    let mut at = HEADER;
    let name = Name::read(bytes, &mut at).ok()?;
    match bytes.get(at..at + 4)? {
        [high, low, 0, 1] => Some((name, u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

/// The addresses of the name that was asked for, or of the one that it is another name of. Records of other names are passed over.
fn addresses(answer: &Message, kind: u16) -> Reading {
    let mut name = &answer.question.name;
    let mut keep = u32::MAX;
    for _ in 0..=MOST_ALIASES {
        let mut found = Vec::new();
        let mut alias = None;
        for record in answer.answers.iter().filter(|record| record.class == CLASS_IN && record.owner.is(name)) {
            match &record.data {
                Data::Address(address) if record.data.kind() == kind => {
                    keep = keep.min(record.ttl);
                    if !found.contains(address) && found.len() < MOST_ADDRESSES {
                        found.push(*address);
                    }
                }
                Data::Alias(target) => alias = alias.or(Some((target, record.ttl))),
                _ => {}
            }
        }
        if !found.is_empty() {
            // A lifetime with the highest bit set means none (RFC 2181, 8).
            let keep = if keep > i32::MAX.unsigned_abs() { 0 } else { keep };
            return Reading::Addresses(found, Duration::from_secs(u64::from(keep)));
        }
        let Some((target, ttl)) = alias else { return Reading::NoAddress };
        keep = keep.min(ttl);
        name = target;
    }
    // It goes in circles.
    Reading::NoAddress
}

#[cfg(test)]
mod tests;
