//! Which directory may be a home, and which a workspace.

use std::path::{Path, PathBuf};

use super::ResolveError;
use super::own::Own;
use crate::boundary::Present;
use crate::evaluate::covers;
use crate::host::Host;
use crate::locate::Locator;

/// Directories of the system: neither they nor anything in them.
const SYSTEM: [&str; 13] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/proc",
    "/sbin",
    "/sys",
    "/usr",
    "/var/lib/dpkg",
];

/// Places below a system directory where people do keep sources.
const SOURCES: [&str; 3] = ["/usr/src", "/usr/local/src", "/dev/shm"];

/// Directories that hold what belongs to everybody, or to many programs: not they themselves, but what is in them.
const SHARED: [&str; 13] = [
    "/home",
    "/media",
    "/mnt",
    "/opt",
    "/run",
    "/srv",
    "/tmp",
    "/usr/local/src",
    "/usr/src",
    "/var",
    "/var/lib",
    "/var/tmp",
    "/dev/shm",
];

/// The canonical home.
pub(super) fn home(locator: &mut Locator, host: &Host) -> Result<PathBuf, ResolveError> {
    let refuse = |why: String| ResolveError::Home { home: host.home.clone(), why };
    let located = locator.locate(&host.home).map_err(|error| refuse(error.to_string()))?;
    if located.present != Present::Directory {
        return Err(refuse("it is not a directory; set `HOME` to the user's own directory".to_owned()));
    }
    if located.path.parent().is_none() {
        return Err(refuse("it is the root directory; set `HOME` to the user's own directory".to_owned()));
    }
    Ok(located.path)
}

/// The canonical workspace, if `asked` may be one.
pub(super) fn check(
    locator: &mut Locator,
    host: &Host,
    home: &Path,
    own: &Own,
    asked: &Path,
) -> Result<PathBuf, ResolveError> {
    let asked = host.current_dir.join(asked);
    let refuse = |why: String| ResolveError::Workspace { workspace: asked.clone(), why };
    let located = locator.locate(&asked).map_err(|error| refuse(error.to_string()))?;
    let workspace = located.path;
    if located.present != Present::Directory {
        return Err(refuse("it is not a directory".to_owned()));
    }
    let way_out = "choose the directory of one project";
    if workspace.parent().is_none() {
        return Err(refuse(format!("it is the root directory; {way_out}")));
    }
    if workspace == home {
        return Err(refuse(format!(
            "it is the home directory, with everything that is to be kept from the inside; {way_out}"
        )));
    }
    if covers(&workspace, home) {
        return Err(refuse(format!("the home directory lies in it; {way_out}")));
    }
    if own.holds(&workspace) {
        return Err(refuse(format!("it belongs to bailiwick itself; {way_out}")));
    }
    let is_in = |list: &[&str]| list.iter().any(|one| covers(Path::new(one), &workspace));
    if SHARED.iter().any(|one| workspace == Path::new(one)) {
        return Err(refuse(format!("it is a directory that other users and programs share; {way_out} in it")));
    }
    if is_in(&SYSTEM) && !is_in(&SOURCES) {
        return Err(refuse(format!("it belongs to the operating system; {way_out}")));
    }
    Ok(workspace)
}
