//! The masks that the plans use.

use bailiwick_winsec::{AccessMask, AceFlags, AceKind, KnownAce, Sid};

/// On a writable root: read, write, execute and delete, without `FILE_DELETE_CHILD`. With that right on a directory a protected
/// child could be deleted whatever its own list says (MS-FSA 2.1.5.1.2.1).
pub const WRITE: AccessMask = AccessMask(0x0013_01bf);

/// On a readable place: `FILE_GENERIC_READ | FILE_GENERIC_EXECUTE`.
pub const READ: AccessMask = AccessMask(0x0012_00a9);

/// On a directory above a granted place: attributes, extended attributes, the descriptor; not its list.
pub const ANCESTOR: AccessMask = AccessMask(0x0012_0088);

/// Everything that changes an object, its children's names or its descriptor.
pub const CHANGE: AccessMask = AccessMask(0x000d_0156);

/// [`CHANGE`] and listing: on a directory that is passed through and no more.
pub const LIST_OR_CHANGE: AccessMask = CHANGE.union(AccessMask::FILE_LIST_DIRECTORY);

/// Everything.
pub const ALL: AccessMask = AccessMask::FILE_ALL_ACCESS;

/// Whom an entry reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The object.
    Object,
    /// The object and everything below.
    Tree,
    /// Everything below, not the object.
    Below,
}

impl Reach {
    /// The whole tree of a directory, or a file alone.
    pub(super) const fn tree(is_directory: bool) -> Reach {
        if is_directory { Reach::Tree } else { Reach::Object }
    }

    const fn flags(self) -> AceFlags {
        match self {
            Reach::Object => AceFlags::NONE,
            Reach::Tree => AceFlags::INHERIT_ALL,
            Reach::Below => AceFlags::INHERIT_ALL.union(AceFlags::INHERIT_ONLY),
        }
    }
}

pub(super) const fn allow(sid: Sid, mask: AccessMask, reach: Reach) -> KnownAce {
    KnownAce { kind: AceKind::Allow, flags: reach.flags(), mask, sid }
}

pub(super) const fn deny(sid: Sid, mask: AccessMask, reach: Reach) -> KnownAce {
    KnownAce { kind: AceKind::Deny, flags: reach.flags(), mask, sid }
}

/// The entries of a writable root: everything in [`WRITE`], but the root itself is not deleted or renamed, because a rule
/// begins there.
pub(super) fn writable(sid: Sid, reach: Reach) -> Vec<KnownAce> {
    let itself = allow(sid, WRITE.without(AccessMask::DELETE), Reach::Object);
    match reach {
        Reach::Object => vec![itself],
        Reach::Tree | Reach::Below => vec![itself, allow(sid, WRITE, Reach::Below)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_winsec::ObjectType;

    #[test]
    fn no_mask_that_is_granted_deletes_children_or_changes_descriptors() {
        let never = AccessMask::FILE_DELETE_CHILD.union(AccessMask::WRITE_DAC).union(AccessMask::WRITE_OWNER);
        for granted in [WRITE, READ, ANCESTOR] {
            assert!(!granted.intersects(never));
        }
        assert!(!READ.intersects(CHANGE) && !ANCESTOR.intersects(LIST_OR_CHANGE));
        assert!(!LIST_OR_CHANGE.intersects(AccessMask::FILE_TRAVERSE));
        assert_eq!(WRITE.without(CHANGE), READ);
        // Looking at audit entries takes a privilege that no inside has.
        let writing =
            bailiwick_winsec::mask::write_type_bits(ObjectType::File).without(AccessMask::ACCESS_SYSTEM_SECURITY);
        assert!(CHANGE.contains(never) && CHANGE.contains(writing));
    }
}
