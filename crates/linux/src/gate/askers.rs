//! Which program a connection comes from: the gate asks, the supervisor answers when it has looked.
//!
//! Both sides keep to records of fixed form over a socket pair that keeps their bounds. Neither ever waits for the other: a question
//! for which there is no room is not put, and an answer for which there is none is lost with its name.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};

use super::Transport;

/// The longest name of a program, in bytes.
pub const LONGEST_PROGRAM: usize = 256;

/// Bytes of a question: its number, what the socket is, two addresses of 16 bytes and a port each.
const QUESTION: usize = 4 + 1 + 2 * 18;

/// A connection, or a datagram's way, from the inside's socket to where it asked to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// What the socket is.
    pub transport: Transport,
    /// The socket's own address.
    pub inside: SocketAddr,
    /// What it is connected to, or has sent to.
    pub asked: SocketAddr,
}

/// What the gate asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// Comes back with the answer.
    pub(crate) number: u32,
    pub(crate) connection: Connection,
}

impl Question {
    fn encode(&self) -> [u8; QUESTION] {
        let Connection { transport, inside, asked } = self.connection;
        let mut bytes = [0; QUESTION];
        let mut rest = bytes.iter_mut();
        let mut put = |part: &[u8]| rest.by_ref().zip(part).for_each(|(place, byte)| *place = *byte);
        put(&self.number.to_le_bytes());
        put(&[match transport {
            Transport::Tcp => 0,
            Transport::Udp => 1,
        }]);
        for address in [inside, asked] {
            let ip = match address.ip() {
                IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                IpAddr::V6(ip) => ip,
            };
            put(&ip.octets());
            put(&address.port().to_le_bytes());
        }
        bytes
    }

    /// Reads one. `None` if it is none.
    fn decode(bytes: &[u8]) -> Option<Question> {
        let (number, rest) = bytes.split_first_chunk::<4>()?;
        let (transport, rest) = rest.split_first()?;
        let transport = match transport {
            0 => Transport::Tcp,
            1 => Transport::Udp,
            _ => return None,
        };
        let (inside, rest) = address(rest)?;
        let (asked, rest) = address(rest)?;
        let connection = Connection { transport, inside, asked };
        rest.is_empty().then_some(Question { number: u32::from_le_bytes(*number), connection })
    }

    /// The next question that has come. Does not wait.
    ///
    /// # Errors
    ///
    /// `EAGAIN` while there is none, `EPIPE` when the gate is gone.
    pub(crate) fn receive(line: &OwnedFd) -> Result<Question, Errno> {
        let mut bytes = [0; QUESTION + 1];
        loop {
            match recv(line, bytes.as_mut_slice(), RecvFlags::DONTWAIT) {
                Ok((0, _)) => return Err(Errno::PIPE),
                // What is no question has no answer.
                Ok((length, _)) => match bytes.get(..length).and_then(Question::decode) {
                    Some(question) => return Ok(question),
                    None => return Err(Errno::PIPE),
                },
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

fn address(bytes: &[u8]) -> Option<(SocketAddr, &[u8])> {
    let (ip, rest) = bytes.split_first_chunk::<16>()?;
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let ip = IpAddr::V6(Ipv6Addr::from(*ip)).to_canonical();
    Some((SocketAddr::new(ip, u16::from_le_bytes(*port)), rest))
}

/// Answers a question; with nothing, where the program was not found.
pub(crate) fn answer(line: &OwnedFd, number: u32, program: &[u8]) {
    let program = program.get(..LONGEST_PROGRAM).unwrap_or(program);
    let bytes = [number.to_le_bytes().as_slice(), program].concat();
    // A gate that takes no answers gets none.
    let _ = send(line, &bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
}

/// The gate's line to whoever can tell which program connects.
#[derive(Debug)]
pub struct Askers {
    line: OwnedFd,
}

impl Askers {
    /// With the supervisor's end.
    pub(crate) fn pair() -> Result<(Askers, OwnedFd), Errno> {
        let (line, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Askers { line }, theirs))
    }

    /// Asks which program holds the inside's end of a connection. Never waits.
    ///
    /// # Errors
    ///
    /// If the question cannot be put now: there is no answer then.
    pub fn ask(&self, number: u32, connection: &Connection) -> io::Result<()> {
        let question = Question { number, connection: *connection };
        send(&self.line, &question.encode(), SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// The next answer: the question's number, and the program as far as it could be seen. Never waits.
    ///
    /// It is the inside's word: the program's file, which the inside may have written, and the name that the program goes by where that
    /// is another one. Hostile bytes, at most [`LONGEST_PROGRAM`]. `None` if nobody was found who holds it.
    ///
    /// # Errors
    ///
    /// `WouldBlock` while there is none; anything else is the end of the answers.
    pub fn answer(&self) -> io::Result<(u32, Option<Vec<u8>>)> {
        let mut bytes = [0; 4 + LONGEST_PROGRAM];
        let (length, _) = recv(&self.line, bytes.as_mut_slice(), RecvFlags::DONTWAIT)?;
        let answer = bytes.get(..length).and_then(<[u8]>::split_first_chunk::<4>);
        let (number, program) = answer.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok((u32::from_le_bytes(*number), (!program.is_empty()).then(|| program.to_vec())))
    }

    /// Another hold on the line, to wait for answers with: it is readable when there is one, or none will come.
    ///
    /// # Errors
    ///
    /// When there is no descriptor left.
    pub fn answers(&self) -> io::Result<OwnedFd> {
        self.line.try_clone()
    }
}

impl AsFd for Askers {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.line.as_fd()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn connection(transport: Transport, inside: &str, asked: &str) -> Connection {
        Connection { transport, inside: inside.parse().unwrap(), asked: asked.parse().unwrap() }
    }

    #[test]
    fn questions_and_answers_survive_the_way() {
        let (gate, supervisor) = Askers::pair().unwrap();
        assert_eq!(Question::receive(&supervisor), Err(Errno::AGAIN));
        assert_eq!(gate.answer().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        for (number, connection) in [
            (0, connection(Transport::Tcp, "198.18.0.2:40000", "198.19.0.1:443")),
            (u32::MAX, connection(Transport::Udp, "[fd62::2]:1", "[2001:db8::1]:53")),
        ] {
            gate.ask(number, &connection).unwrap();
            assert_eq!(Question::receive(&supervisor), Ok(Question { number, connection }));
        }
        answer(&supervisor, 7, b"/usr/bin/curl");
        answer(&supervisor, 8, b"");
        answer(&supervisor, 9, &[b'x'; LONGEST_PROGRAM + 1]);
        assert_eq!(gate.answer().unwrap(), (7, Some(b"/usr/bin/curl".to_vec())));
        assert_eq!(gate.answer().unwrap(), (8, None));
        assert_eq!(gate.answer().unwrap().1.unwrap().len(), LONGEST_PROGRAM);
        drop(supervisor);
        assert_eq!(gate.answer().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_mapped_address_is_the_one_that_it_stands_for() {
        let (gate, supervisor) = Askers::pair().unwrap();
        gate.ask(1, &connection(Transport::Tcp, "[::ffff:198.18.0.2]:5", "[::ffff:198.19.0.1]:80")).unwrap();
        let plain = connection(Transport::Tcp, "198.18.0.2:5", "198.19.0.1:80");
        assert_eq!(Question::receive(&supervisor).unwrap().connection, plain);
    }

    #[test]
    fn nobody_waits_and_what_is_no_question_ends_the_line() {
        let (gate, supervisor) = Askers::pair().unwrap();
        let connection = connection(Transport::Tcp, "198.18.0.2:5", "198.19.0.1:80");
        while gate.ask(1, &connection).is_ok() {}
        (0..10_000).for_each(|number| answer(&supervisor, number, b"x"));
        for bytes in [&[0; QUESTION - 1][..], &[0; QUESTION + 1], &[9; QUESTION]] {
            let (gate, supervisor) = Askers::pair().unwrap();
            send(&gate.line, bytes, SendFlags::empty()).unwrap();
            assert_eq!(Question::receive(&supervisor), Err(Errno::PIPE), "{bytes:?}");
        }
        drop(gate);
    }
}
