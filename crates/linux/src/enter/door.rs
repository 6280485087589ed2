//! Going back in to change a mount.
//!
//! A mount over a name goes away when somebody outside renames, replaces or removes the name (the kernel detaches it in
//! every other mount namespace). The supervisor keeps the enclosure's namespaces open, so that a child of its own can
//! put the mount back, or cover what should not be seen.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, waitpid};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::root;
use crate::sys;
use crate::sys::late::{Hold, Late};

/// The enclosure's user and mount namespaces.
pub(crate) struct Door {
    user: OwnedFd,
    mounts: OwnedFd,
}

impl Door {
    /// Opens the namespaces of the init. Works only until the init makes itself untraceable, which it does when the supervisor
    /// has let it go.
    pub(crate) fn open(init: Pid) -> Result<Door, Errno> {
        let namespace = |kind: &str| {
            open(format!("/proc/{}/ns/{kind}", init.as_raw_nonzero()), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        };
        Ok(Door { user: namespace("user")?, mounts: namespace("mnt")? })
    }

    /// Another hold on the enclosure's mounts, so that neither the init nor the supervisor has to wait for their end.
    pub(crate) fn hold_mounts(&self) -> Result<Late, Errno> {
        Hold::new()?.on(&self.mounts)
    }

    /// Mounts what is at `path` over itself, read-only, inside. Says whether that was not so already.
    pub(crate) fn protect_again(&self, path: &Path) -> Result<bool, Errno> {
        self.go_in(path, root::protect_again)
    }

    /// Covers the socket at `path`; a socket that has gone meanwhile needs no cover.
    pub(crate) fn cover_socket(&self, path: &Path) -> Result<(), Errno> {
        self.go_in(path, root::cover_with_nothing).map(drop)
    }

    /// Does `work` on `path` in a child inside the namespaces, and returns its answer. `work` must not allocate.
    fn go_in(&self, path: &Path, work: Work) -> Result<bool, Errno> {
        let below_root = path.strip_prefix("/").unwrap_or(path);
        let below_root = CString::new(below_root.as_os_str().as_bytes()).map_err(|_| Errno::INVAL)?;
        // SAFETY: the child makes system calls on prepared data and exits.
        match unsafe { sys::clone::fork_into(0, sys::clone::Parent::Caller) }? {
            sys::clone::Side::Child => sys::process::exit_now(match self.inside(&below_root, work) {
                Ok(false) => 0,
                Ok(true) => DONE,
                Err(errno) => errno.raw_os_error(),
            }),
            sys::clone::Side::Parent { child, .. } => loop {
                match waitpid(Some(child), WaitOptions::empty()) {
                    Err(Errno::INTR) => {}
                    Err(errno) => return Err(errno),
                    Ok(status) => return answer(status.and_then(|(_, status)| status.exit_status())),
                }
            },
        }
    }

    /// Runs in the child: nothing here allocates.
    fn inside(&self, path: &CStr, work: Work) -> Result<bool, Errno> {
        move_into_link_name_space(self.user.as_fd(), Some(LinkNameSpaceType::User))?;
        move_into_link_name_space(self.mounts.as_fd(), Some(LinkNameSpaceType::Mount))?;
        // Entering a mount namespace makes its root the root of this process (setns(2)).
        let root = open(c"/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        work(&root, path)
    }
}

/// What a child does: on the new root and a path below it.
type Work = fn(&OwnedFd, &CStr) -> Result<bool, Errno>;

/// Exit status of a child that has changed something; above every errno of Linux that a mount call answers.
const DONE: i32 = 255;

fn answer(status: Option<i32>) -> Result<bool, Errno> {
    match status {
        Some(0) => Ok(false),
        Some(DONE) => Ok(true),
        Some(errno) => Err(Errno::from_raw_os_error(errno)),
        None => Err(Errno::CHILD),
    }
}
