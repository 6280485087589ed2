//! Random values for the property tests: few SIDs, so that they meet, and any flags and masks.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::ace::{Ace, AceFlags, AceKind, OpaqueAce};
use crate::acl::Acl;
use crate::descriptor::{AclField, Control, SecurityDescriptor};
use crate::mask::AccessMask;
use crate::sid::Sid;

/// Any SID at all, from no sub-authority to fifteen.
pub(crate) fn any_sid() -> impl Strategy<Value = Sid> {
    let authority = prop_oneof![0u64..20, (1u64 << 32)..(1 << 48)];
    let arbitrary =
        (authority, vec(any::<u32>(), 0..=15)).prop_map(|(authority, subs)| Sid::new(authority, &subs).unwrap());
    prop_oneof![arbitrary, familiar_sid()]
}

/// A SID that entries are likely to name.
pub(crate) fn familiar_sid() -> impl Strategy<Value = Sid> {
    let names: Vec<Sid> = crate::sid::named().map(|(sid, _)| sid).collect();
    prop_oneof![select(names), (498u32..530).prop_map(|rid| Sid::account([1, 2, 3], rid))]
}

/// Masks with a few bits, with generic bits, and any.
pub(crate) fn any_mask() -> impl Strategy<Value = AccessMask> {
    let likely =
        vec![0, 1, 0x12_0089, 0x12_01BF, 0x13_01BF, 0x1F_01FF, 0x1000_0000, 0x8000_0000, 0xE001_0000, 0x0200_0000];
    prop_oneof![select(likely), any::<u32>()].prop_map(AccessMask)
}

/// An entry for a DACL that the model understands.
pub(crate) fn access_ace() -> impl Strategy<Value = Ace> {
    let kind = select(vec![AceKind::Allow, AceKind::Deny]);
    (kind, any::<u8>(), any_mask(), any_sid())
        .prop_map(|(kind, flags, mask, sid)| Ace::known(kind, AceFlags(flags), mask, sid))
}

/// An entry for a SACL that the model understands.
pub(crate) fn system_ace() -> impl Strategy<Value = Ace> {
    let kind = select(vec![AceKind::Audit, AceKind::Label]);
    (kind, any::<u8>(), any_mask(), any_sid())
        .prop_map(|(kind, flags, mask, sid)| Ace::known(kind, AceFlags(flags), mask, sid))
}

/// An entry that the model does not understand.
pub(crate) fn opaque_ace() -> impl Strategy<Value = Ace> {
    let type_byte = prop_oneof![3u8..=0x10, 0x12u8..=255];
    (type_byte, any::<u8>(), vec(any::<[u8; 4]>(), 0..12)).prop_map(|(type_byte, flags, words)| {
        let body = words.concat().into_boxed_slice();
        Ace::Opaque(OpaqueAce { type_byte, flags: AceFlags(flags), body })
    })
}

/// A list of such entries.
pub(crate) fn acl_of(ace: impl Strategy<Value = Ace>) -> impl Strategy<Value = Acl> {
    vec(ace, 0..8).prop_map(Acl::new)
}

fn field_of(ace: impl Strategy<Value = Ace>) -> impl Strategy<Value = AclField> {
    prop_oneof![
        1 => Just(AclField::Absent),
        1 => Just(AclField::Null),
        6 => acl_of(ace).prop_map(AclField::Present),
    ]
}

/// A descriptor with every part there or not, and opaque entries among the rest.
pub(crate) fn any_descriptor() -> impl Strategy<Value = SecurityDescriptor> {
    let sids = (option::of(any_sid()), option::of(any_sid()));
    let dacl = field_of(prop_oneof![6 => access_ace(), 1 => opaque_ace()]);
    let sacl = field_of(prop_oneof![6 => system_ace(), 1 => opaque_ace()]);
    // The three bits that follow from the rest of the descriptor are not among those that it keeps.
    let control = any::<u16>().prop_map(|bits| Control(bits & !0x8014));
    (control, any::<u8>(), sids, dacl, sacl).prop_map(|(control, resource_manager, (owner, group), dacl, sacl)| {
        SecurityDescriptor { control, resource_manager, owner, group, dacl, sacl }
    })
}

/// A descriptor of which SDDL can say everything.
pub(crate) fn sayable_descriptor() -> impl Strategy<Value = SecurityDescriptor> {
    let sids = (option::of(any_sid()), option::of(any_sid()));
    // Either list may hold entries that belong into the other.
    let dacl = field_of(prop_oneof![6 => access_ace(), 1 => system_ace()]);
    let sacl = field_of(prop_oneof![1 => access_ace(), 6 => system_ace()]);
    (any::<u16>(), sids, dacl, sacl).prop_map(|(bits, (owner, group), dacl, sacl)| {
        let dacl_bits = if dacl == AclField::Absent { 0 } else { 0x1500 };
        let sacl_bits = if sacl == AclField::Absent { 0 } else { 0x2A00 };
        let control = Control(bits & (dacl_bits | sacl_bits));
        SecurityDescriptor { control, resource_manager: 0, owner, group, dacl, sacl }
    })
}
