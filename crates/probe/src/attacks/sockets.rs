//! Reaching services of the host by UNIX sockets, named pipes and vsock.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;

use bailiwick_policy::guarantee::Guarantee::SocketsConfined;

use crate::attack::{Attack, Proof};
use crate::outcome::Outcome;
use crate::stage::Stage;
use crate::sys::socket;

use super::kernel::closed_family;

const fn sends(name: &'static str, summary: &'static str, run: fn(&Stage) -> Outcome) -> Attack {
    Attack::new(name, SocketsConfined, Proof::Received, summary, run)
}

fn stream(path: &Path, stage: &Stage) -> Outcome {
    Outcome::of(
        &path.to_string_lossy(),
        UnixStream::connect(path).and_then(|mut stream| stream.write_all(stage.mark())),
    )
}

fn abstract_socket(stage: &Stage, kind: i32, name: &str) -> Outcome {
    let attempt =
        socket::connect_abstract(kind, name).and_then(|stream| std::fs::File::from(stream).write_all(stage.mark()));
    Outcome::of("abstract", attempt)
}

/// The socket that a variable of the environment names, else the one that it would name.
fn named_by(variable: &str, stage: &Stage, otherwise: &Path) -> Outcome {
    let path = std::env::var_os(variable).unwrap_or_else(|| otherwise.as_os_str().to_owned());
    stream(Path::new(&path), stage)
}

fn fifo(stage: &Stage) -> io::Result<()> {
    // Not blocking: without a reader the open fails instead of waiting for one.
    OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(&stage.sockets.fifo)?.write_all(stage.mark())
}

pub(super) const ATTACKS: &[Attack] = &[
    sends("socket-home", "a socket in the home, as agents for keys and passwords have", |s| stream(&s.sockets.home, s)),
    sends("socket-ssh-agent", "the socket that SSH_AUTH_SOCK names signs with the user's keys", |s| {
        named_by("SSH_AUTH_SOCK", s, &s.sockets.tmp)
    }),
    sends("socket-tmp", "a socket in the host's /tmp, as X servers and agents have", |s| stream(&s.sockets.tmp, s)),
    sends("socket-readable", "a socket in a readable directory: a read-only mount does not refuse connect(2)", |s| {
        stream(&s.sockets.readable, s)
    }),
    sends("socket-by-symlink", "a symbolic link in the workspace leads to a socket outside", |s| {
        let link = s.at("socket-link");
        match std::os::unix::fs::symlink(&s.sockets.home, &link) {
            Ok(()) => stream(&link, s),
            Err(error) => Outcome::of::<()>("symlink", Err(error)),
        }
    }),
    sends("socket-datagram", "a datagram socket outside, as the system log has", |s| {
        let attempt =
            UnixDatagram::unbound().and_then(|socket| socket.send_to(s.mark(), &s.sockets.datagram).map(drop));
        Outcome::of("datagram", attempt)
    }),
    sends("socket-workspace", "a socket that a process of the host left in the workspace", |s| {
        stream(&s.sockets.workspace, s)
    })
    .residue("the workspace is writable, and a socket in it belongs to it unless the kernel has Landlock ABI 9"),
    sends("socket-abstract", "an abstract socket, which no mount hides: X11 and session buses listen so", |s| {
        abstract_socket(s, libc::SOCK_STREAM, &s.sockets.abstract_stream)
    }),
    sends("socket-abstract-datagram", "an abstract datagram socket", |s| {
        abstract_socket(s, libc::SOCK_DGRAM, &s.sockets.abstract_datagram)
    }),
    sends(
        "pipe-readable",
        "a named pipe in a readable directory: a read-only mount does not refuse writing to it",
        |s| Outcome::of("named pipe", fifo(s)),
    )
    .residue("a pipe in a readable tree below a private root: Landlock's grant on the private root reaches it"),
    Attack::new(
        "vsock",
        SocketsConfined,
        Proof::Answer,
        "AF_VSOCK reaches the machine that this virtual one runs on",
        |_| closed_family(libc::AF_VSOCK, 0),
    ),
];
