//! The name server of the inside.
//!
//! It asks nobody. Whether a name exists is the policy's word: an allowed name has a synthetic address, a refused one does not
//! exist. So no label of any name leaves, and DNS is no channel. Real addresses are looked up when an allowed connection is made.
//!
//! | file | subject |
//! | --- | --- |
//! | `name` | names in messages, compression |
//! | `message` | messages, read and written; also used by the resolver of the outside |
//! | `answer` | a query's answer, without any input or output |
//! | `told` | which names were told already |
//! | `serve` | the answerer on UDP and TCP |
//! | `datagram` | datagrams with the address that they were sent to |

pub(crate) mod answer;
mod datagram;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
pub(crate) mod message;
mod name;
mod serve;
mod told;

pub(crate) use serve::{serve_tcp, serve_udp};
pub(crate) use told::Told;
