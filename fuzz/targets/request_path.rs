//! Request targets and the patterns of paths: the first line is a pattern, the second the target that is asked for.

#![no_main]

use bailiwick_fuzz::{printable, two};
use bailiwick_policy::request_pattern::{Asked, RequestPath, RequestPattern};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, second)) = two(bytes) else { return };
    path(second);
    let (methods, text) = first.split_once(' ').map_or((None, first), |(methods, path)| (Some(methods), path));
    let pattern = match RequestPattern::parse(methods, Some(text)) {
        Ok(pattern) => pattern,
        Err(error) => return printable(error),
    };
    let asked = Asked::new("GET", second);
    let allowed = pattern.allows(&asked);
    let Ok(path) = RequestPath::read(second) else {
        return assert!(!allowed || text == "/**", "a path in doubt is covered by less than every path");
    };
    let spelt = path.to_string();
    assert_eq!(pattern.allows(&Asked::new("GET", &spelt)), allowed, "`{second}` and `{spelt}` are one path");
    if methods.is_none() && !text.contains('*') {
        let same = RequestPath::read(text).is_ok_and(|own| own == path);
        assert_eq!(allowed, same, "without stars a pattern covers itself alone");
    }
});

/// What is taken for a path is read alike by a server that decodes it once.
fn path(target: &str) {
    let path = match RequestPath::read(target) {
        Ok(path) => path,
        Err(doubt) => return printable(doubt),
    };
    let text = path.to_string();
    assert_eq!(RequestPath::read(&text).as_ref(), Ok(&path), "`{text}` is another path");
    let decoded = decode(text.as_bytes());
    assert_eq!(decoded.iter().filter(|byte| **byte == b'/').count(), text.matches('/').count(), "a hidden slash");
    for segment in decoded.split(|byte| *byte == b'/') {
        assert!(segment != b"." && segment != b"..", "`{text}` leads elsewhere");
    }
    assert!(!decoded.iter().any(|byte| *byte < b' ' || *byte == b'\\' || *byte == 0x7f));
}

fn decode(mut text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some((&byte, rest)) = text.split_first() {
        let hex = (byte == b'%').then(|| std::str::from_utf8(&rest[..2]).unwrap());
        out.push(hex.map_or(byte, |hex| u8::from_str_radix(hex, 16).unwrap()));
        text = if hex.is_some() { &rest[2..] } else { rest };
    }
    out
}
