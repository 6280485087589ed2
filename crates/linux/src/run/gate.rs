//! What a run with a network gate needs beside the others.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use bailiwick_policy::boundary::Boundary;
use bailiwick_policy::guarantee::Guarantee;

use super::RunError;
use crate::api::Tier;
use crate::facts::Facts;
use crate::gate::{Gatekeeper, MOST_PORTS, NAMES, OwnFile, usual_files};
use crate::landlock::{Abi, Lock, Use};
use crate::supervise::Gating;

/// Where the configuration of the host's resolver lies.
const CONFIGURATION: [&str; 2] = ["/etc", "/etc/resolv.conf"];

/// The gate's keeper, if the run has a gate.
///
/// # Errors
///
/// [`RunError::NoGate`] where there must be one, unless the user has taken the loss of the hosts by name.
pub(super) fn keeper(
    boundary: &Boundary,
    tier: Tier,
    given: Option<Box<dyn Gatekeeper>>,
) -> Result<Option<Box<dyn Gatekeeper>>, RunError> {
    if boundary.network.allow.is_empty() || tier != Tier::Namespaces {
        return Ok(None);
    }
    if given.is_none() && !boundary.isolation.accept.contains(&Guarantee::HostsFiltered) {
        return Err(RunError::NoGate);
    }
    Ok(given)
}

/// The files that the inside has instead of the host's.
pub(super) fn files(gatekeeper: &dyn Gatekeeper) -> Vec<OwnFile> {
    let system = rustix::system::uname();
    let mut files = usual_files(&system.nodename().to_string_lossy());
    files.extend(gatekeeper.files());
    files
}

/// All that is needed to start the gate; the command's variables get what the keeper has for them.
pub(super) fn gating(
    boundary: &Boundary,
    gatekeeper: Box<dyn Gatekeeper>,
    facts: &Facts,
    environment: &mut Vec<(OsString, OsString)>,
) -> Result<Gating, RunError> {
    // What is sent to the port of name servers is for the gate's own.
    let ports: Vec<u16> = boundary.network.ports().into_iter().filter(|port| *port != NAMES).collect();
    if ports.len() > MOST_PORTS {
        return Err(RunError::TooManyPorts { number: ports.len() });
    }
    for (name, value) in gatekeeper.variables() {
        environment.retain(|(present, _)| *present != name);
        environment.push((name, value));
    }
    let reads = CONFIGURATION.iter().map(PathBuf::from).chain(gatekeeper.reads());
    let reads: Vec<PathBuf> = reads.filter_map(|path| readable(&path)).collect();
    let grants = reads.iter().map(|path| (path.as_path(), Use::Read));
    let lock = Lock::helper(Abi(facts.landlock_abi), grants).map_err(RunError::Lock)?;
    Ok(Gating { gatekeeper, ports, lock })
}

/// Where the path leads. Of a file that lies elsewhere, the directory: files of settings are replaced, not rewritten.
fn readable(path: &Path) -> Option<PathBuf> {
    let leads_to = fs::canonicalize(path).ok()?;
    if leads_to.is_dir() || leads_to == path { Some(leads_to) } else { leads_to.parent().map(Path::to_owned) }
}
