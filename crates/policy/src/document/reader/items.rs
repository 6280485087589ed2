//! The items of lists and tables.

use std::ffi::{OsStr, OsString};

use toml::de::{DeInteger, DeValue};

use super::super::{paths, values::shown};
use super::{Reader, Value};
use crate::guarantee::Guarantee;
use crate::host_pattern::HostPattern;
use crate::keys::Key;
use crate::nearest::nearest;
use crate::policy::{Base, FileEntry, FileEntryText, FileRuleKind, Ruled};

impl Reader {
    /// Reads a list of strings, each by `item`. One wrong item does not hide the next.
    pub(super) fn list<T>(
        &mut self,
        key: Key,
        value: &Value<'_>,
        item: fn(&str) -> Result<T, String>,
    ) -> Option<Vec<Ruled<T>>> {
        self.items(key, value, |reader, at, text| Ok(reader.ruled(at, item(text)?)))
    }

    pub(super) fn files(&mut self, key: Key, value: &Value<'_>, kind: FileRuleKind) -> Option<Vec<FileEntry>> {
        let globs = matches!(kind, FileRuleKind::Deny | FileRuleKind::Protect);
        self.items(key, value, |reader, at, text| {
            let written = paths::read(OsStr::new(text), globs)?;
            let origin = reader.origin(at.span().start);
            Ok(FileEntry { kind, text: written.text, base: Base::Workspace, glob: written.glob, origin })
        })
    }

    pub(super) fn sockets(&mut self, value: &Value<'_>) -> Option<Vec<FileEntryText>> {
        self.items(Key::Sockets, value, |reader, at, text| {
            let written = paths::read(OsStr::new(text), false)?;
            Ok(FileEntryText { text: written.text, base: Base::Workspace, origin: reader.origin(at.span().start) })
        })
    }

    fn items<T>(
        &mut self,
        key: Key,
        value: &Value<'_>,
        mut read: impl FnMut(&Reader, &Value<'_>, &str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let DeValue::Array(array) = value.get_ref() else { return self.wrong_type(key, value) };
        let mut items = Vec::with_capacity(array.len());
        for at in array.iter() {
            let DeValue::String(text) = at.get_ref() else {
                self.wrong_type::<()>(key, at);
                continue;
            };
            match read(self, at, text) {
                Ok(item) => items.push(item),
                Err(wrong) => {
                    let text = format!("`{}`: {wrong}", shown(text));
                    self.wrong_value::<()>(key, at, &text);
                }
            }
        }
        Some(items)
    }

    pub(super) fn assignments(&mut self, key: Key, value: &Value<'_>) -> Option<Vec<Ruled<(OsString, OsString)>>> {
        let DeValue::Table(table) = value.get_ref() else { return self.wrong_type(key, value) };
        let mut set = Vec::with_capacity(table.len());
        for (name, at) in table {
            let read = match at.get_ref() {
                DeValue::String(text) => variable_name(name.get_ref()).and_then(|()| variable_value(text)),
                other => {
                    Err(format!("{} does not belong here; values are texts, such as `CI = \"1\"`", type_name(other)))
                }
            };
            match read {
                Ok(text) => set.push(self.ruled(at, (OsString::from(name.get_ref().as_ref()), text))),
                Err(wrong) => {
                    let text = format!("`{}`: {wrong}", shown(name.get_ref()));
                    self.wrong_value::<()>(key, at, &text);
                }
            }
        }
        Some(set)
    }
}

/// A profile's name: words with `-`, `_` and `.` inside, `/` between groups. It becomes part of a file name.
pub(crate) fn profile_name(text: &str) -> Result<String, String> {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphanumeric())
            && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    if text.len() <= 100 && text.split('/').all(word) {
        return Ok(text.to_owned());
    }
    Err("not the name of a profile; names are words such as `workspace`, without `.toml` and without a path".to_owned())
}

pub(super) fn host(text: &str) -> Result<HostPattern, String> {
    HostPattern::parse(text).map_err(|error| error.to_string())
}

pub(crate) fn guarantee(text: &str) -> Result<Guarantee, String> {
    let words: Vec<(&'static str, Guarantee)> = Guarantee::ALL.iter().map(|one| (one.name(), *one)).collect();
    word(text, &words)
}

/// A name of variables to pass: `*` once, at the start or the end.
pub(crate) fn variable_pattern(text: &str) -> Result<String, String> {
    let name = text.strip_suffix('*').or_else(|| text.strip_prefix('*')).unwrap_or(text);
    if name.contains('*') {
        return Err("`*` stands once, at the start or the end of a name".to_owned());
    }
    if !name.is_empty() || text != "*" {
        variable_name(name)?;
    }
    Ok(text.to_owned())
}

/// A name of one variable.
pub(crate) fn variable_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the name of the variable is empty".to_owned());
    }
    if name.contains('=') {
        return Err("a variable's name cannot hold `=`; to give it a value use `set`".to_owned());
    }
    match name.chars().find(|c| c.is_control() || c.is_whitespace() || *c == '*') {
        Some(strange) => Err(format!("a variable's name cannot hold `{}`", strange.escape_default())),
        None => Ok(()),
    }
}

fn variable_value(text: &str) -> Result<OsString, String> {
    if text.contains('\0') {
        return Err("a variable's value cannot hold a NUL character".to_owned());
    }
    Ok(text.into())
}

/// Reads one of a few words.
pub(crate) fn word<T: Copy>(text: &str, words: &[(&'static str, T)]) -> Result<T, String> {
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*meaning);
    }
    let way_out = match nearest(text, words.iter().map(|(word, _)| *word)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let all: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            format!("write one of {}", all.join(", "))
        }
    };
    Err(format!("this word is not known here; {way_out}"))
}

/// What a value is, for messages.
pub(super) fn type_name(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text `{}`", shown(text)),
        DeValue::Integer(number) => format!("the number `{}`", shown(DeInteger::as_str(number))),
        DeValue::Float(_) => "a number with a fraction".to_owned(),
        DeValue::Boolean(flag) => format!("`{flag}`"),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
