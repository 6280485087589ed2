//! The planned token as the access check takes it.

use bailiwick_winsec::Sid;
use bailiwick_winsec::token::{Group, Restricting, Token};

use super::{Identity, Plan, build};
use crate::facts::Facts;

/// The groups of every account that logs on interactively (Microsoft Learn, "Special identity groups").
pub(super) const LOCAL_ACCOUNT_GROUPS: [Sid; 4] =
    [Sid::EVERYONE, Sid::USERS, Sid::INTERACTIVE, Sid::AUTHENTICATED_USERS];

impl Plan {
    /// The token of the inside, as far as the access check looks at it. The default DACL is not part of it.
    pub fn access_token(&self, facts: &Facts) -> Token {
        let mut token = match &self.identity {
            Identity::Caller { .. } => build::user_token(facts),
            Identity::Account { sid, group, .. } => {
                let mut token = Token::plain(*sid, &LOCAL_ACCOUNT_GROUPS);
                token.groups.push(Group::enabled(*group));
                token.groups.extend(self.token.deny_only.iter().map(|sid| Group::deny_only(*sid)));
                token
            }
            Identity::Container { package, .. } => {
                let capabilities: Vec<Sid> = self.token.capabilities.iter().map(|capability| capability.sid).collect();
                build::user_token(facts).in_container(*package, &capabilities, false)
            }
        };
        for group in token.groups.iter_mut().filter(|group| self.token.deny_only.contains(&group.sid)) {
            *group = Group { logon: group.logon, ..Group::deny_only(group.sid) };
        }
        token.restricting =
            self.token.restricting.clone().map(|sids| Restricting { sids, writes_only: self.token.write_restricted });
        token
    }
}
