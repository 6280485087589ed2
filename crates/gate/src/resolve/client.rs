//! One question to one server.
//!
//! An answer counts only if it comes from the server to a socket made for this question (each has a source port that the system
//! chose at random), with this question's random id, and repeats the question (RFC 5452).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::LazyLock;
use std::time::Duration;

use rustls::crypto::SecureRandom;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use super::ServerError;
use super::response::{Reading, Unfit, read};
use crate::dns::message::{Message, Name};

/// Longest datagram that is taken. Without the extension record servers send 512 bytes at most and say that there is more.
const DATAGRAM: usize = 4_096;
/// Longest answer that is taken over TCP: more addresses than any name has. 65,535 could be said, and held many times over.
const LONGEST: usize = 16_384;
/// So many datagrams that are not the answer, and the server is given up: forging answers takes tens of thousands.
const MOST_NOISE: usize = 32;

static RANDOM: LazyLock<&'static dyn SecureRandom> =
    LazyLock::new(|| rustls::crypto::ring::default_provider().secure_random);

/// A random id; none where the system has no random numbers.
pub(super) fn random_id() -> Option<u16> {
    let mut bytes = [0; 2];
    RANDOM.fill(&mut bytes).ok()?;
    Some(u16::from_be_bytes(bytes))
}

/// Asks `server` for records of type `kind`, over UDP and, if the answer is cut short or `tcp` says so, over TCP. Takes `patience` at
/// most.
pub(super) async fn ask(
    server: SocketAddr,
    query: &Message,
    patience: Duration,
    tcp: bool,
) -> Result<Reading, ServerError> {
    let until = Instant::now() + patience;
    if !tcp {
        let reading = over_udp(server, query, until).await?;
        if reading != Reading::Truncated {
            return Ok(reading);
        }
    }
    match over_tcp(server, query, until).await? {
        Reading::Truncated => Err(ServerError::Malformed("it is cut short although it came over TCP".to_owned())),
        reading => Ok(reading),
    }
}

async fn over_udp(server: SocketAddr, query: &Message, until: Instant) -> Result<Reading, ServerError> {
    let any = match server.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await.map_err(failed)?;
    // From here on the kernel drops what others send.
    socket.connect(server).await.map_err(failed)?;
    socket.send(&query.write()).await.map_err(failed)?;
    let mut buffer = vec![0; DATAGRAM];
    let mut malformed = None;
    for _ in 0..MOST_NOISE {
        let length = match timeout_at(until, socket.recv(&mut buffer)).await {
            Err(_) => return Err(malformed.unwrap_or(ServerError::Silent)),
            Ok(received) => received.map_err(failed)?,
        };
        match read(buffer.get(..length).unwrap_or_default(), query) {
            Ok(reading) => return Ok(reading),
            Err(Unfit::Server(error)) => return Err(error),
            // The true answer may still come.
            Err(Unfit::Other) => {}
            Err(Unfit::Malformed(error)) => malformed = Some(ServerError::Malformed(error.to_string())),
        }
    }
    Err(malformed.unwrap_or(ServerError::Noise))
}

async fn over_tcp(server: SocketAddr, query: &Message, until: Instant) -> Result<Reading, ServerError> {
    let exchange = async {
        let mut stream = TcpStream::connect(server).await?;
        let bytes = query.write();
        let length = u16::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut framed = length.to_be_bytes().to_vec();
        framed.extend(bytes);
        stream.write_all(&framed).await?;
        let length = usize::from(stream.read_u16().await?);
        if length > LONGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer).await?;
        io::Result::Ok(answer)
    };
    let answer = timeout_at(until, exchange).await.map_err(|_| ServerError::Silent)?.map_err(failed)?;
    read(&answer, query).map_err(|unfit| match unfit {
        Unfit::Server(error) => error,
        Unfit::Other => ServerError::Malformed("it answers another question".to_owned()),
        Unfit::Malformed(error) => ServerError::Malformed(error.to_string()),
    })
}

fn failed(error: io::Error) -> ServerError {
    ServerError::Io(error.kind())
}

/// The question for a name, with a random id; none where the system has no random numbers.
pub(super) fn question(name: &Name, kind: u16) -> Option<Message> {
    Some(Message::ask(random_id()?, name.clone(), kind))
}
