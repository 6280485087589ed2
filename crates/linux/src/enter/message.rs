//! What the init tells the supervisor: fixed records over a socket pair that keeps their bounds.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};

use super::{Failure, Stage};

/// Bytes of a record: four little-endian 32-bit numbers.
const RECORD: usize = 16;

/// The most descriptors that come along with a message; the kernel takes 253 (unix(7), `SCM_MAX_FD`).
pub(crate) const MOST_DESCRIPTORS: usize = 250;

/// One thing that the init tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// The inside's pseudo-terminal, whose master descriptor comes along.
    Terminal,
    /// The gate's sockets, which come along in the order of [`super::outlet`]. Says whether the last one sees packets.
    Outlet { packets: bool },
    /// The inside's `/proc` and a line about its sockets, which come along: see [`super::view`].
    View,
    /// Setting up failed; nothing has run.
    Failed(Failure),
    /// Everything is set up; said only when asked.
    Ready,
    /// `execve` of the command failed with this errno.
    NotStarted(i32),
    /// The command was stopped by a signal.
    Stopped,
    /// The command exited with this status, and nothing else of the tree is alive.
    Exited(i32),
    /// The command was ended by this signal, and nothing else of the tree is alive.
    Signalled(i32),
}

impl Message {
    fn encode(self) -> [u8; RECORD] {
        let (kind, stage, index, value) = match self {
            Message::Terminal => (1, 0, 0, 0),
            Message::Failed(failure) => {
                let stage = Stage::ALL.iter().position(|stage| *stage == failure.stage).unwrap_or_default();
                (2, stage, failure.index, failure.errno.raw_os_error())
            }
            Message::NotStarted(errno) => (3, 0, 0, errno),
            Message::Stopped => (5, 0, 0, 0),
            Message::Exited(status) => (6, 0, 0, status),
            Message::Signalled(signal) => (7, 0, 0, signal),
            Message::Ready => (8, 0, 0, 0),
            Message::Outlet { packets } => (9, 0, 0, i32::from(packets)),
            Message::View => (10, 0, 0, 0),
        };
        let mut record = [0; RECORD];
        for (place, number) in record.chunks_exact_mut(4).zip([kind, stage as u32, index as u32, value as u32]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        record
    }

    fn decode(record: &[u8; RECORD]) -> Option<Message> {
        let mut numbers = record.chunks_exact(4).filter_map(|part| Some(u32::from_le_bytes(part.try_into().ok()?)));
        let (kind, stage, index, value) = (numbers.next()?, numbers.next()?, numbers.next()?, numbers.next()?);
        let value = value.cast_signed();
        Some(match kind {
            1 => Message::Terminal,
            2 => {
                let stage = *Stage::ALL.get(stage as usize)?;
                Message::Failed(Failure { stage, index: index as usize, errno: Errno::from_raw_os_error(value) })
            }
            3 => Message::NotStarted(value),
            5 => Message::Stopped,
            6 => Message::Exited(value),
            7 => Message::Signalled(value),
            8 => Message::Ready,
            9 => Message::Outlet { packets: value != 0 },
            10 => Message::View,
            _ => return None,
        })
    }

    /// Sends the message, with up to [`MOST_DESCRIPTORS`]. Callable after `clone`: no allocation.
    pub(super) fn send(self, socket: &OwnedFd, descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        let record = self.encode();
        let mut space = [const { MaybeUninit::uninit() }; rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(Errno::TOOMANYREFS);
        }
        sendmsg(socket.as_fd(), &[IoSlice::new(&record)], &mut control, SendFlags::NOSIGNAL).map(drop)
    }

    /// Receives the next message. `None` at the end: the init is gone, or said something that it cannot say.
    pub(crate) fn receive(socket: &OwnedFd) -> Result<Option<(Message, Vec<OwnedFd>)>, Errno> {
        let mut record = [0; RECORD];
        let mut space = [const { MaybeUninit::uninit() }; rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut receive =
            || recvmsg(socket.as_fd(), &mut [IoSliceMut::new(&mut record)], &mut control, RecvFlags::CMSG_CLOEXEC);
        let received = match receive() {
            // Told once, before what the init has said last: it is gone, and has left an order unread (unix(7) sockets).
            Err(Errno::CONNRESET) => receive()?,
            other => other?,
        };
        if received.bytes != RECORD {
            return Ok(None);
        }
        let mut descriptors = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                descriptors.extend(received);
            }
        }
        Ok(Message::decode(&record).map(|message| (message, descriptors)))
    }
}

/// How often is soon: a call takes some tenths of a microsecond.
const SOON: usize = 1000;

/// What the supervisor tells the init.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// What the root is to hold has been handed over: build it.
    Build,
    /// The rest has been handed over: finish.
    Launch,
    /// Start the command.
    Go,
    /// Say [`Message::Ready`] when everything is set up, and wait for the next order.
    SayReady,
}

impl Order {
    pub(super) fn send(self, socket: &OwnedFd) -> Result<(), Errno> {
        let byte = match self {
            Order::Go => 1,
            Order::SayReady => 2,
            Order::Build => 3,
            Order::Launch => 4,
        };
        rustix::net::send(socket, &[byte], SendFlags::NOSIGNAL).map(drop)
    }

    /// Waits for an order that comes soon from another processor, at first without sleeping: to be woken takes longer than to wait
    /// (measured in a virtual machine: 0.07 ms).
    pub(super) fn receive_soon(socket: &OwnedFd) -> Result<Order, Errno> {
        for _ in 0..SOON {
            match Order::take(socket, RecvFlags::DONTWAIT) {
                Err(Errno::AGAIN) => {}
                other => return other,
            }
        }
        Order::receive(socket)
    }

    /// Waits for an order; an error if the supervisor is gone instead. Callable after `clone`: no allocation.
    pub(super) fn receive(socket: &OwnedFd) -> Result<Order, Errno> {
        Order::take(socket, RecvFlags::empty())
    }

    /// An error if this is another order than the one whose turn it is.
    pub(super) fn must_be(self, wanted: Order) -> Result<(), Errno> {
        if self == wanted { Ok(()) } else { Err(Errno::PROTO) }
    }

    fn take(socket: &OwnedFd, flags: RecvFlags) -> Result<Order, Errno> {
        let mut byte = [0];
        let received = loop {
            match rustix::net::recv(socket, &mut byte, flags) {
                Err(Errno::INTR) => {}
                other => break other?,
            }
        };
        match (received.0, byte) {
            (1, [1]) => Ok(Order::Go),
            (1, [2]) => Ok(Order::SayReady),
            (1, [3]) => Ok(Order::Build),
            (1, [4]) => Ok(Order::Launch),
            _ => Err(Errno::PIPE),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;

    fn line() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
    }

    #[test]
    fn every_message_survives_the_way() {
        let failures =
            Stage::ALL.into_iter().map(|stage| Message::Failed(Failure { stage, index: 7, errno: Errno::PERM }));
        let others = [
            Message::Terminal,
            Message::NotStarted(2),
            Message::Ready,
            Message::View,
            Message::Outlet { packets: true },
            Message::Outlet { packets: false },
            Message::Stopped,
            Message::Exited(255),
            Message::Signalled(9),
        ];
        for message in failures.chain(others) {
            assert_eq!(Message::decode(&message.encode()), Some(message));
        }
    }

    #[test]
    fn many_descriptors_come_along_in_their_order() {
        let (ours, theirs) = line();
        let sent = [ours.as_fd(), theirs.as_fd()].repeat(MOST_DESCRIPTORS / 2);
        Message::Outlet { packets: true }.send(&ours, &sent).unwrap();
        let (message, received) = Message::receive(&theirs).unwrap().unwrap();
        assert_eq!((message, received.len()), (Message::Outlet { packets: true }, sent.len()));
        let number = |fd: BorrowedFd<'_>| rustix::fs::fstat(fd).unwrap().st_ino;
        for (sent, received) in sent.iter().zip(&received) {
            assert_eq!(number(*sent), number(received.as_fd()));
        }
        assert!(Message::Ready.send(&ours, &[ours.as_fd(); MOST_DESCRIPTORS + 10]).is_err());
    }

    #[test]
    fn the_last_words_of_an_init_that_left_an_order_unread_are_heard() {
        let (ours, theirs) = line();
        Order::Go.send(&ours).unwrap();
        let failed = Message::Failed(Failure { stage: Stage::Step, index: 3, errno: Errno::MFILE });
        failed.send(&theirs, &[]).unwrap();
        drop(theirs);
        assert_eq!(Message::receive(&ours).unwrap().map(|(message, _)| message), Some(failed));
        assert!(Message::receive(&ours).unwrap().is_none());
    }

    #[test]
    fn an_unknown_kind_or_stage_is_no_message() {
        let mut record = Message::Stopped.encode();
        record[0] = 200;
        assert_eq!(Message::decode(&record), None);
        let mut record = Message::Failed(Failure { stage: Stage::Proc, index: 0, errno: Errno::PERM }).encode();
        record[4] = 200;
        assert_eq!(Message::decode(&record), None);
    }
}
