//! The Linux tiers of bailiwick.
//!
//! ```text
//! Boundary ──► Plan ──► Enclosure ──► Event…, Outcome
//!      plan      enter       supervise
//! ```

pub mod api;
#[cfg(target_os = "linux")]
mod enter;
pub mod plan;
#[cfg(target_os = "linux")]
pub mod run;
#[cfg(target_os = "linux")]
mod supervise;
#[cfg(target_os = "linux")]
pub mod facts;
#[cfg(target_os = "linux")]
pub mod landlock;
#[cfg(target_os = "linux")]
pub mod promises;
#[cfg(target_os = "linux")]
pub mod seccomp;
#[cfg(target_os = "linux")]
pub mod sys;
#[cfg(target_os = "linux")]
pub mod userns;
pub mod terminal;
pub mod watch;
pub mod quarantine;
