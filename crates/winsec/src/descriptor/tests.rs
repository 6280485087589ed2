use proptest::prelude::*;

use super::*;
use crate::mask::AccessMask;
use crate::testing::any_descriptor;

/// A descriptor in another layout than ours: owner and group first, then a gap, then the DACL, as NTFS may have it.
const OTHER_LAYOUT: &[u8] = &[
    1, 0, 0x04, 0x94, 20, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 52, 0, 0, 0, // header: SR PD DI DP
    1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0, // owner: Administrators
    1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, // group: SYSTEM
    0xEE, 0xEE, 0xEE, 0xEE, // a gap
    2, 0, 28, 0, 1, 0, 0, 0, // DACL
    0, 3, 20, 0, 0xFF, 0x01, 0x1F, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, // SYSTEM: full, OI CI
];

#[test]
fn reads_another_layout_and_writes_its_own() {
    let read = SecurityDescriptor::parse(OTHER_LAYOUT).unwrap();
    let system = Ace::allow(Sid::SYSTEM, AccessMask::FILE_ALL_ACCESS).with_flags(AceFlags::INHERIT_ALL);
    let mut expected = SecurityDescriptor::new(Sid::ADMINISTRATORS, Sid::SYSTEM, Acl::new(vec![system]));
    expected.control = Control::DACL_PROTECTED | Control::DACL_AUTO_INHERITED;
    assert_eq!(read, expected);
    let ours = read.to_bytes().unwrap();
    assert_eq!(ours.len(), OTHER_LAYOUT.len() - 4);
    assert_eq!(SecurityDescriptor::parse(&ours), Ok(expected));
}

#[test]
fn absent_null_and_empty_are_three_things() {
    let with = |dacl| SecurityDescriptor { dacl, ..SecurityDescriptor::default() }.to_bytes().unwrap();
    let absent = with(AclField::Absent);
    let null = with(AclField::Null);
    let empty = with(AclField::Present(Acl::default()));
    assert_eq!((&absent[2..4], &null[2..4], &empty[2..4]), (&[0, 0x80][..], &[4, 0x80][..], &[4, 0x80][..]));
    assert_eq!((null[16], empty[16]), (0, 20));
    for (bytes, dacl) in
        [(absent, AclField::Absent), (null, AclField::Null), (empty, AclField::Present(Acl::default()))]
    {
        assert_eq!(SecurityDescriptor::parse(&bytes).unwrap().dacl, dacl);
    }
}

#[test]
fn a_list_that_is_said_not_to_be_there_is_not_read() {
    let mut bytes = SecurityDescriptor::default().to_bytes().unwrap();
    bytes[16] = 200;
    assert_eq!(SecurityDescriptor::parse(&bytes).unwrap().dacl, AclField::Absent);
    bytes[2] = 4;
    let beyond = DescriptorError::Offset { part: Part::Dacl, offset: 200, have: 20 };
    assert_eq!(SecurityDescriptor::parse(&bytes), Err(beyond));
}

#[test]
fn refuses_hostile_headers() {
    let good = SecurityDescriptor::default().to_bytes().unwrap();
    assert_eq!(SecurityDescriptor::parse(&good[..19]), Err(DescriptorError::Truncated(19)));
    let change = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        SecurityDescriptor::parse(&bytes)
    };
    assert_eq!(change(0, 2), Err(DescriptorError::Revision(2)));
    assert_eq!(change(3, 0), Err(DescriptorError::NotSelfRelative(0)));
    // Within the header, at the very end, and far beyond it.
    for (at, value, offset) in [(4, 8, 8), (4, 20, 20), (7, 0xFF, 0xFF00_0000)] {
        assert_eq!(change(at, value), Err(DescriptorError::Offset { part: Part::Owner, offset, have: 20 }));
    }
}

#[test]
fn the_label_is_the_first_and_not_one_for_children() {
    let for_children = Ace::label(Sid::INTEGRITY_HIGH, AccessMask::NO_WRITE_UP).with_flags(AceFlags::INHERIT_ONLY);
    let low = Ace::label(Sid::INTEGRITY_LOW, AccessMask::NO_WRITE_UP);
    let audit = Ace::known(AceKind::Audit, AceFlags::FAILURE, AccessMask(1), Sid::EVERYONE);
    let with = |aces: &[&Ace]| {
        let sacl = AclField::Present(Acl::new(aces.iter().copied().cloned().collect()));
        SecurityDescriptor { sacl, ..SecurityDescriptor::default() }
    };
    assert_eq!(with(&[&audit, &low, &for_children]).label(), low.as_known());
    assert_eq!(with(&[&for_children, &low]).label(), None);
    assert_eq!(SecurityDescriptor::default().label(), None);
}

proptest! {
    #[test]
    fn bytes_come_back(descriptor in any_descriptor()) {
        let bytes = descriptor.to_bytes().unwrap();
        let read = SecurityDescriptor::parse(&bytes).unwrap();
        prop_assert_eq!(&read, &descriptor);
        prop_assert_eq!(read.to_bytes().unwrap(), bytes);
    }

    /// One or two bytes of a good descriptor are changed: that reaches deeper into the parser than bytes at random.
    #[test]
    fn damaged_bytes_are_read_or_refused(
        descriptor in any_descriptor(),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..3),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut bytes = descriptor.to_bytes().unwrap();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        for end in [bytes.len(), cut.index(bytes.len())] {
            if let Ok(read) = SecurityDescriptor::parse(&bytes[..end]) {
                let written = read.to_bytes().unwrap();
                prop_assert_eq!(SecurityDescriptor::parse(&written), Ok(read));
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = bytes;
        if bytes.len() > 3 {
            bytes[0] = 1;
            bytes[3] |= 0x80;
        }
        if let Ok(read) = SecurityDescriptor::parse(&bytes) {
            prop_assert_eq!(SecurityDescriptor::parse(&read.to_bytes().unwrap()), Ok(read));
        }
    }
}
