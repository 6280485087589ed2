//! Attacks that a boundary must withstand, each with a control that must succeed outside.
//!
//! ```text
//! Decoys ──► control, outside ──► judged from outside: must be a breach, or the attack means nothing here
//!   secrets, listeners,
//!   a process, a key …
//! Decoys ──► attack, inside   ──► judged from outside ──► Row ──► BatteryReport
//! ```
//!
//! An attack is a function that runs inside, in a process of its own, and knows from a [`Stage`] where the decoys are. The [`battery`]
//! prepares the decoys, runs the attack once outside and once inside, and looks from outside what became of the decoys: whether a file
//! changed, whether a listener was reached, whether what was read contains a secret that the inside was never told. An attack that only
//! changed a private copy is no breach, and one that lies about its failure gains nothing. Where nothing but the kernel's answer can be
//! seen ([`Proof::Answer`]), the inside is believed, and the control shows that outside the kernel answers otherwise.

// Every attack is made of Linux system calls: elsewhere this crate is empty.
#![cfg(target_os = "linux")]

mod attack;
mod attacks;
pub mod battery;
mod decoys;
mod outcome;
mod stage;
mod sys;

pub use attack::{Attack, Project, Proof, Stdio};
pub use attacks::{all, find};
pub use decoys::be_decoy;
pub use outcome::Outcome;
pub use stage::{DecoyProcess, FileHandle, Inherited, Ports, Sockets, Stage, StageError, StageLimits};
