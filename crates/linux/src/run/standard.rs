//! What the caller's own standard descriptors open to the inside.
//!
//! A descriptor is a way to its file: `/proc/self/fd/0` opens the file anew, with more rights than the descriptor has, past
//! every mount. Landlock closes that way but for what is handed over here, which is no more than the caller has given.

use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, major, minor};
use rustix::stdio::{stderr, stdin, stdout};

use bailiwick_policy::boundary::Boundary;
use bailiwick_policy::decide::Grant;

use super::RunError;
use crate::landlock::Lock;
use crate::terminal::Source;

/// Device number of `/dev/null` (null(4)).
const NULL: (u32, u32) = (1, 3);

/// Grants what each descriptor that goes inside stands for.
///
/// # Errors
///
/// [`RunError::ReopenableFile`] where Landlock is not there to close the way, [`RunError::Directory`] for a directory.
pub(super) fn hand_over(boundary: &Boundary, inside: &mut [Source; 3], lock: &mut Lock) -> Result<(), RunError> {
    for ((number, descriptor), source) in [stdin(), stdout(), stderr()].into_iter().enumerate().zip(inside) {
        let (Source::Original, Ok(found)) = (*source, fstat(descriptor)) else { continue };
        match FileType::from_raw_mode(found.st_mode) {
            // The inside's own null device is as good, and can be opened by its path.
            FileType::CharacterDevice if (major(found.st_rdev), minor(found.st_rdev)) == NULL => {
                *source = Source::Empty
            }
            // A way past the whole boundary: everything below it could be opened from it.
            FileType::Directory => return Err(RunError::Directory { number }),
            FileType::RegularFile if !lock.handles_files() => return Err(RunError::ReopenableFile { number }),
            FileType::RegularFile if is_guarded(boundary, number) => return Err(RunError::GuardedFile { number }),
            FileType::RegularFile => {
                let Ok(flags) = fcntl_getfl(descriptor) else { continue };
                let mode = flags & OFlags::ACCMODE;
                lock.hand_over(number, mode != OFlags::WRONLY, mode != OFlags::RDONLY);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether the file is a protected or denied one below a writable tree: Landlock's grant on the tree reaches it, and the
/// descriptor leads past the mount that protects its name.
fn is_guarded(boundary: &Boundary, number: usize) -> bool {
    let Ok(path) = std::fs::read_link(format!("/proc/self/fd/{number}")) else { return true };
    boundary.grant(&path) != Grant::Write && path.ancestors().skip(1).any(|above| boundary.grant(above) == Grant::Write)
}
