//! What a socket has been given and the other end has not confirmed.

use std::os::fd::{AsFd, AsRawFd};

/// Bytes that the system holds for the other end of a TCP connection: not yet sent, or not yet confirmed. The end of the stream counts as
/// one (`SIOCOUTQ` of tcp(7)). None where the system does not say.
pub(super) fn unsent(socket: impl AsFd) -> usize {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open for as long as it is borrowed, and `TIOCOUTQ`, which is the same number, writes one `int` to where the
    // pointer leads: to `bytes`, which outlives the call.
    let answer = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if answer == 0 { usize::try_from(bytes).unwrap_or(0) } else { 0 }
}
