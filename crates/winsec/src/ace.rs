//! Access control entries (MS-DTYP 2.4.4).

mod bytes;
mod flags;

#[cfg(test)]
mod tests;

use crate::mask::AccessMask;
use crate::sid::Sid;

pub use bytes::AceError;
pub use flags::AceFlags;

/// The kinds of entry that the model understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AceKind {
    /// `ACCESS_ALLOWED_ACE` (MS-DTYP 2.4.4.2): grants.
    Allow,
    /// `ACCESS_DENIED_ACE` (2.4.4.4): refuses.
    Deny,
    /// `SYSTEM_AUDIT_ACE` (2.4.4.10): in a SACL, asks for a log entry; has no say in access.
    Audit,
    /// `SYSTEM_MANDATORY_LABEL_ACE` (2.4.4.13): in a SACL, the integrity level; its mask is a policy, not rights.
    Label,
}

impl AceKind {
    /// The `AceType` byte (MS-DTYP 2.4.4.1).
    pub const fn type_byte(self) -> u8 {
        match self {
            AceKind::Allow => 0x00,
            AceKind::Deny => 0x01,
            AceKind::Audit => 0x02,
            AceKind::Label => 0x11,
        }
    }

    /// The kind with this `AceType` byte, if the model understands it.
    pub const fn from_type_byte(byte: u8) -> Option<AceKind> {
        match byte {
            0x00 => Some(AceKind::Allow),
            0x01 => Some(AceKind::Deny),
            0x02 => Some(AceKind::Audit),
            0x11 => Some(AceKind::Label),
            _ => None,
        }
    }
}

/// An entry that the model understands: a kind, flags, a mask and a SID, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct KnownAce {
    /// What the entry does.
    pub kind: AceKind,
    /// How it is inherited, and what is audited.
    pub flags: AceFlags,
    /// The rights, or a label's policy.
    pub mask: AccessMask,
    /// Who, or a label's level.
    pub sid: Sid,
}

/// An entry that the model does not understand, kept byte for byte.
///
/// Callback (conditional), object, resource attribute and policy entries are of this sort, and so is an entry of a known type with
/// bytes after its SID. A check in which such an entry could matter answers *unknown*.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OpaqueAce {
    /// The `AceType` byte.
    pub type_byte: u8,
    /// How it is inherited, and what is audited.
    pub flags: AceFlags,
    /// Everything after the four bytes of the header.
    pub body: Box<[u8]>,
}

/// One access control entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ace {
    /// Understood.
    Known(KnownAce),
    /// Kept, not understood.
    Opaque(OpaqueAce),
}

impl Ace {
    /// An entry of a known kind.
    pub const fn known(kind: AceKind, flags: AceFlags, mask: AccessMask, sid: Sid) -> Ace {
        Ace::Known(KnownAce { kind, flags, mask, sid })
    }

    /// Grants `mask` to `sid` on this object only.
    pub const fn allow(sid: Sid, mask: AccessMask) -> Ace {
        Ace::known(AceKind::Allow, AceFlags::NONE, mask, sid)
    }

    /// Refuses `mask` to `sid` on this object only.
    pub const fn deny(sid: Sid, mask: AccessMask) -> Ace {
        Ace::known(AceKind::Deny, AceFlags::NONE, mask, sid)
    }

    /// A mandatory label with this level and policy ([`AccessMask::NO_WRITE_UP`] and so on).
    pub const fn label(level: Sid, policy: AccessMask) -> Ace {
        Ace::known(AceKind::Label, AceFlags::NONE, policy, level)
    }

    /// The same entry with these flags.
    #[must_use]
    pub fn with_flags(mut self, flags: AceFlags) -> Ace {
        *self.flags_mut() = flags;
        self
    }

    /// The flags.
    pub const fn flags(&self) -> AceFlags {
        match self {
            Ace::Known(ace) => ace.flags,
            Ace::Opaque(ace) => ace.flags,
        }
    }

    /// The flags, to change them.
    pub const fn flags_mut(&mut self) -> &mut AceFlags {
        match self {
            Ace::Known(ace) => &mut ace.flags,
            Ace::Opaque(ace) => &mut ace.flags,
        }
    }

    /// The `AceType` byte.
    pub const fn type_byte(&self) -> u8 {
        match self {
            Ace::Known(ace) => ace.kind.type_byte(),
            Ace::Opaque(ace) => ace.type_byte,
        }
    }

    /// The entry, if the model understands it.
    pub const fn as_known(&self) -> Option<&KnownAce> {
        match self {
            Ace::Known(ace) => Some(ace),
            Ace::Opaque(_) => None,
        }
    }

    /// Whether the entry refuses something, where it takes effect.
    pub const fn denies(&self) -> bool {
        match self {
            Ace::Known(ace) => matches!(ace.kind, AceKind::Deny),
            Ace::Opaque(ace) => ace.denies(),
        }
    }

    /// Whether the entry came from the parent.
    pub const fn is_inherited(&self) -> bool {
        self.flags().contains(AceFlags::INHERITED)
    }

    /// Whether the entry is only there for children and has no effect on its own object.
    pub const fn is_inherit_only(&self) -> bool {
        self.flags().contains(AceFlags::INHERIT_ONLY)
    }
}

impl OpaqueAce {
    /// The mask, for the types whose body starts with one: all access and audit types, conditional and object ones included
    /// (MS-DTYP 2.4.4.3 to 2.4.4.17).
    pub fn mask(&self) -> Option<AccessMask> {
        matches!(self.type_byte, 0x00..=0x03 | 0x05..=0x14)
            .then(|| crate::bytes::u32_at(&self.body, 0).map(AccessMask))?
    }

    /// Whether an entry of this type, if it took effect, would refuse something: denied, denied object and their callback forms.
    pub const fn denies(&self) -> bool {
        matches!(self.type_byte, 0x01 | 0x06 | 0x0A | 0x0C)
    }

    /// Whether an entry of this type, if it took effect, would grant something: allowed, compound, object and callback forms.
    pub const fn allows(&self) -> bool {
        matches!(self.type_byte, 0x00 | 0x04 | 0x05 | 0x09 | 0x0B)
    }

    /// What the type is called in MS-DTYP 2.4.4.1.
    pub const fn type_name(&self) -> &'static str {
        match self.type_byte {
            0x00 => "access allowed with extra bytes",
            0x01 => "access denied with extra bytes",
            0x02 => "audit with extra bytes",
            0x03 => "alarm",
            0x04 => "compound allowed",
            0x05 => "access allowed object",
            0x06 => "access denied object",
            0x07 => "audit object",
            0x08 => "alarm object",
            0x09 => "conditional access allowed",
            0x0A => "conditional access denied",
            0x0B => "conditional access allowed object",
            0x0C => "conditional access denied object",
            0x0D => "conditional audit",
            0x0E => "conditional alarm",
            0x0F => "conditional audit object",
            0x10 => "conditional alarm object",
            0x11 => "mandatory label with extra bytes",
            0x12 => "resource attribute",
            0x13 => "scoped policy",
            0x14 => "process trust label",
            0x15 => "access filter",
            _ => "an unknown type",
        }
    }
}
