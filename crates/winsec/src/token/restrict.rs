//! What `CreateRestrictedToken` does to a token (Learn, `CreateRestrictedToken`, "Restricted Tokens").

use std::fmt;

use super::{GroupUse, Privilege, Privileges, Restricting, Token};
use crate::Sid;

/// Which privileges `CreateRestrictedToken` takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// None.
    Nothing,
    /// `DISABLE_MAX_PRIVILEGE`: all but SeChangeNotifyPrivilege.
    AllButChangeNotify,
    /// `PrivilegesToDelete`: those held in this set.
    These(Privileges),
}

/// The arguments of `CreateRestrictedToken`.
#[derive(Debug, Clone, Copy)]
pub struct Restriction<'a> {
    /// `SidsToDisable`: become deny-only. One that the token does not have is ignored.
    pub disable: &'a [Sid],
    /// `SidsToRestrict`. Empty: no restricting SIDs are added.
    pub restricting: &'a [Sid],
    /// `WRITE_RESTRICTED`. With an empty list the token can write nowhere.
    pub write_restricted: bool,
    /// Which privileges go.
    pub remove: Removal,
}

impl Restriction<'_> {
    /// Changes nothing.
    pub const NONE: Restriction<'static> =
        Restriction { disable: &[], restricting: &[], write_restricted: false, remove: Removal::Nothing };
}

/// Why a token cannot be restricted like that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestrictError {
    /// The token is restricted already and the new list has no SID in common with the old: `ERROR_INVALID_PARAMETER` (87).
    EmptyIntersection {
        /// The list that the token has.
        present: Vec<Sid>,
        /// The list that was asked for.
        asked: Vec<Sid>,
    },
}

impl fmt::Display for RestrictError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RestrictError::EmptyIntersection { present, asked } = self;
        write!(
            f,
            "restricting a token: it is restricted already, to {}, and the new list, {}, has none of them in common. Windows refuses \
             that with error 87. Start from a process that is not itself in a sandbox",
            list(present),
            list(asked)
        )
    }
}

impl std::error::Error for RestrictError {}

fn list(sids: &[Sid]) -> String {
    if sids.is_empty() {
        return "no SID at all".to_owned();
    }
    sids.iter().map(Sid::describe).collect::<Vec<_>>().join(", ")
}

impl Token {
    /// The token that `CreateRestrictedToken` makes from this one.
    ///
    /// Restricting a restricted token intersects the lists. Whether it then stays write-restricted is not documented; it does here only
    /// if both are, which is the narrower answer. The default DACL and the default owner are left as they are, as Windows does.
    pub fn restricted(&self, how: &Restriction<'_>) -> Result<Token, RestrictError> {
        let mut token = self.clone();
        token.user_deny_only |= how.disable.contains(&self.user);
        for group in token.groups.iter_mut().filter(|group| how.disable.contains(&group.sid)) {
            group.used = GroupUse::DenyOnly;
        }
        token.privileges = match how.remove {
            Removal::Nothing => self.privileges,
            Removal::AllButChangeNotify => {
                let gone = Privilege::ALL.iter().filter(|privilege| **privilege != Privilege::ChangeNotify);
                gone.fold(self.privileges, |kept, privilege| kept.without(*privilege))
            }
            Removal::These(gone) => gone.iter().fold(self.privileges, |kept, (privilege, _)| kept.without(privilege)),
        };
        token.restricting = self.restricting_after(how)?;
        Ok(token)
    }

    fn restricting_after(&self, how: &Restriction<'_>) -> Result<Option<Restricting>, RestrictError> {
        let asks = how.write_restricted || !how.restricting.is_empty();
        let Some(present) = &self.restricting else {
            let new = || Restricting { sids: unique(how.restricting), writes_only: how.write_restricted };
            return Ok(asks.then(new));
        };
        if !asks {
            return Ok(Some(present.clone()));
        }
        let common = |sid: &&Sid| present.sids.contains(sid);
        let sids: Vec<Sid> = unique(how.restricting).iter().filter(common).copied().collect();
        if sids.is_empty() {
            return Err(RestrictError::EmptyIntersection {
                present: present.sids.clone(),
                asked: how.restricting.to_vec(),
            });
        }
        Ok(Some(Restricting { sids, writes_only: present.writes_only && how.write_restricted }))
    }
}

/// The SIDs without repetitions, in order.
fn unique(sids: &[Sid]) -> Vec<Sid> {
    let mut seen = Vec::with_capacity(sids.len());
    for sid in sids {
        if !seen.contains(sid) {
            seen.push(*sid);
        }
    }
    seen
}
