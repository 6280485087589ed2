//! From TOML text to a document, directly from the parser's tree: it keeps the place of every item of a list.

pub(super) mod items;
mod network;

use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::lines::Lines;
use super::values::{self, shown};
use super::{Document, DocumentError, LARGEST_DOCUMENT, Problem};
use crate::keys::{self, Key, Section};
use crate::nearest::nearest;
use crate::origin::{Layer, Origin, Source};
use crate::policy::{FileRuleKind, Ruled};

pub(super) fn read(text: &str, source: Source, layer: Layer) -> Result<Document, DocumentError> {
    let at = |line| Origin { layer, source: source.clone(), line };
    // An editor on Windows may have put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if u64::try_from(text.len()).is_ok_and(|length| length > LARGEST_DOCUMENT) {
        return Err(DocumentError::one(at(None), super::file::too_large()));
    }
    let lines = Lines::of(text);
    if let Some(offset) = text.find('\0') {
        return Err(DocumentError::one(at(Some(lines.line(offset))), "the text holds a NUL character; remove it"));
    }
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            let line = error.span().map(|span| lines.line(span.start));
            return Err(DocumentError::one(at(line), format!("not TOML: {}", shown(error.message()))));
        }
    };
    let document = Document::empty(source.clone(), layer);
    let mut reader = Reader { lines, source, layer, document, problems: Vec::new() };
    reader.document(table.get_ref());
    if reader.problems.is_empty() {
        return Ok(reader.document);
    }
    reader.problems.sort_by_key(|problem| problem.origin.line);
    Err(DocumentError { problems: reader.problems })
}

struct Reader {
    lines: Lines,
    source: Source,
    layer: Layer,
    document: Document,
    problems: Vec<Problem>,
}

type Value<'i> = Spanned<DeValue<'i>>;

impl Reader {
    fn document(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            if let Some(section) = Section::named(name.get_ref()) {
                match value.get_ref() {
                    DeValue::Table(table) => self.section(section, table),
                    _ => self.wrong(name, format!("`{0}` is a table; write `[{0}]`", section.name())),
                }
            } else {
                self.key(Section::Top, name, value);
            }
        }
    }

    fn section(&mut self, section: Section, table: &DeTable<'_>) {
        for (name, value) in table {
            self.key(section, name, value);
        }
    }

    fn key<T: AsRef<str>>(&mut self, section: Section, name: &Spanned<T>, value: &Value<'_>) {
        match section.keys().find(|key| key.name == name.get_ref().as_ref()) {
            Some(info) => self.value(info.key, value),
            None => self.unknown(section, name),
        }
    }

    /// Names the key that was probably meant, in this section or in another.
    fn unknown<T: AsRef<str>>(&mut self, section: Section, name: &Spanned<T>) {
        let word = name.get_ref().as_ref();
        let way_out = if let Some(elsewhere) = keys::KEYS.iter().find(|key| key.name == word) {
            format!("`{word}` stands {}", place_of(elsewhere.section))
        } else if let Some(near) = nearest(word, section.keys().map(|key| key.name)) {
            format!("did you mean `{near}`?")
        } else if let Some(near) = nearest(word, Section::ALL.into_iter().skip(1).map(Section::name)) {
            format!("did you mean the table `[{near}]`?")
        } else if let Some(near) = nearest(word, keys::KEYS.iter().map(|key| key.name)) {
            let section = keys::KEYS.iter().find(|key| key.name == near).map_or(section, |key| key.section);
            format!("did you mean `{near}`, which stands {}?", place_of(section))
        } else {
            format!("known are {}", known_in(section).join(", "))
        };
        self.wrong(name, format!("unknown key `{}` {}; {way_out}", shown(word), place_of(section)));
    }

    /// Reads the value of a key that is known.
    fn value(&mut self, key: Key, value: &Value<'_>) {
        match key {
            Key::Extends => self.document.extends = self.list(key, value, items::profile_name),
            Key::Read => self.document.files.read = self.files(key, value, FileRuleKind::Read),
            Key::Write => self.document.files.write = self.files(key, value, FileRuleKind::Write),
            Key::Deny => self.document.files.deny = self.files(key, value, FileRuleKind::Deny),
            Key::Protect => self.document.files.protect = self.files(key, value, FileRuleKind::Protect),
            Key::SearchLimit => self.document.files.search_limit = self.count(key, value),
            Key::AllowHosts => self.document.network.allow = self.host_rules(value),
            Key::DenyHosts => self.document.network.deny = self.list(key, value, items::host),
            Key::Sockets => self.document.network.sockets = self.sockets(value),
            Key::Credentials => self.document.network.credentials = self.credentials(value),
            Key::Pass => self.document.environment.pass = self.list(key, value, items::variable_pattern),
            Key::Set => self.document.environment.set = self.assignments(key, value),
            Key::Time => self.document.limits.time = self.time(key, value),
            Key::Memory => self.document.limits.memory = self.size(key, value),
            Key::Processes => self.document.limits.processes = self.count(key, value),
            Key::FileSize => self.document.limits.file_size = self.size(key, value),
            Key::OpenFiles => self.document.limits.open_files = self.count(key, value),
            Key::Mode => self.document.mode = self.word(key, value, &keys::MODES),
            Key::Tier => self.document.isolation.tier = self.word(key, value, &keys::TIERS),
            Key::Accept => self.document.isolation.accept = self.list(key, value, items::guarantee),
            Key::Trace => self.document.isolation.trace = self.flag(key, value),
            Key::NestedNamespaces => self.document.isolation.nested_namespaces = self.flag(key, value),
        }
    }

    fn count(&mut self, key: Key, value: &Value<'_>) -> Option<Ruled<u64>> {
        let DeValue::Integer(number) = value.get_ref() else { return self.wrong_type(key, value) };
        match u64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) if (1..=i64::MAX.unsigned_abs()).contains(&number) => Some(self.ruled(value, number)),
            _ => self.wrong_value(key, value, "write a number, 1 or more"),
        }
    }

    fn size(&mut self, key: Key, value: &Value<'_>) -> Option<Ruled<u64>> {
        match value.get_ref() {
            DeValue::String(text) => match values::parse_size(text) {
                Ok(size) => Some(self.ruled(value, size)),
                Err(wrong) => self.wrong_value(key, value, &wrong),
            },
            DeValue::Integer(_) => self.count(key, value),
            _ => self.wrong_type(key, value),
        }
    }

    fn time(&mut self, key: Key, value: &Value<'_>) -> Option<Ruled<Duration>> {
        let DeValue::String(text) = value.get_ref() else { return self.wrong_type(key, value) };
        match values::parse_duration(text) {
            Ok(time) => Some(self.ruled(value, time)),
            Err(wrong) => self.wrong_value(key, value, &wrong),
        }
    }

    fn flag(&mut self, key: Key, value: &Value<'_>) -> Option<Ruled<bool>> {
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(self.ruled(value, *flag)),
            _ => self.wrong_type(key, value),
        }
    }

    fn word<T: Copy>(&mut self, key: Key, value: &Value<'_>, words: &[(&'static str, T)]) -> Option<Ruled<T>> {
        let DeValue::String(text) = value.get_ref() else { return self.wrong_type(key, value) };
        match items::word(text, words) {
            Ok(meaning) => Some(self.ruled(value, meaning)),
            Err(wrong) => self.wrong_value(key, value, &format!("`{}`: {wrong}", shown(text))),
        }
    }

    fn ruled<T>(&self, at: &Value<'_>, value: T) -> Ruled<T> {
        Ruled { value, origin: self.origin(at.span().start) }
    }

    fn origin(&self, offset: usize) -> Origin {
        Origin { layer: self.layer, source: self.source.clone(), line: Some(self.lines.line(offset)) }
    }

    fn wrong_type<T>(&mut self, key: Key, value: &Value<'_>) -> Option<T> {
        let info = key.info();
        let wanted = format!("write it as `{} = {}`", info.name, info.example);
        self.wrong_value(key, value, &format!("{} does not belong here; {wanted}", items::type_name(value.get_ref())))
    }

    fn wrong_value<T>(&mut self, key: Key, value: &Value<'_>, text: &str) -> Option<T> {
        self.wrong(value, format!("`{}`: {text}", key.info().full_name()));
        None
    }

    fn wrong<T>(&mut self, at: &Spanned<T>, text: String) {
        self.problems.push(Problem { origin: self.origin(at.span().start), text });
    }
}

fn place_of(section: Section) -> String {
    match section {
        Section::Top => "at the top of the document, before the first table".to_owned(),
        section => format!("in `[{}]`", section.name()),
    }
}

fn known_in(section: Section) -> Vec<String> {
    let keys = section.keys().map(|key| format!("`{}`", key.name));
    let tables = Section::ALL.into_iter().skip(1).map(|table| format!("`[{}]`", table.name()));
    match section {
        Section::Top => keys.chain(tables).collect(),
        _ => keys.collect(),
    }
}
