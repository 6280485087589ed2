//! Reading what is not the inside's. Each decoy holds a secret that the inside is not told; what was read is searched for it outside.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};

use bailiwick_policy::guarantee::Guarantee::ReadsConfined;

use super::ROOT;
use crate::attack::{Attack, Proof};
use crate::outcome::Outcome;
use crate::stage::Stage;
use crate::sys::{file, ipc};

const fn reads(name: &'static str, summary: &'static str, run: fn(&Stage) -> Outcome) -> Attack {
    Attack::new(name, ReadsConfined, Proof::Secret, summary, run)
}

/// For what is told by being read at all: the host's own secrets, which the harness did not plant.
const fn answers(name: &'static str, summary: &'static str, run: fn(&Stage) -> Outcome) -> Attack {
    Attack::new(name, ReadsConfined, Proof::Answer, summary, run).unless(ROOT)
}

/// The private key in the home.
fn key(stage: &Stage) -> PathBuf {
    stage.home.join(".ssh/id_ed25519")
}

fn read(path: impl AsRef<Path>) -> Outcome {
    let path = path.as_ref();
    Outcome::of_read(&path.to_string_lossy(), fs::read(path))
}

/// The names in a directory, as bytes.
fn list(directory: &Path) -> io::Result<Vec<u8>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        names.extend_from_slice(entry?.file_name().as_encoded_bytes());
        names.push(b' ');
    }
    Ok(names)
}

/// The first bytes of a file that may have no end.
fn start_of(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    // A record of the kernel's log is refused if there is no room for all of it.
    let mut bytes = vec![0; 16 * 1024];
    let got = File::open(path)?.read(&mut bytes)?;
    bytes.truncate(got);
    if bytes.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
}

/// `path` seen through the magic link of a process.
fn through(process: &str, link: &str, path: &Path) -> PathBuf {
    Path::new("/proc").join(process).join(link).join(path.strip_prefix("/").unwrap_or(path))
}

pub(super) const ATTACKS: &[Attack] = &[
    reads("read-private-key", "cat ~/.ssh/id_ed25519", |s| read(key(s))),
    reads("read-cloud-credentials", "cat ~/.aws/credentials", |s| read(s.home.join(".aws/credentials"))),
    reads("read-other-project", "the project next door", |s| read(s.home.join("other-project/notes.txt"))),
    reads("list-home", "the names in the home tell what the user has", |s| Outcome::of_read("~", list(&s.home))),
    reads("list-by-dotdot", "the names above the workspace", |_| Outcome::of_read("..", list(Path::new("..")))),
    reads("read-by-symlink", "a symbolic link in the workspace leads to the key (CVE-2026-39861)", |s| {
        let link = s.at("key-link");
        Outcome::of_read("link", symlink(key(s), &link).and_then(|()| fs::read(&link)))
    }),
    reads("read-by-proc-root", "the key through /proc/self/root", |s| read(through("self", "root", &key(s)))),
    reads("read-by-parent-root", "the key through the root directory of the parent", |s| {
        read(through(&parent_id().to_string(), "root", &key(s)))
    }),
    reads("read-by-decoy-root", "the key through the root directory of another process of the user", |s| {
        read(through(&s.decoy.pid.to_string(), "root", &key(s)))
    }),
    reads("read-by-new-hard-link", "link(2) the key into the workspace and read the new name", |s| {
        let alias = s.at("key-alias");
        Outcome::of_read("alias", fs::hard_link(key(s), &alias).and_then(|()| fs::read(&alias)))
    })
    .unless("the decoys must be on the workspace's filesystem"),
    reads("read-by-moving-in", "rename(2) the key into the workspace", |s| {
        let stolen = s.at("key-stolen");
        Outcome::of_read("stolen", fs::rename(key(s), &stolen).and_then(|()| fs::read(&stolen)))
    })
    .unless("the decoys must be on the workspace's filesystem"),
    reads("read-inherited-file", "a descriptor of a secret file that the caller forgot to close", |s| {
        let mut bytes = Vec::new();
        let attempt = file::inherited(s.inherited.secret).and_then(|fd| File::from(fd).read_to_end(&mut bytes));
        Outcome::of_read("inherited descriptor", attempt.map(|_| bytes))
    }),
    reads("read-below-inherited-directory", "a descriptor of the home directory: openat(2) below it", |s| {
        let attempt = file::inherited(s.inherited.directory).and_then(|directory| {
            let mut bytes = Vec::new();
            file::open_below(directory.as_fd(), Path::new(".ssh/id_ed25519"), libc::O_RDONLY)?
                .read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        Outcome::of_read("inherited directory", attempt)
    }),
    reads(
        "read-reopened-stderr",
        "stderr is a log opened for appending; /proc/self/fd/2 opens it again for reading",
        |_| read("/proc/self/fd/2"),
    ),
    reads("read-denied", "a denied .env in the workspace", |s| {
        Outcome::any(s.denied.iter().map(|name| read(s.at(name))))
    }),
    reads("read-denied-by-cwd", "the denied file through /proc/self/cwd", |_| read("/proc/self/cwd/.env")),
    reads("read-denied-by-hard-link", "link(2) the denied file to another name", |s| {
        let alias = s.at("env-alias");
        Outcome::of_read("alias", fs::hard_link(s.at(".env"), &alias).and_then(|()| fs::read(&alias)))
    }),
    reads("read-denied-by-moving", "rename(2) the denied file to another name", |s| {
        let moved = s.at("env-moved");
        Outcome::of_read("moved", fs::rename(s.at(".env"), &moved).and_then(|()| fs::read(&moved)))
    }),
    reads("read-denied-by-exchange", "RENAME_EXCHANGE the denied file with an open one", |s| {
        Outcome::of_read(
            "exchanged",
            file::exchange(&s.at(".env"), &s.at("README.md")).and_then(|()| fs::read(s.at("README.md"))),
        )
    }),
    reads("read-denied-by-moving-ancestor", "rename(2) the directory above a denied one", |s| {
        let attempt = fs::rename(s.at("keep"), s.at("kept")).and_then(|()| fs::read(s.at("kept/vault/token")));
        Outcome::of_read("moved ancestor", attempt)
    }),
    reads("read-host-tmp", "a file of the host's /tmp", |s| read(s.host_tmp.join("secret"))),
    reads("read-host-shm", "a file of the host's /dev/shm", |s| match &s.host_shm {
        Some(directory) => read(directory.join("secret")),
        None => Outcome::inapplicable("no /dev/shm"),
    })
    .unless("/dev/shm"),
    reads("read-shared-memory", "attach a System V shared memory segment of the user", |s| match s.shared_memory {
        Some(id) => Outcome::of_read("segment", ipc::read_segment(id)),
        None => Outcome::inapplicable("no System V shared memory"),
    })
    .unless("System V shared memory"),
    reads("read-keyring", "a key in the session keyring, which no namespace covers", |s| match &s.key {
        Some(description) => Outcome::of_read("key", ipc::search_key(description).and_then(ipc::read_key)),
        None => Outcome::inapplicable("no keyrings"),
    })
    .unless("kernel keyrings"),
    reads("request-key", "the same key by request_key(2)", |s| match &s.key {
        Some(description) => Outcome::of_read("key", ipc::request_key(description).and_then(ipc::read_key)),
        None => Outcome::inapplicable("no keyrings"),
    })
    .unless("kernel keyrings"),
    reads("list-keys", "the names of the user's keys in /proc/keys", |_| read("/proc/keys")).unless("kernel keyrings"),
    reads("read-by-handle", "open_by_handle_at(2) with a guessed handle (the `shocker` escape from Docker)", |s| {
        let Some(handle) = &s.handle else { return Outcome::inapplicable("no file handles") };
        let attempt =
            File::open(&s.workspace).and_then(|mount| file::open_by_handle(&mount, handle)).and_then(|mut file| {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                Ok(bytes)
            });
        Outcome::of_read("by handle", attempt)
    })
    .unless("needs root, and a filesystem with handles"),
];

/// Secrets of the host that only root may read, so that a run as root must hide them.
pub(super) const ROOT_ATTACKS: &[Attack] = &[
    answers("read-shadow", "the password hashes of the host", |_| match start_of("/etc/shadow") {
        Ok(_) => Outcome::breached("/etc/shadow was read"),
        Err(error) => Outcome::of::<()>("/etc/shadow", Err(error)),
    }),
    answers("read-disk", "the block device below the root filesystem", |_| {
        let table = fs::read_to_string("/proc/partitions").unwrap_or_default();
        let names = table.lines().skip(2).filter_map(|line| line.split_whitespace().nth(3));
        let attempts: Vec<_> = names.map(|name| Outcome::of(name, start_of(Path::new("/dev").join(name)))).collect();
        if attempts.is_empty() { Outcome::held("no block device is known here") } else { Outcome::any(attempts) }
    })
    .unless("needs root and a block device"),
    answers("read-kernel-memory", "/proc/kcore", |_| Outcome::of("/proc/kcore", start_of("/proc/kcore")))
        .unless("needs root, and a kernel with /proc/kcore"),
    answers("read-kernel-messages", "/dev/kmsg", |_| Outcome::of("/dev/kmsg", start_of("/dev/kmsg")))
        .unless("needs root and /dev/kmsg"),
];
