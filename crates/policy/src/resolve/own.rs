//! bailiwick's own files: never within reach of the inside, whatever the rules say.

use std::path::{Path, PathBuf};

use super::ResolveError;
use super::files::{Files, inherent};
use crate::boundary::{Boundary, FileRule, Present};
use crate::decide::{Access, Verdict};
use crate::evaluate::covers;
use crate::host::Host;
use crate::locate::Locator;
use crate::policy::FileRuleKind;

/// Where bailiwick's own files are, canonical.
pub(super) struct Own {
    /// Policy files and the user's directory of them: readable where a rule says so, never changed.
    protected: Vec<(PathBuf, Present)>,
    /// State and data: the trust, the journal, the private homes of other workspaces.
    denied: Vec<(PathBuf, Present)>,
}

impl Own {
    pub(super) fn locate(locator: &mut Locator, host: &Host, documents: &[PathBuf]) -> Result<Own, ResolveError> {
        let mut protected = Vec::new();
        for path in [&host.config_dir, &host.admin_file].into_iter().chain(documents) {
            let located = locator.locate(path).map_err(ResolveError::Own)?;
            // A policy file behind a link: the link itself must stay as well.
            protected.extend(located.links.into_iter().map(|link| (link.at, Present::File)));
            protected.push((located.path, located.present));
        }
        let mut denied = Vec::new();
        for path in [&host.state_dir, &host.data_dir] {
            let located = locator.locate(path).map_err(ResolveError::Own)?;
            denied.push((located.path, located.present));
        }
        Ok(Own { protected, denied })
    }

    /// Whether a directory is one of bailiwick's or lies in one.
    pub(super) fn holds(&self, directory: &Path) -> bool {
        let own = self.denied.iter().chain(&self.protected);
        own.filter(|(_, present)| *present != Present::File).any(|(path, _)| covers(path, directory))
    }

    /// Adds the rules that some grant makes necessary. They stand with the ceiling, so that no grant, however specific,
    /// undoes them.
    pub(super) fn protect(&self, boundary: &mut Boundary, files: &mut Files<'_>) -> Result<(), ResolveError> {
        let is_touched = |path: &Path, kinds: &[FileRuleKind]| {
            let mut grants = boundary.rules.iter().filter(|rule| kinds.contains(&rule.kind));
            grants.any(|rule| covers(&rule.path, path) || covers(path, &rule.path))
        };
        let mut rules: Vec<FileRule> = Vec::new();
        for (path, present) in &self.denied {
            if is_touched(path, &[FileRuleKind::Read, FileRuleKind::Write]) {
                rules.push(inherent(FileRuleKind::Deny, path, *present, "its own state"));
            }
        }
        for (path, present) in &self.protected {
            if is_touched(path, &[FileRuleKind::Write]) {
                rules.push(inherent(FileRuleKind::Protect, path, *present, "a policy file"));
            }
        }
        // A policy file of the project that is not there yet would speak for the next run.
        if is_writable(boundary, &boundary.workspace) {
            rules.extend(files.protect_inherent(&boundary.workspace.join("bailiwick.toml"), "a policy file")?);
        }
        boundary.ceiling_rules.extend(rules);
        Ok(())
    }
}

/// Whether the inside may change the host's `path`.
pub(super) fn is_writable(boundary: &Boundary, path: &Path) -> bool {
    boundary.decide(&Access::Write(path.to_path_buf())).verdict == Verdict::Allowed
}

/// The host's directories that the inside may write, as far as rules begin there, and the workspace.
pub(super) fn writable_roots(boundary: &Boundary) -> Vec<PathBuf> {
    let written = boundary.rules.iter().filter(|rule| rule.kind == FileRuleKind::Write);
    std::iter::once(boundary.workspace.clone()).chain(written.map(|rule| rule.path.clone())).collect()
}
