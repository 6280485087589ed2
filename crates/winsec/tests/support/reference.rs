//! The access check once more, as simply as it can be said: each right by itself, no accumulators, no early end.
//!
//! The rules are those of MS-DTYP 2.5.3.2 and 2.5.3.3 and of the pages named in `check.rs`; only the form is another one.

use bailiwick_winsec::token::{GroupUse, Integrity, Privilege};
use bailiwick_winsec::{
    AccessMask, Ace, AceKind, Acl, GenericMapping, KnownAce, Request, SecurityDescriptor, Sid, Token,
};

/// The answer: the rights granted, refused, or not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Granted(AccessMask),
    Denied,
    Unknown,
}

struct World<'a> {
    token: &'a Token,
    descriptor: &'a SecurityDescriptor,
    mapping: &'a GenericMapping,
    named: AccessMask,
}

#[derive(Clone, Copy, PartialEq)]
enum By {
    Token,
    Restricting,
    Container,
}

/// Decides.
pub(crate) fn check(token: &Token, descriptor: &SecurityDescriptor, request: Request) -> Answer {
    let mapping = request.object.mapping();
    let desired = mapping.map(request.desired);
    let world = World { token, descriptor, mapping, named: desired };
    let maximum = desired.contains(AccessMask::MAXIMUM_ALLOWED);
    let named = bits(desired.without(AccessMask::MAXIMUM_ALLOWED));
    if named.contains(&AccessMask::ACCESS_SYSTEM_SECURITY) && !token.has(Privilege::Security) {
        return Answer::Denied;
    }
    let by_privilege = |right: AccessMask| {
        right == AccessMask::ACCESS_SYSTEM_SECURITY
            || right == AccessMask::WRITE_OWNER && named.contains(&right) && token.has(Privilege::TakeOwnership)
    };
    let implicit = |right| world.owner_has(right);
    let write_type = world.mapping.write_type_bits();
    let second_for_all =
        named.iter().any(|right| !by_privilege(*right) && !implicit(*right) && write_type.contains(*right));
    let by_dacls = |right: AccessMask| {
        let second = match &token.restricting {
            None => false,
            Some(list) => !list.writes_only || second_for_all || maximum && write_type.contains(right),
        };
        (implicit(right) || world.dacl_grants(right, By::Token))
            && (!second || implicit(right) || world.dacl_grants(right, By::Restricting))
            && (token.low_box.is_none() || world.dacl_grants(right, By::Container))
    };

    let open: Vec<AccessMask> = named.iter().copied().filter(|right| !by_privilege(*right)).collect();
    if open.iter().any(|right| world.label_takes(*right) == Some(true)) || !open.iter().all(|right| by_dacls(*right)) {
        return Answer::Denied;
    }
    let mut granted: Vec<AccessMask> = named.clone();
    let mut unknown = open.iter().any(|right| world.label_takes(*right).is_none());
    if maximum {
        let mut had: Vec<AccessMask> = (0..24).map(|bit| AccessMask(1 << bit)).collect();
        had.retain(|right| by_dacls(*right));
        unknown |= had.iter().any(|right| world.label_takes(*right).is_none());
        had.retain(|right| world.label_takes(*right) == Some(false));
        granted.extend(had);
    }
    match granted.into_iter().reduce(|all, right| all | right) {
        _ if unknown => Answer::Unknown,
        None => Answer::Denied,
        Some(rights) => Answer::Granted(rights),
    }
}

fn bits(mask: AccessMask) -> Vec<AccessMask> {
    (0..32).map(|bit| AccessMask(1 << bit)).filter(|bit| mask.contains(*bit)).collect()
}

impl World<'_> {
    /// The entries in effect, in order.
    fn entries(&self) -> Option<impl Iterator<Item = &KnownAce>> {
        let acl: &Acl = self.descriptor.dacl.acl()?;
        Some(acl.aces.iter().filter(|ace| !ace.is_inherit_only()).filter_map(Ace::as_known))
    }

    fn enabled(&self, sid: &Sid) -> bool {
        let user = self.token.user == *sid && !self.token.user_deny_only;
        user || self.token.groups.iter().any(|group| group.sid == *sid && group.used == GroupUse::Enabled)
    }

    fn denying(&self, sid: &Sid) -> bool {
        let group = self.token.groups.iter().any(|group| group.sid == *sid && group.used != GroupUse::Disabled);
        self.token.user == *sid || group
    }

    fn restricting(&self, sid: &Sid) -> bool {
        self.token.restricting.as_ref().is_some_and(|list| list.sids.contains(sid))
    }

    fn contained(&self, sid: &Sid) -> bool {
        let Some(low_box) = &self.token.low_box else { return false };
        let capability = low_box.capabilities.iter().any(|capability| capability.sid == *sid && capability.enabled);
        let everyone = *sid == Sid::ALL_APPLICATION_PACKAGES && !low_box.less_privileged;
        *sid == low_box.package || everyone || *sid == Sid::ALL_RESTRICTED_APPLICATION_PACKAGES || capability
    }

    /// Whether owning gives this right.
    fn owner_has(&self, right: AccessMask) -> bool {
        let Some(owner) = &self.descriptor.owner else { return false };
        let restricted_too = self.token.restricting.is_none() || self.restricting(owner);
        let replaced = self.entries().is_some_and(|mut aces| aces.any(|ace| ace.sid == Sid::OWNER_RIGHTS));
        let right = right == AccessMask::READ_CONTROL || right == AccessMask::WRITE_DAC;
        right && self.enabled(owner) && restricted_too && !replaced
    }

    /// Whether the first entry that speaks of the right and of this side of the token allows it.
    fn dacl_grants(&self, right: AccessMask, by: By) -> bool {
        let Some(entries) = self.entries() else {
            // Without a DACL: `MAXIMUM_ALLOWED` is what the type has, a right asked for by name is granted whatever it is.
            return by != By::Container && (self.mapping.all | self.named).contains(right);
        };
        for ace in entries {
            let allows = ace.kind == AceKind::Allow;
            let whom = match (&self.descriptor.owner, ace.sid == Sid::OWNER_RIGHTS) {
                (_, false) => ace.sid,
                (Some(owner), true) if by != By::Container => *owner,
                _ => continue,
            };
            let concerned = match by {
                By::Token if allows => self.enabled(&whom),
                By::Token => self.denying(&whom),
                By::Restricting => self.restricting(&whom),
                By::Container => allows && self.contained(&whom),
            };
            if concerned && self.mapping.map(ace.mask).contains(right) {
                return allows;
            }
        }
        false
    }

    /// Whether the label takes the right; `None` where no document says.
    fn label_takes(&self, right: AccessMask) -> Option<bool> {
        let labels = self.descriptor.sacl.acl().map_or(&[][..], |acl| &acl.aces);
        let label = labels.iter().filter(|ace| !ace.is_inherit_only()).find_map(Ace::as_known);
        let (level, policy) = label.map_or((Integrity::MEDIUM, AccessMask::NO_WRITE_UP), |label| {
            (Integrity(label.sid.integrity_level().unwrap()), label.mask)
        });
        let contained = self.token.low_box.is_some() && level <= Integrity::MEDIUM;
        if !self.token.mandatory.no_write_up || self.token.integrity >= level || contained {
            return Some(false);
        }
        let kinds = [
            (self.mapping.read, AccessMask::NO_READ_UP),
            (self.mapping.write, AccessMask::NO_WRITE_UP),
            (self.mapping.execute, AccessMask::NO_EXECUTE_UP),
        ];
        let mut of_kind = kinds.iter().filter(|(rights, _)| rights.contains(right)).peekable();
        if right == AccessMask::WRITE_OWNER && self.token.has(Privilege::Relabel) {
            return Some(false);
        }
        if of_kind.peek().is_none() {
            return policy.contains(AccessMask::NO_WRITE_UP).then_some(true);
        }
        Some(of_kind.all(|(_, forbids)| policy.contains(*forbids)))
    }
}
