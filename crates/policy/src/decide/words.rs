//! Texts of decisions: paths, rules and options as a person reads and types them. Safe to print.

use std::ffi::OsStr;
use std::path::Path;

use super::DecidingRule;
use crate::boundary::{Boundary, FileRule};
use crate::policy::FileRuleKind;
use crate::text::escape;

/// The key of `[files]` that the rule stands under.
pub(crate) fn key(kind: FileRuleKind) -> &'static str {
    match kind {
        FileRuleKind::Deny => "deny",
        FileRuleKind::Protect => "protect",
        FileRuleKind::Write => "write",
        FileRuleKind::Read => "read",
    }
}

/// `` `path` ``, relative to the workspace where it lies below it.
pub(crate) fn path(boundary: &Boundary, path: &Path) -> String {
    let shown = path.strip_prefix(&boundary.workspace).ok().filter(|rest| !rest.as_os_str().is_empty());
    format!("`{}`", escape(shown.unwrap_or(path).as_os_str()))
}

/// The rule as a person would write it.
pub(crate) fn rule(rule: &FileRule) -> DecidingRule {
    let text = format!("{} = {}", key(rule.kind), toml_string(&escape(OsStr::new(&rule.written))));
    DecidingRule { text, origin: rule.origin.clone() }
}

/// A TOML basic string.
pub(crate) fn toml_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            // The policy file may hold such characters only escaped, and a terminal must not see them raw.
            c if is_unsafe(c) => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// `text` as one word for a shell; what a terminal must not see is written `$'…'`, which bash, zsh and ksh read.
pub(crate) fn shell_word(text: &OsStr) -> String {
    let bytes = text.as_encoded_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%=".contains(byte);
    match text.to_str() {
        Some(plain) if !plain.is_empty() && bytes.iter().all(is_plain) => plain.to_owned(),
        Some(valid) if !valid.chars().any(is_unsafe) => format!("'{}'", valid.replace('\'', r"'\''")),
        _ => {
            let mut out = String::from("$'");
            for byte in bytes {
                match byte {
                    b'\'' | b'\\' => out.extend(['\\', char::from(*byte)]),
                    b' '..=b'~' => out.push(char::from(*byte)),
                    other => out.push_str(&format!("\\x{other:02x}")),
                }
            }
            out.push('\'');
            out
        }
    }
}

/// Whether the shared escaping would change the character.
fn is_unsafe(c: char) -> bool {
    let mut buffer = [0; 4];
    let text: &str = c.encode_utf8(&mut buffer);
    escape(OsStr::new(text)) != text
}
