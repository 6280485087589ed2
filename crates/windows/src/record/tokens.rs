//! The tokens of a recording of access checks: one's own, and what it can be restricted to without privileges.

use bailiwick_winsec::Sid;
use bailiwick_winsec::token::{GroupUse, Integrity, Removal, RestrictError, Restriction, Token};

/// A token that is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// For the names of the cases.
    pub name: &'static str,
    /// What is done to one's own token, in order.
    pub steps: Vec<Step>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `CreateRestrictedToken`.
    Restrict {
        /// `SidsToDisable`.
        disable: Vec<Sid>,
        /// `SidsToRestrict`.
        restricting: Vec<Sid>,
        /// `WRITE_RESTRICTED`.
        write_restricted: bool,
        /// `DISABLE_MAX_PRIVILEGE`.
        strip_privileges: bool,
    },
    /// `SetTokenInformation` with `TokenIntegrityLevel`. Lowering needs no privilege.
    Lower(Integrity),
}

/// A capability that no token has but those that are given it here.
const CAPABILITY: Sid = Sid::capability([1, 2, 3, 4, 5, 6, 7, 8]);

/// The variants of a token.
pub fn variants(own: &Token) -> Vec<Variant> {
    let enabled = |sid: &Sid| own.groups.iter().any(|group| group.sid == *sid && group.used == GroupUse::Enabled);
    let common: Vec<Sid> =
        [Sid::USERS, Sid::AUTHENTICATED_USERS, Sid::INTERACTIVE].into_iter().filter(enabled).collect();
    let logon: Vec<Sid> = own.logon_sids().map(|group| group.sid).collect();
    let restrict = |restricting: Vec<Sid>, write_restricted| Step::Restrict {
        disable: Vec::new(),
        restricting,
        write_restricted,
        strip_privileges: true,
    };
    let without = |disable: Vec<Sid>, strip_privileges| Step::Restrict {
        disable,
        restricting: Vec::new(),
        write_restricted: false,
        strip_privileges,
    };
    let service_like = || [vec![Sid::EVERYONE, Sid::WRITE_RESTRICTED, CAPABILITY], logon.clone()].concat();
    let list = [
        ("own token", vec![]),
        ("no privileges", vec![without(vec![], true)]),
        ("groups deny only", vec![without(common.clone(), false)]),
        ("user deny only", vec![without(vec![own.user], false)]),
        ("restricted to groups", vec![restrict([vec![Sid::EVERYONE], common].concat(), false)]),
        ("restricted to the user and a capability", vec![restrict(vec![own.user, CAPABILITY], false)]),
        ("write-restricted", vec![restrict(service_like(), true)]),
        ("write-restricted to a capability", vec![restrict(vec![CAPABILITY], true)]),
        ("write-restricted to nothing", vec![restrict(vec![], true)]),
        (
            "write-restricted twice",
            vec![restrict(service_like(), true), restrict(vec![CAPABILITY, Sid::EVERYONE, own.user], true)],
        ),
        ("write-restricted, then restricted", vec![restrict(service_like(), true), restrict(vec![CAPABILITY], false)]),
        ("low integrity", vec![Step::Lower(Integrity::LOW)]),
        ("untrusted integrity", vec![Step::Lower(Integrity::UNTRUSTED)]),
        ("write-restricted at low integrity", vec![restrict(service_like(), true), Step::Lower(Integrity::LOW)]),
    ];
    list.into_iter().map(|(name, steps)| Variant { name, steps }).collect()
}

/// The token that this model expects from the steps.
///
/// # Errors
///
/// [`RestrictError`] where Windows is expected to refuse.
pub fn expected(own: &Token, steps: &[Step]) -> Result<Token, RestrictError> {
    let mut token = own.clone();
    for step in steps {
        token = match step {
            Step::Restrict { disable, restricting, write_restricted, strip_privileges } => {
                let remove = if *strip_privileges { Removal::AllButChangeNotify } else { Removal::Nothing };
                let (disable, restricting) = (disable.as_slice(), restricting.as_slice());
                token.restricted(&Restriction { disable, restricting, write_restricted: *write_restricted, remove })?
            }
            Step::Lower(level) => Token { integrity: *level, ..token },
        };
    }
    Ok(token)
}

/// In what a token that was read back is another one than this model expects, in words; `None` if it is the same.
///
/// Either Windows does something else than the model of `CreateRestrictedToken` says, or what looks like Windows is none.
pub fn difference(read: &Token, expected: &Token) -> Option<String> {
    let part = |name: &str, differs: bool| differs.then(|| name.to_owned());
    let parts = [
        part("the user", (read.user, read.user_deny_only) != (expected.user, expected.user_deny_only)),
        part("the groups", used(read) != used(expected)),
        part("the restricting SIDs", read.restricting != expected.restricting),
        part("the privileges", read.privileges != expected.privileges),
        part("the integrity", read.integrity != expected.integrity),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What a check looks at in groups.
fn used(token: &Token) -> Vec<(Sid, GroupUse)> {
    token.groups.iter().map(|group| (group.sid, group.used)).collect()
}
