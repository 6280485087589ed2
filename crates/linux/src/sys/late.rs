//! Closing a descriptor without waiting for what that brings about.
//!
//! Whoever closes the last hold on a mount namespace takes its mounts down and waits for it (measured: 0.3 ms). A descriptor that
//! lies in the queue of a socket which nobody can reach any more, because its own last descriptor lies there too, is closed by
//! the kernel's collector instead, in a process of the kernel's (`net/unix/garbage.c`; before Linux 6.8 by whoever closes the
//! next socket, which costs what closing costs otherwise).

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, sendmsg, socketpair,
};

/// Another hold on what a descriptor stands for, which the kernel gives up some time after this is dropped, or the process ends.
#[derive(Debug)]
pub struct Late {
    // In this order: closing the sender starts the collector.
    _queue: OwnedFd,
    _sender: OwnedFd,
}

/// What a [`Late`] is made of, which can be made before it is known that there is need for one.
#[derive(Debug)]
pub struct Hold {
    queue: OwnedFd,
    sender: OwnedFd,
}

impl Hold {
    /// Two sockets.
    ///
    /// # Errors
    ///
    /// What socketpair(2) answers.
    pub fn new() -> Result<Hold, Errno> {
        let (queue, sender) = socketpair(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        Ok(Hold { queue, sender })
    }

    /// Holds what `descriptor` stands for.
    ///
    /// # Errors
    ///
    /// What sendmsg(2) answers: `ETOOMANYREFS` where the user has as many descriptors in queues as may be open.
    pub fn on(self, descriptor: &OwnedFd) -> Result<Late, Errno> {
        let Hold { queue, sender } = self;
        let held = [descriptor.as_fd(), queue.as_fd()];
        let mut space = [const { MaybeUninit::uninit() }; rustix::cmsg_space!(ScmRights(2))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !control.push(SendAncillaryMessage::ScmRights(&held)) {
            return Err(Errno::TOOMANYREFS);
        }
        sendmsg(&sender, &[IoSlice::new(b".")], &mut control, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?;
        Ok(Late { _queue: queue, _sender: sender })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    /// Whether the pipe's other end is closed, now or within these seconds.
    fn hangs_up(pipe: &OwnedFd, seconds: i64) -> bool {
        let mut fds = [PollFd::new(pipe, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec { tv_sec: seconds, tv_nsec: 0 })).unwrap();
        fds[0].revents().contains(PollFlags::HUP)
    }

    #[test]
    fn the_kernel_closes_what_is_held_when_nobody_holds_the_holder() {
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let late = Hold::new().and_then(|hold| hold.on(&writer)).unwrap();
        drop(writer);
        assert!(!hangs_up(&reader, 0), "it is held");
        drop(late);
        assert!(hangs_up(&reader, 30), "the collector has closed it");
    }
}
