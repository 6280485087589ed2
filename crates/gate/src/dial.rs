//! Connecting to checked addresses, after RFC 8305 ("happy eyeballs"): families take turns, the next address is tried when the one before
//! failed or has not answered for a while, and the first that answers is taken.

use std::fmt::Write as _;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::gate::Target;
use crate::refusal::{Refusal, shown};
use crate::socket;

/// How long an address is tried alone (RFC 8305, section 5: "Connection Attempt Delay").
const STAGGER: Duration = Duration::from_millis(250);

/// How many addresses of one name are tried.
const MOST: usize = 8;

/// Dials the addresses, which were all checked, and takes the first connection. Each address has `limit` to answer.
pub(crate) async fn dial(
    target: &Target,
    addresses: &[SocketAddr],
    limit: Duration,
) -> Result<(TcpStream, SocketAddr), Refusal> {
    let mut waiting = in_turns(addresses).into_iter().take(MOST);
    let mut attempts = Attempts { running: Vec::new() };
    let mut failures = Failures { answers: String::new(), last: None };
    loop {
        let is_last = match waiting.next() {
            Some(address) => {
                attempts.running.push(Box::pin(connect(address, limit)));
                waiting.len() == 0
            }
            None => true,
        };
        loop {
            if attempts.running.is_empty() {
                break;
            }
            let ended = if is_last { Ok(attempts.next().await) } else { timeout(STAGGER, attempts.next()).await };
            match ended {
                Ok((address, Ok(stream))) => {
                    socket::tune(&stream);
                    if address.ip().to_canonical().is_loopback() {
                        socket::tune_local(&stream);
                    }
                    return Ok((stream, address));
                }
                Ok((address, Err(error))) => {
                    failures.add(address, error);
                    if !is_last {
                        break;
                    }
                }
                Err(_elapsed) => break,
            }
        }
        if is_last {
            return Err(failures.refusal(target));
        }
    }
}

async fn connect(address: SocketAddr, limit: Duration) -> (SocketAddr, io::Result<TcpStream>) {
    let answer = timeout(limit, TcpStream::connect(address)).await;
    (address, answer.unwrap_or_else(|_elapsed| Err(io::ErrorKind::TimedOut.into())))
}

type Attempt = Pin<Box<dyn Future<Output = (SocketAddr, io::Result<TcpStream>)>>>;

struct Attempts {
    running: Vec<Attempt>,
}

impl Attempts {
    /// The next attempt that ends. Cancelling it loses nothing. There must be one.
    async fn next(&mut self) -> (SocketAddr, io::Result<TcpStream>) {
        poll_fn(|context| {
            for index in 0..self.running.len() {
                let Some(attempt) = self.running.get_mut(index) else { break };
                if let Poll::Ready(ended) = attempt.as_mut().poll(context) {
                    drop(self.running.swap_remove(index));
                    return Poll::Ready(ended);
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// What the addresses answered that did not connect.
struct Failures {
    answers: String,
    last: Option<io::ErrorKind>,
}

impl Failures {
    fn add(&mut self, address: SocketAddr, error: io::Error) {
        let between = if self.answers.is_empty() { "" } else { "; " };
        // Writing to a string cannot fail.
        let _ = write!(self.answers, "{between}{address} answered: {error}");
        self.last = Some(error.kind());
    }

    fn refusal(self, target: &Target) -> Refusal {
        let kind = self.last.unwrap_or(io::ErrorKind::AddrNotAvailable);
        Refusal::Unreachable { target: shown(&target.to_string()), kind, answers: shown(&self.answers) }
    }
}

/// IPv6 and IPv4 in turns, beginning with the family of the first address.
fn in_turns(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let mut same = addresses.iter().filter(|address| address.is_ipv6() == first_is_v6);
    let mut other = addresses.iter().filter(|address| address.is_ipv6() != first_is_v6);
    let mut turns = Vec::with_capacity(addresses.len());
    loop {
        let pair = (same.next(), other.next());
        turns.extend(pair.0);
        turns.extend(pair.1);
        if pair == (None, None) {
            return turns;
        }
    }
}

#[cfg(test)]
mod tests;
