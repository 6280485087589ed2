//! Turning host text, which may be hostile or not UTF-8, into text that is safe to print.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use serde::Serializer;
use serde::ser::SerializeSeq;

/// `text` with control characters, bidirectional overrides and bytes that are not UTF-8 escaped: safe on a terminal, in a log, on one line.
pub fn escape(text: &OsStr) -> String {
    // Nearly every text is plain, and this is called for every rule.
    if let Some(plain) = text.to_str().filter(|plain| plain.bytes().all(|byte| matches!(byte, b' '..=b'~'))) {
        return plain.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for chunk in text.as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_unsafe_to_print(c) {
                out.extend(c.escape_unicode());
            } else {
                out.push(c);
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

/// Characters that move the cursor, start an escape sequence, end a line or reorder the text around them.
fn is_unsafe_to_print(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Serialises a path as escaped text.
pub fn path_as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&escape(path.as_os_str()))
}

/// Serialises an environment as `NAME=VALUE` texts.
pub fn environment_as_text<S: Serializer>(
    environment: &[(OsString, OsString)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(environment.len()))?;
    for (name, value) in environment {
        list.serialize_element(&format!("{}={}", escape(name), escape(value)))?;
    }
    list.end()
}
