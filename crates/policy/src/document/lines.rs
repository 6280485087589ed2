//! From byte offsets to line numbers.

/// Where the lines of a text start.
pub(super) struct Lines {
    /// Offset of each line's end, in order.
    ends: Vec<usize>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Lines {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(offset, _)| offset).collect();
        Lines { ends }
    }

    /// The line of the byte at `offset`, counted from 1.
    pub(super) fn line(&self, offset: usize) -> u32 {
        let before = self.ends.partition_point(|end| *end < offset);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }
}

/// The line that the end of `bytes` stands in, counted from 1.
pub(super) fn line_at_end(bytes: &[u8]) -> u32 {
    let before = bytes.iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(before + 1).unwrap_or(u32::MAX)
}
