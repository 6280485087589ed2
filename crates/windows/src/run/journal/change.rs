//! The changes that bailiwick makes, each with what its undo needs.

use std::fmt;

use bailiwick_winsec::Sid;

use super::super::codec;
use crate::host::{FileId, Hive, Key, LogonRight, SessionObject};
use crate::path::WindowsPath;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Entries in the access list of an object, handed down to what is below.
    Stamp {
        /// Where.
        path: WindowsPath,
        /// Which object: another one at the same place is not touched.
        id: FileId,
        /// The descriptor before, self-relative.
        original: Vec<u8>,
        /// The descriptor after.
        written: Vec<u8>,
        /// The SIDs of the entries.
        ours: Vec<Sid>,
    },
    /// A new directory.
    Directory {
        /// Where.
        path: WindowsPath,
    },
    /// A new file.
    File {
        /// Where.
        path: WindowsPath,
    },
    /// What appeared under a guarded name, now under a name that nobody could foresee, on its way to being deleted.
    Hidden {
        /// The name that nobody could foresee.
        path: WindowsPath,
    },
    /// A new account or group.
    Account {
        /// Its name.
        name: String,
        /// Its comment, which holds a number drawn for it: one of the same name with another comment is not ours.
        comment: String,
    },
    /// The profile that Windows makes for an account.
    Profile {
        /// The account.
        sid: Sid,
    },
    /// A right in the security policy.
    Right {
        /// Whose.
        sid: Sid,
        /// Which.
        right: LogonRight,
    },
    /// A new key of the registry.
    RegistryKey {
        /// Which.
        key: Key,
    },
    /// A new value of the registry.
    RegistryValue {
        /// The key.
        key: Key,
        /// The name.
        name: String,
    },
    /// Filters.
    Filters {
        /// Their keys.
        keys: Vec<u128>,
    },
    /// The profile of an AppContainer.
    Container {
        /// Its name.
        name: String,
    },
    /// Entries on an object of the session.
    Session {
        /// Which object.
        object: SessionObject,
        /// For whom.
        sid: Sid,
    },
}

impl Change {
    pub(super) fn to_fields(&self) -> Vec<String> {
        let text = |text: &str| codec::quote(text.as_bytes());
        let path = |path: &WindowsPath| codec::quote(path.to_string().as_bytes());
        let fields: Vec<String> = match self {
            Change::Stamp { path: at, id, original, written, ours } => vec![
                path(at),
                format!("{:x} {:x}", id.volume, id.file),
                codec::quote(original),
                codec::quote(written),
                codec::from_sids(ours),
            ],
            Change::Directory { path: at } | Change::File { path: at } | Change::Hidden { path: at } => vec![path(at)],
            Change::Account { name, comment } => vec![text(name), text(comment)],
            Change::Profile { sid } => vec![sid.to_string()],
            Change::Right { sid, right } => vec![sid.to_string(), right.name().to_owned()],
            Change::RegistryKey { key } => vec![hive(key.hive).to_owned(), text(&key.path)],
            Change::RegistryValue { key, name } => vec![hive(key.hive).to_owned(), text(&key.path), text(name)],
            Change::Filters { keys } => {
                vec![keys.iter().map(|key| format!("{key:032x}")).collect::<Vec<_>>().join(" ")]
            }
            Change::Container { name } => vec![text(name)],
            Change::Session { object, sid } => vec![text(object.name()), sid.to_string()],
        };
        std::iter::once(self.word().to_owned()).chain(fields).collect()
    }

    const fn word(&self) -> &'static str {
        match self {
            Change::Stamp { .. } => "stamp",
            Change::Directory { .. } => "directory",
            Change::File { .. } => "file",
            Change::Hidden { .. } => "hidden",
            Change::Account { .. } => "account",
            Change::Profile { .. } => "profile",
            Change::Right { .. } => "right",
            Change::RegistryKey { .. } => "registry-key",
            Change::RegistryValue { .. } => "registry-value",
            Change::Filters { .. } => "filters",
            Change::Container { .. } => "container",
            Change::Session { .. } => "session",
        }
    }

    pub(super) fn from_fields(fields: &[&str]) -> Option<Change> {
        Some(match fields {
            ["stamp", path, id, original, written, ours] => {
                let (volume, file) = id.split_once(' ')?;
                let volume = u64::from_str_radix(volume, 16).ok()?;
                Change::Stamp {
                    path: codec::path(path)?,
                    id: FileId { volume, file: u128::from_str_radix(file, 16).ok()? },
                    original: codec::unquote(original)?,
                    written: codec::unquote(written)?,
                    ours: codec::sids(ours)?,
                }
            }
            ["directory", path] => Change::Directory { path: codec::path(path)? },
            ["file", path] => Change::File { path: codec::path(path)? },
            ["hidden", path] => Change::Hidden { path: codec::path(path)? },
            ["account", name, comment] => Change::Account { name: codec::text(name)?, comment: codec::text(comment)? },
            ["profile", sid] => Change::Profile { sid: sid.parse().ok()? },
            ["right", sid, right] => Change::Right { sid: sid.parse().ok()?, right: LogonRight::from_name(right)? },
            ["registry-key", hive, path] => Change::RegistryKey { key: key(hive, path)? },
            ["registry-value", hive, path, name] => {
                Change::RegistryValue { key: key(hive, path)?, name: codec::text(name)? }
            }
            ["filters", keys] => Change::Filters {
                keys: keys
                    .split(' ')
                    .filter(|key| !key.is_empty())
                    .map(|key| u128::from_str_radix(key, 16).ok())
                    .collect::<Option<_>>()?,
            },
            ["container", name] => Change::Container { name: codec::text(name)? },
            ["session", object, sid] => {
                Change::Session { object: SessionObject::from_name(&codec::text(object)?)?, sid: sid.parse().ok()? }
            }
            _ => return None,
        })
    }
}

const fn hive(hive: Hive) -> &'static str {
    match hive {
        Hive::Machine => "machine",
        Hive::User => "user",
    }
}

fn key(hive: &str, path: &str) -> Option<Key> {
    let hive = match hive {
        "machine" => Hive::Machine,
        "user" => Hive::User,
        _ => return None,
    };
    Some(Key { hive, path: codec::text(path)? })
}

/// What the change is, for people.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| bailiwick_policy::text::escape(text.as_ref());
        match self {
            Change::Stamp { path, ours, .. } => {
                write!(f, "entries for {} in the access list of `{}` and below", codec::from_sids(ours), path.shown())
            }
            Change::Directory { path } => write!(f, "the directory `{}`", path.shown()),
            Change::File { path } => write!(f, "the file `{}`", path.shown()),
            Change::Hidden { path } => write!(f, "what was taken away, at `{}`", path.shown()),
            Change::Account { name, .. } => write!(f, "the account or group `{}`", shown(name)),
            Change::Profile { sid } => write!(f, "the profile of {sid}"),
            Change::Right { sid, right } => write!(f, "{} of {sid}", right.name()),
            Change::RegistryKey { key } => write!(f, "the registry key `{}`", shown(&key.path)),
            Change::RegistryValue { key, name } => {
                write!(f, "the value `{}` of the registry key `{}`", shown(name), shown(&key.path))
            }
            Change::Filters { keys } => write!(f, "{} network filters", keys.len()),
            Change::Container { name } => write!(f, "the AppContainer `{}`", shown(name)),
            Change::Session { object, sid } => write!(f, "entries for {sid} on {}", object.name()),
        }
    }
}
