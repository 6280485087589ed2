//! The mandatory integrity check (MS-DTYP 2.5.3.3), and what else of a SACL can refuse.

use super::walk::Asked;
use super::{Event, Observer, Unknown};
use crate::token::{Integrity, Privilege, Token};
use crate::{AccessMask, Ace, AceKind, Acl, GenericMapping, SecurityDescriptor};

/// The integrity label of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ObjectLabel {
    /// The index of the label in the SACL; `None` for the default label of an object without one.
    pub index: Option<usize>,
    /// The level.
    pub level: Integrity,
    /// Its policy: `NO_WRITE_UP`, `NO_READ_UP`, `NO_EXECUTE_UP`.
    pub policy: AccessMask,
}

impl ObjectLabel {
    /// What an object without a label has: Medium, no write up (Learn, "Mandatory Integrity Control").
    pub const DEFAULT: ObjectLabel =
        ObjectLabel { index: None, level: Integrity::MEDIUM, policy: AccessMask::NO_WRITE_UP };

    /// The label of this descriptor: the first label entry that is not for children only.
    pub fn of(descriptor: &SecurityDescriptor) -> Result<ObjectLabel, Unknown> {
        for (index, ace) in entries(descriptor) {
            match ace {
                Ace::Known(ace) if ace.kind == AceKind::Label => {
                    let level = ace.sid.integrity_level().ok_or(Unknown::Label { index })?;
                    return Ok(ObjectLabel { index: Some(index), level: Integrity(level), policy: ace.mask });
                }
                // A label with bytes after its SID.
                Ace::Opaque(ace) if ace.type_byte == AceKind::Label.type_byte() => {
                    return Err(Unknown::Label { index });
                }
                _ => {}
            }
        }
        Ok(ObjectLabel::DEFAULT)
    }
}

/// What the label leaves of the rights.
pub(super) struct Ceiling {
    /// These remain possible.
    pub certain: AccessMask,
    /// Of these the model does not know it.
    pub doubtful: AccessMask,
    /// Why.
    pub why: Option<Unknown>,
}

impl Ceiling {
    const NONE: Ceiling = Ceiling { certain: AccessMask(!0), doubtful: AccessMask::NONE, why: None };
}

/// The rights that the label leaves possible.
///
/// The label is a list of what remains: read unless NO_READ_UP, execute unless NO_EXECUTE_UP, write unless NO_WRITE_UP, and nothing
/// else. So also rights outside the three, such as `FILE_DELETE_CHILD`, go. SeRelabelPrivilege keeps `WRITE_OWNER`. An AppContainer
/// runs at Low but is let through to objects up to Medium: there its own pass decides.
pub(super) fn ceiling<O: Observer>(
    token: &Token,
    descriptor: &SecurityDescriptor,
    mapping: &GenericMapping,
    asked: Asked,
    observer: &mut O,
) -> Ceiling {
    if !token.mandatory.no_write_up {
        return Ceiling::NONE;
    }
    let label = match ObjectLabel::of(descriptor) {
        Ok(label) => label,
        Err(why) => return Ceiling { certain: AccessMask::NONE, doubtful: AccessMask(!0), why: Some(why) },
    };
    let contained = token.low_box.is_some() && label.level <= Integrity::MEDIUM;
    if token.integrity >= label.level || contained {
        return Ceiling::NONE;
    }
    let mut certain = AccessMask::NONE;
    for (forbids, rights) in [
        (AccessMask::NO_READ_UP, mapping.read),
        (AccessMask::NO_WRITE_UP, mapping.write),
        (AccessMask::NO_EXECUTE_UP, mapping.execute),
    ] {
        if !label.policy.contains(forbids) {
            certain |= rights;
        }
    }
    if token.has(Privilege::Relabel) {
        certain |= AccessMask::WRITE_OWNER;
    }
    let mut doubtful = AccessMask::NONE;
    let mut why = None;
    if let (Some(index), false) = (label.index, label.policy.contains(AccessMask::NO_WRITE_UP)) {
        doubtful = !(mapping.read | mapping.write | mapping.execute | certain);
        why = Some(Unknown::LabelWithoutNoWriteUp { index });
    }
    observer.note(Event::Label { label, token: token.integrity, blocked: asked.named.without(certain | doubtful) });
    Ceiling { certain, doubtful, why }
}

/// An entry of the SACL that can refuse and that the model does not evaluate.
///
/// Audit entries say what is logged, resource attributes only feed conditions; neither has a say. Scoped policies, trust labels,
/// access filters and types yet unheard of can only take rights away.
pub(super) fn unknown_in_sacl(descriptor: &SecurityDescriptor) -> Option<Unknown> {
    entries(descriptor).find_map(|(index, ace)| match ace {
        Ace::Known(_) => None,
        Ace::Opaque(ace) if matches!(ace.type_byte, 0x02 | 0x03 | 0x07 | 0x08 | 0x0D..=0x12) => None,
        Ace::Opaque(ace) => Some(Unknown::SystemEntry { index, type_byte: ace.type_byte }),
    })
}

/// The entries of the SACL that are in effect on the object itself.
fn entries(descriptor: &SecurityDescriptor) -> impl Iterator<Item = (usize, &Ace)> {
    let aces = descriptor.sacl.acl().map_or(&[][..], |acl: &Acl| &acl.aces);
    aces.iter().enumerate().filter(|(_, ace)| !ace.is_inherit_only())
}
