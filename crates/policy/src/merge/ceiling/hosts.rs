//! Hosts under the ceiling.

use super::{not_allowed, notice};
use crate::host_pattern::{HostPattern, Ports};
use crate::keys::Key;
use crate::policy::{Policy, Ruled};

/// Drops the hosts that no pattern of the ceiling allows. A rule that reaches above the ceiling in part stays, and is held
/// to the ceiling by every decision: the part that both allow may not have a pattern of its own.
pub(super) fn cut(policy: &mut Policy, most: &[Ruled<HostPattern>]) {
    let notices = &mut policy.notices;
    policy.network.allow.retain(|rule| {
        if covered(&rule.value, most) {
            return true;
        }
        let origin = rule.origin.clone();
        let in_part = most.iter().any(|allowed| allowed.value.overlaps(&rule.value));
        notices.push(if in_part {
            notice(
                Key::AllowHosts,
                &rule.value.to_string(),
                "is allowed only in part by the administrator's policy",
                origin,
            )
        } else {
            not_allowed(Key::AllowHosts, &rule.value.to_string(), origin)
        });
        in_part
    });
}

fn covered(rule: &HostPattern, most: &[Ruled<HostPattern>]) -> bool {
    let by_one = |rule: &HostPattern| most.iter().any(|allowed| allowed.value.covers(rule));
    let on = |port| HostPattern { hosts: rule.hosts.clone(), ports: Ports::One(port) };
    by_one(rule) || (rule.ports == Ports::Web && by_one(&on(80)) && by_one(&on(443)))
}
