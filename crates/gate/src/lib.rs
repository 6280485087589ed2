//! The network gate of bailiwick: the only way out.
//!
//! ```text
//!  inside                         gate                                             outside
//!  name?  ──► dns ──► decide ──► synthetic address
//!  connect ─► transparent ┐
//!  CONNECT ─► http        ├─► carry ─► decide ─► resolve ─► check addresses ─► dial ─► host
//!  SOCKS5 ──► socks       ┘     │
//!                               └─ what is said first must fit: tls (server name), http (host), or the rule says `opaque`
//! ```
//!
//! One function decides: [`bailiwick_policy`]'s `Boundary::decide`, by way of `decide`. No query leaves before it, and what
//! was decided is what is dialled. Everything that comes from the inside is hostile; so is what the resolver answers.
//! Nothing here knows which platform the inside is on: a tier hands in sockets and takes events.

pub mod address;
mod budget;
mod carry;
mod decide;
mod dial;
mod dns;
pub mod event;
mod first;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod http;
pub mod inspect;
mod late;
#[cfg(target_os = "linux")]
mod packets;
mod process;
mod program;
mod refusal;
pub mod resolve;
mod secret;
mod serve;
mod socket;
mod socks;
mod stop;
pub mod synthetic;
mod telling;
pub mod tls;
mod transparent;
mod tunnel;
mod upstream;
#[cfg(unix)]
mod watch;

pub use gate::{Limits, Target};
pub use program::{Connection, Transport, WhoAsks};
pub use refusal::Refusal;
pub use secret::Secret;
pub use serve::{Config, GateError, Sockets, serve};
pub use stop::{Stop, Stopper};
pub use transparent::FindDestination;
