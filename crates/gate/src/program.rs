//! Which program inside a connection comes from.

use std::net::SocketAddr;
use std::rc::Rc;

use crate::event::bounded;

/// Finds the program that holds the other end of a connection, by that end's address. Only the tier can know. It must answer within
/// microseconds: every connection waits for it.
pub type FindProgram = Box<dyn Fn(SocketAddr) -> Option<String> + Send>;

/// The longest name that is kept: names are the inside's, and are held as long as their connection.
const LONGEST: usize = 256;

/// Who connects, as far as the tier can tell.
pub(crate) struct Programs {
    find: Option<FindProgram>,
}

impl Programs {
    /// With the tier's way of finding out, if it has one.
    pub(crate) fn new(find: Option<FindProgram>) -> Programs {
        Programs { find }
    }

    /// The program behind `peer`: hostile text, unescaped, bounded.
    pub(crate) fn of(&self, peer: SocketAddr) -> Option<Rc<str>> {
        let name = self.find.as_ref()?(peer)?;
        Some(Rc::from(bounded(&name, LONGEST)))
    }
}
