//! What surrounds the process in every tier: environment, job, desktop.

use std::ffi::OsString;

use bailiwick_policy::boundary::RunLimits;
use bailiwick_winsec::{AccessMask, Sid};
use serde::Serialize;

use super::Stamp;
use crate::facts::Facts;
use crate::target::Target;
use crate::tier::Tier;

/// The environment of the command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EnvironmentPlan {
    /// Variables that are set, sorted without regard to case.
    pub set: Vec<(String, String)>,
    /// Names that are passed from the caller, `*` at an end matching any text; what is set comes before what is passed.
    pub pass: Vec<String>,
}

/// The job that holds the process tree: it ends with the last handle on it, which only bailiwick has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JobPlan {
    /// `JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE`; breaking away is never allowed.
    pub kill_on_close: bool,
    /// `JOB_OBJECT_LIMIT_ACTIVE_PROCESS`.
    pub processes: Option<u64>,
    /// `JOB_OBJECT_LIMIT_PROCESS_MEMORY`, in bytes.
    pub memory: Option<u64>,
    /// Wall-clock seconds, kept by the supervisor.
    pub seconds: Option<u64>,
    /// `JOB_OBJECT_UILIMIT_*`.
    pub ui_limits: Vec<&'static str>,
    /// `PROCESS_CREATION_MITIGATION_POLICY_*` that toolchains bear.
    pub mitigations: Vec<&'static str>,
    /// Limits of the policy that Windows has nothing for.
    pub not_held: Vec<&'static str>,
}

/// The desktop of the inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DesktopPlan {
    /// The private desktop on `WinSta0`; a name that nobody can foresee is added at launch.
    pub desktop: String,
    /// Entries on objects of the session, for the length of the logon.
    pub grants: Vec<ObjectGrant>,
}

/// An entry on an object that is no file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectGrant {
    /// The object.
    pub object: &'static str,
    /// For whom.
    pub sid: Sid,
    /// Which rights, of the object's type.
    pub mask: AccessMask,
}

const UI_LIMITS: [&str; 8] = [
    "handles",
    "read-clipboard",
    "write-clipboard",
    "global-atoms",
    "desktop",
    "display-settings",
    "exit-windows",
    "system-parameters",
];

/// Extension points and remote or Low-labelled images are refused. Dynamic code and signatures are not looked at: just-in-time
/// compilers and toolchains need both.
const MITIGATIONS: [&str; 3] = ["extension-point-disable", "no-remote-images", "no-low-label-images"];

pub(super) fn environment(target: &Target, gate_port: Option<u16>) -> EnvironmentPlan {
    // Everything here came from Unicode: a policy document, or paths that were parsed.
    let text = |text: &OsString| text.to_string_lossy().into_owned();
    let texts = target.boundary.environment.iter().map(|(name, value)| (text(name), text(value)));
    let mut set: Vec<(String, String)> = texts.collect();
    if let Some(port) = gate_port.filter(|_| !target.boundary.network.allow.is_empty()) {
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            set.push((name.to_owned(), format!("http://127.0.0.1:{port}")));
        }
        // Node asks for the proxy only if told to.
        set.push(("NODE_USE_ENV_PROXY".to_owned(), "1".to_owned()));
    }
    set.sort_by_key(|(name, _)| name.to_ascii_uppercase());
    EnvironmentPlan { set, pass: target.pass.clone() }
}

pub(super) fn job(limits: &RunLimits) -> JobPlan {
    let mut not_held = Vec::new();
    if limits.file_size.is_some() {
        not_held.push("file_size");
    }
    if limits.open_files.is_some() {
        not_held.push("open_files");
    }
    JobPlan {
        kill_on_close: true,
        processes: limits.processes,
        memory: limits.memory,
        seconds: limits.time.map(|time| time.as_secs()),
        ui_limits: UI_LIMITS.to_vec(),
        mitigations: MITIGATIONS.to_vec(),
        not_held,
    }
}

/// `WINSTA_ALL_ACCESS | READ_CONTROL`, never `WRITE_DAC`.
const WINDOW_STATION: AccessMask = AccessMask(0x0002_037f);
/// `DESKTOP_ALL_ACCESS` without `WRITE_DAC` and `WRITE_OWNER`.
const DESKTOP: AccessMask = AccessMask(0x0003_01ff);
/// `DIRECTORY_ALL_ACCESS` without the standard rights: query, traverse, make objects and directories.
const NAMED_OBJECTS: AccessMask = AccessMask(0x0000_000f);

pub(super) fn desktop(target: &Target, facts: &Facts, sid: Sid) -> DesktopPlan {
    let grant = |object, mask| ObjectGrant { object, sid, mask };
    let grants = match target.tier {
        // The user's logon has the window station and the named objects already.
        Tier::Guard => vec![grant("private desktop", DESKTOP)],
        Tier::Account => vec![
            grant("WinSta0", WINDOW_STATION),
            grant("private desktop", DESKTOP),
            grant(r"\Sessions\<n>\BaseNamedObjects", NAMED_OBJECTS),
        ],
        // An AppContainer has a directory of named objects of its own.
        Tier::Container => vec![grant("WinSta0", WINDOW_STATION), grant("private desktop", DESKTOP)],
    };
    DesktopPlan { desktop: format!("bailiwick-{}", crate::target::workspace_name(facts, &target.workspace)), grants }
}

/// The one privilege that stays: without it every directory above a file would have to grant traversing.
pub(super) fn privileges() -> Vec<String> {
    vec!["SeChangeNotifyPrivilege".to_owned()]
}

/// Groups that make their members more than ordinary users.
pub(super) fn administrative(groups: &[Sid]) -> Vec<Sid> {
    const ADMINISTRATIVE: [Sid; 8] = [
        Sid::ADMINISTRATORS,
        Sid::POWER_USERS,
        Sid::BACKUP_OPERATORS,
        Sid::HYPER_V_ADMINISTRATORS,
        Sid::REMOTE_MANAGEMENT_USERS,
        Sid::PERFORMANCE_LOG_USERS,
        Sid::SERVER_OPERATORS,
        Sid::ACCOUNT_OPERATORS,
    ];
    groups.iter().copied().filter(|group| ADMINISTRATIVE.contains(group)).collect()
}

/// Parents first, and at one place what lasts longer first.
pub(super) fn sort(stamps: &mut [Stamp]) {
    stamps.sort_by(|a, b| a.path.cmp(&b.path).then(a.lifetime.cmp(&b.lifetime)));
}
