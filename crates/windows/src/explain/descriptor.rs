//! The descriptor that a place has once the plan is carried out.
//!
//! From the root down: what is described starts from its recorded descriptor, what is not from what it would inherit if the user
//! made it; then the plan's entries are added, and what stands below a changed list inherits anew (`winsec::inherit`).

use bailiwick_winsec::inherit::{AutoInherit, Child, CreatorDefaults, NewObject, Propagation, create, propagate};
use bailiwick_winsec::ntfs::NodeKind;
use bailiwick_winsec::sddl::{self, Domains};
use bailiwick_winsec::{
    AccessMask, Ace, AceFlags, AceKind, Acl, AclField, Control, KnownAce, ObjectType, SecurityDescriptor, Sid,
};
use serde::{Serialize, Serializer};

use crate::facts::{DriveKind, Facts, ObjectKind};
use crate::path::WindowsPath;
use crate::plan::{Identity, Inheritance, Plan, Stamp};
use crate::target::Target;

/// What the answer about a place rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "basis")]
pub enum Basis {
    /// A descriptor.
    Descriptor {
        /// The descriptor once the plan is carried out.
        #[serde(serialize_with = "as_sddl")]
        descriptor: Box<SecurityDescriptor>,
        /// That of the directory that holds it; `None` for a root.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_optional_sddl")]
        parent: Option<Box<SecurityDescriptor>>,
        /// Whether it is a directory.
        directory: bool,
        /// The nearest place that the facts describe: this one, or the directory above that it is taken to inherit from.
        described: WindowsPath,
        /// Whether that is this place itself.
        itself: bool,
        /// The entries that the plan adds to this very place, as SDDL.
        added: Vec<String>,
    },
    /// The drive has no access lists: whoever reaches it may do everything.
    NoAccessLists {
        /// The drive.
        drive: char,
        /// The file system.
        file_system: String,
    },
    /// The facts do not say.
    NotKnown {
        /// Why.
        why: &'static str,
    },
}

fn as_sddl<S: Serializer>(descriptor: &SecurityDescriptor, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&sddl_of(descriptor))
}

#[expect(clippy::ref_option, reason = "serde hands over a reference to the field")]
fn as_optional_sddl<S: Serializer>(
    descriptor: &Option<Box<SecurityDescriptor>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match descriptor {
        Some(descriptor) => as_sddl(descriptor, serializer),
        None => serializer.serialize_none(),
    }
}

/// The descriptor as SDDL; what SDDL has no words for is said in its place.
pub(super) fn sddl_of(descriptor: &SecurityDescriptor) -> String {
    sddl::to_string(descriptor, &Domains::NONE).unwrap_or_else(|error| format!("not to be written as SDDL: {error}"))
}

impl Basis {
    /// What the answer about a path can rest on.
    pub(super) fn of(plan: &Plan, target: &Target, facts: &Facts, path: &WindowsPath) -> Basis {
        let Some(drive) = facts.drive_of(path) else {
            return Basis::NotKnown { why: "the facts say nothing about its drive" };
        };
        if drive.kind == DriveKind::Network {
            return Basis::NotKnown { why: "it is on another machine, which decides by itself who may do what" };
        }
        if !drive.keeps_access_lists() {
            let file_system = bailiwick_policy::text::escape(drive.file_system.as_ref());
            return Basis::NoAccessLists { drive: drive.letter, file_system };
        }
        let made_later = matches!(plan.identity, Identity::Account { .. })
            && target.home.covers(path)
            && facts.object(&target.home).is_none();
        if made_later {
            let why =
                "it is in the account's profile, which Windows makes at the first logon and the facts do not describe";
            return Basis::NotKnown { why };
        }
        walk(plan, target, facts, path)
            .unwrap_or(Basis::NotKnown { why: "the facts do not describe the root of its drive" })
    }
}

/// One step of the way down.
struct Step {
    descriptor: SecurityDescriptor,
    is_directory: bool,
}

/// From the root to the path; `None` if not even the root is described.
fn walk(plan: &Plan, target: &Target, facts: &Facts, path: &WindowsPath) -> Option<Basis> {
    let mut ways: Vec<WindowsPath> = path.ancestors().collect();
    ways.reverse();
    ways.push(path.clone());
    let mut described = None;
    let mut is_changed_above = false;
    let (mut above, mut here): (Option<Step>, Option<Step>) = (None, None);
    let mut added = Vec::new();
    for way in ways {
        above = here.take();
        let is_directory = way != *path || way == target.home;
        let mut step = match (facts.object(&way), &above) {
            (Some(object), above) => {
                described = Some(object.path.clone());
                let is_directory = object.kind == ObjectKind::Directory;
                let descriptor = object.descriptor.clone();
                match above {
                    Some(above) if is_changed_above => inherited_anew(above, Step { descriptor, is_directory }),
                    _ => Step { descriptor, is_directory },
                }
            }
            (None, Some(above)) => Step { descriptor: as_made_by_user(facts, above, is_directory), is_directory },
            (None, None) => return None,
        };
        let stamps: Vec<&Stamp> = plan.stamps.iter().filter(|stamp| stamp.path == way).collect();
        let entries: Vec<KnownAce> = stamps.iter().flat_map(|stamp| &stamp.entries).copied().collect();
        if stamps.iter().any(|stamp| stamp.inheritance == Inheritance::BreakWithoutOurs) {
            break_inheritance(&mut step.descriptor, &sids_of(plan));
        }
        add(&mut step.descriptor, &entries);
        is_changed_above |= !stamps.is_empty();
        added = entries.into_iter().map(|entry| sddl::describe_ace(&Ace::Known(entry), &Domains::NONE)).collect();
        here = Some(step);
    }
    let (here, described) = (here?, described?);
    Some(Basis::Descriptor {
        descriptor: Box::new(here.descriptor),
        parent: above.map(|above| Box::new(above.descriptor)),
        directory: here.is_directory,
        itself: described == *path,
        described,
        added,
    })
}

/// Every SID that the plan speaks of in access lists.
fn sids_of(plan: &Plan) -> Vec<Sid> {
    plan.stamps.iter().flat_map(|stamp| &stamp.entries).map(|entry| entry.sid).collect()
}

/// The step with the entries that it inherits now; where Windows would leave it alone it stays.
fn inherited_anew(above: &Step, step: Step) -> Step {
    let owner = step.descriptor.owner.unwrap_or(Sid::SYSTEM);
    let group = step.descriptor.group.unwrap_or(owner);
    let child = Child { is_container: step.is_directory, owner, group, mapping: ObjectType::File.mapping() };
    match propagate(&above.descriptor, &step.descriptor, &child) {
        Propagation::Changed(descriptor) => Step { descriptor: *descriptor, ..step },
        Propagation::Unchanged(_) => step,
    }
}

/// What something gets that the user makes in a directory.
fn as_made_by_user(facts: &Facts, above: &Step, is_container: bool) -> SecurityDescriptor {
    let user = facts.user.sid;
    let default = [Sid::SYSTEM, user].map(|sid| Ace::allow(sid, AccessMask::GENERIC_ALL)).to_vec();
    let default = Acl::new(default);
    create(&NewObject {
        parent: Some(&above.descriptor),
        creator: None,
        is_container,
        auto_inherit: AutoInherit { dacl: true, ..AutoInherit::of_parent(&above.descriptor) },
        defaults: CreatorDefaults { owner: user, group: user, dacl: Some(&default), low_label: None },
        mapping: ObjectType::File.mapping(),
    })
}

/// What was inherited stays as the object's own, without entries for these SIDs.
fn break_inheritance(descriptor: &mut SecurityDescriptor, without: &[Sid]) {
    descriptor.control = descriptor.control | Control::DACL_PROTECTED;
    let Some(acl) = descriptor.dacl.acl_mut() else { return };
    acl.aces.retain(|ace| !(ace.is_inherited() && ace.as_known().is_some_and(|entry| without.contains(&entry.sid))));
    for ace in &mut acl.aces {
        *ace.flags_mut() = ace.flags().without(AceFlags::INHERITED);
    }
}

/// Adds entries to an object's own: refusals before everything, the others after the last of its own.
fn add(descriptor: &mut SecurityDescriptor, entries: &[KnownAce]) {
    // Without a list everything is allowed, and there is nothing to add to.
    let AclField::Present(acl) = &mut descriptor.dacl else { return };
    let (refusals, grants): (Vec<&KnownAce>, Vec<&KnownAce>) =
        entries.iter().partition(|entry| entry.kind == AceKind::Deny);
    let own = acl.aces.iter().take_while(|ace| !ace.is_inherited()).count();
    let rest = acl.aces.split_off(own);
    let known = |entry: &KnownAce| Ace::Known(*entry);
    let mut aces: Vec<Ace> = refusals.into_iter().map(known).collect();
    aces.append(&mut acl.aces);
    aces.extend(grants.into_iter().map(known));
    aces.extend(rest);
    *acl = Acl::new(aces);
}

/// Whether the object is a file or a directory, for the rules of NTFS.
pub(super) const fn node_kind(directory: bool) -> NodeKind {
    if directory { NodeKind::Directory } else { NodeKind::File }
}
