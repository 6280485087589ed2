//! Security identifiers (MS-DTYP 2.4.2).
//!
//! A [`Sid`] is a small value: it is copied, not shared, and compared word by word, because the access check compares millions a
//! second.

mod well_known;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use crate::bytes::{u8_at, u32_at};

pub use well_known::named;

/// The most sub-authorities that a SID can have (MS-DTYP 2.4.2.2: `SubAuthorityCount` is at most 15).
pub const MAX_SUB_AUTHORITIES: usize = 15;

/// The only revision that exists (MS-DTYP 2.4.2.2).
const REVISION: u8 = 1;

/// The authority is a 48-bit number.
const MAX_AUTHORITY: u64 = (1 << 48) - 1;

/// The longest text form: `S-1-0x` with 12 digits and 15 times `-4294967295`, with room to spare. Longer text is refused unread.
const MAX_TEXT: usize = 256;

/// A security identifier: who, or what group, label or capability, an entry speaks of.
///
/// Unused sub-authorities are always zero, so that equality and hashing can look at the whole value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sid {
    /// The authority in the low 48 bits, the count of sub-authorities in the byte above.
    head: u64,
    subs: [u32; MAX_SUB_AUTHORITIES],
}

/// Why bytes or text are not a SID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SidError {
    /// The bytes end before the SID does.
    Truncated {
        /// How many bytes the SID needs.
        needed: usize,
        /// How many there are.
        have: usize,
    },
    /// A revision other than 1.
    Revision(u8),
    /// More than 15 sub-authorities.
    TooManySubAuthorities(usize),
    /// An authority of more than 48 bits.
    AuthorityTooLarge(u64),
    /// The text is not of the form `S-1-authority-sub-authority…`.
    Text {
        /// The byte offset within the text at which reading stopped.
        position: usize,
        /// What was expected there.
        expected: &'static str,
    },
}

impl fmt::Display for SidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SidError::Truncated { needed, have } => {
                write!(f, "reading a SID: it needs {needed} bytes and only {have} are there")
            }
            SidError::Revision(revision) => {
                write!(f, "reading a SID: its revision is {revision}; only revision 1 exists")
            }
            SidError::TooManySubAuthorities(count) => {
                write!(f, "reading a SID: it has {count} sub-authorities; the most is {MAX_SUB_AUTHORITIES}")
            }
            SidError::AuthorityTooLarge(authority) => {
                write!(f, "reading a SID: its authority {authority:#x} has more than 48 bits")
            }
            SidError::Text { position, expected } => {
                write!(
                    f,
                    "reading a SID as text: at position {position}, expected {expected}; write it like S-1-5-32-544"
                )
            }
        }
    }
}

impl std::error::Error for SidError {}

impl Sid {
    /// The SID of this authority and these sub-authorities.
    pub fn new(authority: u64, sub_authorities: &[u32]) -> Result<Sid, SidError> {
        if authority > MAX_AUTHORITY {
            return Err(SidError::AuthorityTooLarge(authority));
        }
        let mut subs = [0; MAX_SUB_AUTHORITIES];
        let Some(used) = subs.get_mut(..sub_authorities.len()) else {
            return Err(SidError::TooManySubAuthorities(sub_authorities.len()));
        };
        used.copy_from_slice(sub_authorities);
        Ok(Sid { head: head(authority, sub_authorities.len()), subs })
    }

    /// For constants: the count of sub-authorities is checked when the constant is compiled.
    const fn constant<const N: usize>(authority: u64, sub_authorities: [u32; N]) -> Sid {
        const { assert!(N <= MAX_SUB_AUTHORITIES) };
        let mut subs = [0; MAX_SUB_AUTHORITIES];
        let mut i = 0;
        while i < N {
            subs[i] = sub_authorities[i];
            i += 1;
        }
        Sid { head: head(authority, N), subs }
    }

    /// An account or group of a machine or domain: S-1-5-21-a-b-c-rid.
    pub const fn account(domain: [u32; 3], rid: u32) -> Sid {
        Sid::constant(5, [21, domain[0], domain[1], domain[2], rid])
    }

    /// The SID of a machine or domain itself: S-1-5-21-a-b-c.
    pub const fn domain(domain: [u32; 3]) -> Sid {
        Sid::constant(5, [21, domain[0], domain[1], domain[2]])
    }

    /// The SID of one logon session: S-1-5-5-high-low.
    pub const fn logon(high: u32, low: u32) -> Sid {
        Sid::constant(5, [5, high, low])
    }

    /// A capability: S-1-15-3-… with eight words of a hash as for named capabilities, or of the product's own making.
    pub const fn capability(words: [u32; 8]) -> Sid {
        Sid::constant(15, [3, words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7]])
    }

    /// One of the numbered capabilities: S-1-15-3-n, such as 1 for `internetClient`.
    pub const fn numbered_capability(number: u32) -> Sid {
        Sid::constant(15, [3, number])
    }

    /// An AppContainer package: S-1-15-2-… with seven words of the hash of its name.
    pub const fn package(words: [u32; 7]) -> Sid {
        Sid::constant(15, [2, words[0], words[1], words[2], words[3], words[4], words[5], words[6]])
    }

    /// A mandatory integrity level: S-1-16-level, where 0x2000 is Medium (MS-DTYP 2.4.4.13).
    pub const fn integrity(level: u32) -> Sid {
        Sid::constant(16, [level])
    }

    /// The SID of a service, from the five words of the hash of its name: S-1-5-80-….
    pub const fn service(words: [u32; 5]) -> Sid {
        Sid::constant(5, [80, words[0], words[1], words[2], words[3], words[4]])
    }

    /// The 48-bit identifier authority.
    pub const fn authority(&self) -> u64 {
        self.head & MAX_AUTHORITY
    }

    /// The sub-authorities, in order.
    pub fn sub_authorities(&self) -> &[u32] {
        // The count is at most 15 by construction; an empty slice can therefore not be seen.
        self.subs.get(..self.count()).unwrap_or(&[])
    }

    /// The last sub-authority, the relative identifier; `None` for a SID without any.
    pub fn rid(&self) -> Option<u32> {
        self.sub_authorities().last().copied()
    }

    /// The integrity level if this is a label SID (S-1-16-level).
    pub fn integrity_level(&self) -> Option<u32> {
        match (self.authority(), self.sub_authorities()) {
            (16, [level]) => Some(*level),
            _ => None,
        }
    }

    /// Whether this is an AppContainer package SID (S-1-15-2-… with more than one word after the 2).
    pub fn is_package(&self) -> bool {
        matches!((self.authority(), self.sub_authorities()), (15, [2, _, _, ..]))
    }

    /// Whether this is a capability SID (S-1-15-3-…).
    pub fn is_capability(&self) -> bool {
        matches!((self.authority(), self.sub_authorities()), (15, [3, _, ..]))
    }

    /// Whether this is the SID of a logon session (S-1-5-5-x-y).
    pub fn is_logon(&self) -> bool {
        matches!((self.authority(), self.sub_authorities()), (5, [5, _, _]))
    }

    /// The domain of an account SID (S-1-5-21-a-b-c-rid): S-1-5-21-a-b-c.
    pub fn domain_of(&self) -> Option<Sid> {
        match (self.authority(), self.sub_authorities()) {
            (5, [21, a, b, c, _rid]) => Some(Sid::domain([*a, *b, *c])),
            _ => None,
        }
    }

    /// How many bytes the binary form has: 8 and 4 for each sub-authority.
    pub const fn byte_len(&self) -> usize {
        8 + 4 * self.count()
    }

    /// Reads the SID at the start of `bytes`; what follows it is left alone (its length is [`Sid::byte_len`]).
    pub fn from_prefix(bytes: &[u8]) -> Result<Sid, SidError> {
        let short = |needed| SidError::Truncated { needed, have: bytes.len() };
        let (Some(revision), Some(count)) = (u8_at(bytes, 0), u8_at(bytes, 1)) else { return Err(short(8)) };
        if revision != REVISION {
            return Err(SidError::Revision(revision));
        }
        let count = usize::from(count);
        if count > MAX_SUB_AUTHORITIES {
            return Err(SidError::TooManySubAuthorities(count));
        }
        let mut subs = [0; MAX_SUB_AUTHORITIES];
        for (index, sub) in subs.iter_mut().take(count).enumerate() {
            *sub = u32_at(bytes, 8 + 4 * index).ok_or_else(|| short(8 + 4 * count))?;
        }
        // The authority is the one big-endian field of the structure.
        let authority = bytes.get(2..8).ok_or_else(|| short(8 + 4 * count))?;
        let authority = authority.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        Ok(Sid { head: head(authority, count), subs })
    }

    /// Appends the binary form (MS-DTYP 2.4.2.2).
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(REVISION);
        out.push((self.head >> 48) as u8);
        out.extend_from_slice(&self.authority().to_be_bytes()[2..]);
        for sub in self.sub_authorities() {
            out.extend_from_slice(&sub.to_le_bytes());
        }
    }

    /// The binary form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.byte_len());
        self.write(&mut out);
        out
    }

    const fn count(&self) -> usize {
        (self.head >> 48) as usize
    }
}

const fn head(authority: u64, count: usize) -> u64 {
    (count as u64) << 48 | authority
}

/// The string form of MS-DTYP 2.4.2.1: the authority in decimal below 2^32, else as 12 hexadecimal digits.
impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.authority();
        if authority > u64::from(u32::MAX) {
            write!(f, "S-1-0x{authority:012X}")?;
        } else {
            write!(f, "S-1-{authority}")?;
        }
        self.sub_authorities().iter().try_for_each(|sub| write!(f, "-{sub}"))
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads the string form. Decimal and `0x` hexadecimal numbers are taken for every part, as Windows does; nothing else.
impl FromStr for Sid {
    type Err = SidError;

    fn from_str(text: &str) -> Result<Sid, SidError> {
        if text.len() > MAX_TEXT {
            return Err(SidError::Text { position: MAX_TEXT, expected: "the end of the SID" });
        }
        let rest = text.strip_prefix("S-1-").or_else(|| text.strip_prefix("s-1-"));
        let rest = rest.ok_or(SidError::Text { position: 0, expected: "S-1-" })?;
        let mut parts = rest.split('-');
        let mut position = text.len() - rest.len();
        let first = parts.next().unwrap_or_default();
        let authority = number(first).ok_or(SidError::Text { position, expected: "an authority" })?;
        position += first.len() + 1;
        let mut subs = Vec::new();
        for part in parts {
            let sub = number(part).and_then(|value| u32::try_from(value).ok());
            subs.push(sub.ok_or(SidError::Text { position, expected: "a sub-authority below 2^32" })?);
            position += part.len() + 1;
        }
        Sid::new(authority, &subs)
    }
}

/// A decimal or `0x` hexadecimal number without sign.
fn number(text: &str) -> Option<u64> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = hex.map_or((text, 10), |digits| (digits, 16));
    // `from_str_radix` would take a leading plus.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

impl serde::Serialize for Sid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Sid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Sid, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
