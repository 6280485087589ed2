use proptest::prelude::*;

use super::*;

fn request(text: &str) -> Result<RequestHead, HeadError> {
    RequestHead::parse(text.as_bytes())
}

/// What a reader finds that gets the bytes in pieces of this size, and how many bytes it needed.
fn found(bytes: &[u8], piece: usize) -> (Result<Option<usize>, HeadError>, usize) {
    let mut finder = EndFinder::default();
    let mut end = 0;
    while end < bytes.len() {
        end = (end + piece).min(bytes.len());
        match finder.find(&bytes[..end]) {
            Ok(None) => {}
            other => return (other, end),
        }
    }
    (Ok(None), end)
}

#[test]
fn a_head_is_taken_apart() {
    let head = request("GET /a?b=c HTTP/1.1\r\nHost: example.org\r\nX-Empty:\r\nAccept: \t */* \r\n\r\n").unwrap();
    assert_eq!((head.method.as_str(), head.target.as_str(), head.version), ("GET", "/a?b=c", Version::Http11));
    let fields: Vec<_> = head.fields.iter().map(|field| (field.name.as_str(), field.value.as_slice())).collect();
    assert_eq!(fields, [("Host", &b"example.org"[..]), ("X-Empty", b""), ("Accept", b"*/*")]);
}

#[test]
fn what_is_not_exactly_the_syntax_is_refused() {
    let table = [
        // Lines and bytes that readers end differently.
        ("GET / HTTP/1.1\nHost: a\n\n", HeadError::BareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", HeadError::BareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", HeadError::BareCarriageReturn),
        ("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", HeadError::BareCarriageReturn),
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::EmptyFirstLine),
        ("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", HeadError::Control(23, 0)),
        ("GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n", HeadError::Control(23, 0x7f)),
        ("GET / HTTP/1.1\r\nX: \x0b\r\n\r\n", HeadError::Control(19, 0x0b)),
        ("\x16\x03\x01\x02\x00\x01", HeadError::Tls),
        ("GET / HTTP/1.1\r\nHost: a\r\n", HeadError::Unfinished),
        ("GET / HTTP/1.1\r\n\r\nrest", HeadError::Unfinished),
        ("", HeadError::Unfinished),
        // The first line.
        ("GET  / HTTP/1.1\r\n\r\n", HeadError::RequestLine),
        ("GET / HTTP/1.1 \r\n\r\n", HeadError::RequestLine),
        (" GET / HTTP/1.1\r\n\r\n", HeadError::RequestLine),
        ("GET\t/\tHTTP/1.1\r\n\r\n", HeadError::RequestLine),
        ("GET /\r\n\r\n", HeadError::RequestLine),
        ("GET / HTP/1.1\r\n\r\n", HeadError::RequestLine),
        ("GET /a b HTTP/1.1\r\n\r\n", HeadError::RequestLine),
        ("G(T / HTTP/1.1\r\n\r\n", HeadError::Method),
        ("GET /\u{e4} HTTP/1.1\r\n\r\n", HeadError::Target),
        ("GET /a#b HTTP/1.1\r\n\r\n", HeadError::Target),
        ("PRI * HTTP/2.0\r\n\r\n", HeadError::Version),
        ("GET / HTTP/1.2\r\n\r\n", HeadError::Version),
        ("GET / HTTP/01.1\r\n\r\n", HeadError::Version),
        ("GET / http/1.1\r\n\r\n", HeadError::RequestLine),
        // Fields.
        ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", HeadError::Folded),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", HeadError::Folded),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", HeadError::FieldName),
        ("GET / HTTP/1.1\r\nHo st: a\r\n\r\n", HeadError::FieldName),
        ("GET / HTTP/1.1\r\n: a\r\n\r\n", HeadError::FieldName),
        ("GET / HTTP/1.1\r\nH\u{f6}st: a\r\n\r\n", HeadError::FieldName),
        ("GET / HTTP/1.1\r\nHost\r\n\r\n", HeadError::FieldLine),
    ];
    for (text, error) in table {
        assert_eq!(request(text), Err(error), "{text:?}");
    }
}

#[test]
fn heads_are_bounded_in_bytes_and_fields() {
    let fields = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count));
    assert!(request(&fields(MOST_FIELDS)).is_ok());
    assert_eq!(request(&fields(MOST_FIELDS + 1)), Err(HeadError::TooManyFields));

    let sized = |bytes: usize| {
        let frame = "GET / HTTP/1.1\r\na: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "x".repeat(bytes - frame))
    };
    assert!(request(&sized(MOST_BYTES)).is_ok());
    assert_eq!(request(&sized(MOST_BYTES + 1)), Err(HeadError::TooLarge));
    // Known as soon as the bound is reached, not when the head ends.
    let endless = "x".repeat(MOST_BYTES + 1);
    assert_eq!(EndFinder::default().find(endless.as_bytes()), Err(HeadError::TooLarge));
}

#[test]
fn responses_have_a_status_and_perhaps_a_reason() {
    let parse = |text: &str| ResponseHead::parse(text.as_bytes()).map(|head| (head.status, head.reason));
    assert_eq!(parse("HTTP/1.1 200 OK\r\n\r\n"), Ok((200, b"OK".to_vec())));
    assert_eq!(parse("HTTP/1.0 404 Not Found \r\n\r\n"), Ok((404, b"Not Found ".to_vec())));
    assert_eq!(parse("HTTP/1.1 200 \r\n\r\n"), Ok((200, Vec::new())));
    assert_eq!(parse("HTTP/1.1 200\r\n\r\n"), Ok((200, Vec::new())));
    for wrong in ["099", "600", "20", "2000", "+20", "0200", "2 0", "abc", ""] {
        assert_eq!(parse(&format!("HTTP/1.1 {wrong}\r\n\r\n")), Err(HeadError::StatusLine), "{wrong}");
    }
    assert_eq!(parse("ICY 200 OK\r\n\r\n"), Err(HeadError::RequestLine));
    assert_eq!(parse("HTTP/1.1 200 OK\nX: y\r\n\r\n"), Err(HeadError::BareLineFeed));
    assert_eq!(parse("HTTP/1.1 200 OK\r\nX: a\r\n\tb\r\n\r\n"), Err(HeadError::Folded));
}

#[test]
fn first_bytes_of_http_are_told_from_those_of_other_protocols() {
    for text in [
        "GET / HTTP/1.1\r\n",
        "POST http://a/ HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "CONNECT a:1 HTTP/1.1",
        "x!y /",
        "PRI * HTTP/2.0\r\n",
    ] {
        assert_eq!(looks_like_request(text.as_bytes()), Some(true), "{text}");
    }
    let others: [&[u8]; 7] = [
        b"\x16\x03\x01",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"EHLO example.org\r\n",
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        b" GET /",
        b"GET  /",
        b"GET\t/",
    ];
    for bytes in others {
        assert_eq!(looks_like_request(bytes), Some(false), "{bytes:?}");
    }
    for text in ["", "G", "GET", "GET ", "GET h", "GET htt"] {
        assert_eq!(looks_like_request(text.as_bytes()), None, "{text}");
    }
}

/// Bytes that are a head, nearly, or not at all.
fn nearly_a_head() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just("GET / HTTP/1.1".to_owned()),
        Just("Host: a".to_owned()),
        Just("HTTP/1.1 200 OK".to_owned()),
        Just("\r\n".to_owned()),
        Just("\r\n\r\n".to_owned()),
        Just("\n".to_owned()),
        Just("\r".to_owned()),
        Just("\0".to_owned()),
        Just(": ".to_owned()),
        Just("Content-Length: 5".to_owned()),
        "[ -~]{0,6}",
    ];
    prop_oneof![
        proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat().into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..64),
    ]
}

proptest! {
    #[test]
    fn the_pieces_in_which_a_head_arrives_do_not_matter(bytes in nearly_a_head()) {
        let (whole, _) = found(&bytes, usize::MAX / 2);
        for piece in 1..=bytes.len().max(1) {
            prop_assert_eq!(found(&bytes, piece).0, whole);
        }
    }

    #[test]
    fn what_is_taken_is_written_back_to_the_same(bytes in nearly_a_head()) {
        if let Ok(head) = RequestHead::parse(&bytes) {
            let mut again = format!("{} {} HTTP/1.1\r\n", head.method, head.target).into_bytes();
            head.fields.write(&mut again);
            again.extend_from_slice(b"\r\n");
            let read = RequestHead::parse(&again).unwrap();
            prop_assert_eq!(read.fields, head.fields);
            prop_assert_eq!((read.method, read.target), (head.method, head.target));
        }
    }

    #[test]
    fn every_reader_takes_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = RequestHead::parse(&bytes);
        let _ = ResponseHead::parse(&bytes);
        let _ = parse_fields(&bytes);
    }

    #[test]
    fn more_first_bytes_never_change_what_is_known(bytes in nearly_a_head()) {
        let mut known = None;
        for end in 0..=bytes.len() {
            let now = looks_like_request(&bytes[..end]);
            if known.is_some() {
                prop_assert_eq!(now, known);
            }
            known = now;
        }
        prop_assert!(known.is_some() || bytes.len() < 24);
    }
}
