//! The tunnel where there is no `splice`: bytes are copied through small buffers.

use std::rc::Rc;

use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::TcpStream;

use super::Carried;
use crate::budget::Budget;
use crate::socket::reset;

/// Nothing is pooled here.
pub(crate) struct Pipes;

impl Pipes {
    /// No pipes.
    pub(crate) fn new(_budget: Rc<Budget>) -> Pipes {
        Pipes
    }
}

/// Bytes of buffer in each direction.
const BUFFER: usize = 4096;

/// Carries bytes both ways until both ends are over or one breaks. `carried` is added to.
pub(crate) async fn tunnel(mut client: TcpStream, mut server: TcpStream, _pipes: &Pipes, carried: &Carried) {
    match copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER, BUFFER).await {
        Ok((sent, received)) => {
            carried.sent.set(carried.sent.get().saturating_add(sent));
            carried.received.set(carried.received.get().saturating_add(received));
        }
        // One end broke: the other learns it the same way. What was carried until then is not known here.
        Err(_broken) => {
            reset(client);
            reset(server);
        }
    }
}
