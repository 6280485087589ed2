//! Carrying one connection to its target: decide, look at what is said first, reach, carry.
//!
//! | the rule, the port | what is said first |
//! | --- | --- |
//! | `opaque` | is not looked at |
//! | port 443 | must be TLS and name the target |
//! | port 80 | must be HTTP; each request must name the target |
//! | another port | if it is TLS or HTTP, it must name the target; else it is carried as it is, and the server may speak first |
//! | `inspect` | must be TLS or HTTP, on every port |

use std::net::SocketAddr;
use std::rc::Rc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::decide::Allowed;
use crate::event::{Begun, Way};
use crate::first::{First, Said};
use crate::gate::{Gate, Reached, Target};
use crate::http::{self, Scope};
use crate::inspect;
use crate::program::Program;
use crate::refusal::{Refusal, shown};
use crate::socket::reset;
use crate::tunnel::{Carried, tunnel};

/// Carries a connection that came by `way` to `target`, of which `first` was read already, until it is over; tells how it went.
pub(crate) async fn carry(
    gate: Rc<Gate>,
    client: TcpStream,
    target: Target,
    way: Way,
    program: Program,
    first: Vec<u8>,
) {
    let begun = Begun::now(way, &target.host.to_string(), target.port, program.clone());
    // What is needed until the bytes flow is given back before they do: most of a connection's life needs little.
    let started = Box::pin(start(gate.clone(), client, target, way, program, begun, first)).await;
    if let Some(open) = started {
        open.carry().await;
    }
}

/// Everything before the bytes flow. None if the connection is over, or was carried by another module.
async fn start(
    gate: Rc<Gate>,
    mut client: TcpStream,
    target: Target,
    way: Way,
    program: Program,
    begun: Begun,
    first: Vec<u8>,
) -> Option<Open> {
    let mut first = First::new(&gate, first);
    let next = match steer(&gate, &mut client, &target, &mut first).await {
        Ok(next) => next,
        Err(refusal) => {
            // Until then the client holds the socket by which its program is found.
            begun.settled().await;
            gate.tell(begun.refused(&refusal));
            reset(client);
            return None;
        }
    };
    match next {
        Next::Raw(mut reached) => match send_first(&gate, &mut reached.stream, &target, &first).await {
            Ok(sent) => Some(Open::new(gate, client, reached, begun, sent)),
            Err(refusal) => {
                begun.settled().await;
                gate.tell(begun.refused(&refusal));
                reset(client);
                None
            }
        },
        Next::Http(reached) => {
            let scope = Scope::Plain { target, way, program, reached };
            http::forward(gate, client, first.into_bytes(), scope).await;
            None
        }
        Next::Inspect => {
            inspect::inspect(gate, client, first.into_bytes(), target, way, program).await;
            None
        }
    }
}

/// How a connection goes on.
enum Next {
    /// As it is.
    Raw(Reached),
    /// Request by request; reached already, or not.
    Http(Option<Reached>),
    /// With its TLS ended here.
    Inspect,
}

/// Decides, and looks at what is said first where the rule wants that.
async fn steer(gate: &Gate, client: &mut TcpStream, target: &Target, first: &mut First) -> Result<Next, Refusal> {
    let Allowed { handling, .. } = gate.decide(target)?;
    if handling.opaque {
        return gate.reach(target).await.map(Next::Raw);
    }
    if target.port == 80 {
        return Ok(Next::Http(None));
    }
    if target.port == 443 || handling.inspect {
        // Nothing leaves before it is known that the client means the target.
        let said = first.known(gate, client, target).await?;
        return match said {
            Said::Tls(_) if handling.inspect => Ok(Next::Inspect),
            Said::Tls(hello) => {
                fits(&hello, target)?;
                gate.reach(target).await.map(Next::Raw)
            }
            Said::Http if target.port != 443 => Ok(Next::Http(None)),
            Said::Http | Said::Other => Err(not_tls(target)),
        };
    }
    let reached = gate.reach(target).await?;
    if first.is_empty() && server_speaks_first(client, &reached.stream).await {
        return Ok(Next::Raw(reached));
    }
    match first.known(gate, client, target).await? {
        Said::Tls(hello) => {
            fits(&hello, target)?;
            Ok(Next::Raw(reached))
        }
        Said::Http => Ok(Next::Http(Some(reached))),
        Said::Other => Ok(Next::Raw(reached)),
    }
}

/// Waits until either side has something to say, or ends, for as long as it takes: protocols differ in who begins.
///
/// The bytes are looked at: that a socket seems readable does not say that there is something.
async fn server_speaks_first(client: &TcpStream, server: &TcpStream) -> bool {
    let (mut from_client, mut from_server) = ([0], [0]);
    tokio::select! {
        biased;
        _ = client.peek(&mut from_client) => false,
        _ = server.peek(&mut from_server) => true,
    }
}

/// Does the handshake name the target?
fn fits(hello: &crate::tls::hello::ClientHello, target: &Target) -> Result<(), Refusal> {
    hello.names(&target.host).map_err(|misnamed| Refusal::Said {
        reason: shown(&format!("the TLS handshake on a connection to `{target}` does not fit: {misnamed}")),
        grant: opaque_rule(target),
    })
}

fn not_tls(target: &Target) -> Refusal {
    Refusal::Said {
        reason: shown(&format!("what was said first on a connection to `{target}` is not TLS")),
        grant: opaque_rule(target),
    }
}

/// The rule with which what is said is not looked at.
pub(crate) fn opaque_rule(target: &Target) -> Option<String> {
    Some(format!("[network] allow = [{{ host = \"{}\", opaque = true }}]", shown(&target.to_string())))
}

/// Sends on what was read already.
async fn send_first(gate: &Gate, server: &mut TcpStream, target: &Target, first: &First) -> Result<u64, Refusal> {
    let bytes = first.bytes();
    if bytes.is_empty() {
        return Ok(0);
    }
    let broken = |answer: std::io::Error| Refusal::Unreachable {
        target: shown(&target.to_string()),
        kind: answer.kind(),
        answers: format!("sending the first bytes failed: {answer}"),
    };
    match timeout(gate.limits.first_bytes, server.write_all(bytes)).await {
        Ok(sent) => sent.map_err(broken)?,
        Err(_elapsed) => return Err(broken(std::io::ErrorKind::TimedOut.into())),
    }
    Ok(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
}

/// A connection whose bytes flow.
struct Open {
    client: TcpStream,
    server: TcpStream,
    ending: Ending,
}

impl Open {
    fn new(gate: Rc<Gate>, client: TcpStream, reached: Reached, begun: Begun, sent: u64) -> Open {
        let Reached { stream: server, address, rule } = reached;
        let carried = Carried::default();
        carried.sent.set(sent);
        Open { client, server, ending: Ending { gate, carried, what: Some((begun, address, rule)) } }
    }

    async fn carry(self) {
        let Open { client, server, ending } = self;
        tunnel(client, server, &ending.gate.pipes, &ending.carried).await;
    }
}

/// Tells how a connection went when it is over, also when the gate ends before it.
struct Ending {
    gate: Rc<Gate>,
    carried: Carried,
    what: Option<(Begun, SocketAddr, String)>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some((begun, address, rule)) = self.what.take() {
            let (sent, received) = (self.carried.sent.get(), self.carried.received.get());
            self.gate.tell(begun.allowed(Some(address), rule, sent, received));
        }
    }
}
