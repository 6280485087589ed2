//! What happens to a child that exists already when the descriptor of its parent changes: what `SetNamedSecurityInfo` does below the
//! object that it is asked to change (Microsoft Learn, "Automatic Propagation of Inheritable ACEs").

use super::{Child, inherited_from};
use crate::ace::Ace;
use crate::acl::Acl;
use crate::descriptor::{AclField, Control, SecurityDescriptor};

/// What propagation does to one child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Propagation {
    /// The child gets this descriptor, and the walk goes on below it.
    Changed(Box<SecurityDescriptor>),
    /// The child stays as it is.
    Unchanged(Unchanged),
}

/// Why a child stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchanged {
    /// It has what it would get. The walk may still have to go on below it.
    Same,
    /// Its DACL is protected; nothing below it changes either.
    Protected,
    /// Its DACL was never computed with inheritance (no `DACL_AUTO_INHERITED`). Microsoft Learn says that such children are
    /// converted; it was measured that they are skipped (a published report). The model skips, so that a grant is not believed to
    /// have arrived where it may not have: read back what matters.
    NeverInherited,
    /// Putting the child's own entries before the inherited ones would move an allow entry past a deny entry. Windows marks such a
    /// list as protected instead of changing what it means; the model does not touch it and says so.
    WouldReorder,
}

/// The DACL of a child after its parent got the DACL in `parent`: its own entries stay, the inherited ones are replaced.
///
/// `child.owner` and `child.group` are those of the child; a child without a list gets one of inherited entries only, and a list from
/// which the last inherited entry goes stays, empty. The SACL is left alone: it changes only in calls that name it.
pub fn propagate(parent: &SecurityDescriptor, descriptor: &SecurityDescriptor, child: &Child<'_>) -> Propagation {
    if descriptor.control.contains(Control::DACL_PROTECTED) {
        return Propagation::Unchanged(Unchanged::Protected);
    }
    if !descriptor.control.contains(Control::DACL_AUTO_INHERITED) {
        return Propagation::Unchanged(Unchanged::NeverInherited);
    }
    let own = descriptor.dacl.acl().map(|acl| acl.aces.as_slice()).unwrap_or_default();
    if sorting_moves_allow_past_deny(own) {
        return Propagation::Unchanged(Unchanged::WouldReorder);
    }
    let mut aces: Vec<Ace> = own.iter().filter(|ace| !ace.is_inherited()).cloned().collect();
    aces.extend(parent.dacl.acl().map(|acl| inherited_from(acl, child)).unwrap_or_default());
    if aces == own {
        return Propagation::Unchanged(Unchanged::Same);
    }
    let dacl = AclField::Present(Acl::new(aces));
    Propagation::Changed(Box::new(SecurityDescriptor { dacl, ..descriptor.clone() }))
}

/// Whether putting the child's own entries before the inherited ones changes the order of an entry that denies and one that does not.
fn sorting_moves_allow_past_deny(aces: &[Ace]) -> bool {
    let (mut inherited_deny, mut inherited_other) = (false, false);
    for ace in aces {
        match (ace.is_inherited(), ace.denies()) {
            (true, true) => inherited_deny = true,
            (true, false) => inherited_other = true,
            (false, true) if inherited_other => return true,
            (false, false) if inherited_deny => return true,
            (false, _) => {}
        }
    }
    false
}
