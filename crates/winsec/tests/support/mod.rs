//! What the tests of the access check share.
//!
//! | file | subject |
//! | --- | --- |
//! | `shapes.rs` | random tokens, descriptors and requests, dense in what decides |
//! | `reference.rs` | the access check once more, right by right, as the documents put it |
//! | `skip.rs` | a test that cannot run here says so |

// Each test binary uses a part of this. clippy.toml allows unwrapping in tests, but clippy knows only functions marked as such.
#![allow(dead_code, clippy::unwrap_used)]

pub(crate) mod reference;
pub(crate) mod shapes;
pub(crate) mod skip;
