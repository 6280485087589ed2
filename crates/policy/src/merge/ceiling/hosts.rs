//! Hosts under the ceiling.
//!
//! Every decision holds to the ceiling by itself; here the rules are cut so that the user learns of it before the run.

use super::{not_allowed, notice};
use crate::host_pattern::{AddressRange, HostPattern, Hosts, Ports};
use crate::host_rule::HostRule;
use crate::keys::Key;
use crate::policy::{Notice, NoticeKind, Policy, Ruled};

const IN_PART: &str = "is allowed only in part by the administrator's policy";

/// Drops the hosts that no rule of the ceiling allows, and the options that no such rule has. A rule that reaches above the
/// ceiling in part stays, and is held to the ceiling by every decision: the part that both allow may not have a pattern of
/// its own.
pub(super) fn cut(policy: &mut Policy, most: &[Ruled<HostRule>]) {
    let mut kept = Vec::with_capacity(policy.network.allow.len());
    for mut rule in policy.network.allow.drain(..) {
        let above: Vec<&HostRule> =
            most.iter().map(|rule| &rule.value).filter(|most| most.pattern.overlaps(&rule.value.pattern)).collect();
        let mut say = |rule: &Ruled<HostRule>, what: &str| {
            policy.notices.push(notice(Key::AllowHosts, &rule.value.to_string(), what, rule.origin.clone()));
        };
        if above.is_empty() {
            policy.notices.push(not_allowed(Key::AllowHosts, &rule.value.to_string(), rule.origin));
            continue;
        }
        let fewer_requests = above
            .iter()
            .all(|most| most.requests.as_ref().is_some_and(|requests| rule.value.requests.as_ref() != Some(requests)));
        if !covered(&rule.value.pattern, most) || fewer_requests {
            say(&rule, IN_PART);
        }
        if rule.value.opaque && !above.iter().any(|most| most.opaque) {
            say(&rule, "is not opaque: the administrator's policy has what is said there looked at");
            rule.value.opaque = false;
        }
        let (within, beyond): (Vec<_>, Vec<_>) =
            rule.value.addresses.iter().copied().partition(|range| lists(most, &above, range));
        if !beyond.is_empty() {
            // What the ceiling has within a range stays; every decision holds to it.
            let parts = beyond.iter().any(|range| overlapped(most, &above, range));
            say(
                &rule,
                if parts {
                    "may have only some of its `addresses`, by the administrator's policy"
                } else {
                    "may not have its `addresses`, by the administrator's policy"
                },
            );
            rule.value.addresses =
                within.into_iter().chain(beyond.into_iter().filter(|range| overlapped(most, &above, range))).collect();
        }
        if !rule.value.inspect && above.iter().any(|most| most.inspect) {
            let text = format!(
                "bailiwick reads the traffic of `{}`: the administrator's policy demands it",
                rule.value.pattern
            );
            policy.notices.push(Notice { kind: NoticeKind::Inspected, text, origin: Some(rule.origin.clone()) });
        }
        kept.push(rule);
    }
    policy.network.allow = kept;
}

fn covered(rule: &HostPattern, most: &[Ruled<HostRule>]) -> bool {
    let by_one = |rule: &HostPattern| most.iter().any(|allowed| allowed.value.pattern.covers(rule));
    let on = |port| HostPattern { hosts: rule.hosts.clone(), ports: Ports::One(port) };
    by_one(rule) || (rule.ports == Ports::Web && by_one(&on(80)) && by_one(&on(443)))
}

/// The ranges that the ceiling lists for the hosts of a rule: by options of rules about them, and by rules about addresses.
fn listed<'a>(most: &'a [Ruled<HostRule>], above: &'a [&HostRule]) -> impl Iterator<Item = AddressRange> + 'a {
    let by_address = most.iter().filter_map(|rule| match rule.value.pattern.hosts {
        Hosts::Address(address) => Some(AddressRange::of(address)),
        Hosts::Range(range) => Some(range),
        _ => None,
    });
    above.iter().flat_map(|rule| rule.addresses.iter().copied()).chain(by_address)
}

fn lists(most: &[Ruled<HostRule>], above: &[&HostRule], range: &AddressRange) -> bool {
    listed(most, above).any(|allowed| allowed.covers(range))
}

fn overlapped(most: &[Ruled<HostRule>], above: &[&HostRule], range: &AddressRange) -> bool {
    listed(most, above).any(|allowed| allowed.overlaps(range))
}
