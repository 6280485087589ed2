//! A bounded queue of bytes between a reader and a writer of different speed.

/// Bytes waiting to be written. Its memory is taken once.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// Bytes at the front that are written already.
    written: usize,
}

/// Most bytes that wait in one direction.
pub(super) const CAPACITY: usize = 64 * 1024;

impl Buffer {
    pub(super) fn new() -> Buffer {
        Buffer { bytes: Vec::with_capacity(CAPACITY), written: 0 }
    }

    pub(super) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.written..).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// How many more bytes may wait.
    pub(super) fn room(&self) -> usize {
        CAPACITY.saturating_sub(self.waiting().len())
    }

    /// Where to append.
    pub(super) fn tail(&mut self) -> &mut Vec<u8> {
        if self.written > 0 {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
        &mut self.bytes
    }

    /// Takes `count` bytes from the front.
    pub(super) fn take(&mut self, count: usize) {
        self.written = self.written.saturating_add(count).min(self.bytes.len());
        if self.written == self.bytes.len() {
            self.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.written = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_the_order_in_which_they_came() {
        let mut buffer = Buffer::new();
        buffer.tail().extend_from_slice(b"abc");
        buffer.take(2);
        buffer.tail().extend_from_slice(b"de");
        assert_eq!(buffer.waiting(), b"cde");
        assert_eq!(buffer.room(), CAPACITY - 3);
        buffer.take(99);
        assert!(buffer.is_empty());
        assert_eq!(buffer.room(), CAPACITY);
    }
}
