//! What a caller sets on top of the policy files, so that it can become rules here, or arguments of the program there.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use bailiwick_policy::document::{Document, DocumentError};
use bailiwick_policy::policy::FileRuleKind;
use bailiwick_policy::text::escape;

/// One option as `bailiwick run` takes it. Paths start from the current directory; texts are checked when the policy
/// is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setting {
    /// `--read`, `--write`, `--deny`, `--protect`.
    File(FileRuleKind, PathBuf),
    /// `--allow-host HOST[:PORT]`.
    AllowHost(OsString),
    /// `--offline`.
    Offline,
    /// `--env NAME[=VALUE]`.
    Env(OsString),
    /// `--tier TIER`.
    Tier(OsString),
    /// `--accept GUARANTEE`.
    Accept(OsString),
    /// `--timeout TIME`.
    Timeout(OsString),
    /// `--layer`.
    Layer,
}

impl Setting {
    /// Makes it a rule of `document`.
    pub(crate) fn apply(&self, document: &mut Document) -> Result<(), DocumentError> {
        match self {
            Setting::File(kind, path) => document.option_file(*kind, path.as_os_str()),
            Setting::AllowHost(host) => document.option_allow_host(&text(host)),
            Setting::Offline => {
                document.option_offline();
                Ok(())
            }
            Setting::Env(assignment) => document.option_env(assignment),
            Setting::Tier(tier) => document.option_tier(&text(tier)),
            Setting::Accept(guarantee) => document.option_accept(&text(guarantee)),
            Setting::Timeout(time) => document.option_timeout(&text(time)),
            Setting::Layer => {
                document.option_layer();
                Ok(())
            }
        }
    }

    /// The same as arguments of `bailiwick run`.
    #[cfg(target_os = "linux")]
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let (option, value) = match self {
            Setting::File(FileRuleKind::Read, path) => ("--read", Some(path.as_os_str())),
            Setting::File(FileRuleKind::Write, path) => ("--write", Some(path.as_os_str())),
            Setting::File(FileRuleKind::Deny, path) => ("--deny", Some(path.as_os_str())),
            Setting::File(FileRuleKind::Protect, path) => ("--protect", Some(path.as_os_str())),
            Setting::AllowHost(host) => ("--allow-host", Some(host.as_os_str())),
            Setting::Offline => ("--offline", None),
            Setting::Env(assignment) => ("--env", Some(assignment.as_os_str())),
            Setting::Tier(tier) => ("--tier", Some(tier.as_os_str())),
            Setting::Accept(guarantee) => ("--accept", Some(guarantee.as_os_str())),
            Setting::Timeout(time) => ("--timeout", Some(time.as_os_str())),
            Setting::Layer => ("--layer", None),
        };
        match value {
            None => vec![option.into()],
            Some(value) => vec![glued(option, value)],
        }
    }
}

#[cfg(target_os = "linux")]
/// `--option=value`: a value that starts with a dash stays a value.
fn glued(option: &str, value: &OsStr) -> OsString {
    let mut word = OsString::from(option);
    word.push("=");
    word.push(value);
    word
}

/// The word as text; one that is not UTF-8 is in none of these languages, and is refused as what it is shown as.
fn text(word: &OsStr) -> String {
    word.to_str().map_or_else(|| escape(word), str::to_owned)
}
