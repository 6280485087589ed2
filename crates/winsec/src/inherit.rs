//! What a new object gets from its parent (MS-DTYP 2.5.3.4), and what children that exist already get when a parent changes.
//!
//! The pseudo-code of MS-DTYP is not followed to the letter where it contradicts the tables beside it and Microsoft Learn ("ACE
//! Inheritance Rules", "DACL for a New Object", "Automatic Propagation of Inheritable ACEs"):
//!
//! - it skips an inherit-only entry of the parent where its own table, and every *CREATOR OWNER* entry, say that it is inherited;
//! - it gives a container two entries for every inheritable one; the text says: only where something has to be replaced;
//! - its last filter drops the creator's explicit entries; the text and the function that it describes keep them;
//! - it leaves `GENERIC_ALL` unmapped;
//! - where the parent has inheritable entries and none for this kind of child, it gives an empty list; here the default DACL is
//!   taken, as where nothing is inheritable. This last point is an inference, not yet confirmed on Windows.
//!
//! Opaque entries are copied with the flags that a known entry would have; they stay opaque, so that the check cannot mistake them.

mod create;
mod flags;
mod propagate;

#[cfg(test)]
mod tests;

pub use create::{AutoInherit, CreatorDefaults, NewObject, create};
pub use propagate::{Propagation, Unchanged, propagate};

use crate::ace::{Ace, AceFlags, AceKind};
use crate::acl::Acl;
use crate::mask::GenericMapping;
use crate::sid::Sid;

/// Who stands behind *CREATOR OWNER* and *CREATOR GROUP*, and what the generic rights mean, for one child.
#[derive(Debug, Clone, Copy)]
pub struct Child<'a> {
    /// Whether the child can have children: a directory, a key.
    pub is_container: bool,
    /// The child's owner.
    pub owner: Sid,
    /// The child's primary group.
    pub group: Sid,
    /// The generic mapping of the child's type.
    pub mapping: &'a GenericMapping,
}

/// The entries that the child gets from this list of its parent, in the order of the parent.
pub fn inherited_from(parent: &Acl, child: &Child<'_>) -> Vec<Ace> {
    let mut aces = Vec::new();
    for ace in &parent.aces {
        let (effective, inheritable) = flags::inherited(ace.flags(), child.is_container);
        emit(&mut aces, ace, effective, inheritable, child);
    }
    aces
}

/// The entries of a list that the creator of an object gave, as they are kept: for a container those that can be inherited again
/// keep their generic rights and placeholders for the children, and take effect with both replaced.
fn given_by_creator(aces: &[Ace], child: &Child<'_>) -> Vec<Ace> {
    let mut kept = Vec::new();
    for ace in aces {
        let (effective, inheritable) = flags::given(ace.flags(), child.is_container);
        emit(&mut kept, ace, effective, inheritable, child);
    }
    kept
}

/// Appends what becomes of one entry: nothing, one entry, or two where the effect and what is handed on differ.
fn emit(out: &mut Vec<Ace>, ace: &Ace, effective: Option<AceFlags>, inheritable: Option<AceFlags>, child: &Child<'_>) {
    let both = |flags: AceFlags, on: AceFlags| flags | on.without(AceFlags::INHERIT_ONLY);
    match (effective, inheritable) {
        (Some(flags), Some(on)) if !has_generic(ace) => out.push(ace.clone().with_flags(both(flags, on))),
        (effective, inheritable) => {
            out.extend(effective.map(|flags| concrete(ace, child).with_flags(flags)));
            out.extend(inheritable.map(|flags| ace.clone().with_flags(flags)));
        }
    }
}

/// Whether the entry has something that is replaced where it takes effect.
fn has_generic(ace: &Ace) -> bool {
    let Some(ace) = ace.as_known().filter(|ace| ace.kind != AceKind::Label) else { return false };
    let placeholder = ace.sid == Sid::CREATOR_OWNER || ace.sid == Sid::CREATOR_GROUP;
    placeholder || ace.mask.intersects(crate::mask::AccessMask::GENERIC)
}

/// The entry with its generic rights mapped and its placeholder replaced (MS-DTYP 2.5.3.4.7).
fn concrete(ace: &Ace, child: &Child<'_>) -> Ace {
    let mut ace = ace.clone();
    if let Ace::Known(known) = &mut ace
        && known.kind != AceKind::Label
    {
        known.mask = child.mapping.map(known.mask);
        if known.sid == Sid::CREATOR_OWNER {
            known.sid = child.owner;
        } else if known.sid == Sid::CREATOR_GROUP {
            known.sid = child.group;
        }
    }
    ace
}
