//! The directories that the inside has for itself.

use std::path::{Path, PathBuf};

use hmac_sha256::Hash;

use super::ResolveError;
use super::files::Files;
use crate::boundary::{Backing, PrivateRoot};
use crate::host::Host;
use crate::origin::{Layer, Origin, Source};

/// Directories that every program writes and that nothing is kept in.
const IN_MEMORY: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

/// The private home, kept per workspace, and the temporary directories.
pub(super) fn roots(
    files: &mut Files<'_>,
    host: &Host,
    home: &Path,
    workspace: &Path,
) -> Result<Vec<PrivateRoot>, ResolveError> {
    let because =
        |reason: &str| Origin { layer: Layer::BuiltIn, source: Source::Inherent(reason.to_owned()), line: None };
    let backing = Backing::Directory(host.data_dir.join("homes").join(home_name(workspace)));
    let mut roots = vec![PrivateRoot {
        path: home.to_path_buf(),
        backing,
        origin: because("the private home, kept per workspace"),
    }];
    for path in IN_MEMORY.into_iter().filter(|_| cfg!(unix)) {
        let path = files.canonical(Path::new(path)).map_err(ResolveError::Own)?;
        if roots.iter().all(|root| root.path != path) {
            roots.push(PrivateRoot { path, backing: Backing::Memory, origin: because("private temporary files") });
        }
    }
    Ok(roots)
}

/// The name of a workspace's private home: readable, and different for every canonical path.
fn home_name(workspace: &Path) -> PathBuf {
    let last = workspace.file_name().unwrap_or_default().as_encoded_bytes();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let readable: String =
        last.iter().take(32).map(|byte| if is_plain(*byte) { char::from(*byte) } else { '_' }).collect();
    let hash = Hash::hash(workspace.as_os_str().as_encoded_bytes());
    let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    PathBuf::from(format!("{readable}-{digits}"))
}
