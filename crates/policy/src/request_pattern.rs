//! Which requests of a host are allowed: methods, and paths with `*` and `**`.
//!
//! A pattern only ever allows, so the danger is a path that bailiwick takes for one below an allowed directory and the
//! server for another. [`RequestPath`] therefore refuses whatever servers are known to read in two ways.

mod path;

use std::fmt;

use serde::{Serialize, Serializer};

pub use path::{PathDoubt, RequestPath};

/// Most bytes of the path of a pattern.
const LONGEST: usize = 1024;

/// Methods and paths of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPattern {
    /// In upper case, in the order written; empty means every method.
    methods: Vec<String>,
    /// `None` means every path.
    path: Option<PathPattern>,
}

/// A request as a rule looks at it.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The method as sent: methods are case-sensitive (RFC 9110, 9.1).
    pub method: &'a str,
    /// The path, if it can be read in one way only.
    pub path: Result<RequestPath, PathDoubt>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct PathPattern {
    /// Normal spelling, for people.
    text: String,
    /// What stands between the slashes, after the first one.
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// `**`: any number of segments.
    AnyDepth,
    /// Anything else; `*` stands for any text without a slash.
    Text(String),
}

/// Why a text is no pattern of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestPatternError {
    /// A method that is not upper-case letters and hyphens.
    Method(String),
    /// `CONNECT`, which asks a proxy for a connection and is no request to a host.
    Connect,
    /// A `?` or `#`.
    Query,
    /// A path that servers read in different ways.
    Path(PathDoubt),
    /// `**` beside other characters.
    Stars,
    /// A path of more than 1024 bytes.
    Long,
}

impl RequestPattern {
    /// Reads the methods (`GET`, `GET,HEAD`; `None` for every method) and the path (from its first slash; `None` for every path).
    ///
    /// # Errors
    /// See [`RequestPatternError`].
    pub fn parse(methods: Option<&str>, path: Option<&str>) -> Result<RequestPattern, RequestPatternError> {
        let methods = methods.map(read_methods).transpose()?.unwrap_or_default();
        Ok(RequestPattern { methods, path: path.map(PathPattern::parse).transpose()? })
    }

    /// Does the pattern cover this request?
    ///
    /// A path in doubt is covered only where every path is.
    pub fn allows(&self, asked: &Asked<'_>) -> bool {
        let method = self.methods.is_empty() || self.methods.iter().any(|method| method == asked.method);
        method && self.path.as_ref().is_none_or(|pattern| pattern.covers(&asked.path))
    }

    /// Whether the methods alone would fit, and only a doubt about the path is in the way.
    pub(crate) fn is_in_doubt(&self, asked: &Asked<'_>) -> bool {
        let method = self.methods.is_empty() || self.methods.iter().any(|method| method == asked.method);
        method && asked.path.is_err() && !self.allows(asked)
    }

    /// The pattern around the host and port, as a person writes it: `GET,HEAD example.org/v1/**`.
    pub(crate) fn around(&self, host: &str) -> String {
        let methods = self.methods.join(",");
        let space = if methods.is_empty() { "" } else { " " };
        format!("{methods}{space}{host}{}", self.path.as_ref().map_or("", |path| &path.text))
    }
}

impl<'a> Asked<'a> {
    /// A request by its method and its target as sent, query included (which takes no part).
    pub fn new(method: &'a str, target: &str) -> Asked<'a> {
        Asked { method, path: RequestPath::read(target) }
    }
}

impl PathPattern {
    fn parse(text: &str) -> Result<PathPattern, RequestPatternError> {
        if text.len() > LONGEST {
            return Err(RequestPatternError::Long);
        }
        if text.contains(['?', '#']) {
            return Err(RequestPatternError::Query);
        }
        let path = RequestPath::read(text).map_err(RequestPatternError::Path)?;
        let segments = path.segments().map(|segment| match segment {
            "**" => Ok(Segment::AnyDepth),
            text if text.contains("**") => Err(RequestPatternError::Stars),
            text => Ok(Segment::Text(text.to_owned())),
        });
        Ok(PathPattern { segments: segments.collect::<Result<_, _>>()?, text: path.to_string() })
    }

    fn covers(&self, path: &Result<RequestPath, PathDoubt>) -> bool {
        match (self.segments.as_slice(), path) {
            // Every path, however it is read.
            ([Segment::AnyDepth], _) => true,
            (_, Err(_)) => false,
            (pattern, Ok(path)) => {
                let segments: Vec<&str> = path.segments().collect();
                covers_segments(pattern, &segments)
            }
        }
    }
}

/// `**` in the middle stands for any number of segments, none included; at the end for everything below, at least one
/// segment, which may be empty: `/v1/**` covers `/v1/` and not `/v1`.
fn covers_segments(pattern: &[Segment], path: &[&str]) -> bool {
    // At the end the last segment is covered by anything, and what is before it by the `**`.
    let path = match (pattern, path) {
        ([.., Segment::AnyDepth], [before @ .., _]) => before,
        ([.., Segment::AnyDepth], []) => return false,
        _ => path,
    };
    wild(
        pattern,
        path,
        |segment| matches!(segment, Segment::AnyDepth),
        |segment, text| matches!(segment, Segment::Text(pattern) if covers_text(pattern, text)),
    )
}

fn covers_text(pattern: &str, text: &str) -> bool {
    wild(pattern.as_bytes(), text.as_bytes(), |byte| *byte == b'*', |byte, other| byte == other)
}

/// Whole matching of a pattern of single items and stars that stand for any number of items, without recursion. Going back
/// to the last star alone suffices: whatever an earlier one could take more, the last one can as well.
fn wild<P, T>(pattern: &[P], items: &[T], is_star: impl Fn(&P) -> bool, fits: impl Fn(&P, &T) -> bool) -> bool {
    let (mut at, mut next) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(item) = items.get(next) {
        match pattern.get(at) {
            Some(star) if is_star(star) => {
                at += 1;
                back = Some((at, next));
            }
            Some(one) if fits(one, item) => {
                at += 1;
                next += 1;
            }
            _ => {
                let Some((after_star, taken)) = back else { return false };
                at = after_star;
                next = taken + 1;
                back = Some((after_star, next));
            }
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(is_star))
}

fn read_methods(text: &str) -> Result<Vec<String>, RequestPatternError> {
    let mut methods: Vec<String> = Vec::new();
    for method in text.split(',') {
        let is_upper = method.starts_with(|c: char| c.is_ascii_uppercase())
            && method.len() <= 32
            && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        if !is_upper {
            return Err(RequestPatternError::Method(method.to_owned()));
        }
        if method == "CONNECT" {
            return Err(RequestPatternError::Connect);
        }
        if !methods.iter().any(|known| known == method) {
            methods.push(method.to_owned());
        }
    }
    Ok(methods)
}

impl Serialize for RequestPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for RequestPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.around("").trim_end())
    }
}

impl fmt::Display for RequestPatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(method) => {
                let method: String = method.chars().take(20).flat_map(char::escape_default).collect();
                write!(
                    f,
                    "`{method}` is not a method; write methods in upper case with commas and no space between, such as `GET,HEAD example.org/v1/**`"
                )
            }
            Self::Connect => f.write_str(
                "`CONNECT` asks a proxy for a connection; allow the host itself, such as `example.org:8443`",
            ),
            Self::Query => {
                f.write_str("queries and fragments are not looked at; leave `?` and `#` and what follows off")
            }
            Self::Path(doubt) => write!(f, "the path cannot be used: {doubt}"),
            Self::Stars => {
                f.write_str("`**` stands alone between slashes, for any number of them; within one part write `*`")
            }
            Self::Long => write!(f, "the path is longer than {LONGEST} bytes; write `*` or `**` for parts of it"),
        }
    }
}

impl std::error::Error for RequestPatternError {}

#[cfg(test)]
mod tests;
