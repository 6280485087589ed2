//! The committed corpora, replayed.
//!
//! `corpus/computed.jsonl` is made here, from what the documents say about these cases; nobody has recorded them on Windows.
//! Set `BAILIWICK_WRITE_CORPUS=1` to write it anew. Any other `*.jsonl` beside it is replayed too, such as one from a real Windows.

// clippy.toml allows this in tests, but clippy knows only functions marked as such, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};

use bailiwick_winsec::corpus::{
    Case, Cases, Expected, Question, Questions, Recording, Source, Tally, record, replay, write,
};
use bailiwick_winsec::sddl::{self, Domains};
use bailiwick_winsec::token::{Group, Integrity, Privilege, Removal, Restriction};
use bailiwick_winsec::{AccessMask, Acl, AclField, ObjectType, SecurityDescriptor, Sid, Token};
use support::reference::{self, Answer};

const USER: Sid = Sid::account([1, 2, 3], 1001);
const CAPABILITY: Sid = Sid::capability([1, 2, 3, 4, 5, 6, 7, 8]);
const PACKAGE: Sid = Sid::package([1, 2, 3, 4, 5, 6, 7]);

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

#[test]
fn the_computed_corpus_is_the_one_committed() {
    let mut text = Vec::new();
    for case in computed() {
        write(&mut text, &case).unwrap();
    }
    let path = directory().join("computed.jsonl");
    if std::env::var_os("BAILIWICK_WRITE_CORPUS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read(&path).unwrap();
    assert!(committed == text, "{} is not what tests/corpus.rs makes", path.display());
}

#[test]
fn every_committed_corpus_is_answered_as_it_says() {
    let mut files = 0;
    for entry in std::fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
            let replay = replay(Cases::new(file)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(replay.agrees(), "{}: {replay}", path.display());
            files += 1;
        }
    }
    assert!(files > 0);
}

/// Another implementation answers in the place of Windows.
fn recorded(token: &Token, answer: impl Fn(&Question) -> Answer) -> (Tally<&'static str>, Vec<u8>) {
    let source = Source::Computed { from: "tests/support/reference.rs".to_owned() };
    let recording = Recording { name: "a token", source, token, seed: 7, questions: 2_000 };
    let mut text = Vec::new();
    let tally = record(&recording, &mut text, |question, bytes| {
        assert_eq!(SecurityDescriptor::parse(bytes).as_ref(), Ok(&question.descriptor));
        match answer(question) {
            Answer::Granted(rights) => Ok(Expected::Granted(rights)),
            Answer::Denied => Ok(Expected::Denied),
            Answer::Unknown => Err("not known"),
        }
    });
    (tally.unwrap(), text)
}

#[test]
fn a_recording_is_replayed_and_a_liar_is_found_out() {
    let low = Token { integrity: Integrity::LOW, ..user() };
    for token in [user(), restricted(true), restricted(false), low] {
        let honest = |question: &Question| reference::check(&token, &question.descriptor, question.request);
        let (tally, text) = recorded(&token, honest);
        let replay = replay_of(&text);
        // Not one question in which something is decided, but many, and both ways.
        assert!(tally.granted > 200 && tally.refused > 200, "{tally:?}");
        assert_eq!(tally.granted + tally.refused + tally.unanswered, 2_000);
        // What this model does not know, the other does not either.
        assert_eq!((replay.matched, replay.differing), (tally.granted + tally.refused, 0), "{replay}");

        // A Windows that looked at no restricting SID and no label, as Wine does.
        let blind = Token { restricting: None, integrity: Integrity::HIGH, ..token.clone() };
        let liar = |question: &Question| reference::check(&blind, &question.descriptor, question.request);
        let (_, text) = recorded(&token, liar);
        let replay = replay_of(&text);
        assert!(!replay.agrees() && replay.differing > 5, "{replay}");
    }
}

fn replay_of(text: &[u8]) -> bailiwick_winsec::corpus::Replay {
    replay(Cases::new(text)).unwrap()
}

#[test]
fn the_same_seed_asks_the_same_questions() {
    let ask = |seed| Questions::new(seed, &restricted(true)).take(100).collect::<Vec<_>>();
    assert_eq!(ask(1), ask(1));
    assert_ne!(ask(1), ask(2));
    let odd = |field: &AclField| Questions::new(1, &user()).take(500).filter(|q| q.descriptor.dacl == *field).count();
    for field in [AclField::Absent, AclField::Null, AclField::Present(Acl::default())] {
        assert!(odd(&field) > 5, "{field:?}");
    }
}

fn user() -> Token {
    Token::plain(USER, &[Sid::EVERYONE, Sid::USERS, Sid::AUTHENTICATED_USERS])
}

fn restricted(writes_only: bool) -> Token {
    let how = Restriction {
        restricting: &[CAPABILITY],
        write_restricted: writes_only,
        remove: Removal::AllButChangeNotify,
        ..Restriction::NONE
    };
    user().restricted(&how).unwrap()
}

const GRANTED: bool = true;
const DENIED: bool = false;

/// The cases: the document, what it shows, who, SDDL, rights, granted or not. What is granted is what was asked for.
fn computed() -> Vec<Case> {
    const MASKS: &str = "MS-DTYP 2.5.3.2";
    const ACCESS: &str = "Microsoft Learn, How DACLs Control Access to an Object";
    const LABELS: &str = "MS-DTYP 2.5.3.3";
    const RESTRICTED: &str = "Microsoft Learn, Restricted Tokens";
    const PACKAGES: &str = "Microsoft Learn, AppContainer isolation";
    const OWNERS: &str = "Microsoft Learn, Well-known SIDs, Owner Rights";
    let read = AccessMask::GENERIC_READ;
    let write = AccessMask::GENERIC_WRITE;
    let delete_child = AccessMask::FILE_DELETE_CHILD;
    let deny_only = {
        let mut token = user();
        token.groups.push(Group::deny_only(Sid::ADMINISTRATORS));
        token
    };
    let low = || Token { integrity: Integrity::LOW, ..user() };
    let owner_of_files = Token { privileges: user().privileges.with(Privilege::TakeOwnership), ..user() };
    let app = || user().in_container(PACKAGE, &[CAPABILITY], false);
    let less = user().in_container(PACKAGE, &[], true);
    let cases = [
        (ACCESS, "an earlier denying entry refuses", user(), "O:SYD:(D;;FR;;;BU)(A;;FA;;;WD)", read, DENIED),
        (ACCESS, "a later denying entry comes too late", user(), "O:SYD:(A;;FA;;;WD)(D;;FR;;;BU)", read, GRANTED),
        (ACCESS, "several entries grant together", user(), "O:SYD:(A;;0x100000;;;WD)(A;;0x20089;;;BU)", read, GRANTED),
        (ACCESS, "nobody grants, so it is refused", user(), "O:SYD:(A;;FR;;;WD)", write, DENIED),
        (MASKS, "a NULL DACL protects nothing", user(), "O:SYD:NO_ACCESS_CONTROL", AccessMask::GENERIC_ALL, GRANTED),
        (MASKS, "an empty DACL grants nothing", user(), "O:SYD:", read, DENIED),
        (MASKS, "an empty DACL and the owner", user(), "O:S-1-5-21-1-2-3-1001D:", AccessMask::WRITE_DAC, GRANTED),
        (MASKS, "an entry for children only has no say", user(), "O:SYD:(A;OICIIO;FA;;;WD)", read, DENIED),
        (MASKS, "the SACL needs a privilege", user(), "O:SYD:(A;;FA;;;WD)", AccessMask::ACCESS_SYSTEM_SECURITY, DENIED),
        (MASKS, "a privilege takes ownership", owner_of_files, "O:SYD:(D;;WO;;;WD)", AccessMask::WRITE_OWNER, GRANTED),
        (MASKS, "a deny-only group does not allow", deny_only.clone(), "O:SYD:(A;;FA;;;BA)", read, DENIED),
        (MASKS, "a deny-only group denies", deny_only, "O:SYD:(D;;FR;;;BA)(A;;FA;;;WD)", read, DENIED),
        (
            OWNERS,
            "OWNER RIGHTS take WRITE_DAC away",
            user(),
            "O:S-1-5-21-1-2-3-1001D:(A;;FR;;;OW)",
            AccessMask::WRITE_DAC,
            DENIED,
        ),
        (LABELS, "no write up without a label", low(), "O:SYD:(A;;FA;;;WD)", write, DENIED),
        (LABELS, "reading up without a label", low(), "O:SYD:(A;;FA;;;WD)", read, GRANTED),
        (LABELS, "no read up where the label says so", low(), "O:SYD:(A;;FA;;;WD)S:(ML;;NWNR;;;ME)", read, DENIED),
        (LABELS, "a Low label lets Low write", low(), "O:SYD:(A;;FA;;;WD)S:(ML;;NW;;;LW)", write, GRANTED),
        (RESTRICTED, "both lists must grant", restricted(false), "O:SYD:(A;;FA;;;WD)", read, DENIED),
        (
            RESTRICTED,
            "both lists grant",
            restricted(false),
            "O:SYD:(A;;FA;;;WD)(A;;FR;;;S-1-15-3-1-2-3-4-5-6-7-8)",
            read,
            GRANTED,
        ),
        (
            RESTRICTED,
            "write-restricted tokens read as their user",
            restricted(true),
            "O:SYD:(A;;FA;;;WD)",
            read,
            GRANTED,
        ),
        (
            RESTRICTED,
            "write-restricted tokens need both to write",
            restricted(true),
            "O:SYD:(A;;FA;;;WD)",
            write,
            DENIED,
        ),
        (
            RESTRICTED,
            "FILE_DELETE_CHILD is no write-type right",
            restricted(true),
            "O:SYD:(A;;FA;;;WD)",
            delete_child,
            GRANTED,
        ),
        (PACKAGES, "a package needs an entry that names it", app(), "O:SYD:(A;;FA;;;WD)", read, DENIED),
        (PACKAGES, "all packages are named", app(), "O:SYD:(A;;FA;;;WD)(A;;FR;;;AC)", read, GRANTED),
        (
            PACKAGES,
            "a capability is named",
            app(),
            "O:SYD:(A;;FA;;;WD)(A;;FR;;;S-1-15-3-1-2-3-4-5-6-7-8)",
            read,
            GRANTED,
        ),
        (PACKAGES, "less privileged ones are not all packages", less, "O:SYD:(A;;FA;;;WD)(A;;FR;;;AC)", read, DENIED),
        (PACKAGES, "a package is not let in by a NULL DACL", app(), "O:SYD:NO_ACCESS_CONTROL", read, DENIED),
    ];
    cases
        .into_iter()
        .map(|(from, name, token, sddl, desired, granted)| {
            let mapped = ObjectType::File.mapping().map(desired);
            Case {
                name: name.to_owned(),
                source: Source::Computed { from: from.to_owned() },
                token,
                descriptor: sddl::to_bytes(sddl, &Domains::default()).unwrap(),
                object: ObjectType::File,
                desired,
                expected: if granted { Expected::Granted(mapped) } else { Expected::Denied },
            }
        })
        .collect()
}
