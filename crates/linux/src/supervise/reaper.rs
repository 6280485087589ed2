//! Whether somebody collects the init when this process ends before it.
//!
//! The init tells how the command ended when everything else of the tree is dead; what it has left is to die, which takes
//! the kernel most of a millisecond, for the mounts have to be taken down. Where orphans are collected, nobody needs to
//! wait for that. In a container whose first process does not expect children, each run would leave a dead entry in the
//! process table, so there this process waits.

use std::fs;

/// Whether the process that gets orphans collects them.
pub(super) fn collects_orphans() -> bool {
    // A process that asked for orphans (prctl PR_SET_CHILD_SUBREAPER) collects them; else they go to process 1.
    fs::read_to_string("/proc/1/status").is_ok_and(|status| expects_children(&status))
}

/// Whether the process of this `/proc/PID/status` (proc_pid_status(5)) ignores, catches, or has blocked SIGCHLD: ignoring
/// collects, and the others are how init programs wait for it. A program that expects no children does none of these.
fn expects_children(status: &str) -> bool {
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        u64::from_str_radix(line.trim(), 16).ok()
    };
    let child = 1 << (libc::SIGCHLD - 1);
    ["SigBlk:", "SigIgn:", "SigCgt:"].into_iter().filter_map(mask).any(|mask| mask & child != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(blocked: &str, ignored: &str, caught: &str) -> String {
        format!("Name:\tx\nSigBlk:\t{blocked}\nSigIgn:\t{ignored}\nSigCgt:\t{caught}\nCapInh:\t0\n")
    }

    #[test]
    fn programs_that_wait_for_children_are_told_from_others() {
        let none = "0000000000000000";
        assert!(
            expects_children(&status("7be3c0fe28014a03", none, "0000000000000000")),
            "blocked, as systemd and tini"
        );
        assert!(expects_children(&status(none, none, "0000000000010002")), "caught, as a shell");
        assert!(expects_children(&status(none, "0000000000010000", none)), "ignored");
        assert!(!expects_children(&status(none, "0000000000001000", "0000000000004002")), "as sleep or python");
        assert!(!expects_children("Name:\tx\n"));
    }
}
