//! The decoys of one run, prepared outside: files with secrets, listeners, a process, a key, descriptors. What is secret stays here.

mod ears;
mod process;
mod tree;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ears::Ears;
use process::DecoyChild;
pub use process::be_decoy;
use tree::Planted;

use crate::attack::{Project, Stdio};
use crate::stage::{Inherited, Sockets, Stage, StageLimits};
use crate::sys::{file, ipc, terminal};

/// Where the inherited descriptors appear in the command.
const INHERITED: Inherited = Inherited { secret: 7, writable: 8, directory: 9, socket: 10 };

/// The decoys of one run; dropping them removes all that was made.
pub(crate) struct Decoys {
    /// What the inside is told.
    pub(crate) stage: Stage,
    /// What it is not.
    secrets: Vec<String>,
    root: PathBuf,
    planted: Planted,
    ears: Ears,
    child: DecoyChild,
    /// The person's side of the caller's terminal and the program's, where the command has one.
    pub(crate) terminal: Option<(File, File)>,
}

/// What to prepare.
pub(crate) struct Wanted<'a> {
    /// Where to put it: a directory that does not exist yet.
    pub(crate) root: PathBuf,
    /// The probe, which is copied into the workspace and is also the decoy process.
    pub(crate) probe: &'a Path,
    /// What the workspace is.
    pub(crate) project: Project,
    /// What the standard streams are.
    pub(crate) stdio: Stdio,
    /// Limits for the launcher.
    pub(crate) limits: Option<StageLimits>,
}

/// 128 random bits in hexadecimal.
pub(crate) fn random_name() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A secret that the inside must not learn.
fn secret() -> io::Result<String> {
    random_name().map(|name| format!("secret-{name}"))
}

impl Decoys {
    /// Prepares everything.
    ///
    /// The calling thread gets a new session keyring, which what it starts inherits.
    pub(crate) fn prepare(wanted: Wanted<'_>) -> io::Result<Self> {
        let root = wanted.root;
        fs::create_dir(&root)?;
        let guard = RemoveOnFailure(Some(&root));
        let root = fs::canonicalize(&root)?;
        let id = random_name()?.get(..12).unwrap_or_default().to_owned();
        let secret = secret()?;
        let planted = Planted::plant(&root, &id, &secret, wanted.project, wanted.probe, wanted.limits)?;
        let (key, shared_memory) = (plant_key(&id, &secret), plant_segment(&secret));
        let sockets = Sockets {
            home: planted.home.join("agent.sock"),
            tmp: planted.tmp.join("agent.sock"),
            datagram: planted.outside.join("log.sock"),
            readable: planted.readable.join("service.sock"),
            workspace: planted.workspace.join("dev.sock"),
            abstract_stream: format!("bailiwick-{id}-stream"),
            abstract_datagram: format!("bailiwick-{id}-datagram"),
            fifo: planted.readable.join("pipe"),
        };
        let (caller_end, far_end) = UnixStream::pair()?;
        let (ears, ports) = Ears::listen(&sockets, &planted.workspace.join("port"), far_end)?;
        let child = DecoyChild::start(wanted.probe, &planted.outside.join("process-secret"), &secret)?;
        let terminal = match wanted.stdio {
            Stdio::Files => None,
            Stdio::Terminal | Stdio::ControllingTerminal => Some(terminal::pseudo_terminal()?),
        };
        let stage = Stage {
            marker: format!("marker-{}", random_name()?),
            workspace: planted.workspace.clone(),
            home: planted.home.clone(),
            readable: planted.readable.clone(),
            outside: planted.outside.clone(),
            host_tmp: planted.tmp.clone(),
            host_shm: planted.shm.clone(),
            denied: [".env", "keep/vault"].map(str::to_owned).to_vec(),
            protected: tree::PROTECTED.map(str::to_owned).to_vec(),
            absent: tree::ABSENT.map(str::to_owned).to_vec(),
            decoy: child.facts,
            ports,
            nameservers: nameservers(),
            sockets,
            key,
            shared_memory,
            handle: file::name_to_handle(&planted.home.join(".ssh/id_ed25519")).ok(),
            inherited: INHERITED,
            limits: wanted.limits,
        };
        let text = serde_json::to_vec_pretty(&stage).map_err(io::Error::other)?;
        fs::write(planted.workspace.join("stage.json"), text)?;
        guard.disarm();
        let mut decoys = Decoys { stage, secrets: vec![secret], root, planted, ears, child, terminal };
        decoys.ears.hold(caller_end);
        // Only now: planting the sockets changed the directories that are watched.
        decoys.planted.remember()?;
        Ok(decoys)
    }

    /// The descriptors that the command inherits, each with the number that it has there.
    pub(crate) fn descriptors(&self) -> io::Result<Vec<(OwnedFd, i32)>> {
        let open = |path: &Path| File::open(path);
        let writable = OpenOptions::new().append(true).open(self.planted.outside.join("inherited-writable"))?;
        let mut list = vec![
            (OwnedFd::from(open(&self.planted.outside.join("inherited-secret"))?), INHERITED.secret),
            (writable.into(), INHERITED.writable),
            (open(&self.planted.home)?.into(), INHERITED.directory),
        ];
        if let Some(socket) = self.ears.caller_end()? {
            list.push((socket, INHERITED.socket));
        }
        // Away from the numbers that they are copied to.
        list.into_iter()
            .map(|(fd, number)| {
                use std::os::fd::AsRawFd;
                Ok((file::inherited(fd.as_raw_fd())?, number))
            })
            .collect()
    }

    /// A file for the command's standard input, opened for reading.
    pub(crate) fn stdin(&self) -> io::Result<File> {
        File::open(self.planted.outside.join("stdin"))
    }

    /// A file for the command's standard output, which the harness reads afterwards.
    pub(crate) fn stdout(&self) -> io::Result<File> {
        File::create(self.root.join("stdout"))
    }

    /// The caller's log for the command's standard error, opened for appending.
    pub(crate) fn stderr(&self) -> io::Result<File> {
        OpenOptions::new().append(true).open(self.planted.outside.join("stderr.log"))
    }

    /// What the command printed.
    pub(crate) fn printed(&self) -> Vec<u8> {
        fs::read(self.root.join("stdout")).unwrap_or_default()
    }

    /// The last line that the command complained with.
    pub(crate) fn complaint(&self) -> String {
        let text = fs::read(self.planted.outside.join("stderr.log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().skip(1).collect();
        lines.get(lines.len().saturating_sub(3)..).unwrap_or_default().join(" / ")
    }

    /// Values of the environment variables that are decoys.
    pub(crate) fn secret(&self) -> &str {
        self.secrets.first().map_or("", String::as_str)
    }

    /// What was changed, if anything was.
    pub(crate) fn changes(&self) -> Option<String> {
        self.planted.changes()
    }

    /// Whether the text contains a secret.
    pub(crate) fn is_told_in(&self, text: &str) -> bool {
        self.secrets.iter().any(|secret| text.contains(secret.as_str()))
    }

    /// Stops listening; whether the marker was received, and where.
    pub(crate) fn received(&mut self) -> Option<&'static str> {
        self.ears.heard(self.stage.mark())
    }

    /// What became of the decoy process, if anything did.
    pub(crate) fn harm(&mut self) -> Option<String> {
        self.child.harm()
    }

    /// Which names exist that were absent.
    pub(crate) fn appeared(&self) -> Vec<&str> {
        let exists = |name: &&String| fs::symlink_metadata(self.stage.workspace.join(name)).is_ok();
        self.stage.absent.iter().filter(exists).map(String::as_str).collect()
    }

    /// The file that a survivor locks.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.stage.workspace.join(crate::attacks::tree::LOCK)
    }
}

impl Drop for Decoys {
    fn drop(&mut self) {
        if let Some(id) = self.stage.shared_memory {
            let _ = ipc::remove_segment(id);
        }
        // What cannot be removed is only litter in a directory that the caller named; there is nobody to tell.
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// Removes the directory unless told that all went well.
struct RemoveOnFailure<'a>(Option<&'a Path>);

impl RemoveOnFailure<'_> {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for RemoveOnFailure<'_> {
    fn drop(&mut self) {
        if let Some(root) = self.0 {
            let _ = fs::remove_dir_all(root);
        }
    }
}

/// How long keys of others are waited for, and how often.
const KEY_PATIENCE: (Duration, u32) = (Duration::from_millis(100), 100);

/// Puts two keys into a new session keyring: one holds the secret, the name of the other is the secret. `None` where there are no keyrings.
fn plant_key(id: &str, secret: &str) -> Option<String> {
    let description = format!("bailiwick-{id}");
    let plant = || {
        ipc::join_session_keyring()
            .and_then(|()| ipc::add_key(&description, secret.as_bytes()))
            .and_then(|()| ipc::add_key(secret, b"-"))
    };
    // A user has 200 keys, and those of sessions that have ended count until the kernel has collected them (keyrings(7)).
    for _ in 0..KEY_PATIENCE.1 {
        match plant() {
            Err(error) if error.raw_os_error() == Some(libc::EDQUOT) => std::thread::sleep(KEY_PATIENCE.0),
            other => return other.ok().map(|()| description),
        }
    }
    None
}

/// A shared memory segment with the secret. `None` where there is no System V shared memory.
fn plant_segment(secret: &str) -> Option<i32> {
    let id = ipc::make_segment().ok()?;
    if ipc::write_segment(id, secret.as_bytes()).is_err() {
        let _ = ipc::remove_segment(id);
        return None;
    }
    Some(id)
}

fn nameservers() -> Vec<String> {
    let text = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    servers.map(|server| server.trim().to_owned()).filter(|server| !server.is_empty()).collect()
}
