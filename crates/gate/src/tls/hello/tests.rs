use std::sync::Arc;

use proptest::prelude::*;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::*;

/// The hello of a real client.
fn real(name: ServerName<'static>, protocols: &[&str], resumable: bool) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    config.enable_early_data = resumable;
    let mut bytes = Vec::new();
    ClientConnection::new(Arc::new(config), name).unwrap().write_tls(&mut bytes).unwrap();
    bytes
}

fn named(name: &str) -> ServerName<'static> {
    ServerName::try_from(name.to_owned()).unwrap()
}

/// An extension with its head.
fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend((content.len() as u16).to_be_bytes());
    bytes.extend(content);
    bytes
}

/// A server name extension with these entries: type and name.
fn names(entries: &[(u8, &[u8])]) -> Vec<u8> {
    let mut list = Vec::new();
    for (kind, name) in entries {
        list.push(*kind);
        list.extend((name.len() as u16).to_be_bytes());
        list.extend(*name);
    }
    let mut content = (list.len() as u16).to_be_bytes().to_vec();
    content.extend(list);
    extension(SERVER_NAME, &content)
}

/// The body of a hello with these extensions; none at all for `None`.
fn body(extensions: Option<&[Vec<u8>]>) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    if let Some(extensions) = extensions {
        let all = extensions.concat();
        body.extend((all.len() as u16).to_be_bytes());
        body.extend(all);
    }
    body
}

/// A body as a message.
fn message(body: &[u8]) -> Vec<u8> {
    let mut message = vec![1];
    message.extend(&(body.len() as u32).to_be_bytes()[1..]);
    message.extend(body);
    message
}

/// A message in records of at most `size` bytes.
fn records(message: &[u8], size: usize) -> Vec<u8> {
    message.chunks(size).flat_map(|part| [&[22, 3, 1][..], &(part.len() as u16).to_be_bytes(), part].concat()).collect()
}

fn hello(extensions: &[Vec<u8>]) -> Hello {
    read(&records(&message(&body(Some(extensions))), 16_384))
}

fn malformed(extensions: &[Vec<u8>]) -> Malformed {
    match hello(extensions) {
        Hello::Malformed(why) => why,
        other => panic!("{other:?}"),
    }
}

fn host(text: &str) -> Host {
    Host::parse(text).unwrap()
}

#[test]
fn a_real_hello_is_read_and_every_part_of_it_is_incomplete() {
    let bytes = real(named("Api.Example.org"), &["h2", "http/1.1"], true);
    let Hello::Found(found) = read(&bytes) else { panic!("{:?}", read(&bytes)) };
    assert_eq!(found.server_name.as_deref(), Some("api.example.org"));
    assert_eq!(found.protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    assert!(!found.encrypted && found.speaks_http_1());
    for end in 0..bytes.len() {
        assert_eq!(read(&bytes[..end]), Hello::Incomplete, "{end} of {} bytes", bytes.len());
    }
}

#[test]
fn what_comes_after_the_hello_is_not_looked_at() {
    let mut bytes = real(named("example.org"), &[], false);
    let alone = read(&bytes);
    bytes.extend([20, 3, 3, 0, 1, 1, 23, 3, 3, 0xff, 0xff]);
    assert_eq!(read(&bytes), alone);
}

#[test]
fn a_hello_in_many_records_says_the_same_and_every_part_of_it_is_incomplete() {
    let whole = real(named("example.org"), &["http/1.1"], false);
    let message = &whole[5..];
    for size in [message.len() / 60, 16, 100, message.len() - 1] {
        let bytes = records(message, size.max(4));
        assert_eq!(read(&bytes), read(&whole), "{size} a record");
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]), Hello::Incomplete, "{end} bytes, {size} a record");
        }
    }
    assert_eq!(read(&records(message, 1)), Hello::Malformed(Malformed::Records));
}

#[test]
fn only_the_name_that_was_allowed_will_do() {
    let found = |bytes: &[u8]| match read(bytes) {
        Hello::Found(found) => found,
        other => panic!("{other:?}"),
    };
    let github = found(&real(named("github.com"), &[], false));
    assert_eq!(github.names(&host("github.com")), Ok(()));
    assert_eq!(github.names(&host("gist.github.com")), Err(Misnamed::Other("github.com".to_owned())));
    assert_eq!(github.names(&host("192.0.2.1")), Err(Misnamed::Other("github.com".to_owned())));
    let nameless = found(&real(ServerName::from(std::net::IpAddr::from([192, 0, 2, 1])), &[], false));
    assert_eq!(nameless.names(&host("192.0.2.1")), Ok(()));
    assert_eq!(nameless.names(&host("github.com")), Err(Misnamed::Nameless));
}

#[test]
fn an_encrypted_hello_counts_as_hidden_whatever_its_outer_name() {
    for kind in [ENCRYPTED_HELLO, ENCRYPTED_NAME] {
        let Hello::Found(found) = hello(&[names(&[(0, b"example.org")]), extension(kind, &[0; 40])]) else { panic!() };
        assert_eq!(found.names(&host("example.org")), Err(Misnamed::Encrypted));
        assert_eq!(found.names_in_the_clear(&host("example.org")), Ok(()));
        assert_eq!(found.names_in_the_clear(&host("example.com")), Err(Misnamed::Other("example.org".to_owned())));
    }
}

#[test]
fn a_hello_without_extensions_names_nobody() {
    let found = read(&records(&message(&body(None)), 16_384));
    assert_eq!(found, Hello::Found(ClientHello { server_name: None, encrypted: false, protocols: Vec::new() }));
    assert_eq!(found, hello(&[]));
}

#[test]
fn two_readers_could_disagree_about_these_names() {
    let name = |name: &[u8]| malformed(&[names(&[(0, name)])]);
    let long = [b"a".repeat(63), b"a".repeat(63), b"a".repeat(63), b"a".repeat(63)].join(&b'.');
    let strange: [&[u8]; 15] = [
        b"",
        b".",
        b"example.org.",
        b"example..org",
        b"example.org\0.evil.example",
        b"exa mple.org",
        b"example.org:443",
        b"192.0.2.1",
        b"[2001:db8::1]",
        b"2001:db8::1",
        b"0x7f.1",
        b"*.example.org",
        b"ex\xc3\xa4mple.org",
        b"\xff\xfe",
        &long,
    ];
    for strange in strange {
        assert_eq!(name(strange), Malformed::Name, "{:?}", String::from_utf8_lossy(strange));
    }
}

#[test]
fn a_name_stands_there_once() {
    let good = (0, &b"example.org"[..]);
    assert_eq!(malformed(&[names(&[good, good])]), Malformed::Names);
    assert_eq!(malformed(&[names(&[good, (0, b"evil.example")])]), Malformed::Names);
    assert_eq!(malformed(&[names(&[good, (1, b"evil.example")])]), Malformed::Names);
    assert_eq!(malformed(&[names(&[(1, b"evil.example"), good])]), Malformed::NameType);
    assert_eq!(malformed(&[names(&[])]), Malformed::Short);
    assert_eq!(malformed(&[extension(SERVER_NAME, &[])]), Malformed::Short);
    assert_eq!(malformed(&[names(&[good]), names(&[good])]), Malformed::Twice(0));
    let mut trailing = names(&[good]);
    trailing.push(0);
    trailing[3] += 1;
    assert_eq!(malformed(&[trailing]), Malformed::Trailing);
}

#[test]
fn any_extension_twice_is_refused() {
    assert_eq!(malformed(&[extension(99, &[]), names(&[(0, b"a.example")]), extension(99, &[])]), Malformed::Twice(99));
    let many: Vec<_> = (100..100 + MOST_EXTENSIONS as u16 + 1).map(|kind| extension(kind, &[])).collect();
    assert_eq!(malformed(&many), Malformed::Extensions);
}

#[test]
fn protocols_are_read_strictly() {
    for bad in [&[][..], &[0, 0], &[0, 1, 0], &[0, 3, 2, b'h'], &[0, 3, 2, b'h', b'2', 0]] {
        assert!(matches!(
            malformed(&[extension(ALPN, bad)]),
            Malformed::Protocols | Malformed::Short | Malformed::Trailing
        ));
    }
    let Hello::Found(found) = hello(&[extension(ALPN, &[0, 3, 2, b'h', b'2'])]) else { panic!() };
    assert!(!found.speaks_http_1());
    let many = [&[0, 130][..], &[1, b'x'].repeat(65)].concat();
    assert_eq!(malformed(&[extension(ALPN, &many)]), Malformed::Protocols);
}

#[test]
fn records_are_read_strictly() {
    let message = message(&body(Some(&[names(&[(0, b"example.org")])])));
    let whole = records(&message, 16_384);
    assert!(matches!(read(&whole), Hello::Found(_)));
    let refused = |bytes: &[u8], why| assert_eq!(read(bytes), Hello::Malformed(why), "{bytes:?}");

    refused(&[22, 3, 1, 0, 0], Malformed::RecordLength);
    refused(&[22, 3, 1, 0x40, 1], Malformed::RecordLength);
    refused(&[22, 3, 1, 0, 5, 2], Malformed::Message);
    refused(&[22, 3, 1, 0, 5, 1, 1, 0, 0], Malformed::Long);
    // A record of another kind between, whole or begun.
    let parts = records(&message, 10);
    for between in [&[23, 3, 3, 0, 1, 0][..], &[21, 3, 3, 0, 2, 1, 0], &[20], &[22, 2]] {
        refused(&[&parts[..15], between].concat(), Malformed::Record);
    }
    // More in the record than the hello, there or announced.
    let mut longer = whole.clone();
    longer[4] += 1;
    refused(&longer, Malformed::Trailing);
    longer.push(0);
    refused(&longer, Malformed::Trailing);
}

#[test]
fn bodies_are_read_strictly() {
    let refused = |body: &[u8], why| {
        assert_eq!(read(&records(&message(body), 16_384)), Hello::Malformed(why), "{body:?}");
    };
    let good = body(Some(&[names(&[(0, b"example.org")])]));
    for end in 0..good.len() {
        if end != body(None).len() {
            refused(&good[..end], Malformed::Short);
        }
    }
    refused(&[&good[..], &[0]].concat(), Malformed::Trailing);
    let changed = |at: usize, to: u8| {
        let mut changed = good.clone();
        changed[at] = to;
        changed
    };
    refused(&changed(0, 2), Malformed::Version);
    refused(&[&good[..34], &[33], &[0; 33], &good[35..]].concat(), Malformed::SessionId);
    refused(&changed(36, 0), Malformed::Suites);
    refused(&changed(36, 3), Malformed::Suites);
    refused(&[&good[..39], &[0], &good[41..]].concat(), Malformed::Compression);
}

/// Go's server takes a hello in a record of version 2.1, and OpenSSL's one behind a warning.
#[test]
fn what_a_lenient_server_takes_for_tls_is_not_something_else() {
    let hello = real(named("evil.example"), &[], false);
    let mut version = hello.clone();
    version[1] = 2;
    let warned = [&[21, 3, 1, 0, 2, 1, 90][..], &hello].concat();
    let changed = [&[20, 3, 3, 0, 1, 1][..], &hello].concat();
    for bytes in [version, warned, changed] {
        assert_eq!(read(&bytes), Hello::Malformed(Malformed::Record), "{:?}", &bytes[..8]);
    }
}

#[test]
fn what_is_not_tls_is_told_at_the_first_byte_that_shows_it() {
    for other in [
        &b"G"[..],
        b"GET / HTTP/1.1\r\n",
        b"SSH-2.0-x",
        b"\0",
        b"\x16\x10",
        b"\x16\x02\x01\x02\0\x02",
        b"\x15\x02",
        b"\x80\x2e\x02",
        b"\x80\x2e\x01\x01",
    ] {
        assert_eq!(read(other), Hello::NotTls, "{other:?}");
    }
    for begun in [&b""[..], b"\x16", b"\x16\x03", b"\x80", b"\x80\x2e", b"\x80\x2e\x01", b"\x80\x2e\x01\0"] {
        assert_eq!(read(begun), Hello::Incomplete, "{begun:?}");
    }
    for begun in [&b"\x16\x02"[..], b"\x16\x02\x01\x02\0", b"\x15", b"\x15\x03\x01", b"\x14\x03\x03\0"] {
        assert_eq!(read(begun), Hello::Incomplete, "{begun:?}");
    }
    for old in [&b"\x80\x2e\x01\0\x02"[..], b"\x80\x2e\x01\x03", b"\x80\x2e\x01\x03\x01\0\x15"] {
        assert_eq!(read(old), Hello::Malformed(Malformed::Ssl2), "{old:?}");
    }
}

#[test]
fn every_answer_comes_within_the_bound() {
    // A hello as long as may be, cut as often as may be, of which the last byte is still to come.
    let length = LONGEST - 5 * 64 - 4;
    let mut longest = vec![1];
    longest.extend(&(length as u32).to_be_bytes()[1..]);
    longest.resize(length + 4, 0);
    let bytes = records(&longest, longest.len().div_ceil(64));
    assert!(bytes.len() <= LONGEST);
    assert_eq!(read(&bytes[..bytes.len() - 1]), Hello::Incomplete);
    assert_eq!(read(&bytes), Hello::Malformed(Malformed::Version));
}

#[test]
fn messages_for_people_hold_no_control_characters() {
    insta::assert_snapshot!(Misnamed::Other("evil.example\u{1b}[2J".to_owned()), @r#"the TLS hello asks for `evil.example\u{1b}[2J`, another host than was allowed"#);
    insta::assert_snapshot!(Misnamed::Nameless, @"the TLS hello names no server, so the gate cannot tell whom it is for; a rule with `opaque = true` lets it through unread");
    insta::assert_snapshot!(Misnamed::Encrypted, @"the TLS hello is or may be encrypted (ECH), so the gate cannot tell whom it is for; switch ECH off in the program, or use a rule with `inspect = true`, or one with `opaque = true`, which lets it through unread");
    insta::assert_snapshot!(Malformed::Twice(0), @"the TLS hello is malformed: extension 0 comes twice");
}

proptest! {
    #[test]
    fn any_bytes_have_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&bytes);
    }

    /// A real hello with a few bytes changed, and a prefix of it: no panic, and what was final stays final.
    #[test]
    fn changed_hellos_have_an_answer_that_more_bytes_do_not_change(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        size in 8_usize..600,
        cut in any::<prop::sample::Index>(),
    ) {
        let whole = real(named("example.org"), &["http/1.1"], false);
        let mut bytes = records(&whole[5..], size);
        for (at, to) in changes {
            let at = at.index(bytes.len());
            bytes[at] = to;
        }
        let early = read(&bytes[..cut.index(bytes.len())]);
        if early != Hello::Incomplete {
            prop_assert_eq!(read(&bytes), early);
        }
    }
}
