//! From what `GetTokenInformation` answers to a [`Token`].

use std::fmt;

use super::{
    Capability, Group, GroupUse, Integrity, LowBox, MandatoryPolicy, Privilege, Privileges, Restricting, Token,
};
use crate::{Acl, Sid};

/// A SID and its attributes, `SID_AND_ATTRIBUTES`.
pub type Attributed = (Sid, u32);

/// The answers, class by class (Learn, `TOKEN_INFORMATION_CLASS`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readings {
    /// `TokenUser`.
    pub user: Attributed,
    /// `TokenGroups`, the integrity label among them.
    pub groups: Vec<Attributed>,
    /// `TokenRestrictedSids`.
    pub restricting: Vec<Attributed>,
    /// `TOKEN_WRITE_RESTRICTED` among the flags of `TokenAccessInformation`. Learn calls these flags reserved; the value is that of the
    /// public header `ntifs.h`, and NtObjectManager reads it like this.
    pub write_restricted: bool,
    /// `TokenPrivileges`: the low part of each identifier, and the attributes.
    pub privileges: Vec<(u32, u32)>,
    /// `TokenIntegrityLevel`.
    pub integrity: Sid,
    /// `TokenMandatoryPolicy`.
    pub mandatory: u32,
    /// `TokenAppContainerSid`.
    pub package: Option<Sid>,
    /// `TokenCapabilities`.
    pub capabilities: Vec<Attributed>,
    /// `TokenIsLessPrivilegedAppContainer`.
    pub less_privileged: bool,
    /// `TokenOwner`.
    pub owner: Sid,
    /// `TokenPrimaryGroup`.
    pub primary_group: Sid,
    /// `TokenDefaultDacl`.
    pub default_dacl: Option<Acl>,
}

/// Attributes of SIDs (Learn, `TOKEN_GROUPS`).
mod group {
    pub(super) const MANDATORY: u32 = 0x1;
    pub(super) const ENABLED: u32 = 0x4;
    pub(super) const OWNER: u32 = 0x8;
    pub(super) const DENY_ONLY: u32 = 0x10;
    pub(super) const INTEGRITY: u32 = 0x20;
    pub(super) const LOGON: u32 = 0xC000_0000;
}

/// `SE_PRIVILEGE_ENABLED`.
const PRIVILEGE_ENABLED: u32 = 0x2;

/// What a token says that this model has no word for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadingError {
    /// The integrity is no level.
    NoLevel(Sid),
    /// A privilege of a Windows newer than this program.
    UnknownPrivilege(u32),
    /// The restricting SID has attributes that no check looks at, so what it means is not known.
    RestrictingAttributes(Sid, u32),
}

impl fmt::Display for ReadingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadingError::NoLevel(sid) => write!(f, "the integrity of the token is {sid}, which is no level"),
            ReadingError::UnknownPrivilege(number) => {
                write!(f, "the token has the privilege number {number}, which this version does not know")
            }
            ReadingError::RestrictingAttributes(sid, attributes) => {
                write!(f, "the restricting SID {sid} has the attributes {attributes:#x}, which are not modelled")
            }
        }
    }
}

impl std::error::Error for ReadingError {}

impl Token {
    /// The token of these answers.
    ///
    /// # Errors
    ///
    /// [`ReadingError`]: the answers say what this model cannot; nothing is left out silently.
    pub fn from_readings(readings: &Readings) -> Result<Token, ReadingError> {
        let (user, user_attributes) = readings.user;
        let level = readings.integrity.integrity_level().ok_or(ReadingError::NoLevel(readings.integrity))?;
        let groups = readings.groups.iter().filter(|(_, attributes)| attributes & group::INTEGRITY == 0);
        let mut privileges = Privileges::NONE;
        for (number, attributes) in &readings.privileges {
            let known = Privilege::ALL.iter().copied().find(|known| u32::from(*known as u8) == *number);
            let privilege = known.ok_or(ReadingError::UnknownPrivilege(*number))?;
            privileges = match attributes & PRIVILEGE_ENABLED {
                0 => privileges.with_disabled(privilege),
                _ => privileges.with(privilege),
            };
        }
        Ok(Token {
            user,
            user_deny_only: user_attributes & group::DENY_ONLY != 0,
            groups: groups.copied().map(group_of).collect(),
            restricting: restricting(readings)?,
            privileges,
            integrity: Integrity(level),
            mandatory: MandatoryPolicy {
                no_write_up: readings.mandatory & 1 != 0,
                new_process_min: readings.mandatory & 2 != 0,
            },
            low_box: readings.package.map(|package| LowBox {
                package,
                capabilities: readings.capabilities.iter().copied().map(capability).collect(),
                less_privileged: readings.less_privileged,
            }),
            owner: readings.owner,
            primary_group: readings.primary_group,
            default_dacl: readings.default_dacl.clone(),
        })
    }
}

fn group_of((sid, attributes): Attributed) -> Group {
    // Deny-only comes first: a group that was disabled so may keep the attribute of an enabled one.
    let used = match attributes {
        _ if attributes & group::DENY_ONLY != 0 => GroupUse::DenyOnly,
        _ if attributes & group::ENABLED != 0 => GroupUse::Enabled,
        _ => GroupUse::Disabled,
    };
    Group {
        sid,
        used,
        owner: attributes & group::OWNER != 0,
        logon: attributes & group::LOGON == group::LOGON,
        mandatory: attributes & group::MANDATORY != 0,
    }
}

fn capability((sid, attributes): Attributed) -> Capability {
    Capability { sid, enabled: attributes & group::ENABLED != 0 }
}

/// The restricting list. An empty one says nothing but with the flag: then the token can write nowhere.
fn restricting(readings: &Readings) -> Result<Option<Restricting>, ReadingError> {
    let usual = group::MANDATORY | 0x2 | group::ENABLED;
    let odd = readings.restricting.iter().find(|(_, attributes)| attributes & !usual != 0);
    if let Some((sid, attributes)) = odd {
        return Err(ReadingError::RestrictingAttributes(*sid, *attributes));
    }
    let sids: Vec<Sid> = readings.restricting.iter().map(|(sid, _)| *sid).collect();
    let writes_only = readings.write_restricted;
    Ok((writes_only || !sids.is_empty()).then_some(Restricting { sids, writes_only }))
}
