//! Names of variables under the ceiling.

use super::{not_allowed, notice};
use crate::keys::Key;
use crate::policy::{Policy, Ruled};

/// Cuts each name or pattern to the part that the ceiling has too.
pub(super) fn cut(policy: &mut Policy, most: &[Ruled<String>]) {
    let mut kept = Vec::with_capacity(policy.environment.pass.len());
    for rule in policy.environment.pass.drain(..) {
        if most.iter().any(|allowed| covers(&allowed.value, &rule.value)) {
            kept.push(rule);
            continue;
        }
        // What the ceiling has within the pattern stays. A pattern that ends and one that starts with `*` have names in common
        // that no third pattern describes; none of them stays.
        let within: Vec<Ruled<String>> = most
            .iter()
            .filter(|allowed| covers(&rule.value, &allowed.value))
            .map(|allowed| Ruled { value: allowed.value.clone(), origin: rule.origin.clone() })
            .collect();
        let origin = rule.origin.clone();
        policy.notices.push(if within.is_empty() {
            not_allowed(Key::Pass, &rule.value, origin)
        } else {
            notice(Key::Pass, &rule.value, "is allowed only in part by the administrator's policy", origin)
        });
        kept.extend(within);
    }
    policy.environment.pass = kept;
}

/// Is every name that `inner` stands for one that `outer` stands for?
fn covers(outer: &str, inner: &str) -> bool {
    if outer == inner {
        return true;
    }
    if let Some(start) = outer.strip_suffix('*') {
        return start.is_empty() || (!inner.starts_with('*') && inner.trim_end_matches('*').starts_with(start));
    }
    if let Some(end) = outer.strip_prefix('*') {
        return !inner.ends_with('*') && inner.trim_start_matches('*').ends_with(end);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn covering_is_about_every_name() {
        for (outer, inner) in [
            ("*", "*"),
            ("*", "A"),
            ("*", "A*"),
            ("*", "*A"),
            ("LC_*", "LC_ALL"),
            ("LC_*", "LC_A*"),
            ("*_ALL", "LC_ALL"),
            ("*L", "*LL"),
        ] {
            assert!(covers(outer, inner), "{outer} {inner}");
        }
        for (outer, inner) in [
            ("A", "*"),
            ("A", "B"),
            ("A*", "*"),
            ("LC_*", "LC*"),
            ("LC_*", "*LC_"),
            ("*A", "A*"),
            ("*LL", "*L"),
            ("A*", "*A"),
        ] {
            assert!(!covers(outer, inner), "{outer} {inner}");
        }
    }
}
