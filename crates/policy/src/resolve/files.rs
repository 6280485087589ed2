//! File rules on this host: places, symbolic links, missing paths, globs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{ResolveError, sort};
use crate::boundary::{Alias, Boundary, FileRule, Present};
use crate::evaluate::{covers, covers_strictly};
use crate::glob::{Compiled, Glob, compile};
use crate::host::Host;
use crate::locate::{LocateError, Located, Locator, expand_home};
use crate::origin::{Layer, Origin, Source};
use crate::policy::{Base, FileEntry, FileEntryText, FileRuleKind, Notice, NoticeKind, Ruled};
use crate::search::{DEFAULT_LIMIT, Searcher, Wanted};
use crate::text::escape;

/// A granted path that was reached through symbolic links; whether they may be trusted is known when every grant is.
struct Linked {
    path: PathBuf,
    written: String,
    origin: Origin,
    links: Vec<Alias>,
}

/// Turns entries into rules, and gathers what is met on the way.
pub(super) struct Files<'a> {
    pub(super) locator: &'a mut Locator,
    host: &'a Host,
    workspace: &'a Path,
    home: &'a Path,
    search_dir: PathBuf,
    limit: u64,
    seen: u64,
    aliases: Vec<Alias>,
    notices: Vec<Notice>,
    linked: Vec<Linked>,
}

/// A rule of bailiwick's own.
pub(super) fn inherent(kind: FileRuleKind, path: &Path, present: Present, reason: &str) -> FileRule {
    let origin = Origin { layer: Layer::BuiltIn, source: Source::Inherent(reason.to_owned()), line: None };
    FileRule { kind, path: path.to_path_buf(), present, written: escape(path.as_os_str()), origin }
}

/// The grant of a git directory outside the workspace that names the workspace.
pub(super) fn git_directory(path: PathBuf) -> FileRule {
    inherent(FileRuleKind::Write, &path, Present::Directory, "the git directory of this worktree")
}

impl<'a> Files<'a> {
    pub(super) fn new(
        locator: &'a mut Locator,
        host: &'a Host,
        workspace: &'a Path,
        home: &'a Path,
        limit: Option<u64>,
    ) -> Files<'a> {
        Files {
            locator,
            host,
            workspace,
            home,
            search_dir: host.state_dir.join("search"),
            limit: limit.unwrap_or(DEFAULT_LIMIT),
            seen: 0,
            aliases: Vec::new(),
            notices: Vec::new(),
            linked: Vec::new(),
        }
    }

    pub(super) fn notice(&mut self, kind: NoticeKind, text: String, origin: Option<&Origin>) {
        self.notices.push(Notice { kind, text, origin: origin.cloned() });
    }

    /// The canonical path; links on the way become aliases.
    pub(super) fn canonical(&mut self, path: &Path) -> Result<PathBuf, LocateError> {
        let located = self.locator.locate(path)?;
        self.aliases.extend(located.links);
        Ok(located.path)
    }

    /// Grants and restrictions of one list, in the order of the list for each kind; grants of what the kernel shows come last.
    ///
    /// A run's network namespace is being made meanwhile, for which the kernel changes `/sys`: who looks there then waits
    /// for it (measured: 0.15 ms).
    pub(super) fn rules(&mut self, entries: &[FileEntry]) -> Result<Vec<FileRule>, ResolveError> {
        let is_kernels = |entry: &&FileEntry| entry.text.as_encoded_bytes().starts_with(b"/sys/");
        let mut rules = self.grants(entries.iter().filter(|entry| !is_kernels(entry)))?;
        rules.extend(self.restrictions(entries)?);
        rules.extend(self.grants(entries.iter().filter(is_kernels))?);
        Ok(rules)
    }

    /// The `read` and `write` entries.
    pub(super) fn grants<'e>(
        &mut self,
        entries: impl IntoIterator<Item = &'e FileEntry>,
    ) -> Result<Vec<FileRule>, ResolveError> {
        let mut rules = Vec::new();
        let is_grant = |entry: &&FileEntry| matches!(entry.kind, FileRuleKind::Read | FileRuleKind::Write);
        for entry in entries.into_iter().filter(is_grant) {
            let written = escape(&entry.text);
            if let Some(located) = self.granted(&entry.text, entry.base, &written, &entry.origin)? {
                let (path, present, origin) = (located.path, located.present, entry.origin.clone());
                rules.push(FileRule { kind: entry.kind, path, present, written, origin });
            }
        }
        Ok(rules)
    }

    /// The sockets of a list: canonical paths.
    pub(super) fn sockets(&mut self, entries: &[FileEntryText]) -> Result<Vec<Ruled<PathBuf>>, ResolveError> {
        let mut sockets = Vec::new();
        for entry in entries {
            let written = escape(&entry.text);
            if let Some(located) = self.granted(&entry.text, entry.base, &written, &entry.origin)? {
                sockets.push(Ruled { value: located.path, origin: entry.origin.clone() });
            }
        }
        Ok(sockets)
    }

    /// Where a granted path is; `None`, with a notice unless a built-in profile wrote it, where there is nothing.
    fn granted(
        &mut self,
        text: &OsStr,
        base: Base,
        written: &str,
        origin: &Origin,
    ) -> Result<Option<Located>, ResolveError> {
        let is_builtin = matches!(origin.source, Source::Profile(_));
        let problem = match self.locator.locate(&self.place(Path::new(text), base)) {
            Ok(located) if located.present != Present::Absent => {
                if !located.links.is_empty() {
                    let (path, links) = (located.path.clone(), located.links.clone());
                    self.linked.push(Linked { path, written: written.to_owned(), origin: origin.clone(), links });
                }
                return Ok(Some(located));
            }
            Ok(Located { unsearchable: Some(directory), .. }) => {
                format!("the directory `{}` cannot be searched", escape(directory.as_os_str()))
            }
            Ok(_) => "there is nothing, and it is not created".to_owned(),
            // A profile names places that a user may have made a loop of; what cannot be reached is not granted.
            Err(error) if is_builtin => error.to_string(),
            Err(error) => return Err(locate_error(written, origin, error)),
        };
        if !is_builtin {
            self.notice(NoticeKind::MissingPath, format!("`{written}` is not granted: {problem}"), Some(origin));
        }
        Ok(None)
    }

    /// The `deny` and `protect` entries, globs expanded.
    pub(super) fn restrictions(&mut self, entries: &[FileEntry]) -> Result<Vec<FileRule>, ResolveError> {
        let mut rules = Vec::new();
        let mut globs = Vec::new();
        for entry in entries.iter().filter(|entry| matches!(entry.kind, FileRuleKind::Deny | FileRuleKind::Protect)) {
            let literal = if entry.glob {
                match compile(&entry.text) {
                    Ok(Compiled::Literal(path)) => path,
                    Ok(Compiled::Glob(glob)) => {
                        globs.push((entry, glob));
                        continue;
                    }
                    Err(error) => return Err(ResolveError::Glob { origin: entry.origin.clone(), error }),
                }
            } else {
                PathBuf::from(&entry.text)
            };
            let path = self.place(&literal, entry.base);
            self.restrict(entry.kind, &path, &escape(&entry.text), &entry.origin, &mut rules)?;
        }
        self.search(&globs, &mut rules)?;
        Ok(rules)
    }

    /// A rule of bailiwick's own against changing `path`.
    pub(super) fn protect_inherent(&mut self, path: &Path, reason: &str) -> Result<Vec<FileRule>, ResolveError> {
        let mut rules = Vec::new();
        let origin = inherent(FileRuleKind::Protect, path, Present::Absent, reason).origin;
        self.restrict(FileRuleKind::Protect, path, &escape(path.as_os_str()), &origin, &mut rules)?;
        Ok(rules)
    }

    /// Covers what the path leads to, and every link on the way: replacing a link would lead elsewhere.
    fn restrict(
        &mut self,
        kind: FileRuleKind,
        path: &Path,
        written: &str,
        origin: &Origin,
        rules: &mut Vec<FileRule>,
    ) -> Result<(), ResolveError> {
        let located = self.locator.locate(path).map_err(|error| locate_error(written, origin, error))?;
        let rule = |kind, path: &Path, present| {
            let (path, written, origin) = (path.to_path_buf(), written.to_owned(), origin.clone());
            FileRule { kind, path, present, written, origin }
        };
        for link in &located.links {
            // A directory on the way stays what it is; only the name that was written carries the rule's own kind.
            let is_named = located.is_link.as_deref() == Some(&link.at);
            let kind = if is_named { kind } else { FileRuleKind::Protect };
            rules.push(rule(kind, &link.at, Present::File));
        }
        rules.push(rule(kind, &located.path, located.present));
        let from_inside = located.links.iter().any(|link| covers(self.workspace, &link.at));
        if from_inside && !covers_strictly(self.workspace, &located.path) {
            let leads_to = escape(located.path.as_os_str());
            let text = format!(
                "`{written}` is a symbolic link in the workspace; the rule also covers `{leads_to}`, where it leads"
            );
            self.notice(NoticeKind::Remark, text, Some(origin));
        }
        self.aliases.extend(located.links);
        Ok(())
    }

    /// Expands globs: those with the same start are sought together.
    fn search(&mut self, globs: &[(&FileEntry, Glob)], rules: &mut Vec<FileRule>) -> Result<(), ResolveError> {
        let mut starts: Vec<(PathBuf, Vec<usize>)> = Vec::new();
        for (index, (entry, glob)) in globs.iter().enumerate() {
            let written = escape(&entry.text);
            let prefix = self.place(&glob.prefix, entry.base);
            let located = self.locator.locate(&prefix).map_err(|error| locate_error(&written, &entry.origin, error))?;
            if !located.links.is_empty() {
                // The links of the prefix must stay, or the pattern would be sought elsewhere next time.
                let mut on_the_way = Vec::new();
                self.restrict(FileRuleKind::Protect, &prefix, &written, &entry.origin, &mut on_the_way)?;
                on_the_way.pop();
                rules.extend(on_the_way);
            }
            let start = located.unsearchable.unwrap_or(located.path);
            match starts.iter_mut().find(|(path, _)| *path == start) {
                _ if located.present != Present::Directory => {}
                Some((_, indices)) => indices.push(index),
                None => starts.push((start, vec![index])),
            }
        }
        for (start, indices) in starts {
            let chosen: Vec<&(&FileEntry, Glob)> = indices.iter().filter_map(|index| globs.get(*index)).collect();
            let texts: Vec<String> = chosen.iter().map(|(entry, _)| escape(&entry.text)).collect();
            let wanted: Vec<Wanted<'_>> =
                chosen.iter().zip(&texts).map(|((_, glob), written)| Wanted { glob, written }).collect();
            let mut searcher = Searcher {
                limit: self.limit,
                seen: self.seen,
                remember_in: Some(&self.search_dir),
                uid: self.host.uid,
            };
            let mut matches = searcher.search(&start, &wanted).map_err(ResolveError::Search)?;
            self.seen = searcher.seen;
            matches.sort_by(|a, b| a.path.cmp(&b.path));
            for found in matches {
                if let (Some((entry, _)), Some(written)) = (chosen.get(found.wanted), texts.get(found.wanted)) {
                    self.restrict(entry.kind, &found.path, written, &entry.origin, rules)?;
                }
            }
        }
        Ok(())
    }

    /// An absolute path that is not yet canonical.
    fn place(&self, text: &Path, base: Base) -> PathBuf {
        let base = match base {
            Base::Workspace => self.workspace,
            Base::CurrentDirectory => &self.host.current_dir,
        };
        match text.as_os_str().as_encoded_bytes().first() {
            Some(b'~') => match expand_home(text.as_os_str(), self.home) {
                expanded if expanded.is_absolute() => expanded,
                expanded => base.join(expanded),
            },
            Some(b'/') if cfg!(unix) => text.to_path_buf(),
            _ => base.join(text),
        }
    }

    /// Refuses grants that leave an untrusted place through a link in it, and hands everything gathered to the boundary.
    ///
    /// Untrusted are the workspace, which is the adversary, and every directory that the inside may write: a link there
    /// may be its own work of an earlier run. A built-in profile's grant is left out with a notice, another one is an error.
    pub(super) fn finish(mut self, boundary: &mut Boundary) -> Result<(), ResolveError> {
        let roots = super::own::writable_roots(boundary);
        for grant in std::mem::take(&mut self.linked) {
            let leaving = grant
                .links
                .iter()
                .find(|link| roots.iter().any(|root| covers_strictly(root, &link.at) && !covers(root, &link.leads_to)));
            let Some(link) = leaving else {
                self.aliases.extend(grant.links);
                continue;
            };
            if !matches!(grant.origin.source, Source::Profile(_)) {
                return Err(ResolveError::LeavesThroughLink {
                    written: grant.written,
                    origin: grant.origin,
                    link: link.at.as_path().into(),
                    leads_to: link.leads_to.as_path().into(),
                });
            }
            let text = format!(
                "`{}` is not granted: the symbolic link `{}` leads out of a directory that the inside may write",
                grant.written,
                escape(link.at.as_os_str())
            );
            let is_grant = |kind| matches!(kind, FileRuleKind::Read | FileRuleKind::Write);
            boundary
                .rules
                .retain(|rule| !is_grant(rule.kind) || rule.origin != grant.origin || rule.path != grant.path);
            boundary.network.sockets.retain(|rule| rule.origin != grant.origin || rule.value != grant.path);
            self.notice(NoticeKind::Remark, text, Some(&grant.origin));
        }
        self.aliases.sort_by(|a, b| crate::evaluate::path_order(&a.at, &b.at));
        self.aliases.dedup();
        boundary.aliases = self.aliases;
        boundary.notices.extend(self.notices);
        sort(&mut boundary.rules);
        sort(&mut boundary.ceiling_rules);
        boundary.ceiling_read.iter_mut().for_each(sort);
        boundary.ceiling_write.iter_mut().for_each(sort);
        Ok(())
    }
}

fn locate_error(written: &str, origin: &Origin, error: LocateError) -> ResolveError {
    ResolveError::Path { written: written.to_owned(), origin: origin.clone(), error }
}
