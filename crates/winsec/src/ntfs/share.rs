//! Share modes: what an open handle keeps others from (MS-FSA 2.1.5.1.2.2).
//!
//! A handle without `FILE_SHARE_DELETE` pins its file or directory: nobody gets `DELETE` on it, also not through the parent, so it is
//! neither deleted nor renamed while the handle is open.

use crate::AccessMask;

/// What a handle lets others do at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Share {
    /// `FILE_SHARE_READ`.
    pub read: bool,
    /// `FILE_SHARE_WRITE`.
    pub write: bool,
    /// `FILE_SHARE_DELETE`.
    pub delete: bool,
}

impl Share {
    /// Everything.
    pub const ALL: Share = Share { read: true, write: true, delete: true };
    /// Everything but deleting and renaming: a pin.
    pub const PIN: Share = Share { read: true, write: true, delete: false };
}

/// An open handle: its rights and what it shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Opened {
    /// The rights that were granted.
    pub granted: AccessMask,
    /// What it lets others do.
    pub share: Share,
}

/// The three kinds of access that take part: reading or executing, writing or appending, deleting.
const READS: AccessMask = AccessMask::FILE_READ_DATA.union(AccessMask::FILE_EXECUTE);
const WRITES: AccessMask = AccessMask::FILE_WRITE_DATA.union(AccessMask::FILE_APPEND_DATA);

impl Opened {
    /// Whether this handle and another on the same file can both be open. A handle with none of the rights to read, execute, write,
    /// append or delete takes no part: one for attributes only pins nothing and is kept out by nothing.
    pub const fn is_compatible(&self, other: &Opened) -> bool {
        if !self.takes_part() || !other.takes_part() {
            return true;
        }
        self.lets(other) && other.lets(self)
    }

    const fn takes_part(&self) -> bool {
        self.granted.intersects(READS.union(WRITES).union(AccessMask::DELETE))
    }

    const fn lets(&self, other: &Opened) -> bool {
        (self.share.read || !other.granted.intersects(READS))
            && (self.share.write || !other.granted.intersects(WRITES))
            && (self.share.delete || !other.granted.intersects(AccessMask::DELETE))
    }
}
