//! One direction of a tunnel: bytes from one socket to the other, through a pipe where there is one.

use std::cell::Cell;
use std::io;
use std::os::fd::AsFd;
use std::task::{Context, Poll, ready};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::Shutdown;
use rustix::pipe::{SpliceFlags, splice};
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::pipes::{PIPE_SIZE, Pipe, Pipes, Remainder};

/// Bytes before the others get their turn.
const TURN: usize = 1 << 20;

/// Which end broke a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The end that is read from.
    Source,
    /// The end that is written to.
    Sink,
}

/// The state of one direction.
pub(super) struct Direction<'a> {
    from: &'a TcpStream,
    to: &'a TcpStream,
    pipes: &'a Pipes,
    pipe: Option<Pipe>,
    /// Bytes in the pipe.
    in_pipe: usize,
    /// Bytes that were copied and not written, in place of a pipe.
    remainder: Option<Remainder>,
    /// The system refuses to splice these sockets.
    no_splice: bool,
    /// The source has ended.
    at_end: bool,
    /// Bytes that arrived at the sink's socket.
    moved: &'a Cell<u64>,
    /// It is over, one way or the other.
    over: bool,
}

impl<'a> Direction<'a> {
    /// From one socket to another; `moved` counts the bytes.
    pub(super) fn new(from: &'a TcpStream, to: &'a TcpStream, pipes: &'a Pipes, moved: &'a Cell<u64>) -> Direction<'a> {
        Direction {
            from,
            to,
            pipes,
            pipe: None,
            in_pipe: 0,
            remainder: None,
            no_splice: false,
            at_end: false,
            moved,
            over: false,
        }
    }

    /// Is it over?
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Nothing more is carried: the sink takes no more.
    pub(super) fn give_up(&mut self) {
        self.over = true;
        self.in_pipe = 0;
        self.remainder = None;
        if let Some(pipe) = self.pipe.take() {
            self.pipes.discard(pipe);
        }
    }

    /// Carries what there is. Ready when the source has ended and everything is carried, or an end broke.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        if self.over {
            return Poll::Ready(Ok(()));
        }
        let outcome = ready!(self.poll_rounds(context));
        self.give_up();
        Poll::Ready(outcome)
    }

    fn poll_rounds(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        let mut left = TURN;
        while left > 0 {
            ready!(self.poll_flush(context)).map_err(|_| Broken::Sink)?;
            if self.at_end {
                // The other end learns that nothing more comes, and may go on sending.
                let ended = shut_down_writing(self.to);
                return Poll::Ready(ended.map_err(|_| Broken::Sink));
            }
            let source = self.from.poll_read_ready(context);
            if source.is_pending() {
                self.release();
            }
            ready!(source).map_err(|_| Broken::Source)?;
            let room = self.poll_room(context);
            if room.is_pending() {
                self.release();
            }
            ready!(room).map_err(|_| Broken::Sink)?;
            self.fill()?;
            // A round that moved little counts as one that moved as much as it may.
            left = left.saturating_sub(self.in_pipe.max(PIPE_SIZE));
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes what is under way.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.in_pipe > 0 || self.remainder.is_some() {
            ready!(self.to.poll_write_ready(context))?;
            match self.to.try_io(Interest::WRITABLE, || self.write_once()) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(number) => self.wrote(number),
                Err(error) if may_go_on(&error) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn write_once(&self) -> io::Result<usize> {
        if let Some(remainder) = &self.remainder {
            return rustix::net::send(self.to, remainder.left(), rustix::net::SendFlags::NOSIGNAL)
                .map_err(io::Error::from);
        }
        let Some(pipe) = &self.pipe else { return Err(io::ErrorKind::WriteZero.into()) };
        move_bytes(&pipe.reader, self.to, self.in_pipe)
    }

    fn wrote(&mut self, number: usize) {
        self.count(number);
        match &mut self.remainder {
            Some(remainder) => {
                remainder.advance(number);
                if remainder.left().is_empty() {
                    self.remainder = None;
                }
            }
            None => self.in_pipe = self.in_pipe.saturating_sub(number),
        }
    }

    /// Waits until the sink really has room. Nothing is taken from the source before that: what is under way and cannot be written needs
    /// a pipe, or memory, for as long as the reader likes. (That a socket counts as writable is only known from the last write.)
    fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.to.poll_write_ready(context))?;
            match self.to.try_io(Interest::WRITABLE, || has_room(self.to)) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(error) if may_go_on(&error) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Takes bytes from the source, which seems to have some. Nothing is under way now.
    fn fill(&mut self) -> Result<(), Broken> {
        if self.pipe.is_none() && !self.no_splice {
            self.pipe = self.pipes.take();
        }
        let Some(pipe) = &mut self.pipe else { return self.copy() };
        let taken = self.from.try_io(Interest::READABLE, || move_bytes(self.from, &pipe.writer, pipe.size));
        match taken {
            Ok(0) => self.at_end = true,
            Ok(number) => {
                self.in_pipe = number;
                self.pipes.widen(pipe, number);
            }
            Err(error) if may_go_on(&error) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                self.no_splice = true;
                self.release();
            }
            Err(_) => return Err(Broken::Source),
        }
        Ok(())
    }

    /// Reads and writes through the shared buffer.
    fn copy(&mut self) -> Result<(), Broken> {
        let (from, to) = (self.from, self.to);
        let mut at_end = false;
        let (read, remainder) = self.pipes.copy(|buffer| {
            let read = match from.try_read(buffer) {
                Ok(0) => {
                    at_end = true;
                    return Ok((0, 0));
                }
                Ok(read) => read,
                Err(error) if may_go_on(&error) => return Ok((0, 0)),
                Err(_) => return Err(Broken::Source),
            };
            match to.try_write(buffer.get(..read).unwrap_or_default()) {
                Ok(written) => Ok((read, written)),
                Err(error) if may_go_on(&error) => Ok((read, 0)),
                Err(_) => Err(Broken::Sink),
            }
        })?;
        let kept = remainder.as_ref().map_or(0, |remainder| remainder.left().len());
        self.count(read.saturating_sub(kept));
        self.remainder = remainder;
        self.at_end = at_end;
        Ok(())
    }

    fn count(&self, number: usize) {
        self.moved.set(self.moved.get().saturating_add(u64::try_from(number).unwrap_or(u64::MAX)));
    }

    /// Gives the pipe back, which is empty: nothing is under way.
    fn release(&mut self) {
        if let Some(pipe) = self.pipe.take() {
            self.pipes.put(pipe);
        }
    }
}

impl Drop for Direction<'_> {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// Can a good part of a socket's buffer be written now? If not, the system says when it can.
fn has_room(socket: &TcpStream) -> io::Result<()> {
    let mut polled = [PollFd::new(socket, PollFlags::OUT)];
    match poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? {
        0 => Err(io::ErrorKind::WouldBlock.into()),
        // An error is found by the next write.
        _ => Ok(()),
    }
}

fn move_bytes(from: impl AsFd, to: impl AsFd, most: usize) -> io::Result<usize> {
    let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
    splice(from, None, to, None, most, flags).map_err(io::Error::from)
}

fn shut_down_writing(stream: &TcpStream) -> io::Result<()> {
    match rustix::net::shutdown(stream, Shutdown::Write) {
        Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Not an error: nothing there yet, or a signal came between.
fn may_go_on(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
