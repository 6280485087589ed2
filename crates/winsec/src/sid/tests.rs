use proptest::prelude::*;

use super::*;
use crate::testing::any_sid;

#[test]
fn reads_and_writes_the_bytes_of_the_specification() {
    // S-1-5-32-544: revision, count, authority with the high byte first, sub-authorities with the low byte first.
    let bytes = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
    assert_eq!(Sid::ADMINISTRATORS.to_bytes(), bytes);
    assert_eq!(Sid::from_prefix(&bytes), Ok(Sid::ADMINISTRATORS));
    assert_eq!(Sid::ADMINISTRATORS.to_string(), "S-1-5-32-544");
}

#[test]
fn writes_large_authorities_in_hexadecimal() {
    let large = Sid::new(0x1234_5678_9ABC, &[1]).unwrap();
    assert_eq!(large.to_string(), "S-1-0x123456789ABC-1");
    assert_eq!("S-1-0x123456789abc-1".parse(), Ok(large));
    assert_eq!(Sid::new(u64::from(u32::MAX), &[]).unwrap().to_string(), "S-1-4294967295");
    assert_eq!(Sid::new(1 << 32, &[]).unwrap().to_string(), "S-1-0x000100000000");
}

#[test]
fn refuses_what_is_not_a_sid() {
    for text in [
        "",
        "S",
        "S-1",
        "S-1-",
        "S-2-5",
        "S-1-5-",
        "S-1-5--1",
        "S-1-5-+1",
        "S-1-5- 1",
        "S-1-5-4294967296",
        "S-1-0x",
        "BA",
    ] {
        assert!(text.parse::<Sid>().is_err(), "{text:?}");
    }
    assert!("S-1-0x1000000000000".parse::<Sid>().is_err(), "an authority of 49 bits");
    let sixteen = format!("S-1-5{}", "-1".repeat(16));
    assert_eq!(sixteen.parse::<Sid>(), Err(SidError::TooManySubAuthorities(16)));
    assert!(format!("S-1-5{}", "-1".repeat(1 << 20)).parse::<Sid>().is_err());
    assert_eq!("S-1-5-x".parse::<Sid>(), Err(SidError::Text { position: 6, expected: "a sub-authority below 2^32" }));
}

#[test]
fn refuses_hostile_bytes() {
    assert_eq!(Sid::from_prefix(&[]), Err(SidError::Truncated { needed: 8, have: 0 }));
    assert_eq!(Sid::from_prefix(&[2, 0, 0, 0, 0, 0, 0, 5]), Err(SidError::Revision(2)));
    assert_eq!(Sid::from_prefix(&[1, 16, 0, 0, 0, 0, 0, 5]), Err(SidError::TooManySubAuthorities(16)));
    assert_eq!(Sid::from_prefix(&[1, 2, 0, 0, 0, 0, 0, 5, 0, 0]), Err(SidError::Truncated { needed: 16, have: 10 }));
    assert_eq!(Sid::from_prefix(&[1, 0, 0, 0]), Err(SidError::Truncated { needed: 8, have: 4 }));
}

#[test]
fn knows_the_kinds() {
    assert_eq!(Sid::account([1, 2, 3], 1001).to_string(), "S-1-5-21-1-2-3-1001");
    assert_eq!(Sid::account([1, 2, 3], 1001).domain_of(), Some(Sid::domain([1, 2, 3])));
    assert!(Sid::logon(0, 99).is_logon() && !Sid::SERVICE.is_logon());
    assert!(Sid::package([1; 7]).is_package() && !Sid::ALL_APPLICATION_PACKAGES.is_capability());
    assert!(Sid::capability([9; 8]).is_capability() && Sid::numbered_capability(1).is_capability());
    assert_eq!(Sid::integrity(0x2000), Sid::INTEGRITY_MEDIUM);
    assert_eq!(Sid::INTEGRITY_HIGH.integrity_level(), Some(0x3000));
    assert_eq!(Sid::EVERYONE.integrity_level(), None);
}

#[test]
fn all_application_packages_is_no_package() {
    // S-1-15-2-1 is a group of packages: taking it for one would let a container be everyone.
    assert!(!Sid::ALL_APPLICATION_PACKAGES.is_package());
    assert!(!Sid::ALL_RESTRICTED_APPLICATION_PACKAGES.is_package());
}

#[test]
fn well_known_names_are_distinct_and_go_both_ways() {
    let all: Vec<_> = named().collect();
    for (index, (sid, name)) in all.iter().enumerate() {
        assert_eq!(Sid::from_well_known_name(name), Some(*sid));
        assert_eq!(sid.well_known_name(), Some(*name));
        assert!(all.iter().skip(index + 1).all(|(other, _)| other != sid), "{sid} twice");
    }
    assert_eq!(Sid::from_well_known_name("everyone"), Some(Sid::EVERYONE));
    assert_eq!(Sid::SYSTEM.describe(), "SYSTEM");
    assert_eq!(Sid::account([1, 2, 3], 1001).describe(), "account S-1-5-21-1-2-3-1001");
}

proptest! {
    #[test]
    fn bytes_come_back(sid in any_sid(), after in proptest::collection::vec(any::<u8>(), 0..9)) {
        let mut bytes = sid.to_bytes();
        prop_assert_eq!(bytes.len(), sid.byte_len());
        bytes.extend(after);
        prop_assert_eq!(Sid::from_prefix(&bytes), Ok(sid));
    }

    #[test]
    fn text_comes_back(sid in any_sid()) {
        prop_assert_eq!(sid.to_string().parse(), Ok(sid));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..90)) {
        if let Ok(sid) = Sid::from_prefix(&bytes) {
            prop_assert_eq!(sid.to_bytes(), &bytes[..sid.byte_len()]);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in r"(S-1-)?[0-9a-fA-FxX+\- ]{0,40}") {
        if let Ok(sid) = text.parse::<Sid>() {
            prop_assert_eq!(sid.to_string().parse(), Ok(sid));
        }
    }
}
