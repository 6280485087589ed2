//! What an attack says of itself.

use std::io;

use serde::{Deserialize, Serialize};

/// What came of one attempt, as the attacker saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// It worked. For a read, the evidence is what was read.
    Breached {
        /// What was got or done.
        evidence: String,
    },
    /// It was refused.
    Held {
        /// The errno or the reason.
        how: String,
    },
    /// It means nothing here.
    Inapplicable {
        /// What is missing.
        why: String,
    },
}

/// The most of what was read that is reported, in bytes.
const MOST_EVIDENCE: usize = 64 * 1024;

impl Outcome {
    /// It worked.
    pub fn breached(evidence: impl Into<String>) -> Self {
        Outcome::Breached { evidence: evidence.into() }
    }

    /// It was refused.
    pub fn held(how: impl Into<String>) -> Self {
        Outcome::Held { how: how.into() }
    }

    /// It means nothing here.
    pub fn inapplicable(why: impl Into<String>) -> Self {
        Outcome::Inapplicable { why: why.into() }
    }

    /// It worked if the operation succeeded.
    pub(crate) fn of<T>(what: &str, result: io::Result<T>) -> Self {
        match result {
            Ok(_) => Outcome::breached(what),
            Err(error) => Outcome::held(format!("{what}: {}", error_name(&error))),
        }
    }

    /// It worked if something was read; the harness looks for the secret in it.
    pub(crate) fn of_read(what: &str, result: io::Result<impl AsRef<[u8]>>) -> Self {
        match result {
            Ok(bytes) => {
                let bytes = bytes.as_ref();
                let shown = bytes.get(..MOST_EVIDENCE).unwrap_or(bytes);
                Outcome::breached(format!("{what}: {}", String::from_utf8_lossy(shown)))
            }
            Err(error) => Outcome::held(format!("{what}: {}", error_name(&error))),
        }
    }

    /// The first attempt that worked, or all the refusals.
    pub(crate) fn any(attempts: impl IntoIterator<Item = Outcome>) -> Self {
        let (mut refusals, mut missing) = (Vec::new(), Vec::new());
        for attempt in attempts {
            match attempt {
                Outcome::Breached { .. } => return attempt,
                Outcome::Held { how } => refusals.push(how),
                Outcome::Inapplicable { why } => missing.push(why),
            }
        }
        if refusals.is_empty() && !missing.is_empty() {
            return Outcome::inapplicable(missing.join("; "));
        }
        Outcome::held(refusals.join("; "))
    }

    /// As [`Outcome::any`], but every attempt has been made already, so that each leaves its mark.
    pub(crate) fn all(attempts: Vec<Outcome>) -> Self {
        Outcome::any(attempts)
    }
}

/// The symbolic name of the error's errno, or its text.
pub(crate) fn error_name(error: &io::Error) -> String {
    let Some(code) = error.raw_os_error() else { return error.to_string() };
    let name = match code {
        libc::EPERM => "EPERM",
        libc::ENOENT => "ENOENT",
        libc::ESRCH => "ESRCH",
        libc::EIO => "EIO",
        libc::ENXIO => "ENXIO",
        libc::EBADF => "EBADF",
        libc::EAGAIN => "EAGAIN",
        libc::ENOMEM => "ENOMEM",
        libc::EACCES => "EACCES",
        libc::EFAULT => "EFAULT",
        libc::EBUSY => "EBUSY",
        libc::EEXIST => "EEXIST",
        libc::EXDEV => "EXDEV",
        libc::ENODEV => "ENODEV",
        libc::ENOTDIR => "ENOTDIR",
        libc::EISDIR => "EISDIR",
        libc::EINVAL => "EINVAL",
        libc::EMFILE => "EMFILE",
        libc::ENOTTY => "ENOTTY",
        libc::EFBIG => "EFBIG",
        libc::EROFS => "EROFS",
        libc::ENOSYS => "ENOSYS",
        libc::ENOTEMPTY => "ENOTEMPTY",
        libc::ELOOP => "ELOOP",
        libc::E2BIG => "E2BIG",
        libc::EOPNOTSUPP => "EOPNOTSUPP",
        libc::EPROTONOSUPPORT => "EPROTONOSUPPORT",
        libc::ESOCKTNOSUPPORT => "ESOCKTNOSUPPORT",
        libc::EAFNOSUPPORT => "EAFNOSUPPORT",
        libc::EADDRNOTAVAIL => "EADDRNOTAVAIL",
        libc::ENETUNREACH => "ENETUNREACH",
        libc::ECONNREFUSED => "ECONNREFUSED",
        libc::ETIMEDOUT => "ETIMEDOUT",
        libc::EKEYREVOKED => "EKEYREVOKED",
        libc::ENOKEY => "ENOKEY",
        _ => return format!("errno {code}"),
    };
    name.to_owned()
}
