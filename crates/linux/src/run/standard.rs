//! What the caller's own standard descriptors open to the inside.
//!
//! A descriptor is a way to its file: `/proc/self/fd/0` opens the file anew, with more rights than the descriptor has, past
//! every mount. Landlock closes that way but for what is handed over here, which is no more than the caller has given.

use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, major, minor};
use rustix::stdio::{stderr, stdin, stdout};

use super::RunError;
use crate::landlock::Lock;
use crate::terminal::Source;

/// Device number of `/dev/null` (null(4)).
const NULL: (u32, u32) = (1, 3);

/// Grants what each descriptor that goes inside stands for.
///
/// # Errors
///
/// [`RunError::ReopenableFile`] where Landlock is not there to close the way.
pub(super) fn hand_over(inside: &mut [Source; 3], lock: &mut Lock) -> Result<(), RunError> {
    for ((number, descriptor), source) in [stdin(), stdout(), stderr()].into_iter().enumerate().zip(inside) {
        let (Source::Original, Ok(found)) = (*source, fstat(descriptor)) else { continue };
        match FileType::from_raw_mode(found.st_mode) {
            // The inside's own null device is as good, and can be opened by its path.
            FileType::CharacterDevice if (major(found.st_rdev), minor(found.st_rdev)) == NULL => *source = Source::Empty,
            FileType::RegularFile if lock.is_empty() => return Err(RunError::ReopenableFile { number }),
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
