//! What a boundary asks of Landlock, and what of it Landlock cannot hold.

use std::path::{Path, PathBuf};

use bailiwick_policy::boundary::{Backing, Boundary, Present};
use bailiwick_policy::decide::Grant;

use super::Use;

/// A point of a boundary at which Landlock leaves more open than the boundary grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unheld {
    /// The point.
    pub path: PathBuf,
    /// What the boundary grants there.
    pub wanted: Grant,
    /// What the tree above it leaves open there.
    pub given: Use,
}

/// The points that Landlock cannot hold because an ancestor is granted more.
pub fn unheld(boundary: &Boundary) -> Vec<Unheld> {
    let points: Vec<(&Path, Grant)> = boundary.points().into_iter().map(|path| (path, boundary.grant(path))).collect();
    unheld_points(&points)
}

/// As [`unheld`], for points of which parents come first.
pub(super) fn unheld_points(points: &[(&Path, Grant)]) -> Vec<Unheld> {
    let mut given: Vec<(&Path, Use)> = Vec::new();
    let mut unheld = Vec::new();
    for &(path, wanted) in points {
        let inherited = given.iter().filter(|(above, _)| path.starts_with(above)).map(|(_, given)| *given).max();
        let granted = use_of(wanted);
        if let Some(inherited) = inherited
            && granted.is_none_or(|granted| inherited > granted)
        {
            unheld.push(Unheld { path: path.to_owned(), wanted, given: inherited });
        } else if matches!(wanted, Grant::PrivateProtected(_)) {
            // The private directory behind it is granted as a whole.
            unheld.push(Unheld { path: path.to_owned(), wanted, given: Use::Write });
        }
        if let Some(granted) = granted {
            given.push((path, granted));
        }
    }
    unheld
}

/// What has to be granted at the host's path itself. Private places are granted where their content is.
fn use_of(grant: Grant) -> Option<Use> {
    match grant {
        Grant::Read => Some(Use::Read),
        Grant::Write => Some(Use::Write),
        Grant::Hidden | Grant::Denied | Grant::Private(_) | Grant::PrivateProtected(_) => None,
    }
}

/// The grants of the `landlock` tier for a boundary: its readable and writable trees, the directories behind its private
/// roots, and the listed sockets. Directories in memory and `/dev`, `/proc` are the plan's business.
pub fn grants(boundary: &Boundary) -> Vec<(PathBuf, Use)> {
    let absent = |path: &Path| boundary.rules.iter().any(|rule| rule.path == path && rule.present == Present::Absent);
    let mut grants = Vec::new();
    for path in boundary.points() {
        if let Some(granted) = use_of(boundary.grant(path))
            && !absent(path)
        {
            grants.push((path.to_owned(), granted));
        }
    }
    for private in &boundary.private {
        if let Backing::Directory(directory) = &private.backing {
            grants.push((directory.clone(), Use::Write));
        }
    }
    grants.extend(boundary.network.sockets.iter().map(|socket| (socket.value.clone(), Use::Connect)));
    grants
}
