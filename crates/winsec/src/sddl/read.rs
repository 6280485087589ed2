//! From text to descriptor.

use super::alias::{self, Domains, Lookup};
use super::error::{Problem, SddlError};
use super::rights;
use super::write::{DACL_FLAGS, NULL_LIST, SACL_FLAGS};
use crate::ace::{Ace, AceFlags, AceKind};
use crate::acl::Acl;
use crate::descriptor::{AclField, Control, Part, SecurityDescriptor};
use crate::mask::AccessMask;
use crate::sid::Sid;

/// Two lists of 65,535 bytes hold at most some 7,000 entries; each as text is well below 300 bytes with a SID of 15 parts.
const LIMIT: usize = 2 << 20;

/// How much of a hostile text is quoted in an error.
const QUOTED: usize = 8;

/// Types that exist and are not modelled.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("OA", "an object entry that allows"),
    ("OD", "an object entry that denies"),
    ("OU", "an object entry that audits"),
    ("AL", "an alarm"),
    ("OL", "an object alarm"),
    ("XA", "a conditional entry that allows"),
    ("XD", "a conditional entry that denies"),
    ("XU", "a conditional entry that audits"),
    ("ZA", "a conditional object entry that allows"),
    ("RA", "a resource attribute"),
    ("SP", "a scoped policy"),
    ("TL", "a process trust label"),
    ("FL", "an access filter"),
];

/// A place in a text.
pub(super) struct Reader<'t> {
    text: &'t str,
    at: usize,
    domains: &'t Domains,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, domains: &'t Domains) -> Result<Reader<'t>, SddlError> {
        if text.len() > LIMIT {
            return Err(SddlError { position: LIMIT, problem: Problem::TooLong { limit: LIMIT } });
        }
        Ok(Reader { text, at: 0, domains })
    }

    pub(super) fn descriptor(mut self) -> Result<SecurityDescriptor, SddlError> {
        let mut read = SecurityDescriptor::default();
        while !self.rest().is_empty() {
            let start = self.at;
            let twice = |part| Err(SddlError { position: start, problem: Problem::Twice(part) });
            if self.take("O:") {
                if read.owner.replace(self.sid()?).is_some() {
                    return twice(Part::Owner);
                }
            } else if self.take("G:") {
                if read.group.replace(self.sid()?).is_some() {
                    return twice(Part::Group);
                }
            } else if self.take("D:") {
                if read.dacl != AclField::Absent {
                    return twice(Part::Dacl);
                }
                read.dacl = self.list(Part::Dacl, &mut read.control)?;
            } else if self.take("S:") {
                if read.sacl != AclField::Absent {
                    return twice(Part::Sacl);
                }
                read.sacl = self.list(Part::Sacl, &mut read.control)?;
            } else {
                return Err(self.expected("O:, G:, D: or S:"));
            }
        }
        Ok(read)
    }

    pub(super) fn lone_ace(mut self) -> Result<Ace, SddlError> {
        let ace = self.ace()?;
        self.end().map(|()| ace)
    }

    pub(super) fn lone_sid(mut self) -> Result<Sid, SddlError> {
        let sid = self.sid()?;
        self.end().map(|()| sid)
    }

    /// The flags and entries after `D:` or `S:`. Every type of entry may stand in either list: the grammar has one production for both
    /// (MS-DTYP 2.5.1.1, `aces`), bytes hold such lists, and what a misplaced entry does is the access check's matter: nothing.
    fn list(&mut self, part: Part, control: &mut Control) -> Result<AclField, SddlError> {
        let flags = if part == Part::Dacl { DACL_FLAGS } else { SACL_FLAGS };
        let mut null = false;
        loop {
            if !null && self.take(NULL_LIST) {
                null = true;
            } else if let Some((_, bit)) = flags.iter().find(|(letters, _)| self.take(letters)) {
                *control = *control | *bit;
            } else {
                break;
            }
        }
        let mut aces = Vec::new();
        while self.rest().starts_with('(') {
            aces.push(self.ace()?);
        }
        match (null, aces.is_empty()) {
            (false, _) => Ok(AclField::Present(Acl::new(aces))),
            (true, true) => Ok(AclField::Null),
            (true, false) => Err(self.expected("no entries after NO_ACCESS_CONTROL")),
        }
    }

    /// `(type;flags;rights;object;inherited object;sid)`.
    fn ace(&mut self) -> Result<Ace, SddlError> {
        self.need("(", "( and an entry")?;
        let kind = self.kind()?;
        let flags = self.flags()?;
        let mask = self.mask(kind == AceKind::Label)?;
        for _ in 0..2 {
            if !self.take(";") {
                return Err(self.error(Problem::ObjectGuid));
            }
        }
        let sid = self.sid()?;
        if self.rest().starts_with(';') {
            return Err(self.error(Problem::Condition));
        }
        self.need(")", ") after the SID")?;
        Ok(Ace::known(kind, flags, mask, sid))
    }

    fn kind(&mut self) -> Result<AceKind, SddlError> {
        let letters = self.field()?;
        let kind = match letters {
            "A" => AceKind::Allow,
            "D" => AceKind::Deny,
            "AU" => AceKind::Audit,
            "ML" => AceKind::Label,
            _ => {
                let unsupported = UNSUPPORTED.iter().find(|(known, _)| *known == letters);
                return Err(self.error(match unsupported {
                    Some((letters, name)) => Problem::UnsupportedType { letters: (*letters).to_owned(), name },
                    None => Problem::UnknownType(quote(letters)),
                }));
            }
        };
        self.at += letters.len() + 1;
        Ok(kind)
    }

    fn flags(&mut self) -> Result<AceFlags, SddlError> {
        let field = self.field()?;
        let mut flags = AceFlags::NONE;
        for letters in pairs(field) {
            flags = flags | rights::flag(letters).ok_or_else(|| self.error(Problem::UnknownFlag(quote(letters))))?;
            self.at += letters.len();
        }
        self.at += 1;
        Ok(flags)
    }

    /// Letters, or a number: `0x` hexadecimal, a leading zero octal, else decimal.
    fn mask(&mut self, label: bool) -> Result<AccessMask, SddlError> {
        let field = self.field()?;
        let mut mask = AccessMask::NONE;
        if field.starts_with(|first: char| first.is_ascii_digit()) {
            let unknown = || self.error(Problem::UnknownRight(quote(field)));
            mask = AccessMask(number(field).ok_or_else(unknown)?);
            self.at += field.len();
        } else {
            for letters in pairs(field) {
                let right = rights::right(letters, label);
                mask |= right.ok_or_else(|| self.error(Problem::UnknownRight(quote(letters))))?;
                self.at += letters.len();
            }
        }
        self.at += 1;
        Ok(mask)
    }

    /// An alias of two letters or `S-1-…`.
    fn sid(&mut self) -> Result<Sid, SddlError> {
        let rest = self.rest();
        if !rest.starts_with("S-") {
            let letters = rest.get(..2).ok_or_else(|| self.expected("a SID"))?;
            let sid = match alias::lookup(letters, self.domains) {
                Lookup::Sid(sid) => sid,
                Lookup::NeedsDomain { alias, domain } => return Err(self.error(Problem::NeedsDomain { alias, domain })),
                Lookup::Unknown => return Err(self.error(Problem::UnknownAlias(quote(letters)))),
            };
            self.at += letters.len();
            return Ok(sid);
        }
        let mut length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        // In `O:S-1-5-18D:` the D belongs to what follows, although it might be a hexadecimal digit.
        if rest.get(length..).is_some_and(|after| after.starts_with(':')) {
            length -= 1;
        }
        let text = rest.get(..length).unwrap_or_default();
        let sid = text.parse().map_err(|error| self.error(Problem::Sid(error)))?;
        self.at += length;
        Ok(sid)
    }

    /// The text up to the next semicolon, which stays unread.
    fn field(&self) -> Result<&'t str, SddlError> {
        let rest = self.rest();
        // No field before the SID is longer than its letters: a missing semicolon must not make every entry read the whole text.
        let near = rest.bytes().take(64).position(|byte| byte == b';');
        near.and_then(|length| rest.get(..length)).ok_or_else(|| self.expected("a field that ends with ;"))
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Goes past `token` if it is next.
    fn take(&mut self, token: &str) -> bool {
        let next = self.rest().starts_with(token);
        if next {
            self.at += token.len();
        }
        next
    }

    fn need(&mut self, token: &str, what: &'static str) -> Result<(), SddlError> {
        if self.take(token) { Ok(()) } else { Err(self.expected(what)) }
    }

    fn end(&self) -> Result<(), SddlError> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.expected("the end of the text")) }
    }

    fn expected(&self, what: &'static str) -> SddlError {
        self.error(Problem::Expected(what))
    }

    fn error(&self, problem: Problem) -> SddlError {
        SddlError { position: self.at, problem }
    }
}

/// The first characters, escaped to plain ASCII, so that hostile text can stand in a message.
fn quote(text: &str) -> String {
    text.chars().take(QUOTED).flat_map(char::escape_default).collect()
}

/// The text in pieces of two characters; a last piece may have one.
fn pairs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let length: usize = rest.chars().take(2).map(char::len_utf8).sum();
        let (pair, after) = rest.split_at_checked(length).filter(|(pair, _)| !pair.is_empty())?;
        rest = after;
        Some(pair)
    })
}

/// A 32-bit number in the notations of MS-DTYP 2.5.1.1.
fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    // `from_str_radix` would take a leading plus.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}
