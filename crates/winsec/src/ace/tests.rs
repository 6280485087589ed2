use proptest::prelude::*;

use super::*;
use crate::testing::{access_ace, opaque_ace, system_ace};

#[test]
fn reads_an_allow_entry() {
    let bytes = [0, 3, 20, 0, 0xBF, 0x01, 0x13, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 99];
    let expected = Ace::allow(Sid::EVERYONE, AccessMask(0x1301BF)).with_flags(AceFlags::INHERIT_ALL);
    assert_eq!(Ace::from_prefix(&bytes), Ok((expected, 20)));
}

#[test]
fn an_entry_with_bytes_after_its_sid_is_opaque() {
    let bytes = [0, 0, 24, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 7, 7, 7, 7];
    let (ace, size) = Ace::from_prefix(&bytes).unwrap();
    assert_eq!(size, 24);
    let Ace::Opaque(opaque) = &ace else { panic!("{ace:?}") };
    assert!(opaque.allows() && !opaque.denies());
    assert_eq!(opaque.mask(), Some(AccessMask(1)));
    let mut out = Vec::new();
    ace.write(&mut out).unwrap();
    assert_eq!(out, bytes);
}

#[test]
fn a_conditional_entry_is_opaque_and_denies() {
    let ace = OpaqueAce { type_byte: 0x0A, flags: AceFlags::NONE, body: vec![1, 0, 0, 0].into() };
    assert!(ace.denies() && !ace.allows());
    assert_eq!(ace.type_name(), "conditional access denied");
}

#[test]
fn refuses_entries_that_do_not_fit() {
    assert_eq!(Ace::from_prefix(&[0, 0, 8]), Err(AceError::Truncated));
    for stated in [0u8, 3, 6, 12] {
        let bytes = [0x77, 0, stated, 0, 1, 2, 3, 4];
        assert_eq!(Ace::from_prefix(&bytes), Err(AceError::Size { stated: stated.into(), left: 8 }), "{stated}");
    }
    // The SID says that it has two sub-authorities and the entry has room for one.
    let bytes = [0, 0, 20, 0, 1, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(Ace::from_prefix(&bytes), Err(AceError::Sid(crate::sid::SidError::Truncated { needed: 16, have: 12 })));
}

#[test]
fn an_opaque_body_must_fit_the_format() {
    for length in [3, 65_536] {
        let ace = Ace::Opaque(OpaqueAce { type_byte: 9, flags: AceFlags::NONE, body: vec![0; length].into() });
        assert_eq!(ace.write(&mut Vec::new()), Err(AceError::Body(length)));
    }
}

#[test]
fn flags_print_as_in_sddl() {
    assert_eq!(format!("{:?}", AceFlags(0x13)), "OI|CI|ID");
    assert_eq!(format!("{:?}", AceFlags::NONE), "-");
}

proptest! {
    #[test]
    fn bytes_come_back(ace in prop_oneof![access_ace(), system_ace(), opaque_ace()]) {
        let mut bytes = Vec::new();
        ace.write(&mut bytes).unwrap();
        prop_assert_eq!(bytes.len(), ace.byte_len());
        prop_assert_eq!(Ace::from_prefix(&bytes), Ok((ace, bytes.len())));
    }

    #[test]
    fn any_bytes_are_kept_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40), size in 0u8..44) {
        let mut bytes = bytes;
        if let Some(field) = bytes.get_mut(2) { *field = size; }
        if let Some(field) = bytes.get_mut(3) { *field = 0; }
        if let Ok((ace, size)) = Ace::from_prefix(&bytes) {
            let mut written = Vec::new();
            ace.write(&mut written).unwrap();
            prop_assert_eq!(written, &bytes[..size]);
        }
    }
}
