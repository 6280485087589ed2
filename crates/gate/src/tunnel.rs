//! Carrying bytes between two connections until both are over.
//!
//! On Linux bytes go from socket to pipe to socket without being copied into this process. A tunnel holds a pipe only while bytes are under
//! way, so an idle one costs two descriptors and its own state. A reader that stops keeps at most one pipe full (or, where there are no more
//! pipes, a bounded remainder), and nobody else waits for it.

use std::cell::Cell;

#[cfg(target_os = "linux")]
mod direction;
#[cfg(target_os = "linux")]
mod pipes;
#[cfg(not(target_os = "linux"))]
mod plain;
#[cfg(target_os = "linux")]
mod splice;
#[cfg(target_os = "linux")]
mod unsent;

#[cfg(target_os = "linux")]
pub(crate) use pipes::Pipes;
#[cfg(not(target_os = "linux"))]
pub(crate) use plain::{Pipes, tunnel};
#[cfg(target_os = "linux")]
pub(crate) use splice::tunnel;

/// What a tunnel has carried so far.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    /// Bytes from the client to the server.
    pub(crate) sent: Cell<u64>,
    /// Bytes from the server to the client.
    pub(crate) received: Cell<u64>,
}

#[cfg(test)]
mod tests;
