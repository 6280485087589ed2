//! Developers' chores, as `cargo xtask CHORE`.
//!
//! | file | subject |
//! | --- | --- |
//! | `shell.rs` | running programs, with errors that say what was run |
//! | `project.rs` | where things are |
//! | `system.rs` | Debian packages, the Windows target, the ordinary user |
//! | `toolchain.rs` | a Rust toolchain that the ordinary user can read |
//! | `dependencies.rs` | licences, duplicates and budgets of the crates used |
//! | `dist.rs` | the static release build, completions, man page |
//! | `docs.rs` | pages that are generated from code |
//! | `fuzz.rs` | the fuzz targets of `fuzz/`, built and run |
//! | `test.rs`, `test/` | everything that must pass, and the sum of it |
//! | `bench.rs`, `bench/` | the numbers of the design, section 11 |

#[cfg(unix)]
mod bench;
mod dependencies;
#[cfg(unix)]
mod dist;
mod docs;
#[cfg(unix)]
mod fuzz;
mod project;
mod shell;
#[cfg(unix)]
mod system;
#[cfg(unix)]
mod test;
#[cfg(unix)]
mod toolchain;

use std::process::ExitCode;

use shell::Failure;

const HELP: &str = "\
Developers' chores.

  cargo xtask test [--quick]     install what is missing, then run everything that must pass; as root and as an ordinary user
                                 (--quick: only the tests of this user, no lints, no Windows build)
  cargo xtask dist               build the static release program, its completions and its man page
  cargo xtask bench [--json] [PART…]   print the numbers of the design, section 11
                                 (parts: launch, tree, mounts, work, memory, library, winsec)
  cargo xtask fuzz [TARGET…] [--seconds N]
                                 fuzz the parsers of hostile bytes (a minute each), and print executions and coverage
  cargo xtask docs [--check]     write the generated pages; --check only says whether they are up to date
  cargo xtask dependencies       check licences, duplicates and the number of crates
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode, Failure> {
    let (chore, rest) = arguments.split_first().map_or(("help", [].as_slice()), |(first, rest)| (first.as_str(), rest));
    match chore {
        "docs" => docs::run(rest),
        "dependencies" => dependencies::run(rest),
        #[cfg(unix)]
        "test" => test::run(rest),
        #[cfg(unix)]
        "fuzz" => fuzz::run(rest),
        #[cfg(unix)]
        "dist" => dist::run(rest),
        #[cfg(unix)]
        "bench" => bench::run(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => Err(Failure::new(format!("`{other}` is no chore\n\n{HELP}"))),
    }
}
