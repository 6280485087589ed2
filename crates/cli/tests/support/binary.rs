//! Which programs are under test.
//!
//! `cargo test` gives the development build. `cargo xtask test` points the variables at the static release build, which
//! is what users run, and at copies that an ordinary user can read.

use std::path::PathBuf;

/// The program under test: `BAILIWICK_BIN`, else the one that cargo built for these tests.
pub(crate) fn bailiwick() -> PathBuf {
    std::env::var_os("BAILIWICK_BIN").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_bailiwick")), PathBuf::from)
}

/// The attacks' program: `BAILIWICK_PROBE`, else the one beside the program under test, if it has been built.
pub(crate) fn probe() -> Option<PathBuf> {
    let named = std::env::var_os("BAILIWICK_PROBE").map(PathBuf::from);
    named.or_else(|| Some(bailiwick().parent()?.join("bailiwick-probe"))).filter(|path| path.exists())
}
