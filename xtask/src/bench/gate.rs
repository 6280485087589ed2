//! The network gate: throughput, latency and memory, by the crate's own bench, which runs the gate as a process of its own.

use super::fixture::Fixture;
use super::table::Table;
use crate::project;
use crate::shell::{self, Doing, Failure};

/// Design, section 11: throughput of one connection against a direct one.
const THROUGHPUT: f64 = 0.7;
/// Design, section 11: milliseconds that setting up a connection may take longer.
const LATENCY: f64 = 0.3;
/// Design, section 11: kibibytes of the process without and with 5,000 open tunnels.
const MEMORY: [(&str, u64); 2] = [("memory with no tunnel", 16 << 10), ("memory with 5000 open tunnels", 64 << 10)];

/// One row for each line that the bench of the crate prints: `WHAT: FIGURES`.
pub(crate) fn gate(_: &Fixture, table: &mut Table) -> Result<(), Failure> {
    let text =
        shell::text(&mut project::cargo(["bench", "--quiet", "--package", "bailiwick-gate", "--bench", "gate"]))?;
    let mut rows = 0;
    for line in text.lines() {
        let Some((what, figures)) = line.split_once(": ") else { continue };
        rows += usize::from(row(table, what.trim(), figures).doing(format!("the bench of the gate said `{line}`"))?);
    }
    if rows == 0 {
        return Err(Failure::new("the bench of the gate printed no figure"));
    }
    Ok(())
}

/// Adds what a line says; `false` if it says nothing that is known.
fn row(table: &mut Table, what: &str, figures: &str) -> Result<bool, std::num::ParseFloatError> {
    if let Some(share) = figures.strip_suffix(" of it") {
        let share = share.rsplit(' ').next().unwrap_or_default().parse()?;
        table.share("gate", &format!("{what}, against a direct connection"), share, THROUGHPUT);
        return Ok(true);
    }
    if let Some(added) = figures.strip_suffix(" added") {
        let added = added.rsplit(' ').next().unwrap_or_default();
        if let Some(microseconds) = added.strip_suffix("µs") {
            let milliseconds: f64 = microseconds.parse::<f64>()? / 1e3;
            table.delay("gate", &format!("{what}, longer than directly"), milliseconds, LATENCY);
            return Ok(true);
        }
    }
    let most = MEMORY.iter().find(|(name, _)| *name == what).map(|(_, most)| *most);
    if let (Some(most), Some((megabytes, _))) = (most, figures.split_once(" MB resident")) {
        table.memory("gate", what, (megabytes.parse::<f64>()? * 1024.0) as u64, most);
        return Ok(true);
    }
    if figures.contains("MB resident") || figures.contains("GB/s") {
        table.note(format!("gate: {what}: {figures}"));
    }
    Ok(false)
}
