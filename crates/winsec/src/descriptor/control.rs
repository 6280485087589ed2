//! The control word of a descriptor (MS-DTYP 2.4.6).

/// How the parts of a descriptor came about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Control(pub u16);

impl Control {
    /// No bit.
    pub const NONE: Control = Control(0);
    /// `OD`: the owner was filled in by default.
    pub const OWNER_DEFAULTED: Control = Control(0x0001);
    /// `GD`: the group was filled in by default.
    pub const GROUP_DEFAULTED: Control = Control(0x0002);
    /// `DP`: there is a DACL.
    pub const DACL_PRESENT: Control = Control(0x0004);
    /// `DD`: the DACL was filled in by default.
    pub const DACL_DEFAULTED: Control = Control(0x0008);
    /// `SP`: there is a SACL.
    pub const SACL_PRESENT: Control = Control(0x0010);
    /// `SD`: the SACL was filled in by default.
    pub const SACL_DEFAULTED: Control = Control(0x0020);
    /// `DT`: the DACL is trusted.
    pub const DACL_TRUSTED: Control = Control(0x0040);
    /// `SS`: a server security descriptor.
    pub const SERVER_SECURITY: Control = Control(0x0080);
    /// `DC`: the DACL is to be computed with inheritance.
    pub const DACL_AUTO_INHERIT_REQ: Control = Control(0x0100);
    /// `SC`: the SACL is to be computed with inheritance.
    pub const SACL_AUTO_INHERIT_REQ: Control = Control(0x0200);
    /// `DI`: the DACL was computed with inheritance.
    pub const DACL_AUTO_INHERITED: Control = Control(0x0400);
    /// `SI`: the SACL was computed with inheritance.
    pub const SACL_AUTO_INHERITED: Control = Control(0x0800);
    /// `PD`: the DACL takes nothing from the parent.
    pub const DACL_PROTECTED: Control = Control(0x1000);
    /// `PS`: the SACL takes nothing from the parent.
    pub const SACL_PROTECTED: Control = Control(0x2000);
    /// `RM`: the resource manager byte means something.
    pub const RM_CONTROL_VALID: Control = Control(0x4000);
    /// `SR`: the bytes are in the self-relative form.
    pub const SELF_RELATIVE: Control = Control(0x8000);

    /// The bits that follow from the rest of a descriptor and are not kept with it.
    pub(super) const DERIVED: Control =
        Control(Control::DACL_PRESENT.0 | Control::SACL_PRESENT.0 | Control::SELF_RELATIVE.0);

    /// Whether every bit of `other` is set here.
    pub const fn contains(self, other: Control) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits of both.
    pub const fn union(self, other: Control) -> Control {
        Control(self.0 | other.0)
    }

    /// The bits that are here and not in `other`.
    pub const fn without(self, other: Control) -> Control {
        Control(self.0 & !other.0)
    }
}

impl std::ops::BitOr for Control {
    type Output = Control;
    fn bitor(self, other: Control) -> Control {
        self.union(other)
    }
}

/// The two-letter names of MS-DTYP, joined by `|`.
impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const NAMES: [&str; 16] =
            ["OD", "GD", "DP", "DD", "SP", "SD", "DT", "SS", "DC", "SC", "DI", "SI", "PD", "PS", "RM", "SR"];
        let set: Vec<&str> =
            (0..16).zip(NAMES).filter(|(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| name).collect();
        f.write_str(if set.is_empty() { "-" } else { "" })?;
        f.write_str(&set.join("|"))
    }
}
