//! `bailiwick completions`: the completions for a shell.

use super::answer;
use crate::args::Parsed;
use crate::args::completions::{Shell, script};
use crate::failure::Failure;

pub(crate) fn completions(parsed: &Parsed) -> Result<u8, Failure> {
    let shell = parsed.positional(0).to_str().and_then(Shell::from_name);
    // The parser lets only the shells of its table through.
    let shell = shell.ok_or_else(|| Failure::new("there are completions for bash, zsh and fish"))?;
    answer(&script(shell))?;
    Ok(0)
}
