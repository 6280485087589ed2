//! Access control lists (MS-DTYP 2.4.5).
//!
//! The order of the entries matters: the check walks them one by one. A list in another order than the canonical one is kept as it is.

#[cfg(test)]
mod tests;

use std::fmt;

use crate::ace::{Ace, AceError, OpaqueAce};
use crate::bytes::{u8_at, u16_at};

/// The header: revision, a zero byte, size, count, two zero bytes.
const HEADER: usize = 8;

/// The revision of a list without object entries (MS-DTYP 2.4.5).
pub const REVISION: u8 = 2;

/// The revision of a list with object entries.
pub const REVISION_DS: u8 = 4;

/// A list of entries.
///
/// Spare bytes after the last entry, which the size field of the binary form may cover, mean nothing and are not kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Acl {
    /// 2, or 4 where object entries may occur; 3 was used for compound entries.
    pub revision: u8,
    /// The entries in the order in which the check walks them.
    pub aces: Vec<Ace>,
}

/// Why bytes are not a list, or a list cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AclError {
    /// The bytes end within the header.
    Truncated,
    /// A revision other than 2, 3 or 4.
    Revision(u8),
    /// The size that the list states is smaller than its header or beyond the end of the bytes.
    Size {
        /// The stated size in bytes.
        stated: u16,
        /// How many bytes there are.
        have: usize,
    },
    /// An entry does not read or cannot be written.
    Ace {
        /// Which entry, counted from 0.
        index: usize,
        /// What is wrong with it.
        error: AceError,
    },
    /// The list would be longer than 65,535 bytes, more than the format can hold.
    TooLarge(usize),
}

impl fmt::Display for AclError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AclError::Truncated => write!(f, "the bytes end within the header of the access control list"),
            AclError::Revision(revision) => {
                write!(f, "the access control list has revision {revision}; known are 2, 3 and 4")
            }
            AclError::Size { stated, have } => {
                write!(
                    f,
                    "the access control list states a size of {stated} bytes, at least 8 and at most the {have} that there are"
                )
            }
            AclError::Ace { index, error } => write!(f, "entry {index} of the access control list: {error}"),
            AclError::TooLarge(size) => {
                write!(f, "the access control list would have {size} bytes; the most is 65,535: remove entries")
            }
        }
    }
}

impl std::error::Error for AclError {}

impl Default for Acl {
    fn default() -> Acl {
        Acl::new(Vec::new())
    }
}

impl Acl {
    /// A list of these entries, with the least revision that can hold them.
    pub fn new(aces: Vec<Ace>) -> Acl {
        let objects = aces.iter().any(|ace| matches!(ace.type_byte(), 0x05..=0x08 | 0x0B | 0x0C | 0x0F | 0x10));
        Acl { revision: if objects { REVISION_DS } else { REVISION }, aces }
    }

    /// Reads the list at the start of `bytes`. The count of entries is not trusted: every entry must lie within the list.
    pub fn from_prefix(bytes: &[u8]) -> Result<Acl, AclError> {
        let (Some(revision), Some(stated), Some(count)) = (u8_at(bytes, 0), u16_at(bytes, 2), u16_at(bytes, 4)) else {
            return Err(AclError::Truncated);
        };
        if !(REVISION..=REVISION_DS).contains(&revision) {
            return Err(AclError::Revision(revision));
        }
        let mut rest = bytes.get(HEADER..usize::from(stated)).ok_or(AclError::Size { stated, have: bytes.len() })?;
        let mut aces = Vec::new();
        for index in 0..usize::from(count) {
            let (ace, size) = Ace::from_prefix(rest).map_err(|error| AclError::Ace { index, error })?;
            aces.push(ace);
            rest = rest.get(size..).unwrap_or_default();
        }
        Ok(Acl { revision, aces })
    }

    /// How many bytes the binary form has.
    pub fn byte_len(&self) -> usize {
        HEADER + self.aces.iter().map(Ace::byte_len).sum::<usize>()
    }

    /// Appends the binary form.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), AclError> {
        let size = self.byte_len();
        let stated = u16::try_from(size).map_err(|_| AclError::TooLarge(size))?;
        let count = u16::try_from(self.aces.len()).map_err(|_| AclError::TooLarge(size))?;
        out.extend_from_slice(&[self.revision, 0]);
        out.extend_from_slice(&stated.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        for (index, ace) in self.aces.iter().enumerate() {
            ace.write(out).map_err(|error| AclError::Ace { index, error })?;
        }
        Ok(())
    }

    /// The binary form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, AclError> {
        let mut out = Vec::with_capacity(self.byte_len());
        self.write(&mut out)?;
        Ok(out)
    }

    /// Whether the entries are in canonical order: explicit before inherited, and of the explicit ones deny before allow
    /// (Microsoft Learn, "Order of ACEs in a DACL"). The order within the inherited ones follows the depth of the ancestor that each
    /// came from, which the list does not say; it is taken as it is.
    pub fn is_canonical(&self) -> bool {
        self.aces.is_sorted_by_key(rank)
    }

    /// The same entries in canonical order. Within one rank, and among the inherited ones, the order stays.
    #[must_use]
    pub fn canonical(&self) -> Acl {
        let mut aces = self.aces.clone();
        aces.sort_by_key(rank);
        Acl { revision: self.revision, aces }
    }

    /// Whether an entry is in the list that the model does not understand.
    pub fn has_opaque(&self) -> bool {
        self.opaque().next().is_some()
    }

    /// The entries that the model does not understand, with their index.
    pub fn opaque(&self) -> impl Iterator<Item = (usize, &OpaqueAce)> {
        self.aces.iter().enumerate().filter_map(|(index, ace)| match ace {
            Ace::Opaque(ace) => Some((index, ace)),
            Ace::Known(_) => None,
        })
    }
}

/// 0 for what denies, 1 for everything else that is explicit, 2 for what is inherited.
fn rank(ace: &Ace) -> u8 {
    match (ace.is_inherited(), ace.denies()) {
        (true, _) => 2,
        (false, true) => 0,
        (false, false) => 1,
    }
}
