//! The door for every program: an ordinary `connect()` that a listener of the gate accepted, whatever the address was.

use std::net::SocketAddr;
use std::rc::Rc;

use tokio::net::TcpStream;

use crate::carry::carry;
use crate::event::Way;
use crate::gate::Gate;
use crate::program::{Connection, Transport};
use crate::socket::reset;

/// Finds out what a connection was meant for, from the accepted socket's own address and that of the client, where the
/// accepted socket's own address is not it.
pub type FindDestination = Box<dyn Fn(SocketAddr, SocketAddr) -> SocketAddr + Send>;

/// Carries an accepted connection. `port` is the port that the listener stands for.
pub(crate) async fn accepted(gate: Rc<Gate>, client: TcpStream, peer: SocketAddr, port: u16) {
    let Ok(local) = client.local_addr() else {
        // It is gone already.
        return reset(client);
    };
    let asked = match &gate.find_destination {
        Some(find) => find(local, peer),
        None => SocketAddr::new(local.ip(), port),
    };
    let target = gate.target(asked.ip(), asked.port());
    let program = gate.programs.of(&Connection { transport: Transport::Tcp, inside: peer, asked: local });
    carry(gate, client, target, Way::Transparent, program, Vec::new()).await;
}
