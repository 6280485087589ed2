//! The table of MS-DTYP 2.5.3.4.4: which flags a child's entry has.

use crate::ace::AceFlags;

/// The flags of the effective entry and of the entry for the child's own children, if the child gets them from a parent's entry with
/// these flags. Whether the parent's entry is inherit-only plays no part.
///
/// | parent | child container | child leaf |
/// | --- | --- | --- |
/// | none | nothing | nothing |
/// | OI | for its children | effective |
/// | OI NP | nothing | effective |
/// | CI, CI OI | effective and for its children | nothing; effective with OI |
/// | CI NP, CI OI NP | effective | nothing; effective with OI |
pub(super) fn inherited(parent: AceFlags, is_container: bool) -> (Option<AceFlags>, Option<AceFlags>) {
    let applies = if is_container { AceFlags::CONTAINER_INHERIT } else { AceFlags::OBJECT_INHERIT };
    let own = parent.without(AceFlags::INHERITANCE) | AceFlags::INHERITED;
    let effective = parent.contains(applies).then_some(own);
    let handed_on =
        is_container && parent.intersects(AceFlags::INHERIT_ALL) && !parent.contains(AceFlags::NO_PROPAGATE);
    let inheritable = handed_on.then(|| own | (parent & AceFlags::INHERIT_ALL) | AceFlags::INHERIT_ONLY);
    (effective, inheritable)
}

/// The same two for an entry that the creator of the object itself gave. It keeps its flags; on a leaf, which has no children, what
/// is only for children has no place.
pub(super) fn given(flags: AceFlags, is_container: bool) -> (Option<AceFlags>, Option<AceFlags>) {
    let own = flags.without(AceFlags::INHERITANCE);
    let effective = (!flags.contains(AceFlags::INHERIT_ONLY)).then_some(own);
    let handed_on = is_container && flags.intersects(AceFlags::INHERIT_ALL);
    let keep = flags & (AceFlags::INHERIT_ALL | AceFlags::NO_PROPAGATE);
    let inheritable = handed_on.then(|| own | keep | AceFlags::INHERIT_ONLY);
    (effective, inheritable)
}
