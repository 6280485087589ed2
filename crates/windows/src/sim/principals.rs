//! Accounts, groups, rights, secrets, tokens.

use bailiwick_winsec::token::{Restriction, Token};
use bailiwick_winsec::{Acl, Sid};
use hmac_sha256::Hash;

use super::{Account, Actor, World};
use crate::host::{AccountFacts, Answer, Code, LogonRight, Principals, ProcessHandle, ProcessId, TokenHandle};

impl World {
    pub(super) fn token_of(&self, process: ProcessId) -> Result<&Token, Code> {
        self.processes.get(&process).map(|process| &process.token).ok_or(Code::PROCESS_ABORTED)
    }

    /// What only an administrator may do.
    fn need_elevation(&self, process: ProcessId) -> Result<(), Code> {
        let token = self.token_of(process)?;
        let is_elevated = token.allows_as(&Sid::ADMINISTRATORS) || token.user == Sid::SYSTEM;
        if is_elevated && token.restricting.is_none() { Ok(()) } else { Err(Code::ACCESS_DENIED) }
    }

    pub(super) fn is_elevated(&self, process: ProcessId) -> Result<(), Code> {
        self.need_elevation(process)
    }

    fn find_account(&self, name: &str) -> Result<&Account, Code> {
        self.accounts.get(&name.to_lowercase()).ok_or(Code::NOT_FOUND)
    }

    fn add_account(&mut self, name: &str, comment: &str, group: bool, password: &str) -> Result<Sid, Code> {
        let key = name.to_lowercase();
        if self.accounts.contains_key(&key) {
            return Err(Code::ALREADY_EXISTS);
        }
        self.next_relative_id += 1;
        let sid = Sid::account(super::build::MACHINE, self.next_relative_id);
        let (name, comment, password) = (name.to_owned(), comment.to_owned(), password.to_owned());
        self.accounts.insert(key, Account { name, sid, group, comment, password, members: Vec::new() });
        Ok(sid)
    }
}

/// SHA-256 over a name in UTF-16 as words: how Windows derives these SIDs as far as others have observed it.
fn words(name: &str) -> [u32; 8] {
    let bytes: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let hash = Hash::hash(&bytes);
    std::array::from_fn(|index| {
        (0..4).rev().fold(0, |word, byte| (word << 8) | hash.get(index * 4 + byte).copied().map_or(0, u32::from))
    })
}

fn container_sid(name: &str) -> Sid {
    let [a, b, c, d, e, f, g, _] = words(&name.to_lowercase());
    Sid::package([a, b, c, d, e, f, g])
}

/// Encryption that a test can see through: who it was for, and the bytes turned over.
fn cover(user: &Sid, bytes: &[u8]) -> Vec<u8> {
    let key = Hash::hash(&user.to_bytes());
    bytes.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect()
}

impl Principals for Actor {
    fn account(&mut self, name: &str) -> Answer<AccountFacts> {
        self.call("account", name, |world, _| {
            let account = world.find_account(name)?;
            let (name, comment) = (account.name.clone(), account.comment.clone());
            Ok(AccountFacts { name, sid: account.sid, group: account.group, comment })
        })
    }

    fn create_group(&mut self, name: &str, comment: &str) -> Answer<Sid> {
        self.call("create_group", name, |world, process| {
            world.need_elevation(process)?;
            world.add_account(name, comment, true, "")
        })
    }

    fn create_account(&mut self, name: &str, comment: &str, password: &str) -> Answer<Sid> {
        self.call("create_account", name, |world, process| {
            world.need_elevation(process)?;
            world.add_account(name, comment, false, password)
        })
    }

    fn set_password(&mut self, name: &str, password: &str) -> Answer<()> {
        self.call("set_password", name, |world, process| {
            world.need_elevation(process)?;
            let account = world.accounts.get_mut(&name.to_lowercase()).ok_or(Code::NOT_FOUND)?;
            account.password = password.to_owned();
            Ok(())
        })
    }

    fn add_member(&mut self, group: &str, account: &str) -> Answer<()> {
        self.call("add_member", group, |world, process| {
            world.need_elevation(process)?;
            let member = world.find_account(account)?.sid;
            let group = world.accounts.get_mut(&group.to_lowercase()).ok_or(Code::NOT_FOUND)?;
            if !group.members.contains(&member) {
                group.members.push(member);
            }
            Ok(())
        })
    }

    fn delete_account(&mut self, name: &str) -> Answer<()> {
        self.call("delete_account", name, |world, process| {
            world.need_elevation(process)?;
            let account = world.accounts.remove(&name.to_lowercase()).ok_or(Code::NOT_FOUND)?;
            world.accounts.values_mut().for_each(|group| group.members.retain(|member| *member != account.sid));
            Ok(())
        })
    }

    fn delete_profile(&mut self, sid: Sid) -> Answer<()> {
        self.call("delete_profile", sid, |world, process| {
            world.need_elevation(process)?;
            if let Some(path) = world.profiles.remove(&sid) {
                world.uproot(&path);
            }
            Ok(())
        })
    }

    fn rights(&mut self, sid: Sid) -> Answer<Vec<LogonRight>> {
        self.call("rights", sid, |world, process| {
            world.need_elevation(process)?;
            Ok(LogonRight::ALL.into_iter().filter(|right| world.rights.contains_key(&(sid, *right))).collect())
        })
    }

    fn set_right(&mut self, sid: Sid, right: LogonRight, granted: bool) -> Answer<()> {
        self.call("set_right", sid, |world, process| {
            world.need_elevation(process)?;
            if granted {
                world.rights.insert((sid, right), ());
            } else {
                world.rights.remove(&(sid, right));
            }
            Ok(())
        })
    }

    fn protect(&mut self, secret: &[u8]) -> Answer<Vec<u8>> {
        self.call("protect", "a secret", |world, process| {
            let user = world.token_of(process)?.user;
            Ok([Hash::hash(&user.to_bytes()).to_vec(), cover(&user, secret)].concat())
        })
    }

    fn unprotect(&mut self, protected: &[u8]) -> Answer<Vec<u8>> {
        self.call("unprotect", "a secret", |world, process| {
            let user = world.token_of(process)?.user;
            let own = protected.strip_prefix(Hash::hash(&user.to_bytes()).as_slice());
            own.map(|bytes| cover(&user, bytes)).ok_or(Code::INVALID_PARAMETER)
        })
    }

    fn create_container(&mut self, name: &str) -> Answer<Sid> {
        self.call("create_container", name, |world, _| {
            if world.containers.contains_key(name) {
                return Err(Code::ALREADY_EXISTS);
            }
            world.containers.insert(name.to_owned(), container_sid(name));
            Ok(container_sid(name))
        })
    }

    fn delete_container(&mut self, name: &str) -> Answer<()> {
        self.call("delete_container", name, |world, _| world.containers.remove(name).map(|_| ()).ok_or(Code::NOT_FOUND))
    }

    fn derive_container(&mut self, name: &str) -> Answer<Sid> {
        self.call("derive_container", name, |_, _| Ok(container_sid(name)))
    }

    fn derive_capability(&mut self, name: &str) -> Answer<Sid> {
        self.call("derive_capability", name, |_, _| {
            let mut all = vec![3, 1024];
            all.extend(words(&name.to_uppercase()));
            Sid::new(15, &all).map_err(|_| Code::INVALID_PARAMETER)
        })
    }

    fn own_token(&mut self) -> Answer<Token> {
        self.call("own_token", "the process", |world, process| world.token_of(process).cloned())
    }

    fn process_token(&mut self, handle: ProcessHandle) -> Answer<Token> {
        self.call("process_token", "a process", |world, process| {
            let target = world.process_of(process, handle)?;
            world.token_of(target).cloned()
        })
    }

    fn restrict(&mut self, how: &Restriction<'_>, default_dacl: &Acl) -> Answer<TokenHandle> {
        self.call("restrict", "the own token", |world, process| {
            let token = world.token_of(process)?.restricted(how).map_err(|_| Code::INVALID_PARAMETER)?;
            let token = Token { default_dacl: Some(default_dacl.clone()), ..token };
            let id = world.fresh();
            world.tokens.insert(id, (process, token));
            Ok(TokenHandle(id))
        })
    }
}
