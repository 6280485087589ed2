//! The SIDs that every Windows has (MS-DTYP 2.4.2.4), as constants, and their names for people.

use super::Sid;

macro_rules! well_known {
    ($($(#[$doc:meta])* $name:ident = $authority:literal [$($sub:expr),*] $text:literal;)*) => {
        impl Sid {
            $($(#[$doc])* pub const $name: Sid = Sid::constant($authority, [$($sub),*]);)*
        }

        const NAMES: &[(Sid, &str)] = &[$((Sid::$name, $text)),*];
    };
}

well_known! {
    /// S-1-0-0: no one.
    NOBODY = 0 [0] "nobody";
    /// S-1-1-0: everyone, anonymous callers excepted.
    EVERYONE = 1 [0] "Everyone";
    /// S-1-2-0: who logged on at this machine.
    LOCAL = 2 [0] "LOCAL";
    /// S-1-2-1: who logged on at the physical console.
    CONSOLE_LOGON = 2 [1] "CONSOLE LOGON";
    /// S-1-3-0: a placeholder in inheritable entries for the creator of the child.
    CREATOR_OWNER = 3 [0] "CREATOR OWNER";
    /// S-1-3-1: a placeholder in inheritable entries for the primary group of the creator.
    CREATOR_GROUP = 3 [1] "CREATOR GROUP";
    /// S-1-3-2: obsolete, by the creator's server.
    CREATOR_OWNER_SERVER = 3 [2] "CREATOR OWNER SERVER";
    /// S-1-3-3: obsolete, by the creator's server.
    CREATOR_GROUP_SERVER = 3 [3] "CREATOR GROUP SERVER";
    /// S-1-3-4: stands for the present owner and, where present, replaces the owner's implicit rights.
    OWNER_RIGHTS = 3 [4] "OWNER RIGHTS";
    /// S-1-5: the authority itself, without a sub-authority.
    NT_AUTHORITY = 5 [] "NT AUTHORITY";
    /// S-1-5-1.
    DIALUP = 5 [1] "DIALUP";
    /// S-1-5-2: logged on over the network.
    NETWORK = 5 [2] "NETWORK";
    /// S-1-5-3: logged on as a batch job.
    BATCH = 5 [3] "BATCH";
    /// S-1-5-4: logged on interactively.
    INTERACTIVE = 5 [4] "INTERACTIVE";
    /// S-1-5-6: logged on as a service.
    SERVICE = 5 [6] "SERVICE";
    /// S-1-5-7.
    ANONYMOUS = 5 [7] "ANONYMOUS LOGON";
    /// S-1-5-9.
    ENTERPRISE_DOMAIN_CONTROLLERS = 5 [9] "ENTERPRISE DOMAIN CONTROLLERS";
    /// S-1-5-10: in a directory service entry, the object's own principal.
    PRINCIPAL_SELF = 5 [10] "SELF";
    /// S-1-5-11: everyone who proved who they are.
    AUTHENTICATED_USERS = 5 [11] "Authenticated Users";
    /// S-1-5-12: put into the restricting list by `CreateRestrictedToken` users.
    RESTRICTED = 5 [12] "RESTRICTED";
    /// S-1-5-13.
    TERMINAL_SERVER_USER = 5 [13] "TERMINAL SERVER USER";
    /// S-1-5-14.
    REMOTE_INTERACTIVE_LOGON = 5 [14] "REMOTE INTERACTIVE LOGON";
    /// S-1-5-15.
    THIS_ORGANIZATION = 5 [15] "This Organization";
    /// S-1-5-17.
    IUSR = 5 [17] "IUSR";
    /// S-1-5-18: the operating system.
    SYSTEM = 5 [18] "SYSTEM";
    /// S-1-5-19.
    LOCAL_SERVICE = 5 [19] "LOCAL SERVICE";
    /// S-1-5-20.
    NETWORK_SERVICE = 5 [20] "NETWORK SERVICE";
    /// S-1-5-33: in the restricting list of write-restricted services.
    WRITE_RESTRICTED = 5 [33] "WRITE RESTRICTED";
    /// S-1-5-32: the domain of the built-in groups.
    BUILTIN_DOMAIN = 5 [32] "BUILTIN";
    /// S-1-5-32-544.
    ADMINISTRATORS = 5 [32, 544] "Administrators";
    /// S-1-5-32-545.
    USERS = 5 [32, 545] "Users";
    /// S-1-5-32-546.
    GUESTS = 5 [32, 546] "Guests";
    /// S-1-5-32-547.
    POWER_USERS = 5 [32, 547] "Power Users";
    /// S-1-5-32-548.
    ACCOUNT_OPERATORS = 5 [32, 548] "Account Operators";
    /// S-1-5-32-549.
    SERVER_OPERATORS = 5 [32, 549] "Server Operators";
    /// S-1-5-32-550.
    PRINT_OPERATORS = 5 [32, 550] "Print Operators";
    /// S-1-5-32-551.
    BACKUP_OPERATORS = 5 [32, 551] "Backup Operators";
    /// S-1-5-32-552.
    REPLICATOR = 5 [32, 552] "Replicator";
    /// S-1-5-32-554.
    PRE_WINDOWS_2000 = 5 [32, 554] "Pre-Windows 2000 Compatible Access";
    /// S-1-5-32-555.
    REMOTE_DESKTOP_USERS = 5 [32, 555] "Remote Desktop Users";
    /// S-1-5-32-556.
    NETWORK_CONFIGURATION_OPERATORS = 5 [32, 556] "Network Configuration Operators";
    /// S-1-5-32-558.
    PERFORMANCE_MONITOR_USERS = 5 [32, 558] "Performance Monitor Users";
    /// S-1-5-32-559.
    PERFORMANCE_LOG_USERS = 5 [32, 559] "Performance Log Users";
    /// S-1-5-32-568.
    IIS_IUSRS = 5 [32, 568] "IIS_IUSRS";
    /// S-1-5-32-569.
    CRYPTOGRAPHIC_OPERATORS = 5 [32, 569] "Cryptographic Operators";
    /// S-1-5-32-573.
    EVENT_LOG_READERS = 5 [32, 573] "Event Log Readers";
    /// S-1-5-32-574.
    CERTIFICATE_SERVICE_DCOM_ACCESS = 5 [32, 574] "Certificate Service DCOM Access";
    /// S-1-5-32-575.
    RDS_REMOTE_ACCESS_SERVERS = 5 [32, 575] "RDS Remote Access Servers";
    /// S-1-5-32-576.
    RDS_ENDPOINT_SERVERS = 5 [32, 576] "RDS Endpoint Servers";
    /// S-1-5-32-577.
    RDS_MANAGEMENT_SERVERS = 5 [32, 577] "RDS Management Servers";
    /// S-1-5-32-578.
    HYPER_V_ADMINISTRATORS = 5 [32, 578] "Hyper-V Administrators";
    /// S-1-5-32-579.
    ACCESS_CONTROL_ASSISTANCE_OPERATORS = 5 [32, 579] "Access Control Assistance Operators";
    /// S-1-5-32-580.
    REMOTE_MANAGEMENT_USERS = 5 [32, 580] "Remote Management Users";
    /// S-1-5-32-584.
    USER_MODE_HARDWARE_OPERATORS = 5 [32, 584] "User Mode Hardware Operators";
    /// S-1-5-32-585.
    OPENSSH_USERS = 5 [32, 585] "OpenSSH Users";
    /// S-1-5-84-0-0-0-0-0.
    USER_MODE_DRIVERS = 5 [84, 0, 0, 0, 0, 0] "USER-MODE DRIVERS";
    /// S-1-5-113: any account of this machine.
    LOCAL_ACCOUNT = 5 [113] "Local account";
    /// S-1-5-114: any account of this machine that is an administrator.
    LOCAL_ACCOUNT_ADMINISTRATOR = 5 [114] "Local account and member of Administrators group";
    /// S-1-5-80-0: every service.
    ALL_SERVICES = 5 [80, 0] "ALL SERVICES";
    /// The service SID of Windows Modules Installer, which owns the files of the system.
    TRUSTED_INSTALLER = 5 [80, 956_008_885, 3_418_522_649, 1_831_038_044, 1_853_292_631, 2_271_478_464] "TrustedInstaller";
    /// S-1-15-2-1: every AppContainer that did not opt out.
    ALL_APPLICATION_PACKAGES = 15 [2, 1] "ALL APPLICATION PACKAGES";
    /// S-1-15-2-2: every AppContainer, those that opted out of the above included.
    ALL_RESTRICTED_APPLICATION_PACKAGES = 15 [2, 2] "ALL RESTRICTED APPLICATION PACKAGES";
    /// S-1-16-0.
    INTEGRITY_UNTRUSTED = 16 [0] "Untrusted integrity";
    /// S-1-16-4096.
    INTEGRITY_LOW = 16 [0x1000] "Low integrity";
    /// S-1-16-8192.
    INTEGRITY_MEDIUM = 16 [0x2000] "Medium integrity";
    /// S-1-16-8448.
    INTEGRITY_MEDIUM_PLUS = 16 [0x2100] "Medium Plus integrity";
    /// S-1-16-12288.
    INTEGRITY_HIGH = 16 [0x3000] "High integrity";
    /// S-1-16-16384.
    INTEGRITY_SYSTEM = 16 [0x4000] "System integrity";
    /// S-1-16-20480.
    INTEGRITY_PROTECTED = 16 [0x5000] "Protected process integrity";
    /// S-1-18-1: the authentication authority vouched for who this is.
    AUTHENTICATION_AUTHORITY_ASSERTED = 18 [1] "Authentication authority asserted identity";
    /// S-1-18-2: a service vouched for who this is.
    SERVICE_ASSERTED = 18 [2] "Service asserted identity";
}

/// Every well-known SID with its English name. The name is for people: Windows shows it in the language of the system.
pub fn named() -> impl Iterator<Item = (Sid, &'static str)> {
    NAMES.iter().copied()
}

impl Sid {
    /// The English name of a well-known SID.
    pub fn well_known_name(&self) -> Option<&'static str> {
        NAMES.iter().find(|(sid, _)| sid == self).map(|(_, name)| *name)
    }

    /// The SID with this English well-known name, whatever the case.
    pub fn from_well_known_name(name: &str) -> Option<Sid> {
        NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(sid, _)| *sid)
    }

    /// What a person calls this SID: its well-known name, or its kind and the string form.
    pub fn describe(&self) -> String {
        if let Some(name) = self.well_known_name() {
            return name.to_owned();
        }
        match (self.authority(), self.sub_authorities()) {
            (5, [21, _, _, _, 500]) => format!("the built-in Administrator ({self})"),
            (5, [21, _, _, _, 501]) => format!("the built-in Guest ({self})"),
            (5, [21, _, _, _, _]) => format!("account {self}"),
            (5, [21, ..]) => format!("domain {self}"),
            (5, [5, _, _]) => format!("logon session {self}"),
            (5, [80, ..]) => format!("service {self}"),
            (5, [83, ..]) => format!("virtual machine {self}"),
            (15, [2, ..]) => format!("package {self}"),
            (15, [3, ..]) => format!("capability {self}"),
            (16, _) => format!("integrity label {self}"),
            _ => self.to_string(),
        }
    }
}
