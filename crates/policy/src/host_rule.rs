//! One rule of `[network] allow`: a host pattern, and how the gate carries what goes there.

use std::fmt;

use serde::Serialize;

use crate::host_pattern::{AddressRange, HostPattern, HostPatternError, Ports};
use crate::request_pattern::{Asked, RequestPattern, RequestPatternError};

/// One rule of `[network] allow`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostRule {
    /// The hosts and ports that it is about.
    pub pattern: HostPattern,
    /// `opaque = true`: what is said on the connection is not looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub opaque: bool,
    /// `inspect = true`: the gate ends the TLS connection and reads the requests.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub inspect: bool,
    /// Only these requests; `None` is every request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<RequestPattern>,
    /// Addresses of private and other special networks that the names may have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<AddressRange>,
}

/// Why a text or a table is no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostRuleError {
    /// The host is wrong.
    Host(HostPatternError),
    /// The method or the path is wrong.
    Request(RequestPatternError),
    /// A method or a path where the gate could not see it; the rule as it would have to be written.
    NotInspected(String),
    /// `opaque` beside `inspect`, a method or a path.
    OpaqueAndLookedAt,
}

impl HostRule {
    /// A rule that allows these hosts and looks at what is said as far as their port demands.
    pub fn plain(pattern: HostPattern) -> HostRule {
        HostRule { pattern, opaque: false, inspect: false, requests: None, addresses: Vec::new() }
    }

    /// Reads the text of a rule, `HOST`, `HOST:PORT`, or with methods and a path `METHOD[,METHOD] HOST[:PORT]/PATH`.
    ///
    /// [`check`](Self::check) is still to be called, once the options are known.
    ///
    /// # Errors
    /// A host, method or path that is not exactly one of the forms.
    pub fn read(text: &str) -> Result<HostRule, HostRuleError> {
        let (methods, rest) = match text.split_once(' ') {
            Some((methods, rest)) => (Some(methods), rest),
            None => (None, text),
        };
        let is_range = methods.is_none() && HostPattern::has_range_form(rest);
        let (host, path) = match rest.find('/') {
            Some(slash) if !is_range && !rest.contains("://") => {
                let (host, path) = rest.split_at(slash);
                (host, Some(path))
            }
            _ => (rest, None),
        };
        let pattern = HostPattern::parse(host).map_err(HostRuleError::Host)?;
        let requests = match (methods, path) {
            (None, None) => None,
            _ => Some(RequestPattern::parse(methods, path).map_err(HostRuleError::Request)?),
        };
        Ok(HostRule { requests, ..HostRule::plain(pattern) })
    }

    /// Reads a rule that is a text alone, as in a list or after `--allow-host`.
    ///
    /// # Errors
    /// As [`read`](Self::read); a method or a path where it could not be seen.
    pub fn parse(text: &str) -> Result<HostRule, HostRuleError> {
        HostRule::read(text)?.check()
    }

    /// The rule, if its parts can hold together.
    ///
    /// # Errors
    /// [`HostRuleError::NotInspected`], [`HostRuleError::OpaqueAndLookedAt`].
    pub fn check(self) -> Result<HostRule, HostRuleError> {
        if self.opaque && (self.inspect || self.requests.is_some()) {
            return Err(HostRuleError::OpaqueAndLookedAt);
        }
        if self.requests.is_some() && !self.inspect && self.pattern.ports != Ports::One(80) {
            let right = HostRule { inspect: true, ..self };
            return Err(HostRuleError::NotInspected(right.to_string()));
        }
        Ok(self)
    }

    /// Does the rule cover some request, or every one, on this host and port?
    pub fn matches(&self, host: &str, port: u16) -> bool {
        self.pattern.matches(host, port)
    }

    /// Does the rule, which covers the host, allow this request?
    pub fn allows(&self, asked: &Asked<'_>) -> bool {
        self.requests.as_ref().is_none_or(|requests| requests.allows(asked))
    }

    /// The host part with methods and path, without the options: `GET example.org/v1/**`.
    pub(crate) fn text(&self) -> String {
        let host = self.pattern.to_string();
        self.requests.as_ref().map_or_else(|| host.clone(), |requests| requests.around(&host))
    }
}

impl fmt::Display for HostRule {
    /// As a person writes it in a policy, without quotation marks where it is a text alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        if !self.opaque && !self.inspect && self.addresses.is_empty() {
            return f.write_str(&text);
        }
        write!(f, "{{ host = \"{text}\"")?;
        if self.opaque {
            f.write_str(", opaque = true")?;
        }
        if self.inspect {
            f.write_str(", inspect = true")?;
        }
        if !self.addresses.is_empty() {
            let ranges: Vec<String> = self.addresses.iter().map(|range| format!("\"{range}\"")).collect();
            write!(f, ", addresses = [{}]", ranges.join(", "))?;
        }
        f.write_str(" }")
    }
}

impl fmt::Display for HostRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(error) => error.fmt(f),
            Self::Request(error) => error.fmt(f),
            Self::NotInspected(right) => write!(
                f,
                "methods and paths are seen only where bailiwick reads the traffic; write `{right}` in a policy file, or leave them off to allow the whole host (on port 80 alone, as in `example.org:80/…`, they are seen anyway)"
            ),
            Self::OpaqueAndLookedAt => f.write_str(
                "`opaque` means that nothing is looked at; leave it off, or leave off `inspect`, the method and the path",
            ),
        }
    }
}

impl std::error::Error for HostRuleError {}

#[cfg(test)]
mod tests;
