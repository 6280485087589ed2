//! The descriptor of a new object: `CreateSecurityDescriptor` and `ComputeACL` (MS-DTYP 2.5.3.4.1, 2.5.3.4.2).

use super::{Child, given_by_creator, inherited_from};
use crate::ace::{Ace, AceFlags, AceKind};
use crate::acl::Acl;
use crate::descriptor::{AclField, Control, SecurityDescriptor};
use crate::mask::{AccessMask, GenericMapping};
use crate::sid::Sid;

/// How the parent's entries are taken over (`AutoInheritFlags` of MS-DTYP 2.5.3.4.1).
///
/// For a file, NTFS sets `dacl` and `sacl` after the parent's control bits; [`AutoInherit::of_parent`] does the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AutoInherit {
    /// `DACL_AUTO_INHERIT`: merge the parent's inheritable entries with the creator's explicit ones.
    pub dacl: bool,
    /// `SACL_AUTO_INHERIT`: the same for the SACL.
    pub sacl: bool,
    /// `DEFAULT_DESCRIPTOR_FOR_OBJECT`: the creator's descriptor is only a default, which inheritable entries replace.
    pub default_descriptor: bool,
    /// `DEFAULT_OWNER_FROM_PARENT`.
    pub owner_from_parent: bool,
    /// `DEFAULT_GROUP_FROM_PARENT`.
    pub group_from_parent: bool,
}

impl AutoInherit {
    /// What a file system asks for below this parent: merge where the parent itself was computed with inheritance.
    pub fn of_parent(parent: &SecurityDescriptor) -> AutoInherit {
        AutoInherit {
            dacl: parent.control.contains(Control::DACL_AUTO_INHERITED),
            sacl: parent.control.contains(Control::SACL_AUTO_INHERITED),
            ..AutoInherit::default()
        }
    }
}

/// What the token of the creator supplies.
#[derive(Debug, Clone, Copy)]
pub struct CreatorDefaults<'a> {
    /// The default owner.
    pub owner: Sid,
    /// The primary group.
    pub group: Sid,
    /// The default DACL, for an object that inherits nothing; a token may have none.
    pub dacl: Option<&'a Acl>,
    /// The integrity level, a label SID, of a creator below Medium, whose objects are labelled with it (Microsoft Learn, "Mandatory
    /// Integrity Control"). `None` for all others.
    pub low_label: Option<Sid>,
}

/// A new object.
#[derive(Debug, Clone, Copy)]
pub struct NewObject<'a> {
    /// The descriptor of the directory or other container that it is made in.
    pub parent: Option<&'a SecurityDescriptor>,
    /// The descriptor that the creator asked for. That its owner may be chosen, and that its SACL may be set, are questions of the
    /// token, which the caller has answered.
    pub creator: Option<&'a SecurityDescriptor>,
    /// Whether it can have children itself.
    pub is_container: bool,
    /// How the parent's entries are taken over.
    pub auto_inherit: AutoInherit,
    /// What the creator's token supplies.
    pub defaults: CreatorDefaults<'a>,
    /// The generic mapping of its type.
    pub mapping: &'a GenericMapping,
}

/// The control bits of one of the two lists.
struct Bits {
    auto_inherited: Control,
    protected: Control,
    defaulted: Control,
}

const DACL: Bits = Bits {
    auto_inherited: Control::DACL_AUTO_INHERITED,
    protected: Control::DACL_PROTECTED,
    defaulted: Control::DACL_DEFAULTED,
};

const SACL: Bits = Bits {
    auto_inherited: Control::SACL_AUTO_INHERITED,
    protected: Control::SACL_PROTECTED,
    defaulted: Control::SACL_DEFAULTED,
};

/// The descriptor of a new object.
pub fn create(object: &NewObject<'_>) -> SecurityDescriptor {
    let owner = principal(object, |sd| sd.owner, object.auto_inherit.owner_from_parent, object.defaults.owner);
    let group = principal(object, |sd| sd.group, object.auto_inherit.group_from_parent, object.defaults.group);
    let child = Child { is_container: object.is_container, owner, group, mapping: object.mapping };
    let (dacl, dacl_control) = compute(object, &child, |sd| &sd.dacl, &DACL, object.auto_inherit.dacl);
    let (sacl, sacl_control) = compute(object, &child, |sd| &sd.sacl, &SACL, object.auto_inherit.sacl);
    let (dacl, defaulted) = match (dacl, object.defaults.dacl) {
        // No list from anyone: the token's, its entries as if the creator had given them.
        (AclField::Absent, Some(default)) => {
            (AclField::Present(Acl::new(given_by_creator(&default.aces, &child))), DACL.defaulted)
        }
        (dacl, _) => (dacl, Control::NONE),
    };
    let mut new = SecurityDescriptor {
        control: dacl_control | sacl_control | defaulted,
        resource_manager: 0,
        owner: Some(owner),
        group: Some(group),
        dacl,
        sacl,
    };
    if let (None, Some(level)) = (new.label(), object.defaults.low_label) {
        stamp_label(&mut new, level);
    }
    new
}

/// The owner or group: the creator's, else the parent's where that is asked for, else the token's.
fn principal(
    object: &NewObject<'_>,
    part: fn(&SecurityDescriptor) -> Option<Sid>,
    from_parent: bool,
    default: Sid,
) -> Sid {
    let parent = object.parent.filter(|_| from_parent);
    object.creator.and_then(part).or_else(|| parent.and_then(part)).unwrap_or(default)
}

/// One of the two lists, and its control bits. *Absent* where neither creator nor parent supply one.
fn compute(
    object: &NewObject<'_>,
    child: &Child<'_>,
    part: fn(&SecurityDescriptor) -> &AclField,
    bits: &Bits,
    auto_inherit: bool,
) -> (AclField, Control) {
    let creator = object.creator.map_or(&AclField::Absent, part);
    let protected = object.creator.is_some_and(|sd| sd.control.contains(bits.protected));
    let from_parent = || {
        let acl = object.parent.map(part).and_then(AclField::acl);
        acl.map(|acl| inherited_from(acl, child)).unwrap_or_default()
    };
    let inherited_bits = if auto_inherit { bits.auto_inherited } else { Control::NONE };
    if *creator == AclField::Absent || object.auto_inherit.default_descriptor {
        let inherited = from_parent();
        if !inherited.is_empty() {
            return (AclField::Present(Acl::new(inherited)), inherited_bits);
        }
    }
    match creator {
        AclField::Absent => (AclField::Absent, Control::NONE),
        // "Everyone may do everything" is what the creator asked for; nothing can be merged into it.
        AclField::Null => (AclField::Null, if protected { bits.protected } else { Control::NONE }),
        AclField::Present(acl) if protected => {
            // What had been inherited elsewhere becomes the object's own (MS-DTYP 2.5.3.4, the note on protected lists).
            let own: Vec<Ace> = acl.aces.iter().map(|ace| without_inherited(ace.clone())).collect();
            (AclField::Present(Acl::new(given_by_creator(&own, child))), bits.protected)
        }
        AclField::Present(acl) => {
            let explicit: Vec<Ace> = acl.aces.iter().filter(|ace| !ace.is_inherited()).cloned().collect();
            let mut aces = given_by_creator(&explicit, child);
            if auto_inherit {
                aces.extend(from_parent());
            }
            (AclField::Present(Acl::new(aces)), inherited_bits)
        }
    }
}

fn without_inherited(ace: Ace) -> Ace {
    let flags = ace.flags().without(AceFlags::INHERITED);
    ace.with_flags(flags)
}

/// Labels the object with the level of its creator. Where the label comes from the parent's SACL, that one stays.
fn stamp_label(descriptor: &mut SecurityDescriptor, level: Sid) {
    let label = Ace::known(AceKind::Label, AceFlags::NONE, AccessMask::NO_WRITE_UP, level);
    match &mut descriptor.sacl {
        AclField::Present(acl) => acl.aces.insert(0, label),
        field => *field = AclField::Present(Acl::new(vec![label])),
    }
}
