//! Pages and files that are generated from code, so that they cannot say something else than the code does.

use std::fs;
use std::process::ExitCode;

use crate::project;
use crate::shell::{Doing, Failure};

/// A file of the repository and what it must contain.
struct Page {
    path: &'static str,
    content: String,
}

/// The Windows machine that `docs/tiers.md` describes: a made-up one, set up.
const WINDOWS_MACHINE: &str = include_str!("../../crates/windows/fixtures/domain-user.toml");

fn pages() -> Result<Vec<Page>, Failure> {
    Ok(vec![
        Page { path: "docs/policy-reference.md", content: bailiwick_policy::reference::reference() },
        // `{:#}` is the indented form, as `bailiwick policy schema` prints it.
        Page { path: "docs/policy.schema.json", content: format!("{:#}\n", bailiwick_policy::schema::schema()) },
        Page { path: "docs/tiers.md", content: tiers()? },
    ])
}

/// The tiers of both systems.
fn tiers() -> Result<String, Failure> {
    let machine = bailiwick_windows::facts::Facts::parse(WINDOWS_MACHINE).doing("cannot read the Windows machine")?;
    let linux = bailiwick_linux::promises::tiers_markdown();
    Ok(format!("{linux}\n{}", bailiwick_windows::promises::tiers_markdown(&machine)))
}

/// Writes the pages; with `--check` only compares.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, Failure> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => write()?,
        ["--check"] => check()?,
        other => return Err(Failure::new(format!("`docs` knows only `--check`, and got `{}`", other.join(" ")))),
    }
    Ok(ExitCode::SUCCESS)
}

fn write() -> Result<(), Failure> {
    for page in pages()? {
        let path = project::root().join(page.path);
        fs::write(&path, page.content).doing(format!("cannot write {}", path.display()))?;
        println!("{}", page.path);
    }
    Ok(())
}

/// Says which pages are not what the code would write.
pub(crate) fn check() -> Result<(), Failure> {
    let differs =
        |page: &Page| fs::read_to_string(project::root().join(page.path)).ok().as_ref() != Some(&page.content);
    let stale: Vec<_> = pages()?.into_iter().filter(differs).map(|page| page.path).collect();
    if stale.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("out of date: {}; `cargo xtask docs` writes them anew", stale.join(", "))))
}
