//! Which addresses may be dialled: what the policy knows of special addresses, which are this machine's own, and
//! which a translator of its network carries elsewhere.

mod own;
mod translator;

pub use bailiwick_policy::address::{Special, check, readings, special};
pub use own::own_among;
pub(crate) use translator::{Prefix, Translators, WELL_KNOWN_NAME};

#[cfg(test)]
mod tests;
