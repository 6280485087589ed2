//! The runner: bailiwick's own process in the account, one for each session.
//!
//! The broker starts it by the secondary logon service, suspended, puts it into the job and lets it go. It makes a token of its own
//! without logon SIDs that allow and without privileges, and starts every command with that. In the `container` tier one runs for a moment
//! when a session opens, to try what only shows from inside; it starts nothing. Commands are messages over a pipe that
//! only the account may open; a command costs the runner one process and no other change.

use bailiwick_winsec::token::{Removal, Restriction, Token};
use bailiwick_winsec::{AccessMask, Ace, Acl, Sid};

use super::launch::{self, Command};
use super::{RunError, assert, codec};
use crate::host::{Code, Endpoint, Host, OpenFile, PipeHandle, Place, ProcessId, StartAs, TokenHandle};
use crate::path::WindowsPath;

/// The longest message, in bytes.
pub(super) const LONGEST: usize = 1 << 20;

/// A runner that is connected to its broker.
pub struct Runner {
    pipe: PipeHandle,
    /// For the commands; in a container there is none.
    token: Option<TokenHandle>,
}

/// What the broker asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Connect there and say what happens.
    Probe(Endpoint),
    /// Ask the system for a name and say what happens.
    Resolve(String),
    /// Try to open what is there with each of these rights by itself.
    Try(WindowsPath, AccessMask),
    /// End every other process of the account.
    EndOthers,
    /// Start a command on a desktop.
    Run(Command, String),
}

/// What the runner answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tell {
    /// A connection or a name was refused; no right was granted.
    Blocked,
    /// A connection was made, or a name asked for, whether or not there is such a place; a right was granted.
    Open,
    /// A command runs.
    Started(ProcessId),
    /// This many processes of the account were ended, and none is left.
    Ended(u32),
    /// A command does not run, or processes are left.
    Failed(String),
}

impl Runner {
    /// Connects to the broker and makes the token for the commands.
    ///
    /// # Errors
    ///
    /// [`RunError::Host`].
    pub fn connect<H: Host + ?Sized>(host: &mut H, pipe: &str) -> Result<Runner, RunError> {
        launch::secure_self(host)?;
        let own = host.own_token().map_err(RunError::host("looking at the own token"))?;
        let token = match own.low_box {
            Some(_) => None,
            None => Some(token(host, &own)?),
        };
        let pipe = host.connect_pipe(pipe).map_err(RunError::host("connecting to bailiwick"))?;
        Ok(Runner { pipe, token })
    }

    /// Takes one message and answers it. Whether there was one.
    ///
    /// # Errors
    ///
    /// [`RunError::Host`] if the broker is gone, [`RunError::Runner`] for a message that means nothing.
    pub fn turn<H: Host + ?Sized>(&self, host: &mut H) -> Result<bool, RunError> {
        let message = match host.receive(self.pipe, LONGEST) {
            Err(error) if error.code == Code::NO_DATA => return Ok(false),
            message => message.map_err(RunError::host("waiting for a command"))?,
        };
        let text = String::from_utf8_lossy(&message).into_owned();
        let tell = match Ask::read(&text).ok_or(RunError::Runner(text))? {
            Ask::Probe(endpoint) => match host.connect(&endpoint) {
                Err(error) if error.code == Code::SOCKET_ACCESS => Tell::Blocked,
                _ => Tell::Open,
            },
            Ask::Resolve(name) => match host.resolve(&name) {
                Err(error) if error.code == Code::SOCKET_ACCESS => Tell::Blocked,
                _ => Tell::Open,
            },
            Ask::Try(path, rights) => self::try_each(host, &path, rights),
            Ask::EndOthers => end_others(host)?,
            Ask::Run(command, desktop) => match self.start(host, &command, &desktop) {
                Ok(process) => Tell::Started(process),
                Err(error) => Tell::Failed(error.to_string()),
            },
        };
        host.send(self.pipe, tell.write().as_bytes()).map_err(RunError::host("answering bailiwick"))?;
        Ok(true)
    }

    /// Starts a command suspended in the job that the runner is in, asserts its token, and lets it run.
    fn start<H: Host + ?Sized>(&self, host: &mut H, command: &Command, desktop: &str) -> Result<ProcessId, RunError> {
        let failed = RunError::host("starting the command");
        let token = self.token.ok_or(RunError::WrongTier)?;
        let start = launch::start_of(command, desktop, StartAs::Restricted(token), None);
        let process = host.start(&start).map_err(&failed)?;
        let token = host.process_token(process).map_err(&failed);
        let asserted = token.and_then(|token| assert::runner_child(&token));
        let id = asserted.and_then(|()| host.process_id(process).map_err(&failed));
        let resumed = id.and_then(|id| host.resume(process).map_err(&failed).map(|()| id));
        if resumed.is_err() {
            host.terminate(process).map_err(failed)?;
        }
        resumed
    }
}

/// The token for the commands: no logon that allows, no privileges.
fn token<H: Host + ?Sized>(host: &mut H, own: &Token) -> Result<TokenHandle, RunError> {
    let logons: Vec<Sid> = own.logon_sids().map(|group| group.sid).collect();
    let how = Restriction { disable: &logons, remove: Removal::AllButChangeNotify, ..Restriction::NONE };
    let dacl = [own.user, Sid::SYSTEM].map(|sid| Ace::allow(sid, AccessMask::GENERIC_ALL)).to_vec();
    host.restrict(&how, &Acl::new(dacl)).map_err(RunError::host("restricting the token"))
}

/// Ends what runs as the account besides the runner: commands, and what services started outside of the job for them. What is ended may
/// have started more, so it is looked again until there is nothing.
fn end_others<H: Host + ?Sized>(host: &mut H) -> Result<Tell, RunError> {
    /// How often. Every round ends all that it sees.
    const ROUNDS: u32 = 64;
    let failed = RunError::host("ending what runs outside of the job");
    let mut ended = 0;
    for _ in 0..ROUNDS {
        let others = host.others_of_user().map_err(&failed)?;
        if others.is_empty() {
            return Ok(Tell::Ended(ended));
        }
        for process in others {
            match host.kill(process) {
                Ok(()) => ended += 1,
                // Gone meanwhile.
                Err(error) if error.code == Code::INVALID_PARAMETER => {}
                Err(error) => return Ok(Tell::Failed(error.to_string())),
            }
        }
    }
    Ok(Tell::Failed("processes of the account start new ones faster than they are ended".to_owned()))
}

/// Whether any of the rights, asked for by itself, is granted.
fn try_each<H: Host + ?Sized>(host: &mut H, path: &WindowsPath, rights: AccessMask) -> Tell {
    for bit in (0..u32::BITS).map(|bit| AccessMask(1 << bit)).filter(|bit| rights.contains(*bit)) {
        match host.open(Place::Path(path), &OpenFile::existing(bit)) {
            Err(error) if error.code == Code::ACCESS_DENIED => {}
            _ => return Tell::Open,
        }
    }
    Tell::Blocked
}

impl Ask {
    pub(super) fn write(&self) -> String {
        let text = |text: &str| codec::quote(text.as_bytes());
        match self {
            Ask::Probe(endpoint) => format!("probe\t{}\t{}", text(&endpoint.address), endpoint.port),
            Ask::Resolve(name) => format!("resolve\t{}", text(name)),
            Ask::Try(path, rights) => format!("try\t{}\t{:x}", text(&path.to_string()), rights.bits()),
            Ask::EndOthers => "end-others".to_owned(),
            Ask::Run(command, desktop) => {
                let Command { image, command_line, directory, environment } = command;
                let paths = [image.to_string(), command_line.clone(), directory.to_string(), desktop.clone()];
                let variables = environment.iter().flat_map(|(name, value)| [name.clone(), value.clone()]);
                let fields: Vec<String> = paths.into_iter().chain(variables).map(|field| text(&field)).collect();
                format!("run\t{}", fields.join("\t"))
            }
        }
    }

    pub(super) fn read(message: &str) -> Option<Ask> {
        let fields: Vec<&str> = message.split('\t').collect();
        match fields.as_slice() {
            ["probe", address, port] => {
                Some(Ask::Probe(Endpoint { address: codec::text(address)?, port: port.parse().ok()? }))
            }
            ["end-others"] => Some(Ask::EndOthers),
            ["resolve", name] => Some(Ask::Resolve(codec::text(name)?)),
            ["try", path, rights] => {
                Some(Ask::Try(codec::path(path)?, AccessMask(u32::from_str_radix(rights, 16).ok()?)))
            }
            ["run", image, command_line, directory, desktop, variables @ ..] if variables.len() % 2 == 0 => {
                let pairs = variables.chunks_exact(2);
                let environment = pairs
                    .map(|pair| match pair {
                        [name, value] => Some((codec::text(name)?, codec::text(value)?)),
                        _ => None,
                    })
                    .collect::<Option<Vec<_>>>()?;
                let (image, directory) = (codec::path(image)?, codec::path(directory)?);
                let command = Command { image, command_line: codec::text(command_line)?, directory, environment };
                Some(Ask::Run(command, codec::text(desktop)?))
            }
            _ => None,
        }
    }
}

impl Tell {
    pub(super) fn write(&self) -> String {
        match self {
            Tell::Blocked => "blocked".to_owned(),
            Tell::Open => "open".to_owned(),
            Tell::Started(process) => format!("started\t{process}"),
            Tell::Ended(count) => format!("ended\t{count}"),
            Tell::Failed(why) => format!("failed\t{}", codec::quote(why.as_bytes())),
        }
    }

    pub(super) fn read(message: &str) -> Option<Tell> {
        match message.split('\t').collect::<Vec<_>>().as_slice() {
            ["blocked"] => Some(Tell::Blocked),
            ["open"] => Some(Tell::Open),
            ["started", process] => process.parse().ok().map(Tell::Started),
            ["ended", count] => count.parse().ok().map(Tell::Ended),
            ["failed", why] => codec::text(why).map(Tell::Failed),
            _ => None,
        }
    }
}
