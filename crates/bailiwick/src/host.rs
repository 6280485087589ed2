//! The facts of this host, taken once: who the user is, where things are kept, what the environment holds.

use std::fmt;
use std::path::PathBuf;

use bailiwick_policy::host::Host;
#[cfg(unix)]
use bailiwick_policy::text::escape;

/// The host could not be described: without these facts no policy can be resolved.
#[derive(Debug)]
#[non_exhaustive]
pub enum HostError {
    /// There is no home directory to be found.
    NoHome {
        /// What was tried, in words.
        tried: String,
    },
    /// The home directory is not one.
    BadHome {
        /// The directory, escaped for printing.
        home: String,
        /// Why not.
        why: String,
    },
    /// The current directory cannot be told.
    NoCurrentDirectory(std::io::Error),
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostError::NoHome { tried } => {
                write!(f, "looking for your home directory: {tried}; set HOME to an existing directory")
            }
            HostError::BadHome { home, why } => {
                write!(f, "looking at your home directory `{home}`: {why}; set HOME to an existing directory")
            }
            HostError::NoCurrentDirectory(error) => {
                write!(f, "asking for the current directory: {error}; change to a directory that exists")
            }
        }
    }
}

impl std::error::Error for HostError {}

/// Collects the facts of this host for the user who runs this process.
///
/// The home directory is `$HOME` if that is absolute, else the one of the user database. Directories of
/// bailiwick's own follow `XDG_CONFIG_HOME`, `XDG_DATA_HOME` and `XDG_STATE_HOME` where those are absolute.
///
/// # Errors
///
/// When there is no home directory, or no current directory.
pub fn collect() -> Result<Host, HostError> {
    let environment: Vec<_> = std::env::vars_os().collect();
    let current_dir = std::env::current_dir().map_err(HostError::NoCurrentDirectory)?;
    system::collect(environment, current_dir)
}

/// The directory that variable `name` holds, if it is absolute (others are ignored, as the XDG specification says).
fn absolute(environment: &[(std::ffi::OsString, std::ffi::OsString)], name: &str) -> Option<PathBuf> {
    let (_, value) = environment.iter().find(|(key, _)| key == name)?;
    let path = PathBuf::from(value);
    path.is_absolute().then_some(path)
}

#[cfg(unix)]
mod system {
    use std::ffi::{OsStr, OsString};
    use std::fs::File;
    use std::io::Read;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::{Path, PathBuf};

    use super::{Host, HostError, absolute, escape};

    /// The user database is read by hand: the static program has no name service.
    const PASSWD: &str = "/etc/passwd";
    /// More than any user database that is a file.
    const PASSWD_LIMIT: u64 = 16 << 20;

    pub(super) fn collect(environment: Vec<(OsString, OsString)>, current_dir: PathBuf) -> Result<Host, HostError> {
        let uid = rustix::process::getuid().as_raw();
        let named = environment
            .iter()
            .find(|(name, _)| name == "USER")
            .or_else(|| environment.iter().find(|(name, _)| name == "LOGNAME"));
        let named = named.and_then(|(_, value)| value.to_str()).filter(|name| !name.is_empty()).map(str::to_owned);
        let home = absolute(&environment, "HOME");
        // The user database is read only where the environment leaves something open.
        let account = if home.is_none() || named.is_none() { account(uid) } else { None };
        let home = match (home, &account) {
            (Some(home), _) => home,
            (None, Some(account)) => account.home.clone(),
            (None, None) => {
                let tried = format!("HOME is not an absolute path, and {PASSWD} has no user with id {uid}");
                return Err(HostError::NoHome { tried });
            }
        };
        check_home(&home)?;
        let user = named.or_else(|| account.map(|account| account.name)).unwrap_or_else(|| uid.to_string());
        let under = |variable: &str, usual: &str| {
            absolute(&environment, variable).unwrap_or_else(|| home.join(usual)).join("bailiwick")
        };
        Ok(Host {
            user,
            uid,
            config_dir: under("XDG_CONFIG_HOME", ".config"),
            data_dir: under("XDG_DATA_HOME", ".local/share"),
            state_dir: under("XDG_STATE_HOME", ".local/state"),
            admin_file: PathBuf::from("/etc/bailiwick/policy.toml"),
            current_dir,
            home,
            environment,
        })
    }

    fn check_home(home: &Path) -> Result<(), HostError> {
        let bad = |why: String| Err(HostError::BadHome { home: escape(home.as_os_str()), why });
        match std::fs::metadata(home) {
            Ok(metadata) if metadata.is_dir() => Ok(()),
            Ok(_) => bad("it is not a directory".to_owned()),
            Err(error) => bad(error.to_string()),
        }
    }

    /// A line of the user database.
    #[derive(Debug, PartialEq, Eq)]
    pub(super) struct Account {
        pub(super) name: String,
        pub(super) home: PathBuf,
    }

    fn account(uid: u32) -> Option<Account> {
        let mut text = Vec::new();
        File::open(PASSWD).ok()?.take(PASSWD_LIMIT).read_to_end(&mut text).ok()?;
        find_account(&text, uid)
    }

    /// The first line for `uid`, as `getpwuid` takes it: `name:password:uid:gid:comment:home:shell`.
    pub(super) fn find_account(passwd: &[u8], uid: u32) -> Option<Account> {
        let wanted = uid.to_string();
        passwd.split(|byte| *byte == b'\n').find_map(|line| {
            let mut fields = line.split(|byte| *byte == b':');
            let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with(b"#"))?;
            let id = fields.nth(1)?;
            let home = fields.nth(2)?;
            if id != wanted.as_bytes() || !home.starts_with(b"/") {
                return None;
            }
            let name = escape(OsStr::from_bytes(name));
            Some(Account { name, home: PathBuf::from(OsString::from_vec(home.to_vec())) })
        })
    }
}

#[cfg(windows)]
mod system {
    use std::ffi::OsString;
    use std::path::PathBuf;

    use super::{Host, HostError, absolute};

    pub(super) fn collect(environment: Vec<(OsString, OsString)>, current_dir: PathBuf) -> Result<Host, HostError> {
        let need = |name: &str| {
            absolute(&environment, name).ok_or_else(|| HostError::NoHome { tried: format!("{name} is not set") })
        };
        let home = need("USERPROFILE")?;
        let roaming = need("APPDATA")?;
        let local = need("LOCALAPPDATA")?;
        let program_data = need("ProgramData")?;
        let user = environment.iter().find(|(name, _)| name.eq_ignore_ascii_case("USERNAME"));
        Ok(Host {
            user: user.map(|(_, value)| value.to_string_lossy().into_owned()).unwrap_or_default(),
            uid: 0,
            config_dir: roaming.join("bailiwick"),
            data_dir: local.join("bailiwick"),
            state_dir: local.join("bailiwick").join("state"),
            admin_file: program_data.join("bailiwick").join("policy.toml"),
            current_dir,
            home,
            environment,
        })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::system::find_account;
    use std::path::Path;

    const PASSWD: &[u8] = b"# comment:x:1000:1000::/wrong:/bin/sh\nroot:x:0:0:root:/root:/bin/bash\nbroken\n\
        short:x:1000\nana:x:1000:1000:Ana,,,:/home/ana:/bin/zsh\nlater:x:1000:1000::/home/later:/bin/sh\n\
        relative:x:7:7::home:/bin/sh\n";

    #[test]
    fn the_first_whole_line_with_the_id_counts() {
        let account = find_account(PASSWD, 1000).expect("ana is there");
        assert_eq!((account.name.as_str(), account.home.as_path()), ("ana", Path::new("/home/ana")));
    }

    #[test]
    fn an_id_is_not_a_prefix() {
        assert_eq!(find_account(PASSWD, 100), None);
        assert_eq!(find_account(PASSWD, 10_000), None);
    }

    #[test]
    fn a_home_that_is_not_absolute_is_none() {
        assert_eq!(find_account(PASSWD, 7), None);
    }
}
