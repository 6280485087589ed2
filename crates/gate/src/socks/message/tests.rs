use proptest::prelude::*;

use super::*;

#[test]
fn greetings_say_what_is_offered() {
    let offer = |nothing, password, length| Ok(Parsed::Whole(Offer { nothing, password }, length));
    assert_eq!(greeting(b"\x05\x01\x00"), offer(true, false, 3));
    assert_eq!(greeting(b"\x05\x02\x00\x02more"), offer(true, true, 4));
    assert_eq!(greeting(b"\x05\x02\x01\x80"), offer(false, false, 4));
    assert_eq!(greeting(b"\x05\x00"), offer(false, false, 2));
    assert_eq!(greeting(b"\x04\x01\x00\x50"), Err(Malformed::Version4));
    assert_eq!(greeting(b"GET / HTTP/1.1"), Err(Malformed::Version));
}

#[test]
fn logins_hold_two_texts() {
    let login_of = |user: &str, password: &str| Login { user: user.into(), password: password.into() };
    assert_eq!(login(b"\x01\x02me\x03pwd"), Ok(Parsed::Whole(login_of("me", "pwd"), 8)));
    assert_eq!(login(b"\x01\x00\x00rest"), Ok(Parsed::Whole(login_of("", ""), 3)));
    assert_eq!(login(b"\x05\x02me\x03pwd"), Err(Malformed::LoginVersion));
}

#[test]
fn requests_name_a_host_in_three_ways() {
    let connect =
        |host: &str, port, length| Ok(Parsed::Whole(Wanted::Connect(Host::parse(host).unwrap(), port), length));
    assert_eq!(request(b"\x05\x01\x00\x01\xc0\x00\x02\x07\x01\xbb"), connect("192.0.2.7", 443, 10));
    assert_eq!(request(b"\x05\x01\x00\x03\x0bExample.org\x1f\x90"), connect("example.org", 8080, 18));
    let v6 = b"\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x16";
    assert_eq!(request(v6), connect("2001:db8::1", 22, 22));
    assert_eq!(request(b"\x05\x03\x00\x01\0\0\0\0\0\0"), Ok(Parsed::Whole(Wanted::Other, 10)));
    assert_eq!(request(b"\x05\x02\x00\x01\x01\x02\x03\x04\0\x50"), Ok(Parsed::Whole(Wanted::Other, 10)));
}

#[test]
fn hosts_that_two_readers_could_take_for_two_are_refused() {
    for name in [
        "example.org\0.evil.example",
        "example.org%00",
        "0x7f.1",
        "127.1",
        "a..b",
        "",
        "fe80::1%eth0",
        "a b",
        "a\r\nb",
        "\u{e4}.example",
    ] {
        let mut bytes = vec![5, 1, 0, 3, u8::try_from(name.len()).unwrap()];
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(&[0, 80]);
        assert_eq!(request(&bytes), Err(Malformed::Host), "{name:?}");
    }
    assert_eq!(request(b"\x05\x01\x00\x01\xc0\x00\x02\x07\0\0"), Err(Malformed::Host));
    assert_eq!(request(b"\x05\x01\x01\x01\xc0\x00\x02\x07\0\x50"), Err(Malformed::Reserved));
    assert_eq!(request(b"\x05\x01\x00\x02\xc0\x00\x02\x07\0\x50"), Err(Malformed::AddressType));
}

/// The answers to every beginning of the bytes: some `More`, then always the same.
fn settles<T: PartialEq + std::fmt::Debug>(
    bytes: &[u8],
    parse: impl Fn(&[u8]) -> Message<T>,
) -> Result<(), TestCaseError> {
    let mut settled = None;
    for end in 0..=bytes.len() {
        let now = parse(&bytes[..end]);
        if let Ok(Parsed::Whole(_, length)) = &now {
            prop_assert!(*length <= end);
        }
        if let Some(before) = &settled {
            prop_assert_eq!(&now, before);
        } else if now != Ok(Parsed::More) {
            settled = Some(now);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_pieces_in_which_a_message_arrives_do_not_matter(
        start in prop_oneof![Just(vec![5u8]), Just(vec![1]), Just(vec![5, 1, 0, 3]), Just(vec![5, 1, 0, 1]), Just(Vec::new())],
        rest in proptest::collection::vec(prop_oneof![Just(0u8), Just(3), Just(b'a'), any::<u8>()], 0..40),
    ) {
        let bytes = [start, rest].concat();
        settles(&bytes, greeting)?;
        settles(&bytes, login)?;
        settles(&bytes, request)?;
    }
}
