//! The user's terminal, kept apart from the inside.
//!
//! The inside has a pseudo-terminal of its own and never a descriptor of the user's. The supervisor carries bytes between
//! the two: the keyboard's as they are, the inside's output through a filter.
//!
//! ```text
//! Wiring::decide ──► Outer (the user's terminal) ◄──► Relay ◄──► master of the inside's pseudo-terminal
//!                                                      └── Filter (output only)
//! ```

mod buffer;
pub mod filter;
pub mod outer;
pub mod relay;
pub mod wiring;

pub use filter::Filter;
pub use outer::{Outer, TerminalError};
pub use relay::Relay;
pub use wiring::{End, Source, Wiring};
