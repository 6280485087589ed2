//! Access masks (MS-DTYP 2.4.3): 32 bits, of which the low 16 mean something else for each type of object.

mod object;
mod rights;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Not};

pub use object::ObjectType;

/// A set of access rights, requested or granted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct AccessMask(pub u32);

impl AccessMask {
    /// No right at all.
    pub const NONE: AccessMask = AccessMask(0);

    /// To delete the object. Standard rights are the same for every type (MS-DTYP 2.4.3).
    pub const DELETE: AccessMask = AccessMask(0x0001_0000);
    /// To read the owner, the group and the DACL.
    pub const READ_CONTROL: AccessMask = AccessMask(0x0002_0000);
    /// To change the DACL.
    pub const WRITE_DAC: AccessMask = AccessMask(0x0004_0000);
    /// To change the owner, and to lower the label.
    pub const WRITE_OWNER: AccessMask = AccessMask(0x0008_0000);
    /// To wait on the object.
    pub const SYNCHRONIZE: AccessMask = AccessMask(0x0010_0000);
    /// To read and write the SACL; granted by a privilege only.
    pub const ACCESS_SYSTEM_SECURITY: AccessMask = AccessMask(0x0100_0000);
    /// Not a right: asks for everything that can be had.
    pub const MAXIMUM_ALLOWED: AccessMask = AccessMask(0x0200_0000);
    /// Everything, by the type's mapping.
    pub const GENERIC_ALL: AccessMask = AccessMask(0x1000_0000);
    /// To execute, by the type's mapping.
    pub const GENERIC_EXECUTE: AccessMask = AccessMask(0x2000_0000);
    /// To write, by the type's mapping.
    pub const GENERIC_WRITE: AccessMask = AccessMask(0x4000_0000);
    /// To read, by the type's mapping.
    pub const GENERIC_READ: AccessMask = AccessMask(0x8000_0000);
    /// The four generic bits.
    pub const GENERIC: AccessMask = AccessMask(0xF000_0000);
    /// `DELETE`, `READ_CONTROL`, `WRITE_DAC` and `WRITE_OWNER`.
    pub const STANDARD_REQUIRED: AccessMask = AccessMask(0x000F_0000);
    /// The five standard rights.
    pub const STANDARD_ALL: AccessMask = AccessMask(0x001F_0000);
    /// The bits that mean something else for each type.
    pub const SPECIFIC: AccessMask = AccessMask(0x0000_FFFF);

    /// To read the data of a file (MS-DTYP, MS-FSCC; `winnt.h`).
    pub const FILE_READ_DATA: AccessMask = AccessMask(0x0001);
    /// To list a directory: the same bit as [`AccessMask::FILE_READ_DATA`].
    pub const FILE_LIST_DIRECTORY: AccessMask = AccessMask(0x0001);
    /// To overwrite the data of a file.
    pub const FILE_WRITE_DATA: AccessMask = AccessMask(0x0002);
    /// To add a file to a directory: the same bit as [`AccessMask::FILE_WRITE_DATA`].
    pub const FILE_ADD_FILE: AccessMask = AccessMask(0x0002);
    /// To append to a file.
    pub const FILE_APPEND_DATA: AccessMask = AccessMask(0x0004);
    /// To add a directory to a directory: the same bit as [`AccessMask::FILE_APPEND_DATA`].
    pub const FILE_ADD_SUBDIRECTORY: AccessMask = AccessMask(0x0004);
    /// To make another instance of a named pipe: the same bit as [`AccessMask::FILE_APPEND_DATA`].
    pub const FILE_CREATE_PIPE_INSTANCE: AccessMask = AccessMask(0x0004);
    /// To read extended attributes.
    pub const FILE_READ_EA: AccessMask = AccessMask(0x0008);
    /// To write extended attributes.
    pub const FILE_WRITE_EA: AccessMask = AccessMask(0x0010);
    /// To run a file.
    pub const FILE_EXECUTE: AccessMask = AccessMask(0x0020);
    /// To pass through a directory: the same bit as [`AccessMask::FILE_EXECUTE`].
    pub const FILE_TRAVERSE: AccessMask = AccessMask(0x0020);
    /// To delete or rename what a directory holds, whatever the descriptors of the children say (MS-FSA 2.1.5.1.2.1).
    pub const FILE_DELETE_CHILD: AccessMask = AccessMask(0x0040);
    /// To read attributes and times.
    pub const FILE_READ_ATTRIBUTES: AccessMask = AccessMask(0x0080);
    /// To write attributes and times.
    pub const FILE_WRITE_ATTRIBUTES: AccessMask = AccessMask(0x0100);
    /// What `GENERIC_READ` means for a file.
    pub const FILE_GENERIC_READ: AccessMask = AccessMask(0x0012_0089);
    /// What `GENERIC_WRITE` means for a file.
    pub const FILE_GENERIC_WRITE: AccessMask = AccessMask(0x0012_0116);
    /// What `GENERIC_EXECUTE` means for a file.
    pub const FILE_GENERIC_EXECUTE: AccessMask = AccessMask(0x0012_00A0);
    /// What `GENERIC_ALL` means for a file.
    pub const FILE_ALL_ACCESS: AccessMask = AccessMask(0x001F_01FF);

    /// In a label entry: a lower subject may not write (MS-DTYP 2.4.4.13).
    pub const NO_WRITE_UP: AccessMask = AccessMask(1);
    /// In a label entry: a lower subject may not read.
    pub const NO_READ_UP: AccessMask = AccessMask(2);
    /// In a label entry: a lower subject may not execute.
    pub const NO_EXECUTE_UP: AccessMask = AccessMask(4);

    /// The bits as a number.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether no bit is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every bit of `other` is set here.
    pub const fn contains(self, other: AccessMask) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any bit of `other` is set here.
    pub const fn intersects(self, other: AccessMask) -> bool {
        self.0 & other.0 != 0
    }

    /// The bits of both.
    pub const fn union(self, other: AccessMask) -> AccessMask {
        AccessMask(self.0 | other.0)
    }

    /// The bits that both have.
    pub const fn intersection(self, other: AccessMask) -> AccessMask {
        AccessMask(self.0 & other.0)
    }

    /// The bits that are here and not in `other`.
    pub const fn without(self, other: AccessMask) -> AccessMask {
        AccessMask(self.0 & !other.0)
    }

    /// The rights by their names for objects of this type, such as `FILE_READ_DATA`; bits without a name as one hexadecimal number.
    pub fn names(self, object: ObjectType) -> Vec<String> {
        let mut left = self;
        let mut names = Vec::new();
        for (mask, name) in object.right_names().iter().chain(rights::COMMON) {
            if self.contains(*mask) {
                names.push((*name).to_owned());
                left = left.without(*mask);
            }
        }
        if !left.is_empty() {
            names.push(left.to_string());
        }
        names
    }
}

impl BitOr for AccessMask {
    type Output = AccessMask;
    fn bitor(self, other: AccessMask) -> AccessMask {
        self.union(other)
    }
}

impl BitOrAssign for AccessMask {
    fn bitor_assign(&mut self, other: AccessMask) {
        self.0 |= other.0;
    }
}

impl BitAnd for AccessMask {
    type Output = AccessMask;
    fn bitand(self, other: AccessMask) -> AccessMask {
        self.intersection(other)
    }
}

impl BitAndAssign for AccessMask {
    fn bitand_assign(&mut self, other: AccessMask) {
        self.0 &= other.0;
    }
}

impl Not for AccessMask {
    type Output = AccessMask;
    fn not(self) -> AccessMask {
        AccessMask(!self.0)
    }
}

impl fmt::Display for AccessMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Debug for AccessMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// Written as hexadecimal text, `"0x1301bf"`, because that is how people compare masks.
impl serde::Serialize for AccessMask {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for AccessMask {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<AccessMask, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let bits = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        bits.map(AccessMask).ok_or_else(|| serde::de::Error::custom("an access mask is written like \"0x1301bf\""))
    }
}

/// What the four generic rights mean for one type of object (`GENERIC_MAPPING` in Microsoft Learn).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenericMapping {
    /// What `GENERIC_READ` becomes.
    pub read: AccessMask,
    /// What `GENERIC_WRITE` becomes.
    pub write: AccessMask,
    /// What `GENERIC_EXECUTE` becomes.
    pub execute: AccessMask,
    /// What `GENERIC_ALL` becomes.
    pub all: AccessMask,
}

impl GenericMapping {
    /// Replaces the generic bits of `mask` by what they mean (MS-DTYP 2.5.3.1, `MapGenericMask`).
    pub const fn map(&self, mask: AccessMask) -> AccessMask {
        let mut mapped = mask.without(AccessMask::GENERIC);
        if mask.contains(AccessMask::GENERIC_READ) {
            mapped = mapped.union(self.read);
        }
        if mask.contains(AccessMask::GENERIC_WRITE) {
            mapped = mapped.union(self.write);
        }
        if mask.contains(AccessMask::GENERIC_EXECUTE) {
            mapped = mapped.union(self.execute);
        }
        if mask.contains(AccessMask::GENERIC_ALL) {
            mapped = mapped.union(self.all);
        }
        mapped
    }

    /// The rights whose request makes a write-restricted token pass the second check: the changing standard rights, and what
    /// generic write has over generic read and execute (the rule of NtObjectManager's `Test-NtAccessMask -WriteRestricted`).
    ///
    /// What is *not* in here although it can do harm, such as `FILE_DELETE_CHILD`, a write-restricted token may do wherever its
    /// user may.
    pub const fn write_type_bits(&self) -> AccessMask {
        let standard = AccessMask::DELETE
            .union(AccessMask::WRITE_DAC)
            .union(AccessMask::WRITE_OWNER)
            .union(AccessMask::ACCESS_SYSTEM_SECURITY);
        standard.union(self.write.without(self.read.union(self.execute)))
    }
}

/// See [`GenericMapping::write_type_bits`].
pub const fn write_type_bits(object: ObjectType) -> AccessMask {
    object.mapping().write_type_bits()
}
