//! `bailiwick doctor --record` and `--record-corpus`: a Windows machine, written down for reading elsewhere.

#[cfg(windows)]
mod here;

use crate::args::Parsed;
use crate::args::table::Opt;
use crate::failure::Failure;

/// Whether `doctor` was asked to record.
pub(crate) fn is_asked_for(parsed: &Parsed) -> bool {
    parsed.flag(Opt::Record) || parsed.flag(Opt::RecordCorpus) || !parsed.positional(0).is_empty()
}

/// Records what was asked for.
pub(crate) fn record(parsed: &Parsed) -> Result<u8, Failure> {
    match (parsed.flag(Opt::Record), parsed.flag(Opt::RecordCorpus)) {
        (true, true) => Err(Failure::new("--record and --record-corpus write two files: run `doctor` once for each")),
        (false, false) => {
            Err(Failure::new("FILE is what a recording is written to: say `--record` or `--record-corpus` before it"))
        }
        #[cfg(windows)]
        (true, false) => here::facts(parsed),
        #[cfg(windows)]
        (false, true) => here::corpus(parsed),
        #[cfg(not(windows))]
        (facts, _) => Err(elsewhere(if facts { "--record" } else { "--record-corpus" })),
    }
}

/// A machine is recorded where it is.
#[cfg(not(windows))]
fn elsewhere(option: &str) -> Failure {
    Failure::new(format!(
        "{option} records a Windows machine and has to run on it; this is {}. Run it there, and read here what it wrote: \
         `bailiwick explain --as windows:TIER --facts FILE …`",
        std::env::consts::OS
    ))
}
