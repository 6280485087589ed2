//! The words for what an access check did.

use super::{Decision, Explanation};
use crate::check::{Effect, Event, ObjectLabel, Pass};
use crate::sddl::{Domains, describe_ace};
use crate::token::Integrity;
use crate::{AccessMask, ObjectType, SecurityDescriptor};

/// The DACL's entries that the events name, as SDDL.
pub(super) fn entries(descriptor: &SecurityDescriptor, events: &[Event]) -> Vec<(usize, String)> {
    let mut named: Vec<usize> = events
        .iter()
        .filter_map(|event| match event {
            Event::Entry { index, .. } | Event::OwnerRightsEntry { index, .. } => Some(*index),
            _ => None,
        })
        .collect();
    named.sort_unstable();
    named.dedup();
    let aces = descriptor.dacl.acl().map_or(&[][..], |acl| &acl.aces);
    named.into_iter().filter_map(|index| Some((index, describe_ace(aces.get(index)?, &Domains::default())))).collect()
}

/// The decision in one sentence.
pub(super) fn sentence(explanation: &Explanation) -> String {
    let object = explanation.request.object;
    let named = |rights: AccessMask| rights_text(rights, object);
    match explanation.decision {
        Decision::NothingAsked => "refused: no right was asked for".to_owned(),
        Decision::PrivilegeMissing { privilege, right } => {
            format!("refused: {} is given by {privilege} only, which the token does not have enabled", named(right))
        }
        Decision::Label { label, token, blocked } => {
            format!("refused: {}, so {} cannot be had", above(&label, token), named(blocked))
        }
        Decision::Refused { pass, index, sid, rights } => format!(
            "refused {}: {} denies {} to {}",
            of_pass(pass),
            entry(explanation, index),
            named(rights),
            sid.describe()
        ),
        Decision::NotGranted { pass, rights } => {
            format!("refused {}: no entry grants {} to {}", of_pass(pass), named(rights), whom(pass))
        }
        Decision::NoEntryForPackage => {
            "refused for the AppContainer: the object has no DACL, and a package is let in only by an entry that names it".to_owned()
        }
        Decision::Granted => format!("granted: {}", named(explanation.verdict.granted())),
        Decision::NothingToBeHad => "refused: there is no right to be had".to_owned(),
        Decision::Unknown(why) => format!("unknown: {why}"),
    }
}

/// What led to the decision, one sentence each.
pub(super) fn steps(explanation: &Explanation) -> Vec<String> {
    explanation.events.iter().filter_map(|event| step(explanation, event)).collect()
}

fn step(explanation: &Explanation, event: &Event) -> Option<String> {
    let object = explanation.request.object;
    let named = |rights: AccessMask| rights_text(rights, object);
    Some(match *event {
        Event::Asked { named: rights, maximum: false } => format!("asked: {}", named(rights)),
        Event::Asked { named: rights, maximum: true } if rights.is_empty() => {
            "asked: everything that can be had".to_owned()
        }
        Event::Asked { named: rights, maximum: true } => {
            format!("asked: {}, and everything else that can be had", named(rights))
        }
        Event::Privilege { privilege, right, held: true } => format!("{privilege} gives {}", named(right)),
        Event::Privilege { privilege, right, held: false } => {
            format!("{privilege}, which alone gives {}, is missing", named(right))
        }
        Event::Label { label, token, .. } => above(&label, token),
        Event::Owner { owner, rights } => {
            format!("{} owns the object, which gives {}", owner.describe(), named(rights))
        }
        Event::OwnerNotRestricting { owner } => {
            format!("{} owns the object but is not a restricting SID, so owning gives nothing", owner.describe())
        }
        Event::OwnerRightsEntry { index, owner } => {
            format!("{} owns the object; {} replaces what that would give", owner.describe(), entry(explanation, index))
        }
        Event::NoDacl { pass } => format!("{}: the object has no DACL", of_pass(pass)),
        Event::Entry { pass, index, effect, sid, rights } => {
            let verb = match effect {
                Effect::Allow => "grants",
                Effect::Deny => "denies",
            };
            format!("{}: {} {verb} {} to {}", of_pass(pass), entry(explanation, index), named(rights), sid.describe())
        }
        Event::Doubt { pass, why } => format!("{}: {why}", of_pass(pass)),
        Event::Missing { pass, rights } => format!("{}: no entry grants {}", of_pass(pass), named(rights)),
        Event::NoSecondPass { .. } => {
            "no write-type right was asked for, so the restricting SIDs of this write-restricted token were not asked"
                .to_owned()
        }
        Event::PassEnded { .. } => return None,
    })
}

fn above(label: &ObjectLabel, token: Integrity) -> String {
    let policy: Vec<&str> = [
        (AccessMask::NO_WRITE_UP, "no write up"),
        (AccessMask::NO_READ_UP, "no read up"),
        (AccessMask::NO_EXECUTE_UP, "no execute up"),
    ]
    .iter()
    .filter(|(bit, _)| label.policy.contains(*bit))
    .map(|(_, text)| *text)
    .collect();
    let whose = if label.index.is_some() { "labelled" } else { "without a label, which counts as" };
    format!("the object is {whose} {} ({}), above the token's {token}", label.level, policy.join(", "))
}

fn entry(explanation: &Explanation, index: usize) -> String {
    match explanation.entries.iter().find(|(known, _)| *known == index) {
        Some((_, text)) => format!("entry {index} {text}"),
        None => format!("entry {index}"),
    }
}

fn of_pass(pass: Pass) -> &'static str {
    match pass {
        Pass::Token => "for the user and the groups",
        Pass::Restricting => "for the restricting SIDs",
        Pass::Container => "for the AppContainer",
    }
}

fn whom(pass: Pass) -> &'static str {
    match pass {
        Pass::Token => "the user or an enabled group",
        Pass::Restricting => "a restricting SID",
        Pass::Container => "the package or a capability",
    }
}

/// Rights by name; a full set as one word.
fn rights_text(rights: AccessMask, object: ObjectType) -> String {
    if rights.is_empty() {
        return "nothing".to_owned();
    }
    if rights == object.mapping().all {
        return "full access".to_owned();
    }
    rights.names(object).join(", ")
}
