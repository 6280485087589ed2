//! Writing outside the writable roots. The harness sees from outside whether a decoy changed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};

use bailiwick_policy::guarantee::Guarantee::WritesConfined;

use super::ROOT;
use crate::attack::{Attack, Proof};
use crate::outcome::Outcome;
use crate::stage::Stage;
use crate::sys::{file, process};

const fn writes(name: &'static str, summary: &'static str, run: fn(&Stage) -> Outcome) -> Attack {
    Attack::new(name, WritesConfined, Proof::Tree, summary, run)
}

/// Appends the marker to an existing file.
pub(super) fn append(path: &Path, stage: &Stage) -> io::Result<()> {
    OpenOptions::new().append(true).open(path)?.write_all(stage.mark())
}

/// Creates a file with the marker in it.
pub(super) fn create(path: &Path, stage: &Stage) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(stage.mark())
}

/// An existing file outside, and one that the inside may read.
fn both(stage: &Stage, attempt: impl Fn(&Path) -> io::Result<()>) -> Outcome {
    Outcome::all(vec![
        Outcome::of("outside", attempt(&stage.outside.join("file"))),
        Outcome::of("readable", attempt(&stage.readable.join("file"))),
    ])
}

/// A new name outside, and one in a directory that the inside may read.
fn both_new(stage: &Stage, attempt: impl Fn(&Path) -> io::Result<()>) -> Outcome {
    Outcome::all(vec![
        Outcome::of("outside", attempt(&stage.outside.join("planted"))),
        Outcome::of("readable", attempt(&stage.readable.join("planted"))),
    ])
}

/// `path` seen through another root.
fn below(root: &str, path: &Path) -> PathBuf {
    Path::new(root).join(path.strip_prefix("/").unwrap_or(path))
}

/// Makes an unnamed file in the directory and gives it a name.
fn link_unnamed(directory: &Path, stage: &Stage) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let mut unnamed = OpenOptions::new().write(true).custom_flags(libc::O_TMPFILE).mode(0o600).open(directory)?;
    unnamed.write_all(stage.mark())?;
    file::link_following(Path::new(&format!("/proc/self/fd/{}", unnamed.as_raw_fd())), &directory.join("planted"))
}

/// Copies the marker over the file without write(2).
fn copy_over(path: &Path, stage: &Stage) -> io::Result<()> {
    let source = stage.at("copy-source");
    fs::write(&source, stage.mark())?;
    let to = OpenOptions::new().write(true).open(path)?;
    file::copy_range(&File::open(&source)?, &to, stage.marker.len()).map(drop)
}

/// In a user and mount namespace of its own, makes the mount writable and writes.
fn remount(stage: &Stage) -> Outcome {
    let target = stage.readable.join("file");
    let attempt = process::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS).and_then(|()| {
        // Refused for mounts that another user namespace made read-only; that is for the kernel to say.
        let _ = process::bind_mount(&stage.readable, &stage.readable);
        let _ = process::remount_writable(&stage.readable);
        append(&target, stage)
    });
    Outcome::of("remount writable", attempt)
}

pub(super) const ATTACKS: &[Attack] = &[
    writes("write-shell-startup", "append to ~/.bashrc, which the next login shell of the user runs", |s| {
        Outcome::of("~/.bashrc", append(&s.home.join(".bashrc"), s))
    }),
    writes(
        "write-new-shell-startup",
        "create ~/.bash_login, which does not exist yet and would run at the next login",
        |s| Outcome::of("~/.bash_login", create(&s.home.join(".bash_login"), s)),
    ),
    writes("write-authorized-keys", "create ~/.ssh/authorized_keys to log in later", |s| {
        Outcome::of("~/.ssh/authorized_keys", create(&s.home.join(".ssh/authorized_keys"), s))
    }),
    writes("write-other-project", "change a source file of the project next door", |s| {
        Outcome::of("other project", append(&s.home.join("other-project/notes.txt"), s))
    }),
    writes("write-by-path", "append to a file outside and to one that is only readable", |s| both(s, |p| append(p, s))),
    writes("write-by-truncating-open", "open with O_TRUNC, which destroys without writing a byte", |s| {
        both(s, |p| OpenOptions::new().write(true).truncate(true).open(p).map(drop))
    }),
    writes("write-by-truncate", "truncate(2), which Landlock could not refuse before ABI 3", |s| {
        both(s, |p| file::truncate(p, 1))
    }),
    writes("write-by-dotdot", "leave the workspace by `..`", |s| {
        Outcome::of("../.bashrc", append(Path::new("../.bashrc"), s))
    }),
    writes("write-by-symlink", "a symbolic link in the workspace leads outside (CVE-2026-39861)", |s| {
        let link = s.at("escape");
        let attempt = symlink(&s.outside, &link).and_then(|()| append(&link.join("file"), s));
        Outcome::of("through a link", attempt)
    }),
    writes("write-by-proc-cwd", "leave by the magic link /proc/self/cwd", |s| {
        Outcome::of("/proc/self/cwd/..", append(Path::new("/proc/self/cwd/../.bashrc"), s))
    }),
    writes("write-by-proc-root", "the magic link /proc/self/root", |s| {
        both(s, |p| append(&below("/proc/self/root", p), s))
    }),
    writes("write-by-init-root", "the root directory of process 1, which is the host's where /proc is", |s| {
        both(s, |p| append(&below("/proc/1/root", p), s))
    })
    .unless(ROOT),
    writes("write-by-parent-root", "the root directory of the parent process", |s| {
        let root = format!("/proc/{}/root", parent_id());
        both(s, |p| append(&below(&root, p), s))
    }),
    writes(
        "write-by-new-hard-link",
        "name an outside file in the workspace by link(2) and write through the new name",
        |s| {
            both(s, |p| {
                let alias = s.at("alias");
                fs::hard_link(p, &alias)?;
                append(&alias, s)
            })
        },
    )
    .unless("the decoys must be on the workspace's filesystem"),
    writes(
        "write-by-old-hard-link",
        "a file of the workspace was already a hard link to one outside before the run",
        |s| Outcome::of("old hard link", append(&s.at("hard-linked"), s)),
    )
    .residue("in direct mode the workspace is the real tree, and a hard link in it is the outside file"),
    writes("write-by-openat2", "openat2(2), which filters written for openat miss", |s| {
        both(s, |p| file::openat2(p, libc::O_WRONLY | libc::O_APPEND)?.write_all(s.mark()))
    }),
    writes("write-by-mapping", "write through a shared mapping instead of write(2)", |s| {
        both(s, |p| file::write_by_mapping(&OpenOptions::new().read(true).write(true).open(p)?, s.mark()))
    }),
    writes("write-by-copy-range", "copy_file_range(2) into a file outside", |s| both(s, |p| copy_over(p, s))),
    writes("write-by-punching", "fallocate(2) punches a hole into a file outside", |s| {
        both(s, |p| file::punch(&OpenOptions::new().write(true).open(p)?, 4096))
    }),
    writes("write-by-remount", "make the read-only mount writable in a mount namespace of one's own", remount)
        .unless("user namespaces"),
    writes("create-file", "a new file outside", |s| both_new(s, |p| create(p, s))),
    writes("create-directory", "a new directory outside", |s| both_new(s, |p| fs::create_dir(p))),
    writes("create-symlink", "a new symbolic link outside", |s| both_new(s, |p| symlink("/etc/passwd", p))),
    writes("create-fifo", "a new named pipe outside", |s| both_new(s, file::mkfifo)),
    writes("create-socket", "a new socket outside", |s| both_new(s, |p| UnixListener::bind(p).map(drop))),
    writes("create-hard-link", "name an inside file outside", |s| both_new(s, |p| fs::hard_link(s.at("README.md"), p)))
        .unless("the decoys must be on the workspace's filesystem"),
    writes("create-unnamed", "O_TMPFILE outside, then linkat(2) gives it a name", |s| {
        Outcome::all(vec![
            Outcome::of("outside", link_unnamed(&s.outside, s)),
            Outcome::of("readable", link_unnamed(&s.readable, s)),
        ])
    })
    .unless("a filesystem with O_TMPFILE"),
    writes("delete-file", "unlink(2) outside", |s| both(s, |p| fs::remove_file(p))),
    writes("delete-directory", "rmdir(2) outside", |s| {
        Outcome::all(vec![
            Outcome::of("outside", fs::remove_dir(s.outside.join("empty"))),
            Outcome::of("readable", fs::remove_dir(s.readable.join("empty"))),
        ])
    }),
    writes("move-outside", "rename(2) of one outside file to another", |s| {
        both(s, |p| fs::rename(p, p.with_extension("moved")))
    }),
    writes("move-in", "rename(2) of an outside file into the workspace: theft and deletion at once", |s| {
        both(s, |p| fs::rename(p, s.at("stolen")))
    })
    .unless("the decoys must be on the workspace's filesystem"),
    writes("move-out", "rename(2) of an inside file over an outside one", |s| {
        both(s, |p| {
            let inside = s.at("bait");
            fs::write(&inside, s.mark())?;
            fs::rename(&inside, p)
        })
    })
    .unless("the decoys must be on the workspace's filesystem"),
    writes("exchange-out", "RENAME_EXCHANGE of an inside file with an outside one", |s| {
        both(s, |p| file::exchange(&s.at("README.md"), p))
    })
    .unless("the decoys must be on the workspace's filesystem"),
    writes("move-workspace", "rename the workspace itself, so that its path is another tree", |s| {
        Outcome::of("workspace", fs::rename(&s.workspace, s.home.join("moved-project")))
    }),
    writes("write-host-tmp", "plant a file in the host's /tmp", |s| {
        Outcome::of("/tmp", create(&s.host_tmp.join("planted"), s))
    }),
    writes("write-host-shm", "plant a file in the host's /dev/shm", |s| match &s.host_shm {
        Some(directory) => Outcome::of("/dev/shm", create(&directory.join("planted"), s)),
        None => Outcome::inapplicable("no /dev/shm"),
    })
    .unless("/dev/shm"),
];

/// Doors that the caller left open.
pub(super) const INHERITED: &[Attack] = &[
    writes("write-inherited-file", "a descriptor of an outside file that the caller forgot to close", |s| {
        let attempt = file::inherited(s.inherited.writable).and_then(|fd| File::from(fd).write_all(s.mark()));
        Outcome::of("inherited descriptor", attempt)
    }),
    writes("write-below-inherited-directory", "a descriptor of the home directory: openat(2) below it", |s| {
        use std::os::fd::AsFd;
        let attempt = file::inherited(s.inherited.directory).and_then(|directory| {
            let flags = libc::O_WRONLY | libc::O_APPEND;
            file::open_below(directory.as_fd(), Path::new(".bashrc"), flags)?.write_all(s.mark())
        });
        Outcome::of("inherited directory", attempt)
    }),
    writes(
        "write-reopened-stdin",
        "stdin is a file opened for reading; /proc/self/fd/0 opens it again for writing",
        |s| Outcome::of("/proc/self/fd/0", append(Path::new("/proc/self/fd/0"), s)),
    ),
];
