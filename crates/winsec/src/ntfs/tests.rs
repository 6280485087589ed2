use super::*;
use crate::token::{Group, Integrity, Restriction};
use crate::{Ace, Acl, Sid};

const USER: Sid = Sid::account([1, 2, 3], 1001);
const OTHER: Sid = Sid::account([1, 2, 3], 1002);
const CAPABILITY: Sid = Sid::capability([1, 2, 3, 4, 5, 6, 7, 8]);
const ALL: AccessMask = AccessMask::FILE_ALL_ACCESS;
/// What a stamp grants: everything a tool needs, without `FILE_DELETE_CHILD`, `WRITE_DAC` and `WRITE_OWNER`.
const STAMP: AccessMask = AccessMask(0x1301BF);

struct Thing {
    descriptor: SecurityDescriptor,
    parent: Option<SecurityDescriptor>,
    kind: NodeKind,
    read_only: bool,
    links: u32,
}

impl Node for Thing {
    fn descriptor(&self) -> &SecurityDescriptor {
        &self.descriptor
    }
    fn parent(&self) -> Option<&SecurityDescriptor> {
        self.parent.as_ref()
    }
    fn kind(&self) -> NodeKind {
        self.kind
    }
    fn is_read_only(&self) -> bool {
        self.read_only
    }
    fn link_count(&self) -> u32 {
        self.links
    }
}

fn grants(pairs: &[(Sid, AccessMask)]) -> SecurityDescriptor {
    let aces = pairs.iter().map(|(sid, mask)| Ace::allow(*sid, *mask)).collect();
    SecurityDescriptor::new(Sid::SYSTEM, Sid::SYSTEM, Acl::new(aces))
}

fn file(descriptor: SecurityDescriptor, parent: SecurityDescriptor) -> Thing {
    Thing { descriptor, parent: Some(parent), kind: NodeKind::File, read_only: false, links: 1 }
}

fn user() -> Token {
    Token::plain(USER, &[Sid::EVERYONE, Sid::USERS])
}

fn guarded() -> Token {
    let how = Restriction { restricting: &[CAPABILITY], write_restricted: true, ..Restriction::NONE };
    user().restricted(&how).unwrap()
}

fn refused(on: Target, rights: AccessMask) -> Outcome {
    Err(Refusal::Access { on, rights })
}

fn nothing() -> SecurityDescriptor {
    grants(&[])
}

#[test]
fn delete_child_on_the_parent_deletes_what_the_file_does_not_grant() {
    let mine = file(nothing(), grants(&[(USER, AccessMask::FILE_DELETE_CHILD)]));
    assert_eq!(delete(&user(), &mine), Ok(AccessMask::DELETE));
    let not_mine = file(nothing(), grants(&[(USER, STAMP)]));
    assert_eq!(delete(&user(), &not_mine), refused(Target::Object, AccessMask::DELETE));
    let at_the_root = Thing { parent: None, ..file(nothing(), nothing()) };
    assert_eq!(delete(&user(), &at_the_root), refused(Target::Object, AccessMask::DELETE));
}

/// Finding 1 of the Windows facts: the user's own files outside the workspace can be deleted, and moved into it.
#[test]
fn a_write_restricted_token_deletes_and_moves_what_it_may_not_write() {
    let outside = grants(&[(USER, ALL)]);
    let precious = file(grants(&[(USER, ALL)]), outside.clone());
    let workspace = grants(&[(USER, ALL), (CAPABILITY, STAMP)]);
    assert!(open(&guarded(), &precious, Open::rights(AccessMask::FILE_WRITE_DATA)).is_err());
    assert_eq!(delete(&guarded(), &precious), Ok(AccessMask::DELETE));
    assert!(rename(&guarded(), &precious, &workspace, None).is_ok());
    // Within its own directory a rename needs ADD_FILE there, which is a write-type right.
    assert_eq!(
        rename(&guarded(), &precious, &outside, None),
        refused(Target::TargetDirectory, AccessMask::FILE_ADD_FILE)
    );
    // At Low integrity the hole is closed.
    let low = Token { integrity: Integrity::LOW, ..guarded() };
    assert!(delete(&low, &precious).is_err());
}

#[test]
fn listing_the_parent_reads_attributes_and_nothing_else() {
    let listed = file(nothing(), grants(&[(USER, AccessMask::FILE_LIST_DIRECTORY)]));
    assert!(open(&user(), &listed, Open::rights(AccessMask::FILE_READ_ATTRIBUTES)).is_ok());
    let more = AccessMask::FILE_READ_ATTRIBUTES | AccessMask::READ_CONTROL;
    assert_eq!(open(&user(), &listed, Open::rights(more)), refused(Target::Object, AccessMask::READ_CONTROL));
    let all = open(&user(), &listed, Open::rights(AccessMask::MAXIMUM_ALLOWED));
    assert_eq!(all, Ok(AccessMask::FILE_READ_ATTRIBUTES));
}

#[test]
fn both_rights_of_the_parent_help_in_one_request() {
    let parent = grants(&[(USER, AccessMask::FILE_LIST_DIRECTORY | AccessMask::FILE_DELETE_CHILD)]);
    let object = file(grants(&[(USER, AccessMask::FILE_READ_DATA)]), parent);
    let rights = AccessMask::DELETE | AccessMask::FILE_READ_ATTRIBUTES | AccessMask::FILE_READ_DATA;
    assert_eq!(open(&user(), &object, Open::rights(rights)), Ok(rights));
    // Also for a write-restricted token: without DELETE the rest is read-type.
    assert_eq!(open(&guarded(), &object, Open::rights(rights)), Ok(rights));
}

#[test]
fn read_only_files_are_not_written_but_can_be_deleted_by_who_may_clear_the_attribute() {
    let read_only = |file: SecurityDescriptor, parent| Thing { read_only: true, ..self::file(file, parent) };
    let full = read_only(grants(&[(USER, ALL)]), nothing());
    let open_for = |node: &Thing, rights| open(&user(), node, Open::rights(rights));
    assert_eq!(open_for(&full, AccessMask::FILE_WRITE_DATA), Err(Refusal::ReadOnly(Target::Object)));
    let most = open_for(&full, AccessMask::MAXIMUM_ALLOWED).unwrap();
    assert!(!most.intersects(AccessMask::FILE_WRITE_DATA | AccessMask::FILE_APPEND_DATA));
    assert!(delete(&user(), &full).is_ok());
    let only_delete = read_only(grants(&[(USER, AccessMask::DELETE)]), nothing());
    assert_eq!(delete(&user(), &only_delete), Err(Refusal::ReadOnly(Target::Object)));
    let through_parent = read_only(nothing(), grants(&[(USER, AccessMask::FILE_DELETE_CHILD)]));
    assert!(delete(&user(), &through_parent).is_ok());
    let on_close = Open { delete_on_close: true, ..Open::rights(AccessMask::DELETE) };
    assert_eq!(open(&user(), &full, on_close), Err(Refusal::ReadOnly(Target::Object)));
}

#[test]
fn creating_asks_the_directory_and_the_handle_gets_all_it_asked() {
    let files_only = grants(&[(USER, AccessMask::FILE_ADD_FILE)]);
    assert_eq!(create(&user(), &files_only, NodeKind::File, AccessMask::GENERIC_ALL), Ok(ALL));
    assert_eq!(
        create(&user(), &files_only, NodeKind::Directory, ALL),
        refused(Target::TargetDirectory, AccessMask::FILE_ADD_SUBDIRECTORY)
    );
    let sacl = AccessMask::ACCESS_SYSTEM_SECURITY;
    assert_eq!(create(&user(), &files_only, NodeKind::File, sacl), Err(Refusal::Privilege(Privilege::Security)));
}

#[test]
fn renaming_onto_something_deletes_it() {
    let directory = grants(&[(USER, AccessMask::FILE_ADD_FILE)]);
    let source = file(grants(&[(USER, AccessMask::DELETE)]), nothing());
    let victim = |descriptor, parent| file(descriptor, parent);
    assert!(rename(&user(), &source, &directory, None).is_ok());
    let kept = victim(nothing(), directory.clone());
    assert_eq!(rename(&user(), &source, &directory, Some(&kept)), refused(Target::Replaced, AccessMask::DELETE));
    let through_parent = victim(nothing(), grants(&[(USER, AccessMask::FILE_DELETE_CHILD)]));
    assert!(rename(&user(), &source, &directory, Some(&through_parent)).is_ok());
    let subdirectory = Thing { kind: NodeKind::Directory, ..victim(grants(&[(USER, ALL)]), directory.clone()) };
    assert_eq!(rename(&user(), &source, &directory, Some(&subdirectory)), Err(Refusal::Directory(Target::Replaced)));
    // A directory is added as one.
    let moved = Thing { kind: NodeKind::Directory, ..file(grants(&[(USER, ALL)]), nothing()) };
    assert_eq!(
        rename(&user(), &moved, &directory, None),
        refused(Target::TargetDirectory, AccessMask::FILE_ADD_SUBDIRECTORY)
    );
}

/// The first half of the attack by hard links: a name in the workspace for a file outside, made without a right to write the file.
#[test]
fn a_hard_link_needs_no_right_to_write_unless_the_rule_says_so() {
    let readable = file(grants(&[(USER, AccessMask::FILE_GENERIC_READ)]), nothing());
    let workspace = grants(&[(USER, ALL), (CAPABILITY, STAMP)]);
    let link = |node: &Thing, rule| hard_link(&guarded(), node, &workspace, None, rule);
    assert!(link(&readable, LinkRule::AnyHandle).is_ok());
    assert!(link(&readable, LinkRule::WriteAttributes).is_err());
    assert!(link(&file(nothing(), nothing()), LinkRule::AnyHandle).is_err());
    let full = Thing { links: 1024, ..file(grants(&[(USER, ALL)]), nothing()) };
    assert_eq!(link(&full, LinkRule::AnyHandle), Err(Refusal::TooManyLinks));
    let directory = Thing { kind: NodeKind::Directory, ..file(grants(&[(USER, ALL)]), nothing()) };
    assert_eq!(link(&directory, LinkRule::AnyHandle), Err(Refusal::Directory(Target::Object)));
}

#[test]
fn moving_across_volumes_is_reading_and_deleting() {
    let target = grants(&[(USER, AccessMask::FILE_ADD_FILE)]);
    let deletable = file(grants(&[(USER, AccessMask::DELETE)]), nothing());
    let both = AccessMask::FILE_READ_DATA | AccessMask::FILE_READ_ATTRIBUTES;
    assert_eq!(move_across_volumes(&user(), &deletable, &target), refused(Target::Object, both));
    let readable = file(grants(&[(USER, both)]), nothing());
    assert_eq!(move_across_volumes(&user(), &readable, &target), refused(Target::Object, AccessMask::DELETE));
    let whole = file(grants(&[(USER, both | AccessMask::DELETE)]), nothing());
    assert!(move_across_volumes(&user(), &whole, &target).is_ok());
    assert!(rename(&user(), &deletable, &target, None).is_ok());
}

#[test]
fn reparse_points_are_set_by_who_writes_data_or_attributes() {
    for right in [AccessMask::FILE_WRITE_DATA, AccessMask::FILE_WRITE_ATTRIBUTES] {
        let node = file(grants(&[(USER, right)]), nothing());
        assert!(set_reparse_point(&user(), &node, false).is_ok());
        assert_eq!(set_reparse_point(&user(), &node, true), Err(Refusal::Privilege(Privilege::CreateSymbolicLink)));
    }
    let read = file(grants(&[(USER, AccessMask::FILE_GENERIC_READ)]), nothing());
    assert!(set_reparse_point(&user(), &read, false).is_err());
}

#[test]
fn streams_have_the_descriptor_of_their_file() {
    let readable = file(grants(&[(USER, AccessMask::FILE_GENERIC_READ)]), nothing());
    assert!(stream(&user(), &readable, AccessMask::FILE_READ_DATA, true).is_ok());
    assert!(stream(&user(), &readable, AccessMask::FILE_WRITE_DATA, false).unwrap_err().is_certain());
    assert_eq!(stream(&user(), &readable, AccessMask::FILE_READ_DATA, false), Err(Refusal::StreamWithoutWrite));
    let writable = file(grants(&[(USER, ALL)]), nothing());
    assert!(stream(&user(), &writable, AccessMask::FILE_WRITE_DATA, false).is_ok());
}

#[test]
fn descriptors_are_changed_by_right_and_by_who_one_is() {
    let node = file(grants(&[(USER, ALL)]), nothing());
    assert!(set_security(&user(), &node, Change::Dacl).is_ok());
    assert!(set_security(&user(), &node, Change::Owner(USER)).is_ok());
    assert_eq!(set_security(&user(), &node, Change::Owner(OTHER)), Err(Refusal::Owner));
    let mut restorer = user();
    restorer.privileges = restorer.privileges.with(Privilege::Restore);
    assert!(set_security(&restorer, &node, Change::Owner(OTHER)).is_ok());
    assert!(set_security(&user(), &node, Change::Label(Integrity::LOW)).is_ok());
    assert_eq!(set_security(&user(), &node, Change::Label(Integrity::HIGH)), Err(Refusal::Label));
    assert!(set_security(&user(), &node, Change::Audit).is_err());
    let stamped = file(grants(&[(USER, STAMP)]), nothing());
    assert!(set_security(&user(), &stamped, Change::Dacl).is_err());
}

#[test]
fn backup_and_restore_count_with_intent_only() {
    let mut operator = user();
    operator.privileges = operator.privileges.with(Privilege::Backup).with(Privilege::Restore);
    let closed = file(nothing(), nothing());
    let with = |desired| open(&operator, &closed, Open { backup_intent: true, ..Open::rights(desired) });
    assert!(open(&operator, &closed, Open::rights(AccessMask::FILE_READ_DATA)).is_err());
    assert!(with(AccessMask::FILE_GENERIC_READ | AccessMask::WRITE_DAC | AccessMask::DELETE).is_ok());
    assert!(with(AccessMask::FILE_DELETE_CHILD).is_err());
    assert!(with(AccessMask::MAXIMUM_ALLOWED).unwrap().contains(AccessMask::FILE_GENERIC_WRITE));
}

#[test]
fn paths_lead_through_closed_directories_unless_the_privilege_is_gone() {
    assert!(traverse(&user(), &nothing()).is_ok());
    let mut without = user();
    without.privileges = without.privileges.without(Privilege::ChangeNotify);
    assert!(traverse(&without, &nothing()).is_err());
    assert!(traverse(&without, &grants(&[(USER, AccessMask::FILE_TRAVERSE)])).is_ok());
}

#[test]
fn what_is_not_known_is_not_a_refusal() {
    let conditional = crate::ace::OpaqueAce {
        type_byte: 0x09,
        flags: crate::AceFlags::NONE,
        body: [AccessMask::DELETE.bits().to_le_bytes().to_vec(), Sid::EVERYONE.to_bytes()].concat().into(),
    };
    let mut doubtful = nothing();
    doubtful.dacl = Acl::new(vec![Ace::Opaque(conditional)]).into();
    let refusal = delete(&user(), &file(doubtful.clone(), nothing())).unwrap_err();
    assert!(!refusal.is_certain(), "{refusal}");
    // What the parent grants for certain needs no more.
    let parent = grants(&[(USER, AccessMask::FILE_DELETE_CHILD)]);
    assert!(delete(&user(), &file(doubtful, parent)).is_ok());
}

#[test]
fn a_pin_keeps_a_file_from_being_deleted_and_an_attribute_handle_pins_nothing() {
    let pin = Opened { granted: AccessMask::FILE_LIST_DIRECTORY, share: Share::PIN };
    let weak = Opened { granted: AccessMask::FILE_READ_ATTRIBUTES, share: Share::PIN };
    let deleting = Opened { granted: AccessMask::DELETE, share: Share::ALL };
    let reading = Opened { granted: AccessMask::FILE_READ_DATA, share: Share::ALL };
    assert!(!pin.is_compatible(&deleting) && !deleting.is_compatible(&pin));
    assert!(weak.is_compatible(&deleting));
    assert!(pin.is_compatible(&reading));
    let alone = Opened { share: Share { read: false, write: false, delete: false }, ..reading };
    assert!(!alone.is_compatible(&reading));
}

#[test]
fn refusals_are_said_in_words() {
    let closed = file(nothing(), nothing());
    let listed = file(nothing(), grants(&[(USER, ALL)]));
    assert!(open(&user(), &listed, Open::rights(AccessMask::NONE)).is_err(), "a parent does not grant nothing");
    let said = |rights| open(&user(), &closed, Open::rights(rights)).unwrap_err().to_string();
    insta::assert_snapshot!(said(AccessMask::NONE), @"no right was asked for");
    insta::assert_snapshot!(said(AccessMask::MAXIMUM_ALLOWED), @"there is no right to be had");
    insta::assert_snapshot!(
        said(AccessMask::DELETE | AccessMask::FILE_READ_DATA),
        @"the descriptor of the object does not grant FILE_READ_DATA, DELETE"
    );
    let directory = rename(&user(), &file(grants(&[(USER, ALL)]), nothing()), &nothing(), None).unwrap_err();
    insta::assert_snapshot!(directory, @"the descriptor of the directory of the new name does not grant FILE_ADD_FILE");
}

#[test]
fn deny_only_groups_take_part_in_files_too() {
    let mut token = user();
    token.groups.push(Group::deny_only(Sid::ADMINISTRATORS));
    let node = file(grants(&[(Sid::ADMINISTRATORS, ALL)]), grants(&[(Sid::ADMINISTRATORS, ALL)]));
    assert!(delete(&token, &node).is_err());
}
