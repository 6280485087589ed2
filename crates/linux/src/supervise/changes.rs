//! What the watch has seen, answered and told.

use std::path::Path;

use bailiwick_policy::text;
use rustix::io::Errno;

use crate::api::Event;
use crate::enter::Door;
use crate::watch::Change;

/// The event for `change`; a protected name that was replaced is protected again on the way. `None` where nothing was to do.
pub(super) fn event(change: Change, door: Option<&Door>) -> Option<Event> {
    let show = |path: &Path| text::escape(path.as_os_str());
    Some(match change {
        Change::Quarantined { path, kept } => Event::Quarantined { name: show(&path), kept: kept.as_deref().map(show) },
        Change::Failed { path, why } => Event::QuarantineFailed { name: show(&path), why },
        Change::ProtectedGone { path } => Event::ProtectedGone { name: show(&path) },
        Change::ProtectedReplaced { path } => {
            let name = show(&path);
            match door.map_or(Err(Errno::BADF), |door| door.protect_again(&path)) {
                Ok(true) => Event::ProtectedAgain { name },
                Ok(false) => return None,
                Err(_) => Event::ProtectionLost { name },
            }
        }
    })
}
