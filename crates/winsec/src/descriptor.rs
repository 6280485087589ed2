//! Security descriptors (MS-DTYP 2.4.6): who owns an object, and its two lists.
//!
//! The struct is the absolute form; the bytes are the self-relative form, as files and registry keys store it.

mod control;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::ace::{Ace, AceFlags, AceKind, KnownAce};
use crate::acl::{Acl, AclError};
use crate::bytes::{u8_at, u16_at, u32_at};
use crate::sid::{Sid, SidError};

pub use control::Control;

/// The header: revision, resource manager byte, control, four offsets.
const HEADER: usize = 20;

/// The only revision (MS-DTYP 2.4.6).
const REVISION: u8 = 1;

/// A DACL or SACL field. The three cases mean three things: without a DACL and with a NULL DACL everyone may do everything; with an
/// empty one no one may do anything but what ownership gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum AclField {
    /// The *present* bit of the control word is not set.
    #[default]
    Absent,
    /// Present, and no list is there.
    Null,
    /// Present, with a list, which may be empty.
    Present(Acl),
}

impl AclField {
    /// The list, if there is one.
    pub const fn acl(&self) -> Option<&Acl> {
        match self {
            AclField::Present(acl) => Some(acl),
            AclField::Absent | AclField::Null => None,
        }
    }

    /// The list, to change it, if there is one.
    pub const fn acl_mut(&mut self) -> Option<&mut Acl> {
        match self {
            AclField::Present(acl) => Some(acl),
            AclField::Absent | AclField::Null => None,
        }
    }

    const fn is_absent(&self) -> bool {
        matches!(self, AclField::Absent)
    }
}

impl From<Acl> for AclField {
    fn from(acl: Acl) -> AclField {
        AclField::Present(acl)
    }
}

/// A security descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct SecurityDescriptor {
    /// The control bits, without the three that the rest of the struct says: present DACL, present SACL, self-relative.
    pub control: Control,
    /// The resource manager byte (`Sbz1`), which means something only with [`Control::RM_CONTROL_VALID`].
    pub resource_manager: u8,
    /// Who owns the object.
    pub owner: Option<Sid>,
    /// The primary group, which only POSIX-like programs and inheritance look at.
    pub group: Option<Sid>,
    /// Who may do what.
    pub dacl: AclField,
    /// What is audited, and the integrity label.
    pub sacl: AclField,
}

/// A part of a descriptor, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The owner.
    Owner,
    /// The primary group.
    Group,
    /// The DACL.
    Dacl,
    /// The SACL.
    Sacl,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Owner => "owner",
            Part::Group => "group",
            Part::Dacl => "DACL",
            Part::Sacl => "SACL",
        })
    }
}

/// Why bytes are not a descriptor, or a descriptor cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DescriptorError {
    /// The bytes end within the header.
    Truncated(usize),
    /// A revision other than 1.
    Revision(u8),
    /// The control word does not say that the bytes are self-relative: the offsets would be pointers.
    NotSelfRelative(u16),
    /// A part starts within the header or beyond the end.
    Offset {
        /// Which part.
        part: Part,
        /// Its stated offset in bytes.
        offset: u32,
        /// How many bytes there are.
        have: usize,
    },
    /// The owner or group does not read.
    Sid {
        /// Which part.
        part: Part,
        /// What is wrong with it.
        error: SidError,
    },
    /// A list does not read or cannot be written.
    Acl {
        /// Which part.
        part: Part,
        /// What is wrong with it.
        error: AclError,
    },
}

impl fmt::Display for DescriptorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reading or writing a security descriptor: ")?;
        match self {
            DescriptorError::Truncated(have) => write!(f, "its header needs {HEADER} bytes and only {have} are there"),
            DescriptorError::Revision(revision) => write!(f, "its revision is {revision}; only revision 1 exists"),
            DescriptorError::NotSelfRelative(control) => {
                write!(f, "its control word {control:#06x} does not say that it is self-relative")
            }
            DescriptorError::Offset { part, offset, have } => {
                write!(f, "its {part} is said to be at byte {offset}, after the header and within {have} bytes")
            }
            DescriptorError::Sid { part, error } => write!(f, "its {part}: {error}"),
            DescriptorError::Acl { part, error } => write!(f, "its {part}: {error}"),
        }
    }
}

impl std::error::Error for DescriptorError {}

impl SecurityDescriptor {
    /// A descriptor with this owner, group and DACL.
    pub fn new(owner: Sid, group: Sid, dacl: Acl) -> SecurityDescriptor {
        SecurityDescriptor {
            owner: Some(owner),
            group: Some(group),
            dacl: AclField::Present(dacl),
            ..Default::default()
        }
    }

    /// The mandatory label in the SACL: the first label entry, unless that one is only for children. `None` means Medium with
    /// no-write-up (MS-DTYP 2.4.4.13, 2.5.3.3).
    pub fn label(&self) -> Option<&KnownAce> {
        let mut known = self.sacl.acl()?.aces.iter().filter_map(Ace::as_known);
        known.find(|ace| ace.kind == AceKind::Label).filter(|ace| !ace.flags.contains(AceFlags::INHERIT_ONLY))
    }

    /// Reads the self-relative form. Parts may lie anywhere after the header and may overlap, as the format allows; every one must
    /// lie within `bytes`. What the *present* bits say is not there is not read.
    pub fn parse(bytes: &[u8]) -> Result<SecurityDescriptor, DescriptorError> {
        let header = bytes.get(..HEADER).ok_or(DescriptorError::Truncated(bytes.len()))?;
        let revision = u8_at(header, 0).unwrap_or_default();
        if revision != REVISION {
            return Err(DescriptorError::Revision(revision));
        }
        let control = Control(u16_at(header, 2).unwrap_or_default());
        if !control.contains(Control::SELF_RELATIVE) {
            return Err(DescriptorError::NotSelfRelative(control.0));
        }
        Ok(SecurityDescriptor {
            control: control.without(Control::DERIVED),
            resource_manager: u8_at(header, 1).unwrap_or_default(),
            owner: sid_at(bytes, Part::Owner)?,
            group: sid_at(bytes, Part::Group)?,
            dacl: acl_at(bytes, Part::Dacl, control.contains(Control::DACL_PRESENT))?,
            sacl: acl_at(bytes, Part::Sacl, control.contains(Control::SACL_PRESENT))?,
        })
    }

    /// The self-relative form, laid out as header, SACL, DACL, owner, group without gaps.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DescriptorError> {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(&[REVISION, self.resource_manager]);
        out.extend_from_slice(&self.control_word().0.to_le_bytes());
        out.resize(HEADER, 0);
        for (part, field) in [(Part::Sacl, &self.sacl), (Part::Dacl, &self.dacl)] {
            if let AclField::Present(acl) = field {
                set_offset(&mut out, part);
                acl.write(&mut out).map_err(|error| DescriptorError::Acl { part, error })?;
            }
        }
        for (part, sid) in [(Part::Owner, &self.owner), (Part::Group, &self.group)] {
            if let Some(sid) = sid {
                set_offset(&mut out, part);
                sid.write(&mut out);
            }
        }
        Ok(out)
    }

    /// The control word as the self-relative form has it, with the bits that the rest of the struct implies.
    pub const fn control_word(&self) -> Control {
        let mut word = self.control.without(Control::DERIVED).union(Control::SELF_RELATIVE);
        if !self.dacl.is_absent() {
            word = word.union(Control::DACL_PRESENT);
        }
        if !self.sacl.is_absent() {
            word = word.union(Control::SACL_PRESENT);
        }
        word
    }
}

impl Part {
    /// Where in the header the part's offset stands (MS-DTYP 2.4.6: `OffsetOwner`, `OffsetGroup`, `OffsetSacl`, `OffsetDacl`).
    const fn field(self) -> usize {
        match self {
            Part::Owner => 4,
            Part::Group => 8,
            Part::Sacl => 12,
            Part::Dacl => 16,
        }
    }
}

/// Notes the end of `out`, where the part is about to be written, as the offset of the part.
fn set_offset(out: &mut [u8], part: Part) {
    // Two lists of at most 65,535 bytes come before anything: the offset always fits.
    let offset = (out.len() as u32).to_le_bytes();
    if let Some(field) = out.get_mut(part.field()..part.field() + 4) {
        field.copy_from_slice(&offset);
    }
}

/// The bytes from the part's offset on; `None` where the offset is 0, which says that the part is not there.
fn part_bytes(bytes: &[u8], part: Part) -> Result<Option<&[u8]>, DescriptorError> {
    let offset = u32_at(bytes, part.field()).unwrap_or_default();
    if offset == 0 {
        return Ok(None);
    }
    let start = usize::try_from(offset).ok().filter(|start| *start >= HEADER);
    let rest = start.and_then(|start| bytes.get(start..)).filter(|rest| !rest.is_empty());
    rest.map(Some).ok_or(DescriptorError::Offset { part, offset, have: bytes.len() })
}

fn sid_at(bytes: &[u8], part: Part) -> Result<Option<Sid>, DescriptorError> {
    let Some(bytes) = part_bytes(bytes, part)? else { return Ok(None) };
    Sid::from_prefix(bytes).map(Some).map_err(|error| DescriptorError::Sid { part, error })
}

fn acl_at(bytes: &[u8], part: Part, present: bool) -> Result<AclField, DescriptorError> {
    if !present {
        return Ok(AclField::Absent);
    }
    let Some(bytes) = part_bytes(bytes, part)? else { return Ok(AclField::Null) };
    Acl::from_prefix(bytes).map(AclField::Present).map_err(|error| DescriptorError::Acl { part, error })
}
