//! Why an access check came out as it did: which pass, which entry, which SID.
//!
//! The explanation is the very function that decides, [`evaluate`], with its events written down. It cannot
//! disagree with the check; a property test holds it to that.

mod words;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::check::{Effect, Event, ObjectLabel, Pass, Request, Unknown, Verdict, evaluate};
use crate::token::{Integrity, Privilege, Token};
use crate::{AccessMask, SecurityDescriptor, Sid};

/// What decided, in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// No right was asked for.
    NothingAsked,
    /// A right was asked for that only a privilege gives, and the token does not have it enabled.
    PrivilegeMissing {
        /// Which.
        privilege: Privilege,
        /// The right.
        right: AccessMask,
    },
    /// The token's integrity is below the label of the object.
    Label {
        /// The label.
        label: ObjectLabel,
        /// The level of the token.
        token: Integrity,
        /// The rights asked for that it takes.
        blocked: AccessMask,
    },
    /// A denying entry spoke of a right that no earlier entry had granted.
    Refused {
        /// In which pass.
        pass: Pass,
        /// The index of the entry in the DACL.
        index: usize,
        /// The SID in it.
        sid: Sid,
        /// The rights.
        rights: AccessMask,
    },
    /// No entry granted some of the rights.
    NotGranted {
        /// In which pass.
        pass: Pass,
        /// The rights.
        rights: AccessMask,
    },
    /// There is no DACL, and an AppContainer is let in only by an entry that names it.
    NoEntryForPackage,
    /// Everything asked for was granted.
    Granted,
    /// Nothing is left of `MAXIMUM_ALLOWED`.
    NothingToBeHad,
    /// The model does not know.
    Unknown(Unknown),
}

/// A verdict with its reasons. Its `Display` is text for people, several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The answer, the same as that of [`check`](crate::check::check).
    pub verdict: Verdict,
    /// What was asked.
    pub request: Request,
    /// What decided.
    pub decision: Decision,
    /// Everything that had a say, in order.
    pub events: Vec<Event>,
    /// The DACL's entries as SDDL, by index, for those that the events name.
    entries: Vec<(usize, String)>,
}

/// Checks as [`check`](crate::check::check) does, and says why.
pub fn explain(token: &Token, descriptor: &SecurityDescriptor, request: Request) -> Explanation {
    let mut events = Vec::new();
    let verdict = evaluate(token, descriptor, request, &mut events);
    let decision = decision(verdict, &events);
    let entries = words::entries(descriptor, &events);
    Explanation { verdict, request, decision, events, entries }
}

/// The event that decided. A refusal is the last thing that a check does, so the end of the list tells.
fn decision(verdict: Verdict, events: &[Event]) -> Decision {
    match verdict {
        Verdict::Granted(_) => return Decision::Granted,
        Verdict::Unknown(why) => return Decision::Unknown(why),
        Verdict::Denied => {}
    }
    for event in events.iter().rev() {
        match *event {
            Event::Privilege { privilege, right, held: false } => {
                return Decision::PrivilegeMissing { privilege, right };
            }
            Event::Label { label, token, blocked } if !blocked.is_empty() => {
                return Decision::Label { label, token, blocked };
            }
            Event::Entry { pass, index, effect: Effect::Deny, sid, rights } => {
                return Decision::Refused { pass, index, sid, rights };
            }
            Event::Missing { pass, rights } => return Decision::NotGranted { pass, rights },
            Event::NoDacl { pass: Pass::Container } => return Decision::NoEntryForPackage,
            Event::PassEnded { granted: true, .. } => return Decision::NothingToBeHad,
            Event::Asked { named, maximum: false } if named.is_empty() => return Decision::NothingAsked,
            _ => {}
        }
    }
    Decision::NothingToBeHad
}

impl Explanation {
    /// The decision in one sentence, without the steps that led there.
    pub fn sentence(&self) -> String {
        words::sentence(self)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())?;
        words::steps(self).iter().try_for_each(|step| write!(f, "\n  {step}"))
    }
}
