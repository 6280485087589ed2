//! Where a transcript is played: a home, a workspace in it, and nothing of the machine's user.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What was seen.
pub(crate) struct Seen {
    pub(crate) output: String,
    pub(crate) status: i32,
}

/// Directories of one transcript; removed at the end.
pub(crate) struct Stage {
    root: PathBuf,
}

impl Stage {
    pub(crate) fn new(name: &str) -> Stage {
        let root = std::env::temp_dir().join(format!("bailiwick-transcript-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        for folder in ["home/project", "bin"] {
            std::fs::create_dir_all(root.join(folder)).expect("a directory can be made");
        }
        let root = root.canonicalize().expect("the directory is there");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_bailiwick"), root.join("bin/bailiwick"))
            .expect("a link can be made");
        Stage { root }
    }

    fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    fn workspace(&self) -> PathBuf {
        self.root.join("home/project")
    }

    /// Why nothing can be run inside on this host, if so.
    pub(crate) fn obstacle(&self) -> Option<String> {
        let seen = self.run("bailiwick run -- true");
        (seen.status != 0).then(|| seen.output.lines().next().unwrap_or_default().to_owned())
    }

    /// Runs `command` with a shell; both streams go into one pipe, so that their order is that of a terminal.
    pub(crate) fn run(&self, command: &str) -> Seen {
        let (mut reader, writer) = std::io::pipe().expect("a pipe can be made");
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", command])
            .current_dir(self.workspace())
            .env_clear()
            .env("HOME", self.home())
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", self.root.join("bin").display()))
            .env("USER", "ana")
            .env("LANG", "C.UTF-8")
            .env("MACHINES", concat!(env!("CARGO_MANIFEST_DIR"), "/../windows/fixtures"))
            .stdin(Stdio::null())
            .stdout(writer.try_clone().expect("a descriptor can be doubled"))
            .stderr(writer);
        let mut child = shell.spawn().expect("a shell can be started");
        // The command holds copies of the pipe's end: without them gone the reading would not end.
        drop(shell);
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).expect("the pipe can be read");
        let status = child.wait().expect("the shell can be waited for");
        let output = String::from_utf8_lossy(&bytes).into_owned();
        Seen { output: self.neutral(&output), status: status.code().unwrap_or(-1) }
    }

    /// The same wherever it is played.
    fn neutral(&self, text: &str) -> String {
        let show = |path: PathBuf| path.display().to_string();
        text.replace(&show(self.workspace()), "[WORKSPACE]").replace(&show(self.home()), "[HOME]")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}
