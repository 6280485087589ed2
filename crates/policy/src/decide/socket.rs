//! Decisions about sockets of the host.

use std::path::Path;

use super::network::{only_note, refuse};
use super::{DecidingRule, Decision, Remedy, Verdict, words};
use crate::boundary::Boundary;
use crate::evaluate::{Decider, tidy};
use crate::policy::FileRuleKind;
use crate::text::escape;

/// May the inside connect to this socket of the host?
pub(super) fn decide(boundary: &Boundary, path: &Path) -> Decision {
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
