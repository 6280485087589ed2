//! Hosts and requests as people ask about them.

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv6Addr};

use super::{ExplainError, Explanation, Verb};
use crate::boundary::{Boundary, Handling};
use crate::decide::{Access, Decision, Verdict};
use crate::host_pattern::Host as GateHost;
use crate::text::escape;

/// What was asked about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    /// Method and path.
    pub(super) request: Option<(String, String)>,
}

pub(super) fn explain(boundary: &Boundary, verb: Verb, target: &OsStr) -> Result<Explanation, ExplainError> {
    let shown = escape(target);
    let Target { host, port, request } =
        target.to_str().and_then(read).ok_or_else(|| ExplainError::Host(shown.clone()))?;
    let canonical = match &request {
        None => format!("{host} port {port}"),
        Some((method, path)) => format!("{method} {} at {host} port {port}", escape(path.as_ref())),
    };
    let handling = boundary.network.handling(&host, port);
    let unlisted = match host.parse::<IpAddr>() {
        Ok(address) => !boundary.network.lists_address(&host, port, address),
        Err(_) => false,
    };
    let is_request = request.is_some();
    let decision = boundary.decide(&match request {
        None => Access::Connect { host, port },
        Some((method, path)) => Access::Request { host, port, method, path },
    });
    let mut notes = notes(handling, port, is_request, &decision);
    if unlisted && decision.verdict == Verdict::Allowed {
        notes
            .push("unless it is an address of this machine itself, which is refused where no rule names it".to_owned());
    }
    Ok(Explanation { verb, target: shown, canonical, decision, notes })
}

fn notes(handling: Handling, port: u16, is_request: bool, decision: &Decision) -> Vec<String> {
    let mut notes = Vec::new();
    if decision.verdict != Verdict::Allowed {
        return notes;
    }
    if handling.inspect {
        notes.push("bailiwick reads the traffic and decides each request".to_owned());
    } else if handling.opaque {
        notes.push("what is said on the connection is not looked at".to_owned());
    } else if is_request && port != 80 {
        notes.push("bailiwick does not read this traffic; it decides about the host, not about requests".to_owned());
    }
    notes
}

/// Reads `HOST`, `HOST:PORT`, `http[s]://HOST[:PORT][/PATH]`, or `METHOD` and a space before a host or an address with a path.
pub(super) fn read(text: &str) -> Option<Target> {
    let (method, rest) = match text.split_once(' ') {
        Some((method, rest)) => (Some(method), rest),
        None => (None, text),
    };
    let lower = rest.get(..8).unwrap_or(rest).to_ascii_lowercase();
    let (rest, default, is_url) = if lower.starts_with("https://") {
        (rest.get(8..)?, 443, true)
    } else if lower.starts_with("http://") {
        (rest.get(7..)?, 80, true)
    } else {
        (rest, 443, false)
    };
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(place) => rest.split_at(place),
        None => (rest, ""),
    };
    if !path.is_empty() && method.is_none() && !is_url {
        return None;
    }
    let (host, port) = host_and_port(authority, default)?;
    let request = match (method, is_url) {
        (None, false) => None,
        (method, _) => Some((method_name(method.unwrap_or("GET"))?, origin_form(path))),
    };
    Some(Target { host, port, request })
}

/// The path as a client sends it: without fragment, never empty.
fn origin_form(path: &str) -> String {
    let path = path.split_once('#').map_or(path, |(path, _)| path);
    match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("/{path}"),
    }
}

fn method_name(text: &str) -> Option<String> {
    let is_method = !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    is_method.then(|| text.to_owned())
}

/// The canonical host and the port of `HOST`, `HOST:PORT`, `ADDRESS`, `[ADDRESS]:PORT`.
fn host_and_port(text: &str, default: u16) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            (address, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        // More than one colon without brackets is a bare IPv6 address.
        None if text.matches(':').count() == 1 => text.split_once(':').map(|(host, port)| (host, Some(port)))?,
        None => (text, None),
    };
    let port = port.map_or(Some(default), port_number)?;
    // The gate's own reader: what it does not take for a host is asked about as it stands, and allowed by nothing.
    let host = match GateHost::parse(host) {
        Ok(host) => host.to_string(),
        Err(_) => host.to_ascii_lowercase(),
    };
    let is_plausible = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"/@[]".contains(&byte));
    is_plausible.then_some((host, port))
}

/// A port as the gate reads it: digits alone, not 0, no 0 in front.
fn port_number(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain)
}
