//! Decisions about hosts and sockets.

use std::ffi::OsStr;
use std::net::IpAddr;
use std::path::Path;

use super::{DecidingRule, Decision, Remedy, Verdict, words};
use crate::boundary::{Boundary, Network};
use crate::evaluate::{Decider, tidy};
use crate::host_pattern::{HostPattern, Hosts, Ports};
use crate::origin::Layer;
use crate::policy::{FileRuleKind, Ruled};
use crate::text::escape;

/// May the inside connect to this host and port?
pub(super) fn connect(network: &Network, host: &str, port: u16) -> Decision {
    let target = format!("`{}` port {port}", escape(OsStr::new(host)));
    let matching = |list: &[Ruled<HostPattern>]| list.iter().find(|rule| rule.value.matches(host, port)).cloned();
    if let Some(rule) = network.deny.iter().find(|rule| rule.value.denies(host, port)).cloned() {
        let note = match rule.origin.layer {
            Layer::Administrator => "no option changes this: ask the administrator".to_owned(),
            _ => format!("remove the rule `{}` ({})", host_rule("deny", &rule).text, rule.origin),
        };
        return refuse(format!("{target} is denied"), Some(host_rule("deny", &rule)), only_note(note));
    }
    let capped = network.ceiling.as_deref().is_some_and(|most| matching(most).is_none());
    let allow = matching(&network.allow);
    if capped {
        let reason = format!("{target} is outside what the administrator lets be reached");
        let rule = allow.map(|rule| host_rule("allow", &rule));
        return refuse(reason, rule, only_note("no option changes this: ask the administrator".to_owned()));
    }
    match allow {
        Some(rule) => Decision {
            verdict: Verdict::Allowed,
            reason: format!("{target} may be reached"),
            rule: Some(host_rule("allow", &rule)),
            remedy: None,
        },
        None if network.allow.is_empty() => {
            refuse(format!("the network is off, so {target} cannot be reached"), None, grant(host, port))
        }
        None => refuse(format!("{target} is not among the allowed hosts"), None, grant(host, port)),
    }
}

/// May the inside connect to this socket of the host?
pub(super) fn socket(boundary: &Boundary, path: &Path) -> Decision {
    let name = words::path(boundary, path);
    let Some(path) = tidy(path) else {
        return refuse(format!("{name} is not a canonical path, so no rule can speak about it"), None, None);
    };
    // A denial holds over the list: always the ceiling's, and of the other rules one on exactly this path,
    // since the list names the most specific path there is.
    let denial = match boundary.view().evaluate(&path).read.decider {
        Decider::Ceiling(rule) => Some((rule, "no option changes this: ask the administrator".to_owned())),
        Decider::Rule(rule) if rule.kind == FileRuleKind::Deny && rule.path == *path => {
            Some((rule, format!("remove the rule `{}` ({})", words::rule(rule).text, rule.origin)))
        }
        _ => None,
    };
    if let Some((rule, note)) = denial {
        return refuse(format!("the socket {name} is denied"), Some(words::rule(rule)), only_note(note));
    }
    match boundary.network.sockets.iter().find(|rule| rule.value == *path) {
        Some(rule) => Decision {
            verdict: Verdict::Allowed,
            reason: format!("the socket {name} is listed"),
            rule: Some(DecidingRule {
                text: format!("sockets = {}", words::toml_string(&escape(rule.value.as_os_str()))),
                origin: rule.origin.clone(),
            }),
            remedy: None,
        },
        None => {
            let policy_line = path.to_str().map(|text| format!("[network] sockets = [{}]", words::toml_string(text)));
            let remedy = Remedy { option: None, policy_line, note: None };
            refuse(format!("the socket {name} of the host is not listed"), None, Some(remedy))
        }
    }
}

fn refuse(reason: String, rule: Option<DecidingRule>, remedy: Option<Remedy>) -> Decision {
    Decision { verdict: Verdict::Refused, rule, reason, remedy }
}

fn only_note(note: String) -> Option<Remedy> {
    Some(Remedy { option: None, policy_line: None, note: Some(note) })
}

/// The option and the policy line that allow a host; none where the text is no host name, and so can never match.
fn grant(host: &str, port: u16) -> Option<Remedy> {
    let address = host.parse::<IpAddr>().ok();
    let is_name = |host: &str| {
        !host.is_empty()
            && !host.starts_with('-')
            && host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b))
    };
    if address.is_none() && !is_name(host) {
        return only_note("this is not a host name, so no rule can allow it".to_owned());
    }
    let bare = match address {
        Some(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.to_owned(),
    };
    // 80 and 443 are what a pattern without a port means.
    let text = if port == 80 || port == 443 { bare } else { format!("{bare}:{port}") };
    Some(Remedy {
        option: Some(format!("--allow-host {}", words::shell_word(OsStr::new(&text)))),
        policy_line: Some(format!("[network] allow = [{}]", words::toml_string(&text))),
        note: None,
    })
}

fn host_rule(key: &str, rule: &Ruled<HostPattern>) -> DecidingRule {
    let text = format!("{key} = {}", words::toml_string(&pattern_text(&rule.value)));
    DecidingRule { text, origin: rule.origin.clone() }
}

/// The pattern as written in a policy.
fn pattern_text(pattern: &HostPattern) -> String {
    let hosts = match &pattern.hosts {
        Hosts::Name(name) => escape(OsStr::new(name)),
        Hosts::Below(name) => format!("*.{}", escape(OsStr::new(name))),
        Hosts::AtAndBelow(name) => format!("**.{}", escape(OsStr::new(name))),
        Hosts::Address(IpAddr::V6(address)) => format!("[{address}]"),
        Hosts::Address(address) => address.to_string(),
        Hosts::Any => "*".to_owned(),
    };
    match pattern.ports {
        Ports::Web => hosts,
        Ports::One(port) => format!("{hosts}:{port}"),
    }
}
