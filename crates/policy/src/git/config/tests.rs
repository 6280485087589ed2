//! The configuration parser.

use super::*;

fn hooks(text: &str) -> Vec<String> {
    parse(text.as_bytes()).hooks.into_iter().map(|value| String::from_utf8(value).unwrap()).collect()
}

#[test]
fn values_are_read_as_git_reads_them() {
    let table = [
        ("[core]\n\thooksPath = .githooks\n", ".githooks"),
        ("[CORE]\nHOOKSPATH=.githooks # why", ".githooks"),
        ("[core] hooksPath = \"a b;c\" ; x", "a b;c"),
        ("[core]\nhooksPath = a\\\n b", "a b"),
        ("[core]\nhooksPath = \"a\\\"b\\\\\"", "a\"b\\"),
        ("[core]\nhooksPath = a \"b \"  ", "a b "),
        ("[core]\r\nhooksPath = x\r\n", "x"),
        ("[user \"core]\"]\nname = x\n[core]\nhooksPath = y", "y"),
    ];
    for (text, wanted) in table {
        assert_eq!(hooks(text), [wanted], "{text:?}");
    }
    for text in ["[user]\nhooksPath = x", "# [core]\n[x]\nhooksPath = y", "[core]\nhooksPath", "hooksPath = x"] {
        assert!(hooks(text).is_empty(), "{text:?}");
    }
}

#[test]
fn includes_with_and_without_condition_are_found() {
    let pointers =
        parse(b"[include]\npath = ../a\n[includeIf \"gitdir:~/w/\"]\npath = b\n[core]\nworktree = ../../x\n");
    assert_eq!(pointers.includes, [b"../a".to_vec(), b"b".to_vec()]);
    assert_eq!(pointers.worktree, Some(b"../../x".to_vec()));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read(text in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        parse(&text);
    }
}
