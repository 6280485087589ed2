//! What else there is on the machine and worth an attack: services, COM servers, the user's desktop, the clipboard, keys that
//! more than the user may change. Data only; what hostile processes do to it is in [`hostile`](super::hostile).
//!
//! COM servers are modelled by their descriptors alone: who may launch or activate one, who may call it, and what comes of it (Learn,
//! "Access Permissions", "Launch and Activation Permissions", `DefaultLaunchPermission`, `DefaultAccessPermission`). The rights are those
//! of `COM_RIGHTS_*`. No document says by which generic mapping COM asks, so none of its rights is taken for a write-type one: a
//! write-restricted token passes wherever its user does.

use std::collections::BTreeMap;

use bailiwick_winsec::{AccessMask, SecurityDescriptor};

use super::World;
use super::build::descriptor;
use crate::facts::Facts;
use crate::host::{Hive, Key, Value};

/// `COM_RIGHTS_EXECUTE | COM_RIGHTS_EXECUTE_LOCAL`: calling a server on this machine.
pub(super) const COM_CALL: AccessMask = AccessMask(0x3);
/// `COM_RIGHTS_EXECUTE | COM_RIGHTS_EXECUTE_LOCAL | COM_RIGHTS_ACTIVATE_LOCAL`: having one started.
pub(super) const COM_LAUNCH: AccessMask = AccessMask(0xb);

/// What a COM server does for whoever may use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Favour {
    /// It runs as the user already and starts programs on request (`ShellWindows` of the Explorer).
    StartsAsUser,
    /// It is started as the interactive user when it is asked for (`RunAs=Interactive User`), whoever asks.
    IsStartedAsUser,
    /// A service that starts programs with the caller's own token, outside of the caller's job (WMI, `Win32_Process.Create`).
    StartsAsCaller,
    /// The same, for whoever may also add a file to its directory (the task scheduler and `System32\Tasks`).
    StartsAsCallerWhoMayAdd,
}

/// A COM server.
pub(super) struct Server {
    pub(super) launch: SecurityDescriptor,
    pub(super) access: SecurityDescriptor,
    pub(super) favour: Favour,
}

/// A service.
pub(super) struct Service {
    pub(super) descriptor: SecurityDescriptor,
    pub(super) running: bool,
    pub(super) image: String,
}

/// The user's side of the session, and what is registered on the machine.
pub(super) struct Others {
    pub(super) servers: BTreeMap<&'static str, Server>,
    pub(super) services: BTreeMap<&'static str, Service>,
    /// The service control manager.
    pub(super) manager: SecurityDescriptor,
    /// `WinSta0\Default`.
    pub(super) desktop: SecurityDescriptor,
    /// What hostile processes did to the desktop.
    pub(super) desktop_touched: Vec<&'static str>,
    pub(super) clipboard: String,
}

/// `MachineLaunchRestriction` and `MachineAccessRestriction` as Windows installs them: they let everybody through, packages
/// included, so each server's own list decides.
const MACHINE_LIMIT: &str = "O:BAG:BAD:(A;;0x1f;;;WD)(A;;0x1f;;;AC)(A;;0x1f;;;BA)";
/// `DefaultLaunchPermission`.
const DEFAULT_LAUNCH: &str = "O:BAG:BAD:(A;;0x1f;;;SY)(A;;0x1f;;;BA)(A;;0x1f;;;IU)";
/// What Windows installs as the list of the service control manager.
const MANAGER: &str =
    "O:SYG:SYD:(A;;CC;;;AU)(A;;CCLCRPRC;;;IU)(A;;CCLCRPRC;;;SU)(A;;CCLCRPWPRC;;;SY)(A;;0xf003f;;;BA)(A;;CC;;;AC)";
/// What a service gets that asks for nothing else (Learn, "Service Security and Access Rights").
const DEFAULT_SERVICE: &str =
    "O:SYG:SYD:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;0xf01ff;;;BA)(A;;CCLCSWLOCRRC;;;IU)(A;;CCLCSWLOCRRC;;;SU)";

/// Whether the machine's limits let a caller through is asked of this descriptor.
pub(super) fn machine_limit() -> SecurityDescriptor {
    descriptor(MACHINE_LIMIT)
}

pub(super) fn others(facts: &Facts) -> Others {
    let user = facts.user.sid;
    // `DefaultAccessPermission` lets in the server itself (SELF: whom it runs as), the system and administrators.
    let own = format!("O:BAG:BAD:(A;;0x7;;;{user})(A;;0x3;;;SY)(A;;0x7;;;BA)");
    let service = "O:BAG:BAD:(A;;0x7;;;AU)(A;;0x7;;;SY)(A;;0x7;;;BA)";
    let server = |launch, access, favour| Server { launch: descriptor(launch), access: descriptor(access), favour };
    let servers = BTreeMap::from([
        ("ShellWindows", server(DEFAULT_LAUNCH, &own, Favour::StartsAsUser)),
        ("a server with RunAs=Interactive User", server(DEFAULT_LAUNCH, &own, Favour::IsStartedAsUser)),
        ("WMI", server(DEFAULT_LAUNCH, service, Favour::StartsAsCaller)),
        ("Schedule.Service", server(DEFAULT_LAUNCH, service, Favour::StartsAsCallerWhoMayAdd)),
    ]);
    let service = |running| Service {
        descriptor: descriptor(DEFAULT_SERVICE),
        running,
        image: r"C:\Windows\System32\svchost.exe".to_owned(),
    };
    let logon = facts.user.logon;
    Others {
        servers,
        services: BTreeMap::from([("Spooler", service(true)), ("RemoteRegistry", service(false))]),
        manager: descriptor(MANAGER),
        desktop: descriptor(&format!("O:{user}G:{user}D:(A;;0xf01ff;;;{logon})(A;;0xf01ff;;;SY)(A;;0xf01ff;;;BA)")),
        desktop_touched: Vec::new(),
        clipboard: "copied by the user".to_owned(),
    }
}

/// Keys beside those that set-up touches: what starts with the user's next logon, what programs keep, and what more than the
/// user may change (`HKLM\SOFTWARE\Microsoft\Tracing` lets Users in on every Windows).
pub(super) fn keys(world: &mut World, facts: &Facts) {
    let user = facts.user.sid;
    let own = format!("O:{user}G:{user}D:(A;CI;KA;;;{user})(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CI;KR;;;RC)");
    let machine = "O:BAG:SYD:(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CI;KR;;;BU)(A;CI;KR;;;AC)";
    let users = "O:BAG:SYD:(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CI;0x2001f;;;BU)(A;CI;KR;;;AC)";
    let everyone = "O:BAG:SYD:(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CI;0x2001f;;;WD)";
    let keys = [
        (Hive::User, format!(r"{user}\software\classes\clsid"), own.as_str()),
        (Hive::User, format!(r"{user}\software\simontatham\putty\sessions"), &own),
        (Hive::Machine, r"software\policies".to_owned(), machine),
        (Hive::Machine, r"software\microsoft\tracing".to_owned(), users),
        (Hive::Machine, r"software\vendor\shared".to_owned(), everyone),
    ];
    for (hive, path, sddl) in keys {
        let values = BTreeMap::from([("Present".to_owned(), Value::Text("before".to_owned()))]);
        world.keys.insert(Key { hive, path }, super::RegistryKey { descriptor: descriptor(sddl), values });
    }
}
