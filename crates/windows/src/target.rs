//! A policy on a described Windows host: the same [`Boundary`] as everywhere, made from [`Facts`] alone.
//!
//! # One core decides
//!
//! A boundary compares paths byte for byte. Windows paths enter it as [`WindowsPath::key`]: absolute for the platform that this
//! program runs on, every name in the case in which NTFS compares. So `Boundary::decide` answers for Windows without a line
//! of its own for Windows, here on Linux as there; [`Target::decide`] only translates the path that is asked about.
//!
//! # The inside's own directories
//!
//! Linux shows the inside another directory where the user's home was. Windows has no such view for each process, so the private
//! home is a directory of its own, granted like any other, and `USERPROFILE` and its kin name it. The user's own home is
//! outside everything that is granted.

mod error;
mod files;
mod own;
#[cfg(test)]
pub(crate) mod tests;
mod words;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use bailiwick_policy::boundary::{Boundary, Isolation, Network, Present, RunLimits};
use bailiwick_policy::decide::{Access, Decision, Grant};
use bailiwick_policy::guarantee::Guarantee;
use bailiwick_policy::policy::{FileEntry, Limits, Notice, NoticeKind, Policy, Ruled};
use bailiwick_winsec::Sid;

pub use error::TargetError;

use crate::facts::{Account, Facts, ObjectKind};
use crate::path::{PathError, WindowsPath};
use crate::tier::Tier;

/// What a run is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The workspace.
    pub workspace: WindowsPath,
    /// What relative paths of command-line options start from.
    pub current_dir: WindowsPath,
    /// Which tier will enforce it: where the private home is depends on it.
    pub tier: Tier,
}

/// A policy resolved for one run on a described Windows host.
#[derive(Clone, Debug)]
pub struct Target {
    /// The boundary. Its paths are keys.
    pub boundary: Boundary,
    /// The tier that it was made for.
    pub tier: Tier,
    /// The canonical workspace.
    pub workspace: WindowsPath,
    /// The private home.
    pub home: WindowsPath,
    /// The private directory for temporary files, below the private home.
    pub temp: WindowsPath,
    /// Names of variables that are passed from the caller, patterns included.
    pub pass: Vec<String>,
    /// The losses that are accepted by name, with where each was.
    pub accepted: Vec<Ruled<Guarantee>>,
    /// The spelled paths of the boundary's keys.
    spelled: BTreeMap<PathBuf, WindowsPath>,
}

/// What the inside wants to do with a file, by its Windows path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Read, list or execute.
    Read,
    /// Create, change, delete, or change metadata.
    Write,
    /// Remove, rename, move away or replace the object itself.
    Remove,
}

impl Target {
    /// Resolves a policy with nothing but the facts.
    ///
    /// # Errors
    ///
    /// [`TargetError`]; every one means that no run may start.
    pub fn resolve(policy: &Policy, facts: &Facts, asked: &Asked) -> Result<Target, TargetError> {
        let workspace = own::workspace(facts, &asked.workspace)?;
        let home = own::home(facts, asked.tier, &workspace);
        let temp = home.join("AppData/Local/Temp").map_err(TargetError::Own)?;
        if !policy.network.sockets.is_empty() {
            return Err(TargetError::Sockets);
        }
        let mut files = files::Files::new(facts, &workspace, &asked.current_dir);
        let rules = files.rules(&policy.files)?;
        let ceiling = policy.ceiling.as_ref();
        let ceiling_rules = files.restrictions(ceiling.map_or(&[], |ceiling| &ceiling.files))?;
        let ceiling_read = ceiling.and_then(|ceiling| ceiling.read.as_deref());
        let ceiling_read = ceiling_read.map(|list| files.grants(list)).transpose()?;
        let ceiling_write = ceiling.and_then(|ceiling| ceiling.write.as_deref());
        let ceiling_write = ceiling_write.map(|list| files.grants(list)).transpose()?;
        let mut boundary = Boundary {
            rules,
            ceiling_rules,
            ceiling_read,
            ceiling_write,
            network: network(policy),
            limits: limits(&policy.limits),
            workspace_mode: policy.workspace_mode.as_ref().map(|mode| mode.value).unwrap_or_default(),
            notices: policy.notices.clone(),
            environment: own::environment(policy, facts, asked.tier, &home, &temp),
            ..Boundary::closed(workspace.key(), home.key())
        };
        boundary.isolation = isolation(policy, &mut boundary.notices);
        own::grant_home(&mut files, &mut boundary, &home);
        own::protect(&mut files, &mut boundary, &workspace)?;
        let spelled = files.finish(&mut boundary)?;
        let is_taken = |loss: &&Ruled<Guarantee>| boundary.isolation.accept.contains(&loss.value);
        let accepted = policy.isolation.accept.iter().filter(is_taken).cloned().collect();
        Ok(Target { boundary, tier: asked.tier, workspace, home, temp, pass: passed(policy), accepted, spelled })
    }

    /// May the inside do this?
    pub fn decide(&self, verb: Verb, path: &WindowsPath) -> Decision {
        let key = path.key();
        let decision = self.boundary.decide(&match verb {
            Verb::Read => Access::Read(key),
            Verb::Write => Access::Write(key),
            Verb::Remove => Access::Remove(key),
        });
        words::spell(self, path, decision)
    }

    /// The path that a person means: absolute, below the profile (`~`), or from the workspace; short names and other spellings as
    /// the facts know them. Links are not followed.
    ///
    /// # Errors
    ///
    /// [`PathError`] if it cannot be told for certain which file it names.
    pub fn typed(&self, facts: &Facts, text: &OsStr) -> Result<WindowsPath, PathError> {
        files::Files::new(facts, &self.workspace, &self.workspace).typed(text)
    }

    /// Where a path leads by the described links, and those links.
    ///
    /// # Errors
    ///
    /// [`TargetError::TooManyLinks`].
    pub fn leads_to(&self, facts: &Facts, path: &WindowsPath) -> Result<(WindowsPath, Vec<WindowsPath>), TargetError> {
        let located = files::Files::new(facts, &self.workspace, &self.workspace).locate(path)?;
        Ok((located.path, located.links.into_iter().map(|(at, _)| at).collect()))
    }

    /// What the inside has at a path.
    pub fn grant(&self, path: &WindowsPath) -> Grant {
        self.boundary.grant(&path.key())
    }

    /// The path that a key of the boundary stands for.
    pub fn spelled(&self, key: &Path) -> Option<&WindowsPath> {
        self.spelled.get(key)
    }
}

/// Where file rules point on a described host, whatever is there. Patterns point nowhere in particular.
///
/// # Errors
///
/// [`TargetError`] for a path that cannot be understood.
pub(crate) fn named_places<'e>(
    facts: &Facts,
    workspace: &WindowsPath,
    entries: impl IntoIterator<Item = &'e FileEntry>,
) -> Result<Vec<WindowsPath>, TargetError> {
    let files = files::Files::new(facts, workspace, workspace);
    let entries = entries.into_iter().filter(|entry| !entry.glob);
    let places: Result<Vec<_>, TargetError> = entries.map(|entry| files.place(entry)).collect();
    Ok(places?.into_iter().flatten().collect())
}

/// What exists at a place that is no link.
fn present(facts: &Facts, path: &WindowsPath) -> Present {
    match facts.object(path).map(|object| &object.kind) {
        Some(ObjectKind::Directory) => Present::Directory,
        Some(ObjectKind::File | ObjectKind::Link(_)) => Present::File,
        None => Present::Absent,
    }
}

/// The SID that stands for a workspace in access lists of the `guard` tier: the form of a capability, from a hash of the user
/// and the place. Nobody can put it into a token but who makes the token.
pub fn workspace_sid(facts: &Facts, workspace: &WindowsPath) -> Sid {
    let hash = own::workspace_hash(facts, workspace);
    let mut words = [0; 8];
    for (word, four) in words.iter_mut().zip(hash.chunks_exact(4)) {
        *word = four.iter().fold(0, |word, byte| (word << 8) | u32::from(*byte));
    }
    capability_sid(words)
}

/// A capability by name: `S-1-15-3-1024-` and the hash (Learn, "Well-known SIDs").
pub(crate) fn capability_sid(words: [u32; 8]) -> Sid {
    let [a, b, c, d, e, f, g, h] = words;
    Sid::new(15, &[3, 1024, a, b, c, d, e, f, g, h]).unwrap_or_else(|_| Sid::capability(words))
}

/// A name for a place: readable, and different for every user and place.
pub fn workspace_name(facts: &Facts, place: &WindowsPath) -> String {
    own::workspace_name(facts, place)
}

/// The account that serves a workspace: the one that does already, else the first that serves none.
pub fn account_for<'a>(facts: &'a Facts, workspace: &WindowsPath) -> Option<&'a Account> {
    let accounts = &facts.setup.as_ref()?.accounts;
    let serving = accounts.iter().find(|account| account.workspace.as_ref() == Some(workspace));
    serving.or_else(|| accounts.iter().find(|account| account.workspace.is_none()))
}

fn network(policy: &Policy) -> Network {
    let ceiling = policy.ceiling.as_ref();
    let mut deny = policy.network.deny.clone();
    deny.extend(ceiling.into_iter().flat_map(|ceiling| ceiling.deny.iter().cloned()));
    Network {
        allow: policy.network.allow.clone(),
        deny,
        ceiling: ceiling.and_then(|ceiling| ceiling.allow.clone()),
        ..Network::default()
    }
}

fn limits(limits: &Limits) -> RunLimits {
    let number = |limit: &Option<Ruled<u64>>| limit.as_ref().map(|limit| limit.value);
    RunLimits {
        time: limits.time.as_ref().map(|limit| limit.value),
        memory: number(&limits.memory),
        processes: number(&limits.processes),
        file_size: number(&limits.file_size),
        open_files: number(&limits.open_files),
    }
}

/// Losses that the user takes by name, as far as the administrator lets them. Tracing and namespaces are Linux's.
fn isolation(policy: &Policy, notices: &mut Vec<Notice>) -> Isolation {
    let most = policy.ceiling.as_ref().and_then(|ceiling| ceiling.accept.as_ref());
    let mut isolation = Isolation::default();
    for accepted in &policy.isolation.accept {
        if most.is_none_or(|most| most.contains(&accepted.value)) {
            isolation.accept.insert(accepted.value);
            continue;
        }
        let text = format!("losing `{}` is not accepted: the administrator does not allow it", accepted.value);
        notices.push(Notice { kind: NoticeKind::IgnoredCeiling, text, origin: Some(accepted.origin.clone()) });
    }
    isolation
}

/// Names that may be passed: with an administrator's list only those that it holds as they are written.
fn passed(policy: &Policy) -> Vec<String> {
    let most = policy.ceiling.as_ref().and_then(|ceiling| ceiling.pass.as_ref());
    let is_allowed =
        |name: &str| most.is_none_or(|most| most.iter().any(|rule| rule.value == name || rule.value == "*"));
    let mut names: Vec<String> = policy.environment.pass.iter().map(|rule| rule.value.clone()).collect();
    names.retain(|name| is_allowed(name));
    names.sort();
    names.dedup();
    names
}

/// A name and value as the boundary keeps them.
fn variable(name: &str, value: impl Into<OsString>) -> (OsString, OsString) {
    (name.into(), value.into())
}
