//! What becomes of an access list: pure functions.

use bailiwick_winsec::inherit::{Child, inherited_from};
use bailiwick_winsec::{Ace, AceFlags, Acl, AclField, Control, ObjectType, SecurityDescriptor, Sid};

use super::walk::Aim;
use crate::plan::{Inheritance, Stamp};

/// Whether an entry names one of these.
pub(in crate::run) fn is_for(ace: &Ace, sids: &[Sid]) -> bool {
    ace.as_known().is_some_and(|ace| sids.contains(&ace.sid))
}

/// The descriptor with a stamp on it; the same one if it is there already. `None` for an object without an access list.
pub(super) fn stamped(before: &SecurityDescriptor, stamp: &Stamp, ours: &[Sid]) -> Option<SecurityDescriptor> {
    let acl = before.dacl.acl()?;
    let mut aces = acl.aces.clone();
    let mut control = before.control;
    if stamp.inheritance == Inheritance::BreakWithoutOurs {
        aces.retain(|ace| !ace.is_inherited() || !is_for(ace, ours));
        aces.iter_mut().for_each(|ace| *ace.flags_mut() = ace.flags().without(AceFlags::INHERITED));
        control = control | Control::DACL_PROTECTED;
    }
    let missing: Vec<Ace> =
        stamp.entries.iter().map(|entry| Ace::Known(*entry)).filter(|entry| !aces.contains(entry)).collect();
    let (refusals, grants): (Vec<Ace>, Vec<Ace>) = missing.into_iter().partition(Ace::denies);
    // Canonical: an object's own refusals, its own grants, what it inherits.
    let inherited = aces.iter().position(Ace::is_inherited).unwrap_or(aces.len());
    let tail = aces.split_off(inherited);
    let aces: Vec<Ace> = refusals.into_iter().chain(aces).chain(grants).chain(tail).collect();
    let dacl = AclField::Present(Acl { revision: acl.revision, aces });
    Some(SecurityDescriptor { control, dacl, ..before.clone() })
}

/// The descriptor without the entries for these SIDs, its own and inherited ones.
pub(in crate::run) fn without(present: &SecurityDescriptor, ours: &[Sid], own_only: bool) -> SecurityDescriptor {
    let mut descriptor = present.clone();
    if let Some(acl) = descriptor.dacl.acl_mut() {
        acl.aces.retain(|ace| !is_for(ace, ours) || (own_only && ace.is_inherited()));
    }
    descriptor
}

/// What becomes of something below a stamped directory.
pub(super) enum Below {
    /// It has what it should have.
    Same,
    /// Nothing comes down to it, nor to what is below: its list is protected.
    Protected,
    /// It takes nothing from above and nobody said that it should not, so it is left alone and reported.
    Odd,
    /// It gets this.
    Changed(Box<SecurityDescriptor>),
}

/// What a child of a directory gets: the entries of ours that the directory hands down, and everything else as it was.
pub(super) fn below(
    parent: &SecurityDescriptor,
    child: &SecurityDescriptor,
    is_container: bool,
    ours: &[Sid],
    aim: Aim,
) -> Below {
    let protected = child.control.contains(Control::DACL_PROTECTED);
    if protected && aim != Aim::Cleanse {
        return Below::Protected;
    }
    let (Some(from), Some(acl)) = (parent.dacl.acl(), child.dacl.acl()) else { return Below::Odd };
    if !protected
        && (!child.control.contains(Control::DACL_AUTO_INHERITED) || own_after_inherited(acl))
        && aim == Aim::HandDown
    {
        return Below::Odd;
    }
    let (Some(owner), Some(group)) = (child.owner, child.group.or(child.owner)) else { return Below::Odd };
    let mapping = ObjectType::File.mapping();
    let handed = match protected {
        true => Vec::new(),
        false => inherited_from(from, &Child { is_container, owner, group, mapping }),
    };
    let (inherited, own): (Vec<Ace>, Vec<Ace>) = acl.aces.iter().cloned().partition(Ace::is_inherited);
    let others: Vec<Ace> = inherited.into_iter().filter(|ace| !is_for(ace, ours)).collect();
    let own = own.into_iter().filter(|ace| aim != Aim::Cleanse || !is_for(ace, ours));
    let is_regular = handed.iter().filter(|ace| !is_for(ace, ours)).eq(&others);
    let inherited: Vec<Ace> = match is_regular {
        // As Windows would have it: in the order of the directory.
        true => handed,
        // Moved here, or changed by hand: what else it has stays as it is.
        false => handed.into_iter().filter(|ace| is_for(ace, ours)).chain(others).collect(),
    };
    let aces: Vec<Ace> = own.chain(inherited).collect();
    if aces == acl.aces {
        return Below::Same;
    }
    let dacl = AclField::Present(Acl { revision: acl.revision, aces });
    Below::Changed(Box::new(SecurityDescriptor { dacl, ..child.clone() }))
}

fn own_after_inherited(acl: &Acl) -> bool {
    acl.aces.iter().skip_while(|ace| !ace.is_inherited()).any(|ace| !ace.is_inherited())
}

/// Whether the second list lets one of ours do something that the first did not: it has a grant more or a refusal less.
pub(super) fn gives(before: &SecurityDescriptor, after: &SecurityDescriptor, ours: &[Sid]) -> bool {
    let of = |descriptor: &SecurityDescriptor, denies: bool| -> Vec<Ace> {
        let aces = descriptor.dacl.acl().map(|acl| acl.aces.clone()).unwrap_or_default();
        aces.into_iter().filter(|ace| is_for(ace, ours) && ace.denies() == denies).collect()
    };
    let (grants, refusals) = (of(before, false), of(after, true));
    of(after, false).iter().any(|ace| !grants.contains(ace))
        || of(before, true).iter().any(|ace| !refusals.contains(ace))
}
