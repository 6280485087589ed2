//! SOCKS5 (RFC 1928) with user name and password (RFC 1929): CONNECT only.
//!
//! BIND and UDP ASSOCIATE are refused: the first would let the outside in, the second let out what nobody decides about.
//! SOCKS4 is refused: it has no password, and its names are an afterthought.

#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod message;

use std::rc::Rc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::carry;
use crate::event::{Begun, Way};
use crate::gate::{Gate, Target};
use crate::http::door::meant;
use crate::http::reader::Reader;
use crate::http::same_secret;
use crate::program::Program;
use crate::refusal::Refusal;
use crate::secret::Secret;
use message::{Malformed, Method, Parsed, Wanted};

/// How long the whole handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Why there is no target to carry to.
enum Ended {
    /// The client ended, was too slow, or the connection failed: nobody is there to be answered.
    Silently,
    /// The client was answered, and this is told.
    Told(Box<Begun>, Refusal),
}

/// Serves one client. If there is a secret, the client has to say it as user name and password.
pub(crate) async fn serve(gate: Rc<Gate>, client: TcpStream, secret: Option<&Secret>) {
    let program = gate.programs.behind(&client);
    let mut reader = Reader::new(client, Vec::new(), gate.budget.clone());
    let agreed = timeout(HANDSHAKE, handshake(&gate, secret, &mut reader, &program)).await;
    match agreed {
        Ok(Ok(target)) => {
            let (client, first) = reader.into_parts();
            carry::carry(gate, client, target, Way::Socks, program, first).await;
        }
        Ok(Err(Ended::Told(begun, refusal))) => {
            begun.settled().await;
            gate.tell(begun.refused(&refusal));
            // What was said is on its way; the client's end is waited for, but not long.
            let _ = timeout(Duration::from_secs(2), ended(&mut reader)).await;
        }
        Ok(Err(Ended::Silently)) | Err(_) => {}
    }
}

/// Sends the end, and reads until the client's.
async fn ended(reader: &mut Reader<TcpStream>) -> std::io::Result<()> {
    reader.get_mut().shutdown().await?;
    // A client has nothing to say any more; what it says anyway is bounded.
    for _ in 0..64 {
        let held = reader.bytes().len();
        reader.consume(held);
        if reader.fill().await? == 0 {
            break;
        }
    }
    Ok(())
}

/// From the greeting to the reply. The target may be reached; nothing has been dialled.
async fn handshake(
    gate: &Gate,
    secret: Option<&Secret>,
    reader: &mut Reader<TcpStream>,
    program: &Program,
) -> Result<Target, Ended> {
    let begin = |host: &str, port: u16| Box::new(Begun::now(Way::Socks, host, port, program.clone()));
    let refused = |reason: &str| Ended::Told(begin("", 0), Refusal::Said { reason: reason.to_owned(), grant: None });
    agree(secret, reader).await.map_err(|error| match error {
        Some(reason) => refused(reason),
        None => Ended::Silently,
    })?;
    let wanted = match read(reader, message::request).await {
        Ok(wanted) => wanted,
        Err(None) => return Err(Ended::Silently),
        Err(Some(error)) => {
            answer(reader, &message::reply(error.reply())).await;
            return Err(refused(error.words()));
        }
    };
    let target = match wanted {
        Wanted::Connect(host, port) => Target { host, port },
        Wanted::Other => {
            answer(reader, &message::reply(message::COMMAND_NOT_SUPPORTED)).await;
            return Err(refused(
                "a SOCKS client asked for something else than CONNECT: only TCP connections are carried",
            ));
        }
    };
    let begun = begin(&target.host.to_string(), target.port);
    let decided = meant(gate, target).and_then(|target| gate.decide(&target).map(|_| target));
    match decided {
        Ok(target) => {
            answer(reader, &message::reply(message::SUCCEEDED)).await;
            Ok(target)
        }
        Err(refusal) => {
            answer(reader, &message::reply(refusal.socks_reply())).await;
            Err(Ended::Told(begun, refusal))
        }
    }
}

/// Greeting and password. The error is what to tell, or nothing.
async fn agree(secret: Option<&Secret>, reader: &mut Reader<TcpStream>) -> Result<(), Option<&'static str>> {
    let offer = match read(reader, message::greeting).await {
        Ok(offer) => offer,
        Err(None) => return Err(None),
        Err(Some(error)) => {
            if error == Malformed::Version4 {
                answer(reader, &message::REFUSED_4).await;
            }
            return Err(Some(error.words()));
        }
    };
    match (secret, offer.password, offer.nothing) {
        (None, _, true) => {
            answer(reader, &message::choice(Method::Nothing)).await;
            Ok(())
        }
        // A client with a password in its settings may offer nothing else. Any will do where none is needed.
        (_, true, _) => {
            answer(reader, &message::choice(Method::Password)).await;
            let login = read(reader, message::login).await.map_err(|error| error.map(Malformed::words))?;
            let right = secret.is_none_or(|secret| {
                // Both are always compared.
                same_secret(&login.user, secret.user()) & same_secret(&login.password, secret.password())
            });
            answer(reader, &message::login_reply(right)).await;
            if right { Ok(()) } else { Err(Some("a SOCKS client said a wrong user name or password")) }
        }
        (Some(_), false, _) => {
            answer(reader, &message::choice(Method::None)).await;
            Err(Some("a SOCKS client did not offer to say the password of this run"))
        }
        (None, false, false) => {
            answer(reader, &message::choice(Method::None)).await;
            Err(Some("a SOCKS client offered only ways to log in that are not spoken here"))
        }
    }
}

/// Reads one message. `None` if the connection ends or fails within it.
async fn read<T>(
    reader: &mut Reader<TcpStream>,
    parse: impl Fn(&[u8]) -> Result<Parsed<T>, Malformed>,
) -> Result<T, Option<Malformed>> {
    loop {
        match parse(reader.bytes()).map_err(Some)? {
            Parsed::Whole(message, length) => {
                reader.consume(length);
                return Ok(message);
            }
            Parsed::More => match reader.fill().await {
                Ok(0) | Err(_) => return Err(None),
                Ok(_) => {}
            },
        }
    }
}

/// Writes an answer. A client that is gone is found out at the next read.
async fn answer(reader: &mut Reader<TcpStream>, bytes: &[u8]) {
    let _ = reader.get_mut().write_all(bytes).await;
}

#[cfg(test)]
mod tests;
