//! The answer to one query, as a pure function of the query, the policy and the table of synthetic addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::message::{self, CLASS_IN, Data, HEADER, Message, MessageError, Name, Record, code, flag, kind};
use crate::refusal::Refusal;
use crate::synthetic::Synthetic;

/// Longest query that is read, in bytes. A name takes 255 at most; the rest is room for options of the extension record.
pub(crate) const LONGEST_QUERY: usize = 1_232;
/// Largest datagram that the answerer says it takes: what passes every link unfragmented (DNS flag day 2020).
const DATAGRAM: u16 = 1_232;
/// Seconds that an answer may be kept. Names keep their address, so that it matters little.
const KEEP: u32 = 60;

/// What to answer, and what there is to tell.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The message to send back; none where silence is right.
    pub(crate) bytes: Option<Vec<u8>>,
    /// What was asked for and how it went, where a person may want to know.
    pub(crate) asked: Option<Asked>,
}

/// A name that was asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The name as it is told: hostile text.
    pub(crate) name: String,
    /// The rule that allowed it, or what refused it.
    pub(crate) result: Result<String, AskedError>,
}

/// Why a name has no address inside.
#[derive(Debug)]
pub(crate) enum AskedError {
    /// The policy refuses it.
    Refused(Refusal),
    /// It is not a host's name, so no rule can speak about it.
    NotAHost,
    /// It is allowed, and the run has asked for too many names.
    TooMany,
}

/// Answers a query. `decide` is the policy's word about a checked name: the rule that allows it, or the refusal.
///
/// | asked | answered |
/// | --- | --- |
/// | A of an allowed name | its synthetic address |
/// | any other type of an allowed name (AAAA, HTTPS, SVCB, TXT, MX …) | no error, no records |
/// | any type of another name | no such name |
/// | `localhost` and below | the loopback addresses (RFC 6761, 6.3) |
/// | PTR of a synthetic address in use | its name |
/// | PTR of another address | no such name, and nothing is told: reverse look-ups are noise |
/// | another class | refused |
/// | another operation | not implemented |
/// | a malformed query | format error; silence where not even a header can be read, or where it is an answer itself |
pub(crate) fn answer(
    query: &[u8],
    decide: impl FnOnce(&str) -> Result<String, Refusal>,
    synthetic: &mut Synthetic,
) -> Answer {
    let silence = Answer { bytes: None, asked: None };
    let Some((id, flags)) = message::header(query) else { return silence };
    if flags & flag::RESPONSE != 0 {
        // Two answerers that answer each other never stop.
        return silence;
    }
    if flags & flag::OPERATION != 0 {
        return Answer { bytes: Some(bare(id, flags, code::NOT_IMPLEMENTED)), asked: None };
    }
    match read(query) {
        Err(_) => Answer { bytes: Some(bare(id, flags, code::FORMAT)), asked: None },
        Ok(query) => respond(&query, decide, synthetic),
    }
}

/// A query in the only form that is answered: one question, no records but at most one extension record.
fn read(bytes: &[u8]) -> Result<Message, MessageError> {
    if bytes.len() > LONGEST_QUERY {
        return Err(MessageError::Long);
    }
    let query = Message::read(bytes)?;
    let extra_is_fine = match query.additionals.as_slice() {
        [] => true,
        [record] => record.data.kind() == kind::OPT && record.owner.is_root(),
        _ => false,
    };
    match query.answers.is_empty() && query.authorities.is_empty() && extra_is_fine {
        true => Ok(query),
        false => Err(MessageError::Count),
    }
}

fn respond(query: &Message, decide: impl FnOnce(&str) -> Result<String, Refusal>, synthetic: &mut Synthetic) -> Answer {
    let version = query.additionals.first().map(|record| record.ttl >> 16 & 0xff);
    if version.is_some_and(|version| version != 0) {
        return Answer { bytes: Some(reply(query, code::VERSION, None)), asked: None };
    }
    if query.question.class != CLASS_IN {
        return Answer { bytes: Some(reply(query, code::REFUSED, None)), asked: None };
    }
    let said = say(&query.question.name, query.question.kind, decide, synthetic);
    Answer { bytes: Some(reply(query, said.code, said.data)), asked: said.asked }
}

/// What there is to say about a name.
struct Said {
    code: u16,
    data: Option<Data>,
    asked: Option<Asked>,
}

impl Said {
    fn quietly(code: u16, data: Option<Data>) -> Said {
        Said { code, data, asked: None }
    }

    fn no_name(name: String, error: AskedError) -> Said {
        Said { code: code::NO_NAME, data: None, asked: Some(Asked { name, result: Err(error) }) }
    }
}

fn say(
    name: &Name,
    kind: u16,
    decide: impl FnOnce(&str) -> Result<String, Refusal>,
    synthetic: &mut Synthetic,
) -> Said {
    let Some(host) = name.host() else {
        return match is_reverse(name) {
            true => reverse(name, kind, synthetic),
            false => Said::no_name(name.to_string(), AskedError::NotAHost),
        };
    };
    if host == "localhost" || host.ends_with(".localhost") {
        return Said::quietly(code::NO_ERROR, loopback(kind));
    }
    if is_reverse(name) {
        return reverse(name, kind, synthetic);
    }
    let rule = match decide(&host) {
        Ok(rule) => rule,
        Err(refusal) => return Said::no_name(host, AskedError::Refused(refusal)),
    };
    if kind != kind::A {
        return Said::quietly(code::NO_ERROR, None);
    }
    match synthetic.address_of(&host) {
        Some(address) => Said {
            code: code::NO_ERROR,
            data: Some(Data::Address(IpAddr::V4(address))),
            asked: Some(Asked { name: host, result: Ok(rule) }),
        },
        None => {
            Said { code: code::SERVER, data: None, asked: Some(Asked { name: host, result: Err(AskedError::TooMany) }) }
        }
    }
}

fn loopback(kind: u16) -> Option<Data> {
    match kind {
        kind::A => Some(Data::Address(Ipv4Addr::LOCALHOST.into())),
        kind::AAAA => Some(Data::Address(Ipv6Addr::LOCALHOST.into())),
        _ => None,
    }
}

/// Is this a name under which addresses are looked up (RFC 1035, 3.5; RFC 3596, 2.5)?
fn is_reverse(name: &Name) -> bool {
    let mut last: [&[u8]; 2] = [b"", b""];
    for label in name.labels() {
        last = [last[1], label];
    }
    let [domain, top] = last;
    top.eq_ignore_ascii_case(b"arpa")
        && (domain.eq_ignore_ascii_case(b"in-addr") || domain.eq_ignore_ascii_case(b"ip6"))
}

fn reverse(name: &Name, kind: u16, synthetic: &Synthetic) -> Said {
    let nothing = Said::quietly(code::NO_NAME, None);
    let Some(address) = reversed_v4(name) else { return nothing };
    let host = match address.is_loopback() {
        true => "localhost",
        false => match synthetic.name_of(IpAddr::V4(address)) {
            Some(host) => host,
            None => return nothing,
        },
    };
    match Name::from_host(host) {
        Ok(host) if kind == kind::PTR => Said::quietly(code::NO_ERROR, Some(Data::Pointer(host))),
        _ => Said::quietly(code::NO_ERROR, None),
    }
}

/// The address of `4.3.2.1.in-addr.arpa`.
fn reversed_v4(name: &Name) -> Option<Ipv4Addr> {
    let mut labels = name.labels();
    let mut octets = [0; 4];
    for octet in octets.iter_mut().rev() {
        let text = std::str::from_utf8(labels.next()?).ok()?;
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        *octet = plain.then(|| text.parse().ok())??;
    }
    let domain = labels.next()?.eq_ignore_ascii_case(b"in-addr") && labels.next()?.eq_ignore_ascii_case(b"arpa");
    (domain && labels.next().is_none()).then_some(Ipv4Addr::from(octets))
}

/// The answering message: the question as it was put, at most one record, the extension record if the query had one.
fn reply(query: &Message, code: u16, data: Option<Data>) -> Vec<u8> {
    let owner = query.question.name.clone();
    let record = data.map(|data| Record { owner, class: CLASS_IN, ttl: KEEP, data });
    let extension = query.additionals.first().map(|_| Record {
        owner: Name::root(),
        class: DATAGRAM,
        // The upper eight bits of the code (RFC 6891, 6.1.3); version 0, no flags: nothing here is signed.
        ttl: u32::from(code >> 4) << 24,
        data: Data::Other(kind::OPT, Vec::new()),
    });
    Message {
        id: query.id,
        flags: reply_flags(query.flags, code),
        question: query.question.clone(),
        answers: record.into_iter().collect(),
        authorities: Vec::new(),
        additionals: extension.into_iter().collect(),
    }
    .write()
}

/// A header alone, for a query that cannot be repeated.
fn bare(id: u16, flags: u16, code: u16) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER);
    out.extend(id.to_be_bytes());
    out.extend(reply_flags(flags, code).to_be_bytes());
    out.resize(HEADER, 0);
    out
}

fn reply_flags(asked: u16, code: u16) -> u16 {
    let repeated = asked & (flag::OPERATION | flag::RECURSION_DESIRED | flag::CHECKING_DISABLED);
    flag::RESPONSE | flag::RECURSION_AVAILABLE | repeated | code & flag::CODE
}

#[cfg(test)]
mod tests;
