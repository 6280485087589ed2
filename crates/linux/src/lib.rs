//! The Linux tiers of bailiwick.
//!
//! ```text
//! Boundary ──► Plan ──► Enclosure ──► Event…, Outcome
//!      plan      enter       supervise
//! ```

pub mod api;
pub mod plan;

#[cfg(target_os = "linux")]
mod enter;
#[cfg(target_os = "linux")]
pub mod facts;
#[cfg(target_os = "linux")]
pub mod gate;
#[cfg(target_os = "linux")]
pub mod journal;
#[cfg(target_os = "linux")]
pub mod landlock;
#[cfg(target_os = "linux")]
pub mod proc_parts;
#[cfg(target_os = "linux")]
pub mod promises;
#[cfg(target_os = "linux")]
pub mod quarantine;
#[cfg(target_os = "linux")]
pub mod run;
#[cfg(target_os = "linux")]
pub mod seccomp;
#[cfg(target_os = "linux")]
pub mod sockets;
#[cfg(target_os = "linux")]
mod supervise;
#[cfg(target_os = "linux")]
pub mod sys;
#[cfg(target_os = "linux")]
pub mod terminal;
#[cfg(target_os = "linux")]
pub mod userns;
#[cfg(target_os = "linux")]
pub mod watch;
