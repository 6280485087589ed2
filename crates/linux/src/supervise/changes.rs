//! What the watch has seen, answered and told.

use std::path::Path;

use bailiwick_policy::text;

use crate::api::Event;
use crate::enter::Door;
use crate::watch::Change;

/// The event for `change`; a protected name that was replaced is protected again on the way.
pub(super) fn event(change: Change, door: Option<&Door>) -> Event {
    let show = |path: &Path| text::escape(path.as_os_str());
    match change {
        Change::Quarantined { path, kept } => Event::Quarantined { name: show(&path), kept: kept.as_deref().map(show) },
        Change::Failed { path, why } => Event::QuarantineFailed { name: show(&path), why },
        Change::ProtectedGone { path } => Event::ProtectedGone { name: show(&path) },
        Change::ProtectedReplaced { path } => {
            let protected = door.is_some_and(|door| door.protect_again(&path).is_ok());
            let name = show(&path);
            if protected { Event::ProtectedAgain { name } } else { Event::ProtectionLost { name } }
        }
    }
}
