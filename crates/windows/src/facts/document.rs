//! A strict reader of TOML tables: every key is asked for by name, and a key that nobody asked for is an error.

use std::cell::RefCell;

use bailiwick_policy::nearest::nearest;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{FactsError, LARGEST, shown};

pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// One table while it is read.
pub(super) struct Table<'a> {
    text: &'a str,
    name: String,
    line: u32,
    table: &'a DeTable<'a>,
    asked: RefCell<Vec<&'static str>>,
}

/// The line of a byte offset, counted from 1.
fn line(text: &str, offset: usize) -> u32 {
    let before = text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
    u32::try_from(before + 1).unwrap_or(u32::MAX)
}

/// Parses the text and hands the top table to `read`.
pub(super) fn document<T>(text: &str, read: impl FnOnce(&Table<'_>) -> Result<T, FactsError>) -> Result<T, FactsError> {
    if text.len() > LARGEST {
        return Err(FactsError { line: None, text: format!("it is larger than the {LARGEST} bytes that are read") });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = DeTable::parse(text).map_err(|error| FactsError {
        line: error.span().map(|span| line(text, span.start)),
        text: format!("not TOML: {}", shown(error.message())),
    })?;
    let top = Table { text, name: String::new(), line: 1, table: parsed.get_ref(), asked: RefCell::default() };
    let value = read(&top)?;
    top.finish()?;
    Ok(value)
}

impl<'a> Table<'a> {
    fn find(&self, key: &'static str) -> Option<&'a Value<'a>> {
        self.asked.borrow_mut().push(key);
        self.table.iter().find(|(name, _)| name.get_ref().as_ref() == key).map(|(_, value)| value)
    }

    /// A key that must be there.
    pub(super) fn need<T>(
        &self,
        key: &'static str,
        read: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Result<T, FactsError> {
        match self.may(key, read)? {
            Some(value) => Ok(value),
            None => Err(self.missing(key)),
        }
    }

    /// A key that is missing was perhaps misspelled; the misspelled one is what a person has to find.
    fn missing(&self, key: &'static str) -> FactsError {
        let misspelled = self.table.iter().find(|(name, _)| {
            let word = name.get_ref().as_ref();
            word != key && nearest(word, [key]).is_some() && !self.asked.borrow().contains(&word)
        });
        match misspelled {
            Some((name, _)) => FactsError {
                line: Some(line(self.text, name.span().start)),
                text: format!(
                    "unknown key `{}` {}; did you mean `{key}`?",
                    shown(name.get_ref().as_ref()),
                    self.place()
                ),
            },
            None => FactsError { line: Some(self.line), text: format!("`{key}` is missing {}", self.place()) },
        }
    }

    /// A key that may be left out.
    pub(super) fn may<T>(
        &self,
        key: &'static str,
        read: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Result<Option<T>, FactsError> {
        let Some(value) = self.find(key) else { return Ok(None) };
        read(value.get_ref()).map(Some).map_err(|wrong| FactsError {
            line: Some(line(self.text, value.span().start)),
            text: format!("`{key}`: {wrong}"),
        })
    }

    /// A list that must be there, empty or not.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        read: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Result<Vec<T>, FactsError> {
        self.need(key, |value| match value {
            DeValue::Array(items) => items.iter().map(|item| read(item.get_ref())).collect(),
            _ => Err("write a list, `[…]`".to_owned()),
        })
    }

    /// A table that must be there.
    pub(super) fn table<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Table<'_>) -> Result<T, FactsError>,
    ) -> Result<T, FactsError> {
        match self.optional_table(key, read)? {
            Some(value) => Ok(value),
            None => Err(FactsError { line: None, text: format!("the table `[{}]` is missing", self.path(key)) }),
        }
    }

    /// A table that may be left out.
    pub(super) fn optional_table<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Table<'_>) -> Result<T, FactsError>,
    ) -> Result<Option<T>, FactsError> {
        self.find(key).map(|value| self.enter(key, value, read)).transpose()
    }

    /// Every `[[key]]`; none is none.
    pub(super) fn tables<T>(
        &self,
        key: &'static str,
        read: impl Fn(&Table<'_>) -> Result<T, FactsError>,
    ) -> Result<Vec<T>, FactsError> {
        let Some(value) = self.find(key) else { return Ok(Vec::new()) };
        match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| self.enter(key, item, &read)).collect(),
            _ => Err(FactsError {
                line: Some(line(self.text, value.span().start)),
                text: format!("write each one as a table, `[[{}]]`", self.path(key)),
            }),
        }
    }

    fn enter<T>(
        &self,
        key: &'static str,
        value: &'a Value<'a>,
        read: impl FnOnce(&Table<'_>) -> Result<T, FactsError>,
    ) -> Result<T, FactsError> {
        let line = line(self.text, value.span().start);
        let DeValue::Table(inner) = value.get_ref() else {
            let text = format!("`{0}` is a table; write `[{0}]`", self.path(key));
            return Err(FactsError { line: Some(line), text });
        };
        let table = Table { text: self.text, name: self.path(key), line, table: inner, asked: RefCell::default() };
        let value = read(&table)?;
        table.finish()?;
        Ok(value)
    }

    /// Refuses what nobody asked for.
    fn finish(&self) -> Result<(), FactsError> {
        let asked = self.asked.borrow();
        let unknown = self.table.iter().find(|(name, _)| !asked.contains(&name.get_ref().as_ref()));
        let Some((name, _)) = unknown else { return Ok(()) };
        let word = name.get_ref().as_ref();
        let way_out = match nearest(word, asked.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", asked.join(", ")),
        };
        Err(FactsError {
            line: Some(line(self.text, name.span().start)),
            text: format!("unknown key `{}` {}; {way_out}", shown(word), self.place()),
        })
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn place(&self) -> String {
        if self.name.is_empty() { "at the top".to_owned() } else { format!("in `[{}]`", self.name) }
    }
}
