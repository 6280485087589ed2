//! What the machine must have: Debian packages, the Windows target, an ordinary user.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{self, Doing, Failure};

/// The target that the Windows code is built for.
pub(crate) const WINDOWS: &str = "x86_64-pc-windows-gnu";

/// The account that the tests run as when they are started by root.
const USER: &str = "bailiwick-test";

/// A package, and how to see that what it brings is there.
struct Package {
    name: &'static str,
    brings: Brings,
}

enum Brings {
    Program(&'static str),
    /// A file in a directory whose name begins so: versions are part of Debian's paths.
    File {
        within: &'static str,
        prefix: &'static str,
        file: &'static str,
    },
}

const fn program(name: &'static str, program: &'static str) -> Package {
    Package { name, brings: Brings::Program(program) }
}

const PACKAGES: &[Package] = &[
    program("bubblewrap", "bwrap"),
    program("coreutils", "timeout"),
    program("curl", "curl"),
    program("g++", "g++"),
    program("gcc", "gcc"),
    program("gcc-mingw-w64-x86-64", "x86_64-w64-mingw32-gcc"),
    program("git", "git"),
    program("iproute2", "ip"),
    program("less", "less"),
    program("make", "make"),
    program("musl-tools", "musl-gcc"),
    program("nodejs", "node"),
    program("openssh-client", "ssh"),
    program("openssh-server", "sshd"),
    program("openssl", "openssl"),
    program("passwd", "useradd"),
    Package {
        name: "postgresql",
        brings: Brings::File { within: "/usr/lib/postgresql", prefix: "", file: "bin/initdb" },
    },
    program("procps", "top"),
    program("python3", "python3"),
    Package {
        name: "python3-pip",
        brings: Brings::File { within: "/usr/lib/python3", prefix: "dist-packages", file: "pip/__init__.py" },
    },
    // The access check is compared with Samba's; this is a module of Debian's own Python.
    Package {
        name: "python3-samba",
        brings: Brings::File { within: "/usr/lib/python3", prefix: "dist-packages", file: "samba/__init__.py" },
    },
    Package {
        name: "python3-venv",
        brings: Brings::File { within: "/usr/lib", prefix: "python3.", file: "ensurepip/__init__.py" },
    },
    program("sqlite3", "sqlite3"),
    program("tmux", "tmux"),
    program("util-linux", "setsid"),
    program("vim", "vim"),
];

impl Package {
    fn is_there(&self) -> bool {
        match self.brings {
            Brings::Program(program) => shell::has_program(program),
            Brings::File { within, prefix, file } => {
                let entries = std::fs::read_dir(within).into_iter().flatten().flatten();
                let mut fitting = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
                fitting.any(|entry| entry.path().join(file).exists())
            }
        }
    }
}

/// Installs what is missing, where that is possible, and gives the packages that stay missing.
pub(crate) fn packages() -> Result<Vec<&'static str>, Failure> {
    let missing: Vec<&str> =
        PACKAGES.iter().filter(|package| !package.is_there()).map(|package| package.name).collect();
    if missing.is_empty() || !shell::has_program("apt-get") {
        return Ok(missing);
    }
    let Some(apt) = administrator() else { return Ok(missing) };
    shell::run(apt().args(["apt-get", "update", "-qq"]))?;
    shell::run(apt().args(["apt-get", "install", "-qq", "--yes", "--no-install-recommends"]).args(&missing))?;
    Ok(PACKAGES.iter().filter(|package| !package.is_there()).map(|package| package.name).collect())
}

/// How to run a command with the administrator's rights and without a question, if there is a way.
fn administrator() -> Option<impl Fn() -> Command> {
    let sudo_asks_nothing =
        || Command::new("sudo").args(["-n", "true"]).output().is_ok_and(|output| output.status.success());
    let program = match () {
        () if shell::is_root() => "env",
        () if sudo_asks_nothing() => "sudo",
        () => return None,
    };
    Some(move || {
        let mut command = Command::new(program);
        command.arg("DEBIAN_FRONTEND=noninteractive");
        command
    })
}

/// Makes sure that the formatter and the linter are there: rustup's smallest installation has neither.
pub(crate) fn components() -> Result<(), Failure> {
    let answers =
        |tool: &str| Command::new("cargo").args([tool, "--version"]).output().is_ok_and(|o| o.status.success());
    if (answers("fmt") && answers("clippy")) || !shell::has_program("rustup") {
        return Ok(());
    }
    shell::run(Command::new("rustup").args(["component", "add", "rustfmt", "clippy"]))
}

/// Makes sure that the standard library for Windows and a linker are there; says what is missing otherwise.
pub(crate) fn windows_target() -> Result<(), String> {
    library(WINDOWS)?;
    if shell::has_program("x86_64-w64-mingw32-gcc") { Ok(()) } else { Err("mingw-w64 is not installed".to_owned()) }
}

/// Makes sure that the standard library for this musl target and a C compiler are there; says what is missing otherwise.
pub(crate) fn musl(target: &str) -> Result<(), String> {
    if !shell::has_program("musl-gcc") {
        return Err("musl-gcc is not installed (Debian's package musl-tools)".to_owned());
    }
    library(target)
}

/// Fetches the standard library for a target where rustup can.
fn library(target: &str) -> Result<(), String> {
    if !has_library(target) && shell::has_program("rustup") {
        shell::run(Command::new("rustup").args(["target", "add", target])).map_err(|failure| failure.to_string())?;
    }
    if has_library(target) { Ok(()) } else { Err(format!("the Rust standard library for {target} is not installed")) }
}

fn has_library(target: &str) -> bool {
    let place = shell::text(Command::new("rustc").args(["--print", "target-libdir", "--target", target]));
    place.is_ok_and(|directory| Path::new(&directory).is_dir())
}

/// The ordinary user that root's tests are repeated as.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) home: PathBuf,
}

/// Finds the ordinary user, making the account if there is none.
pub(crate) fn ordinary_user() -> Result<User, Failure> {
    if entry().is_err() {
        shell::run(Command::new("useradd").args(["--create-home", "--shell", "/bin/bash", USER]))?;
    }
    let line = entry()?;
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, _, home, _] = fields.as_slice() else {
        return Err(Failure::new(format!("the account `{USER}` reads strangely: `{line}`")));
    };
    let number = |text: &str| text.parse().doing(format!("the account `{USER}` reads strangely: `{line}`"));
    Ok(User { name: (*name).to_owned(), uid: number(uid)?, gid: number(gid)?, home: PathBuf::from(home) })
}

fn entry() -> Result<String, Failure> {
    shell::text(Command::new("getent").args(["passwd", USER]))
}
