//! `bailiwick policy`: the resolved policy, the check of policy files, their schema.

mod check;

use super::common::sandbox;
use super::{YES, answer, answer_json};
use crate::args::Parsed;
use crate::args::table::Opt;
use crate::failure::Failure;
use crate::render::boundary::show as render;
use crate::render::style::Style;

pub(crate) use check::check;

/// `policy show`
pub(crate) fn show(parsed: &Parsed) -> Result<u8, Failure> {
    let boundary = sandbox(parsed)?.boundary().map_err(Failure::new)?;
    if parsed.flag(Opt::Json) {
        answer_json(&boundary)?;
    } else {
        answer(&render(&boundary, Style::stdout()))?;
    }
    Ok(YES)
}

/// `policy schema`
pub(crate) fn schema() -> Result<u8, Failure> {
    answer_json(&bailiwick::policy::schema::schema())?;
    Ok(YES)
}
