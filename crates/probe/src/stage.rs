//! The facts of one run that the inside is told: where the decoys are. Never what is secret in them.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where the decoys of one run are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stage {
    /// What attacks write and send, so that the harness knows their work. Not a secret.
    pub marker: String,
    /// The writable workspace: the directory that the command starts in.
    pub workspace: PathBuf,
    /// The user's home: nothing in it but the workspace is for the inside.
    pub home: PathBuf,
    /// A directory that the launcher should make readable, and not writable.
    pub readable: PathBuf,
    /// A directory that is none of the inside's business.
    pub outside: PathBuf,
    /// A directory of the host's `/tmp` with a secret in the file `secret`.
    pub host_tmp: PathBuf,
    /// A directory of the host's `/dev/shm` with a secret in the file `secret`.
    pub host_shm: Option<PathBuf>,
    /// Names in the workspace that the launcher should deny.
    pub denied: Vec<String>,
    /// Names in the workspace that exist and are protected.
    pub protected: Vec<String>,
    /// Names in the workspace that do not exist and are protected.
    pub absent: Vec<String>,
    /// The decoy process.
    pub decoy: DecoyProcess,
    /// Listeners on the loopback of the host.
    pub ports: Ports,
    /// Servers of `/etc/resolv.conf`, as addresses.
    pub nameservers: Vec<String>,
    /// UNIX sockets and a named pipe of the host.
    pub sockets: Sockets,
    /// Description of a key in the caller's session keyring.
    pub key: Option<String>,
    /// Identifier of a System V shared memory segment.
    pub shared_memory: Option<i32>,
    /// File handle of the secret key file.
    pub handle: Option<FileHandle>,
    /// Descriptors that the command inherits.
    pub inherited: Inherited,
    /// Limits that the launcher should set.
    pub limits: Option<StageLimits>,
}

/// A process of the same user that is none of the inside's business.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct DecoyProcess {
    /// Its process id on the host.
    pub pid: i32,
    /// Address of a secret in its memory.
    pub address: u64,
    /// Length of that secret in bytes.
    pub length: usize,
}

/// Listeners on the loopback of the host.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Ports {
    /// TCP on 127.0.0.1.
    pub tcp4: u16,
    /// TCP on ::1.
    pub tcp6: Option<u16>,
    /// UDP on 127.0.0.1.
    pub udp4: u16,
    /// UDP on ::1.
    pub udp6: Option<u16>,
}

/// UNIX sockets and a named pipe of the host.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sockets {
    /// Stream socket in the home.
    pub home: PathBuf,
    /// Stream socket in the host's `/tmp`.
    pub tmp: PathBuf,
    /// Datagram socket outside.
    pub datagram: PathBuf,
    /// Stream socket in the readable directory.
    pub readable: PathBuf,
    /// Stream socket that a host process left in the workspace.
    pub workspace: PathBuf,
    /// Abstract stream socket, without the leading zero byte.
    pub abstract_stream: String,
    /// Abstract datagram socket, without the leading zero byte.
    pub abstract_datagram: String,
    /// Named pipe in the readable directory, with a reader.
    pub fifo: PathBuf,
}

/// A file handle as `name_to_handle_at` gives it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileHandle {
    /// Its type.
    pub kind: i32,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Descriptors that the command inherits.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Inherited {
    /// A file with a secret, for reading.
    pub secret: i32,
    /// A file outside, for writing.
    pub writable: i32,
    /// The home directory.
    pub directory: i32,
    /// One end of a socket pair.
    pub socket: i32,
}

/// Limits that the launcher should set.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct StageLimits {
    /// Processes and threads; `None` where the launcher cannot limit them (nothing limits root's).
    pub processes: Option<u64>,
    /// Bytes of the largest file.
    pub file_size: u64,
    /// Bytes of address space.
    pub memory: u64,
    /// Open descriptors.
    pub open_files: u64,
}

/// The stage file cannot be used.
#[derive(Debug)]
pub enum StageError {
    /// It cannot be read.
    Read(PathBuf, io::Error),
    /// It is not a stage file.
    Parse(PathBuf, serde_json::Error),
}

impl fmt::Display for StageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |path: &Path| bailiwick_policy::text::escape(path.as_os_str());
        match self {
            StageError::Read(path, error) => write!(f, "cannot read the stage file {}: {error}", name(path)),
            StageError::Parse(path, error) => write!(f, "{} is not a stage file: {error}", name(path)),
        }
    }
}

impl std::error::Error for StageError {}

impl Stage {
    /// Reads the stage file that the harness wrote.
    ///
    /// # Errors
    /// The file cannot be read, or is not a stage file.
    pub fn read(path: &Path) -> Result<Self, StageError> {
        let text = fs::read(path).map_err(|error| StageError::Read(path.to_owned(), error))?;
        serde_json::from_slice(&text).map_err(|error| StageError::Parse(path.to_owned(), error))
    }

    /// A file of the workspace.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.workspace.join(name)
    }

    /// What attacks write.
    pub(crate) fn mark(&self) -> &[u8] {
        self.marker.as_bytes()
    }
}
