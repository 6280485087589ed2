use proptest::prelude::*;

use super::*;
use crate::ace::AceFlags;
use crate::descriptor::{AclField, Control, SecurityDescriptor};
use crate::mask::{AccessMask, ObjectType};
use crate::sddl::{self, Domains};
use crate::testing::{access_ace, acl_of, any_descriptor, opaque_ace};

const USER: Sid = Sid::account([1, 2, 3], 1001);
const GROUP: Sid = Sid::account([1, 2, 3], 513);

fn read(text: &str) -> SecurityDescriptor {
    sddl::parse(text, &Domains::all(Sid::domain([1, 2, 3]))).unwrap()
}

fn write(descriptor: &SecurityDescriptor) -> String {
    sddl::to_string(descriptor, &Domains::all(Sid::domain([1, 2, 3]))).unwrap()
}

fn child(is_container: bool) -> Child<'static> {
    Child { is_container, owner: USER, group: GROUP, mapping: ObjectType::File.mapping() }
}

/// A new object below `parent`, as a file system makes it.
fn made(parent: &str, creator: Option<&str>, is_container: bool) -> String {
    let default = read("D:(A;;GA;;;S-1-5-21-1-2-3-1001)(A;;GA;;;SY)");
    let parent = read(parent);
    let creator = creator.map(read);
    write(&create(&NewObject {
        parent: Some(&parent),
        creator: creator.as_ref(),
        is_container,
        auto_inherit: AutoInherit::of_parent(&parent),
        defaults: CreatorDefaults { owner: USER, group: GROUP, dacl: default.dacl.acl(), low_label: None },
        mapping: ObjectType::File.mapping(),
    }))
}

/// The table of MS-DTYP 2.5.3.4.4, with the entry that takes effect and the entry for children in one where they do not differ, as
/// its own text says. The parent's inherit-only flag plays no part.
#[test]
fn flags_follow_the_table() {
    let table = [
        ("", None, None),
        ("OI", Some("OIIOID"), Some("ID")),
        ("OINP", None, Some("ID")),
        ("CI", Some("CIID"), None),
        ("CINP", Some("ID"), None),
        ("OICI", Some("OICIID"), Some("ID")),
        ("OICINP", Some("ID"), Some("ID")),
    ];
    for (flags, container, leaf) in table {
        for inherit_only in ["", "IO"] {
            let parent = read(&format!("D:(A;{flags}{inherit_only};FR;;;BU)"));
            for (is_container, expected) in [(true, container), (false, leaf)] {
                let got = inherited_from(parent.dacl.acl().unwrap(), &child(is_container));
                let expected = expected.map(|flags| format!("D:(A;{flags};FR;;;BU)"));
                let expected = read(expected.as_deref().unwrap_or("D:"));
                assert_eq!(&got, &expected.dacl.acl().unwrap().aces, "{flags}{inherit_only} {is_container}");
            }
        }
    }
}

#[test]
fn what_must_be_replaced_is_inherited_twice_by_a_container() {
    let parent = "D:AI(A;OICIIO;GA;;;CO)(A;OICI;GR;;;BU)(A;CI;FA;;;CG)";
    let directory = "O:S-1-5-21-1-2-3-1001G:DUD:AI(A;ID;FA;;;S-1-5-21-1-2-3-1001)(A;OICIIOID;GA;;;CO)\
                     (A;ID;FR;;;BU)(A;OICIIOID;GR;;;BU)(A;ID;FA;;;DU)(A;CIIOID;FA;;;CG)";
    assert_eq!(made(parent, None, true), directory);
    let file = "O:S-1-5-21-1-2-3-1001G:DUD:AI(A;ID;FA;;;S-1-5-21-1-2-3-1001)(A;ID;FR;;;BU)";
    assert_eq!(made(parent, None, false), file);
}

#[test]
fn the_stamp_of_a_workspace_reaches_files_at_any_depth() {
    let stamp = "D:PAI(A;OICI;0x1301bf;;;S-1-5-21-1-2-3-1001)";
    let below = made(stamp, None, true);
    assert_eq!(below, "O:S-1-5-21-1-2-3-1001G:DUD:AI(A;OICIID;0x1301bf;;;S-1-5-21-1-2-3-1001)");
    let deeper = made(&below, None, true);
    assert_eq!(deeper, below);
    assert_eq!(made(&deeper, None, false), "O:S-1-5-21-1-2-3-1001G:DUD:AI(A;ID;0x1301bf;;;S-1-5-21-1-2-3-1001)");
}

#[test]
fn an_entry_on_an_ancestor_that_is_not_inheritable_stays_there() {
    let made = made("D:AI(A;;0x120088;;;S-1-5-21-1-2-3-1001)(A;OICI;FA;;;SY)", None, true);
    assert_eq!(made, "O:S-1-5-21-1-2-3-1001G:DUD:AI(A;OICIID;FA;;;SY)");
}

#[test]
fn without_anything_to_inherit_the_default_of_the_token_is_taken() {
    let default = "O:S-1-5-21-1-2-3-1001G:DUD:(A;;FA;;;S-1-5-21-1-2-3-1001)(A;;FA;;;SY)";
    assert_eq!(made("D:AI(A;;FA;;;BU)", None, false), default);
    assert_eq!(made("D:NO_ACCESS_CONTROL", None, false), default);
    assert_eq!(made("D:AI(A;CI;FA;;;BU)", None, false), default, "only for directories");
}

#[test]
fn without_a_default_there_is_no_list() {
    let new = create(&NewObject {
        parent: None,
        creator: None,
        is_container: false,
        auto_inherit: AutoInherit::default(),
        defaults: CreatorDefaults { owner: USER, group: GROUP, dacl: None, low_label: None },
        mapping: ObjectType::Event.mapping(),
    });
    assert_eq!(new.dacl, AclField::Absent);
}

#[test]
fn a_creators_list_comes_first_and_drops_what_was_inherited_elsewhere() {
    let parent = "D:AI(A;OICI;FA;;;SY)";
    let creator = "D:(D;;FW;;;BG)(A;OICI;GA;;;BA)(A;ID;FA;;;WD)";
    assert_eq!(
        made(parent, Some(creator), true),
        "O:S-1-5-21-1-2-3-1001G:DUD:AI(D;;FW;;;BG)(A;;FA;;;BA)(A;OICIIO;GA;;;BA)(A;OICIID;FA;;;SY)"
    );
    assert_eq!(
        made(parent, Some(creator), false),
        "O:S-1-5-21-1-2-3-1001G:DUD:AI(D;;FW;;;BG)(A;;FA;;;BA)(A;ID;FA;;;SY)"
    );
    let plain_parent = "D:(A;OICI;FA;;;SY)";
    assert_eq!(made(plain_parent, Some("D:(A;;FR;;;BU)"), false), "O:S-1-5-21-1-2-3-1001G:DUD:(A;;FR;;;BU)");
}

#[test]
fn a_protected_list_takes_nothing_and_owns_everything() {
    let made = made("D:AI(A;OICI;FA;;;WD)", Some("O:BAG:SYD:P(A;OICIID;FA;;;SY)(A;;GR;;;CO)"), true);
    assert_eq!(made, "O:BAG:SYD:P(A;OICI;FA;;;SY)(A;;FR;;;BA)");
}

#[test]
fn a_null_list_of_the_creator_stays_null() {
    let made = made("D:AI(A;OICI;FA;;;SY)", Some("D:NO_ACCESS_CONTROL"), false);
    assert_eq!(made, "O:S-1-5-21-1-2-3-1001G:DUD:NO_ACCESS_CONTROL");
}

#[test]
fn a_default_descriptor_gives_way_and_owner_comes_from_the_parent_on_request() {
    let parent = read("O:SYG:BAD:AI(A;OICI;FA;;;SY)");
    let creator = read("D:P(A;;FA;;;WD)");
    let auto_inherit = AutoInherit {
        default_descriptor: true,
        owner_from_parent: true,
        group_from_parent: true,
        ..AutoInherit::of_parent(&parent)
    };
    let new = create(&NewObject {
        parent: Some(&parent),
        creator: Some(&creator),
        is_container: true,
        auto_inherit,
        defaults: CreatorDefaults { owner: USER, group: GROUP, dacl: None, low_label: None },
        mapping: ObjectType::Key.mapping(),
    });
    assert_eq!(write(&new), "O:SYG:BAD:AI(A;OICIID;FA;;;SY)");
}

#[test]
fn labels_are_inherited_or_stamped_by_a_low_creator() {
    let label = |parent: &str, low_label| {
        let parent = read(parent);
        let new = create(&NewObject {
            parent: Some(&parent),
            creator: None,
            is_container: false,
            auto_inherit: AutoInherit::of_parent(&parent),
            defaults: CreatorDefaults { owner: USER, group: GROUP, dacl: None, low_label },
            mapping: ObjectType::File.mapping(),
        });
        new.label().map(|label| (label.sid, label.mask, label.flags))
    };
    let nw = AccessMask::NO_WRITE_UP;
    assert_eq!(label("S:AI(ML;OICI;NW;;;HI)", None), Some((Sid::INTEGRITY_HIGH, nw, AceFlags::INHERITED)));
    assert_eq!(label("S:(ML;;NW;;;HI)", None), None);
    assert_eq!(label("", Some(Sid::INTEGRITY_LOW)), Some((Sid::INTEGRITY_LOW, nw, AceFlags::NONE)));
    let inherited = Some((Sid::INTEGRITY_HIGH, nw, AceFlags::INHERITED));
    assert_eq!(label("S:AI(ML;OICI;NW;;;HI)", Some(Sid::INTEGRITY_LOW)), inherited, "the parent's stays");
    // The mask of a label is a policy: nothing in it is a generic right.
    let odd = AccessMask(0x8000_0001);
    assert_eq!(label("S:AI(ML;OICI;0x80000001;;;HI)", None), Some((Sid::INTEGRITY_HIGH, odd, AceFlags::INHERITED)));
}

fn propagated(parent: &str, descriptor: &str) -> Result<String, Unchanged> {
    match propagate(&read(parent), &read(descriptor), &child(false)) {
        Propagation::Changed(new) => Ok(write(&new)),
        Propagation::Unchanged(why) => Err(why),
    }
}

#[test]
fn propagation_keeps_what_is_explicit_and_replaces_what_is_inherited() {
    let parent = "D:AI(A;OICI;0x1301bf;;;S-1-5-21-1-2-3-1001)";
    assert_eq!(
        propagated(parent, "O:BAD:AI(D;;FW;;;BG)(A;ID;FA;;;SY)").unwrap(),
        "O:BAD:AI(D;;FW;;;BG)(A;ID;0x1301bf;;;S-1-5-21-1-2-3-1001)"
    );
    assert_eq!(propagated("D:AI(A;;FA;;;SY)", "D:AI(A;ID;FA;;;SY)").unwrap(), "D:AI", "an empty list, not none");
    assert_eq!(propagated(parent, "D:AINO_ACCESS_CONTROL").unwrap(), "D:AI(A;ID;0x1301bf;;;S-1-5-21-1-2-3-1001)");
}

#[test]
fn propagation_leaves_alone() {
    let parent = "D:AI(A;OICI;FA;;;BU)";
    assert_eq!(propagated(parent, "D:PAI(A;;FA;;;SY)"), Err(Unchanged::Protected));
    assert_eq!(propagated(parent, "D:(A;;FA;;;SY)"), Err(Unchanged::NeverInherited));
    assert_eq!(propagated(parent, "D:AI(A;ID;FA;;;BU)"), Err(Unchanged::Same));
    assert_eq!(propagated(parent, "D:AI(A;ID;FA;;;BU)(D;;FW;;;BG)"), Err(Unchanged::WouldReorder));
    assert_eq!(propagated(parent, "D:AI(D;ID;FA;;;BU)(A;;FW;;;BG)"), Err(Unchanged::WouldReorder));
    assert_eq!(propagated(parent, "D:AI(D;ID;FA;;;BU)(D;;FW;;;BG)").unwrap(), "D:AI(D;;FW;;;BG)(A;ID;FA;;;BU)");
    assert_eq!(propagated(parent, "D:AI(A;ID;FR;;;BU)(A;;FW;;;BG)").unwrap(), "D:AI(A;;FW;;;BG)(A;ID;FA;;;BU)");
}

proptest! {
    /// Nothing reaches a child that no entry of the parent, creator or default names, with no right that none of them has.
    #[test]
    fn inheritance_invents_nothing(acl in acl_of(prop_oneof![access_ace(), opaque_ace()]), is_container: bool) {
        let child = child(is_container);
        for got in inherited_from(&acl, &child) {
            prop_assert!(got.is_inherited());
            let source = acl.aces.iter().any(|from| {
                from.flags().intersects(AceFlags::INHERIT_ALL) && from.type_byte() == got.type_byte()
                    && match (from, &got) {
                        (Ace::Known(from), Ace::Known(got)) => {
                            let mapped = child.mapping.map(from.mask);
                            let same_sid = got.sid == from.sid
                                || from.sid == Sid::CREATOR_OWNER && got.sid == USER
                                || from.sid == Sid::CREATOR_GROUP && got.sid == GROUP;
                            same_sid && (got.mask == from.mask || got.mask == mapped)
                        }
                        (Ace::Opaque(from), Ace::Opaque(got)) => from.body == got.body,
                        _ => false,
                    }
            });
            prop_assert!(source, "{got:?}");
        }
    }

    /// What takes effect on a child has neither generic rights nor placeholders, and a leaf hands nothing on.
    #[test]
    fn what_takes_effect_is_concrete(acl in acl_of(access_ace()), is_container: bool) {
        for ace in inherited_from(&acl, &child(is_container)) {
            prop_assert!(is_container || !ace.flags().intersects(AceFlags::INHERIT_ALL | AceFlags::INHERIT_ONLY));
            if !ace.is_inherit_only() {
                let known = ace.as_known().unwrap();
                prop_assert!(!known.mask.intersects(AccessMask::GENERIC));
                prop_assert!(known.sid != Sid::CREATOR_OWNER && known.sid != Sid::CREATOR_GROUP);
            }
        }
    }

    /// A second propagation changes nothing: the stamp converges.
    #[test]
    fn propagation_converges(parent in any_descriptor(), descriptor in any_descriptor(), is_container: bool) {
        let child = child(is_container);
        if let Propagation::Changed(new) = propagate(&parent, &descriptor, &child) {
            prop_assert_eq!(propagate(&parent, &new, &child), Propagation::Unchanged(Unchanged::Same));
            let own = |sd: &SecurityDescriptor| -> Vec<Ace> {
                let aces = sd.dacl.acl().map(|acl| acl.aces.clone()).unwrap_or_default();
                aces.into_iter().filter(|ace| !ace.is_inherited()).collect()
            };
            prop_assert_eq!(own(&new), own(&descriptor), "explicit entries stay");
            prop_assert_eq!((new.owner, new.group, &new.sacl, new.control),
                (descriptor.owner, descriptor.group, &descriptor.sacl, descriptor.control));
        }
    }

    /// A child made below a parent is what propagation would make of it.
    #[test]
    fn creating_and_propagating_agree(acl in acl_of(access_ace()), is_container: bool) {
        let mut parent = SecurityDescriptor::new(USER, GROUP, acl);
        parent.control = Control::DACL_AUTO_INHERITED;
        let new = create(&NewObject {
            parent: Some(&parent),
            creator: None,
            is_container,
            auto_inherit: AutoInherit::of_parent(&parent),
            defaults: CreatorDefaults { owner: USER, group: GROUP, dacl: None, low_label: None },
            mapping: ObjectType::File.mapping(),
        });
        if new.dacl != AclField::Absent {
            let child = child(is_container);
            prop_assert_eq!(propagate(&parent, &new, &child), Propagation::Unchanged(Unchanged::Same));
        }
    }
}
