//! A test that cannot run here is counted as skipped and named.
//!
//! The developers' test command gives a file in `BAILIWICK_SKIPS`; each skip appends one line `name: why` to it.

use std::fs::OpenOptions;
use std::io::Write;

/// Writes down that the test `name` was skipped.
pub(crate) fn record(name: &str, why: &str) {
    let line = format!("{name}: {why}\n");
    eprint!("skipped {line}");
    let Some(file) = std::env::var_os("BAILIWICK_SKIPS") else { return };
    // One write of one line to a file opened for appending, so that tests running at once do not mix their lines.
    let written =
        OpenOptions::new().append(true).create(true).open(&file).and_then(|mut file| file.write_all(line.as_bytes()));
    written.unwrap_or_else(|error| panic!("cannot write the skip to {file:?}: {error}"));
}
