//! Accounts, groups, logon rights, protected secrets, tokens.

use bailiwick_winsec::token::{Restriction, Token};
use bailiwick_winsec::{Acl, Sid};

use super::{Answer, ProcessHandle};

/// A token that the process made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHandle(pub u64);

/// What is known about a local account or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// The name.
    pub name: String,
    /// The SID.
    pub sid: Sid,
    /// Whether it is a group.
    pub group: bool,
    /// The comment, by which bailiwick knows its own.
    pub comment: String,
}

/// Rights of an account in the local security policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogonRight {
    /// `SeDenyNetworkLogonRight`.
    DenyNetwork,
    /// `SeDenyRemoteInteractiveLogonRight`.
    DenyRemoteInteractive,
}

impl LogonRight {
    /// Every right that bailiwick sets.
    pub const ALL: [LogonRight; 2] = [LogonRight::DenyNetwork, LogonRight::DenyRemoteInteractive];

    /// The name in the security policy.
    pub const fn name(self) -> &'static str {
        match self {
            LogonRight::DenyNetwork => "SeDenyNetworkLogonRight",
            LogonRight::DenyRemoteInteractive => "SeDenyRemoteInteractiveLogonRight",
        }
    }

    /// The right with this name.
    pub fn from_name(name: &str) -> Option<LogonRight> {
        LogonRight::ALL.into_iter().find(|right| right.name() == name)
    }
}

/// Who there is.
pub trait Principals {
    /// The local account or group with this name (qualified with the computer's name on a real host).
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`.
    fn account(&mut self, name: &str) -> Answer<AccountFacts>;
    /// Makes a local group.
    ///
    /// # Errors
    ///
    /// Not elevated, or the name is taken.
    fn create_group(&mut self, name: &str, comment: &str) -> Answer<Sid>;
    /// Makes a local account.
    ///
    /// # Errors
    ///
    /// Not elevated, or the name is taken.
    fn create_account(&mut self, name: &str, comment: &str, password: &str) -> Answer<Sid>;
    /// Gives an account another password.
    ///
    /// # Errors
    ///
    /// Not elevated, or no such account.
    fn set_password(&mut self, name: &str, password: &str) -> Answer<()>;
    /// Makes an account a member of a group.
    ///
    /// # Errors
    ///
    /// Not elevated, or one of them is missing.
    fn add_member(&mut self, group: &str, account: &str) -> Answer<()>;
    /// Deletes a local account or group.
    ///
    /// # Errors
    ///
    /// Not elevated, or `NOT_FOUND`.
    fn delete_account(&mut self, name: &str) -> Answer<()>;
    /// Deletes the profile directory and its registration (`DeleteProfile`); without a profile nothing happens.
    ///
    /// # Errors
    ///
    /// Not elevated.
    fn delete_profile(&mut self, sid: Sid) -> Answer<()>;
    /// The rights of an account in the security policy.
    ///
    /// # Errors
    ///
    /// Not elevated.
    fn rights(&mut self, sid: Sid) -> Answer<Vec<LogonRight>>;
    /// Grants or takes a right.
    ///
    /// # Errors
    ///
    /// Not elevated.
    fn set_right(&mut self, sid: Sid, right: LogonRight, granted: bool) -> Answer<()>;
    /// Encrypts for the user of this process (DPAPI, user scope).
    ///
    /// # Errors
    ///
    /// The service does not answer.
    fn protect(&mut self, secret: &[u8]) -> Answer<Vec<u8>>;
    /// Decrypts what the user of this process had encrypted.
    ///
    /// # Errors
    ///
    /// It was another user, or the bytes are damaged.
    fn unprotect(&mut self, protected: &[u8]) -> Answer<Vec<u8>>;
    /// Makes the profile of an AppContainer.
    ///
    /// # Errors
    ///
    /// The name is taken.
    fn create_container(&mut self, name: &str) -> Answer<Sid>;
    /// Deletes the profile of an AppContainer.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`.
    fn delete_container(&mut self, name: &str) -> Answer<()>;
    /// The SID that Windows derives for an AppContainer of this name.
    ///
    /// # Errors
    ///
    /// The name cannot be one.
    fn derive_container(&mut self, name: &str) -> Answer<Sid>;
    /// The SID that Windows derives for a capability of this name.
    ///
    /// # Errors
    ///
    /// The name cannot be one.
    fn derive_capability(&mut self, name: &str) -> Answer<Sid>;
    /// The token of this process.
    ///
    /// # Errors
    ///
    /// None in practice.
    fn own_token(&mut self) -> Answer<Token>;
    /// The token of a process that this one started.
    ///
    /// # Errors
    ///
    /// Access, or the process is gone.
    fn process_token(&mut self, process: ProcessHandle) -> Answer<Token>;
    /// A restricted version of this process' own token, with this default DACL.
    ///
    /// # Errors
    ///
    /// `INVALID_PARAMETER` where the token is restricted already and the lists have nothing in common.
    fn restrict(&mut self, how: &Restriction<'_>, default_dacl: &Acl) -> Answer<TokenHandle>;
}
