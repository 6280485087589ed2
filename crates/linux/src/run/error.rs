//! Why a run did not happen.

use std::fmt;
use std::path::PathBuf;

use bailiwick_policy::text;
use rustix::io::Errno;

use crate::enter::outlet::Part;
use crate::enter::{CloneError, Failure, PrepareError, Stage};
use crate::landlock::{Lock, LockError, LockStep};
use crate::plan::{Plan, PlanError, Step};
use crate::terminal::TerminalError;
use crate::watch::WatchError;

/// Why a run did not happen, or was ended by bailiwick.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The tier cannot make this boundary true.
    Plan(PlanError),
    /// A Landlock rule cannot be made.
    Lock(LockError),
    /// An argument, a variable or a path cannot be handed to a program.
    Prepare(PrepareError),
    /// The private home could not be made.
    PrivateHome {
        /// Where it should be.
        path: PathBuf,
        /// What the system answered.
        error: std::io::Error,
    },
    /// Signals or descriptors of bailiwick itself.
    Signals(Errno),
    /// The user's terminal.
    Terminal(TerminalError),
    /// Guarded names cannot be watched.
    Watch(WatchError),
    /// A standard descriptor is a file, which the inside could open anew for writing, and the kernel has no Landlock to
    /// refuse that.
    ReopenableFile {
        /// 0 to 2.
        number: usize,
    },
    /// A standard descriptor is a protected or denied file of a writable tree.
    GuardedFile {
        /// 0 to 2.
        number: usize,
    },
    /// A standard descriptor is a directory, from which the inside could open everything below.
    Directory {
        /// 0 to 2.
        number: usize,
    },
    /// The bound sockets of the host cannot be listed.
    ListSockets(std::io::Error),
    /// A socket of a program of the host that the inside would reach cannot be covered.
    CoverSocket {
        /// The socket.
        socket: PathBuf,
        /// What the system answered.
        errno: Errno,
    },
    /// A guarded name cannot be looked at.
    Unwatchable {
        /// The name, escaped for printing.
        name: String,
    },
    /// The policy allows hosts, and nobody keeps a gate for them.
    NoGate,
    /// The policy names more ports than a gate listens on.
    TooManyPorts {
        /// How many.
        number: usize,
    },
    /// The network gate's process could not be made.
    StartGate(Errno),
    /// The network gate did not begin.
    Gate {
        /// Why, as far as known, escaped for printing.
        why: Option<String>,
    },
    /// The kernel made no process in new namespaces.
    Namespaces(Errno),
    /// A step on the way in failed; nothing has run.
    SetUp {
        /// What was being done, and to what.
        doing: String,
        /// What the system answered.
        errno: Errno,
        /// Whether the host forbids what the `namespaces` tier is made of, so that another tier may do.
        tier_unavailable: bool,
    },
    /// The init did not tell how it ended.
    Lost(Errno),
    /// A failure not yet explained; `explained` turns it into `SetUp`.
    #[doc(hidden)]
    Raw(RawFailure),
}

/// A failure as the init told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub struct RawFailure(pub(crate) Failure);

impl RunError {
    /// Whether the host does not give what the `namespaces` tier needs, so that another tier may be tried.
    pub fn tier_unavailable(&self) -> bool {
        match self {
            RunError::Namespaces(_) => true,
            RunError::SetUp { tier_unavailable, .. } => *tier_unavailable,
            _ => false,
        }
    }

    /// Names the object of a failed step.
    pub(super) fn explained(self, plan: &Plan, lock: &Lock) -> RunError {
        let RunError::Raw(RawFailure(Failure { stage, index, errno })) = self else { return self };
        let doing = match stage {
            Stage::Step => match plan.steps.get(index) {
                Some(step) if matches!(errno, Errno::NOTDIR | Errno::LOOP | Errno::ISDIR) && !plan.homes.is_empty() => {
                    format!(
                        "carrying out the step `{step}` (if an earlier run has put something else there, remove {})",
                        homes(plan)
                    )
                }
                Some(step @ Step::File { .. }) if errno == Errno::NOENT => {
                    format!(
                        "carrying out the step `{step}` (there has to be something at that path on this host: an empty file will do)"
                    )
                }
                Some(step) => format!("carrying out the step `{step}`"),
                None => stage.doing().to_owned(),
            },
            Stage::Outlet => outlet(Part::of(index), errno),
            Stage::Landlock => lock.describe(LockError { step: LockStep::Add, rule: Some(index), errno }),
            _ => stage.doing().to_owned(),
        };
        // Hosts that let user namespaces be made may still strip them of rights (AppArmor) or cover /proc (containers).
        let refused = matches!(errno, Errno::PERM | Errno::ACCESS | Errno::NOSYS | Errno::INVAL);
        let about_namespaces = matches!(
            stage,
            Stage::Identity
                | Stage::Loopback
                | Stage::PrivateMounts
                | Stage::MemoryRoot
                | Stage::Terminals
                | Stage::Proc
                | Stage::PivotRoot
        );
        RunError::SetUp { doing, errno, tier_unavailable: refused && about_namespaces }
    }
}

/// What was being done on the way to the gate, and what to do where the kernel lacks something.
fn outlet(part: Part, errno: Errno) -> String {
    let doing = format!("{}, which is to lead to the network gate", part.doing());
    match (part, errno) {
        (Part::Cable, Errno::OPNOTSUPP) => format!(
            "{doing} (this kernel has no virtual Ethernet pairs: `modprobe veth` as root loads them, CONFIG_VETH builds them; \
             a run with --offline needs none)"
        ),
        (Part::Namespace, Errno::NOSPC) => {
            format!("{doing} (/proc/sys/user/max_net_namespaces says how many there may be)")
        }
        (Part::Listener(port), _) => format!("{} ({port})", part.doing()),
        _ => doing,
    }
}

/// The private homes, for people.
fn homes(plan: &Plan) -> String {
    plan.homes.iter().map(|home| text::escape(home.as_os_str())).collect::<Vec<_>>().join(", ")
}

impl From<CloneError> for RunError {
    fn from(error: CloneError) -> Self {
        match error {
            CloneError::SocketPair(errno) => RunError::Signals(errno),
            CloneError::Clone(errno) => RunError::Namespaces(errno),
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Plan(error) => error.fmt(f),
            RunError::Lock(error) => write!(f, "preparing the Landlock rules failed: {error}"),
            RunError::Prepare(error) => error.fmt(f),
            RunError::PrivateHome { path, error } => write!(
                f,
                "making the private home {} failed: {error}; make the directory writable, or set XDG_DATA_HOME",
                text::escape(path.as_os_str())
            ),
            RunError::Signals(errno) => write!(f, "preparing to supervise the run failed: {errno}"),
            RunError::Terminal(error) => error.fmt(f),
            RunError::Watch(error) => error.fmt(f),
            RunError::ReopenableFile { number } => write!(
                f,
                "descriptor {number} is a file, which the inside could open again with all your rights on it, because Landlock \
                 does not guard files in this run (it is not in this kernel, or the policy allows nested namespaces); connect it through a pipe: `cat FILE | bailiwick run …`, `bailiwick run … | cat > FILE`"
            ),
            RunError::GuardedFile { number } => write!(
                f,
                "descriptor {number} is a file whose name the policy protects, and the inside could open it again by the descriptor \
                 to change it; connect it through a pipe: `cat FILE | bailiwick run …`"
            ),
            RunError::Directory { number } => write!(
                f,
                "descriptor {number} is a directory, from which the inside could open everything below it; redirect it to a file, \
                 a pipe or /dev/null, and name the directory with --read or --write"
            ),
            RunError::ListSockets(error) => {
                write!(
                    f,
                    "listing the sockets of this host, to keep them from the inside, failed: /proc/net/unix: {error}"
                )
            }
            RunError::CoverSocket { socket, errno } => write!(
                f,
                "keeping the inside from the socket {} of another program failed: {errno}; end that program, or list the \
                 socket in the policy ([network] sockets)",
                text::escape(socket.as_os_str())
            ),
            RunError::Unwatchable { name } => write!(
                f,
                "the guarded name `{name}` cannot be looked at, so nobody would see it appear; make its directory readable"
            ),
            RunError::NoGate => f.write_str(
                "the policy allows hosts, but this program brings no network gate, and without one nothing is reached; use \
                 --offline to run without any network",
            ),
            RunError::TooManyPorts { number } => write!(
                f,
                "the policy names {number} ports of hosts, and the network gate listens on {} at most: name fewer, or have the \
                 program inside use the gate's proxy and name the hosts with one port",
                crate::gate::MOST_PORTS
            ),
            RunError::StartGate(errno) => {
                write!(f, "starting the network gate failed: {errno}; nothing has run (--offline runs without a gate)")
            }
            RunError::Gate { why } => {
                let why = why.as_deref().unwrap_or("it ended without a word");
                write!(f, "the network gate did not start: {why}; nothing has run (--offline runs without a gate)")
            }
            RunError::Namespaces(errno) => write!(
                f,
                "the kernel refused to make new namespaces: {errno}; `bailiwick doctor` says why and what to do"
            ),
            RunError::SetUp { doing, errno, .. } => {
                write!(f, "setting up the inside failed at {doing}: {errno}; nothing has run")
            }
            RunError::Lost(errno) => write!(f, "the inside ended without a word ({errno}); out of memory?"),
            RunError::Raw(RawFailure(failure)) => {
                write!(f, "setting up the inside failed at {}: {}", failure.stage.doing(), failure.errno)
            }
        }
    }
}

impl std::error::Error for RunError {}
