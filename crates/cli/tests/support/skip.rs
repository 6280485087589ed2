//! A test that cannot run here is counted as skipped and named.
//!
//! `cargo xtask test` gives a file in `BAILIWICK_SKIPS`; each skip appends one line `name: why` to it, and the sum at
//! the end counts those tests as skipped instead of passed.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes down that the test `name` was skipped.
pub(crate) fn record(name: &str, why: &str) {
    let line = format!("{name}: {why}\n");
    eprint!("skipped {line}");
    let Some(file) = std::env::var_os("BAILIWICK_SKIPS") else { return };
    // One write of one line to a file opened for appending, so that tests running at once do not mix their lines.
    let written =
        OpenOptions::new().append(true).create(true).open(&file).and_then(|mut file| file.write_all(line.as_bytes()));
    written.unwrap_or_else(|error| panic!("cannot write the skip to {}: {error}", Path::new(&file).display()));
}

/// Where a program is found, looking into the directories that the tests use as `PATH` and into Debian's own places.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let postgres = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let beside = postgres.map(|version| version.path().join("bin"));
    ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        .into_iter()
        .map(PathBuf::from)
        .chain(beside)
        .map(|directory| directory.join(name))
        .find(|path| path.exists())
}

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

/// Ends the test here, counted as skipped for this reason.
macro_rules! skip {
    ($($why:tt)*) => {{
        fn here() {}
        let name = std::any::type_name_of_val(&here);
        // libtest knows a test without the name of its crate in front.
        let name = name.trim_end_matches("::here").split_once("::").map_or(name, |(_, test)| test);
        $crate::support::skip::record(name, &format!($($why)*));
        return;
    }};
}

/// Ends the test as skipped unless all these programs are installed.
macro_rules! need {
    ($($program:literal),+ $(,)?) => {
        $(
            if $crate::support::skip::find_program($program).is_none() {
                $crate::support::skip!("`{}` is not installed", $program);
            }
        )+
    };
}

pub(crate) use {need, skip};
