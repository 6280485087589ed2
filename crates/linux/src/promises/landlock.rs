//! The promises of the `landlock` tier.

use bailiwick_policy::guarantee::Guarantee;

use super::{Answer, Asked, common, holds, lacks, lacks_but, some_of};
use crate::facts::Facts;

/// The remedy of most losses.
const OTHER_TIER: &str = "the `namespaces` tier";

pub(super) fn answer(guarantee: Guarantee, facts: &Facts, asked: &Asked) -> Answer {
    if let Some(answer) = common(guarantee, facts) {
        return answer;
    }
    match guarantee {
        Guarantee::WritesConfined if facts.landlock_abi >= 3 => holds(
            "Landlock refuses everything but the writable trees; a file of a writable tree that is also linked elsewhere on the same file system is the same file there",
        ),
        Guarantee::WritesConfined => lacks_but(
            "before ABI 3 Landlock does not see truncate: any file that the user may write can be emptied",
            format!("Linux 6.2 or newer, or {OTHER_TIER}"),
        ),
        Guarantee::MetadataConfined => lacks_but(
            "Landlock does not see chmod, chown, utimes and setxattr: whatever the user owns can be given other modes, times and attributes",
            OTHER_TIER,
        ),
        Guarantee::ReadsConfined => reads(asked),
        Guarantee::NamesProtected => {
            lacks_but("Landlock only adds rights down a tree: a name inside a writable tree is writable", OTHER_TIER)
        }
        Guarantee::NetworkOff => holds(
            "the system-call filter lets no socket be made but UNIX ones; what a host service behind a UNIX socket would do is the matter of sockets-confined",
        ),
        Guarantee::HostsFiltered => lacks_but(
            "without a network namespace nothing leads an ordinary connection to the network gate and nowhere else: Landlock knows ports and no addresses, and a run in this tier has no network at all",
            OTHER_TIER,
        ),
        Guarantee::SocketsConfined => sockets(facts),
        Guarantee::ProcessesHidden => lacks_but(processes(facts), OTHER_TIER),
        Guarantee::TreeDies => lacks_but(
            "the supervisor adopts and kills orphans at the end of a run, but if it is killed itself nothing kills what it started",
            OTHER_TIER,
        ),
        Guarantee::LimitsHeld => limits(facts, asked),
        // `common` answers these, and a guarantee that is new to this tier is one that it lacks.
        _ => lacks("this tier does not know the guarantee"),
    }
}

fn reads(asked: &Asked) -> Answer {
    if asked.hidden_below.is_empty() {
        return holds(
            "Landlock refuses to open or list everything but the readable trees; whether a known name exists, its size and its times can be asked",
        );
    }
    lacks_but(
        format!(
            "Landlock only adds rights down a tree; these are inside readable trees and should not be read: {}",
            some_of(&asked.hidden_below)
        ),
        OTHER_TIER,
    )
}

fn sockets(facts: &Facts) -> Answer {
    if facts.landlock_abi >= 9 {
        return holds(
            "Landlock refuses socket files and abstract names that were not made inside or listed; the filter refuses vsock and other families",
        );
    }
    let abstract_names =
        if facts.landlock_abi >= 6 { "abstract names are refused" } else { "abstract names are open too before ABI 6" };
    let windows = if facts.wsl.is_some_and(|wsl| wsl.interop) {
        "; here that includes the sockets that start Windows programs"
    } else {
        ""
    };
    lacks_but(
        format!(
            "before ABI 9 Landlock does not see connections to socket files, so those of the host can be reached (containers, agents, session bus){windows}; {abstract_names}"
        ),
        format!("Linux 7.1 or newer, or {OTHER_TIER}"),
    )
}

fn processes(facts: &Facts) -> String {
    let signals = if facts.landlock_abi >= 6 { "cannot be signalled" } else { "can be signalled before ABI 6" };
    format!(
        "there is no process namespace: names and arguments of the user's processes can be read, and their priority and limits changed; they {signals} and cannot be traced"
    )
}

fn limits(facts: &Facts, asked: &Asked) -> Answer {
    if asked.processes {
        let why = if facts.uid == 0 {
            "the kernel does not apply a limit on processes to root"
        } else {
            "without a user namespace the limit on processes counts the user's other processes too"
        };
        return lacks_but(format!("{why}; time, memory of each process and file size hold"), OTHER_TIER);
    }
    holds(
        "time by the supervisor; memory of each process and file size by resource limits that nobody inside can raise",
    )
}
