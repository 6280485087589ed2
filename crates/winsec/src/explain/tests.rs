//! The words. That they fit the verdict is a property in `tests/check.rs`.

use super::*;
use crate::check::check;
use crate::sddl::{self, Domains};
use crate::token::{Group, Restriction};
use crate::{ObjectType, Sid};

const USER: Sid = Sid::account([1, 2, 3], 1001);
const CAPABILITY: Sid = Sid::capability([1, 2, 3, 4, 5, 6, 7, 8]);

fn object(text: &str) -> SecurityDescriptor {
    sddl::parse(text, &Domains::default()).unwrap()
}

fn guarded() -> Token {
    let how = Restriction { restricting: &[CAPABILITY, Sid::EVERYONE], write_restricted: true, ..Restriction::NONE };
    Token::plain(USER, &[Sid::EVERYONE, Sid::USERS]).restricted(&how).unwrap()
}

fn words(token: &Token, descriptor: &str, rights: AccessMask) -> String {
    let descriptor = object(descriptor);
    let request = Request::new(ObjectType::File, rights);
    let explanation = explain(token, &descriptor, request);
    assert_eq!(explanation.verdict, check(token, &descriptor, request));
    explanation.to_string()
}

#[test]
fn a_missing_grant_in_the_restricting_pass() {
    let text = words(&guarded(), "O:SYD:(A;;FA;;;SY)(A;;FA;;;S-1-5-21-1-2-3-1001)", AccessMask::FILE_WRITE_DATA);
    insta::assert_snapshot!(text, @r#"
    refused for the restricting SIDs: no entry grants FILE_WRITE_DATA to a restricting SID
      asked: FILE_WRITE_DATA
      for the user and the groups: entry 1 (A;;FA;;;S-1-5-21-1-2-3-1001) grants FILE_WRITE_DATA to account S-1-5-21-1-2-3-1001
      for the restricting SIDs: no entry grants FILE_WRITE_DATA
    "#);
}

#[test]
fn the_hole_of_write_restricted_tokens() {
    let text = words(&guarded(), "O:SYD:(A;;FA;;;S-1-5-21-1-2-3-1001)", AccessMask::FILE_DELETE_CHILD);
    insta::assert_snapshot!(text, @r#"
    granted: FILE_DELETE_CHILD
      asked: FILE_DELETE_CHILD
      for the user and the groups: entry 0 (A;;FA;;;S-1-5-21-1-2-3-1001) grants FILE_DELETE_CHILD to account S-1-5-21-1-2-3-1001
      no write-type right was asked for, so the restricting SIDs of this write-restricted token were not asked
    "#);
}

#[test]
fn a_denying_entry() {
    let mut token = Token::plain(USER, &[Sid::EVERYONE]);
    token.groups.push(Group::deny_only(Sid::ADMINISTRATORS));
    let text = words(&token, "O:SYD:(A;;FR;;;WD)(D;;FA;;;BA)(A;;FA;;;WD)", AccessMask::FILE_GENERIC_WRITE);
    insta::assert_snapshot!(text, @r#"
    refused for the user and the groups: entry 1 (D;;FA;;;BA) denies FILE_WRITE_DATA, FILE_APPEND_DATA, FILE_WRITE_EA, FILE_WRITE_ATTRIBUTES to Administrators
      asked: FILE_WRITE_DATA, FILE_APPEND_DATA, FILE_WRITE_EA, FILE_WRITE_ATTRIBUTES, READ_CONTROL, SYNCHRONIZE
      for the user and the groups: entry 0 (A;;FR;;;WD) grants READ_CONTROL, SYNCHRONIZE to Everyone
      for the user and the groups: entry 1 (D;;FA;;;BA) denies FILE_WRITE_DATA, FILE_APPEND_DATA, FILE_WRITE_EA, FILE_WRITE_ATTRIBUTES to Administrators
    "#);
}

#[test]
fn a_label() {
    let low = Token { integrity: Integrity::LOW, ..Token::plain(USER, &[Sid::EVERYONE]) };
    let rights = AccessMask::FILE_READ_DATA | AccessMask::FILE_DELETE_CHILD;
    insta::assert_snapshot!(words(&low, "O:SYD:(A;;FA;;;WD)", rights), @r#"
    refused: the object is without a label, which counts as Medium (no write up), above the token's Low, so FILE_DELETE_CHILD cannot be had
      asked: FILE_READ_DATA, FILE_DELETE_CHILD
      the object is without a label, which counts as Medium (no write up), above the token's Low
    "#);
    insta::assert_snapshot!(words(&low, "O:SYD:(A;;FA;;;WD)S:(ML;;NWNR;;;HI)", AccessMask::FILE_READ_DATA), @r#"
    refused: the object is labelled High (no write up, no read up), above the token's Low, so FILE_READ_DATA cannot be had
      asked: FILE_READ_DATA
      the object is labelled High (no write up, no read up), above the token's Low
    "#);
}

#[test]
fn an_owner() {
    let text = words(&Token::plain(USER, &[]), "O:S-1-5-21-1-2-3-1001D:", AccessMask::MAXIMUM_ALLOWED);
    insta::assert_snapshot!(text, @r#"
    granted: READ_CONTROL, WRITE_DAC
      asked: everything that can be had
      account S-1-5-21-1-2-3-1001 owns the object, which gives READ_CONTROL, WRITE_DAC
    "#);
    let text = words(&Token::plain(USER, &[]), "O:S-1-5-21-1-2-3-1001D:(A;;FR;;;OW)", AccessMask::WRITE_DAC);
    insta::assert_snapshot!(text, @r#"
    refused for the user and the groups: no entry grants WRITE_DAC to the user or an enabled group
      asked: WRITE_DAC
      account S-1-5-21-1-2-3-1001 owns the object; entry 0 (A;;FR;;;OW) replaces what that would give
      for the user and the groups: no entry grants WRITE_DAC
    "#);
}

#[test]
fn a_package() {
    let app = Token::plain(USER, &[Sid::EVERYONE]).in_container(Sid::package([1, 2, 3, 4, 5, 6, 7]), &[], true);
    let text = words(&app, "O:SYD:(A;;FR;;;WD)(A;;FR;;;AC)", AccessMask::FILE_READ_DATA);
    insta::assert_snapshot!(text, @r#"
    refused for the AppContainer: no entry grants FILE_READ_DATA to the package or a capability
      asked: FILE_READ_DATA
      for the user and the groups: entry 0 (A;;FR;;;WD) grants FILE_READ_DATA to Everyone
      for the AppContainer: no entry grants FILE_READ_DATA
    "#);
}

#[test]
fn a_privilege() {
    let text = words(&Token::plain(USER, &[]), "O:SYD:NO_ACCESS_CONTROL", AccessMask::ACCESS_SYSTEM_SECURITY);
    insta::assert_snapshot!(text, @r#"
    refused: ACCESS_SYSTEM_SECURITY is given by SeSecurityPrivilege only, which the token does not have enabled
      asked: ACCESS_SYSTEM_SECURITY
      SeSecurityPrivilege, which alone gives ACCESS_SYSTEM_SECURITY, is missing
    "#);
}

#[test]
fn nothing() {
    insta::assert_snapshot!(words(&guarded(), "O:SYD:", AccessMask::NONE), @r#"
    refused: no right was asked for
      asked: nothing
    "#);
    insta::assert_snapshot!(words(&guarded(), "O:SYD:", AccessMask::MAXIMUM_ALLOWED), @r#"
    refused: there is no right to be had
      asked: everything that can be had
    "#);
}
