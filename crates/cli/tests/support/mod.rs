//! What the end-to-end tests share: the real binary, a world of its own for each test, skipping by name, terminals.
//!
//! | file | subject |
//! | --- | --- |
//! | `binary.rs` | which `bailiwick` and which `probe` are under test |
//! | `skip.rs` | `skip!` and `need!`: a test that cannot run here says so by name |
//! | `world.rs` | a home with secrets in it, a project below it, running inside and outside |
//! | `done.rs` | what a finished command left behind, and running one with a guard against hanging |
//! | `tree.rs` | listing a directory, to find litter |
//! | `processes.rs` | finding processes by a mark in their arguments |
//! | `pty.rs` | a terminal with a person at it |
//! | `rust.rs` | the Rust toolchain that the work inside uses |

// Every test program compiles the whole of this module and uses a part of it.
#![allow(dead_code, unused_imports, unused_macros)]

pub(crate) mod binary;
pub(crate) mod done;
pub(crate) mod processes;
pub(crate) mod pty;
pub(crate) mod rust;
pub(crate) mod skip;
pub(crate) mod tree;
pub(crate) mod world;

pub(crate) use done::Done;
pub(crate) use pty::Pty;
pub(crate) use skip::{need, skip};
pub(crate) use world::World;
