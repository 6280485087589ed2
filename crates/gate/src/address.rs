//! Which addresses may be dialled: what the policy knows of special addresses, and which are this machine's own.

mod own;

pub use bailiwick_policy::address::{Special, check, readings, special};
pub use own::own_among;

#[cfg(test)]
mod tests;
