//! The smallest pieces of HTTP/1.1 syntax (RFC 9110 section 5.6, RFC 9112 section 2).

/// Is this a `tchar`: a byte of a method or a field name (RFC 9110 section 5.6.2)?
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Is the text a token: not empty, and made of `tchar`s only?
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_token_byte)
}

/// May this byte stand in a field value? Visible characters, space, tab, and bytes beyond ASCII, which are passed on unread
/// (RFC 9110 section 5.5). No control byte: some readers end a line at a lone CR, or a text at a NUL.
pub(crate) fn is_value_byte(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// `text` without the spaces and tabs around it (RFC 9110 section 5.6.3).
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().position(|byte| !blank(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    text.get(start..end).unwrap_or_default()
}

/// The members of a comma-separated list, trimmed, empty ones left out (RFC 9110 section 5.6.1).
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim).filter(|member| !member.is_empty())
}

/// A number in decimal digits, as `Content-Length` has it: no sign, no space, no leading zero, at most 18 digits, so that no
/// two readers can take it for different numbers.
pub(crate) fn decimal(text: &[u8]) -> Option<u64> {
    let plain = !text.is_empty() && text.len() <= 18 && text.iter().all(u8::is_ascii_digit);
    if !plain || (text.len() > 1 && text.starts_with(b"0")) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_plain_decimal_digits() {
        assert_eq!(decimal(b"0"), Some(0));
        assert_eq!(decimal(b"1048576"), Some(1_048_576));
        assert_eq!(decimal(b"999999999999999999"), Some(999_999_999_999_999_999));
        for wrong in ["", "+1", "-1", " 1", "1 ", "01", "00", "0x10", "1e3", "1,1", "1000000000000000000", "\u{661}"] {
            assert_eq!(decimal(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn lists_are_split_at_commas_and_trimmed() {
        let members: Vec<_> = list(b" close ,\tupgrade,, ").collect();
        assert_eq!(members, [b"close".as_slice(), b"upgrade"]);
        assert_eq!(trim(b" \t "), b"");
    }
}
