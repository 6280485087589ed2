//! Opening files, against the rule said for each right by itself.

mod support;

use bailiwick_winsec::ntfs::{Node, NodeKind, Open, Opened, Share, open};
use bailiwick_winsec::{AccessMask, Request, SecurityDescriptor, Token, Verdict, check};
use proptest::prelude::*;
use support::shapes;

#[derive(Debug)]
struct File {
    descriptor: SecurityDescriptor,
    parent: SecurityDescriptor,
}

impl Node for File {
    fn descriptor(&self) -> &SecurityDescriptor {
        &self.descriptor
    }
    fn parent(&self) -> Option<&SecurityDescriptor> {
        Some(&self.parent)
    }
    fn kind(&self) -> NodeKind {
        NodeKind::File
    }
}

fn file() -> impl Strategy<Value = File> {
    (shapes::descriptor(), shapes::descriptor()).prop_map(|(descriptor, parent)| File { descriptor, parent })
}

/// Whether one right is to be had: of the file, or through its directory.
fn one(token: &Token, file: &File, right: AccessMask) -> Option<bool> {
    let through = match right {
        AccessMask::DELETE => Some(AccessMask::FILE_DELETE_CHILD),
        AccessMask::FILE_READ_ATTRIBUTES => Some(AccessMask::FILE_LIST_DIRECTORY),
        _ => None,
    };
    let own = check(token, &file.descriptor, Request::file(right));
    let parent = through.map_or(Verdict::Denied, |through| check(token, &file.parent, Request::file(through)));
    match own.or(parent) {
        Verdict::Granted(_) => Some(true),
        Verdict::Denied => Some(false),
        Verdict::Unknown(_) => None,
    }
}

fn opened(token: &Token, file: &File, rights: AccessMask) -> Option<bool> {
    match open(token, file, Open::rights(rights)) {
        Ok(_) => Some(true),
        Err(refusal) if refusal.is_certain() => Some(false),
        Err(_) => None,
    }
}

fn single_rights() -> impl Iterator<Item = AccessMask> {
    (0..9).chain(16..21).map(|bit| AccessMask(1 << bit))
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn each_right_by_itself_is_the_files_or_its_directorys_to_give(token in shapes::token(), file in file()) {
        for right in single_rights() {
            prop_assert_eq!(opened(&token, &file, right), one(&token, &file, right), "{}", right);
        }
    }

    #[test]
    fn a_request_gets_no_right_that_it_could_not_get_alone(
        token in shapes::token(),
        file in file(),
        rights in shapes::rights(),
    ) {
        if opened(&token, &file, rights) == Some(true) {
            let mapped = bailiwick_winsec::ObjectType::File.mapping().map(rights);
            for right in single_rights().filter(|right| mapped.contains(*right)) {
                prop_assert_eq!(one(&token, &file, right), Some(true), "{} of {}", right, rights);
            }
        }
    }

    /// For a token that is not write-restricted, what can be had one by one can be had together.
    #[test]
    fn rights_that_can_be_had_alone_can_be_had_together(token in shapes::token(), file in file(), rights in shapes::rights()) {
        let all_or_nothing = token.restricting.as_ref().is_some_and(|list| list.writes_only);
        let mapped = bailiwick_winsec::ObjectType::File.mapping().map(rights);
        let alone = single_rights().filter(|right| mapped.contains(*right)).all(|right| one(&token, &file, right) == Some(true));
        if alone && !all_or_nothing {
            prop_assert_eq!(opened(&token, &file, rights), Some(true), "{}", rights);
        }
    }

    #[test]
    fn sharing_is_mutual(one in shapes::rights(), two in shapes::rights(), bits in 0u8..64) {
        let bit = |n: u8| bits & (1 << n) != 0;
        let one = Opened { granted: one, share: Share { read: bit(0), write: bit(1), delete: bit(2) } };
        let two = Opened { granted: two, share: Share { read: bit(3), write: bit(4), delete: bit(5) } };
        prop_assert_eq!(one.is_compatible(&two), two.is_compatible(&one));
    }
}
