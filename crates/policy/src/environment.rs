//! The environment of the command: what is passed by name, what is set, and nothing else.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::host::Host;
use crate::policy::{EnvironmentRules, Notice, NoticeKind, Ruled};
use crate::text::escape;

/// Where programs are looked for if the caller's `PATH` has no usable entry.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Words of a name that say that the value is a secret, between `_`, `-` and `.`.
const SECRET_WORDS: [&str; 16] = [
    "KEY",
    "KEYS",
    "PAT",
    "AUTH",
    "PWD",
    "PASS",
    "PW",
    "CRED",
    "CREDS",
    "PRIVATE",
    "SIGNATURE",
    "SESSION",
    "JWT",
    "DSN",
    "OTP",
    "LICENSE",
];

/// Parts of a name that say so wherever they stand.
const SECRET_PARTS: [&str; 12] = [
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "CREDENTIAL",
    "APIKEY",
    "ACCESSKEY",
    "COOKIE",
    "BEARER",
    "AUTHORIZATION",
    "PRIVATEKEY",
];

/// Names that lead to services of the host or change what programs load: passed only if named in full.
const NEVER_BY_PATTERN: [&str; 25] = [
    "LD_*",
    "DYLD_*",
    "GCONV_PATH",
    "BASH_FUNC_*",
    "BASH_ENV",
    "ENV",
    "PROMPT_COMMAND",
    "PYTHONSTARTUP",
    "PERL5OPT",
    "NODE_OPTIONS",
    "RUBYOPT",
    "JAVA_TOOL_OPTIONS",
    "WSL_INTEROP",
    "WSLENV",
    "DBUS_*",
    "SSH_*",
    "GPG_AGENT_INFO",
    "GNOME_KEYRING_*",
    "DISPLAY",
    "WAYLAND_*",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "NOTIFY_SOCKET",
    "LISTEN_*",
    "DOCKER_HOST",
];

/// Makes the environment, sorted by name.
///
/// In this order, later ones winning: what is passed, what bailiwick sets (`HOME`, `USER`, `LOGNAME`, `TMPDIR`), what the
/// policy sets, and the mark `BAILIWICK=1`. A variable of `credentials` is never passed: its value stays outside.
pub(crate) fn resolve(
    rules: &EnvironmentRules,
    ceiling: Option<&[Ruled<String>]>,
    credentials: &[&str],
    host: &Host,
    home: &Path,
    notices: &mut Vec<Notice>,
) -> Vec<(OsString, OsString)> {
    let mut environment: BTreeMap<OsString, OsString> = BTreeMap::new();
    for (name, value) in &host.environment {
        if let Some(rule) = passing_rule(rules, ceiling, name, value, notices) {
            if credentials.iter().any(|credential| same_name(credential, name)) {
                notices.push(Notice {
                    kind: NoticeKind::Remark,
                    text: format!(
                        "the variable `{}` is not passed: a credential comes from it, which the gate puts in outside; a \
                         program that wants the variable gets a placeholder by `set`",
                        escape(name)
                    ),
                    origin: Some(rule.origin.clone()),
                });
                continue;
            }
            if rule.value.as_str() == name && looks_secret(name, value) {
                notices.push(Notice {
                    kind: NoticeKind::SecretPassed,
                    text: format!(
                        "the variable `{}` looks like a secret, and everything inside can read it",
                        escape(name)
                    ),
                    origin: Some(rule.origin.clone()),
                });
            }
            environment.insert(name.clone(), value.clone());
        }
    }
    if let Some(path) = environment.get_mut(OsStr::new("PATH")) {
        *path = usable_path(path, notices);
    } else if rules.pass.iter().any(|rule| matches_name(&rule.value, OsStr::new("PATH"))) {
        environment.insert("PATH".into(), DEFAULT_PATH.into());
    }
    for (name, value) in [
        ("HOME", home.as_os_str()),
        ("USER", host.user.as_ref()),
        ("LOGNAME", host.user.as_ref()),
        ("TMPDIR", "/tmp".as_ref()),
    ] {
        environment.insert(name.into(), value.to_os_string());
    }
    for rule in &rules.set {
        let (name, value) = &rule.value;
        if is_name(name) && !value.as_encoded_bytes().contains(&0) {
            environment.insert(name.clone(), value.clone());
        } else {
            notices.push(Notice {
                kind: NoticeKind::Remark,
                text: format!("`{}` cannot be set: it is not the name or value of a variable", escape(name)),
                origin: Some(rule.origin.clone()),
            });
        }
    }
    environment.insert("BAILIWICK".into(), "1".into());
    environment.into_iter().collect()
}

/// Whether both are one variable. Windows takes `Token` and `TOKEN` for one.
fn same_name(one: &str, other: &OsStr) -> bool {
    OsStr::new(one) == other || (cfg!(windows) && other.eq_ignore_ascii_case(one))
}

/// The rule that passes this variable, if one does and the administrator's list does not stop it.
fn passing_rule<'a>(
    rules: &'a EnvironmentRules,
    ceiling: Option<&[Ruled<String>]>,
    name: &OsStr,
    value: &OsStr,
    notices: &mut Vec<Notice>,
) -> Option<&'a Ruled<String>> {
    if !is_name(name) {
        return None;
    }
    let exact = rules.pass.iter().rfind(|rule| rule.value.as_str() == name);
    let rule = exact.or_else(|| {
        let fitting = rules.pass.iter().rfind(|rule| matches_name(&rule.value, name))?;
        let closed = NEVER_BY_PATTERN.iter().any(|never| matches_name(never, name)) || looks_secret(name, value);
        (!closed).then_some(fitting)
    })?;
    let capped = ceiling.is_some_and(|most| !most.iter().any(|pattern| matches_name(&pattern.value, name)));
    if capped && exact.is_some() {
        notices.push(Notice {
            kind: NoticeKind::IgnoredCeiling,
            text: format!("the variable `{}` is not passed: the administrator's list does not hold it", escape(name)),
            origin: Some(rule.origin.clone()),
        });
    }
    (!capped).then_some(rule)
}

/// Whether `*` at the start or the end (or alone) of the pattern makes it match the name.
fn matches_name(pattern: &str, name: &OsStr) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_encoded_bytes());
    match (pattern.strip_prefix(b"*"), pattern.strip_suffix(b"*")) {
        (Some([]), _) => true,
        (Some(rest), Some(_)) => {
            let middle = rest.strip_suffix(b"*").unwrap_or(rest);
            middle.is_empty() || name.windows(middle.len()).any(|window| window == middle)
        }
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => pattern == name,
    }
}

/// A name that `execve` and shells agree on: not empty, no `=`, no NUL.
fn is_name(name: &OsStr) -> bool {
    !name.is_empty() && !name.as_encoded_bytes().iter().any(|byte| matches!(byte, 0 | b'='))
}

/// Whether the name, or a password inside a URL, says that this is a secret.
pub(crate) fn looks_secret(name: &OsStr, value: &OsStr) -> bool {
    let upper = name.to_string_lossy().to_ascii_uppercase();
    if matches!(upper.as_str(), "PWD" | "OLDPWD" | "XDG_SESSION_TYPE" | "XDG_SESSION_ID" | "DESKTOP_SESSION") {
        return false;
    }
    SECRET_PARTS.iter().any(|part| upper.contains(part))
        || upper.split(['_', '-', '.']).any(|word| SECRET_WORDS.contains(&word))
        || has_url_password(value.as_encoded_bytes())
}

/// `scheme://user:password@host`
fn has_url_password(value: &[u8]) -> bool {
    value.windows(3).enumerate().filter(|(_, window)| window == b"://").any(|(at, _)| {
        let after = value.get(at + 3..).unwrap_or_default();
        let end = after.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#' | b' ')).unwrap_or(after.len());
        let authority = after.get(..end).unwrap_or_default();
        let user = authority.iter().rposition(|byte| *byte == b'@').and_then(|at| authority.get(..at));
        user.is_some_and(|user| user.contains(&b':'))
    })
}

/// The absolute entries of a `PATH`, in order. A relative or empty one would run whatever the current directory holds.
fn usable_path(path: &OsStr, notices: &mut Vec<Notice>) -> OsString {
    let entries: Vec<_> = std::env::split_paths(path).collect();
    let absolute: Vec<_> = entries.iter().filter(|entry| entry.is_absolute()).collect();
    if absolute.len() < entries.len() {
        notices.push(Notice {
            kind: NoticeKind::Remark,
            text: "relative and empty entries of `PATH` are left out: they would run what the current directory holds"
                .to_owned(),
            origin: None,
        });
    }
    match std::env::join_paths(absolute) {
        Ok(joined) if !joined.is_empty() => joined,
        _ => DEFAULT_PATH.into(),
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
