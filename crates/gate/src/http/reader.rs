//! Reading from a connection with no more memory than what is there: nothing at all while it is idle.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::timeout;

use super::head::{EndFinder, HeadError};
use super::limits::{FREE, PIECE};
use crate::budget::{Budget, Held};

thread_local! {
    /// One buffer for all connections: bytes are in it only within one poll.
    static SCRATCH: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Why no head was read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// Nothing came in time.
    Idle,
    /// It began and did not end in time.
    Late,
    /// The connection ended within it.
    Cut,
    /// It is malformed or too large.
    Malformed(HeadError),
    /// The gate has no memory for more of it.
    Busy,
    /// The connection failed.
    Broken(io::Error),
}

/// A connection's reading half, with what was read and not used yet.
#[derive(Debug)]
pub(crate) struct Reader<R> {
    io: R,
    held: Vec<u8>,
    used: usize,
    budget: Rc<Budget>,
    taken: Option<Held>,
    taken_bytes: usize,
}

impl<R> Reader<R> {
    /// Reads from `io`, after `first`, which was read from it before.
    pub(crate) fn new(io: R, first: Vec<u8>, budget: Rc<Budget>) -> Reader<R> {
        Reader { io, held: first, used: 0, budget, taken: None, taken_bytes: 0 }
    }

    /// What was read and not used yet.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.held.get(self.used..).unwrap_or_default()
    }

    /// Takes away the first `count` of [`bytes`](Self::bytes).
    pub(crate) fn consume(&mut self, count: usize) {
        self.used = self.used.saturating_add(count).min(self.held.len());
        if self.used == self.held.len() {
            self.held.clear();
            self.used = 0;
            self.taken = None;
            self.taken_bytes = 0;
        }
    }

    /// The connection, and what was read of it and not used.
    pub(crate) fn into_parts(mut self) -> (R, Vec<u8>) {
        self.held.drain(..self.used.min(self.held.len()));
        (self.io, self.held)
    }

    /// The connection, to write to.
    pub(crate) fn get_mut(&mut self) -> &mut R {
        &mut self.io
    }

    /// How many more bytes may be held now.
    fn room(&self) -> usize {
        let most = FREE.saturating_add(self.taken_bytes).saturating_add(self.budget.left());
        most.saturating_sub(self.bytes().len()).min(PIECE)
    }

    fn append(&mut self, bytes: &[u8]) {
        if self.used > 0 {
            self.held.drain(..self.used.min(self.held.len()));
            self.used = 0;
        }
        let spare = self.held.capacity().saturating_sub(self.held.len());
        if spare < bytes.len() {
            // Exact, so that a large head does not take twice its size; not too exact, so that one that comes byte by byte is
            // not copied at each of them.
            self.held.reserve_exact(bytes.len().max(1024));
        }
        self.held.extend_from_slice(bytes);
        let need = self.held.len().saturating_sub(FREE).saturating_sub(self.taken_bytes);
        if need > 0 {
            let grown = self.taken.as_mut().is_some_and(|held| held.grow(need));
            if !grown && self.taken.is_none() {
                self.taken = self.budget.take(need);
            }
            self.taken_bytes += need;
        }
    }
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Reads at most one piece more; 0 at the end of the stream.
    ///
    /// # Errors
    /// The connection's, and [`io::ErrorKind::OutOfMemory`] when the common budget is used up.
    pub(crate) async fn fill(&mut self) -> io::Result<usize> {
        poll_fn(|context| self.poll_fill(context)).await
    }

    /// See [`fill`](Self::fill).
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let room = self.room();
        if room == 0 {
            return Poll::Ready(Err(io::ErrorKind::OutOfMemory.into()));
        }
        let mut scratch = SCRATCH.take().unwrap_or_else(|| vec![0; PIECE].into_boxed_slice());
        let mut buffer = ReadBuf::new(scratch.get_mut(..room).unwrap_or_default());
        let polled = Pin::new(&mut self.io).poll_read(context, &mut buffer);
        let read = buffer.filled().len();
        if let Poll::Ready(Ok(())) = polled {
            let filled = scratch.get(..read).unwrap_or_default();
            self.append(filled);
        } else if self.bytes().is_empty() {
            self.held = Vec::new();
            self.used = 0;
        }
        SCRATCH.set(Some(scratch));
        polled.map_ok(|()| read)
    }

    /// Is the connection open, with nothing to read? Only then may it be used for another request: what a server says
    /// unasked would be taken for the answer to it.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        if !self.bytes().is_empty() {
            return false;
        }
        poll_fn(|context| Poll::Ready(self.poll_fill(context).is_pending())).await
    }

    /// Waits for a whole head and tells its length; `None` if the connection ends before its first byte. The head stays in
    /// [`bytes`](Self::bytes).
    ///
    /// # Errors
    /// `idle` bounds the wait for the first byte, `whole` the time from then on.
    pub(crate) async fn head(&mut self, idle: Duration, whole: Duration) -> Result<Option<usize>, Unread> {
        if self.bytes().is_empty() {
            match timeout(idle, self.fill()).await {
                Err(_) => return Err(Unread::Idle),
                Ok(Ok(0)) => return Ok(None),
                Ok(read) => read.map_err(unread)?,
            };
        }
        match timeout(whole, self.rest_of_head()).await {
            Err(_) => Err(Unread::Late),
            Ok(length) => length.map(Some),
        }
    }

    async fn rest_of_head(&mut self) -> Result<usize, Unread> {
        let mut finder = EndFinder::default();
        loop {
            if let Some(length) = finder.find(self.bytes()).map_err(Unread::Malformed)? {
                return Ok(length);
            }
            if self.fill().await.map_err(unread)? == 0 {
                return Err(Unread::Cut);
            }
        }
    }
}

fn unread(error: io::Error) -> Unread {
    match error.kind() {
        io::ErrorKind::OutOfMemory => Unread::Busy,
        _ => Unread::Broken(error),
    }
}
