//! Random tokens, descriptors and requests. Few SIDs, so that they meet; masks that overlap; every odd shape of a DACL.

use bailiwick_winsec::token::{
    Capability, Group, GroupUse, Integrity, LowBox, MandatoryPolicy, Privilege, Privileges, Restricting,
};
use bailiwick_winsec::{
    AccessMask, Ace, AceFlags, AceKind, Acl, AclField, ObjectType, Request, SecurityDescriptor, Sid, Token,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const DOMAIN: [u32; 3] = [1, 2, 3];

/// The accounts.
pub(crate) const USERS: [Sid; 2] = [Sid::account(DOMAIN, 1000), Sid::account(DOMAIN, 1001)];

/// What can be a group or a restricting SID.
pub(crate) const GROUPS: [Sid; 7] = [
    Sid::EVERYONE,
    Sid::USERS,
    Sid::AUTHENTICATED_USERS,
    Sid::ADMINISTRATORS,
    Sid::logon(0, 77),
    Sid::capability([1, 2, 3, 4, 5, 6, 7, 8]),
    Sid::RESTRICTED,
];

/// The package.
pub(crate) const PACKAGE: Sid = Sid::package([1, 2, 3, 4, 5, 6, 7]);

const CAPABILITIES: [Sid; 2] = [Sid::numbered_capability(1), Sid::numbered_capability(3)];

/// Everybody whom an entry can name.
pub(crate) fn sid() -> impl Strategy<Value = Sid> {
    let mut all = Vec::from(USERS);
    all.extend(GROUPS);
    all.extend([PACKAGE, Sid::ALL_APPLICATION_PACKAGES, Sid::ALL_RESTRICTED_APPLICATION_PACKAGES]);
    all.extend(CAPABILITIES);
    prop_oneof![8 => select(all), 1 => Just(Sid::OWNER_RIGHTS)]
}

/// An owner: an account, a group, seldom a stranger or nobody at all.
fn owner() -> impl Strategy<Value = Option<Sid>> {
    prop_oneof![
        6 => select(USERS.to_vec()).prop_map(Some),
        3 => select(GROUPS.to_vec()).prop_map(Some),
        1 => Just(Some(Sid::SYSTEM)),
        1 => Just(None),
    ]
}

/// Rights: one, a few, a generic one, a usual set.
pub(crate) fn rights() -> impl Strategy<Value = AccessMask> {
    let bit = prop_oneof![4 => 0u32..9, 3 => 16u32..21].prop_map(|bit| AccessMask(1 << bit));
    let generic = (28u32..32).prop_map(|bit| AccessMask(1 << bit));
    let usual = select(vec![
        AccessMask::FILE_ALL_ACCESS,
        AccessMask::FILE_GENERIC_READ,
        AccessMask::FILE_GENERIC_WRITE,
        AccessMask(0x1301BF),
        AccessMask::READ_CONTROL | AccessMask::WRITE_DAC,
    ]);
    let one = prop_oneof![6 => bit, 1 => generic, 1 => usual].boxed();
    vec(one, 1..4).prop_map(|parts| parts.into_iter().fold(AccessMask::NONE, |all, part| all | part))
}

/// A request: rights, sometimes with what a privilege gives, `MAXIMUM_ALLOWED`, or nothing at all.
pub(crate) fn request() -> impl Strategy<Value = Request> {
    let extra = prop_oneof![
        10 => Just(AccessMask::NONE),
        2 => Just(AccessMask::MAXIMUM_ALLOWED),
        1 => Just(AccessMask::ACCESS_SYSTEM_SECURITY),
    ];
    let desired = prop_oneof![
        12 => (rights(), extra).prop_map(|(rights, extra)| rights | extra),
        3 => Just(AccessMask::MAXIMUM_ALLOWED),
        1 => Just(AccessMask::NONE),
    ];
    let object = select(vec![ObjectType::File, ObjectType::Process, ObjectType::Key, ObjectType::AlpcPort]);
    (prop_oneof![3 => Just(ObjectType::File), 1 => object], desired)
        .prop_map(|(object, desired)| Request::new(object, desired))
}

fn flags() -> impl Strategy<Value = AceFlags> {
    prop_oneof![
        8 => Just(AceFlags::NONE),
        1 => Just(AceFlags::INHERITED),
        1 => Just(AceFlags::INHERIT_ONLY | AceFlags::CONTAINER_INHERIT),
        1 => Just(AceFlags::OBJECT_INHERIT),
    ]
}

/// An entry of a DACL.
pub(crate) fn ace() -> impl Strategy<Value = Ace> {
    let kind = prop_oneof![3 => Just(AceKind::Allow), 2 => Just(AceKind::Deny)];
    (kind, flags(), rights(), sid()).prop_map(|(kind, flags, mask, sid)| Ace::known(kind, flags, mask, sid))
}

/// A DACL, empty, NULL or absent too.
pub(crate) fn dacl() -> impl Strategy<Value = AclField> {
    prop_oneof![
        16 => vec(ace(), 1..9).prop_map(|aces| AclField::Present(Acl::new(aces))),
        1 => Just(AclField::Present(Acl::default())),
        1 => Just(AclField::Null),
        1 => Just(AclField::Absent),
    ]
}

fn level() -> impl Strategy<Value = Integrity> {
    select(vec![Integrity::LOW, Integrity::MEDIUM, Integrity::HIGH])
}

/// A SACL with a label, or none.
pub(crate) fn sacl() -> impl Strategy<Value = AclField> {
    let label = (level(), 0u32..8, prop_oneof![6 => Just(AceFlags::NONE), 1 => Just(AceFlags::INHERIT_ONLY)]);
    let label = label.prop_map(|(level, policy, flags)| Ace::label(level.sid(), AccessMask(policy)).with_flags(flags));
    prop_oneof![2 => Just(AclField::Absent), 3 => vec(label, 0..3).prop_map(|aces| AclField::Present(Acl::new(aces)))]
}

/// A descriptor without a SACL.
pub(crate) fn discretionary() -> impl Strategy<Value = SecurityDescriptor> {
    (owner(), dacl()).prop_map(|(owner, dacl)| {
        let mut descriptor = SecurityDescriptor::new(Sid::SYSTEM, Sid::SYSTEM, Acl::default());
        descriptor.owner = owner;
        descriptor.dacl = dacl;
        descriptor
    })
}

/// A descriptor with a label now and then.
pub(crate) fn descriptor() -> impl Strategy<Value = SecurityDescriptor> {
    (discretionary(), sacl()).prop_map(|(descriptor, sacl)| SecurityDescriptor { sacl, ..descriptor })
}

fn group_use() -> impl Strategy<Value = GroupUse> {
    prop_oneof![5 => Just(GroupUse::Enabled), 2 => Just(GroupUse::DenyOnly), 1 => Just(GroupUse::Disabled)]
}

fn groups() -> impl Strategy<Value = Vec<Group>> {
    (subsequence(GROUPS.to_vec(), 0..=GROUPS.len()), vec(group_use(), GROUPS.len())).prop_map(|(sids, uses)| {
        let pairs = sids.into_iter().zip(uses);
        pairs.map(|(sid, used)| Group { used, ..Group::enabled(sid) }).collect()
    })
}

fn restricting() -> impl Strategy<Value = Option<Restricting>> {
    let mut all = Vec::from(GROUPS);
    all.extend(USERS);
    let sids = subsequence(all, 0..6);
    (any::<bool>(), any::<bool>(), sids).prop_map(|(restricted, writes_only, sids)| {
        (restricted && (writes_only || !sids.is_empty())).then_some(Restricting { sids, writes_only })
    })
}

fn privileges() -> impl Strategy<Value = Privileges> {
    let some = subsequence(vec![Privilege::Security, Privilege::TakeOwnership, Privilege::Relabel], 0..3);
    prop_oneof![2 => Just(Privileges::NONE), 1 => some.prop_map(Privileges::from_iter)]
}

/// A token without a package and at Medium.
pub(crate) fn ordinary() -> impl Strategy<Value = Token> {
    let user_deny_only = prop_oneof![4 => Just(false), 1 => Just(true)];
    (select(USERS.to_vec()), user_deny_only, groups(), restricting(), privileges()).prop_map(
        |(user, user_deny_only, groups, restricting, privileges)| Token {
            user_deny_only,
            groups,
            restricting,
            privileges,
            ..Token::plain(user, &[])
        },
    )
}

/// Any token.
pub(crate) fn token() -> impl Strategy<Value = Token> {
    let capabilities = (subsequence(CAPABILITIES.to_vec(), 0..=2), any::<bool>());
    let low_box = (capabilities, any::<bool>()).prop_map(|((sids, enabled), less_privileged)| {
        let capabilities = sids.into_iter().map(|sid| Capability { sid, enabled }).collect();
        LowBox { package: PACKAGE, capabilities, less_privileged }
    });
    let low_box = prop_oneof![2 => Just(None), 1 => low_box.prop_map(Some)];
    let no_write_up = prop_oneof![6 => Just(true), 1 => Just(false)];
    (ordinary(), low_box, level(), no_write_up).prop_map(|(token, low_box, integrity, no_write_up)| Token {
        low_box,
        integrity,
        mandatory: MandatoryPolicy { no_write_up, new_process_min: true },
        ..token
    })
}
