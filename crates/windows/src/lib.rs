//! The Windows tiers of bailiwick.
//!
//! ```text
//! text ──► WindowsPath          policy + Facts ──► Target ──► Plan ──► run ──► Host ──► sim
//!          one strict parser    what a host is      Boundary   data     acts    calls    a simulated Windows
//! ```
//!
//! Two halves. [`path`], [`facts`], [`profile`], [`target`], [`plan`], [`promises`], [`losses`] and [`explain`] are pure: they ask the system
//! nothing, so that the plan for a Windows host can be computed, read and tested on Linux. [`run`] acts: it carries a plan out, undoes
//! it and recovers after a crash, by the calls of the trait [`host::Host`] alone. The one implementation is [`sim`], on which it is tested
//! with faults at every call and with an attacker; one for the real Windows does not exist yet. On Windows there is `sys` too: it answers
//! what [`record`] asks to describe a machine, and changes nothing.
//!
//! What is said about Windows was computed from public documents and simulated; it has not yet run on Windows.
//! `docs/windows-model.md` says what is modelled, from which document, and what is not.

// What is unsafe is `sys`, which there is on Windows only.
#![cfg_attr(not(windows), forbid(unsafe_code))]

pub mod explain;
pub mod facts;
pub mod host;
pub mod losses;
pub mod path;
pub mod plan;
pub mod profile;
pub mod promises;
pub mod record;
pub mod run;
pub mod sim;
#[cfg(windows)]
pub mod sys;
pub mod target;
pub mod tier;
