//! The lists of `[network]` whose items may be tables: `allow` and `credential`.

use std::ffi::OsString;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::values::shown;
use super::items::{self, type_name};
use super::{Reader, Value};
use crate::credential::OF_THE_CONNECTION;
use crate::credential::{Credential, CredentialSource};
use crate::host_pattern::{AddressRange, HostPattern};
use crate::host_rule::HostRule;
use crate::keys::{CREDENTIAL_FIELDS, HOST_FIELDS, Key, SOURCES};
use crate::nearest::nearest;
use crate::policy::Ruled;

impl Reader {
    /// `allow`: texts, and tables with a `host` and options.
    pub(super) fn host_rules(&mut self, value: &Value<'_>) -> Option<Vec<Ruled<HostRule>>> {
        let key = Key::AllowHosts;
        let DeValue::Array(array) = value.get_ref() else { return self.wrong_type(key, value) };
        let mut rules = Vec::with_capacity(array.len());
        for at in array.iter() {
            let rule = match at.get_ref() {
                DeValue::String(text) => {
                    let rule = HostRule::parse(text).map_err(|error| format!("`{}`: {error}", shown(text)));
                    self.or_wrong(key, at, rule)
                }
                DeValue::Table(table) => self.host_table(at, table),
                _ => self.wrong_type(key, at),
            };
            rules.extend(rule.map(|rule| self.ruled(at, rule)));
        }
        Some(rules)
    }

    fn host_table(&mut self, at: &Value<'_>, table: &DeTable<'_>) -> Option<HostRule> {
        let key = Key::AllowHosts;
        let known = self.only_known(key, table, &HOST_FIELDS);
        let (_, text) = self.text_of(key, at, table, "host")?;
        let rule = HostRule::read(text).map_err(|error| format!("`{}`: {error}", shown(text)));
        let mut rule = self.or_wrong(key, at, rule)?;
        let flags = [self.flag_of(key, table, "opaque"), self.flag_of(key, table, "inspect")];
        let [Some(opaque), Some(inspect)] = flags else { return None };
        (rule.opaque, rule.inspect) = (opaque, inspect);
        rule.addresses = self.addresses(table)?;
        let rule = rule.check().map_err(|error| format!("`{}`: {error}", shown(text)));
        self.or_wrong(key, at, rule).filter(|_| known)
    }

    fn addresses(&mut self, table: &DeTable<'_>) -> Option<Vec<AddressRange>> {
        let key = Key::AllowHosts;
        let Some(value) = table.get("addresses") else { return Some(Vec::new()) };
        let DeValue::Array(array) = value.get_ref() else {
            let text = format!(
                "`addresses`: {} does not belong here; write it as `addresses = [\"10.0.0.0/8\"]`",
                type_name(value.get_ref())
            );
            return self.wrong_value(key, value, &text);
        };
        let mut ranges = Some(Vec::with_capacity(array.len()));
        for at in array.iter() {
            let range = match at.get_ref() {
                DeValue::String(text) => {
                    AddressRange::parse(text).map_err(|error| format!("`addresses`: `{}`: {error}", shown(text)))
                }
                other => {
                    Err(format!("`addresses`: {} does not belong here; write it as `\"10.0.0.0/8\"`", type_name(other)))
                }
            };
            match (self.or_wrong(key, at, range), &mut ranges) {
                (Some(range), Some(ranges)) => ranges.push(range),
                _ => ranges = None,
            }
        }
        ranges
    }

    /// `[[network.credential]]`
    pub(super) fn credentials(&mut self, value: &Value<'_>) -> Option<Vec<Ruled<Credential>>> {
        let key = Key::Credentials;
        let DeValue::Array(array) = value.get_ref() else { return self.wrong_type(key, value) };
        let mut credentials = Vec::with_capacity(array.len());
        for at in array.iter() {
            let credential = match at.get_ref() {
                DeValue::Table(table) => self.credential(at, table),
                _ => self.wrong_type(key, at),
            };
            credentials.extend(credential.map(|credential| self.ruled(at, credential)));
        }
        Some(credentials)
    }

    fn credential(&mut self, at: &Value<'_>, table: &DeTable<'_>) -> Option<Credential> {
        let key = Key::Credentials;
        let known = self.only_known(key, table, &CREDENTIAL_FIELDS);
        let host = self.field(key, at, table, "host", credential_host);
        let header = self.field(key, at, table, "header", header_name);
        let prefix = match table.contains_key("prefix") {
            false => Some(None),
            true => self.field(key, at, table, "prefix", header_text).map(Some),
        };
        let from = self.source(at, table);
        Some(Credential { host: host?, header: header?, from: from?, prefix: prefix? }).filter(|_| known)
    }

    fn source(&mut self, at: &Value<'_>, table: &DeTable<'_>) -> Option<CredentialSource> {
        let key = Key::Credentials;
        let form =
            "`from = { env = \"TOKEN\" }`, `{ file = \"~/.token\" }` or `{ command = [\"gh\", \"auth\", \"token\"] }`";
        let Some(value) = table.get("from") else {
            return self.wrong_value(key, at, &format!("`from` is missing; write {form}"));
        };
        let DeValue::Table(source) = value.get_ref() else {
            let text = format!("`from`: {} does not belong here; write {form}", type_name(value.get_ref()));
            return self.wrong_value(key, value, &text);
        };
        if !self.only_known(key, source, &SOURCES) {
            return None;
        }
        let mut sources = source.iter();
        let (Some((name, from)), None) = (sources.next(), sources.next()) else {
            return self.wrong_value(key, value, &format!("`from` names one source; write {form}"));
        };
        let read = match (name.get_ref().as_ref(), from.get_ref()) {
            ("env", DeValue::String(text)) => named("env", text, source_variable(text)),
            ("file", DeValue::String(text)) => named("file", text, source_file(text)),
            ("command", DeValue::Array(words)) => source_command(words.iter().map(Spanned::get_ref)),
            (name, other) => Err(format!("`{name}`: {} does not belong here; write {form}", type_name(other))),
        };
        self.or_wrong(key, from, read)
    }

    /// Whether the table holds no other keys than these; says which it does.
    fn only_known(&mut self, key: Key, table: &DeTable<'_>, known: &[&str]) -> bool {
        let mut only = true;
        for (name, _) in table {
            let word = name.get_ref().as_ref();
            if known.contains(&word) {
                continue;
            }
            let way_out = match nearest(word, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    format!("known are {}", known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", "))
                }
            };
            let text = format!("`{}`: unknown key `{}` in its table; {way_out}", key.info().full_name(), shown(word));
            self.wrong(name, text);
            only = false;
        }
        only
    }

    /// A text of a table, read by `read`.
    fn field<T>(
        &mut self,
        key: Key,
        at: &Value<'_>,
        table: &DeTable<'_>,
        name: &str,
        read: fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (value, text) = self.text_of(key, at, table, name)?;
        self.or_wrong(key, value, named(name, text, read(text)))
    }

    fn text_of<'t, 'i>(
        &mut self,
        key: Key,
        at: &Value<'_>,
        table: &'t DeTable<'i>,
        name: &str,
    ) -> Option<(&'t Value<'i>, &'t str)> {
        match table.get(name).map(|value| (value, value.get_ref())) {
            Some((value, DeValue::String(text))) => Some((value, text)),
            Some((value, other)) => {
                let text = format!("`{name}`: {} does not belong here; write a text", type_name(other));
                self.wrong_value(key, value, &text)
            }
            None => {
                let info = key.info();
                let text = format!("`{name}` is missing; write it as `{} = {}`", info.name, info.example);
                self.wrong_value(key, at, &text)
            }
        }
    }

    fn flag_of(&mut self, key: Key, table: &DeTable<'_>, name: &str) -> Option<bool> {
        match table.get(name).map(|value| (value, value.get_ref())) {
            None => Some(false),
            Some((_, DeValue::Boolean(flag))) => Some(*flag),
            Some((value, other)) => {
                let text = format!("`{name}`: {} does not belong here; write `true` or `false`", type_name(other));
                self.wrong_value(key, value, &text)
            }
        }
    }

    fn or_wrong<T>(&mut self, key: Key, at: &Value<'_>, read: Result<T, String>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(wrong) => self.wrong_value(key, at, &wrong),
        }
    }
}

/// Names the field and its text in front of what is wrong with it.
fn named<T>(field: &str, text: &str, read: Result<T, String>) -> Result<T, String> {
    read.map_err(|wrong| format!("`{field}`: `{}`: {wrong}", shown(text)))
}

/// Secrets go to hosts that have a name of their own, over TLS.
fn credential_host(text: &str) -> Result<HostPattern, String> {
    use crate::host_pattern::{Hosts, Ports};
    let host = HostPattern::parse(text).map_err(|error| error.to_string())?;
    if matches!(host.hosts, Hosts::Any | Hosts::Range(_)) {
        return Err("a credential goes to hosts by name; write one such as `api.example.org`".to_owned());
    }
    if host.ports == Ports::One(80) {
        return Err("on port 80 the credential would travel in plain text; leave the port off for 443".to_owned());
    }
    Ok(host)
}

/// The name of a header (RFC 9110, 5.1), in lower case.
fn header_name(text: &str) -> Result<String, String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if text.is_empty() || text.len() > 64 || !text.bytes().all(is_token) {
        return Err("not the name of a header; write one such as `authorization`".to_owned());
    }
    let name = text.to_ascii_lowercase();
    if OF_THE_CONNECTION.contains(&name.as_str()) {
        return Err("this header is about the connection, which is the gate's; credentials stand in others, such as `authorization`".to_owned());
    }
    Ok(name)
}

/// Text of a header's value (RFC 9110, 5.5).
fn header_text(text: &str) -> Result<String, String> {
    if text.len() > 256 || !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err("a header holds printable ASCII; write a text such as `Bearer `".to_owned());
    }
    Ok(text.to_owned())
}

fn source_variable(text: &str) -> Result<CredentialSource, String> {
    items::variable_name(text)?;
    Ok(CredentialSource::Env(text.to_owned()))
}

/// Only places that do not depend on where the program was started: the workspace is hostile.
fn is_fixed(text: &str) -> bool {
    text.starts_with("~/") || std::path::Path::new(text).is_absolute()
}

fn source_file(text: &str) -> Result<CredentialSource, String> {
    if text.contains('\0') || text.len() > 4095 {
        return Err("not the name of a file".to_owned());
    }
    if !is_fixed(text) {
        return Err("write the whole path, or one from your home such as `~/.token`".to_owned());
    }
    Ok(CredentialSource::File(text.into()))
}

fn source_command<'v>(words: impl Iterator<Item = &'v DeValue<'v>>) -> Result<CredentialSource, String> {
    let mut command: Vec<OsString> = Vec::new();
    for word in words {
        match word {
            DeValue::String(text) if !text.contains('\0') => command.push(OsString::from(text.as_ref())),
            other => {
                return Err(format!("`command`: {} does not belong here; write a list of texts", type_name(other)));
            }
        }
    }
    let program = command.first().and_then(|program| program.to_str()).unwrap_or_default();
    if program.is_empty() {
        return Err("`command`: the program is missing; write it as `[\"gh\", \"auth\", \"token\"]`".to_owned());
    }
    if program.contains(['/', '\\']) && !is_fixed(program) {
        let program = shown(program);
        return Err(format!(
            "`command`: `{program}`: write the whole path of the program, one from your home such as `~/bin/token`, or its name alone"
        ));
    }
    Ok(CredentialSource::Command(command))
}
