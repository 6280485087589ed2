//! The doors of the fuzz targets (`fuzz/` at the root) to the parsers that are nobody else's business.
//!
//! Compiled with `--cfg fuzzing` only. Each function takes bytes as a hostile peer would send them and panics where a promise of
//! the parser does not hold: the same answer however the bytes are cut, what was written is read again as the same, bounds.

pub use crate::dns::fuzzing::{answer as dns_answer, message as dns_message};
pub use crate::http::fuzzing::{body as http_body, conversation as http_conversation};
pub use crate::http::fuzzing::{request as http_request, response as http_response};
pub use crate::resolve::fuzzing::response as dns_response;
pub use crate::socks::fuzzing::messages as socks;
pub use crate::tls::fuzzing::hello as tls_hello;

/// A number that follows from the bytes, so that an input is cut in the same way whenever it is run (FNV-1a).
pub(crate) fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Where the bytes end as they arrive in pieces: growing, the last one is their length.
///
/// The first few bytes and the last few come one at a time, where most of the edges are.
pub(crate) fn ends(bytes: &[u8]) -> Vec<usize> {
    let mut state = number(bytes) | 1;
    let mut ends = Vec::new();
    let mut end = 0;
    while end < bytes.len() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let piece = if end < 16 || end + 8 >= bytes.len() { 1 } else { 1 + (state >> 33) as usize % 40 };
        end = (end + piece).min(bytes.len());
        ends.push(end);
    }
    ends
}
