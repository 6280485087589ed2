//! The Windows tiers by name.

use std::fmt;

use serde::Serialize;

/// One way of enforcing a boundary on Windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// The same user with a write-restricted token: an accident guard, no boundary against a hostile inside.
    Guard,
    /// A local account of bailiwick's, made once by an administrator.
    Account,
    /// An AppContainer without network capability.
    Container,
}

impl Tier {
    /// Every tier that this crate plans.
    pub const ALL: [Tier; 3] = [Tier::Guard, Tier::Account, Tier::Container];

    /// The name used in policy files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Tier::Guard => "guard",
            Tier::Account => "account",
            Tier::Container => "container",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
