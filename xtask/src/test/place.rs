//! Where the tests are built, so that an ordinary user can run what root has built.
//!
//! Test programs know paths of their sources and of one another from when they were compiled. Where others cannot
//! enter the repository (a clone below `/root`), the sources are copied to a place that everyone can read and are
//! built there.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::project;
use crate::shell::{self, Doing, Failure};

/// Readable by everyone and writable by root, like the programs of the system.
const COPY: &str = "/var/lib/bailiwick-test";

/// The sources that the tests are built from and what is built of them.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) source: PathBuf,
    pub(crate) target: PathBuf,
}

/// One compiled test program.
#[derive(Debug)]
pub(crate) struct Program {
    /// The package and the target, for people.
    pub(crate) name: String,
    /// The program.
    pub(crate) path: PathBuf,
    /// The directory of the package: cargo starts tests there.
    pub(crate) package: PathBuf,
}

impl Place {
    /// The repository itself if root is not running this or everyone can read it, else a fresh copy.
    pub(crate) fn find() -> Result<Place, Failure> {
        let here = Place { source: project::root().to_owned(), target: project::target() };
        fs::create_dir_all(&here.target).doing(format!("cannot make {}", here.target.display()))?;
        if !shell::is_root() || (everyone_can_enter(&here.source) && everyone_can_enter(&here.target)) {
            return Ok(here);
        }
        let copy = Place { source: Path::new(COPY).join("source"), target: Path::new(COPY).join("target") };
        eprintln!("+ copy the sources to {}", copy.source.display());
        if copy.source.exists() {
            fs::remove_dir_all(&copy.source).doing(format!("cannot remove {}", copy.source.display()))?;
        }
        copy_tree(&here.source, &copy.source, &here.target)?;
        Ok(copy)
    }

    fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut cargo = project::cargo(arguments);
        cargo.current_dir(&self.source).env("CARGO_TARGET_DIR", &self.target);
        cargo
    }

    /// Compiles all tests of the workspace and gives the programs in a fixed order.
    pub(crate) fn build_tests(&self) -> Result<Vec<Program>, Failure> {
        let mut cargo = self.cargo(["test", "--workspace", "--no-run", "--message-format=json-render-diagnostics"]);
        let line = shell::shown(&cargo);
        eprintln!("+ {line}");
        let mut child = cargo.stdout(Stdio::piped()).spawn().doing(format!("cannot start `{line}`"))?;
        let mut programs = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            for message in BufReader::new(stdout).lines() {
                let message = message.doing(format!("cannot read what `{line}` says"))?;
                programs.extend(serde_json::from_str(&message).ok().as_ref().and_then(program));
            }
        }
        let status = child.wait().doing(format!("cannot wait for `{line}`"))?;
        if !status.success() {
            return Err(Failure::new(format!("`{line}` ended with {status}")));
        }
        programs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(programs)
    }

    /// Runs the examples in the documentation.
    pub(crate) fn doc_tests(&self) -> Result<(), Failure> {
        shell::run(&mut self.cargo(["test", "--workspace", "--doc", "--quiet"]))
    }
}

/// The test program that a message of cargo tells of, if it does.
fn program(message: &Value) -> Option<Program> {
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    let manifest = Path::new(message["manifest_path"].as_str()?);
    let package = manifest.parent()?;
    let target = message["target"]["name"].as_str()?;
    let name = format!("{}/{target}", package.file_name()?.to_string_lossy());
    Some(Program { name, path: PathBuf::from(message["executable"].as_str()?), package: package.to_owned() })
}

/// Whether any user can walk to this directory.
fn everyone_can_enter(directory: &Path) -> bool {
    directory.ancestors().all(|directory| {
        // Both bits: what is in it must be found by its name and, for fixtures, by listing.
        fs::metadata(directory).is_ok_and(|meta| meta.permissions().mode() & 0o005 == 0o005)
    })
}

/// Copies sources, without what is built of them and without the history, readable by everyone. Times are kept, so
/// that cargo sees what has not changed.
fn copy_tree(from: &Path, to: &Path, built: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)
        .and_then(|()| fs::set_permissions(to, PermissionsExt::from_mode(0o755)))
        .doing(format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).doing(format!("cannot list {}", from.display()))? {
        let entry = entry.doing(format!("cannot list {}", from.display()))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().doing(format!("cannot look at {}", source.display()))?;
        if entry.file_name() == ".git" || entry.file_name() == "target" || source == built {
            continue;
        }
        if kind.is_dir() {
            copy_tree(&source, &target, built)?;
        } else if kind.is_symlink() {
            let leads_to = fs::read_link(&source).doing(format!("cannot read {}", source.display()))?;
            symlink(leads_to, &target).doing(format!("cannot link {}", target.display()))?;
        } else {
            copy_file(&source, &target).doing(format!("cannot copy {}", source.display()))?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::copy(from, to)?;
    let meta = fs::metadata(from)?;
    let executable = meta.permissions().mode() & 0o111 != 0;
    fs::File::options().write(true).open(to)?.set_modified(meta.modified()?)?;
    fs::set_permissions(to, PermissionsExt::from_mode(if executable { 0o755 } else { 0o644 }))
}
