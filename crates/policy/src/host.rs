//! The facts of this host that merging and resolving need, taken once by the caller.

use std::ffi::OsString;
use std::path::PathBuf;

/// What policy has to know of the machine and of the user. Plain data: tests make their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The user's home directory, absolute, as the user knows it (it may be a symbolic link).
    pub home: PathBuf,
    /// The user's name.
    pub user: String,
    /// The numeric user id (0 where there is none).
    pub uid: u32,
    /// The user's own policy files: `~/.config/bailiwick`.
    pub config_dir: PathBuf,
    /// What bailiwick keeps for the user: private homes (`~/.local/share/bailiwick`).
    pub data_dir: PathBuf,
    /// What bailiwick remembers: trust, search caches, quarantine, journal (`~/.local/state/bailiwick`).
    pub state_dir: PathBuf,
    /// The administrator's policy file: `/etc/bailiwick/policy.toml`.
    pub admin_file: PathBuf,
    /// The directory that relative paths on the command line start from, absolute.
    pub current_dir: PathBuf,
    /// The environment of the caller.
    pub environment: Vec<(OsString, OsString)>,
}
