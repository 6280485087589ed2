//! The release build: static, small, few page faults; with completions and a man page beside it.

use std::fs;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::project;
use crate::shell::{self, Doing, Failure};
use crate::system;

/// Every page that the dynamic linker touches is a page fault before `main`, and so is every relocation of a
/// position-independent program. musl's start-up is the shorter one: glibc's asks the processor for its features some fifty
/// times, and in a virtual machine each question leaves the machine (measured: 0.22 against 0.44 ms before `main`).
const FLAGS: &str = "-C target-feature=+crt-static -C relocation-model=static";

/// What the release build made.
#[derive(Debug)]
pub(crate) struct Built {
    /// The program.
    pub(crate) bailiwick: PathBuf,
    /// The attacks, built the same way so that they run whatever is readable inside.
    pub(crate) probe: PathBuf,
}

/// Builds everything and says where it is.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, Failure> {
    if let Some(argument) = arguments.first() {
        return Err(Failure::new(format!("`dist` takes no argument, and got `{argument}`")));
    }
    let program = program()?;
    extras(&program)?;
    let size = fs::metadata(&program).doing("cannot look at the program")?.len();
    println!("{}", program.display());
    println!("size: {} KiB", size / 1024);
    println!("page faults of `--version`: {}", faults(&program)?);
    Ok(ExitCode::SUCCESS)
}

/// Builds the program alone, from the repository.
pub(crate) fn program() -> Result<PathBuf, Failure> {
    Ok(build(project::root(), &project::target(), &["bailiwick-cli"])?.join("bailiwick"))
}

/// Builds the program and the attacks from these sources into this directory.
pub(crate) fn build_in(source: &Path, target: &Path) -> Result<Built, Failure> {
    let directory = build(source, target, &["bailiwick-cli", "bailiwick-probe"])?;
    Ok(Built { bailiwick: directory.join("bailiwick"), probe: directory.join("bailiwick-probe") })
}

/// Builds the programs of these packages and gives the directory that they are in.
fn build(source: &Path, target: &Path, packages: &[&str]) -> Result<PathBuf, Failure> {
    let host = target_of(&host()?);
    // With a target named, the flags are for the program alone: procedural macros must stay dynamic.
    let variable = format!("CARGO_TARGET_{}_RUSTFLAGS", host.to_uppercase().replace('-', "_"));
    let mut cargo = project::cargo(["build", "--release", "--bins", "--target", &host]);
    cargo.args(packages.iter().flat_map(|package| ["--package", package])).current_dir(source);
    cargo.env(variable, FLAGS).env_remove("RUSTFLAGS").env("CARGO_TARGET_DIR", target);
    shell::run(&mut cargo)?;
    Ok(target.join(&host).join("release"))
}

/// The target for programs that are handed out: musl, where its standard library and a C compiler for it are to be had.
fn target_of(host: &str) -> String {
    let musl = host.replace("-linux-gnu", "-linux-musl");
    match system::musl(&musl) {
        Ok(()) => musl,
        Err(why) => {
            eprintln!("built for {host}, which starts more slowly: {why}");
            host.to_owned()
        }
    }
}

/// The target that this machine's own programs are built for.
pub(crate) fn host() -> Result<String, Failure> {
    let answer = shell::text(Command::new("rustc").arg("-vV"))?;
    let host = answer.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::new("`rustc -vV` names no host"))
}

/// Writes completions and the man page beside the program, as the program itself gives them.
fn extras(program: &Path) -> Result<(), Failure> {
    let beside = program.parent().unwrap_or(Path::new(".")).join("extras");
    fs::create_dir_all(&beside).doing(format!("cannot make {}", beside.display()))?;
    let wanted: [(&str, &[&str]); 4] = [
        ("bailiwick.bash", &["completions", "bash"]),
        ("_bailiwick", &["completions", "zsh"]),
        ("bailiwick.fish", &["completions", "fish"]),
        ("bailiwick.1", &["man"]),
    ];
    for (name, arguments) in wanted {
        let text = shell::output(Command::new(program).args(arguments))?.stdout;
        let path = beside.join(name);
        fs::write(&path, text).doing(format!("cannot write {}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

/// How many pages the program touches before it has said its version: minor faults from `getrusage`.
fn faults(program: &Path) -> Result<i64, Failure> {
    let mut child = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .spawn()
        .doing(format!("cannot start {}", program.display()))?;
    let before = faults_of_children();
    child.wait().doing("cannot wait for the program")?;
    Ok(faults_of_children() - before)
}

fn faults_of_children() -> i64 {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a whole `rusage` of ours; on failure it stays zero, which is a valid value of it.
    unsafe {
        libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
        usage.assume_init().ru_minflt
    }
}
