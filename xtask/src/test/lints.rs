//! What the compiler and the formatter say, for Linux and for Windows.

use crate::project::cargo;
use crate::shell::{self, Failure};
use crate::system::WINDOWS;

/// The developers' chores run on Linux alone.
const NOT_ON_WINDOWS: [&str; 2] = ["--exclude", "xtask"];

/// The code looks as the formatter would write it.
pub(crate) fn format() -> Result<(), Failure> {
    shell::run(&mut cargo(["fmt", "--all", "--check"]))
}

/// No warnings here.
pub(crate) fn host() -> Result<(), Failure> {
    shell::run(&mut cargo(["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))
}

/// The links in the documentation lead somewhere.
pub(crate) fn documentation() -> Result<(), Failure> {
    let mut doc = cargo(["doc", "--workspace", "--no-deps", "--quiet"]);
    shell::run(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

/// No warnings on Windows, the tests included.
pub(crate) fn windows() -> Result<(), Failure> {
    let mut clippy = cargo(["clippy", "--workspace", "--all-targets", "--quiet", "--target", WINDOWS]);
    shell::run(clippy.args(NOT_ON_WINDOWS).args(["--", "-D", "warnings"]))
}

/// The programs for Windows link.
pub(crate) fn windows_build() -> Result<(), Failure> {
    shell::run(cargo(["build", "--workspace", "--bins", "--quiet", "--target", WINDOWS]).args(NOT_ON_WINDOWS))
}
