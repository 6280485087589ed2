//! The promises of the `guard` tier.

use bailiwick_policy::guarantee::Guarantee;
use bailiwick_winsec::Sid;

use super::{Answer, Ground, holds, lacks, lacks_but};
use crate::facts::OpenAccess;

/// The remedy of most losses.
const OTHER_TIER: &str = "the `account` or the `container` tier";

pub(super) fn answer(guarantee: Guarantee, ground: &Ground<'_>) -> Answer {
    let everyone = ground
        .open_places(|place| place.access == OpenAccess::Write && place.through == Sid::EVERYONE)
        .map(|places| format!(": {places}"))
        .unwrap_or_default();
    match guarantee {
        Guarantee::WritesConfined => lacks_but(
            format!(
                "files can be deleted, or moved into the workspace, where the user has full control of their directory (FILE_DELETE_CHILD is no write-type right), and what everyone may write can be written{everyone}; all other writing is refused"
            ),
            OTHER_TIER,
        ),
        Guarantee::MetadataConfined => lacks_but(
            format!("what everyone may change can be changed{everyone}; all other attributes and access lists cannot"),
            OTHER_TIER,
        ),
        Guarantee::ReadsConfined => {
            lacks_but("the inside is the user, and a write-restricted token reads what the user reads", OTHER_TIER)
        }
        Guarantee::NamesProtected => holds(
            "entries for the workspace's SID refuse changing them; handles without FILE_SHARE_DELETE on them, on everything in them and on the directories above keep them from being deleted and renamed while the run lasts",
        ),
        Guarantee::NamesAbsent => lacks_but(
            "their directories are watched, and what appears is taken away and reported; but a process that a service starts outside of the job can hold a name in its place",
            OTHER_TIER,
        ),
        Guarantee::NetworkOff => lacks_but("nothing stops the user's packets", OTHER_TIER),
        Guarantee::SocketsConfined => lacks_but(
            "the user's pipes can be opened for reading, and those that let everyone in for all they let; RPC endpoints can be reached",
            "the `container` tier",
        ),
        Guarantee::ProcessesHidden => {
            lacks_but("the user's processes can be seen, their memory read, and they can be ended", OTHER_TIER)
        }
        Guarantee::TreeDies => lacks_but(
            "the job ends with its last handle, but services of the user (WMI, COM, the task scheduler) start processes outside of it on request",
            "the `container` tier",
        ),
        Guarantee::TerminalSafe => lacks_but(
            "output is filtered on an own pseudo-console, but a process of the same user and integrity can attach to the caller's console, and open the user's desktop",
            OTHER_TIER,
        ),
        Guarantee::IdentitySeparate => lacks_but("the inside is the user", OTHER_TIER),
        _ => lacks("this tier does not know the guarantee"),
    }
}
