//! `Boundary::decide`: the only place that answers "may it?".

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::boundary::Boundary;
pub use crate::evaluate::path_order;
use crate::evaluate::{Point, View, tidy};
use crate::origin::Origin;
use crate::policy::FileRuleKind;

mod files;
mod network;
mod remedy;
mod socket;
#[cfg(test)]
mod tests;
mod words;

/// What the inside wants to do. Paths are canonical (see [`locate`](crate::locate::locate)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read, list or execute.
    Read(PathBuf),
    /// Create, change, delete, or change metadata.
    Write(PathBuf),
    /// Remove, rename, move away or replace the object itself.
    Remove(PathBuf),
    /// Connect to a host name or address and port.
    Connect {
        /// Canonical name: lower case, no trailing dot.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// Make one HTTP request at a host.
    Request {
        /// Canonical name: lower case, no trailing dot.
        host: String,
        /// TCP port.
        port: u16,
        /// The method as sent.
        method: String,
        /// The request target as sent; a query takes no part.
        path: String,
    },
    /// Connect to a UNIX socket or named pipe of the host.
    Socket(PathBuf),
}

/// The answer to "may it?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Yes, on the host's own object.
    Allowed,
    /// It works inside, on bailiwick's own copy; the host's object is neither read nor changed.
    Private,
    /// No.
    Refused,
}

/// Why the verdict is what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The answer.
    pub verdict: Verdict,
    /// The rule that decided; `None` where no rule covers the target (what is not allowed is refused).
    pub rule: Option<DecidingRule>,
    /// One sentence for people, without the rule's place.
    pub reason: String,
    /// What would change a refusal, or let the inside read or write the host's own object instead of its own.
    pub remedy: Option<Remedy>,
}

/// The rule that decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DecidingRule {
    /// The rule as a person would write it: `read = "~/.gitconfig"`.
    pub text: String,
    /// Where it stands.
    pub origin: Origin,
}

/// The grant that would turn a refusal, or the inside's own, into a permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// The command-line option: `--read /opt/sdk`. `None` where no option can (the administrator's ceiling).
    pub option: Option<String>,
    /// The line for a policy file: `[files] read = ["/opt/sdk"]`.
    pub policy_line: Option<String>,
    /// What has to be done instead, where no grant suffices.
    pub note: Option<String>,
}

/// What the boundary grants at one path: what a tier has to make true there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// Not there at all: outside everything that is readable.
    Hidden,
    /// Inside something visible, but neither read nor written.
    Denied,
    /// Read and executed.
    Read,
    /// Read and written.
    Write,
    /// The inside's own (index into [`Boundary::private`]), read and written.
    Private(usize),
    /// The inside's own, but this name may not be changed or brought into being.
    PrivateProtected(usize),
}

impl Boundary {
    /// May the inside do this?
    ///
    /// A path that is relative or holds `..` is refused: what it means is known only after
    /// [`locate`](crate::locate::locate).
    pub fn decide(&self, access: &Access) -> Decision {
        match access {
            Access::Read(path) => files::decide(self, files::Verb::Read, path),
            Access::Write(path) => files::decide(self, files::Verb::Write, path),
            Access::Remove(path) => files::decide(self, files::Verb::Remove, path),
            Access::Connect { host, port } => self.network.connect(host, *port),
            Access::Request { host, port, method, path } => self.network.request(host, *port, method, path),
            Access::Socket(path) => socket::decide(self, path),
        }
    }

    /// What the inside has at `path` (canonical).
    ///
    /// Agrees with [`decide`](Self::decide) by construction: both use the same evaluation.
    pub fn grant(&self, path: &Path) -> Grant {
        tidy(path).map_or(Grant::Hidden, |path| self.view().grant(&path))
    }

    /// Every path at which the grant may differ from that of its parent, sorted so that parents come first:
    /// the paths of all rules, ceilings and private roots, without duplicates.
    pub fn points(&self) -> Vec<&Path> {
        self.view().point_paths()
    }

    /// [`points`](Self::points) with the grant at each: one pass, where asking for each grant would be many.
    pub fn point_grants(&self) -> Vec<(&Path, Grant)> {
        self.view().points().into_iter().map(|point| (point.path, point.grant)).collect()
    }

    /// Names inside a writable (or private) place that must neither be changed nor brought into being, present or absent:
    /// each point whose grant is `Read`, `Denied` or `PrivateProtected` while its parent directory's grant is `Write`
    /// or `Private`, because of a `deny`, `protect` or `read` rule or the ceiling. Parents come first.
    pub fn guarded(&self) -> Vec<Guarded<'_>> {
        let view = self.view();
        view.guarded(&view.points())
    }

    /// [`points`](Self::points) with all that a tier has to know about each, and [`guarded`](Self::guarded), from one pass.
    pub fn survey(&self) -> (Vec<Surveyed<'_>>, Vec<Guarded<'_>>) {
        let view = self.view();
        let points = view.points();
        let guarded = view.guarded(&points);
        (points.iter().map(Surveyed::of).collect(), guarded)
    }

    fn view(&self) -> View<'_> {
        View { boundary: self, extra: None }
    }
}

/// A path at which the grant may differ from that of its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surveyed<'a> {
    /// The path.
    pub path: &'a Path,
    /// What the inside has there.
    pub grant: Grant,
    /// What it has in the directory above.
    pub parent_grant: Grant,
    /// What the host has there; `None` where only a private root says something about it.
    pub present: Option<crate::boundary::Present>,
}

impl<'a> Surveyed<'a> {
    fn of(point: &Point<'a>) -> Surveyed<'a> {
        let Point { path, grant, parent_grant, present, .. } = *point;
        Surveyed { path, grant, parent_grant, present }
    }
}

/// A name that must neither be changed nor brought into being.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarded<'a> {
    /// The name.
    pub path: &'a Path,
    /// The writable or private root above it: the highest ancestor from which everything down to the name's parent has
    /// the same grant. Every directory strictly between the two must not be renamed. (A writable root inside a private
    /// one is a root of its own: moving what lies above it moves only the inside's own directories.)
    pub root: &'a Path,
    /// Whether that root is a private one.
    pub in_private: bool,
    /// `Deny` if it may not be read either.
    pub kind: FileRuleKind,
    /// What is there now.
    pub present: crate::boundary::Present,
    /// The rule's origin.
    pub origin: &'a Origin,
}
