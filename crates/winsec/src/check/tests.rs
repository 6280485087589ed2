//! What the model does not know, and single rules. The whole is held against a second implementation in `tests/check.rs`.

use super::*;
use crate::AclField;
use crate::ace::{AceFlags, OpaqueAce};
use crate::token::{Group, Integrity, Restriction};

const USER: Sid = Sid::account([1, 2, 3], 1001);
const CAPABILITY: Sid = Sid::capability([1, 2, 3, 4, 5, 6, 7, 8]);
const READ: AccessMask = AccessMask::FILE_READ_DATA;
const WRITE: AccessMask = AccessMask::FILE_WRITE_DATA;

fn user() -> Token {
    Token::plain(USER, &[Sid::EVERYONE, Sid::USERS])
}

fn object(aces: Vec<Ace>) -> SecurityDescriptor {
    SecurityDescriptor::new(Sid::SYSTEM, Sid::SYSTEM, Acl::new(aces))
}

/// An entry of this type for this mask, whatever its condition says.
fn opaque(type_byte: u8, mask: AccessMask) -> Ace {
    let mut body = mask.bits().to_le_bytes().to_vec();
    body.extend(Sid::EVERYONE.to_bytes());
    Ace::Opaque(OpaqueAce { type_byte, flags: AceFlags::NONE, body: body.into() })
}

fn ask(token: &Token, descriptor: &SecurityDescriptor, rights: AccessMask) -> Verdict {
    check(token, descriptor, Request::file(rights))
}

const CONDITIONAL_ALLOW: u8 = 0x09;
const CONDITIONAL_DENY: u8 = 0x0A;

#[test]
fn a_conditional_entry_is_unknown_only_where_it_could_decide() {
    let unknown = |index, type_byte| Verdict::Unknown(Unknown::Entry { index, type_byte });
    for kind in [CONDITIONAL_ALLOW, CONDITIONAL_DENY] {
        let before = object(vec![opaque(kind, READ), Ace::allow(USER, READ)]);
        assert_eq!(ask(&user(), &before, READ), unknown(0, kind));
        assert_eq!(ask(&user(), &before, AccessMask::MAXIMUM_ALLOWED), unknown(0, kind));
        let decided = object(vec![Ace::allow(USER, READ), opaque(kind, READ)]);
        assert_eq!(ask(&user(), &decided, READ), Verdict::Granted(READ));
        let refused = object(vec![Ace::deny(USER, READ), opaque(kind, READ)]);
        assert_eq!(ask(&user(), &refused, READ), Verdict::Denied);
        let of_other_rights = object(vec![opaque(kind, WRITE), Ace::allow(USER, READ)]);
        assert_eq!(ask(&user(), &of_other_rights, READ), Verdict::Granted(READ));
    }
    // An entry of a type that nobody has heard of may have no mask where one is expected.
    let unheard = Ace::Opaque(OpaqueAce { type_byte: 0x77, flags: AceFlags::NONE, body: [0u8; 4].into() });
    assert_eq!(ask(&user(), &object(vec![unheard]), READ), unknown(0, 0x77));
    // Audit entries in a DACL have no say.
    let audit = opaque(0x0D, AccessMask::FILE_ALL_ACCESS);
    assert_eq!(ask(&user(), &object(vec![audit, Ace::allow(USER, READ)]), READ), Verdict::Granted(READ));
}

#[test]
fn a_pass_that_refuses_for_certain_outweighs_one_that_does_not_know() {
    let token = user().restricted(&Restriction { restricting: &[CAPABILITY], ..Restriction::NONE }).unwrap();
    let aces = vec![Ace::deny(CAPABILITY, READ), opaque(CONDITIONAL_ALLOW, READ), Ace::allow(USER, READ)];
    // The token pass meets the conditional entry, the restricting pass the denying one.
    assert_eq!(ask(&token, &object(aces), READ), Verdict::Denied);
}

#[test]
fn a_conditional_entry_may_be_for_owner_rights() {
    let mut descriptor = object(vec![opaque(CONDITIONAL_ALLOW, WRITE)]);
    descriptor.owner = Some(USER);
    let verdict = ask(&user(), &descriptor, AccessMask::READ_CONTROL);
    assert_eq!(verdict, Verdict::Unknown(Unknown::Entry { index: 0, type_byte: CONDITIONAL_ALLOW }));
    assert_eq!(ask(&user(), &descriptor, READ), Verdict::Denied);
}

#[test]
fn what_can_refuse_from_the_sacl_makes_a_grant_unknown_and_a_refusal_stay() {
    let mut descriptor = object(vec![Ace::allow(USER, READ)]);
    let policy = |type_byte| AclField::Present(Acl::new(vec![opaque(type_byte, AccessMask::NONE)]));
    for (type_byte, matters) in [(0x13, true), (0x14, true), (0x15, true), (0x40, true), (0x12, false), (0x0D, false)] {
        descriptor.sacl = policy(type_byte);
        let expected = match matters {
            true => Verdict::Unknown(Unknown::SystemEntry { index: 0, type_byte }),
            false => Verdict::Granted(READ),
        };
        assert_eq!(ask(&user(), &descriptor, READ), expected, "{type_byte:#x}");
        assert_eq!(ask(&user(), &descriptor, WRITE), Verdict::Denied);
    }
}

#[test]
fn a_label_that_is_no_level_is_unknown() {
    let mut descriptor = object(vec![Ace::allow(USER, READ)]);
    let not_a_level = Ace::label(Sid::EVERYONE, AccessMask::NO_WRITE_UP);
    descriptor.sacl = AclField::Present(Acl::new(vec![not_a_level]));
    assert_eq!(ask(&user(), &descriptor, READ), Verdict::Unknown(Unknown::Label { index: 0 }));
    assert_eq!(ask(&user(), &descriptor, WRITE), Verdict::Denied);
}

/// Finding 1 of the Windows facts, at its root: the right that deletes through the parent is no write-type right.
#[test]
fn write_restricted_tokens_keep_delete_child() {
    let how = Restriction { restricting: &[CAPABILITY], write_restricted: true, ..Restriction::NONE };
    let token = user().restricted(&how).unwrap();
    let directory = object(vec![Ace::allow(USER, AccessMask::FILE_ALL_ACCESS)]);
    assert!(ask(&token, &directory, AccessMask::FILE_DELETE_CHILD).is_granted());
    assert!(ask(&token, &directory, AccessMask::FILE_GENERIC_READ).is_granted());
    for write in [AccessMask::DELETE, AccessMask::WRITE_DAC, AccessMask::WRITE_OWNER, AccessMask::FILE_ADD_FILE] {
        assert!(ask(&token, &directory, write).is_denied(), "{write}");
        // All or nothing: the read right in the same request is refused with it.
        assert!(ask(&token, &directory, write | AccessMask::FILE_DELETE_CHILD).is_denied());
    }
    // A Low label on the directory's subject closes it: the right is outside read, write and execute.
    let low = Token { integrity: Integrity::LOW, ..token };
    assert!(ask(&low, &directory, AccessMask::FILE_DELETE_CHILD).is_denied());
}

#[test]
fn a_write_restricted_token_without_sids_writes_nowhere() {
    let token = user().restricted(&Restriction { write_restricted: true, ..Restriction::NONE }).unwrap();
    let open_to_all = object(vec![Ace::allow(Sid::EVERYONE, AccessMask::FILE_ALL_ACCESS)]);
    assert!(ask(&token, &open_to_all, READ).is_granted());
    assert!(ask(&token, &open_to_all, WRITE).is_denied());
}

#[test]
fn owner_rights_replace_what_owning_gives() {
    let mut descriptor = object(vec![]);
    descriptor.owner = Some(USER);
    assert!(ask(&user(), &descriptor, AccessMask::WRITE_DAC).is_granted());
    descriptor.dacl = Acl::new(vec![Ace::allow(Sid::OWNER_RIGHTS, AccessMask::READ_CONTROL)]).into();
    assert!(ask(&user(), &descriptor, AccessMask::READ_CONTROL).is_granted());
    assert!(ask(&user(), &descriptor, AccessMask::WRITE_DAC).is_denied());
    let for_children =
        Ace::allow(Sid::OWNER_RIGHTS, READ).with_flags(AceFlags::INHERIT_ONLY | AceFlags::OBJECT_INHERIT);
    descriptor.dacl = Acl::new(vec![for_children]).into();
    assert!(ask(&user(), &descriptor, AccessMask::WRITE_DAC).is_granted());
}

#[test]
fn a_package_needs_an_entry_of_its_own() {
    let package = Sid::package([1, 2, 3, 4, 5, 6, 7]);
    let app = user().in_container(package, &[CAPABILITY], false);
    let less = user().in_container(package, &[CAPABILITY], true);
    let mine = |sid| object(vec![Ace::allow(USER, READ), Ace::allow(sid, READ)]);
    for sid in [package, CAPABILITY, Sid::ALL_RESTRICTED_APPLICATION_PACKAGES] {
        assert!(ask(&app, &mine(sid), READ).is_granted() && ask(&less, &mine(sid), READ).is_granted(), "{sid}");
    }
    assert!(ask(&app, &mine(Sid::ALL_APPLICATION_PACKAGES), READ).is_granted());
    assert!(ask(&less, &mine(Sid::ALL_APPLICATION_PACKAGES), READ).is_denied());
    // Neither owning nor the absence of a DACL helps.
    let owned = SecurityDescriptor { owner: Some(USER), ..object(vec![]) };
    assert!(ask(&app, &owned, AccessMask::READ_CONTROL).is_denied());
    for dacl in [AclField::Null, AclField::Absent] {
        assert!(ask(&app, &SecurityDescriptor { dacl, ..object(vec![]) }, READ).is_denied());
    }
    // Above Medium the label stops it, whatever the DACL grants.
    let mut high = mine(package);
    let label = Ace::label(Integrity::HIGH.sid(), AccessMask::NO_WRITE_UP | AccessMask::NO_READ_UP);
    high.sacl = Acl::new(vec![label]).into();
    assert!(ask(&app, &high, READ).is_denied());
}

#[test]
fn deny_only_groups_still_deny() {
    let mut token = user();
    token.groups.push(Group::deny_only(Sid::ADMINISTRATORS));
    let all = AccessMask::FILE_ALL_ACCESS;
    assert!(ask(&token, &object(vec![Ace::allow(Sid::ADMINISTRATORS, all)]), READ).is_denied());
    let denied = object(vec![Ace::deny(Sid::ADMINISTRATORS, READ), Ace::allow(USER, all)]);
    assert!(ask(&token, &denied, READ).is_denied() && ask(&token, &denied, WRITE).is_granted());
}

#[test]
fn verdicts_compose() {
    let granted = |bits| Verdict::Granted(AccessMask(bits));
    let unknown = Verdict::Unknown(Unknown::Label { index: 0 });
    assert_eq!(granted(1).and(granted(2)), granted(3));
    assert_eq!(unknown.and(Verdict::Denied), Verdict::Denied);
    assert_eq!(unknown.and(granted(1)), unknown);
    assert_eq!(unknown.or(granted(1)), granted(1));
    assert_eq!(unknown.or(Verdict::Denied), unknown);
    assert_eq!(Verdict::Denied.or(Verdict::Denied), Verdict::Denied);
}

#[test]
fn no_entry_grants_what_only_a_privilege_gives() {
    let sacl = AccessMask::ACCESS_SYSTEM_SECURITY;
    let descriptor = object(vec![Ace::allow(USER, READ | sacl | AccessMask::MAXIMUM_ALLOWED)]);
    assert_eq!(ask(&user(), &descriptor, AccessMask::MAXIMUM_ALLOWED), Verdict::Granted(READ));
    assert_eq!(ask(&user(), &descriptor, sacl), Verdict::Denied);
}

/// What owning gives is no longer asked for when the restricting SIDs' turn comes (MS-DTYP 2.5.3.2 removes it first).
#[test]
fn what_the_owner_has_does_not_call_for_the_second_pass() {
    let how = Restriction { restricting: &[USER], write_restricted: true, ..Restriction::NONE };
    let token = user().restricted(&how).unwrap();
    let mut descriptor = object(vec![Ace::allow(Sid::EVERYONE, READ)]);
    descriptor.owner = Some(USER);
    let both = AccessMask::WRITE_DAC | READ;
    assert_eq!(ask(&token, &descriptor, both), Verdict::Granted(both));
    assert_eq!(ask(&token, &descriptor, both | AccessMask::DELETE), Verdict::Denied);
}
