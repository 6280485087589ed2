//! The Windows tiers of bailiwick.
//!
//! ```text
//! text ──► WindowsPath          policy + Facts ──► Target ──► Plan
//!          one strict parser    what a host is      Boundary   what a tier will do, as data
//! ```
//!
//! Everything in these modules is pure: it asks the system nothing and runs on every platform, so that the plan for a Windows
//! host can be computed, read and tested on Linux. What is said about Windows was computed from public documents and
//! simulated; it has not yet run on Windows.

pub mod explain;
pub mod facts;
pub mod host;
pub mod path;
pub mod plan;
pub mod profile;
pub mod promises;
pub mod run;
pub mod sim;
pub mod target;
pub mod tier;
