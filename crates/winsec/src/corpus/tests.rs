use super::*;
use crate::{Ace, Acl, Sid};

fn case() -> Case {
    let descriptor = SecurityDescriptor::new(
        Sid::SYSTEM,
        Sid::SYSTEM,
        Acl::new(vec![Ace::allow(Sid::EVERYONE, AccessMask::FILE_READ_DATA)]),
    );
    Case {
        name: "Everyone may read".to_owned(),
        source: Source::Recorded { build: 26100, revision: 9278 },
        token: Token::plain(Sid::account([1, 2, 3], 1001), &[Sid::EVERYONE]),
        descriptor: descriptor.to_bytes().unwrap(),
        object: ObjectType::File,
        desired: AccessMask::MAXIMUM_ALLOWED,
        expected: Expected::Granted(AccessMask::FILE_READ_DATA),
    }
}

fn lines(cases: &[Case]) -> Vec<u8> {
    let mut out = Vec::new();
    cases.iter().for_each(|case| write(&mut out, case).unwrap());
    out
}

fn replayed(bytes: &[u8]) -> Result<Replay, CorpusError> {
    replay(Cases::new(bytes))
}

fn error(bytes: &[u8]) -> String {
    replayed(bytes).unwrap_err().to_string()
}

#[test]
fn what_is_written_is_read() {
    let text = lines(&[case()]);
    insta::assert_snapshot!(String::from_utf8_lossy(&text), @r#"{"name":"Everyone may read","source":{"recorded":{"build":26100,"revision":9278}},"token":{"user":"S-1-5-21-1-2-3-1001","groups":[{"sid":"S-1-1-0","use":"enabled","mandatory":true}],"privileges":["SeChangeNotifyPrivilege"],"integrity":8192,"mandatory":{"no_write_up":true,"new_process_min":true},"owner":"S-1-5-21-1-2-3-1001","primary_group":"S-1-5-21-1-2-3-1001"},"descriptor":"01000480300000003c000000000000001400000002001c00010000000000140001000000010100000000000100000000010100000000000512000000010100000000000512000000","object":"file","desired":"0x2000000","expected":{"granted":"0x1"}}"#);
    let read: Vec<Numbered> = Cases::new(&text[..]).map(Result::unwrap).collect();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].case, case());
    let computed = Case { source: Source::Computed { from: "MS-DTYP".to_owned() }, ..case() };
    assert!(String::from_utf8(lines(&[computed])).unwrap().contains("computed, not recorded on Windows"));
}

#[test]
fn differences_are_named_and_what_is_not_known_is_no_agreement() {
    let wrong = Case { name: "ends\nwith \u{1b}[2J".to_owned(), expected: Expected::Denied, ..case() };
    let replay = replayed(&lines(&[case(), wrong])).unwrap();
    assert!(!replay.agrees());
    insta::assert_snapshot!(replay, @r#"
    1 alike (1 recorded on Windows, 0 computed), 1 different, 0 not known
    line 2 (ends\nwith \u{1b}[2J): Windows 26100.9278 says refused, the model says granted: FILE_READ_DATA
      asked: everything that can be had
      for the user and the groups: entry 0 (A;;CC;;;WD) grants FILE_READ_DATA to Everyone
    "#);
    assert!(replayed(&lines(&[case()])).unwrap().agrees());
    // Nothing asked is nothing shown.
    assert!(!replayed(b"\n\n").unwrap().agrees());
    let mut doubtful = case();
    let conditional = crate::ace::OpaqueAce {
        type_byte: 0x09,
        flags: crate::AceFlags::NONE,
        body: [vec![0xFF, 0xFF, 0x1F, 0], Sid::EVERYONE.to_bytes()].concat().into(),
    };
    let acl = Acl::new(vec![Ace::Opaque(conditional)]);
    doubtful.descriptor = SecurityDescriptor::new(Sid::SYSTEM, Sid::SYSTEM, acl).to_bytes().unwrap();
    let replay = replayed(&lines(&[case(), doubtful])).unwrap();
    assert_eq!((replay.matched, replay.unknown, replay.agrees()), (1, 1, false));
}

#[test]
fn a_line_that_does_not_read_ends_the_corpus_and_is_named() {
    let good = lines(&[case()]);
    let text = String::from_utf8(good.clone()).unwrap();
    let after = |bad: &str| error(&[&good[..], bad.as_bytes()].concat());
    // A key that the reader quotes back, with an escape sequence in it.
    assert!(!after(r#"{"name": "x", "\u001b[2J": 1}"#).contains('\u{1b}'));
    insta::assert_snapshot!(after("{\"name\": \"\u{1b}[31m\", \"\u{1b}[2J\": 1}"), @r#"line 2 of the corpus is no recorded check: control character (\\u0000-\\u001F) found while parsing a string at line 1 column 11; record it again"#);
    insta::assert_snapshot!(after(&text.replacen("01000480", "02000480", 1)), @r#"line 2 of the corpus: its descriptor does not read: reading or writing a security descriptor: its revision is 2; only revision 1 exists; record it again"#);
    assert!(after(&text.replacen("01000480", "1000480", 1)).contains("hexadecimal"));
    assert!(after(&text.replacen("\"expected\"", "\"granted\"", 1)).contains("granted"));
    let long = vec![b' '; MAX_LINE as usize + 1];
    insta::assert_snapshot!(error(&long), @r#"line 1 of the corpus has more than 524288 bytes, more than any case needs; remove it"#);
    let mut cases = Cases::new(&b"{}\n{}\n"[..]);
    assert!(cases.next().unwrap().is_err());
    assert!(cases.next().is_none());
}

#[test]
fn an_answer_of_wine_is_never_taken_for_one_of_windows() {
    let wine = Case { source: Source::Wine { version: "8.0".to_owned() }, ..case() };
    let text = lines(&[case(), wine]);
    assert!(String::from_utf8_lossy(&text).contains("Wine, not Windows"));
    let replay = replayed(&text).unwrap();
    assert_eq!((replay.matched, replay.recorded, replay.wine, replay.agrees()), (1, 1, 1, false));
    insta::assert_snapshot!(replay, @"1 alike (1 recorded on Windows, 0 computed), 0 different, 0 not known, 1 not asked because Wine answered them, which is no Windows");
}
