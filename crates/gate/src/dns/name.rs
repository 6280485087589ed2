//! Domain names as they stand in a message: labels of any bytes, perhaps compressed.

use std::fmt;

use bailiwick_policy::host_pattern::Host;

use super::message::MessageError;

/// Most octets of a name in a message, length octets and root included (RFC 1035, 3.1).
const LONGEST: usize = 255;
/// Most octets of a label (RFC 1035, 2.3.4).
const LONGEST_LABEL: usize = 63;
/// Most pointers of one name. Each leads further back, so that they end anyway; no honest name has more than a few.
const MOST_POINTERS: usize = 32;
/// Where a message's header ends, and the first name may stand.
const HEADER: usize = 12;

/// A name of a message: its labels, each with its length in front, without compression and without the root's zero.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    wire: Vec<u8>,
}

impl Name {
    /// The name without labels.
    pub(crate) fn root() -> Name {
        Name { wire: Vec::new() }
    }

    /// The name of a host whose spelling was checked.
    ///
    /// # Errors
    /// What no message can carry: an empty label, one of more than 63 octets, more than 255 octets in all.
    pub(crate) fn from_host(host: &str) -> Result<Name, MessageError> {
        let mut wire = Vec::with_capacity(host.len() + 1);
        for label in host.split('.') {
            match u8::try_from(label.len()) {
                Ok(length) if length > 0 && label.len() <= LONGEST_LABEL => wire.push(length),
                _ => return Err(MessageError::Label),
            }
            wire.extend_from_slice(label.as_bytes());
        }
        if wire.len() >= LONGEST {
            return Err(MessageError::LongName);
        }
        Ok(Name { wire })
    }

    /// Reads the name at `at` of `message`, and moves `at` behind it.
    ///
    /// A pointer must lead to before the run of labels that it ends, and behind the header: then every chain of pointers ends.
    pub(crate) fn read(message: &[u8], at: &mut usize) -> Result<Name, MessageError> {
        let mut wire = Vec::new();
        let mut here = *at;
        let mut run = here;
        let mut behind = None;
        for _ in 0..=MOST_POINTERS {
            // One run of labels, up to the root or a pointer.
            let pointer = loop {
                let length = usize::from(*message.get(here).ok_or(MessageError::Short)?);
                here += 1;
                match length {
                    0 => {
                        *at = behind.unwrap_or(here);
                        return Ok(Name { wire });
                    }
                    1..=LONGEST_LABEL => {
                        let label = message.get(here..here + length).ok_or(MessageError::Short)?;
                        wire.extend(u8::try_from(length));
                        wire.extend_from_slice(label);
                        here += length;
                        // The root's zero counts too.
                        if wire.len() >= LONGEST {
                            return Err(MessageError::LongName);
                        }
                    }
                    0xc0.. => {
                        let low = usize::from(*message.get(here).ok_or(MessageError::Short)?);
                        here += 1;
                        break (length & 0x3f) << 8 | low;
                    }
                    // 01 and 10 in front mean kinds of labels that were given up (RFC 6891, 5).
                    _ => return Err(MessageError::Label),
                }
            };
            behind.get_or_insert(here);
            if pointer < HEADER || pointer >= run {
                return Err(MessageError::Pointer);
            }
            here = pointer;
            run = pointer;
        }
        Err(MessageError::Pointer)
    }

    /// Appends the name, uncompressed.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.wire);
        out.push(0);
    }

    /// Is this the root, the name without labels?
    pub(crate) fn is_root(&self) -> bool {
        self.wire.is_empty()
    }

    /// Are both the same name to DNS, which takes upper and lower case of ASCII as one (RFC 4343)?
    pub(crate) fn is(&self, other: &Name) -> bool {
        self.wire.eq_ignore_ascii_case(&other.wire)
    }

    /// The labels.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.wire.as_slice();
        std::iter::from_fn(move || {
            let (&length, tail) = rest.split_first()?;
            let (label, tail) = tail.split_at_checked(usize::from(length))?;
            rest = tail;
            Some(label)
        })
    }

    /// The host that this name names. `None` for everything that the policy's parser does not take for a plain name:
    /// a dot within a label, an address written as labels, other bytes than letters, digits, `-` and `_`.
    pub(crate) fn host(&self) -> Option<String> {
        let mut text = String::with_capacity(self.wire.len());
        for label in self.labels() {
            if !label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
                return None;
            }
            if !text.is_empty() {
                text.push('.');
            }
            text.extend(label.iter().map(|&byte| char::from(byte)));
        }
        match Host::parse(&text) {
            Ok(Host::Name(name)) => Some(name),
            _ => None,
        }
    }
}

/// As text, with everything but printable ASCII, and dots and backslashes within labels, as `\DDD` (RFC 1035, 5.1).
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for (index, label) in self.labels().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            for &byte in label {
                match byte {
                    b'.' | b'\\' => write!(f, "\\{byte:03}")?,
                    b'!'..=b'~' => write!(f, "{}", char::from(byte))?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}
