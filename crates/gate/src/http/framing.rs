//! Where a message's body ends (RFC 9112 section 6).

use super::fields::Fields;
use super::head::Version;
use super::lex;

/// How a body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none.
    None,
    /// This many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
    /// Everything until the connection ends: responses only.
    UntilClose,
}

/// What makes a body's length ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FramingError {
    /// `Transfer-Encoding` and `Content-Length`.
    Both,
    /// Something else than exactly one `chunked`.
    Coding,
    /// `Transfer-Encoding` in HTTP/1.0.
    OldVersion,
    /// More than one `Content-Length`.
    SeveralLengths,
    /// A `Content-Length` that is not plain decimal digits.
    Length,
}

impl std::fmt::Display for FramingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            FramingError::Both => "it has both Transfer-Encoding and Content-Length",
            FramingError::Coding => "its Transfer-Encoding is something else than exactly `chunked`",
            FramingError::OldVersion => "it is HTTP/1.0 and has a Transfer-Encoding",
            FramingError::SeveralLengths => "it has more than one Content-Length",
            FramingError::Length => "its Content-Length is not a plain decimal number",
        })
    }
}

impl std::error::Error for FramingError {}

/// The framing of a request's body.
///
/// # Errors
/// Every shape of which two readers could make different lengths: the ground of request smuggling.
pub(crate) fn of_request(fields: &Fields, version: Version) -> Result<Framing, FramingError> {
    Ok(declared(fields, version)?.unwrap_or(Framing::None))
}

/// The framing of the response to `method` with this status (RFC 9112 section 6.3).
///
/// # Errors
/// As for a request: what follows an ambiguous response would be taken for the next one.
pub(crate) fn of_response(
    method: &str,
    status: u16,
    fields: &Fields,
    version: Version,
) -> Result<Framing, FramingError> {
    let declared = declared(fields, version)?;
    if method == "HEAD" || matches!(status, 100..=199 | 204 | 304) {
        return Ok(Framing::None);
    }
    Ok(declared.unwrap_or(Framing::UntilClose))
}

/// What the fields say.
fn declared(fields: &Fields, version: Version) -> Result<Option<Framing>, FramingError> {
    let mut codings = fields.all("transfer-encoding");
    let mut lengths = fields.all("content-length");
    match (codings.next(), lengths.next()) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(FramingError::Both),
        (Some(coding), None) => {
            if version == Version::Http10 {
                return Err(FramingError::OldVersion);
            }
            match codings.next() {
                None if coding.eq_ignore_ascii_case(b"chunked") => Ok(Some(Framing::Chunked)),
                _ => Err(FramingError::Coding),
            }
        }
        (None, Some(length)) => match lengths.next() {
            Some(_) => Err(FramingError::SeveralLengths),
            None => lex::decimal(length).map(|bytes| Some(Framing::Length(bytes))).ok_or(FramingError::Length),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[(&str, &str)]) -> Fields {
        let mut fields = Fields::default();
        for (name, value) in lines {
            fields.push(name, value.as_bytes());
        }
        fields
    }

    #[test]
    fn responses_without_a_body_have_none_whatever_they_declare() {
        let length = fields(&[("Content-Length", "5")]);
        for (method, status) in [("HEAD", 200), ("GET", 204), ("GET", 304), ("GET", 100), ("GET", 101)] {
            assert_eq!(of_response(method, status, &length, Version::Http11), Ok(Framing::None), "{method} {status}");
        }
        assert_eq!(of_response("GET", 200, &length, Version::Http11), Ok(Framing::Length(5)));
        assert_eq!(of_response("GET", 200, &fields(&[]), Version::Http10), Ok(Framing::UntilClose));
    }

    #[test]
    fn ambiguous_lengths_are_refused_in_both_directions() {
        let table: [(&[(&str, &str)], FramingError); 8] = [
            (&[("Content-Length", "5"), ("Transfer-Encoding", "chunked")], FramingError::Both),
            (&[("Content-Length", "5"), ("content-length", "5")], FramingError::SeveralLengths),
            (&[("Content-Length", "5, 5")], FramingError::Length),
            (&[("Content-Length", "")], FramingError::Length),
            (&[("Transfer-Encoding", "gzip, chunked")], FramingError::Coding),
            (&[("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")], FramingError::Coding),
            (&[("Transfer-Encoding", "identity")], FramingError::Coding),
            (&[("Transfer-Encoding", "chunked;q=1")], FramingError::Coding),
        ];
        for (lines, error) in table {
            assert_eq!(of_request(&fields(lines), Version::Http11), Err(error), "{lines:?}");
            assert_eq!(of_response("GET", 200, &fields(lines), Version::Http11), Err(error), "{lines:?}");
        }
        let chunked = fields(&[("Transfer-Encoding", "Chunked")]);
        assert_eq!(of_request(&chunked, Version::Http11), Ok(Framing::Chunked));
        assert_eq!(of_request(&chunked, Version::Http10), Err(FramingError::OldVersion));
    }
}
