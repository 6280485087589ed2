//! The path of a request in the one spelling that every server reads alike.

use std::fmt;

/// A path that starts with `/`, has no empty segment but perhaps the last, no `.` and `..`, and no character that servers
/// decode differently. Letters, digits, `-`, `_`, `~` stand for themselves, everything encoded is upper-case hexadecimal
/// (RFC 3986, 6.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath(String);

/// Why a path could be read in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathDoubt {
    /// It does not start with `/`.
    NoSlash,
    /// `//`.
    EmptySegment,
    /// `.`, `..`, or dots with encoded spaces.
    DotSegment,
    /// `\`, `;`, a space, a letter outside ASCII, or another character that a path holds only encoded.
    Character(char),
    /// `%` without two hexadecimal digits.
    LonePercent,
    /// An encoded dot, slash, backslash, percent sign, semicolon, question mark, number sign or control character.
    Encoded(u8),
    /// Encoded bytes that are not UTF-8.
    NotUtf8,
}

impl RequestPath {
    /// Reads the path of a request target; what follows a `?` is left off.
    ///
    /// # Errors
    /// Whatever one server reads so and another otherwise.
    pub fn read(target: &str) -> Result<RequestPath, PathDoubt> {
        let text = target.split_once('?').map_or(target, |(path, _)| path);
        if !text.starts_with('/') {
            return Err(PathDoubt::NoSlash);
        }
        let path = RequestPath(decode(text)?);
        if path.0.contains("//") {
            return Err(PathDoubt::EmptySegment);
        }
        // Windows drops spaces at the end of a name.
        let is_dots =
            |segment: &str| segment.starts_with('.') && segment.replace("%20", "").bytes().all(|byte| byte == b'.');
        if path.segments().any(is_dots) {
            return Err(PathDoubt::DotSegment);
        }
        Ok(path)
    }

    /// What stands between the slashes, after the first one: one empty text for `/`.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.strip_prefix('/').unwrap_or(&self.0).split('/')
    }
}

impl fmt::Display for RequestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Takes the encoding off where it makes no difference, and spells what stays encoded in one way.
fn decode(text: &str) -> Result<String, PathDoubt> {
    let mut out = String::with_capacity(text.len());
    // The bytes that the encoding stands for, to see whether they are text.
    let mut meant: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            if !is_path_character(c) {
                return Err(PathDoubt::Character(c));
            }
            out.push(c);
            meant.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let mut digit = || rest.next().and_then(|c| c.to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(PathDoubt::LonePercent) };
        let byte = high << 4 | low;
        match byte {
            b'.' | b'/' | b'\\' | b'%' | b';' | b'?' | b'#' | 0..=0x1f | 0x7f => return Err(PathDoubt::Encoded(byte)),
            byte if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
        meant.push(byte);
    }
    match std::str::from_utf8(&meant) {
        Ok(_) => Ok(out),
        // Overlong forms of `.` and `/` among them.
        Err(_) => Err(PathDoubt::NotUtf8),
    }
}

/// What a path holds unencoded (RFC 3986, 3.3), less `;`, after which some servers ignore the rest of the segment.
fn is_path_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,=:@/".contains(c)
}

impl fmt::Display for PathDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSlash => f.write_str("it does not start with `/`"),
            Self::EmptySegment => f.write_str("servers read `//` in different ways"),
            Self::DotSegment => f.write_str("servers read `.` and `..` between slashes in different ways"),
            Self::Character(c) => {
                write!(f, "`{}` is not a character of paths that all servers read alike", c.escape_default())
            }
            Self::LonePercent => f.write_str("a `%` is not followed by two hexadecimal digits"),
            Self::Encoded(byte) => write!(f, "servers read the encoded character `%{byte:02X}` in different ways"),
            Self::NotUtf8 => f.write_str("its encoded characters are not UTF-8"),
        }
    }
}

impl std::error::Error for PathDoubt {}
