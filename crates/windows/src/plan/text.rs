//! A plan as people read it.

use std::ffi::OsStr;
use std::fmt;

use bailiwick_policy::text::escape;
use bailiwick_winsec::{AceFlags, AceKind, KnownAce, Sid};

use super::network::{Action, Filter, Gate};
use super::{
    Assertion, Identity, Inheritance, Leak, Level, Lifetime, Pin, Plan, Purpose, Stamp, TokenPlan, TokenSource,
    UnmetReason, Writer,
};

/// Hostile text as it is shown.
pub(super) fn shown(text: &str) -> String {
    escape(OsStr::new(text))
}

fn sid(sid: &Sid) -> String {
    sid.well_known_name().map_or_else(|| sid.to_string(), str::to_owned)
}

fn list(sids: &[Sid]) -> String {
    if sids.is_empty() { "none".to_owned() } else { sids.iter().map(sid).collect::<Vec<_>>().join(", ") }
}

/// `refuse 0x000d0156 to … here and below`
fn entry(entry: &KnownAce) -> String {
    let verb = match entry.kind {
        AceKind::Allow => "allow",
        AceKind::Deny => "refuse",
        _ => "other",
    };
    let below = entry.flags.contains(AceFlags::INHERIT_ALL);
    let reach = match (below, entry.flags.contains(AceFlags::INHERIT_ONLY)) {
        (true, true) => " below",
        (true, false) => " here and below",
        (false, _) => "",
    };
    format!("{verb} {:#010x} to {}{reach}", entry.mask.bits(), sid(&entry.sid))
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "tier {} for {}", self.tier, self.workspace.shown())?;
        writeln!(f, "inside {}", self.identity)?;
        writeln!(f, "{}", self.token)?;
        writeln!(f, "home {}", self.home.shown())?;
        self.stamps.iter().try_for_each(|stamp| write!(f, "{stamp}"))?;
        self.pins.iter().try_for_each(|pin| writeln!(f, "{pin}"))?;
        self.watched.iter().try_for_each(|path| writeln!(f, "watch {}", path.shown()))?;
        for (name, value) in &self.environment.set {
            writeln!(f, "set {}={}", shown(name), shown(value))?;
        }
        writeln!(f, "pass {}", self.environment.pass.iter().map(|name| shown(name)).collect::<Vec<_>>().join(" "))?;
        self.surroundings(f)?;
        self.network.filters.iter().try_for_each(|filter| writeln!(f, "{filter}"))?;
        writeln!(f, "{}", self.network.gate)?;
        let assertions: Vec<&str> = self.assertions.iter().map(|assertion| assertion.name()).collect();
        writeln!(f, "assert before the first instruction: {}", assertions.join(", "))?;
        self.leaks.iter().try_for_each(|leak| writeln!(f, "does not hold: {leak}"))?;
        self.unmet
            .iter()
            .try_for_each(|unmet| writeln!(f, "not supplied: {} ({})", unmet.path.shown(), unmet.why.name()))
    }
}

impl Plan {
    fn surroundings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let job = &self.job;
        let limit = |name: &str, limit: Option<u64>| limit.map(|limit| format!(", {name} {limit}")).unwrap_or_default();
        writeln!(
            f,
            "job ends with its last handle, no breaking away{}{}{}",
            limit("processes", job.processes),
            limit("memory", job.memory),
            limit("seconds", job.seconds)
        )?;
        writeln!(f, "  user interface: no {}", job.ui_limits.join(", "))?;
        writeln!(f, "  mitigations: {}", job.mitigations.join(", "))?;
        if !job.not_held.is_empty() {
            writeln!(f, "  limits without a counterpart: {}", job.not_held.join(", "))?;
        }
        writeln!(f, "desktop {}", shown(&self.desktop.desktop))?;
        for grant in &self.desktop.grants {
            writeln!(f, "  allow {:#010x} to {} on {}", grant.mask.bits(), sid(&grant.sid), grant.object)?;
        }
        Ok(())
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Identity::Caller { workspace } => write!(f, "is the user; the workspace is {workspace}"),
            Identity::Account { name, sid, group } => {
                write!(f, "is the account {} ({sid}) of the group {group}", shown(name))
            }
            Identity::Container { name, package } => write!(f, "is the AppContainer {} ({package})", shown(name)),
        }
    }
}

impl fmt::Display for TokenPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match self.source {
            TokenSource::CallerWriteRestricted => "the caller's, restricted",
            TokenSource::AccountLogon => "of a logon",
            TokenSource::LowBox => "the caller's, in an AppContainer",
        };
        let level = match self.integrity {
            Level::Low => "low",
            Level::Medium => "medium",
        };
        write!(f, "token {source}, integrity {level}, privileges {}", self.privileges.join(", "))?;
        write!(f, "\n  deny only: {}", list(&self.deny_only))?;
        if self.logons_deny_only {
            f.write_str(", every logon")?;
        }
        if let Some(restricting) = &self.restricting {
            let writes = if self.write_restricted { " for writing" } else { "" };
            write!(f, "\n  restricting{writes}: {}", list(restricting))?;
        }
        for capability in &self.capabilities {
            write!(f, "\n  capability {} ({}) reads {}", capability.name, capability.sid, capability.place.shown())?;
        }
        self.default_dacl.iter().try_for_each(|ace| write!(f, "\n  makes objects that {}", entry(ace)))
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let writer = match self.writer {
            Writer::User => "",
            Writer::Administrator => ", by an administrator",
        };
        let lifetime = match self.lifetime {
            Lifetime::Setup => "setup",
            Lifetime::Place => "place",
            Lifetime::Workspace => "workspace",
        };
        let broken = match self.inheritance {
            Inheritance::Keep => "",
            Inheritance::BreakWithoutOurs => ", inheriting nothing of ours",
        };
        writeln!(f, "stamp {} {} (for the {lifetime}{writer}{broken})", self.purpose.name(), self.path.shown())?;
        self.entries.iter().try_for_each(|ace| writeln!(f, "  {}", entry(ace)))
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let below = if self.everything_below { " and everything below" } else { "" };
        write!(f, "pin {}{below}", self.path.shown())
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self.action {
            Action::Block => "block",
            Action::Permit => "permit",
        };
        write!(f, "filter {action} {} of {}", self.layer.name(), self.account)?;
        match self.only {
            Some(only) => write!(f, " to TCP {} port {} (weight {})", only.address, only.port, self.weight),
            None => write!(f, " (weight {})", self.weight),
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gate::None => f.write_str("gate none"),
            Gate::Loopback { port, open: true } => write!(f, "gate on loopback port {port}"),
            Gate::Loopback { port, open: false } => write!(f, "gate on loopback port {port}, refusing everything"),
            Gate::Pipe { name } => write!(f, "gate on {}", shown(name)),
        }
    }
}

impl Purpose {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Purpose::Write => "write",
            Purpose::Read => "read",
            Purpose::Protect => "protect",
            Purpose::Deny => "deny",
            Purpose::Ancestor => "above",
            Purpose::Ambient => "open place",
            Purpose::Hold => "hold",
            Purpose::TakeAway => "take away",
        }
    }
}

impl Assertion {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Assertion::RestrictingList => "restricting list",
            Assertion::Privileges => "privileges",
            Assertion::LogonsDenyOnly => "logons deny only",
            Assertion::Account => "account",
            Assertion::Package => "package",
            Assertion::Integrity => "integrity",
            Assertion::Job => "job",
            Assertion::Stamps => "stamps",
            Assertion::FiltersBite => "filters bite",
            Assertion::NamesNotAnswered => "names not answered",
        }
    }
}

impl UnmetReason {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            UnmetReason::NeedsAdministrator => "only an administrator may change its access list",
            UnmetReason::NoAccessLists => "the drive has no access lists",
            UnmetReason::HardLinks => {
                "files below it that have other names outside stay as they are and cannot be changed"
            }
        }
    }
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Leak::UserFilesReadable => f.write_str("every file of the user can be read"),
            Leak::DeletedThroughParent => f.write_str(
                "a file outside can be deleted, or moved into the workspace, where the user has full control of its directory",
            ),
            Leak::EveryoneWritable { places } if places.is_empty() => {
                f.write_str("what everyone may write can be written (no such place was found)")
            }
            Leak::EveryoneWritable { places } => {
                let places: Vec<String> = places.iter().map(crate::path::WindowsPath::shown).collect();
                write!(f, "what everyone may write can be written: {}", places.join(", "))
            }
            Leak::OpenToPackages { places } => {
                let places: Vec<String> = places.iter().map(crate::path::WindowsPath::shown).collect();
                write!(f, "every AppContainer may use {}", places.join(", "))
            }
            Leak::OpenToAccounts { places } => {
                let places: Vec<String> = places.iter().map(crate::path::WindowsPath::shown).collect();
                write!(f, "every account may read {}", places.join(", "))
            }
            Leak::NamesStay { places } => {
                let places: Vec<String> = places.iter().map(crate::path::WindowsPath::shown).collect();
                write!(f, "guarded names that appear cannot be taken away in {}", places.join(", "))
            }
            Leak::UserProcesses => f.write_str("the user's processes can be read and ended"),
            Leak::Network => f.write_str("the network is open"),
            Leak::NamesThroughService => f.write_str("names can be asked for through the system's DNS service"),
            Leak::NoAccessLists { drive } => write!(f, "drive {drive}: has no access lists, so all of it is open"),
            Leak::Pipes => f.write_str("pipes of the host whose lists let the inside in can be opened"),
            Leak::PipesListed => f.write_str("the names of the host's pipes can be listed"),
            Leak::ProcessesListed => f.write_str("the names and numbers of all processes can be listed"),
            Leak::UserDesktop => f.write_str("the user's desktop can be looked at and typed into"),
            Leak::OpenKeys => f.write_str("keys of the registry that any account may change can be changed"),
            Leak::Brokers => f.write_str("services of the user start programs outside on request"),
            Leak::StartedOutside => f.write_str(
                "services start programs of the account outside of the job, and registered servers as whoever is logged on",
            ),
        }
    }
}
