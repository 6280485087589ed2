//! A quick reading of the built-in profiles, which are parsed on every run.
//!
//! It understands the plain part of TOML that they are written in and gives up on anything else, upon which the full parser
//! reads them. A test compares the two on every profile. It takes a quarter of the full parser's time.

use std::ffi::OsString;

use crate::document::Document;
use crate::keys::{Key, Section};
use crate::origin::{Layer, Origin, Source};
use crate::policy::{Base, FileEntry, FileRuleKind, Ruled};

/// The document, if the text is plain.
pub(super) fn read(text: &str, source: &Source, layer: Layer) -> Option<Document> {
    let mut reader =
        Reader { document: Document::empty(source.clone(), layer), section: Section::Top, list: None, line: 0 };
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        reader.line += 1;
        reader.line(line.trim(), rest)?;
        rest = after;
    }
    reader.list.is_none().then_some(reader.document)
}

struct Reader {
    document: Document,
    section: Section,
    /// The list that is open at the end of the line.
    list: Option<Key>,
    line: u32,
}

impl Reader {
    /// Reads one line of the text, of which `rest` is this line and all that follow.
    fn line(&mut self, line: &str, rest: &str) -> Option<()> {
        if line.is_empty() || line.starts_with('#') {
            return Some(());
        }
        if let Some(key) = self.list {
            return self.items(key, line);
        }
        if let Some(name) = line.strip_prefix('[') {
            self.section = Section::named(name.strip_suffix(']')?)?;
            return Some(());
        }
        let (name, value) = line.split_once(" = ")?;
        let key = self.section.keys().find(|key| key.name == name)?.key;
        match value.strip_prefix('[') {
            Some(items) => {
                self.open(key, texts_in_list(rest))?;
                self.items(key, items.trim_start())
            }
            None => self.value(key, value),
        }
    }

    /// Reads `"a", "b",` up to the end of the line or of the list.
    fn items(&mut self, key: Key, line: &str) -> Option<()> {
        self.list = Some(key);
        let mut rest = line;
        while !rest.is_empty() {
            if rest == "]" {
                self.list = None;
                return Some(());
            }
            let (text, after) = string(rest)?;
            self.item(key, text)?;
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(next) => next.trim_start(),
                // Whatever does not end the list is not understood by the next turn.
                None => after,
            };
        }
        Some(())
    }

    /// Makes room for a list at once, and no more than it needs: growing it, or leaving some free, would touch fresh pages.
    fn open(&mut self, key: Key, count: usize) -> Option<()> {
        match key {
            Key::Extends => drop(self.document.extends.get_or_insert_default()),
            Key::Pass => self.document.environment.pass.get_or_insert_default().reserve_exact(count),
            _ => self.files(key)?.1.reserve_exact(count),
        }
        Some(())
    }

    fn item(&mut self, key: Key, text: &str) -> Option<()> {
        let origin = self.origin();
        match key {
            Key::Extends => {
                self.document.extends.get_or_insert_default().push(Ruled { value: text.to_owned(), origin })
            }
            Key::Pass => {
                self.document.environment.pass.get_or_insert_default().push(Ruled { value: text.to_owned(), origin });
            }
            _ => {
                if text.bytes().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b']' | b'{' | b'}' | b'!' | b'$')) {
                    return None;
                }
                let (kind, list) = self.files(key)?;
                list.push(FileEntry { kind, text: text.into(), base: Base::Workspace, glob: false, origin });
            }
        }
        Some(())
    }

    fn files(&mut self, key: Key) -> Option<(FileRuleKind, &mut Vec<FileEntry>)> {
        let files = &mut self.document.files;
        let (kind, list) = match key {
            Key::Read => (FileRuleKind::Read, &mut files.read),
            Key::Write => (FileRuleKind::Write, &mut files.write),
            Key::Deny => (FileRuleKind::Deny, &mut files.deny),
            Key::Protect => (FileRuleKind::Protect, &mut files.protect),
            _ => return None,
        };
        Some((kind, list.get_or_insert_default()))
    }

    fn value(&mut self, key: Key, value: &str) -> Option<()> {
        let flag = || value.parse().ok().map(|value| Ruled { value, origin: self.origin() });
        match key {
            Key::Trace => self.document.isolation.trace = Some(flag()?),
            Key::NestedNamespaces => self.document.isolation.nested_namespaces = Some(flag()?),
            Key::Set => self.document.environment.set = Some(self.assignments(value)?),
            _ => return None,
        }
        Some(())
    }

    /// Reads `{ A = "a", B = "b" }`, in the order of the names, as the full parser does.
    fn assignments(&self, value: &str) -> Option<Vec<Ruled<(OsString, OsString)>>> {
        let mut rest = value.strip_prefix("{ ")?.strip_suffix(" }")?;
        let mut set = Vec::new();
        loop {
            let (name, after) = rest.split_once(" = ")?;
            let (text, after) = string(after)?;
            set.push(Ruled { value: (name.into(), text.into()), origin: self.origin() });
            match after.strip_prefix(", ") {
                Some(next) => rest = next,
                None if after.is_empty() => break,
                None => return None,
            }
        }
        set.sort_by(|a, b| a.value.cmp(&b.value));
        Some(set)
    }

    fn origin(&self) -> Origin {
        Origin { layer: self.document.layer, source: self.document.source.clone(), line: Some(self.line) }
    }
}

/// How many strings stand before the next `]`, if there are no quotation marks in comments between them.
fn texts_in_list(text: &str) -> usize {
    text.bytes().take_while(|byte| *byte != b']').filter(|byte| *byte == b'"').count() / 2
}

/// A string without escapes at the start of the text, and what follows it.
fn string(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('"')?;
    let end = text.bytes().position(|byte| matches!(byte, b'"' | b'\\'))?;
    (text.as_bytes().get(end) == Some(&b'"')).then_some((text.get(..end)?, text.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_left_to_the_full_parser() {
        let source = Source::Profile("test".into());
        let read = |text: &str| read(text, &source, Layer::BuiltIn);
        assert!(read("[files]\nread = [\n  # why\n  \"a\", \"b\",\n]\n").is_some());
        for text in [
            "read = ['a']",
            "[files]\nread = ['a']",
            "[files]\nread = [\"a\"",
            "[files]\nread = [\"a\" \"b\"x]",
            "[files]\nread = [\"a\"] # why",
            "[files]\nread = [\"\\u0041\"]",
            "[files]\ndeny = [\"*\"]",
            "[files] # why",
            "[file]",
            "[limits]\nprocesses = 5",
            "[isolation]\ntrace = yes",
            "[environment]\nset = { A = 1 }",
            "[network]\nallow = [\"a.test\"]",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
