//! Protected names that exist: what is planted there would run later with the user's rights.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::Path;

use bailiwick_policy::guarantee::Guarantee::NamesProtected;

use super::files::{append, create};
use crate::attack::{Attack, Project, Proof};
use crate::outcome::Outcome;
use crate::stage::Stage;
use crate::sys::{file, process};

const fn names(name: &'static str, summary: &'static str, run: fn(&Stage) -> Outcome) -> Attack {
    Attack::new(name, NamesProtected, Proof::Tree, summary, run)
}

const CONFIG: &str = ".git/config";
const HOOKS: &str = ".git/hooks";
const SETTINGS: &str = ".vscode/settings.json";

/// Writes a file of our own in the workspace, to be put in the place of another.
fn bait(stage: &Stage) -> io::Result<std::path::PathBuf> {
    let path = stage.at("bait");
    fs::write(&path, stage.mark())?;
    Ok(path)
}

/// Makes a directory of our own with an executable hook, to be put in the place of another.
fn bait_directory(stage: &Stage) -> io::Result<std::path::PathBuf> {
    let path = stage.at("bait.d");
    fs::create_dir_all(path.join("hooks"))?;
    fs::write(path.join("hooks/pre-commit"), stage.mark())?;
    fs::write(path.join("config"), stage.mark())?;
    Ok(path)
}

/// In a mount namespace of one's own: take the protection away and write.
fn unmount_protection(stage: &Stage) -> Outcome {
    let attempt = process::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS).and_then(|()| {
        for name in [CONFIG, HOOKS, ".git"] {
            // Outside there is nothing to unmount, and the write decides.
            let _ = process::unmount(&stage.at(name));
        }
        append(&stage.at(CONFIG), stage)
    });
    Outcome::of("after unmounting", attempt)
}

pub(super) const ATTACKS: &[Attack] = &[
    names("config-write", "append to .git/config: core.fsmonitor and aliases run commands", |s| {
        Outcome::of(CONFIG, append(&s.at(CONFIG), s))
    }),
    names("config-truncate", "truncate(2) .git/config", |s| Outcome::of(CONFIG, file::truncate(&s.at(CONFIG), 1))),
    names("config-replace", "write beside and rename over .git/config, as git itself does", |s| {
        let attempt = fs::write(s.at(".git/config.lock"), s.mark())
            .and_then(|()| fs::rename(s.at(".git/config.lock"), s.at(CONFIG)));
        Outcome::of("rename over", attempt)
    }),
    names("config-unlink", "unlink .git/config and create another", |s| {
        Outcome::of("unlink", fs::remove_file(s.at(CONFIG)).and_then(|()| create(&s.at(CONFIG), s)))
    }),
    names("config-move-away", "rename .git/config to another name", |s| {
        Outcome::of("rename away", fs::rename(s.at(CONFIG), s.at("config-old")))
    }),
    names("config-exchange", "RENAME_EXCHANGE .git/config with a file of one's own", |s| {
        Outcome::of("exchange", bait(s).and_then(|bait| file::exchange(&bait, &s.at(CONFIG))))
    }),
    names("config-hard-link", "link(2) .git/config to another name and write there", |s| {
        let alias = s.at("config-alias");
        Outcome::of("alias", fs::hard_link(s.at(CONFIG), &alias).and_then(|()| append(&alias, s)))
    }),
    names("config-link-by-descriptor", "linkat(2) of /proc/self/fd of .git/config, and write to the new name", |s| {
        let alias = s.at("config-alias");
        let attempt = File::open(s.at(CONFIG)).and_then(|config| {
            file::link_following(Path::new(&format!("/proc/self/fd/{}", config.as_raw_fd())), &alias)?;
            append(&alias, s)
        });
        Outcome::of("alias", attempt)
    }),
    names("config-reopen", "open .git/config for reading, then /proc/self/fd for writing", |s| {
        let attempt = File::open(s.at(CONFIG))
            .and_then(|config| append(Path::new(&format!("/proc/self/fd/{}", config.as_raw_fd())), s));
        Outcome::of("reopened", attempt)
    }),
    names("config-by-proc-cwd", ".git/config through /proc/self/cwd", |s| {
        Outcome::of("/proc/self/cwd", append(Path::new("/proc/self/cwd/.git/config"), s))
    }),
    names("config-by-symlink", "a symbolic link to .git, and write below it", |s| {
        let link = s.at("git-link");
        Outcome::of("link", symlink(".git", &link).and_then(|()| append(&link.join("config"), s)))
    }),
    names("config-by-mapping", "write .git/config through a shared mapping", |s| {
        let attempt = OpenOptions::new()
            .read(true)
            .write(true)
            .open(s.at(CONFIG))
            .and_then(|config| file::write_by_mapping(&config, b"[core]"));
        Outcome::of("mapping", attempt)
    }),
    names("hook-create", "create .git/hooks/pre-commit, which the user's next commit runs", |s| {
        Outcome::of("hook", create(&s.at(".git/hooks/pre-commit"), s))
    }),
    names("hook-move-in", "rename a prepared file into .git/hooks", |s| {
        Outcome::of("hook", bait(s).and_then(|bait| fs::rename(bait, s.at(".git/hooks/pre-commit"))))
    }),
    names("hook-link-in", "link a prepared file into .git/hooks", |s| {
        Outcome::of("hook", bait(s).and_then(|bait| fs::hard_link(bait, s.at(".git/hooks/pre-commit"))))
    }),
    names("hooks-replace", "rename .git/hooks away and put another there", |s| {
        let attempt = bait_directory(s).and_then(|bait| {
            fs::rename(s.at(HOOKS), s.at("hooks-old"))?;
            fs::rename(bait.join("hooks"), s.at(HOOKS))
        });
        Outcome::of("replace", attempt)
    }),
    names("hooks-exchange", "RENAME_EXCHANGE .git/hooks with a directory of one's own", |s| {
        Outcome::of("exchange", bait_directory(s).and_then(|bait| file::exchange(&bait.join("hooks"), &s.at(HOOKS))))
    }),
    names("hooks-symlink", "move .git/hooks away and put a symbolic link to a writable directory there", |s| {
        let attempt = bait_directory(s).and_then(|bait| {
            fs::rename(s.at(HOOKS), s.at("hooks-old"))?;
            symlink(bait.join("hooks"), s.at(HOOKS))
        });
        Outcome::of("symlink", attempt)
    }),
    names("git-replace", "rename .git itself away and put another there: every name below it is new", |s| {
        let attempt = bait_directory(s).and_then(|bait| {
            fs::rename(s.at(".git"), s.at("git-old"))?;
            fs::rename(bait, s.at(".git"))
        });
        Outcome::of("replace", attempt)
    }),
    names("git-exchange", "RENAME_EXCHANGE .git with a directory of one's own", |s| {
        Outcome::of("exchange", bait_directory(s).and_then(|bait| file::exchange(&bait, &s.at(".git"))))
    }),
    names("git-move", "mv .git x", |s| Outcome::of("mv .git x", fs::rename(s.at(".git"), s.at("x")))),
    names("module-config-write", "append to the configuration of a submodule in .git/modules", |s| {
        Outcome::of("module", append(&s.at(".git/modules/lib/config"), s))
    }),
    names("module-hook-create", "create a hook of a submodule in .git/modules", |s| {
        Outcome::of("module", create(&s.at(".git/modules/lib/hooks/post-checkout"), s))
    }),
    names("module-replace", "rename .git/modules away, an ancestor of protected names", |s| {
        Outcome::of("modules", fs::rename(s.at(".git/modules"), s.at("modules-old")))
    }),
    names("settings-write", "append to .vscode/settings.json: editor tasks run on opening the folder", |s| {
        Outcome::of(SETTINGS, append(&s.at(SETTINGS), s))
    }),
    names("settings-create-beside", "create .vscode/tasks.json beside the settings that exist", |s| {
        Outcome::of("tasks", create(&s.at(".vscode/tasks.json"), s))
    }),
    names("settings-move", "rename .vscode away", |s| Outcome::of(".vscode", fs::rename(s.at(".vscode"), s.at("v")))),
    names("agent-settings-write", "append to .claude/settings.json: agents run the hooks in it", |s| {
        Outcome::of(".claude", append(&s.at(".claude/settings.json"), s))
    }),
    names("policy-write", "append to bailiwick.toml: widen the next run", |s| {
        Outcome::of("bailiwick.toml", append(&s.at("bailiwick.toml"), s))
    }),
    names("names-unmount", "unmount the protection in a mount namespace of one's own", unmount_protection)
        .unless("user namespaces"),
    names("names-other-case", "the protected name in capitals, where the filesystem folds case", |s| {
        if !s.at(".GIT").exists() {
            return Outcome::inapplicable("the filesystem tells capitals apart");
        }
        Outcome::of(".GIT/CONFIG", append(&s.at(".GIT/CONFIG"), s))
    })
    .unless("a filesystem that folds case"),
    names(
        "worktree-pointer-write",
        "change the .git file of a linked worktree to point to a repository of one's own",
        |s| {
            let attempt = OpenOptions::new()
                .write(true)
                .truncate(true)
                .open(s.at(".git"))
                .and_then(|mut pointer| pointer.write_all(b"gitdir: fake\n"));
            Outcome::of("pointer", attempt)
        },
    )
    .project(Project::Worktree),
    names("worktree-pointer-replace", "rename another .git file over the pointer of a linked worktree", |s| {
        Outcome::of("pointer", bait(s).and_then(|bait| fs::rename(bait, s.at(".git"))))
    })
    .project(Project::Worktree),
    names(
        "worktree-main-hook",
        "create a hook in the main repository of a linked worktree, outside the workspace",
        |s| Outcome::of("main hook", create(&s.home.join("main-repository/.git/hooks/post-commit"), s)),
    )
    .project(Project::Worktree),
    names("worktree-main-config", "append to the configuration of the main repository of a linked worktree", |s| {
        Outcome::of("main config", append(&s.home.join("main-repository/.git/config"), s))
    })
    .project(Project::Worktree),
];
