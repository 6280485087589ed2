//! The promises of the `container` tier.

use bailiwick_policy::guarantee::Guarantee;
use bailiwick_winsec::Sid;

use super::{Answer, Ground, holds, lacks, lacks_but, taken_away};
use crate::facts::OpenAccess;

pub(super) fn answer(guarantee: Guarantee, ground: &Ground<'_>) -> Answer {
    match guarantee {
        Guarantee::WritesConfined | Guarantee::MetadataConfined => {
            open(ground, Some(OpenAccess::Write)).unwrap_or_else(|| {
                holds("the second check allows what names the package, one of its capabilities or all packages; the plan gives writing to the package alone, below the writable roots")
            })
        }
        Guarantee::ReadsConfined => open(ground, None).unwrap_or_else(|| {
            holds(
                "the second check allows what names the package, one of its capabilities or all packages: the planned places, and the system's own; attributes of directories above granted places can be asked; of the registry, which this does not speak of, keys that let every package read may be read",
            )
        }),
        Guarantee::NamesProtected => holds(
            "they inherit nothing that names the package and let it read; no entry grants FILE_DELETE_CHILD; handles without FILE_SHARE_DELETE hold them and the directories above while the run lasts",
        ),
        Guarantee::NamesAbsent => taken_away(""),
        Guarantee::NetworkOff => holds(
            "without a network capability the filtering platform drops every packet, loopback to the host included; before the first command a name that nobody has is asked for from inside, and anything but a refusal refuses the run",
        ),
        Guarantee::SocketsConfined => {
            holds("pipes and endpoints of the host name no package; listing the names of pipes may be possible, opening is not")
        }
        Guarantee::ProcessesHidden => lacks(
            "no process outside can be opened, signalled or traced; whether names and numbers of processes can be listed from an AppContainer is not known",
        ),
        Guarantee::TreeDies => holds("the job ends with its last handle; services refuse to start processes for a package"),
        Guarantee::TerminalSafe => {
            holds("low integrity cannot attach to the caller's console; output passes the filter of an own pseudo-console")
        }
        Guarantee::IdentitySeparate => {
            holds("a package of its own for this workspace: nothing is allowed that does not name it, whatever the user may do")
        }
        _ => lacks("this tier does not know the guarantee"),
    }
}

/// What the scan found open to every package, or cannot be kept from anybody; `None` for any access.
fn open(ground: &Ground<'_>, access: Option<OpenAccess>) -> Option<Answer> {
    let packages = [Sid::ALL_APPLICATION_PACKAGES, Sid::ALL_RESTRICTED_APPLICATION_PACKAGES];
    let places = ground
        .open_places(|place| packages.contains(&place.through) && access.is_none_or(|access| place.access == access));
    let places = places.map(|places| {
        lacks_but(
            format!("every AppContainer may use these places: {places}"),
            "their access lists without ALL APPLICATION PACKAGES, or the `account` tier",
        )
    });
    places.or_else(|| ground.open_drive())
}
