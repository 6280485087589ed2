//! Spellings and refusals.

use proptest::prelude::*;

use super::*;

const GUID: &str = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";

fn parse(text: &str) -> Result<String, Refusal> {
    WindowsPath::parse(text).map(|path| path.to_string()).map_err(|error| error.refusal)
}

#[test]
fn every_spelling_of_a_place_is_one_path() {
    for text in [
        r"C:\Work\src",
        r"c:\work\SRC",
        "C:/Work/src",
        r"C:\\Work\/src\",
        r"C:\.\Work\x\..\src\.",
        r"\\?\C:\Work\src",
        r"\??\C:\Work\src",
        r"\\.\C:\Work\src",
        r"//?/C:/Work/src",
        r"//./c:/Work/x/../src/",
    ] {
        assert_eq!(WindowsPath::parse(text), WindowsPath::parse(r"C:\Work\src"), "{text}");
    }
    assert_eq!(parse("c:/"), Ok(r"C:\".to_owned()));
}

#[test]
fn what_is_not_certain_is_refused_with_its_reason() {
    let device = |name: &str| Refusal::DeviceName(name.to_owned());
    let short = |name: &str| Refusal::ShortName(name.to_owned());
    let table = [
        ("", Refusal::Empty),
        ("a\\b", Refusal::Relative),
        ("..", Refusal::Parent),
        (r"\a", Refusal::Rooted),
        ("C:", Refusal::DriveRelative),
        ("C:a", Refusal::DriveRelative),
        (r"\\server\share\x", Refusal::Network),
        (r"//localhost/C$/x", Refusal::Network),
        (r"\\?\UNC\localhost\C$\x", Refusal::Network),
        (r"\\.\unc\localhost\C$\x", Refusal::Network),
        (r"\\?\GLOBALROOT\Device\HarddiskVolume3\x", Refusal::GlobalRoot),
        (r"\??\GlobalRoot\x", Refusal::GlobalRoot),
        (r"\\.\PhysicalDrive0", Refusal::Device),
        (r"\\.\pipe\x", Refusal::Device),
        (r"\\.\C:", Refusal::Device),
        (r"\\?\C:", Refusal::Device),
        (r"\\?\Volume{3f2504e0-4f89-11d3-9a0c-0305e82c3301}\x", Refusal::UnknownVolume),
        (r"\\?\Volume{xyz}\x", Refusal::Device),
        (r"C:\a\NUL", device("NUL")),
        (r"C:\a\nul.txt", device("nul.txt")),
        (r"C:\a\con", device("con")),
        (r"C:\a\Com1 .log", device("Com1 .log")),
        ("C:\\a\\LPT\u{b2}", device("LPT\u{b2}")),
        (r"C:\a\CONIN$", device("CONIN$")),
        (r"C:\nul:x", device("nul:x")),
        (r"C:\..\a", Refusal::Parent),
        (r"\\?\C:\a\..\b", Refusal::Parent),
        (r"\\?\C:\a/b", Refusal::VerbatimSeparator),
        (r"\\?\C:\a\\b", Refusal::VerbatimSeparator),
        (r"C:\a|b", Refusal::Forbidden('|')),
        (r"C:\a\*", Refusal::Forbidden('*')),
        ("C:\\a\u{7}", Refusal::Control),
        (r"C:\f.txt:x", Refusal::Stream),
        (r"C:\f.txt::$DATA", Refusal::Stream),
        (r"C:\dir::$INDEX_ALLOCATION", Refusal::Stream),
        (r"C:\dir:$I30:$INDEX_ALLOCATION\f", Refusal::Stream),
        (r"C:\a.", Refusal::TrailingDotOrSpace),
        (r"C:\a \b", Refusal::TrailingDotOrSpace),
        (r"C:\...", Refusal::TrailingDotOrSpace),
        (r"\\?\C:\a.", Refusal::TrailingDotOrSpace),
        (r"C:\PROGRA~1\x", short("PROGRA~1")),
        (r"C:\a\report~2.doc", Refusal::TooLong),
    ];
    for (text, refusal) in table {
        let refusal = if text.ends_with("report~2.doc") { short("report~2.doc") } else { refusal };
        assert_eq!(parse(text), Err(refusal), "{text}");
    }
    assert_eq!(parse(&format!(r"C:\{}", "a".repeat(256))), Err(Refusal::NameTooLong));
    assert_eq!(parse(&format!(r"C:\{}", r"a\".repeat(20_000))), Err(Refusal::TooLong));
    let surrogate = [u16::from(b'C'), u16::from(b':'), u16::from(b'\\'), 0xd800];
    let refused = Known::nothing().parse_utf16(&surrogate).map_err(|error| error.refusal);
    assert_eq!(refused, Err(Refusal::LoneSurrogate));
}

#[test]
fn names_that_only_resemble_devices_and_short_names_are_names() {
    for text in [
        r"C:\console",
        r"C:\COM",
        r"C:\COM10",
        r"C:\nulls.txt",
        r"C:\a~b",
        r"C:\backup~20240101",
        r"C:\~1",
        r"C:\a~1.json",
    ] {
        assert_eq!(parse(text), Ok(text.to_owned()));
    }
}

#[test]
fn a_host_explains_volumes_and_short_names() {
    let program_files =
        ShortName { directory: WindowsPath::root('C'), short: "PROGRA~1".to_owned(), long: "Program Files".to_owned() };
    let base = WindowsPath::parse(r"C:\work").unwrap();
    let volumes = [(GUID.to_owned(), Some('C')), (GUID.replace('3', "4"), None)];
    let known = Known { base: Some(&base), volumes: &volumes, short_names: &[program_files] };
    let read = |text: &str| known.parse(text).map(|path| path.to_string()).map_err(|error| error.refusal);
    assert_eq!(read(r"C:\progra~1\Git"), Ok(r"C:\Program Files\Git".to_owned()));
    assert_eq!(read(r"D:\progra~1\Git"), Err(Refusal::ShortName("progra~1".to_owned())));
    assert_eq!(read(&format!(r"\\?\volume{{{}}}\a", GUID.to_uppercase())), Ok(r"C:\a".to_owned()));
    let other = GUID.replace('3', "4");
    assert_eq!(read(&format!(r"\\?\Volume{{{other}}}\a")), Ok(format!(r"\\?\Volume{{{other}}}\a")));
    assert_eq!(read(r"src\lib.rs"), Ok(r"C:\work\src\lib.rs".to_owned()));
    assert_eq!(read(r"..\other"), Ok(r"C:\other".to_owned()));
    assert_eq!(read(r"\x"), Ok(r"C:\x".to_owned()));
    assert_eq!(read("C:x"), Err(Refusal::DriveRelative));
    assert!(base.join(r"D:\x").is_err() && base.join(r"\x").is_err());
}

#[test]
fn covering_is_by_whole_names_and_without_case() {
    let path = |text: &str| WindowsPath::parse(text).unwrap();
    assert!(path(r"C:\Work").covers(&path(r"c:\work\x")));
    assert!(path(r"C:\").covers(&path(r"c:\work")));
    assert!(!path(r"C:\Work").covers(&path(r"C:\Works")));
    assert!(!path(r"C:\Work").covers_strictly(&path(r"C:\WORK")));
    assert!(!path(r"C:\Work").covers(&path(r"D:\Work\x")));
    let above: Vec<String> = path(r"C:\a\b").ancestors().map(|path| path.to_string()).collect();
    assert_eq!(above, [r"C:\a", r"C:\"]);
    assert!(path(&format!(r"C:\{}", r"abcdefghi\".repeat(26))).exceeds_max_path());
    assert!(!path(r"C:\a").exceeds_max_path());
}

/// A name that is certain.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9_.+ -]{0,6}[a-zA-Z0-9_]",
        "[äöüÄÖÜßéЖжλΛ語]{1,4}",
        Just(".git".to_owned()),
        Just("Program Files (x86)".to_owned()),
    ]
    .prop_filter("no device", |name| names::check(name).is_ok())
}

/// One spelling of a place, chosen by numbers.
fn spell(letter: char, names: &[String], choices: &[u8]) -> String {
    let choice = |index: usize| choices.get(index % choices.len().max(1)).copied().unwrap_or(0);
    let start = choice(0) % 6;
    let letter = if choice(1) % 2 == 0 { letter.to_ascii_lowercase() } else { letter };
    let (prefix, verbatim) = match start {
        0 | 1 => ("", false),
        2 => (r"\\?\", true),
        3 => (r"\??\", true),
        4 => (r"\\.\", false),
        _ => ("//?/", false),
    };
    let mut text = format!("{prefix}{letter}:\\");
    for (index, name) in names.iter().enumerate() {
        let choice = choice(index + 2);
        if !verbatim && choice % 5 == 1 {
            text.push_str(r".\");
        }
        if !verbatim && choice % 7 == 2 {
            text.push_str(r"gone\..\");
        }
        let flipped: String = name.chars().map(|c| if choice % 2 == 0 { fold::fold_char(c) } else { c }).collect();
        text.push_str(&flipped);
        if index + 1 < names.len() {
            text.push_str(match choice % 3 {
                _ if verbatim => "\\",
                0 => "/",
                1 => "\\",
                _ => "\\/",
            });
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn spellings_of_one_place_are_one_path(
        names in prop::collection::vec(name(), 0..5),
        first in prop::collection::vec(any::<u8>(), 8),
        second in prop::collection::vec(any::<u8>(), 8),
    ) {
        let a = WindowsPath::parse(&spell('D', &names, &first)).unwrap();
        let b = WindowsPath::parse(&spell('D', &names, &second)).unwrap();
        prop_assert_eq!(&a, &b);
        prop_assert_eq!(a.key(), b.key());
    }

    #[test]
    fn different_places_are_different_paths(
        a in prop::collection::vec(name(), 0..4), b in prop::collection::vec(name(), 0..4),
        first in prop::collection::vec(any::<u8>(), 8), second in prop::collection::vec(any::<u8>(), 8),
    ) {
        let is_same = a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| fold::fold(a) == fold::fold(b));
        let a = WindowsPath::parse(&spell('D', &a, &first)).unwrap();
        let b = WindowsPath::parse(&spell('D', &b, &second)).unwrap();
        prop_assert_eq!(a == b, is_same);
        prop_assert_eq!(a.key() == b.key(), is_same);
    }

    #[test]
    fn what_is_printed_parses_to_itself(text in "(\\\\\\\\[?.]\\\\)?[cC]:[/\\\\][a-zA-Z0-9 .~:äÄ/\\\\]{0,24}") {
        if let Ok(path) = WindowsPath::parse(&text) {
            prop_assert_eq!(WindowsPath::parse(&path.to_string()).unwrap(), path.clone());
            prop_assert_eq!(WindowsPath::parse(&path.verbatim()).unwrap(), path);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), units in prop::collection::vec(any::<u16>(), 0..40)) {
        let _ = WindowsPath::parse(&text);
        let _ = Known::nothing().parse_utf16(&units);
        let _ = WindowsPath::root('C').join(&text);
    }
}
