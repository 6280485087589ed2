//! Runs a command inside its bailiwick: the library that the program `bailiwick` is made of, and that others embed.
//!
//! ```text
//! Sandbox ──► Boundary ──► Tier ──► run ──► Report
//!   who, where,   policy      choose   or refuse   events, outcome
//!   what else
//! ```
//!
//! A program with one thread and little memory may run a command itself: [`Sandbox::run`]. Every other one starts the
//! program `bailiwick` as its supervisor and watches: [`Sandbox::spawn`].
//!
//! ```no_run
//! use bailiwick::{Sandbox, Stdio};
//!
//! let mut session = Sandbox::here()?.workspace("/home/ana/project").offline().spawn(
//!     ["cargo", "test"],
//!     Stdio::inherited(),
//! )?;
//! while let Some(event) = session.next_event()? {
//!     eprintln!("{event:?}");
//! }
//! println!("{:?}", session.wait()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(target_os = "linux")]
mod ending;
mod error;
pub mod host;
pub mod report;
#[cfg(target_os = "linux")]
mod run;
mod sandbox;
mod session;
mod setting;
mod spawn;
#[cfg(target_os = "linux")]
pub mod tier;

pub use bailiwick_policy as policy;

/// The Linux tiers: facts of the host, promises, the reasons for what is lacking.
#[cfg(target_os = "linux")]
pub use bailiwick_linux as linux;

/// First thing in a program that has a `main` of its own instead of Rust's: opens closed standard descriptors.
#[cfg(target_os = "linux")]
pub fn prepare_process() {
    bailiwick_linux::sys::process::open_closed_descriptors();
}

pub use error::SandboxError;
#[cfg(target_os = "linux")]
pub use run::{Blank, Prepared};
pub use sandbox::Sandbox;
pub use session::{Finish, Session, SpawnError};
pub use setting::Setting;
pub use spawn::Stdio;

/// What is said where no tier exists for the operating system.
#[cfg(not(target_os = "linux"))]
pub(crate) const NOT_YET: &str = "there is no tier for this operating system yet, so nothing was started";
