use proptest::prelude::*;

use super::*;
use crate::dns::message::Question;

/// A policy that allows `a.example`, `db` and everything below `wild.example`.
fn decide(name: &str) -> Result<String, Refusal> {
    match name == "a.example" || name == "db" || name.ends_with(".wild.example") {
        true => Ok("allow".to_owned()),
        false => Err(Refusal::Denied { reason: "no".to_owned(), rule: None, grant: Some("grant".to_owned()) }),
    }
}

fn query(name: &str, kind: u16) -> Message {
    Message::ask(7, Name::from_host(name).unwrap(), kind)
}

fn asked(query: &Message, names: &mut Synthetic) -> (Message, Option<Asked>) {
    let answer = answer(&query.write(), decide, names);
    (Message::read(&answer.bytes.unwrap()).unwrap(), answer.asked)
}

/// Code and data of the answer to a question.
fn said(name: &str, kind: u16) -> (u16, Option<Data>) {
    let (message, _) = asked(&query(name, kind), &mut Synthetic::new());
    assert!(message.answers.len() <= 1);
    (message.flags & flag::CODE, message.answers.first().map(|record| record.data.clone()))
}

fn code_of(bytes: &[u8]) -> Option<u16> {
    answer(bytes, decide, &mut Synthetic::new()).bytes.map(|bytes| message::header(&bytes).unwrap().1 & flag::CODE)
}

#[test]
fn an_allowed_name_has_its_synthetic_address() {
    let mut names = Synthetic::new();
    let question = query("A.Example", kind::A);
    let (message, told) = asked(&question, &mut names);
    let address = names.address_of("a.example").unwrap();
    assert_eq!(message.id, 7);
    assert_eq!(message.flags, flag::RESPONSE | flag::RECURSION_DESIRED | flag::RECURSION_AVAILABLE);
    assert_eq!(message.question, question.question, "as it was spelt");
    assert_eq!(
        message.answers,
        [Record { owner: question.question.name, class: CLASS_IN, ttl: 60, data: Data::Address(address.into()) }]
    );
    let told = told.unwrap();
    assert_eq!((told.name.as_str(), told.result.unwrap().as_str()), ("a.example", "allow"));
    assert_eq!(said("db", kind::A).0, code::NO_ERROR);
    assert_eq!(said("x.wild.example", kind::A).0, code::NO_ERROR);
}

#[test]
fn other_types_of_an_allowed_name_are_empty_and_take_no_address() {
    let mut names = Synthetic::new();
    // AAAA, HTTPS, SVCB, TXT, MX, SRV, CNAME, ANY, OPT, and one that nobody knows.
    for kind in [28, 65, 64, 16, 15, 33, 5, 255, 41, 65_280] {
        let (message, told) = asked(&query("a.example", kind), &mut names);
        assert_eq!((message.flags & flag::CODE, message.answers.len(), told.is_none()), (code::NO_ERROR, 0, true));
    }
    assert!(!names.knows("a.example"));
}

#[test]
fn a_refused_name_does_not_exist_and_is_told_with_its_grant() {
    for kind in [kind::A, kind::AAAA, 16, 255] {
        let (message, told) = asked(&query("Evil.example", kind), &mut Synthetic::new());
        assert_eq!((message.flags & flag::CODE, message.answers.len()), (code::NO_NAME, 0));
        let told = told.unwrap();
        assert_eq!(told.name, "evil.example");
        assert!(matches!(told.result, Err(AskedError::Refused(Refusal::Denied { grant: Some(_), .. }))));
    }
}

#[test]
fn a_name_that_only_looks_allowed_is_none() {
    let mut bytes = query("x", kind::A).write();
    // One label with a dot in it.
    bytes.splice(HEADER..HEADER + 3, b"\x09a.example\x00".iter().copied());
    let mut names = Synthetic::new();
    let answer = answer(&bytes, |_| Ok("everything".to_owned()), &mut names);
    assert_eq!(message::header(&answer.bytes.unwrap()).unwrap().1 & flag::CODE, code::NO_NAME);
    let told = answer.asked.unwrap();
    assert_eq!(told.name, "a\\046example");
    assert!(matches!(told.result, Err(AskedError::NotAHost)));
}

#[test]
fn localhost_is_the_machine_itself_and_needs_no_rule() {
    for name in ["localhost", "LOCALHOST", "db.localhost"] {
        assert_eq!(said(name, kind::A), (code::NO_ERROR, Some(Data::Address("127.0.0.1".parse().unwrap()))));
        assert_eq!(said(name, kind::AAAA), (code::NO_ERROR, Some(Data::Address("::1".parse().unwrap()))));
        assert_eq!(said(name, 16), (code::NO_ERROR, None));
    }
    assert_eq!(said("localhost.evil.example", kind::A), (code::NO_NAME, None));
    assert_eq!(said("notlocalhost", kind::A), (code::NO_NAME, None));
}

#[test]
fn addresses_that_were_given_out_have_names_again() {
    let mut names = Synthetic::new();
    assert_eq!(names.address_of("a.example").unwrap().octets(), [198, 19, 0, 1]);
    let mut reverse = |name: &str, kind| {
        let (message, told) = asked(&query(name, kind), &mut names);
        assert!(told.is_none(), "reverse look-ups are not told");
        (message.flags & flag::CODE, message.answers.first().map(|record| record.data.clone()))
    };
    let host = |name| Some(Data::Pointer(Name::from_host(name).unwrap()));
    assert_eq!(reverse("1.0.19.198.In-Addr.ARPA", kind::PTR), (code::NO_ERROR, host("a.example")));
    assert_eq!(reverse("1.0.0.127.in-addr.arpa", kind::PTR), (code::NO_ERROR, host("localhost")));
    assert_eq!(reverse("1.0.19.198.in-addr.arpa", kind::A), (code::NO_ERROR, None));
    for name in [
        "2.0.19.198.in-addr.arpa",
        "1.0.0.10.in-addr.arpa",
        "01.0.19.198.in-addr.arpa",
        "256.0.19.198.in-addr.arpa",
        "x.1.0.19.198.in-addr.arpa",
        "19.198.in-addr.arpa",
        "in-addr.arpa",
        "1.0.0.0.0.0.ip6.arpa",
    ] {
        assert_eq!(reverse(name, kind::PTR), (code::NO_NAME, None), "{name}");
    }
}

#[test]
fn the_extension_record_is_answered_by_one() {
    let mut question = query("a.example", kind::A);
    let extension = |ttl, data: &[u8]| Record {
        owner: Name::root(),
        class: 4096,
        ttl,
        data: Data::Other(kind::OPT, data.to_vec()),
    };
    // With a cookie (RFC 7873) and the wish for signatures.
    question.additionals = vec![extension(0x8000, b"\x00\x0a\x00\x0812345678")];
    let (message, _) = asked(&question, &mut Synthetic::new());
    assert_eq!(message.answers.len(), 1);
    assert_eq!(
        message.additionals,
        [Record { owner: Name::root(), class: 1232, ttl: 0, data: Data::Other(kind::OPT, Vec::new()) }]
    );
    question.additionals = vec![extension(1 << 16, b"")];
    let (message, _) = asked(&question, &mut Synthetic::new());
    assert_eq!((message.flags & flag::CODE, message.answers.len(), message.additionals[0].ttl), (0, 0, 1 << 24));

    question.additionals = vec![extension(0, b""), extension(0, b"")];
    assert_eq!(code_of(&question.write()), Some(code::FORMAT));
    question.additionals = vec![Record { owner: Name::from_host("a").unwrap(), ..extension(0, b"") }];
    assert_eq!(code_of(&question.write()), Some(code::FORMAT));
}

#[test]
fn what_is_no_plain_query_is_turned_away() {
    let good = query("a.example", kind::A);
    let with = |change: &dyn Fn(&mut Message)| {
        let mut message = good.clone();
        change(&mut message);
        code_of(&message.write())
    };
    let record = || Record { owner: Name::root(), class: 1, ttl: 0, data: Data::Other(99, Vec::new()) };
    assert_eq!(with(&|_| {}), Some(code::NO_ERROR));
    assert_eq!(with(&|message| message.flags |= flag::RESPONSE), None, "answers are not answered");
    assert_eq!(with(&|message| message.flags |= 0x2800), Some(code::NOT_IMPLEMENTED));
    assert_eq!(with(&|message| message.question.class = 3), Some(code::REFUSED));
    assert_eq!(with(&|message| message.question.class = 255), Some(code::REFUSED));
    assert_eq!(with(&|message| message.answers.push(record())), Some(code::FORMAT));
    assert_eq!(with(&|message| message.authorities.push(record())), Some(code::FORMAT));
    assert_eq!(with(&|message| message.additionals.push(record())), Some(code::FORMAT));

    let bytes = good.write();
    for length in 0..bytes.len() {
        let expected = (length >= HEADER).then_some(code::FORMAT);
        assert_eq!(code_of(&bytes[..length]), expected, "{length}");
    }
    assert_eq!(code_of(&[bytes.as_slice(), b"\0"].concat()), Some(code::FORMAT));
    let mut long = good.clone();
    long.additionals = vec![Record { data: Data::Other(kind::OPT, vec![0; LONGEST_QUERY]), ..record() }];
    assert_eq!(code_of(&long.write()), Some(code::FORMAT));
}

#[test]
fn a_full_table_is_a_failure_and_told() {
    let mut names = Synthetic::new();
    for number in 0..crate::synthetic::MOST_NAMES {
        names.address_of(&format!("n{number}.wild.example"));
    }
    let (message, told) = asked(&query("one-more.wild.example", kind::A), &mut names);
    assert_eq!((message.flags & flag::CODE, message.answers.len()), (code::SERVER, 0));
    assert!(matches!(told.unwrap().result, Err(AskedError::TooMany)));
    assert_eq!(asked(&query("n5.wild.example", kind::A), &mut names).0.answers.len(), 1);
}

proptest! {
    #[test]
    fn any_bytes_get_a_well_formed_answer_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Some(reply) = answer(&bytes, decide, &mut Synthetic::new()).bytes {
            prop_assert!(reply.len() == HEADER || Message::read(&reply).is_ok());
            prop_assert!(reply.len() <= 512, "it fits every datagram");
            prop_assert_eq!(&reply[..2], &bytes[..2]);
        }
    }

    /// Any question at all: the answer repeats it, is an answer, and has a record only for what is allowed.
    #[test]
    fn any_question_is_answered(
        labels in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 0..6),
        kind: u16,
        class: u16,
    ) {
        let mut wire: Vec<u8> = labels.iter().flat_map(|label| [&[label.len() as u8][..], label].concat()).collect();
        wire.push(0);
        let name = Name::read(&wire, &mut 0).unwrap();
        let mut query = Message::ask(1, name.clone(), kind);
        query.question.class = class;
        let (message, _) = asked(&query, &mut Synthetic::new());
        prop_assert_eq!(message.question, Question { name: name.clone(), kind, class });
        prop_assert!(message.flags & flag::RESPONSE != 0);
        let allowed = name.host().is_some_and(|host| decide(&host).is_ok() || host.ends_with("localhost") || host.ends_with("arpa"));
        prop_assert!(message.answers.is_empty() || allowed);
    }
}
