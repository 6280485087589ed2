//! Integrity levels and the mandatory policy of a token (MS-DTYP 2.4.4.13, 2.4.8).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Sid;

/// An integrity level: the last word of S-1-16-level. Higher dominates lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Integrity(pub u32);

impl Integrity {
    /// 0.
    pub const UNTRUSTED: Integrity = Integrity(0);
    /// 0x1000: AppContainers and protected-mode browsers.
    pub const LOW: Integrity = Integrity(0x1000);
    /// 0x2000: ordinary processes, and every object without a label.
    pub const MEDIUM: Integrity = Integrity(0x2000);
    /// 0x2100.
    pub const MEDIUM_PLUS: Integrity = Integrity(0x2100);
    /// 0x3000: elevated processes.
    pub const HIGH: Integrity = Integrity(0x3000);
    /// 0x4000: services.
    pub const SYSTEM: Integrity = Integrity(0x4000);

    /// The level as a label SID.
    pub const fn sid(self) -> Sid {
        Sid::integrity(self.0)
    }
}

/// Medium, as without a label.
impl Default for Integrity {
    fn default() -> Integrity {
        Integrity::MEDIUM
    }
}

impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Integrity::UNTRUSTED => f.write_str("Untrusted"),
            Integrity::LOW => f.write_str("Low"),
            Integrity::MEDIUM => f.write_str("Medium"),
            Integrity::MEDIUM_PLUS => f.write_str("Medium Plus"),
            Integrity::HIGH => f.write_str("High"),
            Integrity::SYSTEM => f.write_str("System"),
            Integrity(level) => write!(f, "level {level:#x}"),
        }
    }
}

/// `TOKEN_MANDATORY_POLICY`: whether labels bind this token at all (MS-DTYP 2.4.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MandatoryPolicy {
    /// `TOKEN_MANDATORY_POLICY_NO_WRITE_UP`: labels are enforced. Without it they are not looked at.
    pub no_write_up: bool,
    /// `TOKEN_MANDATORY_POLICY_NEW_PROCESS_MIN`: a child's level is at most that of its program. The check does not look at it.
    #[serde(default)]
    pub new_process_min: bool,
}

/// What ordinary logons get.
impl Default for MandatoryPolicy {
    fn default() -> MandatoryPolicy {
        MandatoryPolicy { no_write_up: true, new_process_min: true }
    }
}
