//! One walk over a DACL (MS-DTYP 2.5.3.2; Learn, "How AccessCheck Works").

use super::{Check, Effect, Event, Observer, Pass, Unknown};
use crate::ace::OpaqueAce;
use crate::{AccessMask, Ace, AceKind, Acl};

/// What a walk is to find.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// These rights, all of them.
    pub named: AccessMask,
    /// And everything else that can be had.
    pub maximum: bool,
}

/// How a walk ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Result {
    /// All named rights, and these in total.
    Granted(AccessMask),
    Denied,
    Unknown(Unknown),
}

/// What an entry of this kind does in a DACL. Audit and label entries do nothing there.
pub(super) const fn effect(kind: AceKind) -> Option<Effect> {
    match kind {
        AceKind::Allow => Some(Effect::Allow),
        AceKind::Deny => Some(Effect::Deny),
        AceKind::Audit | AceKind::Label => None,
    }
}

/// Whether an entry that the model does not evaluate is of a type that has no say in access at all: audit and alarm
/// (MS-DTYP 2.4.4.1).
pub(super) const fn has_no_say(ace: &OpaqueAce) -> bool {
    matches!(ace.type_byte, 0x02 | 0x03 | 0x07 | 0x08 | 0x0D..=0x10)
}

/// Walks the entries in order. The first entry that speaks of a right decides it.
pub(super) fn walk<O: Observer>(
    check: &Check<'_>,
    acl: &Acl,
    pass: Pass,
    asked: Asked,
    implicit: AccessMask,
    observer: &mut O,
) -> Result {
    let mut open = asked.named;
    let mut granted = implicit;
    let mut denied = AccessMask::NONE;
    for (index, ace) in acl.aces.iter().enumerate() {
        if open.is_empty() && !asked.maximum {
            break;
        }
        if ace.is_inherit_only() {
            continue;
        }
        // With MAXIMUM_ALLOWED every right that is not decided is open.
        let undecided = if asked.maximum { !(granted | denied) } else { open };
        let ace = match ace {
            Ace::Known(ace) => ace,
            Ace::Opaque(ace) => {
                if let Some(why) = doubt(check, index, ace, undecided) {
                    observer.note(Event::Doubt { pass, why });
                    return Result::Unknown(why);
                }
                continue;
            }
        };
        let Some(effect) = effect(ace.kind) else { continue };
        let decided = check.mapping.map(ace.mask).without(NEVER_BY_ENTRY) & undecided;
        if decided.is_empty() || !check.concerns(pass, effect, &ace.sid) {
            continue;
        }
        observer.note(Event::Entry { pass, index, effect, sid: ace.sid, rights: decided });
        match effect {
            Effect::Allow => {
                granted |= decided;
                open = open.without(decided);
            }
            Effect::Deny if decided.intersects(open) => return Result::Denied,
            Effect::Deny => denied |= decided,
        }
    }
    if !open.is_empty() {
        observer.note(Event::Missing { pass, rights: open });
        return Result::Denied;
    }
    Result::Granted(granted)
}

/// `ACCESS_SYSTEM_SECURITY` comes from a privilege only, `MAXIMUM_ALLOWED` is no right (MS-DTYP 2.4.3).
const NEVER_BY_ENTRY: AccessMask = AccessMask::ACCESS_SYSTEM_SECURITY.union(AccessMask::MAXIMUM_ALLOWED);

/// Whether an entry that the model does not evaluate could decide a right that is open.
fn doubt(check: &Check<'_>, index: usize, ace: &OpaqueAce, undecided: AccessMask) -> Option<Unknown> {
    if has_no_say(ace) {
        return None;
    }
    // Where the mask is known and speaks of other rights, the entry cannot matter, whatever its condition.
    let mask = ace.mask().map_or(AccessMask(!0), |mask| check.mapping.map(mask));
    mask.intersects(undecided).then_some(Unknown::Entry { index, type_byte: ace.type_byte })
}
