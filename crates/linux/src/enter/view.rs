//! What the supervisor needs to see which program connects. Runs in the child after `clone`: nothing here allocates.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

use super::message::Message;
use crate::sys::sockdiag::SockDiag;

/// Opens the inside's own `/proc`, which lists the enclosure's processes and no others, and a line to the kernel about the inside's
/// sockets, and hands both over. To be called in the new root, and in the inside's net namespace.
pub(super) fn hand_over(supervisor: &OwnedFd) -> Result<(), Errno> {
    let processes = open(c"/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let sockets = SockDiag::open()?;
    Message::View.send(supervisor, &[processes.as_fd(), sockets.descriptor().as_fd()])
}
