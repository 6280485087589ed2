//! Patterns.

use std::ffi::OsStr;

use proptest::prelude::*;

use super::*;

/// Whether the pattern matches exactly this path, as the search steps through it.
fn accepts(pattern: &str, path: &str) -> bool {
    let Compiled::Glob(glob) = compile(OsStr::new(pattern)).unwrap() else { panic!("{pattern} is literal") };
    let mut progress = glob.start();
    let mut accepted = false;
    for name in path.split('/') {
        (progress, accepted) = glob.step(progress, OsStr::new(name));
    }
    accepted
}

#[test]
fn patterns_match_what_they_say() {
    let table = [
        ("**/.env", ".env", true),
        ("**/.env", "a/b/.env", true),
        ("**/.env", "a/.envrc", false),
        ("**/.env", "a/x.env", false),
        ("*.pem", "k.pem", true),
        ("*.pem", ".pem", true),
        ("*.pem", "a/k.pem", false),
        ("*", "a", true),
        ("a?c*", "abcd", true),
        ("a?c*", "ac", false),
        ("[ab]x", "bx", true),
        ("[!ab]x", "bx", false),
        ("[a-c]x", "bx", true),
        ("[]]x", "]x", true),
        ("[a-]x", "-x", true),
        (r"[\]]x", "]x", true),
        ("*.ENV", "a.env", false),
        ("**", "a", true),
        ("**", "a/b/c", true),
        ("*/**/z", "a/z", true),
        ("*/**/z", "z", false),
        ("*/**/z", "a/b/c/z", true),
        ("**/**/z/", "a/z", true),
        ("*a*b*c", "xaxbxbxc", true),
        ("*a*b*c", "xaxcxb", false),
        (r"\**", "*x", true),
        (r"\**", "x", false),
    ];
    for (pattern, path, wanted) in table {
        assert_eq!(accepts(pattern, path), wanted, "{pattern} on {path}");
    }
}

#[test]
fn the_literal_start_is_taken_off() {
    let prefix = |text: &str| match compile(OsStr::new(text)).unwrap() {
        Compiled::Glob(glob) => (glob.prefix, false),
        Compiled::Literal(path) => (path, true),
    };
    assert_eq!(prefix("src/**/*.pem"), ("src".into(), false));
    assert_eq!(prefix("/etc/*.d"), ("/etc".into(), false));
    assert_eq!(prefix("/*.d"), ("/".into(), false));
    assert_eq!(prefix("~/a/[x]"), ("~/a".into(), false));
    assert_eq!(prefix("**/x"), ("".into(), false));
    assert_eq!(prefix(r"a\*b/c"), ("a*b/c".into(), true));
    assert_eq!(prefix("/a/../b"), ("/a/../b".into(), true));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let error = |text: &str| compile(OsStr::new(text)).unwrap_err();
    assert!(matches!(error("a[b"), GlobError::OpenSet(_)));
    assert!(matches!(error("[]"), GlobError::OpenSet(_)));
    assert!(matches!(error("a\\"), GlobError::LoneEscape(_)));
    assert!(matches!(error("*/../x"), GlobError::ParentAfterPattern(_)));
    assert!(matches!(error(&"*/".repeat(61)), GlobError::TooLong(_)));
}

/// Matching by trying every possibility.
fn naive(tokens: &[u8], name: &[u8]) -> bool {
    match (tokens, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=name.len()).any(|skip| naive(rest, &name[skip..])),
        ([b'?', rest @ ..], [_, after @ ..]) => naive(rest, after),
        ([wanted, rest @ ..], [byte, after @ ..]) => wanted == byte && naive(rest, after),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_component_agrees_with_trying_everything(pattern in "[ab*?]{0,7}[*?]", name in "[abc]{1,8}") {
        prop_assume!(!pattern.contains("**"));
        prop_assert_eq!(accepts(&pattern, &name), naive(pattern.as_bytes(), name.as_bytes()));
    }

    #[test]
    fn any_text_is_compiled_or_refused(text in prop::collection::vec(any::<u8>(), 0..80), name in ".{1,8}") {
        if let Ok(Compiled::Glob(glob)) = compile(&os_string(text)) {
            glob.step(glob.start(), OsStr::new(&name));
        }
    }
}
