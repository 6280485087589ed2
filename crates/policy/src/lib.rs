//! What a sandboxed coding agent may do.
//!
//! ```text
//! documents ──► Policy ──► Boundary ──► decide()
//!   profile      merge      resolve      grant(), explain()
//! ```
//!
//! The crate is pure but for canonicalising paths and reading the documents themselves; it runs on every platform.

pub mod address;
pub mod boundary;
pub mod builtin;
pub mod credential;
pub mod decide;
pub mod document;
mod environment;
mod evaluate;
pub mod explain;
pub mod git;
pub mod glob;
pub mod guarantee;
pub mod host;
pub mod host_pattern;
pub mod host_rule;
pub mod keys;
pub mod locate;
pub mod merge;
pub mod nearest;
pub mod needs;
pub mod origin;
pub mod policy;
pub mod quick_hash;
pub mod reference;
pub mod request_pattern;
pub mod resolve;
pub mod schema;
pub mod search;
// Symbolic links, owners and paths as Unix has them.
#[cfg(unix)]
#[cfg(test)]
mod testing;
pub mod text;
pub mod trust;
