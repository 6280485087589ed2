//! One request to a server, and its response.

use std::cell::Cell;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf, split};
use tokio::select;

use super::answer::Answer;
use super::carry_body::{BodyError, carry_body, relay};
use super::conversation::{Conversation, Next, answer_to, send};
use super::door::{Door, Opened};
use super::fields::Fields;
use super::framing::Framing;
use super::head::Version;
use super::reader::Reader;
use super::receive::{Received, receive};
use super::request::Request;
use super::rewrite;
use crate::event::{Attempt, Begun};
use crate::gate::Target;
use crate::refusal::Refusal;
use crate::upstream::Hop;

/// A connection to a server, kept for the client's next request to the same target.
pub(super) struct Server<S> {
    target: Target,
    address: SocketAddr,
    reader: Reader<ReadHalf<S>>,
    writer: WriteHalf<S>,
    /// Set where the other end is a proxy.
    hop: Option<Hop>,
    /// Has it answered a request already?
    used: bool,
}

/// What is told about an allowed request when it is over, also when the gate ends before it.
struct Account<D: Door> {
    door: Rc<D>,
    begun: Option<Begun>,
    address: SocketAddr,
    rule: String,
    sent: Cell<u64>,
    received: Cell<u64>,
}

impl<D: Door> Account<D> {
    /// It was not carried after all.
    fn close(mut self, attempt: impl FnOnce(Begun) -> Attempt) {
        if let Some(begun) = self.begun.take() {
            self.door.tell(attempt(begun));
        }
    }
}

impl<D: Door> Drop for Account<D> {
    fn drop(&mut self) {
        if let Some(begun) = self.begun.take() {
            let rule = std::mem::take(&mut self.rule);
            self.door.tell(begun.allowed(Some(self.address), rule, self.sent.get(), self.received.get()));
        }
    }
}

/// What the response's way needs to know about the request.
pub(super) struct Ask {
    /// The method.
    pub(super) method: String,
    /// The client's version.
    pub(super) version: Version,
    /// Does the client want to go on after it?
    pub(super) keep: bool,
    /// Did it ask for a WebSocket?
    pub(super) websocket: bool,
    /// Does a proxy answer?
    pub(super) by_proxy: bool,
    /// Has the whole request gone out?
    pub(super) uploaded: Cell<bool>,
    /// Has the final response's head been given to the client, in part at least?
    pub(super) answered: Cell<bool>,
}

/// How one attempt to pass a request on went.
enum Passed {
    /// See [`Received`].
    Received(Received),
    /// The body is malformed: why.
    BadBody(String),
    /// The client ended within the body.
    ClientGone,
}

/// Sends an allowed request to its server and the response to the client. With the request come the attempt, the rule that
/// allowed it and the bytes of its head.
pub(super) async fn exchange<C, D>(
    talk: &mut Conversation<C, D>,
    mut request: Request,
    target: Target,
    (begun, rule, head_bytes): (Begun, String, u64),
) -> Next
where
    C: AsyncRead + AsyncWrite + Unpin,
    D: Door,
{
    let mut server = match take_server(talk, &target, request.websocket).await {
        Ok(server) => server,
        Err(refusal) => return talk.refuse(begun, &refusal, &request).await,
    };
    let dress = |fields: &mut Fields| talk.door.dress(&target, fields);
    let head = rewrite::request(&request, &target, D::DEFAULT_PORT, server.hop.as_ref(), dress);
    // What is passed on is in `head`; the request may be large and its answer long in coming.
    request.fields = Fields::default();
    let (door, address) = (talk.door.clone(), server.address);
    let (sent, received) = (Cell::new(head_bytes), Cell::new(0));
    let account = Account { door, begun: Some(begun), address, rule, sent, received };
    let mut passed = pass(talk, &request, &mut server, &head, &account).await;
    // A kept connection that the server has closed meanwhile says nothing about the request: once more, on a new one.
    if server.used && request.is_repeatable() && matches!(passed, Passed::Received(Received::Silent)) {
        // Of the same kind: the head is written for one.
        server = match open_server(talk, &target, server.hop.is_none()).await {
            Ok(server) => server,
            Err(refusal) => {
                account.close(|begun| begun.refused(&refusal));
                return talk.answer(&answer_to(&refusal), &request).await;
            }
        };
        passed = pass(talk, &request, &mut server, &head, &account).await;
    }
    drop(head);
    finish(talk, &request, passed, server, account).await
}

/// What comes after a request that was passed on, or was not.
async fn finish<C, D>(
    talk: &mut Conversation<C, D>,
    request: &Request,
    passed: Passed,
    mut server: Server<D::Stream>,
    account: Account<D>,
) -> Next
where
    C: AsyncRead + AsyncWrite + Unpin,
    D: Door,
{
    let reason = match passed {
        Passed::Received(Received::Whole { keep_client, keep_server }) => {
            if keep_server {
                server.used = true;
                talk.server = Some(server);
            }
            return if keep_client { Next::Keep } else { Next::Close };
        }
        Passed::Received(Received::Upgraded) => {
            let client = (&mut talk.reader, &mut talk.writer);
            let counts = (&account.sent, &account.received);
            relay(client, (&mut server.reader, &mut server.writer), counts).await;
            return Next::Abort;
        }
        Passed::Received(Received::Broken) | Passed::ClientGone => return Next::Abort,
        Passed::BadBody(reason) => {
            let reason = format!("the request is refused because in its body {reason}");
            let refusal = Refusal::Said { reason: reason.clone(), grant: None };
            account.close(|begun| begun.refused(&refusal));
            return talk.answer(&Answer::new(400, "Bad Request", reason), request).await;
        }
        Passed::Received(Received::Silent) => format!("`{}` ended the connection without an answer", server.target),
        Passed::Received(Received::Bad(reason)) => {
            format!("the answer of `{}` is refused because {reason}", server.target)
        }
    };
    account.close(|begun| begun.failed(reason.clone()));
    talk.answer(&Answer::new(502, "Bad Gateway", reason), request).await
}

/// The kept connection if it leads to this very target and is quiet, else a new one. A proxy does not pass on a change of the protocol, which is
/// between it and the gate (RFC 9110 section 7.8): a WebSocket needs a connection that ends at the server.
async fn take_server<C, D>(
    talk: &mut Conversation<C, D>,
    target: &Target,
    websocket: bool,
) -> Result<Server<D::Stream>, Refusal>
where
    C: AsyncRead + AsyncWrite + Unpin,
    D: Door,
{
    if let Some(mut server) = talk.server.take()
        && server.target == *target
        && !(websocket && server.hop.is_some())
        && server.reader.is_quiet().await
    {
        return Ok(server);
    }
    open_server(talk, target, websocket).await
}

/// A new connection; see [`Door::open`].
async fn open_server<C, D>(
    talk: &mut Conversation<C, D>,
    target: &Target,
    to_the_end: bool,
) -> Result<Server<D::Stream>, Refusal>
where
    C: AsyncRead + AsyncWrite + Unpin,
    D: Door,
{
    let Opened { stream, address, hop } = talk.door.open(target, to_the_end).await?;
    let (reader, writer) = split(stream);
    let reader = Reader::new(reader, Vec::new(), talk.door.budget());
    Ok(Server { target: target.clone(), address, reader, writer, hop, used: false })
}

/// Sends the request while the response may already be coming: a server may refuse a body before it has all of it, and one
/// that answers as it reads must not be left with a full pipe.
async fn pass<C, D>(
    talk: &mut Conversation<C, D>,
    request: &Request,
    server: &mut Server<D::Stream>,
    head: &[u8],
    account: &Account<D>,
) -> Passed
where
    C: AsyncRead + AsyncWrite + Unpin,
    D: Door,
{
    let ask = Ask {
        method: request.method.clone(),
        version: request.version,
        keep: request.keep_alive,
        websocket: request.websocket,
        by_proxy: server.hop.is_some(),
        uploaded: Cell::new(false),
        answered: Cell::new(false),
    };
    let Server { reader: from_server, writer: to_server, .. } = server;
    let (from_client, to_client) = (&mut talk.reader, &mut talk.writer);
    let mut up = pin!(async {
        send(to_server, head).await.map_err(|_| BodyError::Sink)?;
        let chunked = request.body == Framing::Chunked;
        if request.body != Framing::None {
            carry_body(from_client, request.body, to_server, chunked, &account.sent).await?;
        }
        ask.uploaded.set(true);
        Ok(())
    });
    let mut down = pin!(receive(from_server, to_client, &ask, &account.received));
    let mut sending = true;
    loop {
        select! {
            biased;
            result = &mut up, if sending => {
                sending = false;
                match result {
                    // Where the server takes no more, it has answered, or its silence tells.
                    Ok(()) | Err(BodyError::Sink) => {}
                    Err(BodyError::Malformed(error)) if !ask.answered.get() => return Passed::BadBody(error.to_string()),
                    Err(BodyError::Malformed(_) | BodyError::Source) => return Passed::ClientGone,
                }
            }
            result = &mut down => return Passed::Received(result),
        }
    }
}
