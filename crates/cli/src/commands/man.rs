//! `bailiwick man`: the manual page.

use super::answer;
use crate::args::man;
use crate::failure::Failure;

pub(crate) fn man() -> Result<u8, Failure> {
    answer(&man::page(env!("CARGO_PKG_VERSION")))?;
    Ok(0)
}
