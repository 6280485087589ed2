//! Whether what was seen is what was expected.

/// Line by line: `...` stands for any lines, `[..]` for any text in a line.
pub(crate) fn agrees(expected: &str, seen: &str) -> bool {
    let expected: Vec<&str> = expected.lines().collect();
    let seen: Vec<&str> = seen.lines().collect();
    lines_agree(&expected, &seen)
}

fn lines_agree(expected: &[&str], seen: &[&str]) -> bool {
    match expected.split_first() {
        None => seen.is_empty(),
        Some((&"...", rest)) => (0..=seen.len()).any(|skipped| lines_agree(rest, &seen[skipped..])),
        Some((line, rest)) => {
            seen.split_first().is_some_and(|(first, others)| line_agrees(line, first) && lines_agree(rest, others))
        }
    }
}

fn line_agrees(expected: &str, seen: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected == seen,
        Some((before, after)) => seen.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|(place, _)| place)
                .chain([rest.len()])
                .any(|place| line_agrees(after, &rest[place..]))
        }),
    }
}

#[test]
fn wildcards_stand_for_what_they_say() {
    assert!(agrees("a[..]d\n...\nz", "abcd\nx\ny\nz"));
    assert!(agrees("a\n...", "a"));
    assert!(!agrees("a", "a\nb"));
    assert!(!agrees("a\nb", "a"));
    assert!(!agrees("a[..]d", "abc"));
}
