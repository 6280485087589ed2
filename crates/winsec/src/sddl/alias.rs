//! The two-letter SIDs (MS-DTYP 2.5.1.1 `sid-token`; Microsoft Learn, "SID Strings").

use crate::sid::Sid;

/// The domains that some aliases are relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Domains {
    /// The machine's own accounts: `LA`, `LG`.
    pub machine: Option<Sid>,
    /// The domain that the machine is in: `DA`, `DU` and so on.
    pub domain: Option<Sid>,
    /// The root domain of the forest: `EA`, `SA`, `RO`, `EK`.
    pub forest: Option<Sid>,
}

impl Domains {
    /// None: aliases that are relative to a domain are refused, and accounts are written in full.
    pub const NONE: Domains = Domains { machine: None, domain: None, forest: None };

    /// One domain for all three, as on a machine that is in no domain.
    pub const fn all(domain: Sid) -> Domains {
        Domains { machine: Some(domain), domain: Some(domain), forest: Some(domain) }
    }

    fn get(&self, relative: Relative) -> Option<Sid> {
        match relative {
            Relative::Machine => self.machine,
            Relative::Domain => self.domain,
            Relative::Forest => self.forest,
        }
    }
}

/// Which domain an alias is relative to.
#[derive(Clone, Copy)]
enum Relative {
    Machine,
    Domain,
    Forest,
}

impl Relative {
    const fn name(self) -> &'static str {
        match self {
            Relative::Machine => "this machine",
            Relative::Domain => "the domain",
            Relative::Forest => "the root domain of the forest",
        }
    }
}

/// Aliases of one SID.
const FIXED: &[(&str, Sid)] = &[
    ("WD", Sid::EVERYONE),
    ("CO", Sid::CREATOR_OWNER),
    ("CG", Sid::CREATOR_GROUP),
    ("OW", Sid::OWNER_RIGHTS),
    ("NU", Sid::NETWORK),
    ("IU", Sid::INTERACTIVE),
    ("SU", Sid::SERVICE),
    ("AN", Sid::ANONYMOUS),
    ("ED", Sid::ENTERPRISE_DOMAIN_CONTROLLERS),
    ("PS", Sid::PRINCIPAL_SELF),
    ("AU", Sid::AUTHENTICATED_USERS),
    ("RC", Sid::RESTRICTED),
    ("SY", Sid::SYSTEM),
    ("LS", Sid::LOCAL_SERVICE),
    ("NS", Sid::NETWORK_SERVICE),
    ("WR", Sid::WRITE_RESTRICTED),
    ("BA", Sid::ADMINISTRATORS),
    ("BU", Sid::USERS),
    ("BG", Sid::GUESTS),
    ("PU", Sid::POWER_USERS),
    ("AO", Sid::ACCOUNT_OPERATORS),
    ("SO", Sid::SERVER_OPERATORS),
    ("PO", Sid::PRINT_OPERATORS),
    ("BO", Sid::BACKUP_OPERATORS),
    ("RE", Sid::REPLICATOR),
    ("RU", Sid::PRE_WINDOWS_2000),
    ("RD", Sid::REMOTE_DESKTOP_USERS),
    ("NO", Sid::NETWORK_CONFIGURATION_OPERATORS),
    ("MU", Sid::PERFORMANCE_MONITOR_USERS),
    ("LU", Sid::PERFORMANCE_LOG_USERS),
    ("IS", Sid::IIS_IUSRS),
    ("CY", Sid::CRYPTOGRAPHIC_OPERATORS),
    ("ER", Sid::EVENT_LOG_READERS),
    ("CD", Sid::CERTIFICATE_SERVICE_DCOM_ACCESS),
    ("RA", Sid::RDS_REMOTE_ACCESS_SERVERS),
    ("ES", Sid::RDS_ENDPOINT_SERVERS),
    ("MS", Sid::RDS_MANAGEMENT_SERVERS),
    ("HA", Sid::HYPER_V_ADMINISTRATORS),
    ("AA", Sid::ACCESS_CONTROL_ASSISTANCE_OPERATORS),
    ("RM", Sid::REMOTE_MANAGEMENT_USERS),
    ("HO", Sid::USER_MODE_HARDWARE_OPERATORS),
    ("SH", Sid::OPENSSH_USERS),
    ("UD", Sid::USER_MODE_DRIVERS),
    ("AC", Sid::ALL_APPLICATION_PACKAGES),
    ("AS", Sid::AUTHENTICATION_AUTHORITY_ASSERTED),
    ("SS", Sid::SERVICE_ASSERTED),
    ("LW", Sid::INTEGRITY_LOW),
    ("ME", Sid::INTEGRITY_MEDIUM),
    ("MP", Sid::INTEGRITY_MEDIUM_PLUS),
    ("HI", Sid::INTEGRITY_HIGH),
    ("SI", Sid::INTEGRITY_SYSTEM),
];

/// Aliases of an account of a domain: the relative identifier is the last part of the SID.
const RELATIVE: &[(&str, Relative, u32)] = &[
    ("LA", Relative::Machine, 500),
    ("LG", Relative::Machine, 501),
    ("DA", Relative::Domain, 512),
    ("DU", Relative::Domain, 513),
    ("DG", Relative::Domain, 514),
    ("DC", Relative::Domain, 515),
    ("DD", Relative::Domain, 516),
    ("CA", Relative::Domain, 517),
    ("PA", Relative::Domain, 520),
    ("CN", Relative::Domain, 522),
    ("AP", Relative::Domain, 525),
    ("KA", Relative::Domain, 526),
    ("RS", Relative::Domain, 553),
    ("RO", Relative::Forest, 498),
    ("SA", Relative::Forest, 518),
    ("EA", Relative::Forest, 519),
    ("EK", Relative::Forest, 527),
];

/// What an alias stands for.
pub(super) enum Lookup {
    Sid(Sid),
    NeedsDomain { alias: &'static str, domain: &'static str },
    Unknown,
}

/// The SID that an alias stands for.
pub(super) fn lookup(letters: &str, domains: &Domains) -> Lookup {
    if let Some((_, sid)) = FIXED.iter().find(|(alias, _)| *alias == letters) {
        return Lookup::Sid(*sid);
    }
    let Some((alias, relative, rid)) = RELATIVE.iter().find(|(alias, ..)| *alias == letters) else {
        return Lookup::Unknown;
    };
    match domains.get(*relative).and_then(|domain| member(domain, *rid)) {
        Some(sid) => Lookup::Sid(sid),
        None => Lookup::NeedsDomain { alias, domain: relative.name() },
    }
}

/// The alias of a SID, if it has one.
pub(super) fn alias_of(sid: &Sid, domains: &Domains) -> Option<&'static str> {
    let fixed = FIXED.iter().find(|(_, known)| known == sid).map(|(alias, _)| *alias);
    fixed.or_else(|| {
        let is = |(_, relative, rid): &&(&str, Relative, u32)| {
            domains.get(*relative).and_then(|domain| member(domain, *rid)).as_ref() == Some(sid)
        };
        RELATIVE.iter().find(is).map(|(alias, ..)| *alias)
    })
}

/// The account of a domain with this relative identifier; `None` if the SID is not a domain's.
fn member(domain: Sid, rid: u32) -> Option<Sid> {
    match (domain.authority(), domain.sub_authorities()) {
        (5, [21, a, b, c]) => Some(Sid::account([*a, *b, *c], rid)),
        _ => None,
    }
}
