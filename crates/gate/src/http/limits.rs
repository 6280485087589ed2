//! The bounds of HTTP conversations.

use std::time::Duration;

/// How long a client may take for a whole request head, from its first byte.
pub(crate) const HEAD: Duration = Duration::from_secs(10);

/// How long a client may leave its connection idle before the first and between two requests.
pub(crate) const IDLE: Duration = Duration::from_secs(75);

/// How long a server may think about a request. Long polling exists; a dead server is found by TCP before that.
pub(crate) const THINKING: Duration = Duration::from_secs(600);

/// How long a server may take for a whole response head, from its first byte.
pub(crate) const RESPONSE_HEAD: Duration = Duration::from_secs(30);

/// Interim responses (1xx) before the final one.
pub(crate) const MOST_INTERIM: usize = 16;

/// Bytes read at one time, and the most that one direction of a connection holds while the other side does not take them.
pub(crate) const PIECE: usize = 8 * 1024;

/// Bytes that a connection may hold without asking the common budget.
pub(crate) const FREE: usize = 4 * 1024;

/// After an answer that ends the connection: how much, and for how long, is still read and dropped, so that the system's
/// reset for unread bytes does not destroy the answer on its way (RFC 9112 section 9.6).
pub(crate) const LINGER_BYTES: usize = 4 * 1024 * 1024;

/// See [`LINGER_BYTES`].
pub(crate) const LINGER: Duration = Duration::from_secs(2);
