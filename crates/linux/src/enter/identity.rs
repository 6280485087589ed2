//! The user namespace: the user is mapped to itself. Runs in the child after `clone`: nothing here allocates.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, write};

use super::blank::Start;
use super::{Failure, Stage};

/// Maps the user and the group to themselves.
///
/// Mapping to itself and not to 0 keeps files owned by who owns them, and gives `execve` no reason to hand out
/// capabilities. `setgroups` has to be denied before an unprivileged process may write a group map (user_namespaces(7)).
pub(super) fn assume(start: &Start<'_>) -> Result<(), Failure> {
    let failed = Stage::Identity.failed();
    write_once(c"/proc/self/setgroups", b"deny").map_err(&failed)?;
    write_once(c"/proc/self/uid_map", start.uid_map.to_bytes()).map_err(&failed)?;
    write_once(c"/proc/self/gid_map", start.gid_map.to_bytes()).map_err(&failed)
}

/// The number of user namespaces that may be made below this one.
pub(super) struct Nesting(Option<OwnedFd>);

impl Nesting {
    /// To be opened while `/proc` is the host's.
    pub(super) fn open() -> Result<Nesting, Failure> {
        match open(c"/proc/sys/user/max_user_namespaces", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(file) => Ok(Nesting(Some(file))),
            // Read-only or absent in some containers. The system-call filter refuses nested namespaces all the same.
            Err(Errno::ROFS | Errno::NOENT | Errno::ACCESS | Errno::PERM) => Ok(Nesting(None)),
            Err(errno) => Err(Stage::Identity.failed_at(0, errno)),
        }
    }

    /// Forbids user namespaces below this one.
    pub(super) fn forbid(self) -> Result<(), Failure> {
        let Nesting(Some(file)) = self else { return Ok(()) };
        match write(&file, b"0") {
            Ok(1) | Err(Errno::ACCESS | Errno::PERM) => Ok(()),
            Ok(_) => Err(Stage::Identity.failed_at(0, Errno::IO)),
            Err(errno) => Err(Stage::Identity.failed_at(0, errno)),
        }
    }
}

fn write_once(path: &CStr, text: &[u8]) -> Result<(), Errno> {
    let file = open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    match write(&file, text)? {
        written if written == text.len() => Ok(()),
        _ => Err(Errno::IO),
    }
}
