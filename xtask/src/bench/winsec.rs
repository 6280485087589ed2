//! The access check of the Windows model: checks a second on one core, by the crate's own bench.

use super::fixture::Fixture;
use super::table::Table;
use crate::project;
use crate::shell::{self, Doing, Failure};

/// Design, section 11: checks a second on one core.
const LEAST: f64 = 2e6;

/// One row for each kind of token, as the bench of the crate prints them: `NAME NUMBER million checks a second`.
pub(crate) fn winsec(_: &Fixture, table: &mut Table) -> Result<(), Failure> {
    let text =
        shell::text(&mut project::cargo(["bench", "--quiet", "--package", "bailiwick-winsec", "--bench", "check"]))?;
    let mut rows = 0;
    for line in text.lines() {
        let Some(words) = line.strip_suffix("million checks a second") else { continue };
        let Some((name, millions)) = words.trim_end().rsplit_once(' ') else { continue };
        let millions: f64 = millions.parse().doing(format!("the bench of winsec answered strangely: `{line}`"))?;
        table.rate("winsec", &format!("access check, {} token", name.trim()), millions * 1e6, LEAST);
        rows += 1;
    }
    if rows == 0 {
        return Err(Failure::new("the bench of winsec printed no rate"));
    }
    Ok(())
}
