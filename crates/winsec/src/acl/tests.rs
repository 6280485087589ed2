use proptest::prelude::*;

use super::*;
use crate::ace::{AceFlags, OpaqueAce};
use crate::mask::AccessMask;
use crate::sid::Sid;
use crate::testing::{access_ace, acl_of, opaque_ace};

const ALL: AccessMask = AccessMask::FILE_ALL_ACCESS;

fn inherited(ace: Ace) -> Ace {
    ace.with_flags(AceFlags::INHERITED)
}

#[test]
fn an_empty_list_has_eight_bytes() {
    assert_eq!(Acl::default().to_bytes().unwrap(), [2, 0, 8, 0, 0, 0, 0, 0]);
    assert_eq!(Acl::from_prefix(&[2, 0, 8, 0, 0, 0, 0, 0]), Ok(Acl::default()));
}

#[test]
fn spare_bytes_after_the_last_entry_are_dropped() {
    let acl = Acl::from_prefix(&[2, 0, 12, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5]).unwrap();
    assert_eq!(acl, Acl::default());
}

#[test]
fn refuses_what_lies() {
    assert_eq!(Acl::from_prefix(&[2, 0, 8]), Err(AclError::Truncated));
    assert_eq!(Acl::from_prefix(&[9, 0, 8, 0, 0, 0, 0, 0]), Err(AclError::Revision(9)));
    assert_eq!(Acl::from_prefix(&[2, 0, 7, 0, 0, 0, 0, 0]), Err(AclError::Size { stated: 7, have: 8 }));
    assert_eq!(Acl::from_prefix(&[2, 0, 9, 0, 0, 0, 0, 0]), Err(AclError::Size { stated: 9, have: 8 }));
    let lie = Acl::from_prefix(&[2, 0, 8, 0, 0xFF, 0xFF, 0, 0]);
    assert_eq!(lie, Err(AclError::Ace { index: 0, error: AceError::Truncated }));
}

#[test]
fn a_list_has_an_upper_limit() {
    let acl = Acl::new(vec![Ace::allow(Sid::EVERYONE, ALL); 3_300]);
    assert_eq!(acl.to_bytes(), Err(AclError::TooLarge(8 + 20 * 3_300)));
    assert!(Acl::new(vec![Ace::allow(Sid::EVERYONE, ALL); 3_276]).to_bytes().is_ok());
}

#[test]
fn canonical_order_is_deny_then_allow_then_inherited() {
    let deny = Ace::deny(Sid::USERS, ALL);
    let allow = Ace::allow(Sid::EVERYONE, ALL);
    let sorted = Acl::new(vec![deny.clone(), allow.clone(), inherited(allow.clone()), inherited(deny.clone())]);
    assert!(sorted.is_canonical());
    let mixed = Acl::new(vec![inherited(allow.clone()), allow, inherited(deny.clone()), deny]);
    assert!(!mixed.is_canonical());
    assert_eq!(mixed.canonical(), sorted);
    assert_eq!(Acl::from_prefix(&mixed.to_bytes().unwrap()), Ok(mixed), "another order is kept");
}

#[test]
fn object_entries_need_another_revision() {
    let object = Ace::Opaque(OpaqueAce { type_byte: 5, flags: AceFlags::NONE, body: vec![0; 8].into() });
    let acl = Acl::new(vec![object]);
    assert_eq!(acl.revision, REVISION_DS);
    assert!(acl.has_opaque());
}

proptest! {
    #[test]
    fn bytes_come_back(acl in acl_of(prop_oneof![access_ace(), opaque_ace()])) {
        let bytes = acl.to_bytes().unwrap();
        prop_assert_eq!(bytes.len(), acl.byte_len());
        prop_assert_eq!(Acl::from_prefix(&bytes), Ok(acl));
    }

    #[test]
    fn sorting_is_canonical_and_keeps_every_entry(acl in acl_of(access_ace())) {
        let sorted = acl.canonical();
        prop_assert!(sorted.is_canonical());
        prop_assert_eq!(sorted.canonical(), sorted.clone());
        for ace in &acl.aces {
            let count = |list: &Acl| list.aces.iter().filter(|other| *other == ace).count();
            prop_assert_eq!(count(&acl), count(&sorted));
        }
        if acl.is_canonical() {
            prop_assert_eq!(acl, sorted);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), count in 0u8..9) {
        let mut bytes = bytes;
        let length = bytes.len() as u8;
        for (at, value) in [(0, 2), (2, length), (3, 0), (4, count), (5, 0)] {
            if let Some(byte) = bytes.get_mut(at) { *byte = value; }
        }
        if let Ok(acl) = Acl::from_prefix(&bytes) {
            prop_assert!(acl.byte_len() <= bytes.len());
            let written = acl.to_bytes().unwrap();
            prop_assert_eq!(Acl::from_prefix(&written), Ok(acl));
        }
    }
}
