//! The head of an HTTP/1.1 message: first line and fields (RFC 9112 sections 2 to 5).
//!
//! The reader is strict where RFC 9112 lets a recipient be lenient: every leniency is a place where two readers of the
//! same bytes may disagree, and the gate decides about what another program reads after it. What is taken is passed
//! on rewritten from the parts, never as the bytes that came.

mod error;

pub(crate) use error::HeadError;

use super::fields::Fields;
use super::lex;

/// Bytes of the largest head, first line and last empty line included.
pub(crate) const MOST_BYTES: usize = 64 * 1024;

/// Field lines of the largest head.
pub(crate) const MOST_FIELDS: usize = 256;

/// Version of a message. `HTTP/1.x` with another x is answered as 1.1 by nobody that matters, so it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// `HTTP/1.0`
    Http10,
    /// `HTTP/1.1`
    Http11,
}

/// The head of a request, its target not looked at yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestHead {
    /// The method: a token.
    pub(crate) method: String,
    /// The request target: visible ASCII, without `#`.
    pub(crate) target: String,
    /// The version.
    pub(crate) version: Version,
    /// The fields.
    pub(crate) fields: Fields,
}

/// The head of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResponseHead {
    /// The version.
    pub(crate) version: Version,
    /// The status: 100 to 599.
    pub(crate) status: u16,
    /// The reason phrase: no control bytes but tabs.
    pub(crate) reason: Vec<u8>,
    /// The fields.
    pub(crate) fields: Fields,
}

/// Looks for the end of a head in bytes that arrive bit by bit, each byte looked at once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EndFinder {
    seen: usize,
}

impl EndFinder {
    /// The length of the head with its last empty line, once it is there. `bytes` is everything since the head's first byte.
    ///
    /// # Errors
    /// A line that does not end in CR LF, a control byte that no head has, or a head that grows beyond
    /// [`MOST_BYTES`]: as soon as that is seen, however slowly the rest comes.
    pub(crate) fn find(&mut self, bytes: &[u8]) -> Result<Option<usize>, HeadError> {
        while let Some(&byte) = bytes.get(self.seen) {
            if self.seen >= MOST_BYTES {
                return Err(HeadError::TooLarge);
            }
            let before = |back: usize| self.seen.checked_sub(back).and_then(|at| bytes.get(at)).copied();
            match byte {
                b'\n' if before(1) != Some(b'\r') => return Err(HeadError::BareLineFeed),
                b'\n' => {}
                _ if before(1) == Some(b'\r') => return Err(HeadError::BareCarriageReturn),
                b'\r' => {}
                // 0x16 is what a TLS hello begins with; the one message that helps there.
                _ if !lex::is_value_byte(byte) => return Err(HeadError::control(self.seen, byte)),
                _ => {}
            }
            self.seen += 1;
            // An empty line at the very beginning is no head: what follows would be read as another message's.
            if byte == b'\n' && self.seen == 2 {
                return Err(HeadError::EmptyFirstLine);
            }
            if byte == b'\n' && before_is_line_end(bytes, self.seen) {
                return Ok(Some(self.seen));
            }
        }
        Ok(None)
    }
}

/// Do the last four of these first `end` bytes say CR LF CR LF?
fn before_is_line_end(bytes: &[u8], end: usize) -> bool {
    bytes.get(..end).is_some_and(|bytes| bytes.ends_with(b"\r\n\r\n"))
}

impl RequestHead {
    /// Reads a whole head, as [`EndFinder`] delimits it.
    ///
    /// # Errors
    /// Whatever is not exactly the syntax.
    pub(crate) fn parse(bytes: &[u8]) -> Result<RequestHead, HeadError> {
        let (first, fields) = parts(bytes)?;
        let mut words = first.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(HeadError::RequestLine);
        };
        if !lex::is_token(method) {
            return Err(HeadError::Method);
        }
        let version = parse_version(version)?;
        if target.is_empty() || !target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#') {
            return Err(HeadError::Target);
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fields = parse_fields(fields)?;
        Ok(RequestHead { method: text(method), target: text(target), version, fields })
    }
}

impl ResponseHead {
    /// Reads a whole head, as [`EndFinder`] delimits it.
    ///
    /// # Errors
    /// Whatever is not exactly the syntax; only the space after the status may be missing with an empty reason, as many
    /// servers have it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<ResponseHead, HeadError> {
        let (first, fields) = parts(bytes)?;
        let mut words = first.splitn(3, |byte| *byte == b' ');
        let (Some(version), Some(status)) = (words.next(), words.next()) else { return Err(HeadError::StatusLine) };
        let version = parse_version(version)?;
        let status = match (status.len(), lex::decimal(status)) {
            (3, Some(status @ 100..=599)) => u16::try_from(status).map_err(|_| HeadError::StatusLine)?,
            _ => return Err(HeadError::StatusLine),
        };
        let reason = words.next().unwrap_or_default().to_vec();
        Ok(ResponseHead { version, status, reason, fields: parse_fields(fields)? })
    }
}

/// The first line and the lines of the fields, without the empty line at the end.
fn parts(bytes: &[u8]) -> Result<(&[u8], &[u8]), HeadError> {
    if EndFinder::default().find(bytes)? != Some(bytes.len()) {
        return Err(HeadError::Unfinished);
    }
    let line_end = bytes.windows(2).position(|pair| pair == b"\r\n").ok_or(HeadError::Unfinished)?;
    let fields = bytes.get(line_end + 2..bytes.len().saturating_sub(2)).unwrap_or_default();
    Ok((bytes.get(..line_end).unwrap_or_default(), fields))
}

fn parse_version(text: &[u8]) -> Result<Version, HeadError> {
    match text {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        _ if text.starts_with(b"HTTP/") => Err(HeadError::Version),
        _ => Err(HeadError::RequestLine),
    }
}

/// Reads field lines, each ended by CR LF. For trailers too.
///
/// # Errors
/// A continued line, a name that is no token or is followed by a blank, more than [`MOST_FIELDS`].
pub(crate) fn parse_fields(mut lines: &[u8]) -> Result<Fields, HeadError> {
    let mut fields = Fields::default();
    while !lines.is_empty() {
        let end = lines.windows(2).position(|pair| pair == b"\r\n").ok_or(HeadError::Unfinished)?;
        let line = lines.get(..end).unwrap_or_default();
        lines = lines.get(end + 2..).unwrap_or_default();
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Err(HeadError::Folded);
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or(HeadError::FieldLine)?;
        let name = line.get(..colon).unwrap_or_default();
        if !lex::is_token(name) {
            return Err(HeadError::FieldName);
        }
        if fields.len() >= MOST_FIELDS {
            return Err(HeadError::TooManyFields);
        }
        fields.push(&String::from_utf8_lossy(name), lex::trim(line.get(colon + 1..).unwrap_or_default()));
    }
    Ok(fields)
}

/// Do these first bytes of a connection begin an HTTP/1 request? `None` while there are too few to know; 24 are enough.
///
/// A token, a space, and what a request target begins with. What other protocols say first (TLS, SSH, the greetings of
/// mail and databases) does not have this form.
pub(crate) fn looks_like_request(bytes: &[u8]) -> Option<bool> {
    const LONGEST_METHOD: usize = 16;
    let end = match bytes.iter().position(|byte| !lex::is_token_byte(*byte)) {
        None if bytes.len() > LONGEST_METHOD => return Some(false),
        None => return None,
        Some(end) => end,
    };
    if end == 0 || end > LONGEST_METHOD || bytes.get(end) != Some(&b' ') {
        return Some(false);
    }
    if bytes.starts_with(b"CONNECT ") {
        return Some(true);
    }
    match bytes.get(end + 1..).unwrap_or_default() {
        [] => None,
        [b'/' | b'*', ..] => Some(true),
        target => {
            let scheme = b"http";
            let most = target.len().min(scheme.len());
            let same = target.get(..most).is_some_and(|start| scheme.starts_with(&start.to_ascii_lowercase()));
            if same && most < scheme.len() { None } else { Some(same) }
        }
    }
}

#[cfg(test)]
mod tests;
