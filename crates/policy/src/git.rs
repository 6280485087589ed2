//! What of git lies behind the workspace's `.git`, so that git works inside and nothing that it runs later can be planted.
//!
//! The built-in profiles protect the fixed names (`.git/hooks`, `.git/config` …). This module finds the names that depend
//! on the repository: submodules, linked worktrees, `core.hooksPath`, included configuration. Every file and listing is
//! bounded; nothing that the workspace says is believed without something outside the workspace that says the same.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::boundary::Present;
use crate::evaluate::{covers, covers_strictly};
use crate::glob::os_string;
use crate::locate::{LocateError, Locator, expand_home};
use crate::text::escape;

mod config;
mod pointer;

/// Directory entries below `modules` and `worktrees` that are looked at.
const MOST_ENTRIES: usize = 2000;
/// How deep submodules may be nested, counting each component of a submodule's name.
const MOST_DEPTH: usize = 6;
/// Bytes of a configuration file.
const LARGEST_CONFIG: u64 = 1 << 20;
/// Configuration files that are read, included ones counted.
const MOST_CONFIGS: usize = 40;

/// The names in a git directory that decide what git runs or reads as settings.
const NAMES: [&str; 5] = ["hooks", "config", "config.worktree", "info/attributes", "commondir"];

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Paths to protect, not yet canonical.
    pub(crate) protect: Vec<PathBuf>,
    /// Canonical directories outside the workspace that git has to write.
    pub(crate) write: Vec<PathBuf>,
    /// Sentences for the user.
    pub(crate) remarks: Vec<String>,
}

/// Why the git directory cannot be protected.
#[derive(Debug)]
#[non_exhaustive]
pub enum GitError {
    /// More entries or deeper nesting than are looked at.
    TooMany(PathBuf),
    /// A configuration file is too large, or includes too many others.
    TooLarge(PathBuf),
    /// A file of the repository cannot be read.
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the system answered.
        error: io::Error,
    },
    /// A path cannot be made canonical.
    Locate(LocateError),
}

impl fmt::Display for GitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GitError::TooMany(path) => write!(
                f,
                "`{}` holds more than {MOST_ENTRIES} entries, or submodules nested more than {MOST_DEPTH} deep, so its hooks \
                 and settings cannot all be protected; protect the directory as a whole (`--protect`), or remove what is stale",
                escape(path.as_os_str())
            ),
            GitError::TooLarge(path) => write!(
                f,
                "the git configuration `{}` is larger than {LARGEST_CONFIG} bytes or includes too many files, so where git \
                 takes hooks from is not known; make it smaller, or protect the whole of `.git` (`--protect .git`)",
                escape(path.as_os_str())
            ),
            GitError::Read { path, error } => write!(
                f,
                "`{}` cannot be read: {error}; where git takes hooks from is not known. Make it readable, or protect the \
                 whole of `.git` (`--protect .git`)",
                escape(path.as_os_str())
            ),
            GitError::Locate(error) => write!(f, "looking at the git directory: {error}"),
        }
    }
}

impl std::error::Error for GitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            GitError::Read { error, .. } => Some(error),
            GitError::Locate(error) => Some(error),
            _ => None,
        }
    }
}

impl From<LocateError> for GitError {
    fn from(error: LocateError) -> Self {
        GitError::Locate(error)
    }
}

/// Looks at the workspace's `.git`. `roots`: the host's directories that the inside may write, the workspace among them.
pub(crate) fn inspect(
    locator: &mut Locator,
    workspace: &Path,
    home: &Path,
    roots: &[PathBuf],
) -> Result<Findings, GitError> {
    let mut inspector =
        Inspector { locator, workspace, home, roots, listed: 0, configs: 0, found: Findings::default() };
    let dot_git = workspace.join(".git");
    let located = inspector.locator.locate(&dot_git)?;
    match located.present {
        Present::Absent => return Ok(inspector.found),
        Present::Directory if covers(workspace, &located.path) => inspector.directory(&located.path, None)?,
        Present::Directory => inspector.found.remarks.push(format!(
            "`.git` is a symbolic link to `{}` outside the workspace, which is not granted; git will not work inside",
            escape(located.path.as_os_str())
        )),
        Present::File => inspector.pointer(&dot_git)?,
    }
    inspector.users_config()?;
    Ok(inspector.found)
}

struct Inspector<'a> {
    locator: &'a mut Locator,
    workspace: &'a Path,
    home: &'a Path,
    roots: &'a [PathBuf],
    listed: usize,
    configs: usize,
    found: Findings,
}

impl Inspector<'_> {
    /// A git directory that the inside writes. `own`: the worktree's own name, if it is one's common directory.
    fn directory(&mut self, git: &Path, own: Option<&OsStr>) -> Result<(), GitError> {
        // With a `commondir` file in it git would take the configuration from elsewhere; no main git directory has one.
        self.found.protect.push(git.join("commondir"));
        self.modules(&git.join("modules"), 0)?;
        self.worktrees(&git.join("worktrees"), own)?;
        for name in ["config", "config.worktree"] {
            self.config(&git.join(name), self.workspace, 0)?;
        }
        Ok(())
    }

    fn protect_names(&mut self, git: &Path) {
        self.found.protect.extend(NAMES.iter().map(|name| git.join(name)));
    }

    /// Every submodule's git directory below `.git/modules`. A name with `/` makes directories that are none.
    fn modules(&mut self, directory: &Path, depth: usize) -> Result<(), GitError> {
        for name in self.list(directory)? {
            let path = directory.join(name);
            let located = self.locator.locate(&path)?;
            if !located.links.is_empty() {
                self.found.protect.push(path);
            }
            if located.present != Present::Directory || !self.is_writable(&located.path) {
                continue;
            }
            if depth >= MOST_DEPTH {
                return Err(GitError::TooMany(located.path));
            }
            if self.locator.locate(&located.path.join("HEAD"))?.present == Present::Absent {
                self.modules(&located.path, depth + 1)?;
                continue;
            }
            self.protect_names(&located.path);
            self.worktrees(&located.path.join("worktrees"), None)?;
            let settings = located.path.join("config");
            if let Some(worktree) = self.config(&settings, &located.path, 0)? {
                // The pointer in the submodule's checkout: replaced, it would lead git to other hooks.
                let pointer = located.path.join(worktree).join(".git");
                if self.locator.locate(&pointer)?.present == Present::File && self.is_within(&pointer)? {
                    self.found.protect.push(pointer);
                }
            }
            self.modules(&located.path.join("modules"), depth + 1)?;
        }
        Ok(())
    }

    /// The linked worktrees of a repository: what tells git where each begins, and its own settings.
    fn worktrees(&mut self, directory: &Path, own: Option<&OsStr>) -> Result<(), GitError> {
        for name in self.list(directory)? {
            let path = directory.join(&name);
            if own.is_none() || own == Some(name.as_os_str()) {
                let names = ["gitdir", "commondir", "config.worktree"];
                self.found.protect.extend(names.iter().map(|name| path.join(name)));
                self.checkout(&path)?;
            } else {
                // Another worktree than the workspace is none of the inside's business.
                self.found.protect.push(path);
            }
        }
        Ok(())
    }

    /// The pointer in the checkout of a linked worktree: replaced, it would lead git to other hooks and settings.
    fn checkout(&mut self, worktree: &Path) -> Result<(), GitError> {
        let Ok(Some(text)) = read_regular(&worktree.join("gitdir"), pointer::LARGEST_POINTER) else { return Ok(()) };
        let pointer = worktree.join(os_string(text.trim_ascii().to_vec()));
        if self.locator.locate(&pointer)?.present == Present::File && self.is_within(&pointer)? {
            self.found.protect.push(pointer);
        }
        Ok(())
    }

    /// The names in a directory, none if it is not there.
    fn list(&mut self, directory: &Path) -> Result<Vec<OsString>, GitError> {
        if self.locator.locate(directory)?.present != Present::Directory {
            return Ok(Vec::new());
        }
        let failed = |error| GitError::Read { path: directory.to_path_buf(), error };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(failed)? {
            self.listed += 1;
            if self.listed > MOST_ENTRIES {
                return Err(GitError::TooMany(directory.to_path_buf()));
            }
            names.push(entry.map_err(failed)?.file_name());
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Protects what a configuration file points to. Hook paths start from `top`. Returns `core.worktree`.
    fn config(&mut self, file: &Path, top: &Path, depth: usize) -> Result<Option<PathBuf>, GitError> {
        let located = self.locator.locate(file)?;
        if located.present != Present::File {
            return Ok(None);
        }
        self.configs += 1;
        if self.configs > MOST_CONFIGS {
            return Err(GitError::TooLarge(file.to_path_buf()));
        }
        let text = match read_regular(&located.path, LARGEST_CONFIG) {
            Ok(Some(text)) => text,
            // Elsewhere it is the user's own file, which the inside cannot change; git has to cope with it.
            Ok(None) if !self.is_within(file)? => return Ok(None),
            Ok(None) => return Err(GitError::TooLarge(located.path)),
            // What this user cannot read, git cannot either.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
                return Ok(None);
            }
            Err(error) => return Err(GitError::Read { path: located.path, error }),
        };
        let pointers = config::parse(&text);
        for hooks in pointers.hooks {
            let path = top.join(expand_home(&os_string(hooks), self.home));
            self.protect_within(
                path,
                "`core.hooksPath` is the workspace itself, so git hooks there are not protected",
            )?;
        }
        let beside = located.path.parent().unwrap_or(Path::new("/")).to_path_buf();
        for include in pointers.includes {
            let path = beside.join(expand_home(&os_string(include), self.home));
            self.protect_within(path.clone(), "git includes the workspace itself as configuration")?;
            if depth >= MOST_DEPTH {
                return Err(GitError::TooLarge(path));
            }
            self.config(&path, top, depth + 1)?;
        }
        Ok(pointers.worktree.map(|text| PathBuf::from(os_string(text))))
    }

    /// The user's own git configuration may name hooks relative to every repository.
    fn users_config(&mut self) -> Result<(), GitError> {
        for name in [".gitconfig", ".config/git/config"] {
            self.config(&self.home.join(name), self.workspace, 0)?;
        }
        Ok(())
    }

    /// Protects a path that lies in a writable root; elsewhere the inside cannot change it anyway.
    fn protect_within(&mut self, path: PathBuf, about_root: &str) -> Result<(), GitError> {
        let canonical = self.locator.locate(&path)?.path;
        if self.roots.contains(&canonical) {
            self.found.remarks.push(about_root.to_owned());
        } else if self.is_writable(&canonical) || self.is_within(&path)? {
            self.found.protect.push(path);
        }
        Ok(())
    }

    fn is_writable(&self, canonical: &Path) -> bool {
        self.roots.iter().any(|root| covers_strictly(root, canonical))
    }

    /// Whether the path, or a link that it runs through, lies in a writable root.
    fn is_within(&mut self, path: &Path) -> Result<bool, GitError> {
        let located = self.locator.locate(path)?;
        Ok(self.is_writable(&located.path) || located.links.iter().any(|link| self.is_writable(&link.at)))
    }
}

/// The content of a regular file of at most `largest` bytes; `None` if it is larger or no regular file.
///
/// Opened without following a link in the last component and without blocking, since it may have become a pipe by now.
fn read_regular(path: &Path, largest: u64) -> io::Result<Option<Vec<u8>>> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > largest {
        return Ok(None);
    }
    let mut content = Vec::new();
    file.take(largest + 1).read_to_end(&mut content)?;
    Ok((content.len() as u64 <= largest).then_some(content))
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
