//! A workspace whose `.git` is a file: a linked worktree or a submodule's checkout, with the git directory elsewhere.
//!
//! The file is the workspace's word, and the workspace is hostile. A git directory outside is granted only if something
//! *there*, where the workspace cannot write, names exactly this workspace.

use std::path::{Path, PathBuf};

use super::{GitError, Inspector, read_regular};
use crate::boundary::Present;
use crate::evaluate::covers;
use crate::glob::os_string;
use crate::text::escape;

/// Bytes of a file that holds one path.
pub(super) const LARGEST_POINTER: u64 = 4200;

impl Inspector<'_> {
    /// Looks behind the file `.git`.
    pub(super) fn pointer(&mut self, dot_git: &Path) -> Result<(), GitError> {
        self.found.protect.push(dot_git.to_path_buf());
        let Some(target) = self.one_path(dot_git, b"gitdir:")? else {
            self.found
                .remarks
                .push("`.git` is a file but does not say `gitdir: …`; git will not work inside".to_owned());
            return Ok(());
        };
        let target = self.workspace.join(target);
        let located = self.locator.locate(&target)?;
        let git = located.path;
        if located.present != Present::Directory {
            self.found.remarks.push(format!(
                "`.git` points to `{}`, which is not a directory; git will not work inside",
                escape(git.as_os_str())
            ));
            return Ok(());
        }
        if covers(self.workspace, &git) {
            if git != self.workspace {
                self.protect_names(&target);
                self.directory(&git, None)?;
            }
            return Ok(());
        }
        if let Some(common) = self.common_directory(&git)? {
            self.found.write.push(common.clone());
            self.protect_names(&common);
            return self.directory(&common, git.file_name());
        }
        if self.is_submodule(&git)? {
            self.found.write.push(git.clone());
            self.protect_names(&git);
            return self.directory(&git, None);
        }
        self.found.remarks.push(format!(
            "`.git` points to the git directory `{0}` outside the workspace, and nothing there names this workspace, so it \
             is not granted and git cannot commit. If it is yours, grant it with `--write`, or repair it with \
             `git worktree repair`",
            escape(git.as_os_str())
        ));
        Ok(())
    }

    /// `<common>` of `<common>/worktrees/<name>`, if the files there name this workspace and that common directory.
    fn common_directory(&mut self, git: &Path) -> Result<Option<PathBuf>, GitError> {
        let Some(worktrees) = git.parent().filter(|parent| parent.file_name() == Some("worktrees".as_ref())) else {
            return Ok(None);
        };
        let Some(common) = worktrees.parent() else { return Ok(None) };
        let Some(back) = self.one_path(&git.join("gitdir"), b"")? else { return Ok(None) };
        let Some(said) = self.one_path(&git.join("commondir"), b"")? else { return Ok(None) };
        let back = git.join(back);
        let back_to_here = back.file_name() == Some(".git".as_ref())
            && match back.parent() {
                Some(parent) => self.locator.locate(parent)?.path == self.workspace,
                None => false,
            };
        let agrees = self.locator.locate(&git.join(said))?.path == common;
        let is_one = back_to_here && agrees && self.is_git_directory(common)?;
        Ok(is_one.then(|| common.to_path_buf()))
    }

    /// Whether the configuration in `git` says that its working tree is this workspace.
    fn is_submodule(&mut self, git: &Path) -> Result<bool, GitError> {
        if !self.is_git_directory(git)? {
            return Ok(false);
        }
        let Some(worktree) = self.config(&git.join("config"), self.workspace, 0)? else { return Ok(false) };
        Ok(self.locator.locate(&git.join(worktree))?.path == self.workspace)
    }

    /// Whether it is shaped like a git directory and holds nothing else of the user's: not the workspace, not the home.
    fn is_git_directory(&mut self, git: &Path) -> Result<bool, GitError> {
        if covers(git, self.workspace) || covers(git, self.home) {
            return Ok(false);
        }
        for (name, wanted) in [("HEAD", Present::File), ("objects", Present::Directory), ("refs", Present::Directory)] {
            let located = self.locator.locate(&git.join(name))?;
            if located.present != wanted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The path that a small file holds after `prefix`; `None` if it holds none.
    fn one_path(&mut self, file: &Path, prefix: &[u8]) -> Result<Option<PathBuf>, GitError> {
        let located = self.locator.locate(file)?;
        if located.present != Present::File {
            return Ok(None);
        }
        // Unreadable, too large and not a regular file all mean: no path is known, and nothing is granted.
        let Ok(Some(text)) = read_regular(&located.path, LARGEST_POINTER) else { return Ok(None) };
        let Some(rest) = text.strip_prefix(prefix) else { return Ok(None) };
        let rest = rest.strip_suffix(b"\n").unwrap_or(rest);
        let rest = rest.strip_suffix(b"\r").unwrap_or(rest);
        let rest = if prefix.is_empty() { rest } else { rest.trim_ascii_start() };
        let is_path = !rest.is_empty() && !rest.iter().any(|byte| matches!(byte, 0 | b'\n'));
        Ok(is_path.then(|| PathBuf::from(os_string(rest.to_vec()))))
    }
}
