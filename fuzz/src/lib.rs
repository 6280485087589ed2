//! What the fuzz targets share.

use std::fmt::Display;

/// Asserts that a message may go to a terminal: whatever was quoted in it has been escaped. Several lines are fine.
pub fn printable(message: impl Display) {
    let text = message.to_string();
    let unsafe_to_print =
        |c: &char| (c.is_control() && *c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if let Some(c) = text.chars().find(unsafe_to_print) {
        panic!("{c:?} would reach a terminal in {text:?}");
    }
}

/// The input as text, and its first line apart from the rest: for parsers of two texts.
pub fn two(bytes: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(text.split_once('\n').unwrap_or((text, "")))
}
