//! The crates that the project stands on: their licences, that none is there twice, and how many there are.
//!
//! `deny.toml` says the same to `cargo deny`, whose building takes longer than all tests together; the rules that
//! matter are checked here with what cargo itself knows.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use serde_json::Value;

use crate::project;
use crate::shell::{self, Doing, Failure};

/// Licences that MIT OR Apache-2.0 can be combined with and that ask for nothing but notices.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Old versions that stand beside newer ones, by name and the start of the number: two of `ring`'s dependencies, and the parser of
/// derive macros that have not moved yet.
const TWICE: &[(&str, &str)] = &[("getrandom", "0.2."), ("syn", "2."), ("windows-sys", "0.52.")];

/// Design, section 11: the package, what it is to people, and how many crates may stand below it.
const BUDGETS: &[(&str, &str, usize)] = &[("bailiwick", "the library", 25), ("bailiwick-cli", "the program", 90)];

/// The platforms that the budgets hold on.
const PLATFORMS: &[&str] = &["x86_64-unknown-linux-gnu", "x86_64-pc-windows-gnu"];

/// Checks everything and prints what was found.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, Failure> {
    if let Some(argument) = arguments.first() {
        return Err(Failure::new(format!("`dependencies` takes no argument, and got `{argument}`")));
    }
    check()?;
    Ok(ExitCode::SUCCESS)
}

/// Checks everything; the failure names each breach.
pub(crate) fn check() -> Result<(), Failure> {
    let mut breaches = Vec::new();
    let all = packages()?;
    for package in &all {
        if package.own {
            continue;
        }
        match &package.licence {
            Some(licence) if is_allowed(licence) => {}
            Some(licence) => breaches.push(format!("{}: licence `{licence}` is not in the list", package.name)),
            None => breaches.push(format!("{}: names no licence", package.name)),
        }
        if !package.from_registry {
            breaches.push(format!("{}: comes neither from this repository nor from the registry", package.name));
        }
    }
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in &all {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    for (name, versions) in &mut versions {
        versions.retain(|version| !TWICE.iter().any(|(twice, old)| twice == name && version.starts_with(old)));
    }
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        breaches.push(format!("{name}: is there in {} versions: {versions:?}", versions.len()));
    }
    for (package, what, budget) in BUDGETS {
        for platform in PLATFORMS {
            let count = below(package, platform)?.len();
            println!("crates below {what} on {platform}: {count} of {budget}");
            if count > *budget {
                breaches.push(format!("{what} stands on {count} crates on {platform}, the budget is {budget}"));
            }
        }
    }
    if breaches.is_empty() { Ok(()) } else { Err(Failure::new(breaches.join("\n"))) }
}

struct Package {
    name: String,
    version: String,
    licence: Option<String>,
    own: bool,
    from_registry: bool,
}

/// Every crate in the lock file, for all platforms and for the tests too.
fn packages() -> Result<Vec<Package>, Failure> {
    let answer = shell::text(&mut project::cargo(["metadata", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&answer).doing("`cargo metadata` answered strangely")?;
    let packages = metadata["packages"].as_array().ok_or_else(|| Failure::new("`cargo metadata` names no packages"))?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Ok(packages
        .iter()
        .map(|package| Package {
            name: text(&package["name"]).unwrap_or_default(),
            version: text(&package["version"]).unwrap_or_default(),
            licence: text(&package["license"]),
            own: package["source"].is_null(),
            from_registry: text(&package["source"]).is_some_and(|source| source.starts_with("registry+")),
        })
        .collect())
}

/// The crates that a package of ours needs to be built and to run on a platform, itself not counted.
fn below(package: &str, platform: &str) -> Result<BTreeSet<String>, Failure> {
    let arguments = ["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}", "--no-dedupe"];
    let answer = shell::text(project::cargo(arguments).args(["--package", package, "--target", platform]))?;
    let names = answer.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some(format!("{} {}", words.next()?, words.next()?))
    });
    Ok(names.filter(|name| name.split(' ').next() != Some(package)).collect())
}

/// Whether a licence expression can be satisfied with licences of the list: `OR` chooses, `AND` needs both.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let allowed = either(&mut rest);
    allowed && rest.is_empty()
}

fn either(words: &mut &[&str]) -> bool {
    let mut allowed = both(words);
    while let Some(rest) = words.strip_prefix(&["OR"]) {
        *words = rest;
        allowed |= both(words);
    }
    allowed
}

fn both(words: &mut &[&str]) -> bool {
    let mut allowed = one(words);
    while let Some(rest) = words.strip_prefix(&["AND"]) {
        *words = rest;
        allowed &= one(words);
    }
    allowed
}

fn one(words: &mut &[&str]) -> bool {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let allowed = either(words);
            let closed = words.strip_prefix(&[")"]);
            *words = closed.unwrap_or(words);
            allowed && closed.is_some()
        }
        [licence, "WITH", exception, rest @ ..] => {
            *words = rest;
            LICENCES.contains(&format!("{licence} WITH {exception}").as_str())
        }
        [licence, rest @ ..] => {
            *words = rest;
            LICENCES.contains(licence)
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn one_allowed_alternative_is_enough() {
        assert!(is_allowed("MIT OR Apache-2.0"));
        assert!(is_allowed("MIT/Apache-2.0"));
        assert!(is_allowed("GPL-3.0 OR MIT"));
        assert!(is_allowed("Apache-2.0 WITH LLVM-exception OR GPL-2.0"));
    }

    #[test]
    fn all_parts_of_an_alternative_are_needed() {
        assert!(is_allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!is_allowed("(MIT OR Apache-2.0) AND GPL-3.0"));
        assert!(!is_allowed("(GPL-2.0 OR GPL-3.0) AND MIT"));
        assert!(!is_allowed("GPL-3.0"));
    }

    #[test]
    fn what_is_no_expression_is_not_allowed() {
        for broken in ["", "(MIT", "MIT)", "MIT Apache-2.0", "AND MIT", "MIT AND"] {
            assert!(!is_allowed(broken), "{broken}");
        }
    }
}
