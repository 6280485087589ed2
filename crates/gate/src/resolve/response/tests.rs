use proptest::prelude::*;

use super::*;
use crate::dns::message::{Record, kind};

fn name(text: &str) -> Name {
    Name::from_host(text).unwrap()
}

fn query() -> Message {
    Message::ask(77, name("a.example"), kind::A)
}

fn address(owner: &str, text: &str) -> Record {
    Record { owner: name(owner), class: CLASS_IN, ttl: 300, data: Data::Address(text.parse().unwrap()) }
}

fn alias(owner: &str, target: &str) -> Record {
    Record { owner: name(owner), class: CLASS_IN, ttl: 30, data: Data::Alias(name(target)) }
}

fn reply(answers: Vec<Record>) -> Message {
    Message { flags: flag::RESPONSE | flag::RECURSION_AVAILABLE, answers, ..query() }
}

fn reading(answers: Vec<Record>) -> Reading {
    read(&reply(answers).write(), &query()).unwrap()
}

fn addresses_of(reading: &Reading) -> Vec<String> {
    match reading {
        Reading::Addresses(found, _) => found.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_records_of_the_name_count() {
    let other_class = Record { class: 3, ..address("a.example", "192.0.2.9") };
    let found = reading(vec![
        address("evil.example", "192.0.2.8"),
        address("A.EXAMPLE", "192.0.2.1"),
        address("a.example", "192.0.2.2"),
        address("a.example", "192.0.2.1"),
        address("a.example", "2001:db8::1"),
        other_class,
    ]);
    assert_eq!(addresses_of(&found), ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(reading(vec![address("evil.example", "192.0.2.8")]), Reading::NoAddress);
    assert_eq!(reading(vec![]), Reading::NoAddress);
}

#[test]
fn other_sections_are_not_believed() {
    let mut message = reply(vec![]);
    message.additionals = vec![address("a.example", "192.0.2.8")];
    message.authorities = vec![address("a.example", "192.0.2.8")];
    assert_eq!(read(&message.write(), &query()), Ok(Reading::NoAddress));
}

#[test]
fn aliases_are_followed_in_any_order_and_not_in_circles() {
    let chain =
        vec![address("c.example", "192.0.2.1"), alias("b.example", "c.example"), alias("a.example", "b.example")];
    let Reading::Addresses(found, keep) = reading(chain) else { panic!() };
    assert_eq!((found.len(), keep), (1, Duration::from_secs(30)), "as long as the shortest holds");
    assert_eq!(reading(vec![alias("a.example", "a.example")]), Reading::NoAddress);
    assert_eq!(reading(vec![alias("a.example", "b.example"), alias("b.example", "a.example")]), Reading::NoAddress);
    assert_eq!(reading(vec![alias("a.example", "b.example")]), Reading::NoAddress);

    let long = |steps: usize| {
        let step = |number: usize| if number == 0 { "a.example".to_owned() } else { format!("n{number}.example") };
        let mut records: Vec<_> = (0..steps).map(|number| alias(&step(number), &step(number + 1))).collect();
        records.push(address(&step(steps), "192.0.2.1"));
        reading(records)
    };
    assert_eq!(addresses_of(&long(MOST_ALIASES)), ["192.0.2.1"]);
    assert_eq!(long(MOST_ALIASES + 1), Reading::NoAddress);
}

#[test]
fn addresses_are_bounded_and_lifetimes_sane() {
    let many = (0..100).map(|number| address("a.example", &format!("192.0.2.{number}"))).collect();
    assert_eq!(addresses_of(&reading(many)).len(), MOST_ADDRESSES);
    let negative = Record { ttl: 0x8000_0000, ..address("a.example", "192.0.2.1") };
    let Reading::Addresses(_, keep) = reading(vec![negative]) else { panic!() };
    assert_eq!(keep, Duration::ZERO);
}

#[test]
fn what_answers_another_question_is_passed_over() {
    let good = reply(vec![address("a.example", "192.0.2.1")]);
    let with = |change: &dyn Fn(&mut Message)| {
        let mut message = good.clone();
        change(&mut message);
        read(&message.write(), &query())
    };
    assert!(with(&|_| {}).is_ok());
    assert!(with(&|message| message.question.name = name("A.eXample")).is_ok());
    assert_eq!(with(&|message| message.id = 78), Err(Unfit::Other));
    assert_eq!(with(&|message| message.flags = 0), Err(Unfit::Other));
    assert_eq!(with(&|message| message.flags |= 0x0800), Err(Unfit::Other));
    assert_eq!(with(&|message| message.question.name = name("b.example")), Err(Unfit::Other));
    assert_eq!(with(&|message| message.question.kind = kind::AAAA), Err(Unfit::Other));
    assert_eq!(with(&|message| message.question.class = 3), Err(Unfit::Other));
    assert_eq!(read(b"", &query()), Err(Unfit::Other));
}

#[test]
fn codes_are_told_apart() {
    let with = |code: u16| {
        let mut message = reply(vec![address("a.example", "192.0.2.1")]);
        message.flags |= code;
        read(&message.write(), &query())
    };
    assert_eq!(with(code::NO_NAME), Ok(Reading::NoName));
    for code in [code::SERVER, code::REFUSED, code::FORMAT, code::NOT_IMPLEMENTED, 15] {
        assert_eq!(with(code), Err(Unfit::Server(ServerError::Code(code))));
    }
    let bare = |flags: u16| [&77_u16.to_be_bytes()[..], &flags.to_be_bytes(), &[0; 8]].concat();
    assert_eq!(read(&bare(0x8001), &query()), Err(Unfit::Server(ServerError::Code(code::FORMAT))));
    assert_eq!(read(&bare(0x8000), &query()), Err(Unfit::Malformed(MessageError::Count)));
}

#[test]
fn a_truncated_answer_is_no_answer_whatever_it_holds() {
    let mut message = reply(vec![address("a.example", "192.0.2.1")]);
    message.flags |= flag::TRUNCATED;
    let bytes = message.write();
    assert_eq!(read(&bytes, &query()), Ok(Reading::Truncated));
    assert_eq!(read(&bytes[..bytes.len() - 3], &query()), Ok(Reading::Truncated), "cut within a record");
    message.question.name = name("b.example");
    assert_eq!(read(&message.write(), &query()), Err(Unfit::Other));
    assert_eq!(read(&bytes[..HEADER + 2], &query()), Err(Unfit::Other));
}

proptest! {
    #[test]
    fn arbitrary_answers_are_survived(rest in proptest::collection::vec(any::<u8>(), 0..400), flags: u16) {
        let mut bytes = reply(vec![]).write();
        bytes[2..4].copy_from_slice(&(flags | flag::RESPONSE).to_be_bytes());
        bytes[7] = 3;
        bytes.extend(rest);
        if let Ok(Reading::Addresses(found, _)) = read(&bytes, &query()) {
            prop_assert!(!found.is_empty() && found.iter().all(IpAddr::is_ipv4));
        }
    }
}
