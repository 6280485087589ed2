//! Lines of fields: what the journal and the messages to the runner are made of.
//!
//! A line is fields joined by tabs. In a field everything but letters, digits and a few harmless characters stands as `%` and
//! two digits for each byte, so no field can hold a tab, a line end or the mark that ends a record of the journal.

use bailiwick_winsec::Sid;

use crate::path::WindowsPath;

/// One field as text.
pub(super) fn quote(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b':' | b'\\' | b' ' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("%{byte:02x}")),
        }
    }
    text
}

/// The bytes of a field; `None` if it is none.
pub(super) fn unquote(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok().filter(|text| !text.starts_with('+'))?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
            }
            byte => bytes.push(byte),
        }
    }
    Some(bytes)
}

/// A field that is text.
pub(super) fn text(field: &str) -> Option<String> {
    String::from_utf8(unquote(field)?).ok()
}

/// A field that is a path.
pub(super) fn path(field: &str) -> Option<WindowsPath> {
    WindowsPath::parse(&text(field)?).ok()
}

/// A field that is a list of SIDs.
pub(super) fn sids(field: &str) -> Option<Vec<Sid>> {
    field.split(' ').filter(|text| !text.is_empty()).map(|text| text.parse().ok()).collect()
}

/// SIDs as a field.
pub(super) fn from_sids(sids: &[Sid]) -> String {
    sids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_field_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let quoted = quote(&bytes);
            prop_assert!(!quoted.contains(['\t', '\n', '.']));
            prop_assert_eq!(unquote(&quoted), Some(bytes));
        }

        #[test]
        fn nothing_that_is_read_panics(text in "[%0-9a-g+ä-]{0,12}") {
            let _ = unquote(&text);
            let _ = sids(&text);
            let _ = path(&text);
        }
    }
}
