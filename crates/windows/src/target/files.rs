//! File rules on a described host: known folders, links, missing paths.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use bailiwick_policy::boundary::{Boundary, FileRule, Present};
use bailiwick_policy::origin::{Origin, Source};
use bailiwick_policy::policy::{Base, FileEntry, FileRuleKind, Notice, NoticeKind};
use bailiwick_policy::text::escape;

use super::{TargetError, present};
use crate::facts::{Facts, ObjectKind};
use crate::path::{PathError, WindowsPath};

/// What a path may begin with, besides `~`.
pub(super) const VARIABLES: [&str; 7] = [
    "%SystemRoot%",
    "%ProgramFiles%",
    "%ProgramFiles(x86)%",
    "%ProgramData%",
    "%PUBLIC%",
    "%APPDATA%",
    "%LOCALAPPDATA%",
];

/// As many links as Windows follows on one path.
const MOST_LINKS: usize = 63;

/// Where a path leads.
pub(super) struct Located {
    pub(super) path: WindowsPath,
    /// The links on the way: where each is and where it leads.
    pub(super) links: Vec<(WindowsPath, WindowsPath)>,
}

/// Turns entries into rules, and remembers how each path is spelled.
pub(super) struct Files<'a> {
    pub(super) facts: &'a Facts,
    workspace: &'a WindowsPath,
    current_dir: &'a WindowsPath,
    spelled: BTreeMap<PathBuf, WindowsPath>,
    notices: Vec<Notice>,
}

impl<'a> Files<'a> {
    pub(super) fn new(facts: &'a Facts, workspace: &'a WindowsPath, current_dir: &'a WindowsPath) -> Files<'a> {
        let spelled = BTreeMap::from([(workspace.key(), workspace.clone())]);
        Files { facts, workspace, current_dir, spelled, notices: Vec::new() }
    }

    pub(super) fn notice(&mut self, kind: NoticeKind, text: String, origin: Option<&Origin>) {
        self.notices.push(Notice { kind, text, origin: origin.cloned() });
    }

    /// Grants and restrictions of one list.
    pub(super) fn rules(&mut self, entries: &[FileEntry]) -> Result<Vec<FileRule>, TargetError> {
        let mut rules = self.grants(entries)?;
        rules.extend(self.restrictions(entries)?);
        Ok(rules)
    }

    /// The `read` and `write` entries. What does not exist is not granted.
    pub(super) fn grants(&mut self, entries: &[FileEntry]) -> Result<Vec<FileRule>, TargetError> {
        let mut rules = Vec::new();
        for entry in entries.iter().filter(|entry| matches!(entry.kind, FileRuleKind::Read | FileRuleKind::Write)) {
            let written = escape(&entry.text);
            let is_builtin = matches!(entry.origin.source, Source::Profile(_));
            let Some(path) = self.place(entry)? else { continue };
            let located = self.locate(&path)?;
            let leaving =
                located.links.iter().find(|(at, to)| self.workspace.covers_strictly(at) && !self.workspace.covers(to));
            if let Some((link, leads_to)) = leaving {
                if !is_builtin {
                    let (link, leads_to) = (Box::new(link.clone()), Box::new(leads_to.clone()));
                    let origin = Box::new(entry.origin.clone());
                    return Err(TargetError::LeavesThroughLink { written, origin, link, leads_to });
                }
                continue;
            }
            let present = present(self.facts, &located.path);
            if present == Present::Absent {
                if !is_builtin {
                    let text = format!("`{written}` is not granted: there is nothing, and it is not created");
                    self.notice(NoticeKind::MissingPath, text, Some(&entry.origin));
                }
                continue;
            }
            rules.push(self.rule(entry.kind, &located.path, present, written, entry.origin.clone()));
        }
        Ok(rules)
    }

    /// The `deny` and `protect` entries.
    pub(super) fn restrictions(&mut self, entries: &[FileEntry]) -> Result<Vec<FileRule>, TargetError> {
        let mut rules = Vec::new();
        for entry in entries.iter().filter(|entry| matches!(entry.kind, FileRuleKind::Deny | FileRuleKind::Protect)) {
            if entry.glob {
                let origin = Box::new(entry.origin.clone());
                return Err(TargetError::Pattern { written: escape(&entry.text), origin });
            }
            let Some(path) = self.place(entry)? else { continue };
            self.restrict(entry.kind, &path, &escape(&entry.text), &entry.origin, &mut rules)?;
        }
        Ok(rules)
    }

    /// Covers what the path leads to, and every link on the way: replacing a link would lead elsewhere.
    pub(super) fn restrict(
        &mut self,
        kind: FileRuleKind,
        path: &WindowsPath,
        written: &str,
        origin: &Origin,
        rules: &mut Vec<FileRule>,
    ) -> Result<(), TargetError> {
        let located = self.locate(path)?;
        for (at, _) in &located.links {
            let kind = if at == path { kind } else { FileRuleKind::Protect };
            rules.push(self.rule(kind, at, Present::File, written.to_owned(), origin.clone()));
        }
        let present = present(self.facts, &located.path);
        rules.push(self.rule(kind, &located.path, present, written.to_owned(), origin.clone()));
        Ok(())
    }

    /// One rule; its path's spelling is remembered.
    pub(super) fn rule(
        &mut self,
        kind: FileRuleKind,
        path: &WindowsPath,
        present: Present,
        written: String,
        origin: Origin,
    ) -> FileRule {
        let key = path.key();
        self.spelled.entry(key.clone()).or_insert_with(|| path.clone());
        FileRule { kind, path: key, present, written, origin }
    }

    /// The absolute path of an entry; `None` for a known folder that this host does not have.
    pub(super) fn place(&self, entry: &FileEntry) -> Result<Option<WindowsPath>, TargetError> {
        let origin = || Box::new(entry.origin.clone());
        let wrong = |error: PathError| TargetError::Path { written: escape(&entry.text), origin: origin(), error };
        let base = match entry.base {
            Base::Workspace => self.workspace,
            Base::CurrentDirectory => self.current_dir,
        };
        let known = self.facts.known(Some(base));
        let Some(text) = entry.text.to_str() else {
            return known.parse_os(&entry.text).map(Some).map_err(wrong);
        };
        if let Some(rest) = below_home(text) {
            return self.below(&self.facts.user.profile, rest).map(Some).map_err(wrong);
        }
        if text.starts_with('%') {
            let Some((folder, rest)) = self.folder(text) else {
                return Err(TargetError::Variable { written: escape(&entry.text), origin: origin() });
            };
            return folder.map(|folder| self.below(folder, rest)).transpose().map_err(wrong);
        }
        known.parse(text).map(Some).map_err(wrong)
    }

    /// A path as a person types it: absolute, below the profile (`~`), or from the current directory.
    pub(super) fn typed(&self, text: &OsStr) -> Result<WindowsPath, PathError> {
        match text.to_str().and_then(below_home) {
            Some(rest) => self.below(&self.facts.user.profile, rest),
            None => self.facts.known(Some(self.current_dir)).parse_os(text),
        }
    }

    fn below(&self, folder: &WindowsPath, rest: &str) -> Result<WindowsPath, PathError> {
        let rest = rest.trim_start_matches(['/', '\\']);
        if rest.is_empty() { Ok(folder.clone()) } else { self.facts.known(Some(folder)).parse(&format!("./{rest}")) }
    }

    /// The known folder that the text begins with, and what follows.
    fn folder<'t>(&self, text: &'t str) -> Option<(Option<&'a WindowsPath>, &'t str)> {
        let end = text.char_indices().skip(1).find(|(_, c)| *c == '%')?.0 + 1;
        let (name, rest) = text.split_at_checked(end)?;
        if !rest.is_empty() && !rest.starts_with(['/', '\\']) {
            return None;
        }
        let name = VARIABLES.into_iter().find(|known| known.eq_ignore_ascii_case(name))?;
        let folders = &self.facts.folders;
        let folder = match name {
            "%SystemRoot%" => Some(&folders.windows),
            "%ProgramFiles%" => Some(&folders.program_files),
            "%ProgramFiles(x86)%" => folders.program_files_x86.as_ref(),
            "%ProgramData%" => Some(&folders.program_data),
            "%PUBLIC%" => Some(&folders.public),
            "%APPDATA%" => Some(&folders.roaming),
            _ => Some(&folders.local),
        };
        Some((folder, rest))
    }

    /// Follows the described links, one name at a time.
    pub(super) fn locate(&self, path: &WindowsPath) -> Result<Located, TargetError> {
        let mut links = Vec::new();
        let mut path = path.clone();
        loop {
            let mut ways: Vec<WindowsPath> = path.ancestors().collect();
            ways.reverse();
            ways.push(path.clone());
            let link = ways.iter().find_map(|way| match self.facts.object(way).map(|object| &object.kind) {
                Some(ObjectKind::Link(target)) => Some((way, target)),
                _ => None,
            });
            let Some((at, target)) = link else { return Ok(Located { path, links }) };
            if links.len() >= MOST_LINKS {
                return Err(TargetError::TooManyLinks(path));
            }
            links.push((at.clone(), target.clone()));
            path = path.moved(at, target).unwrap_or_else(|| target.clone());
        }
    }

    /// Hands everything gathered to the boundary, in the order that it expects.
    pub(super) fn finish(self, boundary: &mut Boundary) -> Result<BTreeMap<PathBuf, WindowsPath>, TargetError> {
        let order = |rules: &mut Vec<FileRule>| {
            rules.sort_by(|a, b| a.path.cmp(&b.path).then(a.kind.cmp(&b.kind)));
            rules.dedup();
        };
        order(&mut boundary.rules);
        order(&mut boundary.ceiling_rules);
        boundary.ceiling_read.iter_mut().for_each(order);
        boundary.ceiling_write.iter_mut().for_each(order);
        boundary.notices.extend(self.notices);
        Ok(self.spelled)
    }
}

/// What follows `~` where the text begins with it.
fn below_home(text: &str) -> Option<&str> {
    text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with(['/', '\\']))
}

/// A text of bailiwick's own as a rule shows it.
pub(super) fn written(path: &WindowsPath) -> String {
    escape(OsStr::new(&path.to_string()))
}
