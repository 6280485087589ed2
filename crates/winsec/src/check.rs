//! The access check: may this token do that to an object with this descriptor?
//!
//! The passes, in order. Each can refuse; all must agree.
//!
//! | pass | asks | source |
//! | --- | --- | --- |
//! | request | generic rights become those of the type | MS-DTYP 2.5.3.1 |
//! | privileges | `ACCESS_SYSTEM_SECURITY` and `WRITE_OWNER` by privilege; what a privilege gives, no later pass takes | MS-DTYP 2.5.3.2 |
//! | label | is the token's integrity below the label's? | MS-DTYP 2.5.3.3 |
//! | owner | `READ_CONTROL` and `WRITE_DAC` for the owner, unless an OWNER RIGHTS entry says otherwise | MS-DTYP 2.5.3.2; Learn, "Well-known SIDs" |
//! | token | the DACL for user and groups | MS-DTYP 2.5.3.2 |
//! | restricting | the DACL again for the restricting SIDs alone | Learn, "Restricted Tokens" |
//! | container | the DACL again for package and capabilities | Learn, "AppContainer isolation" |
//!
//! Where the model does not know, the answer is [`Verdict::Unknown`], never a guess: a conditional entry, a trust label or a central
//! policy that could have decided. A pass that refuses for certain outweighs one that does not know.
//!
//! The check is one function, [`evaluate`], generic over who listens. [`check`] lets nobody listen and allocates nothing;
//! [`explain`](crate::explain) writes down what it hears.

mod label;
mod observe;
mod verdict;
mod walk;

#[cfg(test)]
mod tests;

pub use label::ObjectLabel;
pub use observe::{Effect, Event, Observer, Pass, Silent};
pub use verdict::{Unknown, Verdict};
use walk::{Asked, Result as Walked};

use crate::token::{Privilege, Token};
use crate::{AccessMask, Ace, Acl, GenericMapping, ObjectType, SecurityDescriptor, Sid};

/// What is asked for: rights on an object of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Request {
    /// The rights, generic ones and `MAXIMUM_ALLOWED` included.
    pub desired: AccessMask,
    /// The type of the object, which says what generic rights mean.
    pub object: ObjectType,
}

impl Request {
    /// These rights on an object of this type.
    pub const fn new(object: ObjectType, desired: AccessMask) -> Request {
        Request { desired, object }
    }

    /// These rights on a file or directory.
    pub const fn file(desired: AccessMask) -> Request {
        Request::new(ObjectType::File, desired)
    }
}

/// Whether `token` gets `request` on an object with this descriptor. Allocates nothing.
pub fn check(token: &Token, descriptor: &SecurityDescriptor, request: Request) -> Verdict {
    evaluate(token, descriptor, request, &mut Silent)
}

/// [`check`], with somebody listening to what decides.
pub fn evaluate<O: Observer>(
    token: &Token,
    descriptor: &SecurityDescriptor,
    request: Request,
    observer: &mut O,
) -> Verdict {
    let mapping = request.object.mapping();
    let desired = mapping.map(request.desired);
    let maximum = desired.contains(AccessMask::MAXIMUM_ALLOWED);
    let named = desired.without(AccessMask::MAXIMUM_ALLOWED);
    observer.note(Event::Asked { named, maximum });
    if named.is_empty() && !maximum {
        // `SeAccessCheck` refuses to grant nothing, and so does opening an object (Learn, `SeAccessCheck`).
        return Verdict::Denied;
    }
    let Some(privileged) = by_privilege(token, named, observer) else { return Verdict::Denied };
    let asked = Asked { named: named.without(privileged), maximum };
    let ceiling = label::ceiling(token, descriptor, mapping, asked, observer);
    let possible = ceiling.certain | ceiling.doubtful;
    if !possible.contains(asked.named) {
        return Verdict::Denied;
    }
    let check = Check { token, owner: descriptor.owner, acl: descriptor.dacl.acl(), mapping };
    let granted = match check.discretionary(asked, observer) {
        Ok(granted) => granted,
        Err(Refusal::Denied) => return Verdict::Denied,
        Err(Refusal::Unknown(why)) => return Verdict::Unknown(why),
    };
    let doubt = ceiling.why.filter(|_| granted.intersects(ceiling.doubtful));
    let granted = (granted & possible) | privileged;
    match label::unknown_in_sacl(descriptor).or(doubt) {
        _ if granted.is_empty() => Verdict::Denied,
        Some(why) => Verdict::Unknown(why),
        None => Verdict::Granted(granted),
    }
}

/// The rights that privileges give; `None` if a right was asked for that only a privilege gives, and it is missing.
///
/// Without SeSecurityPrivilege a request for `ACCESS_SYSTEM_SECURITY` fails whatever the DACL says (MS-DTYP 2.5.3.2).
/// Rights that backup and restore privileges give depend on the intent of the open and belong to [`ntfs`](crate::ntfs).
fn by_privilege<O: Observer>(token: &Token, named: AccessMask, observer: &mut O) -> Option<AccessMask> {
    let mut given = AccessMask::NONE;
    if named.contains(AccessMask::ACCESS_SYSTEM_SECURITY) {
        let held = token.has(Privilege::Security);
        observer.note(Event::Privilege {
            privilege: Privilege::Security,
            right: AccessMask::ACCESS_SYSTEM_SECURITY,
            held,
        });
        if !held {
            return None;
        }
        given |= AccessMask::ACCESS_SYSTEM_SECURITY;
    }
    if named.contains(AccessMask::WRITE_OWNER) && token.has(Privilege::TakeOwnership) {
        let right = AccessMask::WRITE_OWNER;
        observer.note(Event::Privilege { privilege: Privilege::TakeOwnership, right, held: true });
        given |= right;
    }
    Some(given)
}

/// Why the discretionary passes did not grant.
enum Refusal {
    Denied,
    Unknown(Unknown),
}

/// The discretionary part of one check.
struct Check<'a> {
    token: &'a Token,
    owner: Option<Sid>,
    /// `None`: absent or NULL, which protects nothing.
    acl: Option<&'a Acl>,
    mapping: &'a GenericMapping,
}

/// What an owner gets without an entry.
const IMPLICIT: AccessMask = AccessMask::READ_CONTROL.union(AccessMask::WRITE_DAC);

impl Check<'_> {
    /// The passes over the DACL, all of which must grant what is named. Returns at least that.
    fn discretionary<O: Observer>(&self, asked: Asked, observer: &mut O) -> Result<AccessMask, Refusal> {
        let mut both = Combined::default();
        let (implicit, doubt) = self.implicit(asked, observer);
        both.unknown = doubt;
        let rest = Asked { named: asked.named.without(implicit), ..asked };

        let first = self.pass(Pass::Token, rest, implicit, observer);
        both.take(first)?;
        if let Some(restricting) = &self.token.restricting {
            let writes = rest.named.intersects(self.mapping.write_type_bits());
            if !restricting.writes_only || writes {
                both.take(self.pass(Pass::Restricting, rest, implicit, observer))?;
            } else if rest.maximum {
                both.take_rights_of_their_own(
                    self.pass(Pass::Restricting, ONLY_MAXIMUM, implicit, observer),
                    self.mapping,
                );
            } else {
                observer.note(Event::NoSecondPass { asked: rest.named });
            }
        }
        if self.token.low_box.is_some() {
            // What the owner has must be granted to the package too, so all of the request is asked again.
            both.take(self.pass(Pass::Container, asked, AccessMask::NONE, observer))?;
        }
        match both.unknown {
            Some(why) => Err(Refusal::Unknown(why)),
            None if asked.maximum => Ok(both.rights),
            None => Ok(asked.named),
        }
    }

    /// One walk over the DACL. `implicit` counts as granted before the first entry.
    fn pass<O: Observer>(&self, pass: Pass, asked: Asked, implicit: AccessMask, observer: &mut O) -> Walked {
        let walked = match (self.acl, pass) {
            (None, Pass::Container) if asked.named.is_empty() => Walked::Granted(AccessMask::NONE),
            // An AppContainer is let in by an entry that names it, and there is none (Learn, "AppContainer isolation").
            (None, Pass::Container) => Walked::Denied,
            (None, _) => Walked::Granted(asked.named | self.mapping.all),
            (Some(acl), _) => walk::walk(self, acl, pass, asked, implicit, observer),
        };
        if self.acl.is_none() {
            observer.note(Event::NoDacl { pass });
        }
        observer.note(Event::PassEnded { pass, granted: matches!(walked, Walked::Granted(_)) });
        walked
    }

    /// What the owner gets without an entry, of what was asked for, and whether an entry that is not understood leaves that in doubt.
    ///
    /// The owner must be an allowing SID of the token, for a restricted token a restricting SID as well, and no OWNER RIGHTS entry may
    /// be in effect (MS-DTYP 2.5.3.2; Learn, "Well-known SIDs", S-1-3-4).
    fn implicit<O: Observer>(&self, asked: Asked, observer: &mut O) -> (AccessMask, Option<Unknown>) {
        const NOTHING: (AccessMask, Option<Unknown>) = (AccessMask::NONE, None);
        if !asked.maximum && !asked.named.intersects(IMPLICIT) {
            return NOTHING;
        }
        let Some(owner) = self.owner.filter(|owner| self.token.allows_as(owner)) else { return NOTHING };
        if self.token.is_restricted() && !self.token.restricts_to(&owner) {
            observer.note(Event::OwnerNotRestricting { owner });
            return NOTHING;
        }
        let mut doubt = None;
        for (index, ace) in self.acl.iter().flat_map(|acl| acl.aces.iter().enumerate()) {
            match ace {
                ace if ace.is_inherit_only() => {}
                Ace::Known(known) if known.sid == Sid::OWNER_RIGHTS && walk::effect(known.kind).is_some() => {
                    observer.note(Event::OwnerRightsEntry { index, owner });
                    return NOTHING;
                }
                Ace::Known(_) => {}
                Ace::Opaque(opaque) if walk::has_no_say(opaque) => {}
                Ace::Opaque(opaque) => {
                    doubt = doubt.or(Some(Unknown::Entry { index, type_byte: opaque.type_byte }));
                }
            }
        }
        let rights = if asked.maximum { IMPLICIT } else { asked.named & IMPLICIT };
        observer.note(Event::Owner { owner, rights });
        (rights, doubt)
    }

    /// Whether an entry for `sid` speaks of the token in this pass, to this effect.
    fn concerns(&self, pass: Pass, effect: Effect, sid: &Sid) -> bool {
        let sid = if *sid == Sid::OWNER_RIGHTS {
            match (&self.owner, pass) {
                // The package must be granted what its user has as the owner, too: OWNER RIGHTS names no package.
                (_, Pass::Container) | (None, _) => return false,
                (Some(owner), _) => owner,
            }
        } else {
            sid
        };
        match (pass, effect) {
            (Pass::Token, Effect::Allow) => self.token.allows_as(sid),
            (Pass::Token, Effect::Deny) => self.token.denies_as(sid),
            (Pass::Restricting, _) => self.token.restricts_to(sid),
            (Pass::Container, Effect::Allow) => self.contained_as(sid),
            // The container pass is a list of what is allowed; refusals are the token pass's business.
            (Pass::Container, Effect::Deny) => false,
        }
    }

    /// Whether `sid` is the package, one of its enabled capabilities, or one of the two groups of all packages.
    fn contained_as(&self, sid: &Sid) -> bool {
        self.token.low_box.as_ref().is_some_and(|low_box| {
            *sid == low_box.package
                || *sid == Sid::ALL_RESTRICTED_APPLICATION_PACKAGES
                || (*sid == Sid::ALL_APPLICATION_PACKAGES && !low_box.less_privileged)
                || low_box.capabilities.iter().any(|capability| capability.sid == *sid && capability.enabled)
        })
    }
}

/// Asks for everything and names nothing.
const ONLY_MAXIMUM: Asked = Asked { named: AccessMask::NONE, maximum: true };

/// What the passes so far leave.
struct Combined {
    rights: AccessMask,
    unknown: Option<Unknown>,
}

impl Default for Combined {
    fn default() -> Combined {
        Combined { rights: AccessMask(!0), unknown: None }
    }
}

impl Combined {
    fn take(&mut self, walked: Walked) -> Result<(), Refusal> {
        match walked {
            Walked::Granted(rights) => self.rights &= rights,
            Walked::Unknown(why) => self.unknown = self.unknown.or(Some(why)),
            Walked::Denied => return Err(Refusal::Denied),
        }
        Ok(())
    }

    /// For `MAXIMUM_ALLOWED` of a write-restricted token. No document says what Windows answers. This is what the token could get by
    /// asking for each right by itself: the restricting pass has a say in the write-type ones only. Windows may grant less at once.
    fn take_rights_of_their_own(&mut self, walked: Walked, mapping: &GenericMapping) {
        match walked {
            Walked::Granted(rights) => self.rights &= rights | !mapping.write_type_bits(),
            Walked::Unknown(why) => self.unknown = self.unknown.or(Some(why)),
            Walked::Denied => self.rights &= !mapping.write_type_bits(),
        }
    }
}
