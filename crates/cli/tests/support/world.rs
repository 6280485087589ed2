//! A world for one test: a home with secrets in it and a project below it.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::done::Done;
use super::{binary, tree};

/// What every secret of the fake home contains; finding it in any output is a leak.
pub(crate) const SECRET: &str = "decoy-secret-4bd1c7";

/// The programs that work inside may use, unless a test asks for more.
pub(crate) const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A home, a project in it, and a way of running things in both.
#[derive(Debug)]
pub(crate) struct World {
    root: PathBuf,
    /// The home directory: mode 0700, with decoys of what must not be read.
    pub(crate) home: PathBuf,
    /// The workspace: `~/src/project`, empty at first.
    pub(crate) project: PathBuf,
    path: String,
}

impl World {
    /// A fresh world. The short path leaves room for UNIX sockets below it.
    pub(crate) fn new() -> World {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let root = PathBuf::from(format!("/var/tmp/bw-{}-{number}", std::process::id()));
        fs::DirBuilder::new().mode(0o755).create(&root).expect("a directory for the test");
        let home = root.join("home");
        let project = home.join("src/project");
        fs::create_dir_all(&project).expect("the project");
        fs::set_permissions(&home, PermissionsExt::from_mode(0o700)).expect("a private home");
        let world = World { root, home, project, path: PATH.to_owned() };
        world.furnish();
        world
    }

    /// A fresh world whose project is a git repository with one commit, made outside.
    pub(crate) fn with_git() -> World {
        let world = World::new();
        world.write("README.md", "hello\n");
        world.outside("git init -q -b main . && git add README.md && git commit -q -m first").ok();
        world
    }

    fn furnish(&self) {
        let secret = format!("{SECRET}\n");
        for file in [".ssh/id_rsa", ".aws/credentials", ".netrc", "other/secret.txt", ".config/gh/hosts.yml"] {
            self.write_home(file, &secret);
        }
        self.write_home(".bashrc", "# as it was\n");
        self.write_home(".gitconfig", "[user]\n\tname = Test Person\n\temail = person@example.org\n");
    }

    /// Lets the inside and the outside find programs in this directory first.
    pub(crate) fn path_first(mut self, directory: &Path) -> World {
        self.path = format!("{}:{}", directory.display(), self.path);
        self
    }

    /// Writes a file of the project, with the directories above it.
    pub(crate) fn write(&self, file: &str, content: &str) {
        write(&self.project.join(file), content);
    }

    /// Writes a file of the home, with the directories above it.
    pub(crate) fn write_home(&self, file: &str, content: &str) {
        write(&self.home.join(file), content);
    }

    /// Reads a file of the project.
    #[track_caller]
    pub(crate) fn read(&self, file: &str) -> String {
        let path = self.project.join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    }

    /// `bailiwick` with these arguments, in the project, with this world's environment. Tokens are in it, to be left out.
    pub(crate) fn bailiwick<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.bare(binary::bailiwick());
        command.args(arguments);
        command
    }

    /// Runs `bailiwick run -q OPTIONS -- CMD`.
    pub(crate) fn run(&self, options: &[&str], command: &[&str]) -> Done {
        Done::of(self.bailiwick([&["run", "-q"], options, &["--"], command].concat()))
    }

    /// Runs a shell script inside; it stops at the first failing command.
    pub(crate) fn inside(&self, script: &str) -> Done {
        self.run(&[], &["bash", "-euc", script])
    }

    /// Runs a shell script inside, with options for `bailiwick run`.
    pub(crate) fn inside_with(&self, options: &[&str], script: &str) -> Done {
        self.run(options, &["bash", "-euc", script])
    }

    /// Runs the same kind of script outside, with no sandbox: the control.
    pub(crate) fn outside(&self, script: &str) -> Done {
        let mut command = self.bare("bash");
        command.args(["-euc", script]);
        Done::of(command)
    }

    /// A command in the project with this world's environment and nothing else of the caller's.
    pub(crate) fn bare(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.project).env_clear();
        command.env("HOME", &self.home).env("PATH", &self.path).env("LANG", "C.UTF-8").env("TERM", "xterm");
        command.env("USER", "person").env("LOGNAME", "person").env("SHELL", "/bin/bash");
        command.env("AWS_SECRET_ACCESS_KEY", SECRET).env("GITHUB_TOKEN", SECRET).env("DATABASE_URL", SECRET);
        command
    }

    /// Every path of the project.
    pub(crate) fn names(&self) -> std::collections::BTreeSet<String> {
        tree::names(&self.project)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() && std::env::var_os("BAILIWICK_KEEP").is_some() {
            eprintln!("kept for looking at: {}", self.root.display());
            return;
        }
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn write(path: &Path, content: &str) {
    let written = fs::create_dir_all(path.parent().expect("a parent")).and_then(|()| fs::write(path, content));
    written.unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}
