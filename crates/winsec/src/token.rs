//! Access tokens: who is asking (MS-DTYP 2.5.2; Learn, "Access Tokens" and "Restricted Tokens").
//!
//! A [`Token`] is plain data. [`Token::restricted`] makes from it what `CreateRestrictedToken` makes, [`Token::in_container`] what a
//! process in an AppContainer has. The access check reads it and nothing else.

mod integrity;
mod privilege;
mod readings;
mod restrict;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use integrity::{Integrity, MandatoryPolicy};
pub use privilege::{Privilege, Privileges};
pub use readings::{Attributed, ReadingError, Readings};
pub use restrict::{Removal, RestrictError, Restriction};

use crate::{Acl, Sid};

/// Whether and how a group takes part in access checks (Learn, "SID Attributes in an Access Token").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupUse {
    /// `SE_GROUP_ENABLED`: allows and denies.
    Enabled,
    /// `SE_GROUP_USE_FOR_DENY_ONLY`: denies, never allows, and can never be enabled again.
    DenyOnly,
    /// Neither: the check does not see the group.
    Disabled,
}

/// One group of a token with its attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The group.
    pub sid: Sid,
    /// How it takes part in checks.
    #[serde(rename = "use")]
    pub used: GroupUse,
    /// `SE_GROUP_OWNER`: may be made the owner of objects.
    #[serde(default, skip_serializing_if = "is_false")]
    pub owner: bool,
    /// `SE_GROUP_LOGON_ID`: names the logon session.
    #[serde(default, skip_serializing_if = "is_false")]
    pub logon: bool,
    /// `SE_GROUP_MANDATORY`: the process itself cannot disable it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub mandatory: bool,
}

impl Group {
    /// An enabled, mandatory group, as membership gives.
    pub const fn enabled(sid: Sid) -> Group {
        Group { sid, used: GroupUse::Enabled, owner: false, logon: false, mandatory: true }
    }

    /// A group that only denies.
    pub const fn deny_only(sid: Sid) -> Group {
        Group { used: GroupUse::DenyOnly, ..Group::enabled(sid) }
    }

    /// The enabled SID of the logon session.
    pub const fn logon(sid: Sid) -> Group {
        Group { logon: true, ..Group::enabled(sid) }
    }

    /// An enabled group that may own objects, as Administrators in an elevated token.
    pub const fn owner(sid: Sid) -> Group {
        Group { owner: true, ..Group::enabled(sid) }
    }
}

/// The restricting part of a restricted token (Learn, "Restricted Tokens").
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restricting {
    /// The restricting SIDs. They have no attributes and are always enabled. May be empty only with `writes_only`.
    pub sids: Vec<Sid>,
    /// `WRITE_RESTRICTED`: the second pass runs only for requests with write-type rights.
    #[serde(default, skip_serializing_if = "is_false")]
    pub writes_only: bool,
}

/// A capability of an AppContainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// The capability, S-1-15-3-….
    pub sid: Sid,
    /// `SE_GROUP_ENABLED`: only enabled capabilities count.
    pub enabled: bool,
}

/// What makes a token a LowBox token: the token of an AppContainer (Learn, "AppContainer for legacy apps").
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LowBox {
    /// The package, S-1-15-2-….
    pub package: Sid,
    /// Its capabilities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Capability>,
    /// A less privileged AppContainer: it opted out of ALL APPLICATION PACKAGES.
    #[serde(default, skip_serializing_if = "is_false")]
    pub less_privileged: bool,
}

/// An access token: everything about the asking process that an access check, or the making of an object, looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The account.
    pub user: Sid,
    /// The account only denies: `CreateRestrictedToken` was told to disable it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub user_deny_only: bool,
    /// The groups, without the integrity label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// The restricting list; `None` for a token that is not restricted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restricting: Option<Restricting>,
    /// Privileges, held and enabled.
    #[serde(default)]
    pub privileges: Privileges,
    /// The integrity level.
    #[serde(default)]
    pub integrity: Integrity,
    /// The mandatory policy.
    #[serde(default)]
    pub mandatory: MandatoryPolicy,
    /// Package and capabilities; `None` outside an AppContainer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_box: Option<LowBox>,
    /// The owner of what the process makes (`TokenOwner`).
    pub owner: Sid,
    /// The primary group of what the process makes.
    pub primary_group: Sid,
    /// What protects a new object that inherits nothing (`TokenDefaultDacl`). The access check does not look at it, and it is not part
    /// of the serialised form.
    #[serde(skip)]
    pub default_dacl: Option<Acl>,
}

impl Token {
    /// A plain token of an ordinary account: these enabled groups, SeChangeNotifyPrivilege, Medium integrity, owner the user.
    pub fn plain(user: Sid, groups: &[Sid]) -> Token {
        Token {
            user,
            user_deny_only: false,
            groups: groups.iter().copied().map(Group::enabled).collect(),
            restricting: None,
            privileges: Privileges::NONE.with(Privilege::ChangeNotify),
            integrity: Integrity::MEDIUM,
            mandatory: MandatoryPolicy::default(),
            low_box: None,
            owner: user,
            primary_group: user,
            default_dacl: None,
        }
    }

    /// This token in an AppContainer: the package and capabilities added, integrity Low (Learn, `CreateProcessW` with
    /// `PROC_THREAD_ATTRIBUTE_SECURITY_CAPABILITIES`; `less_privileged` is `…_ALL_APPLICATION_PACKAGES_POLICY` opted out).
    #[must_use]
    pub fn in_container(&self, package: Sid, capabilities: &[Sid], less_privileged: bool) -> Token {
        let capabilities = capabilities.iter().map(|sid| Capability { sid: *sid, enabled: true }).collect();
        let low_box = Some(LowBox { package, capabilities, less_privileged });
        Token { low_box, integrity: self.integrity.min(Integrity::LOW), ..self.clone() }
    }

    /// Whether an allowing entry for `sid` speaks of this token: the user unless deny-only, or an enabled group.
    pub fn allows_as(&self, sid: &Sid) -> bool {
        (self.user == *sid && !self.user_deny_only)
            || self.groups.iter().any(|group| group.sid == *sid && group.used == GroupUse::Enabled)
    }

    /// Whether a denying entry for `sid` speaks of this token: also deny-only SIDs do.
    pub fn denies_as(&self, sid: &Sid) -> bool {
        self.user == *sid || self.groups.iter().any(|group| group.sid == *sid && group.used != GroupUse::Disabled)
    }

    /// Whether `sid` is in the restricting list. False for a token that is not restricted.
    pub fn restricts_to(&self, sid: &Sid) -> bool {
        self.restricting.as_ref().is_some_and(|restricting| restricting.sids.contains(sid))
    }

    /// Whether the token is restricted at all, as `IsTokenRestricted` and the flag `WRITE_RESTRICTED` say.
    pub fn is_restricted(&self) -> bool {
        self.restricting.is_some()
    }

    /// Whether the privilege is held and enabled.
    pub fn has(&self, privilege: Privilege) -> bool {
        self.privileges.is_enabled(privilege)
    }

    /// Whether the process may make `sid` the owner of an object without SeRestorePrivilege: itself, or an enabled group with the owner
    /// attribute (Learn, "Taking Object Ownership", `SetSecurityInfo`: `ERROR_INVALID_OWNER` else).
    pub fn may_assign_owner(&self, sid: &Sid) -> bool {
        (self.user == *sid && !self.user_deny_only)
            || self.groups.iter().any(|group| group.sid == *sid && group.owner && group.used == GroupUse::Enabled)
    }

    /// The SIDs of logon sessions in the token, enabled or not. There can be two: seclogon adds that of its caller.
    pub fn logon_sids(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| group.logon || group.sid.is_logon())
    }
}

// `skip_serializing_if` hands out a reference.
fn is_false(value: &bool) -> bool {
    !*value
}
