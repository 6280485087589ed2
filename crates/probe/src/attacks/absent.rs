//! Protected names that do not exist: creating them is as good as changing them (CVE-2026-25725).

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::Path;

use bailiwick_policy::guarantee::Guarantee::NamesAbsent;

use super::files::create;
use crate::attack::{Attack, Proof};
use crate::outcome::Outcome;
use crate::stage::Stage;
use crate::sys::file;

const fn absent(name: &'static str, summary: &'static str, run: fn(&Stage) -> Outcome) -> Attack {
    Attack::new(name, NamesAbsent, Proof::Absent, summary, run)
}

/// Creates so many names that the queue of a watcher overflows, then the protected one.
fn overflow(stage: &Stage) -> io::Result<()> {
    /// More than `fs.inotify.max_queued_events` is by default.
    const MANY: u32 = 17_000;
    let noise = stage.at("noise");
    for _ in 0..MANY / 2 {
        File::create(&noise)?;
        fs::remove_file(&noise)?;
    }
    create(&stage.at(".mcp.json"), stage)
}

/// Creates the name again whenever it is gone, and leaves it at the end.
fn insist(stage: &Stage) -> io::Result<()> {
    let name = stage.at(".mcp.json");
    let mut last = Ok(());
    for _ in 0..2_000 {
        last = match create(&name, stage) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        };
    }
    last
}

/// Creates the name, keeps it open, and gives the same file the name again by its descriptor.
fn link_back(stage: &Stage) -> io::Result<()> {
    let name = stage.at(".mcp.json");
    create(&name, stage)?;
    let kept = File::open(&name)?;
    let spare = stage.at("spare");
    file::link_following(Path::new(&format!("/proc/self/fd/{}", kept.as_raw_fd())), &spare)?;
    for _ in 0..1_000 {
        // Exists as long as nobody took it away.
        let _ = fs::hard_link(&spare, &name);
    }
    Ok(())
}

/// A directory that is swapped under the protected name while it is being created.
fn swap_parent(stage: &Stage) -> io::Result<()> {
    let prepared = stage.at("prepared");
    fs::create_dir(&prepared)?;
    fs::create_dir(stage.at(".cursor"))?;
    create(&prepared.join("mcp.json"), stage)?;
    file::exchange(&prepared, &stage.at(".cursor"))
}

pub(super) const ATTACKS: &[Attack] = &[
    absent("absent-open", "create .mcp.json, which starts servers for agents", |s| {
        Outcome::of(".mcp.json", create(&s.at(".mcp.json"), s))
    }),
    absent("absent-mkdir", "create the directory .gemini and settings in it", |s| {
        let attempt = fs::create_dir(s.at(".gemini"));
        // It may be gone already; that it came into being is what counts.
        let _ = create(&s.at(".gemini/settings.json"), s);
        Outcome::of(".gemini", attempt)
    }),
    absent("absent-move", "rename a prepared file to .envrc", |s| {
        let bait = s.at("bait");
        Outcome::of(".envrc", fs::write(&bait, s.mark()).and_then(|()| fs::rename(bait, s.at(".envrc"))))
    }),
    absent("absent-move-directory", "rename a prepared directory to .codex", |s| {
        let attempt = fs::create_dir(s.at("bait")).and_then(|()| {
            create(&s.at("bait/config.toml"), s)?;
            fs::rename(s.at("bait"), s.at(".codex"))
        });
        Outcome::of(".codex", attempt)
    }),
    absent("absent-symlink", "a symbolic link .idea to a prepared directory", |s| {
        Outcome::of(".idea", symlink("README.md", s.at(".idea")))
    }),
    absent("absent-link", "a hard link .mcp.json to a prepared file", |s| {
        let bait = s.at("bait");
        Outcome::of(".mcp.json", fs::write(&bait, s.mark()).and_then(|()| fs::hard_link(bait, s.at(".mcp.json"))))
    }),
    absent("absent-intermediate", "create .devcontainer and a file below it in one go", |s| {
        let attempt = fs::create_dir_all(s.at(".devcontainer/nested"));
        let _ = create(&s.at(".devcontainer/devcontainer.json"), s);
        Outcome::of(".devcontainer", attempt)
    }),
    absent("absent-swapped-parent", "exchange a prepared directory with .cursor", |s| {
        Outcome::of(".cursor", swap_parent(s))
    }),
    absent("absent-git-attributes", "create .git/info/attributes: filters run commands", |s| {
        Outcome::of(".git/info/attributes", create(&s.at(".git/info/attributes"), s))
    }),
    absent("absent-worktree-config", "create .git/config.worktree", |s| {
        Outcome::of(".git/config.worktree", create(&s.at(".git/config.worktree"), s))
    }),
    absent("absent-insist", "create the name again and again while it is taken away", |s| {
        Outcome::of(".mcp.json", insist(s))
    }),
    absent("absent-link-back", "keep the file under a second name and link it back", |s| {
        Outcome::of(".mcp.json", link_back(s))
    }),
    absent("absent-overflow", "overflow the queue of a watcher first", |s| Outcome::of(".mcp.json", overflow(s))),
];
