//! Listening to an access check.

use super::{ObjectLabel, Unknown};
use crate::token::{Integrity, Privilege};
use crate::{AccessMask, Sid};

/// A walk over the DACL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pass {
    /// For the user and the groups.
    Token,
    /// For the restricting SIDs alone.
    Restricting,
    /// For the package and its capabilities.
    Container,
}

/// What an entry of a DACL does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Refuses.
    Deny,
}

/// Something that had a say in a check, in the order in which it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The request after mapping.
    Asked {
        /// The rights asked for by name.
        named: AccessMask,
        /// Whether everything that can be had is asked for too.
        maximum: bool,
    },
    /// A privilege gave a right, or was missing where nothing else gives it.
    Privilege {
        /// Which.
        privilege: Privilege,
        /// The right.
        right: AccessMask,
        /// Whether the token has it enabled.
        held: bool,
    },
    /// The label is above the token, so only some rights remain possible.
    Label {
        /// The label of the object.
        label: ObjectLabel,
        /// The level of the token.
        token: Integrity,
        /// The rights asked for that the label takes.
        blocked: AccessMask,
    },
    /// The owner got rights without an entry.
    Owner {
        /// The owner, who is in the token.
        owner: Sid,
        /// The rights.
        rights: AccessMask,
    },
    /// The owner is in the token but not in the restricting list, so owning gives nothing.
    OwnerNotRestricting {
        /// The owner.
        owner: Sid,
    },
    /// An OWNER RIGHTS entry replaces what owning would give.
    OwnerRightsEntry {
        /// The index of the entry.
        index: usize,
        /// The owner.
        owner: Sid,
    },
    /// There is no DACL to walk.
    NoDacl {
        /// The pass that would have walked it.
        pass: Pass,
    },
    /// An entry granted or refused rights that were still open.
    Entry {
        /// In which pass.
        pass: Pass,
        /// Its index in the DACL.
        index: usize,
        /// Grants or refuses.
        effect: Effect,
        /// The SID in the entry.
        sid: Sid,
        /// The rights among those open that it decided.
        rights: AccessMask,
    },
    /// An entry that the model does not evaluate was met while rights were open.
    Doubt {
        /// In which pass.
        pass: Pass,
        /// What it is.
        why: Unknown,
    },
    /// The DACL ended with rights not granted.
    Missing {
        /// In which pass.
        pass: Pass,
        /// The rights that no entry granted.
        rights: AccessMask,
    },
    /// A write-restricted token asked for no write-type right, so the restricting SIDs were not asked.
    NoSecondPass {
        /// The rights, all of them read-type.
        asked: AccessMask,
    },
    /// A pass is over.
    PassEnded {
        /// Which.
        pass: Pass,
        /// Whether it granted what was asked for by name.
        granted: bool,
    },
}

/// Hears what has a say in a check.
pub trait Observer {
    /// Something happened.
    fn note(&mut self, event: Event);
}

/// Hears nothing, and costs nothing.
pub struct Silent;

impl Observer for Silent {
    #[inline(always)]
    fn note(&mut self, _event: Event) {}
}

impl Observer for Vec<Event> {
    fn note(&mut self, event: Event) {
        self.push(event);
    }
}
