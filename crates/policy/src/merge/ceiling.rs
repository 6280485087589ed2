//! The administrator's document: what it cuts off the merged policy, and the ceiling that is left for resolving.
//!
//! What can be compared as text (hosts, variables, limits, tiers, losses) is cut here; paths have to be resolved first.

mod hosts;
mod variables;

use std::fmt::Display;

use crate::document::Document;
use crate::keys::{self, Key};
use crate::origin::Origin;
use crate::policy::{Ceiling, Limits, Notice, NoticeKind, Policy, Ruled, TierChoice, WorkspaceMode};
use crate::search;

/// Cuts the policy to what the administrator's document leaves, and keeps the rest of it as the policy's ceiling.
pub(super) fn cut(policy: &mut Policy, document: Document) {
    let Document { files, network, environment, limits, mode, isolation, .. } = document;
    cut_limits(policy, limits);
    // Nothing written means the default, not "no limit": a bound above it has nothing to cut there.
    let search = files.search_limit.filter(|most| policy.search_limit.is_some() || most.value < search::DEFAULT_LIMIT);
    upper_bound(&mut policy.notices, Key::SearchLimit, &mut policy.search_limit, search, u64::to_string);
    only(policy, Key::Mode, mode, WorkspaceMode::Layer, |policy| &mut policy.workspace_mode);
    only(policy, Key::Trace, isolation.trace, false, |policy| &mut policy.isolation.trace);
    only(policy, Key::NestedNamespaces, isolation.nested_namespaces, false, |policy| {
        &mut policy.isolation.nested_namespaces
    });
    let tier = isolation.tier.filter(|tier| tier.value != TierChoice::Auto);
    cut_tier(policy, tier.as_ref());
    let accept = isolation.accept.map(|list| list.into_iter().map(|loss| loss.value).collect());
    if let Some(most) = &accept {
        keep(&mut policy.isolation.accept, &mut policy.notices, Key::Accept, |loss| {
            std::collections::BTreeSet::contains(most, loss)
        });
    }
    if let Some(most) = &network.allow {
        hosts::cut(policy, most);
    }
    // Last, so that of two for the same host and header the administrator's counts.
    policy.network.credentials.extend(network.credentials.into_iter().flatten());
    if let Some(most) = &environment.pass {
        variables::cut(policy, most);
    }
    // Whoever may write may read, so the paths that may be written may be read too.
    let read = files.read.map(|read| read.into_iter().chain(files.write.iter().flatten().cloned()).collect());
    policy.ceiling = Some(Ceiling {
        files: files.deny.into_iter().flatten().chain(files.protect.into_iter().flatten()).collect(),
        read,
        write: files.write,
        allow: network.allow,
        deny: network.deny.unwrap_or_default(),
        sockets: network.sockets,
        pass: environment.pass,
        accept,
        tier,
    });
}

fn cut_limits(policy: &mut Policy, most: Limits) {
    let Policy { limits, notices, .. } = policy;
    let bytes = |bytes: &u64| format!("{bytes} bytes");
    upper_bound(notices, Key::Time, &mut limits.time, most.time, |time| format!("{} s", time.as_secs()));
    upper_bound(notices, Key::Memory, &mut limits.memory, most.memory, bytes);
    upper_bound(notices, Key::Processes, &mut limits.processes, most.processes, u64::to_string);
    upper_bound(notices, Key::FileSize, &mut limits.file_size, most.file_size, bytes);
    upper_bound(notices, Key::OpenFiles, &mut limits.open_files, most.open_files, u64::to_string);
}

fn upper_bound<T: PartialOrd>(
    notices: &mut Vec<Notice>,
    key: Key,
    value: &mut Option<Ruled<T>>,
    most: Option<Ruled<T>>,
    shown: impl Fn(&T) -> String,
) {
    let Some(most) = most else { return };
    match value {
        Some(mine) if mine.value <= most.value => return,
        Some(mine) => {
            let text = format!("is cut to {}, the most that {} allows", shown(&most.value), most.origin);
            notices.push(notice(key, &shown(&mine.value), &text, mine.origin.clone()));
        }
        None => {}
    }
    *value = Some(most);
}

/// Holds a single value to the one choice that the administrator leaves, if the administrator has made it.
fn only<T: PartialEq + Copy + serde::Serialize>(
    policy: &mut Policy,
    key: Key,
    theirs: Option<Ruled<T>>,
    choice: T,
    value: fn(&mut Policy) -> &mut Option<Ruled<T>>,
) {
    let Some(theirs) = theirs.filter(|theirs| theirs.value == choice) else { return };
    let by = theirs.origin.clone();
    if let Some(mine) = value(policy).replace(theirs)
        && mine.value != choice
    {
        let was = serde_json::to_value(mine.value).map(|value| value.to_string().replace('"', "")).unwrap_or_default();
        policy.notices.push(notice(key, &was, &format!("is not allowed by {by}"), mine.origin));
    }
}

fn cut_tier(policy: &mut Policy, only: Option<&Ruled<TierChoice>>) {
    let Some(only) = only else { return };
    let mine = policy.isolation.tier.replace(only.clone());
    if let Some(mine) = mine.filter(|mine| mine.value != TierChoice::Auto && mine.value != only.value) {
        let text =
            format!("is replaced by `{}`, the only tier that {} allows", keys::tier_word(only.value), only.origin);
        policy.notices.push(notice(Key::Tier, keys::tier_word(mine.value), &text, mine.origin));
    }
}

/// Keeps the rules that the ceiling allows, and says which it does not.
fn keep<T: Display>(rules: &mut Vec<Ruled<T>>, notices: &mut Vec<Notice>, key: Key, allowed: impl Fn(&T) -> bool) {
    rules.retain(|rule| {
        let stays = allowed(&rule.value);
        if !stays {
            notices.push(not_allowed(key, &rule.value.to_string(), rule.origin.clone()));
        }
        stays
    });
}

fn not_allowed(key: Key, rule: &str, origin: Origin) -> Notice {
    notice(key, rule, "is not allowed by the administrator's policy", origin)
}

fn notice(key: Key, rule: &str, text: &str, origin: Origin) -> Notice {
    let rule = crate::text::escape(rule.as_ref());
    let text = format!("`{rule}` of `{}` {text}", key.info().full_name());
    Notice { kind: NoticeKind::IgnoredCeiling, text, origin: Some(origin) }
}
