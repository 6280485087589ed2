//! The Linux tiers of bailiwick.
//!
//! ```text
//! Boundary ──► Plan ──► Enclosure ──► Event…, Outcome
//!      plan      enter       supervise
//! ```

pub mod api;
