//! Patterns of `deny` and `protect`: `**`, `*`, `?`, `[abc]`, `\`.
//!
//! Matching is by bytes and case-sensitive, as names on Linux are. `*`, `?` and `[…]` match within one component, a
//! leading dot included; `**` alone between separators matches any number of directories, none included, and at the
//! end everything below.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use crate::text::escape;

/// The most components of a pattern: the states of a match are one bit each.
const MOST_SEGMENTS: usize = 60;

/// A text of `deny` or `protect` after compiling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Compiled {
    /// No pattern character in it: a plain path, with the escapes taken away.
    Literal(PathBuf),
    /// A pattern.
    Glob(Glob),
}

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    /// The components before the first one with a pattern character; empty if that is the first.
    pub(crate) prefix: PathBuf,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// `**`
    AnyDepth,
    /// Anything else.
    Name(Vec<Token>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// `?`
    One,
    /// `*`
    Many,
    /// `[…]`: inclusive ranges, and whether they are negated.
    Set(Vec<(u8, u8)>, bool),
}

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GlobError {
    /// A `[` without its `]`.
    OpenSet(OsString),
    /// A `\` at the end.
    LoneEscape(OsString),
    /// `..` after a pattern character: what it means depends on what is found.
    ParentAfterPattern(OsString),
    /// More than 60 components.
    TooLong(OsString),
}

impl fmt::Display for GlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, why) = match self {
            GlobError::OpenSet(text) => (text, "`[` has no `]`; write `\\[` for the character itself"),
            GlobError::LoneEscape(text) => (text, "`\\` stands at the end; write `\\\\` for the character itself"),
            GlobError::ParentAfterPattern(text) => (text, "`..` cannot follow a pattern character"),
            GlobError::TooLong(text) => (text, "it has more than 60 components"),
        };
        write!(f, "the pattern `{}` cannot be used: {why}", escape(text))
    }
}

impl std::error::Error for GlobError {}

/// How far a pattern has matched: one bit for each segment that may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress(u64);

impl Progress {
    /// Nothing below can match any more.
    pub(crate) const DEAD: Progress = Progress(0);

    /// Whether something below may still match.
    pub(crate) fn is_alive(self) -> bool {
        self.0 != 0
    }
}

/// Compiles the text of a rule.
pub(crate) fn compile(text: &OsStr) -> Result<Compiled, GlobError> {
    let bytes = text.as_encoded_bytes();
    let mut prefix: Vec<u8> = Vec::new();
    let mut segments = Vec::new();
    for (index, part) in bytes.split(|byte| *byte == b'/').enumerate() {
        let tokens = tokens(part, text)?;
        let literal: Option<Vec<u8>> =
            tokens.iter().map(|token| if let Token::Byte(byte) = token { Some(*byte) } else { None }).collect();
        match literal {
            Some(name) if segments.is_empty() => {
                if index > 0 {
                    prefix.push(b'/');
                }
                prefix.extend(name);
            }
            Some(name) if name == b".." => return Err(GlobError::ParentAfterPattern(text.to_os_string())),
            Some(name) if name.is_empty() || name == b"." => {}
            _ if part == b"**" => {
                if segments.last() != Some(&Segment::AnyDepth) {
                    segments.push(Segment::AnyDepth);
                }
            }
            _ => segments.push(Segment::Name(tokens)),
        }
    }
    if segments.len() > MOST_SEGMENTS {
        return Err(GlobError::TooLong(text.to_os_string()));
    }
    if prefix.is_empty() && bytes.first() == Some(&b'/') {
        prefix.push(b'/');
    }
    let prefix = PathBuf::from(os_string(prefix));
    Ok(if segments.is_empty() { Compiled::Literal(prefix) } else { Compiled::Glob(Glob { prefix, segments }) })
}

impl Glob {
    /// Before any component below the prefix.
    pub(crate) fn start(&self) -> Progress {
        self.close(1)
    }

    /// After the component `name`: what may match below it, and whether `name` itself is a match.
    pub(crate) fn step(&self, from: Progress, name: &OsStr) -> (Progress, bool) {
        let name = name.as_encoded_bytes();
        let last = self.segments.len().saturating_sub(1);
        let mut next = 0u64;
        let mut accepted = false;
        for (index, segment) in self.segments.iter().enumerate() {
            if from.0 & (1 << index) == 0 {
                continue;
            }
            match segment {
                Segment::AnyDepth => {
                    next |= 1 << index;
                    accepted |= index == last;
                }
                Segment::Name(tokens) if matches(tokens, name) => {
                    if index == last {
                        accepted = true;
                    } else {
                        next |= 1 << (index + 1);
                    }
                }
                Segment::Name(_) => {}
            }
        }
        (self.close(next), accepted)
    }

    /// `**` in the middle may match no directory at all, so the segment after it may come next as well.
    fn close(&self, states: u64) -> Progress {
        let mut states = states;
        let last = self.segments.len().saturating_sub(1);
        for (index, segment) in self.segments.iter().enumerate() {
            if *segment == Segment::AnyDepth && index < last && states & (1 << index) != 0 {
                states |= 1 << (index + 1);
            }
        }
        Progress(states)
    }
}

/// The tokens of one component.
fn tokens(part: &[u8], text: &OsStr) -> Result<Vec<Token>, GlobError> {
    let mut tokens = Vec::with_capacity(part.len());
    let mut rest = part;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'\\' => {
                let (escaped, after) = rest.split_first().ok_or_else(|| GlobError::LoneEscape(text.to_os_string()))?;
                tokens.push(Token::Byte(*escaped));
                rest = after;
            }
            b'?' => tokens.push(Token::One),
            b'*' if tokens.last() == Some(&Token::Many) => {}
            b'*' => tokens.push(Token::Many),
            b'[' => {
                let (set, after) = set(rest).ok_or_else(|| GlobError::OpenSet(text.to_os_string()))?;
                tokens.push(set);
                rest = after;
            }
            byte => tokens.push(Token::Byte(*byte)),
        }
    }
    Ok(tokens)
}

/// The inside of `[…]` and what follows it; `None` if it is not closed.
fn set(rest: &[u8]) -> Option<(Token, &[u8])> {
    let (negated, mut rest) = match rest.split_first() {
        Some((b'!' | b'^', after)) => (true, after),
        _ => (false, rest),
    };
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    loop {
        let (first, after) = rest.split_first()?;
        rest = after;
        let low = match first {
            // A `]` in the first place is the character.
            b']' if !ranges.is_empty() => return Some((Token::Set(ranges, negated), rest)),
            b'\\' => {
                let (escaped, after) = rest.split_first()?;
                rest = after;
                *escaped
            }
            byte => *byte,
        };
        match rest {
            [b'-', high, after @ ..] if *high != b']' => {
                ranges.push((low, *high));
                rest = after;
            }
            _ => ranges.push((low, low)),
        }
    }
}

/// Whether the tokens match the whole name. Linear but for going back to the last `*`.
fn matches(tokens: &[Token], name: &[u8]) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (tokens.get(token), name.get(at)) {
            (None, None) => return true,
            (Some(Token::Many), _) => {
                retry = Some((token + 1, at));
                token += 1;
                continue;
            }
            (Some(wanted), Some(byte)) if matches_byte(wanted, *byte) => {
                token += 1;
                at += 1;
                continue;
            }
            _ => {}
        }
        match retry {
            Some((after, from)) if from < name.len() => {
                retry = Some((after, from + 1));
                token = after;
                at = from + 1;
            }
            _ => return false,
        }
    }
}

fn matches_byte(token: &Token, byte: u8) -> bool {
    match token {
        Token::Byte(wanted) => *wanted == byte,
        Token::One | Token::Many => true,
        Token::Set(ranges, negated) => ranges.iter().any(|(low, high)| (*low..=*high).contains(&byte)) != *negated,
    }
}

/// Bytes taken from an `OsStr`, put back together.
#[cfg(unix)]
pub(crate) fn os_string(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

/// Bytes taken from an `OsStr`, put back together; what is not UTF-8 cannot come from a policy file here.
#[cfg(not(unix))]
pub(crate) fn os_string(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests;
