//! The answerer at its sockets.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::answer::{Answer, Asked, AskedError, LONGEST_QUERY, answer};
use super::datagram::Datagrams;
use super::told::Tell;
use crate::event::{Begun, Way};
use crate::gate::Gate;
use crate::refusal::{Refusal, shown};

/// How long a client on TCP may take for its next query.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to leave a socket alone that failed, so that a lasting error does not take a whole processor.
const PAUSE: Duration = Duration::from_millis(20);

/// Answers datagrams at `socket` as long as it is polled. The answer comes from the address that the query was sent to.
///
/// A datagram that cannot be answered at once is not answered: the asking side asks again, and nothing is kept for it.
pub(crate) async fn serve_udp(gate: Rc<Gate>, socket: UdpSocket) -> io::Result<()> {
    let datagrams = Datagrams::new(socket)?;
    // One byte more than is read, to tell what is too long.
    let mut buffer = vec![0; LONGEST_QUERY + 1];
    loop {
        match datagrams.receive(&mut buffer).await {
            Ok((length, from)) => {
                if let Some(bytes) = buffer.get(..length).and_then(|query| respond(&gate, query, from.peer())) {
                    // What cannot be delivered is the asking side's loss.
                    let _ = datagrams.reply(&bytes, &from);
                }
            }
            // An answer that nobody took comes back as an error of the next receive (udp(7)).
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Answers queries on a connection until the client ends it, dawdles, or sends what is no query. Each is preceded by its length (RFC
/// 1035, 4.2.2).
pub(crate) async fn serve_tcp(gate: Rc<Gate>, mut stream: TcpStream) {
    let peer = stream.peer_addr().ok();
    while let Ok(Ok(Some(query))) = timeout(PATIENCE, read_query(&mut stream)).await {
        let Some(bytes) = respond(&gate, &query, peer) else { return };
        let Ok(length) = u16::try_from(bytes.len()) else { return };
        let mut framed = Vec::with_capacity(bytes.len() + 2);
        framed.extend(length.to_be_bytes());
        framed.extend(bytes);
        if !matches!(timeout(PATIENCE, stream.write_all(&framed)).await, Ok(Ok(()))) {
            return;
        }
    }
}

/// The next query; none where it is longer than any is.
async fn read_query(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let length = usize::from(stream.read_u16().await?);
    if length > LONGEST_QUERY {
        return Ok(None);
    }
    let mut query = vec![0; length];
    stream.read_exact(&mut query).await?;
    Ok(Some(query))
}

fn respond(gate: &Gate, query: &[u8], peer: Option<std::net::SocketAddr>) -> Option<Vec<u8>> {
    let decide = |name: &str| gate.decide_name(name);
    let Answer { bytes, asked } = answer(query, decide, &mut gate.synthetic.borrow_mut());
    if let Some(asked) = asked {
        tell(gate, asked, peer);
    }
    bytes
}

/// Tells what was asked for, each name once.
fn tell(gate: &Gate, asked: Asked, peer: Option<std::net::SocketAddr>) {
    let tell = gate.told.borrow_mut().first(&asked.name);
    if tell == Tell::No {
        return;
    }
    let program = peer.and_then(|peer| gate.program_of(peer));
    let begun = Begun::now(Way::Dns, &asked.name, 0, program);
    if tell == Tell::Last {
        let reason =
            "more names were looked up than are told one by one; later ones are answered, and not told".to_owned();
        return gate.tell(begun.failed(reason));
    }
    gate.tell(match asked.result {
        Ok(rule) => begun.allowed(None, rule, 0, 0),
        Err(AskedError::Refused(refusal)) => begun.refused(&refusal),
        Err(AskedError::NotAHost) => {
            let reason = format!("`{}` is not a host name, so no rule can allow it", shown(&asked.name));
            begun.refused(&Refusal::Denied { reason, rule: None, grant: None })
        }
        Err(AskedError::TooMany) => begun.failed(format!(
            "the run has looked up {} names, and a name keeps its address: no other gets one; start a new run",
            crate::synthetic::MOST_NAMES
        )),
    });
}

#[cfg(test)]
mod tests;
