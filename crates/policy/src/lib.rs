//! What a sandboxed coding agent may do.
//!
//! ```text
//! documents ──► Policy ──► Boundary ──► decide()
//!   profile      merge      resolve      grant(), explain()
//! ```
//!
//! The crate is pure but for canonicalising paths and reading the documents themselves; it runs on every platform.

pub mod boundary;
pub mod decide;
pub mod guarantee;
pub mod host;
pub mod host_pattern;
pub mod origin;
pub mod policy;
pub mod text;
