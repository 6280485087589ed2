//! Real work, end to end: the real binary, the real kernel, real tools, as whatever user runs the tests.
//!
//! | file | subject |
//! | --- | --- |
//! | `git.rs` | everyday git, worktrees, submodules; what git may not change |
//! | `cargo.rs` | building and testing a crate offline |
//! | `python.rs` | venv, multiprocessing, asyncio |
//! | `node.rs` | child processes, workers, sockets, watching files |
//! | `c.rs` | gcc and make |
//! | `database.rs` | sqlite, and a server on its own socket |
//! | `terminal.rs` | editor, pager, job control, window size, raw mode |
//! | `streams.rs` | bytes, exit status, signals, time limit |
//! | `life.rs` | nothing outlives a run, nothing is left lying about |
//! | `killed.rs` | what `kill -9` leaves, and that the next run says so |
//! | `home.rs` | private home, private `/tmp`, environment |
//! | `replaced.rs` | protected names that are replaced from outside during a run |
//! | `refused.rs` | what must fail, and that the reason can be asked for |

#![cfg(target_os = "linux")]
// clippy.toml allows this in tests, but clippy knows only functions marked as such, not what they call.
#![allow(clippy::expect_used)]

#[path = "../support/mod.rs"]
mod support;

mod c;
mod cargo;
mod database;
mod git;
mod home;
mod killed;
mod life;
mod node;
mod python;
mod refused;
mod replaced;
mod streams;
mod terminal;
