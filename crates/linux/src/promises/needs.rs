//! What a boundary needs that the Linux tiers may not be able to hold: places that must not be read, below trees that may.

use std::path::{Path, PathBuf};

use bailiwick_policy::boundary::{Boundary, Present};
use bailiwick_policy::decide::Grant;
use bailiwick_policy::text::escape;

use crate::landlock::unheld;

/// Existing places that must not be read, below trees that may: escaped for printing.
pub(super) fn hidden_below(boundary: &Boundary) -> Vec<String> {
    hidden(boundary).iter().map(|path| escape(path.as_os_str())).collect()
}

/// Those of them that lie below a tree that may be written, however deep: what moves a name takes what is under it along.
pub(super) fn hidden_below_writable(boundary: &Boundary) -> Vec<String> {
    let writable: Vec<&Path> =
        boundary.point_grants().into_iter().filter(|(_, grant)| *grant == Grant::Write).map(|(path, _)| path).collect();
    let hidden = hidden(boundary);
    let hidden = hidden.iter().filter(|path| writable.iter().any(|root| path.starts_with(root)));
    hidden.map(|path| escape(path.as_os_str())).collect()
}

fn hidden(boundary: &Boundary) -> Vec<PathBuf> {
    let is_absent = |path: &Path| {
        let mut rules =
            boundary.rules.iter().chain(&boundary.ceiling_rules).filter(|rule| rule.path == path).peekable();
        rules.peek().is_some() && rules.all(|rule| rule.present == Present::Absent)
    };
    unheld(boundary)
        .into_iter()
        .filter(|unheld| matches!(unheld.wanted, Grant::Hidden | Grant::Denied | Grant::Private(_)))
        .filter(|unheld| !is_absent(&unheld.path))
        .map(|unheld| unheld.path)
        .collect()
}
