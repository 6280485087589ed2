//! Privileges, and sets of them (MS-LSAD 3.1.1.2.1 for the numbers; Learn, "Privilege Constants" for what each allows).

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! privileges {
    ($($(#[$doc:meta])* $name:ident = $luid:literal $text:literal;)*) => {
        /// A privilege by its locally unique identifier, which is the same on every Windows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Privilege {
            $($(#[$doc])* $name = $luid,)*
        }

        impl Privilege {
            /// Every privilege, in the order of their numbers.
            pub const ALL: &[Privilege] = &[$(Privilege::$name),*];

            /// The programmatic name, such as `SeBackupPrivilege`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Privilege::$name => concat!("Se", $text, "Privilege"),)*
                }
            }
        }
    };
}

privileges! {
    /// Makes tokens.
    CreateToken = 2 "CreateToken";
    /// Starts processes with any token.
    AssignPrimaryToken = 3 "AssignPrimaryToken";
    /// Locks memory.
    LockMemory = 4 "LockMemory";
    /// Raises quotas.
    IncreaseQuota = 5 "IncreaseQuota";
    /// Adds machines to the domain.
    MachineAccount = 6 "MachineAccount";
    /// Acts as part of the operating system.
    Tcb = 7 "Tcb";
    /// Reads and writes SACLs: grants `ACCESS_SYSTEM_SECURITY`.
    Security = 8 "Security";
    /// Takes ownership of any object: grants `WRITE_OWNER`.
    TakeOwnership = 9 "TakeOwnership";
    /// Loads drivers.
    LoadDriver = 10 "LoadDriver";
    /// Profiles the system.
    SystemProfile = 11 "SystemProfile";
    /// Sets the clock.
    Systemtime = 12 "Systemtime";
    /// Profiles one process.
    ProfileSingleProcess = 13 "ProfileSingleProcess";
    /// Raises priorities.
    IncreaseBasePriority = 14 "IncreaseBasePriority";
    /// Makes page files.
    CreatePagefile = 15 "CreatePagefile";
    /// Makes permanent objects.
    CreatePermanent = 16 "CreatePermanent";
    /// Reads every file, when opened with backup intent.
    Backup = 17 "Backup";
    /// Writes every file, when opened with backup intent, and assigns any owner.
    Restore = 18 "Restore";
    /// Shuts the machine down.
    Shutdown = 19 "Shutdown";
    /// Opens every process.
    Debug = 20 "Debug";
    /// Writes the audit log.
    Audit = 21 "Audit";
    /// Changes firmware variables.
    SystemEnvironment = 22 "SystemEnvironment";
    /// Passes through directories without being checked there.
    ChangeNotify = 23 "ChangeNotify";
    /// Shuts another machine down.
    RemoteShutdown = 24 "RemoteShutdown";
    /// Undocks.
    Undock = 25 "Undock";
    /// Synchronises directory services.
    SyncAgent = 26 "SyncAgent";
    /// Trusts accounts for delegation.
    EnableDelegation = 27 "EnableDelegation";
    /// Manages volumes, which reads and writes everything on them.
    ManageVolume = 28 "ManageVolume";
    /// Acts as a client.
    Impersonate = 29 "Impersonate";
    /// Makes names in the global namespace.
    CreateGlobal = 30 "CreateGlobal";
    /// Reads the credential manager as a trusted caller.
    TrustedCredManAccess = 31 "TrustedCredManAccess";
    /// Raises integrity labels.
    Relabel = 32 "Relabel";
    /// Raises its own working set.
    IncreaseWorkingSet = 33 "IncreaseWorkingSet";
    /// Sets the time zone.
    TimeZone = 34 "TimeZone";
    /// Makes symbolic links.
    CreateSymbolicLink = 35 "CreateSymbolicLink";
    /// Gets a token for another user of the session.
    DelegateSessionUserImpersonate = 36 "DelegateSessionUserImpersonate";
}

impl Privilege {
    /// The privilege with this programmatic name, exactly.
    pub fn from_name(name: &str) -> Option<Privilege> {
        Privilege::ALL.iter().copied().find(|privilege| privilege.name() == name)
    }

    const fn bit(self) -> u64 {
        1 << self as u8
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The privileges of a token: those held, and which of them are enabled.
///
/// A held privilege that is not enabled gives nothing to a check, but the process can enable it at any time: a promise must look at
/// [`Privileges::is_held`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Privileges {
    held: u64,
    enabled: u64,
}

impl Privileges {
    /// No privilege.
    pub const NONE: Privileges = Privileges { held: 0, enabled: 0 };

    /// With this privilege, enabled.
    #[must_use]
    pub const fn with(self, privilege: Privilege) -> Privileges {
        Privileges { held: self.held | privilege.bit(), enabled: self.enabled | privilege.bit() }
    }

    /// With this privilege held but disabled.
    #[must_use]
    pub const fn with_disabled(self, privilege: Privilege) -> Privileges {
        Privileges { held: self.held | privilege.bit(), enabled: self.enabled & !privilege.bit() }
    }

    /// Without this privilege: removed for good, not only disabled.
    #[must_use]
    pub const fn without(self, privilege: Privilege) -> Privileges {
        Privileges { held: self.held & !privilege.bit(), enabled: self.enabled & !privilege.bit() }
    }

    /// Whether the token has the privilege, enabled or not.
    pub const fn is_held(self, privilege: Privilege) -> bool {
        self.held & privilege.bit() != 0
    }

    /// Whether the privilege is held and enabled.
    pub const fn is_enabled(self, privilege: Privilege) -> bool {
        self.enabled & privilege.bit() != 0
    }

    /// Those held, with whether each is enabled, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = (Privilege, bool)> {
        let held = Privilege::ALL.iter().copied().filter(move |privilege| self.is_held(*privilege));
        held.map(move |privilege| (privilege, self.is_enabled(privilege)))
    }
}

impl FromIterator<Privilege> for Privileges {
    fn from_iter<I: IntoIterator<Item = Privilege>>(privileges: I) -> Privileges {
        privileges.into_iter().fold(Privileges::NONE, Privileges::with)
    }
}

/// A list of names; one that is held but disabled has `-` in front.
impl Serialize for Privileges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sign = |enabled| if enabled { "" } else { "-" };
        serializer.collect_seq(self.iter().map(|(privilege, enabled)| format!("{}{privilege}", sign(enabled))))
    }
}

impl<'de> Deserialize<'de> for Privileges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Privileges, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let mut privileges = Privileges::NONE;
        for text in &names {
            let (name, enabled) = text.strip_prefix('-').map_or((text.as_str(), true), |name| (name, false));
            let Some(privilege) = Privilege::from_name(name) else {
                return Err(D::Error::custom(format!("unknown privilege {name:?}; write it like SeBackupPrivilege")));
            };
            if privileges.is_held(privilege) {
                return Err(D::Error::custom(format!("{privilege} is listed twice")));
            }
            privileges = if enabled { privileges.with(privilege) } else { privileges.with_disabled(privilege) };
        }
        Ok(privileges)
    }
}
