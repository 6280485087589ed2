//! A cursor over bytes of a stranger: every step says whether there was enough.

use super::Malformed;

/// What is left to read.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Bytes(bytes)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(Malformed::Trailing) }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<Bytes<'a>, Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(Bytes(taken))
    }

    pub(super) fn u8(&mut self) -> Result<u8, Malformed> {
        let (&first, rest) = self.0.split_first().ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(first)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }

    /// A vector with a length of one byte before it.
    pub(super) fn vector_8(&mut self) -> Result<Bytes<'a>, Malformed> {
        let length = self.u8()?;
        self.take(length.into())
    }

    /// A vector with a length of two bytes before it.
    pub(super) fn vector_16(&mut self) -> Result<Bytes<'a>, Malformed> {
        let length = self.u16()?;
        self.take(length.into())
    }
}
