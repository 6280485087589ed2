use super::*;

const USER: Sid = Sid::account([1, 2, 3], 1001);
const CAPABILITY: Sid = Sid::capability([1, 2, 3, 4, 5, 6, 7, 8]);
const LOGON: Sid = Sid::logon(0, 99);

fn user() -> Token {
    let mut token = Token::plain(USER, &[Sid::EVERYONE, Sid::USERS]);
    token.groups.push(Group::logon(LOGON));
    token.groups.push(Group::owner(Sid::ADMINISTRATORS));
    token.privileges = token.privileges.with(Privilege::Shutdown).with_disabled(Privilege::Debug);
    token
}

fn restricting(sids: &[Sid]) -> Restriction<'_> {
    Restriction { restricting: sids, ..Restriction::NONE }
}

#[test]
fn disabled_sids_only_deny_and_absent_ones_are_ignored() {
    let how = Restriction { disable: &[USER, LOGON, Sid::GUESTS], ..Restriction::NONE };
    let token = user().restricted(&how).unwrap();
    for sid in [USER, LOGON] {
        assert!(!token.allows_as(&sid) && token.denies_as(&sid), "{sid}");
    }
    assert!(!token.denies_as(&Sid::GUESTS));
    assert!(token.allows_as(&Sid::USERS));
    assert!(!token.is_restricted());
}

#[test]
fn a_disabled_group_is_not_seen() {
    let mut token = user();
    token.groups[0].used = GroupUse::Disabled;
    assert!(!token.allows_as(&Sid::EVERYONE) && !token.denies_as(&Sid::EVERYONE));
}

#[test]
fn dropping_the_maximum_leaves_one_privilege() {
    let how = Restriction { remove: Removal::AllButChangeNotify, ..Restriction::NONE };
    let left: Vec<_> = user().restricted(&how).unwrap().privileges.iter().collect();
    assert_eq!(left, [(Privilege::ChangeNotify, true)]);
    let these = Privileges::NONE.with(Privilege::Debug);
    let how = Restriction { remove: Removal::These(these), ..Restriction::NONE };
    let left = user().restricted(&how).unwrap().privileges;
    assert!(!left.is_held(Privilege::Debug) && left.is_enabled(Privilege::Shutdown));
}

#[test]
fn restricting_twice_intersects() {
    let once = user().restricted(&restricting(&[CAPABILITY, Sid::EVERYONE, CAPABILITY])).unwrap();
    assert_eq!(once.restricting.as_ref().unwrap().sids, [CAPABILITY, Sid::EVERYONE]);
    let twice = once.restricted(&restricting(&[LOGON, Sid::EVERYONE])).unwrap();
    assert_eq!(twice.restricting.unwrap().sids, [Sid::EVERYONE]);
    // Without a new list the old one stays.
    assert_eq!(once.restricted(&Restriction::NONE).unwrap().restricting, once.restricting);
}

#[test]
fn restricting_to_nothing_is_refused_as_windows_refuses_it() {
    let once = user().restricted(&restricting(&[CAPABILITY])).unwrap();
    let error = once.restricted(&restricting(&[LOGON])).unwrap_err();
    insta::assert_snapshot!(error, @"restricting a token: it is restricted already, to capability S-1-15-3-1-2-3-4-5-6-7-8, and the new list, logon session S-1-5-5-0-99, has none of them in common. Windows refuses that with error 87. Start from a process that is not itself in a sandbox");
    // A write-restricted token without SIDs has nothing in common with any list.
    let none = user().restricted(&Restriction { write_restricted: true, ..Restriction::NONE }).unwrap();
    assert_eq!(none.restricting, Some(Restricting { sids: vec![], writes_only: true }));
    assert!(none.restricted(&restricting(&[LOGON])).is_err());
}

#[test]
fn a_token_restricted_for_writing_only_can_be_restricted_further_but_not_loosened() {
    let writes = Restriction { write_restricted: true, ..restricting(&[CAPABILITY]) };
    let full = user().restricted(&restricting(&[CAPABILITY])).unwrap();
    assert!(!full.restricted(&writes).unwrap().restricting.unwrap().writes_only);
    let partly = user().restricted(&writes).unwrap();
    assert!(partly.restricting.as_ref().unwrap().writes_only);
    assert!(!partly.restricted(&restricting(&[CAPABILITY])).unwrap().restricting.unwrap().writes_only);
}

#[test]
fn only_itself_and_owner_groups_can_be_made_the_owner() {
    let token = user();
    assert!(token.may_assign_owner(&USER) && token.may_assign_owner(&Sid::ADMINISTRATORS));
    assert!(!token.may_assign_owner(&Sid::USERS) && !token.may_assign_owner(&Sid::SYSTEM));
    let how = Restriction { disable: &[Sid::ADMINISTRATORS, USER], ..Restriction::NONE };
    let token = token.restricted(&how).unwrap();
    assert!(!token.may_assign_owner(&USER) && !token.may_assign_owner(&Sid::ADMINISTRATORS));
}

#[test]
fn a_container_runs_at_low() {
    let package = Sid::package([1, 2, 3, 4, 5, 6, 7]);
    let token = user().in_container(package, &[CAPABILITY], true);
    assert_eq!(token.integrity, Integrity::LOW);
    let untrusted = Token { integrity: Integrity::UNTRUSTED, ..user() };
    assert_eq!(untrusted.in_container(package, &[], false).integrity, Integrity::UNTRUSTED);
}

#[test]
fn the_json_of_a_token_is_readable_and_comes_back() {
    let writes = Restriction { write_restricted: true, ..restricting(&[CAPABILITY]) };
    let token = user().restricted(&writes).unwrap();
    let json = serde_json::to_string(&token).unwrap();
    insta::assert_snapshot!(json, @r#"{"user":"S-1-5-21-1-2-3-1001","groups":[{"sid":"S-1-1-0","use":"enabled","mandatory":true},{"sid":"S-1-5-32-545","use":"enabled","mandatory":true},{"sid":"S-1-5-5-0-99","use":"enabled","logon":true,"mandatory":true},{"sid":"S-1-5-32-544","use":"enabled","owner":true,"mandatory":true}],"restricting":{"sids":["S-1-15-3-1-2-3-4-5-6-7-8"],"writes_only":true},"privileges":["SeShutdownPrivilege","-SeDebugPrivilege","SeChangeNotifyPrivilege"],"integrity":8192,"mandatory":{"no_write_up":true,"new_process_min":true},"owner":"S-1-5-21-1-2-3-1001","primary_group":"S-1-5-21-1-2-3-1001"}"#);
    assert_eq!(serde_json::from_str::<Token>(&json).unwrap(), token);
    let unknown = json.replacen("\"user\"", "\"usr\"", 1);
    assert!(serde_json::from_str::<Token>(&unknown).unwrap_err().to_string().contains("usr"));
}

#[test]
fn privileges_are_named_as_windows_names_them() {
    for privilege in Privilege::ALL {
        assert_eq!(Privilege::from_name(privilege.name()), Some(*privilege));
    }
    assert_eq!(Privilege::ChangeNotify.name(), "SeChangeNotifyPrivilege");
    assert!(serde_json::from_str::<Privileges>(r#"["SeNothingPrivilege"]"#).is_err());
    assert!(serde_json::from_str::<Privileges>(r#"["SeDebugPrivilege", "-SeDebugPrivilege"]"#).is_err());
}

fn readings() -> Readings {
    Readings {
        user: (Sid::account([1, 2, 3], 1001), 0),
        groups: vec![
            (Sid::EVERYONE, 0x7),
            (Sid::ADMINISTRATORS, 0x10),
            (Sid::logon(0, 77), 0xC000_0007),
            (Sid::USERS, 0x3),
            (Integrity::MEDIUM.sid(), 0x60),
        ],
        restricting: Vec::new(),
        write_restricted: false,
        privileges: vec![(23, 3), (19, 0)],
        integrity: Integrity::MEDIUM.sid(),
        mandatory: 3,
        package: None,
        capabilities: Vec::new(),
        less_privileged: false,
        owner: Sid::account([1, 2, 3], 1001),
        primary_group: Sid::account([1, 2, 3], 513),
        default_dacl: None,
    }
}

#[test]
fn answers_of_windows_become_a_token() {
    let token = Token::from_readings(&readings()).unwrap();
    insta::assert_snapshot!(serde_json::to_string(&token).unwrap(), @r#"{"user":"S-1-5-21-1-2-3-1001","groups":[{"sid":"S-1-1-0","use":"enabled","mandatory":true},{"sid":"S-1-5-32-544","use":"deny-only"},{"sid":"S-1-5-5-0-77","use":"enabled","logon":true,"mandatory":true},{"sid":"S-1-5-32-545","use":"disabled","mandatory":true}],"privileges":["-SeShutdownPrivilege","SeChangeNotifyPrivilege"],"integrity":8192,"mandatory":{"no_write_up":true,"new_process_min":true},"owner":"S-1-5-21-1-2-3-1001","primary_group":"S-1-5-21-1-2-3-513"}"#);
    let restricted = Readings { user: (Sid::SYSTEM, 0x10), restricting: vec![(Sid::EVERYONE, 7)], ..readings() };
    let token = Token::from_readings(&restricted).unwrap();
    assert!(token.user_deny_only && token.restricts_to(&Sid::EVERYONE));
    // The flag without a list is a token that can write nowhere, not one without restriction.
    let nowhere = Token::from_readings(&Readings { write_restricted: true, ..readings() }).unwrap();
    assert_eq!(nowhere.restricting, Some(Restricting { sids: vec![], writes_only: true }));
}

#[test]
fn what_a_token_says_that_is_not_modelled_is_refused() {
    let no_level = Readings { integrity: Sid::EVERYONE, ..readings() };
    assert_eq!(Token::from_readings(&no_level), Err(ReadingError::NoLevel(Sid::EVERYONE)));
    let newer = Readings { privileges: vec![(99, 2)], ..readings() };
    assert_eq!(Token::from_readings(&newer), Err(ReadingError::UnknownPrivilege(99)));
    let odd = Readings { restricting: vec![(Sid::EVERYONE, 0x10)], ..readings() };
    assert_eq!(Token::from_readings(&odd), Err(ReadingError::RestrictingAttributes(Sid::EVERYONE, 0x10)));
}
