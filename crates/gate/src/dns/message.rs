//! DNS messages as far as the gate speaks them: one question, a few records (RFC 1035, 3596, 6891).
//!
//! Reading is strict and never recurses: every length is checked, compression leads backwards only, and what is left over
//! behind the counted records is an error.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) use super::name::Name;

/// Bytes of a message's header.
pub(crate) const HEADER: usize = 12;
/// Most records of one message that are looked at; a message that counts more is refused.
pub(crate) const MOST_RECORDS: usize = 512;

/// The Internet's class, the only one in use (RFC 1035, 3.2.4).
pub(crate) const CLASS_IN: u16 = 1;

/// Types of records that the gate knows. All others are numbers.
pub(crate) mod kind {
    /// An IPv4 address (RFC 1035, 3.4.1).
    pub(crate) const A: u16 = 1;
    /// Another name (RFC 1035, 3.3.1).
    pub(crate) const CNAME: u16 = 5;
    /// A name for an address (RFC 1035, 3.3.12).
    pub(crate) const PTR: u16 = 12;
    /// An IPv6 address (RFC 3596, 2.1).
    pub(crate) const AAAA: u16 = 28;
    /// The extension record (RFC 6891, 6.1).
    pub(crate) const OPT: u16 = 41;
}

/// Answers as a number (RFC 1035, 4.1.1; RFC 6891, 9).
pub(crate) mod code {
    /// The question was answered, perhaps with nothing.
    pub(crate) const NO_ERROR: u16 = 0;
    /// The question is malformed.
    pub(crate) const FORMAT: u16 = 1;
    /// The server could not find out.
    pub(crate) const SERVER: u16 = 2;
    /// There is no such name.
    pub(crate) const NO_NAME: u16 = 3;
    /// This kind of query is not known.
    pub(crate) const NOT_IMPLEMENTED: u16 = 4;
    /// The server does not want to answer.
    pub(crate) const REFUSED: u16 = 5;
    /// This version of the extension is not known; needs the extension record.
    pub(crate) const VERSION: u16 = 16;
}

/// Bits of a header's second word (RFC 1035, 4.1.1; RFC 4035, 3).
pub(crate) mod flag {
    /// An answer, not a query.
    pub(crate) const RESPONSE: u16 = 0x8000;
    /// The kind of query; 0 is the standard one.
    pub(crate) const OPERATION: u16 = 0x7800;
    /// The message was cut short.
    pub(crate) const TRUNCATED: u16 = 0x0200;
    /// Please ask others too.
    pub(crate) const RECURSION_DESIRED: u16 = 0x0100;
    /// Others are asked.
    pub(crate) const RECURSION_AVAILABLE: u16 = 0x0080;
    /// The asking side checks signatures itself.
    pub(crate) const CHECKING_DISABLED: u16 = 0x0010;
    /// The answer's code.
    pub(crate) const CODE: u16 = 0x000f;
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageError {
    /// It ends within something.
    Short,
    /// Bytes are left over behind the last record.
    Long,
    /// It counts more records than anybody needs, or another number of questions than one.
    Count,
    /// A label of no known kind, or one that is empty or too long.
    Label,
    /// A name of more than 255 octets.
    LongName,
    /// A compression pointer that does not lead back to an earlier name.
    Pointer,
    /// Contents that do not have the form of their type.
    Contents,
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "the message ends too early",
            Self::Long => "bytes are left over behind the message",
            Self::Count => "the message counts a wrong number of questions or too many records",
            Self::Label => "a name has a malformed label",
            Self::LongName => "a name is longer than 255 octets",
            Self::Pointer => "a compressed name does not lead back to an earlier one",
            Self::Contents => "a record's contents do not fit its type",
        })
    }
}

impl std::error::Error for MessageError {}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// Of which name.
    pub(crate) name: Name,
    /// Which type of record; see [`kind`].
    pub(crate) kind: u16,
    /// Which class; see [`CLASS_IN`].
    pub(crate) class: u16,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Whose it is.
    pub(crate) owner: Name,
    /// The class; for [`kind::OPT`] the asking side's largest datagram in bytes.
    pub(crate) class: u16,
    /// Seconds that it may be kept; for [`kind::OPT`] the upper part of the code, the version, and flags.
    pub(crate) ttl: u32,
    /// What it says.
    pub(crate) data: Data,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    /// An address: [`kind::A`] or [`kind::AAAA`].
    Address(IpAddr),
    /// The name is another one: [`kind::CNAME`].
    Alias(Name),
    /// The name of an address: [`kind::PTR`].
    Pointer(Name),
    /// Any other type with its bytes, which are not looked at: names in there may be compressed.
    Other(u16, Vec<u8>),
}

impl Data {
    /// The type's number.
    pub(crate) fn kind(&self) -> u16 {
        match self {
            Data::Address(IpAddr::V4(_)) => kind::A,
            Data::Address(IpAddr::V6(_)) => kind::AAAA,
            Data::Alias(_) => kind::CNAME,
            Data::Pointer(_) => kind::PTR,
            Data::Other(kind, _) => *kind,
        }
    }
}

/// A message with exactly one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Chosen by the asking side, repeated by the answering one.
    pub(crate) id: u16,
    /// See [`flag`].
    pub(crate) flags: u16,
    /// What is asked.
    pub(crate) question: Question,
    /// The answer.
    pub(crate) answers: Vec<Record>,
    /// Who is responsible.
    pub(crate) authorities: Vec<Record>,
    /// What else may help, and the extension record.
    pub(crate) additionals: Vec<Record>,
}

/// The id and the flags, if there is a whole header.
pub(crate) fn header(bytes: &[u8]) -> Option<(u16, u16)> {
    let mut reader = Reader { bytes: bytes.get(..HEADER)?, at: 0 };
    Some((reader.word().ok()?, reader.word().ok()?))
}

impl Message {
    /// A question of `name` for records of this type, as an asking side puts it.
    pub(crate) fn ask(id: u16, name: Name, kind: u16) -> Message {
        Message {
            id,
            flags: flag::RECURSION_DESIRED,
            question: Question { name, kind, class: CLASS_IN },
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
        }
    }

    /// Reads a whole message.
    ///
    /// # Errors
    /// Whatever is not exactly one message with exactly one question.
    pub(crate) fn read(bytes: &[u8]) -> Result<Message, MessageError> {
        let mut reader = Reader { bytes, at: 0 };
        let (id, flags) = (reader.word()?, reader.word()?);
        let questions = reader.word()?;
        let counts = [usize::from(reader.word()?), usize::from(reader.word()?), usize::from(reader.word()?)];
        if questions != 1 || counts.iter().sum::<usize>() > MOST_RECORDS {
            return Err(MessageError::Count);
        }
        let question =
            Question { name: Name::read(bytes, &mut reader.at)?, kind: reader.word()?, class: reader.word()? };
        let [answers, authorities, additionals] = counts;
        let message = Message {
            id,
            flags,
            question,
            answers: reader.records(answers)?,
            authorities: reader.records(authorities)?,
            additionals: reader.records(additionals)?,
        };
        match reader.at == bytes.len() {
            true => Ok(message),
            false => Err(MessageError::Long),
        }
    }

    /// The message as bytes. A record whose owner is the question's name is written as a pointer to it; nothing else is compressed.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        let count = |records: &[Record]| u16::try_from(records.len()).unwrap_or(u16::MAX);
        let counts = [1, count(&self.answers), count(&self.authorities), count(&self.additionals)];
        for word in [self.id, self.flags].into_iter().chain(counts) {
            out.extend(word.to_be_bytes());
        }
        self.question.name.write(&mut out);
        out.extend(self.question.kind.to_be_bytes());
        out.extend(self.question.class.to_be_bytes());
        for records in [&self.answers, &self.authorities, &self.additionals] {
            for record in records.iter().take(usize::from(u16::MAX)) {
                record.write(&self.question.name, &mut out);
            }
        }
        out
    }
}

impl Record {
    fn write(&self, asked: &Name, out: &mut Vec<u8>) {
        if self.owner == *asked && !asked.is_root() {
            // The question's name stands right behind the header.
            out.extend([0xc0, 0x0c]);
        } else {
            self.owner.write(out);
        }
        out.extend(self.data.kind().to_be_bytes());
        out.extend(self.class.to_be_bytes());
        out.extend(self.ttl.to_be_bytes());
        let mut data = Vec::new();
        match &self.data {
            Data::Address(IpAddr::V4(address)) => data.extend(address.octets()),
            Data::Address(IpAddr::V6(address)) => data.extend(address.octets()),
            Data::Alias(name) | Data::Pointer(name) => name.write(&mut data),
            Data::Other(_, bytes) => data.extend_from_slice(bytes),
        }
        data.truncate(usize::from(u16::MAX));
        out.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.append(&mut data);
    }
}

/// A place in a message.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], MessageError> {
        let taken = self.bytes.get(self.at..).and_then(|rest| rest.get(..count)).ok_or(MessageError::Short)?;
        self.at += count;
        Ok(taken)
    }

    fn word(&mut self) -> Result<u16, MessageError> {
        Ok(self.take(2)?.iter().fold(0, |word, &byte| word << 8 | u16::from(byte)))
    }

    fn double(&mut self) -> Result<u32, MessageError> {
        Ok(self.take(4)?.iter().fold(0, |word, &byte| word << 8 | u32::from(byte)))
    }

    fn records(&mut self, count: usize) -> Result<Vec<Record>, MessageError> {
        // Room is made as records come, not as many as the message says that there are.
        let mut records = Vec::new();
        for _ in 0..count {
            records.push(self.record()?);
        }
        Ok(records)
    }

    fn record(&mut self) -> Result<Record, MessageError> {
        let owner = Name::read(self.bytes, &mut self.at)?;
        let (kind, class, ttl) = (self.word()?, self.word()?, self.double()?);
        let length = usize::from(self.word()?);
        let start = self.at;
        let contents = self.take(length)?;
        let data = match kind {
            kind::A => {
                let octets: [u8; 4] = contents.try_into().map_err(|_| MessageError::Contents)?;
                Data::Address(IpAddr::V4(Ipv4Addr::from(octets)))
            }
            kind::AAAA => {
                let octets: [u8; 16] = contents.try_into().map_err(|_| MessageError::Contents)?;
                Data::Address(IpAddr::V6(Ipv6Addr::from(octets)))
            }
            kind::CNAME => Data::Alias(self.only_name(start)?),
            kind::PTR => Data::Pointer(self.only_name(start)?),
            other => Data::Other(other, contents.to_vec()),
        };
        Ok(Record { owner, class, ttl, data })
    }

    /// The name that fills what was just taken, from `start` on.
    fn only_name(&self, start: usize) -> Result<Name, MessageError> {
        let mut at = start;
        let name = Name::read(self.bytes, &mut at)?;
        match at == self.at {
            true => Ok(name),
            false => Err(MessageError::Contents),
        }
    }
}

#[cfg(test)]
mod tests;
