//! The answerer at its sockets.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::spawn_local;
use tokio::time::timeout;

use super::answer::{Answer, Asked, AskedError, LONGEST_QUERY, answer};
use super::datagram::Datagrams;
use super::told::Tell;
use crate::event::{Begun, Way};
use crate::gate::Gate;
use crate::late;
use crate::program::{Connection, Program, Transport};
use crate::refusal::{Refusal, shown};

/// How long a client on TCP may take for its next query.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to leave a socket alone that failed, so that a lasting error does not take a whole processor.
const PAUSE: Duration = Duration::from_millis(20);

/// Answers datagrams at `socket` as long as it is polled. The answer comes from the address that the query was sent to.
///
/// A datagram that cannot be answered at once is not answered: the asking side asks again, and nothing is kept for it.
pub(crate) async fn serve_udp(gate: Rc<Gate>, socket: UdpSocket) -> io::Result<()> {
    let datagrams = Rc::new(Datagrams::new(socket)?);
    // One byte more than is read, to tell what is too long.
    let mut buffer = vec![0; LONGEST_QUERY + 1];
    loop {
        match datagrams.receive(&mut buffer).await {
            Ok((length, from)) => {
                let connection = datagrams.connection(&from);
                let response = buffer.get(..length).map(|query| respond(&gate, query, connection));
                let Some(Response { bytes: Some(bytes), refused }) = response else { continue };
                // What cannot be delivered is the asking side's loss.
                match refused.filter(|program| !program.is_settled()) {
                    None => drop(datagrams.reply(&bytes, &from)),
                    Some(program) => {
                        let datagrams = datagrams.clone();
                        spawn_local(async move {
                            program.settled().await;
                            let _ = datagrams.reply(&bytes, &from);
                        });
                    }
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
    let ends = stream.peer_addr().and_then(|inside| Ok((inside, stream.local_addr()?)));
    let connection = ends.ok().map(|(inside, asked)| Connection { transport: Transport::Tcp, inside, asked });
    while let Ok(Ok(Some(query))) = timeout(PATIENCE, read_query(&mut stream)).await {
        let Response { bytes: Some(bytes), refused } = respond(&gate, &query, connection) else { return };
        if let Some(program) = refused {
            program.settled().await;
        }
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

/// What is said to a query.
struct Response {
    /// Nothing, where it is no query.
    bytes: Option<Vec<u8>>,
    /// Who asked for a name that is refused and told. The answer waits until that is known: with it, the asker closes the socket by
    /// which it is found. Who asked for an allowed name is seen when it connects, and is not kept waiting.
    refused: Option<Program>,
}

fn respond(gate: &Rc<Gate>, query: &[u8], connection: Option<Connection>) -> Response {
    let decide = |name: &str| gate.decide_name(name);
    let Answer { bytes, asked } = answer(query, decide, &mut gate.synthetic.borrow_mut());
    Response { bytes, refused: asked.and_then(|asked| tell(gate, asked, connection)) }
}

/// Tells what was asked for, each name once. Gives who asks, if the name is refused.
fn tell(gate: &Rc<Gate>, asked: Asked, connection: Option<Connection>) -> Option<Program> {
    let tell = gate.told.borrow_mut().first(&asked.name);
    if tell == Tell::No {
        return None;
    }
    let program = connection.map_or_else(Program::unknown, |connection| gate.programs.of(&connection));
    let refused = asked.result.is_err().then(|| program.clone());
    let begun = Begun::now(Way::Dns, &asked.name, 0, program);
    late::tell(gate, begun, move |begun| match asked.result {
        _ if tell == Tell::Last => begun.failed(
            "more names were looked up than are told one by one; later ones are answered, and not told".to_owned(),
        ),
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
    refused
}

#[cfg(test)]
mod tests;
