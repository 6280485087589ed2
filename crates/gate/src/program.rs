//! Which program inside a connection comes from.
//!
//! Only the tier can know, and it takes its time, so nobody waits for the answer but who has nothing else to do: a connection is
//! carried meanwhile, a refused client is kept until it was looked at (bounded), and what is told without an answer says that the program
//! is not known.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

#[cfg(unix)]
use crate::event::bounded;

/// A connection or a datagram's way, from the inside's socket to where it asked to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// What the socket is.
    pub transport: Transport,
    /// The socket's own address.
    pub inside: SocketAddr,
    /// What it is connected to, or has sent to.
    pub asked: SocketAddr,
}

/// What a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A TCP connection.
    Tcp,
    /// A UDP socket.
    Udp,
}

/// Who asks: finds the program of the inside that holds the other end of a connection. Each tier has its own way.
pub trait WhoAsks {
    /// Puts a question; its answer comes by [`WhoAsks::answer`]. Never waits.
    ///
    /// # Errors
    /// If it cannot be put now. There is no answer then.
    fn ask(&self, number: u32, connection: &Connection) -> io::Result<()>;

    /// The next answer: the number of its question, and the program, if it was found: hostile text, unescaped. Never waits.
    ///
    /// # Errors
    /// `WouldBlock` while there is none; anything else is the end of all answers.
    fn answer(&self) -> io::Result<(u32, Option<String>)>;

    /// A descriptor of its own that is readable when there is an answer, or no more will come.
    ///
    /// # Errors
    /// If there is no descriptor left.
    #[cfg(unix)]
    fn answers(&self) -> io::Result<std::os::fd::OwnedFd>;
}

/// The longest name that is kept: names are the inside's, and are held as long as their connection.
#[cfg(unix)]
const LONGEST: usize = 256;

/// Questions without an answer yet. Beyond them nothing is asked.
const MOST: usize = 256;

/// How long somebody who has nothing else to do waits for an answer. It takes well below a millisecond, unless the inside has made
/// itself hard to search.
const PATIENCE: Duration = Duration::from_millis(100);

/// The program behind an attempt: not known, not yet, or known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program(Option<Rc<Asked>>);

#[derive(Debug)]
struct Asked {
    /// None until there is an answer.
    answer: RefCell<Option<Option<Box<str>>>>,
    answered: Notify,
}

#[cfg(unix)]
impl Asked {
    fn answer(&self, name: Option<&str>) {
        *self.answer.borrow_mut() = Some(name.map(|name| bounded(name, LONGEST).into()));
        self.answered.notify_waiters();
    }
}

impl Program {
    /// Nobody can say.
    pub(crate) fn unknown() -> Program {
        Program(None)
    }

    /// What is known now: hostile text, unescaped, bounded.
    pub(crate) fn name(&self) -> Option<String> {
        self.0.as_ref()?.answer.borrow().clone().flatten().map(String::from)
    }

    /// Whether no more will be known.
    pub(crate) fn is_settled(&self) -> bool {
        self.0.as_ref().is_none_or(|asked| asked.answer.borrow().is_some())
    }

    /// Waits for the answer, but not long. The client's socket must still be open: it is what is looked for.
    pub(crate) async fn settled(&self) {
        let Some(asked) = &self.0 else { return };
        // Nothing else runs between the look and the wait.
        if !self.is_settled() {
            let _ = timeout(PATIENCE, asked.answered.notified()).await;
        }
    }
}

/// Who connects, as far as the tier can tell.
pub(crate) struct Programs {
    who: Option<Box<dyn WhoAsks>>,
    next: Cell<u32>,
    waiting: RefCell<HashMap<u32, Rc<Asked>>>,
    /// No answer will come any more.
    over: Cell<bool>,
}

impl Programs {
    /// With the tier's way of finding out, if it has one.
    pub(crate) fn new(who: Option<Box<dyn WhoAsks>>) -> Programs {
        // Elsewhere nothing hears the answers yet: no tier there has a gate.
        let over = Cell::new(who.is_none() || cfg!(not(unix)));
        Programs { who, next: Cell::new(0), waiting: RefCell::default(), over }
    }

    /// The program behind a connection from inside. Asks, and does not wait.
    pub(crate) fn of(&self, connection: &Connection) -> Program {
        let Some(who) = self.who.as_ref().filter(|_| !self.over.get()) else { return Program::unknown() };
        let mut waiting = self.waiting.borrow_mut();
        let number = self.next.get();
        if waiting.len() >= MOST || who.ask(number, connection).is_err() {
            return Program::unknown();
        }
        self.next.set(number.wrapping_add(1));
        let asked = Rc::new(Asked { answer: RefCell::new(None), answered: Notify::new() });
        waiting.insert(number, asked.clone());
        Program(Some(asked))
    }

    /// The same, by the accepted socket.
    pub(crate) fn behind(&self, client: &TcpStream) -> Program {
        match (client.peer_addr(), client.local_addr()) {
            (Ok(inside), Ok(asked)) => self.of(&Connection { transport: Transport::Tcp, inside, asked }),
            // It is gone already.
            _ => Program::unknown(),
        }
    }

    /// Takes answers until there are no more.
    #[cfg(unix)]
    pub(crate) async fn take_answers(&self) {
        let Some(who) = &self.who else { return };
        // An error is the end of the answers: nothing but names in the report depends on them.
        if let Ok(answers) = who.answers().and_then(crate::watch::readable) {
            while let Ok((number, name)) =
                answers.async_io(tokio::io::Interest::READABLE, |_descriptor| who.answer()).await
            {
                if let Some(asked) = self.waiting.borrow_mut().remove(&number) {
                    asked.answer(name.as_deref());
                }
            }
        }
        self.over.set(true);
        for (_, asked) in self.waiting.borrow_mut().drain() {
            asked.answer(None);
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
