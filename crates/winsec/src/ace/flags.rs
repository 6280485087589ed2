//! The flags of an entry (MS-DTYP 2.4.4.1, `AceFlags`).

use std::ops::{BitAnd, BitOr};

/// How an entry is inherited, and what it audits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct AceFlags(pub u8);

impl AceFlags {
    /// This object only.
    pub const NONE: AceFlags = AceFlags(0);
    /// `OBJECT_INHERIT_ACE`: files (leaf objects) inside get the entry.
    pub const OBJECT_INHERIT: AceFlags = AceFlags(0x01);
    /// `CONTAINER_INHERIT_ACE`: directories inside get the entry.
    pub const CONTAINER_INHERIT: AceFlags = AceFlags(0x02);
    /// `NO_PROPAGATE_INHERIT_ACE`: children get it, grandchildren do not.
    pub const NO_PROPAGATE: AceFlags = AceFlags(0x04);
    /// `INHERIT_ONLY_ACE`: no effect on the object that carries it.
    pub const INHERIT_ONLY: AceFlags = AceFlags(0x08);
    /// `INHERITED_ACE`: came from the parent.
    pub const INHERITED: AceFlags = AceFlags(0x10);
    /// `CRITICAL_ACE_FLAG`, of access filters.
    pub const CRITICAL: AceFlags = AceFlags(0x20);
    /// `SUCCESSFUL_ACCESS_ACE_FLAG`: audit what was granted.
    pub const SUCCESS: AceFlags = AceFlags(0x40);
    /// `FAILED_ACCESS_ACE_FLAG`: audit what was refused.
    pub const FAILURE: AceFlags = AceFlags(0x80);
    /// Files and directories inside, to any depth.
    pub const INHERIT_ALL: AceFlags = AceFlags(0x03);
    /// The five flags that speak of inheritance.
    pub const INHERITANCE: AceFlags = AceFlags(0x1F);

    /// Whether every flag of `other` is set here.
    pub const fn contains(self, other: AceFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any flag of `other` is set here.
    pub const fn intersects(self, other: AceFlags) -> bool {
        self.0 & other.0 != 0
    }

    /// The flags of both.
    pub const fn union(self, other: AceFlags) -> AceFlags {
        AceFlags(self.0 | other.0)
    }

    /// The flags that are here and not in `other`.
    pub const fn without(self, other: AceFlags) -> AceFlags {
        AceFlags(self.0 & !other.0)
    }
}

impl BitOr for AceFlags {
    type Output = AceFlags;
    fn bitor(self, other: AceFlags) -> AceFlags {
        self.union(other)
    }
}

impl BitAnd for AceFlags {
    type Output = AceFlags;
    fn bitand(self, other: AceFlags) -> AceFlags {
        AceFlags(self.0 & other.0)
    }
}

/// The two-letter names of SDDL, joined by `|`.
impl std::fmt::Debug for AceFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const NAMES: [&str; 8] = ["OI", "CI", "NP", "IO", "ID", "CR", "SA", "FA"];
        let set: Vec<&str> =
            (0..8).zip(NAMES).filter(|(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| name).collect();
        f.write_str(if set.is_empty() { "-" } else { "" })?;
        f.write_str(&set.join("|"))
    }
}
