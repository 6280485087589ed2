//! What this host offers: the ground on which promises are made.
//!
//! [`Facts::quick`] is for the hot path: a handful of cheap system calls, nothing tried. [`Facts::probe`] is for `doctor`: it tries
//! in a throw-away child what the `namespaces` tier needs, because behaviour is believed and markers are not.

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::sys;
use crate::userns::{Diagnosis, Readings, diagnose};

/// Major and minor version of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct KernelVersion(pub u32, pub u32);

impl KernelVersion {
    /// Reads `6.18.44-something`. What is not a number counts as 0: an unknown kernel is taken for an old one.
    pub fn parse(release: &str) -> KernelVersion {
        let mut numbers = release.split('.').map(|part| {
            let digits = part.find(|c: char| !c.is_ascii_digit()).map_or(part, |end| &part[..end]);
            digits.parse().unwrap_or(0)
        });
        KernelVersion(numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// The Windows Subsystem for Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Wsl {
    /// 1 translates system calls and has no namespaces; 2 is a Linux kernel in a virtual machine.
    pub version: u8,
    /// Whether Windows programs can be started from here: the handler of `.exe` files is registered, or its sockets are there.
    pub interop: bool,
}

/// What surrounds this process already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Container {
    /// Docker, by `/.dockerenv`.
    Docker,
    /// Podman, by `/run/.containerenv`.
    Podman,
    /// Something that says so in `$container`.
    Other,
}

impl Container {
    /// For people.
    pub const fn name(&self) -> &'static str {
        match self {
            Container::Docker => "a Docker container",
            Container::Podman => "a Podman container",
            Container::Other => "a container",
        }
    }
}

/// Whether the namespaces tier can be entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Namespaces {
    /// Nobody has tried; the launch will find out.
    NotTried,
    /// A child did everything that the tier needs.
    Work,
    /// A child could not, and this is why.
    Fail(Diagnosis),
}

/// What the promises rest on. Plain data: tests make their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The kernel.
    pub kernel: KernelVersion,
    /// The user that bailiwick runs as, and so the inside too.
    pub uid: u32,
    /// Landlock's interface; 0 is none.
    pub landlock_abi: u32,
    /// Whether system-call filters can be loaded.
    pub seccomp: bool,
    /// Whether namespaces can be made.
    pub namespaces: Namespaces,
    /// Whether this is Linux on Windows.
    pub wsl: Option<Wsl>,
    /// Whether this is a container.
    pub container: Option<Container>,
}

impl Facts {
    /// The cheap facts: under ten system calls, no process.
    pub fn quick() -> Facts {
        let system = rustix::system::uname();
        let release = system.release().to_string_lossy();
        Facts {
            kernel: KernelVersion::parse(&release),
            uid: rustix::process::getuid().as_raw(),
            landlock_abi: sys::landlock::abi(),
            seccomp: sys::seccomp::is_available(),
            namespaces: Namespaces::NotTried,
            wsl: wsl(&release),
            container: container(),
        }
    }

    /// The quick facts and a real trial of the namespaces, a millisecond or two. `program` is the path of bailiwick itself, for
    /// the remedies that name it.
    pub fn probe(program: &Path) -> Facts {
        let mut facts = Facts::quick();
        facts.namespaces = match sys::throwaway::try_namespaces() {
            Ok(()) => Namespaces::Work,
            Err(failure) => Namespaces::Fail(diagnose(&Readings::collect(failure, &facts, program))),
        };
        facts
    }
}

/// The kernel's release names Microsoft in both versions; only version 2 has a kernel that says so in lower case.
fn wsl(release: &str) -> Option<Wsl> {
    let version = if release.contains("microsoft") {
        2
    } else if release.contains("Microsoft") {
        1
    } else {
        return None;
    };
    const BRIDGES: [&str; 3] =
        ["/proc/sys/fs/binfmt_misc/WSLInterop", "/proc/sys/fs/binfmt_misc/WSLInterop-late", "/run/WSL"];
    Some(Wsl { version, interop: BRIDGES.iter().any(|path| Path::new(path).exists()) })
}

fn container() -> Option<Container> {
    if Path::new("/.dockerenv").exists() {
        Some(Container::Docker)
    } else if Path::new("/run/.containerenv").exists() {
        Some(Container::Podman)
    } else {
        std::env::var_os("container").map(|_| Container::Other)
    }
}
