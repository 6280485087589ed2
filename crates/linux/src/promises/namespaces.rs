//! The promises of the `namespaces` tier.

use bailiwick_policy::guarantee::Guarantee;

use super::{Answer, Asked, COUNTS_APART, common, holds, lacks, lacks_but, some_of};
use crate::facts::Facts;

/// The remedy of what nested namespaces cost.
const NOT_NESTED: &str = "a policy without `nested_namespaces`";

pub(super) fn answer(guarantee: Guarantee, facts: &Facts, asked: &Asked) -> Answer {
    if let Some(answer) = common(guarantee, facts) {
        return answer;
    }
    let second_lock = if asked.nested {
        "; no Landlock as a second lock, since it would forbid the mounts of nested namespaces"
    } else if facts.landlock_abi > 0 {
        ", and Landlock as a second lock"
    } else {
        "; no Landlock as a second lock here"
    };
    match guarantee {
        Guarantee::WritesConfined => holds(format!(
            "everything in the new root but the writable trees is mounted read-only{second_lock}; a file of a writable tree that is also linked elsewhere on the same file system is the same file there"
        )),
        Guarantee::MetadataConfined if asked.guards => lacks_but(
            "with nested namespaces a protected name inside a writable root can be moved from under its mount, and then given other modes, times and attributes; outside the writable roots nothing can",
            NOT_NESTED,
        ),
        Guarantee::MetadataConfined => {
            holds("modes, owners, times and attributes of a read-only mount cannot be changed")
        }
        Guarantee::ReadsConfined if asked.nested && !asked.hidden_below.is_empty() => lacks_but(
            format!(
                "with nested namespaces a denied name inside a writable root can be moved from under its cover and read: {}",
                some_of(&asked.hidden_below)
            ),
            NOT_NESTED,
        ),
        Guarantee::ReadsConfined => holds("the new root holds nothing but the readable trees; the old one is detached"),
        Guarantee::NamesProtected if asked.nested => lacks_but(
            "the kernel refuses to rename or remove a mount point only in the mount namespace that it is mounted in: from a nested one, by a directory opened before, a protected name inside a writable root can be moved away, removed and replaced",
            NOT_NESTED,
        ),
        Guarantee::NamesProtected => holds(
            "each name is mounted over itself read-only, and every directory above it up to the writable root is a mount, which cannot be renamed",
        ),
        Guarantee::NetworkOff => holds(
            "an own network namespace with nothing in it but its own loopback; where the policy allows hosts, also one end of a cable whose other end only the network gate holds",
        ),
        Guarantee::HostsFiltered => holds(
            "the only way out of the network namespace ends at the network gate, which takes TCP connections and looks up names; it decides by name before anything leaves, and where it cannot be set up (it needs veth devices) nothing is started",
        ),
        Guarantee::SocketsConfined => sockets(facts, asked),
        Guarantee::ProcessesHidden => holds("an own process namespace with its own /proc"),
        Guarantee::TreeDies => holds(
            "when process 1 of the namespace ends the kernel kills all others; it ends with the supervisor (parent-death signal)",
        ),
        Guarantee::LimitsHeld => limits(facts, asked),
        // `common` answers these, and a guarantee that is new to this tier is one that it lacks.
        _ => lacks("this tier does not know the guarantee"),
    }
}

fn sockets(facts: &Facts, asked: &Asked) -> Answer {
    if !facts.seccomp {
        return lacks_but(
            "without system-call filters vsock is open, which no namespace confines",
            "a kernel with CONFIG_SECCOMP_FILTER",
        );
    }
    let paths = if facts.landlock_abi >= 9 && !asked.nested {
        "Landlock refuses every socket that was not made inside or listed"
    } else {
        "a host program's socket file that lies inside a granted tree belongs to the grant: those found at the start (by /proc/net/unix: absolute names in this network namespace) are covered, others are reachable (Landlock refuses them from ABI 9, Linux 7.1, without nested namespaces)"
    };
    holds(format!(
        "socket files of the host are not in the new root, abstract names belong to the network namespace, vsock and other families are refused; {paths}; a host program's named pipe in a readable tree below the private home or a private temporary directory can be written"
    ))
}

fn limits(facts: &Facts, asked: &Asked) -> Answer {
    if asked.processes && facts.uid == 0 {
        return lacks_but(
            "the kernel does not apply a limit on processes to root; time, memory of each process and file size hold",
            "run bailiwick as an ordinary user",
        );
    }
    if asked.processes && facts.kernel < COUNTS_APART {
        return lacks_but(
            format!(
                "before Linux {COUNTS_APART} the limit on processes counts the user's other processes too; time, memory of each process and file size hold"
            ),
            format!("Linux {COUNTS_APART} or newer"),
        );
    }
    holds(
        "time by the supervisor; memory of each process, processes and file size by resource limits that nobody inside can raise",
    )
}
