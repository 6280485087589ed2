//! The numbers of the design, section 11: printed, never asserted. Ratios are of medians that were measured in one run,
//! interleaved, so that a busy machine is as busy for both sides.

mod bwrap;
mod fixture;
mod gate;
mod launch;
mod library;
mod sample;
mod table;
mod winsec;
mod work;

use std::process::ExitCode;

use crate::shell::Failure;
use crate::{dist, system};
use fixture::Fixture;
use table::Table;

/// A part of the bench: its name on the command line and what it measures.
type Part = (&'static str, fn(&Fixture, &mut Table) -> Result<(), Failure>);

const PARTS: &[Part] = &[
    ("launch", launch::launch),
    ("tree", launch::tree),
    ("mounts", launch::mounts),
    ("work", work::work),
    ("memory", library::memory),
    ("library", library::library),
    ("gate", gate::gate),
    ("winsec", winsec::winsec),
];

/// Builds the release program, measures the parts that are asked for (all if none is named), prints the table.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, Failure> {
    // The bench starts itself again for what must run inside, or in a process of its own.
    match arguments.split_first() {
        Some((first, rest)) if first == work::INSIDE => return work::inside(rest),
        Some((first, rest)) if first == library::HOST => return library::host(rest),
        _ => {}
    }
    let (options, names): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|word| word.starts_with('-'));
    let json = match options.as_slice() {
        [] => false,
        [option] if *option == "--json" => true,
        other => return Err(Failure::new(format!("`bench` knows only `--json`, and got {other:?}"))),
    };
    if let Some(name) = names.iter().find(|name| !PARTS.iter().any(|(part, _)| *part == name.as_str())) {
        return Err(Failure::new(format!("`{name}` is no part of the bench")));
    }
    system::packages()?;
    let fixture = Fixture::make(&dist::program()?)?;
    let mut table = Table::default();
    for (name, part) in PARTS {
        if names.is_empty() || names.iter().any(|wanted| wanted.as_str() == *name) {
            eprintln!("== {name}");
            part(&fixture, &mut table)?;
        }
    }
    if json {
        table.print_json()?
    } else {
        table.print()
    }
    Ok(ExitCode::SUCCESS)
}
