//! Doors for the fuzz targets; see `crate::fuzzing`.

use std::cell::Cell;
use std::net::IpAddr;

use bailiwick_policy::host_pattern::Host;

use super::answer;
use super::message::{self, Data, HEADER, Message, flag};
use crate::refusal::Refusal;
use crate::synthetic::Synthetic;

/// What was read is written so that it is read as the same.
pub fn message(bytes: &[u8]) {
    let Ok(read) = Message::read(bytes) else { return };
    let written = read.write();
    assert_eq!(Message::read(&written).as_ref(), Ok(&read), "written anew, it is another message");
    assert_eq!(read.question.name.to_string().chars().find(|c| c.is_control()), None);
}

/// Every query has a well-formed answer or none, and no name that the policy refuses has an address.
pub fn answer(bytes: &[u8]) {
    let asked_for = Cell::new(None);
    let is_allowed = |name: &str| name == "a.example" || name.ends_with(".wild.example");
    let decide = |name: &str| {
        assert_eq!(Host::parse(name), Ok(Host::Name(name.to_owned())), "decided about something else than a host");
        asked_for.set(Some(name.to_owned()));
        if is_allowed(name) { Ok("rule".to_owned()) } else { Err(Refusal::Busy) }
    };
    let mut synthetic = Synthetic::new();
    let answer = answer::answer(bytes, decide, &mut synthetic);
    let Some((id, flags)) = message::header(bytes) else {
        return assert!(answer.bytes.is_none(), "an answer to what has no header");
    };
    let Some(said) = answer.bytes else {
        return assert!(flags & flag::RESPONSE != 0, "silence where an answer is due");
    };
    assert!(said.len() <= 512, "{} bytes do not fit a datagram without the extension", said.len());
    let (said_id, said_flags) = message::header(&said).unwrap();
    assert!(said_id == id && said_flags & flag::RESPONSE != 0);
    if said.len() == HEADER {
        return;
    }
    let (asked, said) = (Message::read(bytes).unwrap(), Message::read(&said).unwrap());
    assert_eq!(asked.question, said.question);
    assert!(said.answers.len() <= 1 && said.authorities.is_empty() && said.additionals.len() <= 1);
    let Some(record) = said.answers.first() else { return };
    match (&record.data, asked_for.take()) {
        (Data::Address(address), Some(name)) => {
            assert!(is_allowed(&name) && Synthetic::is_synthetic(*address));
            assert_eq!(synthetic.name_of(*address), Some(name.as_str()));
        }
        (Data::Address(address), None) => assert!(address.is_loopback()),
        // No address was given before this query, so only the host's own has a name.
        (Data::Pointer(name), None) => assert_eq!(name.to_string(), "localhost"),
        (other, _) => panic!("an answer of another kind: {other:?}"),
    }
    let of_kind = match record.data {
        Data::Address(IpAddr::V4(_)) => message::kind::A,
        Data::Address(IpAddr::V6(_)) => message::kind::AAAA,
        _ => message::kind::PTR,
    };
    assert_eq!(asked.question.kind, of_kind);
}
