//! What the tests share: a real tree in a directory of its own, a host in it, and policies made by hand.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::boundary::Boundary;
use crate::host::Host;
use crate::origin::{Layer, Origin, Source};
use crate::policy::{Base, FileEntry, FileEntryText, FileRuleKind, Policy};
use crate::resolve::ResolveError;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A directory that is removed again: `home`, with `home/w` as the workspace.
pub(crate) struct Tree {
    pub(crate) root: PathBuf,
}

impl Tree {
    pub(crate) fn new() -> Tree {
        let name = format!("bailiwick-policy-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let root = std::env::temp_dir().canonicalize().unwrap().join(name);
        fs::create_dir_all(root.join("home/w")).unwrap();
        Tree { root }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.root.join("home/w")
    }

    /// A directory below the root, with its parents.
    pub(crate) fn dir(&self, path: &str) -> PathBuf {
        let path = self.root.join(path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// A file below the root, with its parents.
    pub(crate) fn file(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// A symbolic link below the root.
    pub(crate) fn link(&self, path: &str, target: impl AsRef<Path>) -> PathBuf {
        assert!(Path::new(path).is_relative(), "{path} would be made outside the tree");
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, &path).unwrap();
        path
    }

    pub(crate) fn host(&self) -> Host {
        let home = self.home();
        Host {
            user: "u".to_owned(),
            uid: {
                use std::os::unix::fs::MetadataExt;
                fs::metadata(&self.root).unwrap().uid()
            },
            config_dir: home.join(".config/bailiwick"),
            data_dir: home.join(".local/share/bailiwick"),
            state_dir: home.join(".local/state/bailiwick"),
            admin_file: self.root.join("etc/bailiwick/policy.toml"),
            current_dir: self.workspace(),
            environment: Vec::new(),
            home,
        }
    }

    /// Resolves a policy of these entries in the workspace.
    pub(crate) fn resolve(&self, files: Vec<FileEntry>) -> Result<Boundary, ResolveError> {
        Policy { files, ..Policy::default() }.resolve(&self.host(), &self.workspace())
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

pub(crate) fn user() -> Origin {
    Origin { layer: Layer::User, source: Source::File("/home/u/policy.toml".into()), line: Some(3) }
}

pub(crate) fn profile() -> Origin {
    Origin { layer: Layer::BuiltIn, source: Source::Profile("workspace".into()), line: Some(9) }
}

/// An entry of the user's file.
pub(crate) fn entry(kind: FileRuleKind, text: impl AsRef<OsStr>) -> FileEntry {
    let glob = matches!(kind, FileRuleKind::Deny | FileRuleKind::Protect);
    FileEntry { kind, text: text.as_ref().to_os_string(), base: Base::Workspace, glob, origin: user() }
}

pub(crate) fn read(text: impl AsRef<OsStr>) -> FileEntry {
    entry(FileRuleKind::Read, text)
}

pub(crate) fn write(text: impl AsRef<OsStr>) -> FileEntry {
    entry(FileRuleKind::Write, text)
}

pub(crate) fn deny(text: impl AsRef<OsStr>) -> FileEntry {
    entry(FileRuleKind::Deny, text)
}

pub(crate) fn protect(text: impl AsRef<OsStr>) -> FileEntry {
    entry(FileRuleKind::Protect, text)
}

pub(crate) fn socket(text: impl AsRef<OsStr>) -> FileEntryText {
    FileEntryText { text: text.as_ref().to_os_string(), base: Base::Workspace, origin: user() }
}
