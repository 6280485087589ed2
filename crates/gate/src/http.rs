//! HTTP/1.1: forwarding plain and inspected requests, each decided anew, and the HTTP proxy.
//!
//! ```text
//!  bytes ──► reader ──► head ──► request ──► scope ──► decide ──► exchange ──► rewrite ──► server
//!            bounded    syntax   meaning     which     policy     receive ◄─── framing ◄──┘
//!                                            host
//! ```
//!
//! Nothing is passed on as it came: a head is taken apart by a strict reader and written anew from the parts, a body is
//! delimited anew. What two readers could understand differently is refused before a byte of it goes out.

mod answer;
mod authority;
mod basic;
mod body;
mod carry_body;
mod conversation;
pub(crate) mod door;
mod exchange;
mod fields;
mod framing;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod head;
mod lex;
mod limits;
pub(crate) mod reader;
mod receive;
mod request;
mod rewrite;
mod scope;

use std::cell::Cell;
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::carry;
use crate::event::Way;
use crate::gate::Gate;
use crate::secret::Secret;
pub(crate) use basic::same_secret;
use conversation::{Conversation, Ended};
use door::{Inspected, Plain};
pub(crate) use head::looks_like_request;
use scope::Hosts;
pub(crate) use scope::Scope;

/// Forwards the requests of a client to the one target of `scope`, after `first`, which was read from it already.
pub(crate) async fn forward<C>(gate: Rc<Gate>, client: C, first: Vec<u8>, scope: Scope)
where
    C: AsyncRead + AsyncWrite + Unpin,
{
    match scope {
        Scope::Plain { target, way, program, reached } => {
            let door = Plain { gate, way, program, reached: Cell::new(reached), secret: None };
            Conversation::new(client, first, Hosts::Only { target, secure: false }, door).run().await;
        }
        Scope::Inspected { target, way, program } => {
            let door = Inspected { gate, way, program };
            Conversation::new(client, first, Hosts::Only { target, secure: true }, door).run().await;
        }
    }
}

/// Serves a client of the HTTP proxy: CONNECT, and requests for `http://` addresses. If there is a secret, the client has
/// to say it by `Proxy-Authorization: Basic`.
pub(crate) async fn proxy(gate: Rc<Gate>, client: TcpStream, secret: Option<&Secret>) {
    let program = gate.programs.behind(&client);
    let door = Plain { gate: gate.clone(), way: Way::Http, program: program.clone(), reached: Cell::new(None), secret };
    let ended = Conversation::new(client, Vec::new(), Hosts::Any, door).run().await;
    let Ended::Connect { target, mut client, first } = ended else { return };
    if client.write_all(b"HTTP/1.1 200 Connection Established\r\n\r\n").await.is_ok() {
        carry::carry(gate, client, target, Way::Http, program, first).await;
    }
}

#[cfg(test)]
mod tests;
