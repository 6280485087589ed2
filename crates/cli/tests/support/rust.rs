//! The Rust toolchain that the work inside uses.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The root of the toolchain that runs these tests (`bin/cargo`, `bin/rustc`, `lib`), or nothing if there is none.
pub(crate) fn sysroot() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let answer = Command::new("rustc").args(["--print", "sysroot"]).output().ok()?;
            let path = PathBuf::from(String::from_utf8(answer.stdout).ok()?.trim_end());
            path.join("bin/cargo").exists().then_some(path)
        })
        .clone()
}

/// The real home of the user who runs the tests, if rustup keeps its toolchain there.
pub(crate) fn home_with_rustup() -> Option<PathBuf> {
    let home = std::env::home_dir()?;
    (home.join(".cargo/bin/cargo").exists() && home.join(".rustup/toolchains").exists()).then_some(home)
}
