//! The user namespace: the user is mapped to itself. Runs in the child after `clone`: nothing here allocates.

use std::ffi::CStr;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, write};

use super::{Failure, Launch, Stage};

/// Maps the user and the group to themselves, and forbids user namespaces below this one unless asked for.
///
/// Mapping to itself and not to 0 keeps files owned by who owns them, and gives `execve` no reason to hand out
/// capabilities. `setgroups` has to be denied before an unprivileged process may write a group map (user_namespaces(7)).
pub(super) fn assume(launch: &Launch<'_>) -> Result<(), Failure> {
    let failed = Stage::Identity.failed();
    write_once(c"/proc/self/setgroups", b"deny").map_err(&failed)?;
    write_once(c"/proc/self/uid_map", &launch.uid_map).map_err(&failed)?;
    write_once(c"/proc/self/gid_map", &launch.gid_map).map_err(&failed)?;
    if !launch.nested_namespaces {
        match write_once(c"/proc/sys/user/max_user_namespaces", b"0") {
            // Read-only or absent in some containers. The system-call filter refuses nested namespaces all the same.
            Ok(()) | Err(Errno::ROFS | Errno::NOENT | Errno::ACCESS | Errno::PERM) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    Ok(())
}

fn write_once(path: &CStr, text: &[u8]) -> Result<(), Errno> {
    let file = open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    match write(&file, text)? {
        written if written == text.len() => Ok(()),
        _ => Err(Errno::IO),
    }
}
