//! Decoy files and directories, and the memory of how they were.

use std::fs::{self, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use bailiwick_policy::text::escape;

use crate::attack::Project;
use crate::stage::StageLimits;
use crate::sys::file;

/// Names in the workspace that exist and are protected.
pub(super) const PROTECTED: [&str; 8] = [
    ".git/hooks",
    ".git/config",
    ".git/modules/lib/config",
    ".git/modules/lib/hooks",
    ".vscode",
    ".claude",
    "bailiwick.toml",
    // The pointer or the directory itself: what it is, not what is in it.
    ".git",
];

/// Names in the workspace that do not exist and are protected.
pub(super) const ABSENT: [&str; 9] = [
    ".mcp.json",
    ".envrc",
    ".idea",
    ".gemini",
    ".codex",
    ".cursor",
    ".devcontainer",
    ".git/info/attributes",
    ".git/config.worktree",
];

/// How closely a decoy is watched.
#[derive(Clone, Copy, Debug)]
pub(super) enum Watch {
    /// Everything of it and below it.
    Whole,
    /// Which object it is, with mode and owner.
    Identity,
    /// What was in it stays; more may follow.
    Append,
}

/// A decoy as it was.
struct Memory {
    path: PathBuf,
    watch: Watch,
    was: Vec<(PathBuf, String)>,
}

/// What was planted, where.
pub(super) struct Planted {
    pub(super) home: PathBuf,
    pub(super) workspace: PathBuf,
    pub(super) readable: PathBuf,
    pub(super) outside: PathBuf,
    pub(super) tmp: PathBuf,
    pub(super) shm: Option<PathBuf>,
    watched: Vec<(PathBuf, Watch)>,
    memories: Vec<Memory>,
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(text.as_bytes())
}

/// Copies the probe by itself, in a process of its own: a descriptor of this process that is open for writing could slip into a
/// child that another thread is starting, and the copy would be busy when it is to be run.
fn copy_probe(probe: &Path, to: &Path) -> io::Result<()> {
    let status = Command::new(probe).arg("copy-to").arg(to).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("the probe cannot copy itself: {status}"))) }
}

/// A private directory of ours in a directory that everyone shares, with a secret in it.
fn plant_shared(parent: &Path, id: &str, secret: &str) -> io::Result<PathBuf> {
    let path = parent.join(format!("bw-{id}"));
    fs::create_dir(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o700))?;
    write(&path.join("secret"), secret, 0o600)?;
    Ok(path)
}

impl Planted {
    pub(super) fn plant(
        root: &Path,
        id: &str,
        secret: &str,
        project: Project,
        probe: &Path,
        limits: Option<StageLimits>,
    ) -> io::Result<Self> {
        let home = root.join("home");
        let workspace = home.join("project");
        let (readable, outside) = (root.join("readable"), root.join("outside"));
        plant_home(&home, secret)?;
        for (directory, private) in [(&readable, false), (&outside, true)] {
            plant_neighbour(directory, if private { secret } else { "nothing secret" })?;
        }
        write(&outside.join("stdin"), "typed by nobody\n", 0o600)?;
        write(&outside.join("stderr.log"), &format!("{secret}\n"), 0o600)?;
        for (name, text) in [("inherited-secret", secret), ("inherited-writable", "-"), ("process-secret", secret)] {
            write(&outside.join(name), text, 0o600)?;
        }
        plant_workspace(&workspace, secret, limits)?;
        match project {
            Project::Repository => plant_repository(&workspace.join(".git"))?,
            Project::Worktree => plant_worktree(&home.join("main-repository"), &workspace)?,
        }
        write(&outside.join("hard-linked"), "one file, two names\n", 0o600)?;
        fs::hard_link(outside.join("hard-linked"), workspace.join("hard-linked"))?;
        copy_probe(probe, &workspace.join("bailiwick-probe"))?;
        let tmp = plant_shared(Path::new("/tmp"), id, secret)?;
        let shm = plant_shared(Path::new("/dev/shm"), id, secret).ok();
        let watched = watched(root, &workspace, project, &tmp, shm.as_deref());
        Ok(Planted { home, workspace, readable, outside, tmp, shm, watched, memories: Vec::new() })
    }

    /// Remembers how everything is now.
    pub(super) fn remember(&mut self) -> io::Result<()> {
        self.memories = self
            .watched
            .iter()
            .map(|(path, watch)| Ok(Memory { path: path.clone(), watch: *watch, was: look(path, *watch)? }))
            .collect::<io::Result<_>>()?;
        Ok(())
    }

    /// What is not as it was.
    pub(super) fn changes(&self) -> Option<String> {
        self.memories.iter().find_map(|memory| {
            let name = escape(memory.path.as_os_str());
            match look(&memory.path, memory.watch) {
                Err(error) => Some(format!("{name}: {error}")),
                Ok(is) => difference(memory, &is).map(|what| format!("{name}: {what}")),
            }
        })
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        // What was planted outside the root.
        for path in [Some(&self.tmp), self.shm.as_ref()].into_iter().flatten() {
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// A home with what people have in theirs.
fn plant_home(home: &Path, secret: &str) -> io::Result<()> {
    write(&home.join(".ssh/id_ed25519"), secret, 0o600)?;
    write(&home.join(".aws/credentials"), secret, 0o600)?;
    write(&home.join(".bashrc"), "# start-up file of the shell\n", 0o644)?;
    write(&home.join("other-project/notes.txt"), secret, 0o644)?;
    write(&home.join(secret), "its name is the secret", 0o600)
}

/// A directory next door.
fn plant_neighbour(directory: &Path, text: &str) -> io::Result<()> {
    // As long as the longest marker, so that it can be written over through a mapping, and a block, so that a hole can be punched.
    let text = format!("{text}\n{}", "x".repeat(8192));
    write(&directory.join("file"), &text, 0o640)?;
    fs::create_dir(directory.join("empty"))?;
    symlink("file", directory.join("link"))?;
    match file::set_decoy_attribute(&directory.join("file")) {
        // The attacks on attributes are inapplicable then.
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(()),
        other => other,
    }
}

fn plant_workspace(workspace: &Path, secret: &str, limits: Option<StageLimits>) -> io::Result<()> {
    write(&workspace.join("README.md"), "a project\n", 0o644)?;
    write(&workspace.join("src/main.rs"), "fn main() {}\n", 0o644)?;
    write(&workspace.join(".env"), secret, 0o600)?;
    write(&workspace.join("keep/vault/token"), secret, 0o600)?;
    write(&workspace.join(".vscode/settings.json"), "{}\n", 0o644)?;
    write(&workspace.join(".claude/settings.json"), "{}\n", 0o644)?;
    write(&workspace.join("bailiwick.toml"), &policy_of(limits), 0o644)
}

/// A policy of the workspace that only narrows: it needs no trust.
fn policy_of(limits: Option<StageLimits>) -> String {
    let Some(limits) = limits else { return "# nothing\n".to_owned() };
    let StageLimits { processes, file_size, memory, open_files } = limits;
    let processes = processes.map_or_else(String::new, |count| format!("processes = {count}\n"));
    format!("[limits]\n{processes}file_size = {file_size}\nmemory = {memory}\nopen_files = {open_files}\n")
}

const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n";

/// What `git init` makes, with a submodule's directory.
fn plant_repository(git: &Path) -> io::Result<()> {
    for directory in ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info"] {
        fs::create_dir_all(git.join(directory))?;
    }
    write(&git.join("HEAD"), "ref: refs/heads/main\n", 0o644)?;
    write(&git.join("config"), CONFIG, 0o644)?;
    write(&git.join("info/exclude"), "", 0o644)?;
    write(&git.join("hooks/pre-push.sample"), "#!/bin/sh\n", 0o644)?;
    write(&git.join("modules/lib/HEAD"), "ref: refs/heads/main\n", 0o644)?;
    write(&git.join("modules/lib/config"), CONFIG, 0o644)?;
    fs::create_dir_all(git.join("modules/lib/objects"))?;
    fs::create_dir_all(git.join("modules/lib/refs"))?;
    write(&git.join("modules/lib/hooks/pre-push.sample"), "#!/bin/sh\n", 0o644)
}

/// A main repository and a worktree of it.
fn plant_worktree(main: &Path, workspace: &Path) -> io::Result<()> {
    let git = main.join(".git");
    plant_repository(&git)?;
    let linked = git.join("worktrees/project");
    write(&linked.join("HEAD"), "ref: refs/heads/work\n", 0o644)?;
    write(&linked.join("commondir"), "../..\n", 0o644)?;
    write(&linked.join("gitdir"), &format!("{}/.git\n", workspace.display()), 0o644)?;
    write(&workspace.join(".git"), &format!("gitdir: {}\n", linked.display()), 0o644)
}

fn watched(root: &Path, workspace: &Path, project: Project, tmp: &Path, shm: Option<&Path>) -> Vec<(PathBuf, Watch)> {
    let (home, outside) = (root.join("home"), root.join("outside"));
    let mut list = vec![(home.clone(), Watch::Identity), (workspace.to_owned(), Watch::Identity)];
    let whole = [".bashrc", ".ssh", ".aws", "other-project"].map(|name| home.join(name));
    list.extend(whole.into_iter().map(|path| (path, Watch::Whole)));
    let files = ["file", "empty", "link", "stdin", "inherited-secret", "inherited-writable", "hard-linked"];
    list.extend(files.map(|name| (outside.join(name), Watch::Whole)));
    list.push((outside.join("stderr.log"), Watch::Append));
    list.extend([root.join("readable"), tmp.to_owned()].map(|path| (path, Watch::Whole)));
    list.extend(shm.map(|path| (path.to_owned(), Watch::Whole)));
    // Names that attacks create. They do not exist; that is remembered too.
    list.extend(
        [home.join(".bash_login"), home.join("moved-project"), outside.join("planted")]
            .map(|path| (path, Watch::Whole)),
    );
    let git = match project {
        Project::Repository => {
            list.push((workspace.join(".git"), Watch::Identity));
            workspace.join(".git")
        }
        Project::Worktree => {
            list.push((workspace.join(".git"), Watch::Whole));
            home.join("main-repository/.git")
        }
    };
    let protected = ["config", "hooks", "modules/lib/config", "modules/lib/hooks"].map(|name| git.join(name));
    list.extend(protected.map(|path| (path, Watch::Whole)));
    list.extend([".vscode", ".claude", "bailiwick.toml"].map(|name| (workspace.join(name), Watch::Whole)));
    list
}

/// How a decoy is now, one line for each object. Nothing there is a state too.
fn look(path: &Path, watch: Watch) -> io::Result<Vec<(PathBuf, String)>> {
    let mut seen = Vec::new();
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => seen.push((path.to_owned(), "nothing".to_owned())),
        Err(error) => return Err(error),
        Ok(is) => match watch {
            Watch::Identity => seen.push((path.to_owned(), identity(&is))),
            Watch::Append => seen.push((path.to_owned(), fs::read_to_string(path)?)),
            Watch::Whole => look_below(path, &is, &mut seen)?,
        },
    }
    Ok(seen)
}

fn identity(is: &Metadata) -> String {
    format!("{}:{} {:o} {}:{}", is.dev(), is.ino(), is.mode(), is.uid(), is.gid())
}

fn look_below(path: &Path, is: &Metadata, seen: &mut Vec<(PathBuf, String)>) -> io::Result<()> {
    let mut line = format!(
        "{} links {} size {} modified {}.{} changed {}.{}",
        identity(is),
        is.nlink(),
        is.size(),
        is.mtime(),
        is.mtime_nsec(),
        is.ctime(),
        is.ctime_nsec()
    );
    if is.is_file() {
        line.push_str(&format!(" {:?}", fs::read(path)?));
    }
    seen.push((path.to_owned(), line));
    if is.is_dir() {
        let mut names: Vec<PathBuf> =
            fs::read_dir(path)?.map(|entry| entry.map(|e| e.path())).collect::<io::Result<_>>()?;
        names.sort();
        for name in names {
            look_below(&name, &fs::symlink_metadata(&name)?, seen)?;
        }
    }
    Ok(())
}

/// The first difference, in few words.
fn difference(memory: &Memory, is: &[(PathBuf, String)]) -> Option<String> {
    if let Watch::Append = memory.watch {
        let was = memory.was.first().map_or("", |(_, text)| text.as_str());
        let kept = is.first().is_some_and(|(_, text)| text.starts_with(was));
        return (!kept).then(|| "what was in it is gone".to_owned());
    }
    if memory.was.as_slice() == is {
        return None;
    }
    let gone = memory.was.iter().find(|(path, _)| !is.iter().any(|(other, _)| other == path));
    let new = is.iter().find(|(path, _)| !memory.was.iter().any(|(other, _)| other == path));
    let name = |path: &Path| escape(path.file_name().unwrap_or_default());
    Some(match (gone, new) {
        (Some((path, _)), _) => format!("{} is gone", name(path)),
        (_, Some((path, _))) => format!("{} is new", name(path)),
        _ => {
            let changed = memory.was.iter().zip(is).find(|(was, is)| was != is);
            changed.map_or("changed".to_owned(), |(was, _)| format!("{} changed", name(&was.0)))
        }
    })
}
