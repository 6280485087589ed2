//! What the gate reads of TLS without ending it: the first message of the client.

#[cfg(fuzzing)]
pub(crate) mod fuzzing;
pub mod hello;
