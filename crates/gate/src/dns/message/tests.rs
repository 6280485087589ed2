use proptest::prelude::*;

use super::*;

/// A header with these counts, and what follows.
fn message(counts: [u16; 4], rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34, 0x01, 0x00];
    bytes.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    bytes.extend_from_slice(rest);
    bytes
}

const QUESTION: &[u8] = b"\x01a\x07example\x00\x00\x01\x00\x01";

fn read(counts: [u16; 4], rest: &[u8]) -> Result<Message, MessageError> {
    Message::read(&message(counts, rest))
}

fn with_question(rest: &[u8]) -> Vec<u8> {
    [QUESTION, rest].concat()
}

#[test]
fn a_plain_query_is_read() {
    let query = read([1, 0, 0, 0], QUESTION).unwrap();
    assert_eq!((query.id, query.flags), (0x1234, flag::RECURSION_DESIRED));
    assert_eq!(query.question.name.to_string(), "a.example");
    assert_eq!((query.question.kind, query.question.class), (kind::A, CLASS_IN));
}

#[test]
fn counts_must_be_true() {
    assert_eq!(read([0, 0, 0, 0], b""), Err(MessageError::Count));
    assert_eq!(read([2, 0, 0, 0], &[QUESTION, QUESTION].concat()), Err(MessageError::Count));
    assert_eq!(read([1, 1, 0, 0], QUESTION), Err(MessageError::Short));
    assert_eq!(read([1, 0xffff, 0xffff, 0xffff], QUESTION), Err(MessageError::Count));
    assert_eq!(read([1, 0, 0, 0], &with_question(b"x")), Err(MessageError::Long));
    for length in 0..message([1, 0, 0, 0], QUESTION).len() {
        let bytes = message([1, 0, 0, 0], QUESTION);
        assert_eq!(Message::read(&bytes[..length]), Err(MessageError::Short), "{length}");
    }
}

#[test]
fn names_lead_backwards_only() {
    let record = |name: &[u8]| [name, b"\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"].concat();
    let answer = |name: &[u8]| read([1, 1, 0, 0], &with_question(&record(name)));
    assert_eq!(answer(b"\xc0\x0c").unwrap().answers[0].owner.to_string(), "a.example");
    assert_eq!(answer(b"\xc0\x0e").unwrap().answers[0].owner.to_string(), "example");
    assert_eq!(answer(b"\x01b\xc0\x0e").unwrap().answers[0].owner.to_string(), "b.example");
    let here = u8::try_from(HEADER + QUESTION.len()).unwrap();
    for (name, what) in [
        (vec![0xc0, here], "itself"),
        (vec![1, b'b', 0xc0, here], "its own start"),
        (vec![0xc0, here + 2], "what follows"),
        (vec![0xc0, 0x00], "the header"),
        (vec![0xc0, 0x0b], "the header's end"),
        (vec![0xff, 0xff], "nowhere"),
    ] {
        assert_eq!(answer(&name), Err(MessageError::Pointer), "{what}");
    }
    for kind in [0x40, 0x80] {
        assert_eq!(answer(&[kind, 0]), Err(MessageError::Label));
    }
}

#[test]
fn a_chain_of_pointers_ends() {
    // The root, then pointers each to the one before.
    let mut bytes = message([1, 0, 0, 0], b"\x00");
    let mut last = HEADER;
    for _ in 0..200 {
        let at = bytes.len();
        bytes.extend((0xc000 | u16::try_from(last).unwrap()).to_be_bytes());
        last = at;
    }
    let mut at = last;
    assert_eq!(Name::read(&bytes, &mut at), Err(MessageError::Pointer));
    let mut at = HEADER + 1 + 2 * 10;
    assert!(Name::read(&bytes, &mut at).unwrap().is_root());
    assert_eq!(at, HEADER + 1 + 2 * 11, "behind the first pointer");
}

#[test]
fn lengths_of_names_are_bounded() {
    let label = [&[63_u8][..], &[b'x'; 63]].concat();
    let fits = [label.repeat(3), vec![61], vec![b'x'; 61], vec![0]].concat();
    assert_eq!(fits.len(), 255);
    let mut at = 0;
    assert!(Name::read(&fits, &mut at).is_ok());
    let long = [label.repeat(3), vec![62], vec![b'x'; 62], vec![0]].concat();
    assert_eq!(Name::read(&long, &mut 0), Err(MessageError::LongName));
    assert_eq!(Name::from_host(&"x".repeat(64)), Err(MessageError::Label));
    assert_eq!(Name::from_host("a..b"), Err(MessageError::Label));
    assert_eq!(Name::from_host(""), Err(MessageError::Label));
    assert_eq!(Name::from_host(&["x"; 128].join(".")), Err(MessageError::LongName));
    assert!(Name::from_host(&["x"; 127].join(".")).is_ok());
}

#[test]
fn contents_fit_their_type() {
    let record = |kind: u8, data: &[u8]| {
        let length = u8::try_from(data.len()).unwrap();
        let record = [b"\xc0\x0c\x00", &[kind][..], b"\x00\x01\x00\x00\x00\x3c\x00", &[length], data].concat();
        read([1, 1, 0, 0], &with_question(&record)).map(|message| message.answers[0].data.clone())
    };
    assert_eq!(record(1, &[192, 0, 2, 1]), Ok(Data::Address("192.0.2.1".parse().unwrap())));
    assert_eq!(record(28, &[0; 16]), Ok(Data::Address("::".parse().unwrap())));
    assert_eq!(record(5, b"\xc0\x0e"), Ok(Data::Alias(Name::from_host("example").unwrap())));
    for (kind, data) in
        [(1, &[1, 2, 3][..]), (1, &[1, 2, 3, 4, 5]), (28, &[0; 4]), (5, b"\xc0\x0ex"), (12, b"\xc0\x0ex")]
    {
        assert_eq!(record(kind, data), Err(MessageError::Contents), "{kind} {data:?}");
    }
    assert_eq!(record(16, b"\x03abc"), Ok(Data::Other(16, b"\x03abc".to_vec())));
    assert!(record(5, b"\x05ab").is_err(), "a name that ends behind its record");
}

#[test]
fn only_plain_names_are_hosts() {
    let name = |labels: &[&[u8]]| {
        let mut wire = Vec::new();
        for label in labels {
            wire.push(u8::try_from(label.len()).unwrap());
            wire.extend_from_slice(label);
        }
        wire.push(0);
        Name::read(&wire, &mut 0).unwrap()
    };
    assert_eq!(name(&[b"GitHub", b"COM"]).host().as_deref(), Some("github.com"));
    assert_eq!(name(&[b"_dmarc", b"x-y", b"org"]).host().as_deref(), Some("_dmarc.x-y.org"));
    for strange in [
        &[&b"github.com"[..]][..],
        &[b"github.com", b"evil.org"],
        &[b"a\0", b"com"],
        &[b"127", b"0", b"0", b"1"],
        &[b"0x7f000001"],
        &[b"[::1]"],
        &[b"::1"],
        &[b"a b", b"com"],
        &[b"\xc3\xa4", b"de"],
        &[b"*", b"com"],
        &[b"-a", b"com"],
        &[],
    ] {
        assert_eq!(name(strange).host(), None, "{strange:?}");
    }
    assert_eq!(name(&[b"a.b\\", b"\x1b[2J\xff"]).to_string(), "a\\046b\\092.\\027[2J\\255");
    assert_eq!(name(&[]).to_string(), ".");
}

fn any_name() -> impl Strategy<Value = Name> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..=63), 0..=3).prop_map(|labels| {
        let mut wire: Vec<u8> = labels.iter().flat_map(|label| [&[label.len() as u8][..], label].concat()).collect();
        wire.push(0);
        Name::read(&wire, &mut 0).unwrap()
    })
}

fn any_data() -> impl Strategy<Value = Data> {
    let other = any::<u16>().prop_filter("has a form of its own", |kind| ![1, 5, 12, 28].contains(kind));
    prop_oneof![
        any::<IpAddr>().prop_map(Data::Address),
        any_name().prop_map(Data::Alias),
        any_name().prop_map(Data::Pointer),
        (other, proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(kind, bytes)| Data::Other(kind, bytes)),
    ]
}

fn any_records(question: Name) -> impl Strategy<Value = Vec<Record>> {
    let owner = prop_oneof![Just(question), any_name()];
    let record = (owner, any::<u16>(), any::<u32>(), any_data()).prop_map(|(owner, class, ttl, data)| Record {
        owner,
        class,
        ttl,
        data,
    });
    proptest::collection::vec(record, 0..5)
}

fn any_message() -> impl Strategy<Value = Message> {
    any_name().prop_flat_map(|name| {
        let records = || any_records(name.clone());
        (any::<[u16; 4]>(), Just(name.clone()), records(), records(), records()).prop_map(
            |([id, flags, kind, class], name, answers, authorities, additionals)| Message {
                id,
                flags,
                question: Question { name, kind, class },
                answers,
                authorities,
                additionals,
            },
        )
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(message in any_message()) {
        prop_assert_eq!(Message::read(&message.write()), Ok(message));
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = Message::read(&bytes);
    }

    /// Bytes behind a good question, so that records are reached; what is read can be written, and is the same then.
    #[test]
    fn records_of_arbitrary_bytes(counts in any::<[u8; 3]>(), rest in proptest::collection::vec(0..=64_u8, 0..300)) {
        let [a, b, c] = counts.map(|count| u16::from(count % 4));
        if let Ok(message) = read([1, a, b, c], &with_question(&rest)) {
            prop_assert_eq!(Message::read(&message.write()), Ok(message));
        }
    }

    /// A good message with one byte changed is read or refused.
    #[test]
    fn a_changed_byte_is_survived(message in any_message(), at: prop::sample::Index, to: u8) {
        let mut bytes = message.write();
        let at = at.index(bytes.len());
        bytes[at] = to;
        let _ = Message::read(&bytes);
    }
}
