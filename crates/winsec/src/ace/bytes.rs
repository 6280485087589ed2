//! The binary form of an entry (MS-DTYP 2.4.4.1).

use std::fmt;

use super::{Ace, AceFlags, AceKind, KnownAce, OpaqueAce};
use crate::bytes::{u8_at, u16_at, u32_at};
use crate::mask::AccessMask;
use crate::sid::{Sid, SidError};

/// The header: type, flags, size.
const HEADER: usize = 4;

/// Header and mask; the SID comes next.
const BEFORE_SID: usize = 8;

/// Why bytes are not an entry, or an entry cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AceError {
    /// The bytes end within the header, or the entry within its mask.
    Truncated,
    /// The size that the entry states is smaller than its header, not a multiple of four, or beyond the end of the list.
    Size {
        /// The stated size in bytes.
        stated: u16,
        /// How many bytes are left in the list.
        left: usize,
    },
    /// The entry's SID does not read, or does not fit the entry.
    Sid(SidError),
    /// An opaque body that makes the entry longer than 65,532 bytes or not a multiple of four.
    Body(usize),
}

impl fmt::Display for AceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AceError::Truncated => write!(f, "the list or the entry ends before the SID of the entry"),
            AceError::Size { stated, left } => {
                write!(
                    f,
                    "the entry states a size of {stated} bytes, which must be a multiple of four within the {left} left"
                )
            }
            AceError::Sid(error) => write!(f, "{error}"),
            AceError::Body(length) => {
                write!(f, "a body of {length} bytes; it must be a multiple of four and the entry at most 65,532 bytes")
            }
        }
    }
}

impl std::error::Error for AceError {}

impl Ace {
    /// Reads the entry at the start of `bytes` and says how many bytes it takes.
    pub fn from_prefix(bytes: &[u8]) -> Result<(Ace, usize), AceError> {
        let (Some(type_byte), Some(flags), Some(stated)) = (u8_at(bytes, 0), u8_at(bytes, 1), u16_at(bytes, 2)) else {
            return Err(AceError::Truncated);
        };
        let size = usize::from(stated);
        let body = bytes.get(HEADER..size).filter(|_| size % 4 == 0);
        let body = body.ok_or(AceError::Size { stated, left: bytes.len() })?;
        let flags = AceFlags(flags);
        if let Some(kind) = AceKind::from_type_byte(type_byte)
            && let Some(ace) = known(kind, flags, body)?
        {
            return Ok((Ace::Known(ace), size));
        }
        Ok((Ace::Opaque(OpaqueAce { type_byte, flags, body: body.into() }), size))
    }

    /// How many bytes the binary form has.
    pub fn byte_len(&self) -> usize {
        match self {
            Ace::Known(ace) => BEFORE_SID + ace.sid.byte_len(),
            Ace::Opaque(ace) => HEADER + ace.body.len(),
        }
    }

    /// Appends the binary form.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), AceError> {
        let size = self.byte_len();
        let stated = u16::try_from(size).ok().filter(|size| size % 4 == 0).ok_or(AceError::Body(size - HEADER))?;
        out.extend_from_slice(&[self.type_byte(), self.flags().0]);
        out.extend_from_slice(&stated.to_le_bytes());
        match self {
            Ace::Known(ace) => {
                out.extend_from_slice(&ace.mask.0.to_le_bytes());
                ace.sid.write(out);
            }
            Ace::Opaque(ace) => out.extend_from_slice(&ace.body),
        }
        Ok(())
    }
}

/// The entry with this body, or `None` if there are bytes after its SID: those may mean something, so the entry stays opaque.
fn known(kind: AceKind, flags: AceFlags, body: &[u8]) -> Result<Option<KnownAce>, AceError> {
    let (Some(mask), Some(after)) = (u32_at(body, 0), body.get(4..)) else { return Err(AceError::Truncated) };
    let sid = Sid::from_prefix(after).map_err(AceError::Sid)?;
    Ok((sid.byte_len() == after.len()).then_some(KnownAce { kind, flags, mask: AccessMask(mask), sid }))
}
