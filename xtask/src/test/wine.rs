//! Recording under Wine: whether readings arrive, are written, and are marked as what they are. Nothing about Windows is learnt.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bailiwick_windows::facts::Facts;

use crate::project;
use crate::shell::{self, Doing, Failure};
use crate::system::WINDOWS;

/// Where Debian's package `wine64` puts the loader; it is in no directory of `PATH`.
const WINE: &str = "/usr/lib/wine/wine64";

/// Debian 12's Wine lacks the library that Rust's standard library takes random numbers from.
const RANDOM: &str = "#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return SystemFunction036(data, (ULONG)size); }
";

/// Why it cannot be tried here.
pub(crate) fn missing() -> Option<&'static str> {
    (!Path::new(WINE).exists()).then_some("Wine is not installed (Debian's package wine64)")
}

/// Records both under Wine. The program for Windows must have been built.
pub(crate) fn check() -> Result<(), Failure> {
    let place = std::env::temp_dir().join(format!("bailiwick-wine-{}", std::process::id()));
    let outcome = in_place(&place);
    // The server holds the prefix until its last program has ended.
    let _ = wine(&place).args(["wineboot", "--kill"]).output();
    let _ = fs::remove_dir_all(&place);
    outcome
}

fn in_place(place: &Path) -> Result<(), Failure> {
    fs::create_dir_all(place).doing(format!("cannot make {}", place.display()))?;
    shell::output(wine(place).args(["wineboot", "--init"]))?;
    let drive = place.join("prefix/drive_c");
    let source = place.join("random.c");
    fs::write(&source, RANDOM).doing("cannot write the source of a library")?;
    let library = drive.join("windows/system32/bcryptprimitives.dll");
    if !library.exists() {
        let mut compile = Command::new("x86_64-w64-mingw32-gcc");
        shell::output(compile.args(["-shared", "-O1", "-o"]).arg(&library).arg(&source).arg("-ladvapi32"))?;
    }
    let workspace = drive.join("src/shop/.git/hooks");
    fs::create_dir_all(&workspace).doing("cannot make a workspace")?;
    facts(place, &drive)?;
    corpus(place, &drive)
}

/// A description that our own reader takes, and that says what it is.
fn facts(place: &Path, drive: &Path) -> Result<(), Failure> {
    shell::output(wine(place).arg(program()).args(["doctor", "-C", r"C:\src\shop", "--record", r"C:\facts.toml"]))?;
    let text = fs::read_to_string(drive.join("facts.toml")).doing("cannot read the description")?;
    let facts = Facts::parse(&text).doing("the description is refused")?;
    let hooks = facts.objects.iter().any(|object| object.path.shown() == r"C:\src\shop\.git\hooks");
    match (facts.system.wine, hooks) {
        (true, true) => Ok(()),
        (false, _) => Err(Failure::new("a description that was recorded under Wine does not say so")),
        (_, false) => Err(Failure::new("the description lacks the protected names of the workspace")),
    }
}

/// Cases of which each says what it is, and a program that says that they count for nothing.
fn corpus(place: &Path, drive: &Path) -> Result<(), Failure> {
    let output = wine(place).arg(program()).args(["doctor", "--record-corpus", r"C:\checks.jsonl"]).output();
    let output = output.doing("cannot start the recording of access checks")?;
    let text = fs::read_to_string(drive.join("checks.jsonl")).doing("cannot read the recorded checks")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let is_marked = text.lines().count() > 1_000 && text.lines().all(|line| line.contains("\"Wine, not Windows\""));
    let counts_for_nothing = output.status.code() == Some(1) && said.contains("0 alike");
    if is_marked && counts_for_nothing {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("checks recorded under Wine are not marked, or count: {said}{words}")))
}

fn program() -> PathBuf {
    project::target().join(WINDOWS).join("debug/bailiwick.exe")
}

/// Wine in a prefix of its own, without windows and without words.
fn wine(place: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.args(["180", WINE]).env("WINEPREFIX", place.join("prefix")).env("WINEDEBUG", "-all").env("DISPLAY", "");
    command.env("WINEDLLOVERRIDES", "mscoree,mshtml=").current_dir(place);
    command
}
