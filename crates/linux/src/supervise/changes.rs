//! What the watch has seen, answered and told.

use std::os::fd::AsFd;
use std::path::Path;

use bailiwick_policy::text;
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;

use crate::api::Event;
use crate::enter::Door;
use crate::sys::lease::is_open_for_writing;
use crate::watch::Change;

/// Whether the inside has used the moment without protection to get a lasting hold on the file: another name for it, or a
/// descriptor that writes. It cannot hide either; what it may have done and undone meanwhile, nobody can tell.
fn was_taken(path: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let file = match openat2(CWD, path, flags, Mode::empty(), resolve) {
        Ok(file) => file,
        // Gone again, or a link, which has no content of its own.
        Err(Errno::NOENT | Errno::LOOP) => return false,
        Err(_) => return true,
    };
    let Ok(found) = fstat(&file) else { return true };
    FileType::from_raw_mode(found.st_mode) == FileType::RegularFile
        && (found.st_nlink > 1 || is_open_for_writing(file.as_fd()) == Some(true))
}

/// The event for `change`; a protected name that was replaced is protected again on the way. `None` where nothing was to do.
pub(super) fn event(change: Change, door: Option<&Door>) -> Option<Event> {
    let show = |path: &Path| text::escape(path.as_os_str());
    Some(match change {
        Change::Quarantined { path, kept } => Event::Quarantined { name: show(&path), kept: kept.as_deref().map(show) },
        Change::Failed { path, why } => Event::QuarantineFailed { name: show(&path), why },
        Change::ProtectedGone { path } => Event::ProtectedGone { name: show(&path) },
        // Nobody can tell any more whether the name is guarded: the run ends.
        Change::Blind { path, .. } => Event::ProtectionLost { name: show(&path) },
        Change::ProtectedReplaced { path } => {
            let name = show(&path);
            match door.map_or(Err(Errno::BADF), |door| door.protect_again(&path)) {
                Ok(true) if was_taken(&path) => Event::ProtectionLost { name },
                Ok(true) => Event::ProtectedAgain { name },
                Ok(false) => return None,
                Err(_) => Event::ProtectionLost { name },
            }
        }
    })
}
