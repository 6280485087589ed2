//! The letters of rights and flags (MS-DTYP 2.5.1.1 `ace-rights`, `ace-flag-string`; Microsoft Learn, "ACE Strings").

use crate::ace::AceFlags;
use crate::mask::AccessMask;

/// Letters for whole sets, tried first when writing.
const SETS: &[(&str, u32)] = &[
    ("FA", 0x1F_01FF),
    ("FR", 0x12_0089),
    ("FW", 0x12_0116),
    ("FX", 0x12_00A0),
    ("KA", 0x0F_003F),
    ("KR", 0x02_0019),
    ("KW", 0x02_0006),
    // The same as KR in `sddl.h`: only read.
    ("KX", 0x02_0019),
];

/// Letters for one bit each, in the order of the bits, which is the order in which Windows writes them.
const BITS: &[(&str, u32)] = &[
    ("CC", 0x0001),
    ("DC", 0x0002),
    ("LC", 0x0004),
    ("SW", 0x0008),
    ("RP", 0x0010),
    ("WP", 0x0020),
    ("DT", 0x0040),
    ("LO", 0x0080),
    ("CR", 0x0100),
    ("SD", 0x0001_0000),
    ("RC", 0x0002_0000),
    ("WD", 0x0004_0000),
    ("WO", 0x0008_0000),
    ("GA", 0x1000_0000),
    ("GX", 0x2000_0000),
    ("GW", 0x4000_0000),
    ("GR", 0x8000_0000),
];

/// Letters for the policy bits of a label, in the order of the bits.
const LABEL_BITS: &[(&str, u32)] = &[("NW", 1), ("NR", 2), ("NX", 4)];

/// Letters for the flags of an entry, in the order in which Windows writes them.
const FLAGS: &[(&str, AceFlags)] = &[
    ("OI", AceFlags::OBJECT_INHERIT),
    ("CI", AceFlags::CONTAINER_INHERIT),
    ("NP", AceFlags::NO_PROPAGATE),
    ("IO", AceFlags::INHERIT_ONLY),
    ("ID", AceFlags::INHERITED),
    ("CR", AceFlags::CRITICAL),
    ("SA", AceFlags::SUCCESS),
    ("FA", AceFlags::FAILURE),
];

/// The bits of two letters, in an access entry or in a label.
pub(super) fn right(letters: &str, label: bool) -> Option<AccessMask> {
    let mut known = if label { LABEL_BITS.iter().chain(&[]) } else { SETS.iter().chain(BITS) };
    known.find(|(name, _)| *name == letters).map(|(_, bits)| AccessMask(*bits))
}

/// The flag of two letters.
pub(super) fn flag(letters: &str) -> Option<AceFlags> {
    FLAGS.iter().find(|(name, _)| *name == letters).map(|(_, flag)| *flag)
}

/// Appends a mask: a set if it is one, else letters if they say all, else a number.
pub(super) fn write_mask(out: &mut String, mask: AccessMask, label: bool) {
    if !label && let Some((name, _)) = SETS.iter().find(|(_, bits)| *bits == mask.0) {
        return out.push_str(name);
    }
    let letters = if label { LABEL_BITS } else { BITS };
    let said = letters.iter().fold(0, |said, (_, bit)| said | bit);
    if mask.is_empty() || mask.0 & !said != 0 {
        return out.push_str(&mask.to_string());
    }
    let set = letters.iter().filter(|(_, bit)| mask.0 & bit != 0);
    set.for_each(|(name, _)| out.push_str(name));
}

/// Appends the flags.
pub(super) fn write_flags(out: &mut String, flags: AceFlags) {
    let set = FLAGS.iter().filter(|(_, flag)| flags.contains(*flag));
    set.for_each(|(name, _)| out.push_str(name));
}
