//! The header fields of one message.

use super::lex;

/// One field line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// The name as it was written: a token.
    pub(crate) name: String,
    /// The value without the blanks around it: no control bytes but tabs.
    pub(crate) value: Vec<u8>,
}

/// The fields in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<Field>);

impl Fields {
    /// Adds a field at the end. The caller answers for the syntax of both.
    pub(crate) fn push(&mut self, name: &str, value: &[u8]) {
        self.0.push(Field { name: name.to_owned(), value: value.to_vec() });
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Field> {
        self.0.iter()
    }

    /// The values of every field of this name; letter case does not matter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value.as_slice())
    }

    /// Is there a field of this name?
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Does a list field of this name hold this member? Letter case does not matter.
    pub(crate) fn lists(&self, name: &str, member: &str) -> bool {
        self.all(name).flat_map(lex::list).any(|item| item.eq_ignore_ascii_case(member.as_bytes()))
    }

    /// Keeps the fields for which `keep` says so.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Field) -> bool) {
        self.0.retain(keep);
    }

    /// Drops every field of this name and puts this one in.
    pub(crate) fn replace(&mut self, name: &str, value: &[u8]) {
        self.0.retain(|field| !field.name.eq_ignore_ascii_case(name));
        self.push(name, value);
    }

    /// Drops what is about this connection only and must not be passed on (RFC 9110 section 7.6.1): the fixed list, every
    /// `Proxy-…` field, and what `Connection` names. Framing fields go too; the sender writes its own.
    pub(crate) fn drop_hop_by_hop(&mut self) {
        let named: Vec<Vec<u8>> = self.all("connection").flat_map(lex::list).map(<[u8]>::to_ascii_lowercase).collect();
        self.0.retain(|field| {
            let name = field.name.to_ascii_lowercase();
            let fixed = matches!(
                name.as_str(),
                "connection"
                    | "keep-alive"
                    | "te"
                    | "trailer"
                    | "transfer-encoding"
                    | "content-length"
                    | "upgrade"
                    | "http2-settings"
                    | "proxy"
            );
            !fixed && !name.starts_with("proxy-") && !named.iter().any(|other| other == name.as_bytes())
        });
    }

    /// Appends the fields as lines, without the empty line at the end.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for field in &self.0 {
            out.extend_from_slice(field.name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(&field.value);
            out.extend_from_slice(b"\r\n");
        }
    }
}
