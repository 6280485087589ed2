//! What the rules about hosts mean together: what the user has to know of them, and credentials that could not be sent.

use crate::document::DocumentError;
use crate::host_pattern::{HostPattern, Hosts};
use crate::host_rule::HostRule;
use crate::policy::{Notice, NoticeKind, Policy};

/// Says what is worth a word on every run: an open network, traffic that is read, traffic that is not looked at.
pub(super) fn remark(policy: &mut Policy) {
    let Policy { network, notices, ceiling, .. } = policy;
    let most = ceiling.as_ref().and_then(|ceiling| ceiling.allow.as_ref());
    let is_open =
        |rule: &HostPattern| most.is_none_or(|most| most.iter().any(|allowed| allowed.value.pattern.covers(rule)));
    for rule in &network.allow {
        let mut say = |kind, text| notices.push(Notice { kind, text, origin: Some(rule.origin.clone()) });
        let HostRule { pattern, inspect, opaque, .. } = &rule.value;
        match pattern.hosts {
            Hosts::Any if is_open(pattern) => say(
                NoticeKind::NetworkOpen,
                format!("`{pattern}` opens the network: the inside may send whatever it can read to anybody"),
            ),
            Hosts::Range(range) if range.is_everything() && is_open(pattern) => say(
                NoticeKind::NetworkOpen,
                format!("`{pattern}` opens every address, those of this machine and of your own network included"),
            ),
            _ => {}
        }
        if *inspect {
            say(NoticeKind::Inspected, format!("bailiwick reads the traffic of `{pattern}`, which its rule asks for"));
        }
        if *opaque && pattern.ports().any(|port| port == 443) {
            say(
                NoticeKind::Opaque,
                format!(
                    "what is said to `{pattern}` is not looked at: its servers may pass it on to other hosts of theirs"
                ),
            );
        }
    }
}

/// A credential needs a rule that lets the gate put it in, for every part of its hosts that is allowed at all.
pub(super) fn check(policy: &Policy) -> Result<(), DocumentError> {
    let allow = &policy.network.allow;
    let most = policy.ceiling.as_ref().and_then(|ceiling| ceiling.allow.as_ref());
    let inspected: Vec<&HostPattern> = allow
        .iter()
        .chain(most.into_iter().flatten())
        .filter(|rule| rule.value.inspect)
        .map(|rule| &rule.value.pattern)
        .collect();
    for credential in &policy.network.credentials {
        let reach = credential.value.reach();
        let blind = allow.iter().find(|rule| is_blind(&inspected, &rule.value.pattern, &reach));
        if let Some(rule) = blind {
            let host = &credential.value.host;
            let text = format!(
                "the credential for `{host}` cannot be put in, because the rule `{}` ({}) leaves the traffic unread; write `{{ host = \"{host}\", inspect = true }}` into `[network] allow`, or take the credential out",
                rule.value, rule.origin
            );
            return Err(DocumentError::one(credential.origin.clone(), text));
        }
    }
    Ok(())
}

/// Whether hosts that a rule allows would get a credential and are not inspected.
fn is_blind(inspected: &[&HostPattern], rule: &HostPattern, reach: &HostPattern) -> bool {
    if !rule.overlaps(reach) {
        return false;
    }
    // Of two sets of hosts that overlap one lies within the other. The reach has one port.
    let hosts = if rule.hosts.covers(&reach.hosts) { &reach.hosts } else { &rule.hosts };
    let both = HostPattern { hosts: hosts.clone(), ports: reach.ports };
    !inspected.iter().any(|pattern| pattern.covers(&both))
}
