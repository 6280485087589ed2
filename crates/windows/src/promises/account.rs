//! The promises of the `account` tier.

use bailiwick_policy::guarantee::Guarantee;

use super::{Answer, Ground, detects, holds, lacks, lacks_but, taken_away};

pub(super) fn answer(guarantee: Guarantee, ground: &Ground<'_>) -> Answer {
    match guarantee {
        Guarantee::WritesConfined => ground.open_drive().unwrap_or_else(|| {
            holds(
                "the account is in no access list but the planned ones; what Users, Authenticated Users and Everyone may write by a drive's root or was found by the scan is refused to bailiwick's group; of the registry, which this does not speak of, keys that any account may change are open",
            )
        }),
        Guarantee::MetadataConfined => ground.open_drive().unwrap_or_else(|| {
            holds("as for writing: changing attributes, times, owner and access list are refused with it")
        }),
        Guarantee::ReadsConfined => ground.open_drive().or_else(|| ground.open_to_accounts()).unwrap_or_else(|| {
            holds(
                "other accounts are kept out of the user's profile by Windows; what the roots of drives, the directory of all profiles and other described places let Users read and what the scan found is refused to bailiwick's group; attributes of directories on the way can be asked",
            )
        }),
        Guarantee::NamesProtected => holds(
            "entries for the account refuse changing, deleting and renaming them and renaming the directories above; no entry grants FILE_DELETE_CHILD; handles hold them while the run lasts",
        ),
        Guarantee::NamesAbsent => taken_away(", with what services started for the account"),
        Guarantee::NetworkOff => lacks_but(
            "every packet of the account is blocked but those to the gate, for IPv4 and IPv6; but the system's DNS service asks for names on its behalf, which is a way out",
            "the `container` tier",
        ),
        Guarantee::SocketsConfined => lacks_but(
            "no UNIX socket and no port is reached; but pipes that let everyone in can be opened for what they let everyone do",
            "the `container` tier",
        ),
        Guarantee::ProcessesHidden => lacks(
            "no process outside can be opened, signalled or traced, the logon SIDs being deny-only; but names and numbers of all processes can be listed",
        ),
        Guarantee::TreeDies => detects(
            "the job ends with its last handle; what WMI started outside of it runs as the account, which serves this workspace alone, and is ended with the session or before the next one's first command; registered servers that run as whoever is logged on can be started and not told what to do",
        ),
        Guarantee::TerminalSafe => {
            holds("another account cannot attach to the caller's console; output passes the filter of an own pseudo-console")
        }
        Guarantee::IdentitySeparate => holds("a local account of bailiwick's, for this workspace alone"),
        _ => lacks("this tier does not know the guarantee"),
    }
}
