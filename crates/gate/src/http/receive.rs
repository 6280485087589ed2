//! The way of a response from the server to the client.

use std::cell::Cell;

use tokio::io::{AsyncRead, AsyncWrite};

use super::carry_body::{add, carry_body};
use super::conversation::send;
use super::exchange::Ask;
use super::framing::{self, Framing};
use super::head::{ResponseHead, Version};
use super::limits;
use super::reader::{Reader, Unread};
use super::rewrite;

/// How the response went.
pub(super) enum Received {
    /// It was passed on whole.
    Whole {
        /// May the client's connection carry another request?
        keep_client: bool,
        /// May the server's?
        keep_server: bool,
    },
    /// Both sides now speak WebSocket.
    Upgraded,
    /// The server ended without a byte. Nothing was given to the client.
    Silent,
    /// The response is refused: why. Nothing of it was given to the client.
    Bad(String),
    /// It broke off, or the client did not take it.
    Broken,
}

/// Reads interim responses and the final one, and gives them to the client.
pub(super) async fn receive<R, W>(server: &mut Reader<R>, client: &mut W, ask: &Ask, received: &Cell<u64>) -> Received
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    for interim in 0..=limits::MOST_INTERIM {
        let head = match response_head(server, received).await {
            Ok(Some(head)) => head,
            Ok(None) if interim == 0 => return Received::Silent,
            Ok(None) => return Received::Bad("the connection ended after an interim response".to_owned()),
            Err(reason) => return Received::Bad(reason),
        };
        match head.status {
            101 => return upgrade(head, client, ask).await,
            100..=199 => {
                // HTTP/1.0 knows no interim responses (RFC 9110 section 15.2).
                let whole = rewrite::response(head, Framing::None, true);
                if ask.version == Version::Http11 && send(client, &whole).await.is_err() {
                    return Received::Broken;
                }
            }
            // Whose password that is, the inside neither knows nor learns.
            407 if ask.by_proxy => return Received::Bad("the proxy of the host asks for a password".to_owned()),
            _ => return last(head, server, client, ask, received).await,
        }
    }
    Received::Bad(format!("it has more than {} interim responses", limits::MOST_INTERIM))
}

/// The next response head; none if the connection ends, or fails, before its first byte.
async fn response_head<R: AsyncRead + Unpin>(
    server: &mut Reader<R>,
    received: &Cell<u64>,
) -> Result<Option<ResponseHead>, String> {
    let length = match server.head(limits::THINKING, limits::RESPONSE_HEAD).await {
        Ok(Some(length)) => length,
        Ok(None) => return Ok(None),
        Err(Unread::Broken(_)) if server.bytes().is_empty() => return Ok(None),
        Err(error) => return Err(words(&error)),
    };
    let head = ResponseHead::parse(server.bytes().get(..length).unwrap_or_default());
    server.consume(length);
    add(received, length as u64);
    head.map(Some).map_err(|error| error.to_string())
}

/// `101 Switching Protocols`: only to the WebSocket that was asked for. To anything else it would be the door to a protocol in
/// which nothing is decided.
async fn upgrade<W: AsyncWrite + Unpin>(head: ResponseHead, client: &mut W, ask: &Ask) -> Received {
    let agreed = head.fields.lists("upgrade", "websocket") && head.fields.lists("connection", "upgrade");
    if !ask.websocket || !agreed {
        return Received::Bad("it switches to a protocol that was not asked for".to_owned());
    }
    ask.answered.set(true);
    match send(client, &rewrite::response(head, Framing::None, true)).await {
        Ok(()) => Received::Upgraded,
        Err(_) => Received::Broken,
    }
}

/// The final response.
async fn last<R, W>(
    head: ResponseHead,
    server: &mut Reader<R>,
    client: &mut W,
    ask: &Ask,
    received: &Cell<u64>,
) -> Received
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let framing = match framing::of_response(&ask.method, head.status, &head.fields, head.version) {
        Ok(framing) => framing,
        Err(error) => return Received::Bad(format!("the length of its body is ambiguous: {error}")),
    };
    let to_client = rewrite::for_client(framing, ask.version);
    // An answer before the whole request has come: what is left of the request cannot be told from the next one.
    let keep_client = ask.keep && ask.uploaded.get() && to_client != Framing::UntilClose;
    let stays = head.version == Version::Http11 && !head.fields.lists("connection", "close");
    ask.answered.set(true);
    if send(client, &rewrite::response(head, to_client, keep_client)).await.is_err() {
        return Received::Broken;
    }
    if framing != Framing::None
        && carry_body(server, framing, client, to_client == Framing::Chunked, received).await.is_err()
    {
        return Received::Broken;
    }
    // What the server has said beyond its response answers nothing that was asked.
    let clean = framing != Framing::UntilClose && server.bytes().is_empty();
    Received::Whole { keep_client, keep_server: stays && clean && ask.uploaded.get() }
}

fn words(error: &Unread) -> String {
    match error {
        Unread::Idle => format!("none came within {} seconds", limits::THINKING.as_secs()),
        Unread::Late => format!("its head was not sent within {} seconds", limits::RESPONSE_HEAD.as_secs()),
        Unread::Cut => "the connection ended within its head".to_owned(),
        Unread::Malformed(error) => error.to_string(),
        Unread::Busy => "the gate has no memory left for its head".to_owned(),
        Unread::Broken(error) => format!("the connection failed within its head: {error}"),
    }
}
