//! The password of the proxy: `Proxy-Authorization: Basic …` (RFC 7617).

use super::fields::Fields;
use crate::secret::Secret;

/// Longest credentials that are decoded.
const MOST_BYTES: usize = 1024;

/// Are these the same? The time taken tells nothing but whether the lengths are.
pub(crate) fn same_secret(offered: &[u8], secret: &[u8]) -> bool {
    let difference = secret.iter().zip(offered).fold(0, |sum, (mine, theirs)| sum | (mine ^ theirs));
    std::hint::black_box(difference) == 0 && secret.len() == offered.len()
}

/// Is there exactly one `Proxy-Authorization`, and does it say the secret?
pub(crate) fn fits(fields: &Fields, secret: &Secret) -> bool {
    let mut values = fields.all("proxy-authorization");
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Some((scheme, encoded)) = value.split_at_checked(6) else { return false };
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return false;
    }
    let Some(decoded) = decode(super::lex::trim(encoded)) else { return false };
    match decoded.iter().position(|byte| *byte == b':') {
        // A user name holds no colon, so the first one divides (RFC 7617 section 2). Both are always compared.
        Some(colon) => {
            same_secret(decoded.get(..colon).unwrap_or_default(), secret.user())
                & same_secret(decoded.get(colon + 1..).unwrap_or_default(), secret.password())
        }
        None => false,
    }
}

/// Decodes base64 (RFC 4648 section 4): padded, without anything else in it, the unused bits zero.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() || !text.len().is_multiple_of(4) || text.len() > MOST_BYTES {
        return None;
    }
    let plain = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let mut out = Vec::with_capacity(plain.len() * 3 / 4);
    for group in plain.chunks(4) {
        let mut bits: u32 = 0;
        for byte in group {
            bits = bits << 6 | u32::from(sextet(*byte)?);
        }
        let bytes = group.len().checked_sub(1)?;
        // 2 characters are 12 bits of which 8 are used, 3 are 18 of which 16 are.
        let unused = group.len() * 6 - bytes * 8;
        if bytes == 0 || bits & ((1 << unused) - 1) != 0 {
            return None;
        }
        let bits = bits >> unused;
        out.extend(bits.to_be_bytes().into_iter().skip(4 - bytes));
    }
    Some(out)
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_the_standard_has_it() {
        // The test vectors of RFC 4648 section 10.
        for (plain, encoded) in [
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(decode(encoded.as_bytes()).as_deref(), Some(plain.as_bytes()), "{encoded}");
        }
        for wrong in ["", "Zg", "Zg=", "Zh==", "Zg==Zg==", "Zm9v=", "Zm8==", "====", "Z===", "Zm9\n", "Zm-_"] {
            assert_eq!(decode(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_the_same_only_as_a_whole() {
        assert!(same_secret(b"0123", b"0123") && same_secret(b"", b""));
        for wrong in ["", "012", "01234", "0124", "1123"] {
            assert!(!same_secret(wrong.as_bytes(), b"0123"), "{wrong}");
        }
    }

    #[test]
    fn only_one_field_with_the_password_fits() {
        let secret = Secret::new("Aladdin", "open sesame");
        let field = |values: &[&str]| {
            let mut fields = Fields::default();
            values.iter().for_each(|value| fields.push("Proxy-Authorization", value.as_bytes()));
            fields
        };
        // RFC 7617 section 2: `Aladdin:open sesame`.
        let right = "basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
        assert!(fits(&field(&[right]), &secret));
        assert!(!fits(&field(&[right, right]), &secret));
        assert!(!fits(&field(&[]), &secret));
        // `Aladdin:open sesam`, `aladdin:open sesame`, `Aladdin`, and another scheme.
        for wrong in [
            "Basic",
            "Basic ",
            "Basic QWxhZGRpbjpvcGVuIHNlc2Ft",
            "Basic YWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "Basic QWxhZGRpbg==",
            "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ] {
            assert!(!fits(&field(&[wrong]), &secret), "{wrong}");
        }
    }
}
