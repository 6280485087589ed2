//! A Rust toolchain in the home of the ordinary user, as rustup would have put it there.
//!
//! Root's own is below `/root`, which nobody else may enter. Its files are linked, not copied, where the file system
//! allows it: root keeps owning them, so the user can read and run them but not change them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{self, Doing, Failure};
use crate::system::User;

/// The names under which rustup answers for a tool of the toolchain.
const PROXIES: &[&str] = &["rustup", "cargo", "rustc", "rustdoc", "rustfmt", "cargo-fmt", "cargo-clippy"];

/// Gives the user `~/.cargo/bin` and `~/.rustup` if this machine's Rust comes from rustup; once for each toolchain.
pub(crate) fn furnish(user: &User) -> Result<(), Failure> {
    let Some(rustup) = rustup() else { return Ok(()) };
    let sysroot = PathBuf::from(shell::text(Command::new("rustc").args(["--print", "sysroot"]))?);
    let version = shell::text(Command::new("rustc").arg("-vV"))?;
    let name = sysroot.file_name().ok_or_else(|| Failure::new("the toolchain has no name"))?.to_string_lossy();
    let stamp = format!("{name}\n{version}\n");
    let (cargo, home) = (user.home.join(".cargo"), user.home.join(".rustup"));
    let stamp_file = home.join("linked-by-xtask");
    if fs::read_to_string(&stamp_file).is_ok_and(|have| have == stamp) {
        return Ok(());
    }
    eprintln!("+ give {} the toolchain {name}", user.name);
    for old in [&cargo, &home] {
        if old.exists() {
            fs::remove_dir_all(old).doing(format!("cannot remove {}", old.display()))?;
        }
    }
    let toolchain = home.join("toolchains").join(&*name);
    for part in ["bin", "lib", "libexec", "etc"] {
        if sysroot.join(part).is_dir() {
            link_tree(&sysroot.join(part), &toolchain.join(part))?;
        }
    }
    make(&cargo.join("bin"))?;
    link(&rustup, &cargo.join("bin/rustup"))?;
    for proxy in PROXIES.iter().filter(|proxy| **proxy != "rustup") {
        symlink("rustup", cargo.join("bin").join(proxy)).doing(format!("cannot link {proxy}"))?;
    }
    let settings = format!("version = \"12\"\nprofile = \"minimal\"\ndefault_toolchain = \"{name}\"\n\n[overrides]\n");
    for (path, text) in [(home.join("settings.toml"), settings), (stamp_file, stamp)] {
        fs::write(&path, text).doing(format!("cannot write {}", path.display()))?;
    }
    for directory in [&cargo, &home] {
        chown(directory, Some(user.uid), Some(user.gid)).doing(format!("cannot give away {}", directory.display()))?;
    }
    Ok(())
}

/// The program of rustup that stands behind `cargo` in `PATH`.
fn rustup() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|directory| directory.join("rustup")).find(|path| path.is_file())?;
    fs::canonicalize(found).ok()
}

fn link_tree(from: &Path, to: &Path) -> Result<(), Failure> {
    make(to)?;
    let entries = fs::read_dir(from).doing(format!("cannot list {}", from.display()))?;
    for entry in entries {
        let entry = entry.doing(format!("cannot list {}", from.display()))?;
        let kind = entry.file_type().doing(format!("cannot look at {}", entry.path().display()))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if kind.is_dir() {
            link_tree(&source, &target)?;
        } else if kind.is_symlink() {
            let leads_to = fs::read_link(&source).doing(format!("cannot read {}", source.display()))?;
            symlink(leads_to, &target).doing(format!("cannot link {}", target.display()))?;
        } else {
            link(&source, &target)?;
        }
    }
    Ok(())
}

/// A second name for the file, or a copy where the two places are on different file systems.
fn link(from: &Path, to: &Path) -> Result<(), Failure> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to).map(|_| ()).doing(format!("cannot copy {} to {}", from.display(), to.display()))
}

fn make(directory: &Path) -> Result<(), Failure> {
    fs::create_dir_all(directory)
        .and_then(|()| fs::set_permissions(directory, PermissionsExt::from_mode(0o755)))
        .doing(format!("cannot make {}", directory.display()))
}
