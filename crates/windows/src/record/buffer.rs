//! The buffers of `GetTokenInformation`, taken apart without trust in a pointer.
//!
//! The system fills one buffer: structures first, then what they point to, with pointers into the same buffer. A pointer is taken for an
//! offset and nothing else, so that reading is plain slicing and an odd answer an error.

use std::fmt;

use bailiwick_winsec::token::Attributed;
use bailiwick_winsec::{Acl, Sid};

/// The width of a pointer here.
const POINTER: usize = size_of::<usize>();
/// `SID_AND_ATTRIBUTES`: a pointer and a number, padded.
const ATTRIBUTED: usize = 2 * POINTER;
/// `LUID_AND_ATTRIBUTES`: three numbers.
const PRIVILEGE: usize = 12;
/// As many groups or privileges as are read. A token holds some 1,000 groups at most.
const MOST: usize = 4096;

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// The address that it had when its pointers were written.
    pub base: usize,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// An answer that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BufferError(String);

impl BufferError {
    /// A null pointer where a SID must be.
    pub fn no_sid() -> BufferError {
        BufferError("a SID is missing".to_owned())
    }
}

impl fmt::Display for BufferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer does not read: {}", self.0)
    }
}

impl std::error::Error for BufferError {}

impl Buffer {
    fn slice(&self, offset: usize, length: usize) -> Result<&[u8], BufferError> {
        let end = offset.checked_add(length);
        let slice = end.and_then(|end| self.bytes.get(offset..end));
        slice.ok_or_else(|| BufferError(format!("it ends before byte {offset}+{length}")))
    }

    /// The number at an offset.
    ///
    /// # Errors
    ///
    /// [`BufferError`] beyond the end.
    pub fn number(&self, offset: usize) -> Result<u32, BufferError> {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(self.slice(offset, 4)?);
        Ok(u32::from_ne_bytes(bytes))
    }

    /// Where the pointer at an offset leads; `None` for a null pointer.
    fn target(&self, offset: usize) -> Result<Option<&[u8]>, BufferError> {
        let mut bytes = [0; POINTER];
        bytes.copy_from_slice(self.slice(offset, POINTER)?);
        let address = usize::from_ne_bytes(bytes);
        if address == 0 {
            return Ok(None);
        }
        let place = address.checked_sub(self.base).and_then(|at| self.bytes.get(at..)).filter(|rest| !rest.is_empty());
        place.map(Some).ok_or_else(|| BufferError("a pointer leads out of it".to_owned()))
    }

    /// The SID that a pointer at an offset leads to; `None` for a null pointer.
    ///
    /// # Errors
    ///
    /// [`BufferError`]: no SID is there.
    pub fn sid(&self, offset: usize) -> Result<Option<Sid>, BufferError> {
        let Some(bytes) = self.target(offset)? else { return Ok(None) };
        Sid::from_prefix(bytes).map(Some).map_err(|error| BufferError(error.to_string()))
    }

    /// The SID and attributes at an offset: `TOKEN_USER`, `TOKEN_MANDATORY_LABEL`.
    ///
    /// # Errors
    ///
    /// As [`sid`](Self::sid), and for a null pointer.
    pub fn attributed(&self, offset: usize) -> Result<Attributed, BufferError> {
        let sid = self.sid(offset)?.ok_or_else(BufferError::no_sid)?;
        Ok((sid, self.number(offset + POINTER)?))
    }

    /// `TOKEN_GROUPS`.
    ///
    /// # Errors
    ///
    /// As [`attributed`](Self::attributed), and for a count that cannot be.
    pub fn groups(&self) -> Result<Vec<Attributed>, BufferError> {
        (0..self.count()?).map(|index| self.attributed(POINTER + index * ATTRIBUTED)).collect()
    }

    /// `TOKEN_PRIVILEGES`: the low part of each identifier, and the attributes.
    ///
    /// # Errors
    ///
    /// [`BufferError`] for a count that cannot be, and an identifier that is no privilege's.
    pub fn privileges(&self) -> Result<Vec<(u32, u32)>, BufferError> {
        let privilege = |index: usize| {
            let at = 4 + index * PRIVILEGE;
            match self.number(at + 4)? {
                0 => Ok((self.number(at)?, self.number(at + 8)?)),
                high => Err(BufferError(format!("a privilege has the identifier {high:#x}:…"))),
            }
        };
        (0..self.count()?).map(privilege).collect()
    }

    /// `TOKEN_DEFAULT_DACL`.
    ///
    /// # Errors
    ///
    /// [`BufferError`]: no list is there.
    pub fn acl(&self) -> Result<Option<Acl>, BufferError> {
        let Some(bytes) = self.target(0)? else { return Ok(None) };
        Acl::from_prefix(bytes).map(Some).map_err(|error| BufferError(error.to_string()))
    }

    fn count(&self) -> Result<usize, BufferError> {
        let count = usize::try_from(self.number(0)?).unwrap_or(usize::MAX);
        if count > MOST { Err(BufferError(format!("it speaks of {count} entries"))) } else { Ok(count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `TOKEN_GROUPS` as the system lays it out: the array, then the SIDs.
    fn groups(list: &[Attributed]) -> Buffer {
        let base = 0x7000;
        let mut bytes = vec![0; POINTER + list.len() * ATTRIBUTED];
        bytes[..4].copy_from_slice(&u32::try_from(list.len()).unwrap().to_ne_bytes());
        for (index, (sid, attributes)) in list.iter().enumerate() {
            let at = POINTER + index * ATTRIBUTED;
            let address = base + bytes.len();
            bytes[at..at + POINTER].copy_from_slice(&address.to_ne_bytes());
            bytes[at + POINTER..at + POINTER + 4].copy_from_slice(&attributes.to_ne_bytes());
            bytes.extend(sid.to_bytes());
        }
        Buffer { base, bytes }
    }

    #[test]
    fn what_the_system_lays_out_is_read() {
        let list = [(Sid::EVERYONE, 7), (Sid::account([1, 2, 3], 1001), 0x10), (Sid::logon(0, 77), 0xC000_0007)];
        assert_eq!(groups(&list).groups(), Ok(list.to_vec()));
        assert_eq!(groups(&[]).groups(), Ok(vec![]));
        let mut bytes = 2u32.to_ne_bytes().to_vec();
        for (low, attributes) in [(23u32, 3u32), (19, 0)] {
            bytes.extend([low, 0, attributes].into_iter().flat_map(u32::to_ne_bytes));
        }
        assert_eq!(Buffer { base: 1, bytes }.privileges(), Ok(vec![(23, 3), (19, 0)]));
        assert_eq!(Buffer { base: 1, bytes: vec![0; 16] }.acl(), Ok(None));
    }

    #[test]
    fn no_pointer_is_followed_out_of_it() {
        let good = groups(&[(Sid::EVERYONE, 7)]);
        for address in [1usize, 0x6fff, 0x7000 + good.bytes.len(), usize::MAX] {
            let mut bad = good.clone();
            bad.bytes[POINTER..2 * POINTER].copy_from_slice(&address.to_ne_bytes());
            assert!(bad.groups().is_err(), "{address:#x}");
        }
        for length in 0..good.bytes.len() {
            let cut = Buffer { bytes: good.bytes[..length].to_vec(), ..good };
            assert!(cut.groups().is_err(), "{length}");
        }
        let many = Buffer { base: 0, bytes: vec![0xff; 64] };
        assert!(many.groups().is_err() && many.privileges().is_err() && many.sid(0).is_err());
    }
}
