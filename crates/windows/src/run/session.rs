//! A session: opened once, commands as often as wanted, each for the price of its own process.

use bailiwick_winsec::ntfs::Share;
use bailiwick_winsec::{AccessMask, AceFlags, AceKind};

use super::launch::{self, Command};
use super::line::Line;
use super::quarantine::{self, Quarantine};
use super::runner::{Ask, Tell};
use super::watch::{Seen, Watch};
use super::{RunError, assert, setup, stamp};
use crate::host::{
    DesktopHandle, Endpoint, FileHandle, Host, JobHandle, Kind, Links, OpenFile, Place, ProcessId, StartAs,
    TokenHandle, Want, if_there,
};
use crate::losses::Losses;
use crate::path::WindowsPath;
use crate::plan::{Assertion, Identity, Pin, Plan, Stamp};

/// An address that nobody has (RFC 5737): a filter that bites answers before any packet.
const NOWHERE: [(&str, u16); 2] = [("192.0.2.1", 443), ("2001:db8::1", 443)];

/// What a session needs to know besides the plan.
pub struct Surroundings<'a> {
    /// The runner's program, for the account tier.
    pub runner: &'a WindowsPath,
    /// Where the user's state is: the kept passwords.
    pub state: &'a WindowsPath,
    /// Lets the runner act: on a real host, waits for its answer. It is given the runner's number and the name of its pipe.
    pub wait: &'a mut dyn FnMut(ProcessId, &str),
}

/// An open session. It ends with the process that opened it, whatever becomes of that.
pub struct Session {
    plan: Plan,
    /// `None` once everything inside was ended.
    job: Option<JobHandle>,
    desktop: String,
    desktop_handle: DesktopHandle,
    pins: Vec<FileHandle>,
    inside: Inside,
    watch: Watch,
    quarantine: Quarantine,
    /// Why what services started outside of the job may still run, if so.
    outside: Option<String>,
    losses: Losses,
}

/// What there is to say at the end of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// Guarded names that appeared since the last look.
    pub seen: Vec<Seen>,
    /// What was taken away and could not be deleted.
    pub left: Vec<String>,
    /// Why what services started outside of the job may still run, if so.
    pub outside: Option<String>,
}

/// How commands are started.
enum Inside {
    /// By this process, with this token.
    Own(TokenHandle),
    /// By the runner.
    Runner(Line),
}

impl Session {
    /// Opens a session on a prepared workspace, for a run that was [admitted](crate::losses::admit): looks at every stamped object, takes the pins, makes job and desktop, starts the
    /// runner, and proves from inside what only shows there.
    ///
    /// # Errors
    ///
    /// [`RunError`]; then nothing runs.
    pub fn open<H: Host + ?Sized>(
        host: &mut H,
        plan: &Plan,
        losses: &Losses,
        around: &mut Surroundings<'_>,
    ) -> Result<Session, RunError> {
        launch::secure_self(host)?;
        quarantine::sweep(host, around.state)?;
        let unseen = stamp::check(host, plan)?;
        let mut pins = Vec::new();
        for pin in &plan.pins {
            take(host, pin, &mut pins)?;
        }
        let watch = Watch::open(host, plan)?;
        let job = launch::job(host, plan)?;
        let (handle, desktop) = launch::desktop(host, plan)?;
        let inside = match &plan.identity {
            Identity::Account { name, .. } => {
                let password = setup::kept_password(host, around.state, name)?;
                let identity = StartAs::Account { name: name.clone(), password };
                Inside::Runner(Line::open(host, plan, around, identity, (job, &desktop))?)
            }
            Identity::Caller { .. } | Identity::Container { .. } => Inside::Own(launch::token(host, plan)?),
        };
        let quarantine = Quarantine::new(around.state);
        let (plan, job) = (plan.clone(), Some(job));
        let session = Session {
            plan,
            job,
            desktop,
            desktop_handle: handle,
            pins,
            inside,
            watch,
            quarantine,
            outside: None,
            losses: losses.clone(),
        };
        match session.prove(host, around, &unseen) {
            Ok(()) => Ok(session),
            Err(error) => {
                session.close(host, around)?;
                Err(error)
            }
        }
    }

    /// Starts a command: no descriptor is written and no process but its own is started.
    ///
    /// # Errors
    ///
    /// [`RunError`]; then the command does not run.
    pub fn command<H: Host + ?Sized>(
        &self,
        host: &mut H,
        command: &Command,
        around: &mut Surroundings<'_>,
    ) -> Result<ProcessId, RunError> {
        let job = self.job.ok_or(RunError::Over)?;
        match &self.inside {
            Inside::Own(token) => {
                let process = launch::start(host, &self.plan, command, *token, job, &self.desktop)?;
                host.process_id(process).map_err(RunError::host("starting the command"))
            }
            Inside::Runner(line) => match line.ask(host, &Ask::Run(command.clone(), self.desktop.clone()), around)? {
                Tell::Started(id) => {
                    let facts = host.job(job).map_err(RunError::host("looking at the job"))?;
                    assert::job(&self.plan.job, &facts, id)?;
                    Ok(id)
                }
                Tell::Failed(why) => Err(RunError::Runner(why)),
                other => Err(RunError::Runner(format!("{other:?}"))),
            },
        }
    }

    /// Looks at the guarded names of which Windows told something, and takes away what is there. For when Windows tells, and now and
    /// then besides. A name that a process of the inside holds ends everything inside, and then goes.
    ///
    /// # Errors
    ///
    /// [`RunError`]; then everything inside was ended, since it is not known any more what is there.
    pub fn look<H: Host + ?Sized>(
        &mut self,
        host: &mut H,
        around: &mut Surroundings<'_>,
    ) -> Result<Vec<Seen>, RunError> {
        match self.turn(host, around) {
            Ok(seen) => Ok(seen),
            Err(error) => {
                self.end(host, around)?;
                Err(error)
            }
        }
    }

    fn turn<H: Host + ?Sized>(&mut self, host: &mut H, around: &mut Surroundings<'_>) -> Result<Vec<Seen>, RunError> {
        let is_over = self.job.is_none();
        let mut seen = self.watch.turn(host, &mut self.quarantine, is_over)?;
        let held = seen.iter().find_map(|seen| match seen {
            Seen::Stuck { path, .. } => Some(path.clone()),
            _ => None,
        });
        if let Some(path) = held.filter(|_| !is_over) {
            self.end(host, around)?;
            seen.retain(|seen| !matches!(seen, Seen::Stuck { .. }));
            seen.push(Seen::Ended { path });
            seen.extend(self.watch.turn(host, &mut self.quarantine, true)?);
        }
        Ok(seen)
    }

    /// What this session does without, as accepted: to be said before the first command.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Whether everything inside was ended.
    pub fn is_over(&self) -> bool {
        self.job.is_none()
    }

    /// Ends everything inside, in the account wherever it runs, and lets the handles on protected names go: a second name of one is
    /// held by them too.
    fn end<H: Host + ?Sized>(&mut self, host: &mut H, around: &mut Surroundings<'_>) -> Result<(), RunError> {
        let failed = RunError::host("ending the session");
        let Some(job) = self.job.take() else { return Ok(()) };
        self.outside = self.end_outside(host, around).err().map(|error| error.to_string());
        host.close_job(job).map_err(&failed)?;
        std::mem::take(&mut self.pins).into_iter().try_for_each(|pin| host.close(pin).map_err(&failed))
    }

    /// Ends the session and everything in it, and looks at every guarded name once more, now that nothing inside can make one.
    ///
    /// # Errors
    ///
    /// [`RunError`].
    pub fn close<H: Host + ?Sized>(mut self, host: &mut H, around: &mut Surroundings<'_>) -> Result<Closing, RunError> {
        let failed = RunError::host("ending the session");
        self.end(host, around)?;
        let seen = self.turn(host, around)?;
        let left = self.quarantine.clean(host)?;
        if let Inside::Runner(line) = self.inside {
            line.close(host)?;
        }
        host.close_desktop(self.desktop_handle).map_err(&failed)?;
        self.watch.close(host)?;
        Ok(Closing { seen, left, outside: self.outside })
    }

    /// In the account, ends everything but the runner, wherever it runs.
    fn end_outside<H: Host + ?Sized>(&self, host: &mut H, around: &mut Surroundings<'_>) -> Result<(), RunError> {
        match &self.inside {
            Inside::Own(_) => Ok(()),
            Inside::Runner(line) => match line.ask(host, &Ask::EndOthers, around)? {
                Tell::Ended(_) => Ok(()),
                other => Err(RunError::Runner(format!("{other:?}"))),
            },
        }
    }

    /// What can be shown only from inside, before any command runs there.
    fn prove<H: Host + ?Sized>(
        &self,
        host: &mut H,
        around: &mut Surroundings<'_>,
        unseen: &[&Stamp],
    ) -> Result<(), RunError> {
        // What a session that was cut short left running would be another inside in the same account.
        self.end_outside(host, around)?;
        self.prove_filters(host, around)?;
        self.prove_names(host, around)?;
        unseen.iter().try_for_each(|stamp| self.prove_refusals(host, around, stamp))
    }

    fn ask<H: Host + ?Sized>(&self, host: &mut H, ask: &Ask, around: &mut Surroundings<'_>) -> Result<Tell, RunError> {
        match &self.inside {
            Inside::Runner(line) => line.ask(host, ask, around),
            Inside::Own(_) => Err(RunError::WrongTier),
        }
    }

    /// The system's DNS service must refuse questions from inside. A name that nobody has is asked for: *no such name* means that it
    /// was looked for, so only a refusal counts. A runner of ours asks, inside, and is gone before the first command.
    fn prove_names<H: Host + ?Sized>(&self, host: &mut H, around: &mut Surroundings<'_>) -> Result<(), RunError> {
        if !self.plan.assertions.contains(&Assertion::NamesNotAnswered) {
            return Ok(());
        }
        let Inside::Own(token) = &self.inside else { return Err(RunError::WrongTier) };
        let name = format!("{}.example.com", launch::nonce(host)?);
        let (identity, job) = (launch::identity(&self.plan, *token)?, self.job.ok_or(RunError::Over)?);
        let line = Line::open(host, &self.plan, around, identity, (job, &self.desktop))?;
        let answer = line.ask(host, &Ask::Resolve(name), around);
        line.close(host)?;
        match answer? {
            Tell::Blocked => Ok(()),
            _ => Err(RunError::NamesAsked),
        }
    }

    /// The filters must be shown to bite before anything of the inside runs.
    fn prove_filters<H: Host + ?Sized>(&self, host: &mut H, around: &mut Surroundings<'_>) -> Result<(), RunError> {
        if !self.plan.assertions.contains(&Assertion::FiltersBite) {
            return Ok(());
        }
        for (address, port) in NOWHERE {
            let endpoint = Endpoint { address: address.to_owned(), port };
            match self.ask(host, &Ask::Probe(endpoint), around)? {
                Tell::Blocked => {}
                other => {
                    let found = format!("a connection to {address} from inside is not refused: {other:?}");
                    return Err(RunError::Assertion { what: "filters", found });
                }
            }
        }
        Ok(())
    }
}

impl Session {
    /// A stamp that this process may not look at (an ordinary user does not see the list of `C:\Windows\Temp`) is tried from
    /// inside: what it refuses must be refused.
    fn prove_refusals<H: Host + ?Sized>(
        &self,
        host: &mut H,
        around: &mut Surroundings<'_>,
        stamp: &Stamp,
    ) -> Result<(), RunError> {
        let failed = || RunError::Stamp { path: stamp.path.clone() };
        let here = stamp.entries.iter().filter(|entry| !entry.flags.contains(AceFlags::INHERIT_ONLY));
        let is_refusal = stamp.entries.iter().all(|entry| entry.kind == AceKind::Deny);
        let rights = here.fold(AccessMask::NONE, |rights, entry| rights | entry.mask);
        if !is_refusal || rights.is_empty() || !matches!(self.inside, Inside::Runner(_)) {
            return Err(failed());
        }
        match self.ask(host, &Ask::Try(stamp.path.clone(), rights), around)? {
            Tell::Blocked => Ok(()),
            _ => Err(failed()),
        }
    }
}

/// Takes one pin: a handle that neither lets its object be deleted nor be renamed.
fn take<H: Host + ?Sized>(host: &mut H, pin: &Pin, pins: &mut Vec<FileHandle>) -> Result<(), RunError> {
    let failed = RunError::host("holding a protected name");
    let how = OpenFile { access: PIN, share: Share::PIN, links: Links::Never, want: Want::Existing };
    let Some(root) = if_there(host.open(Place::Path(&pin.path), &how)).map_err(&failed)? else {
        return Err(RunError::Object { path: pin.path.clone(), why: "was there when it was planned and is not now" });
    };
    let mut open = vec![root];
    while let Some(handle) = open.pop() {
        pins.push(handle);
        if !pin.everything_below || host.facts(handle).map_err(&failed)?.kind != Kind::Directory {
            continue;
        }
        for entry in host.list(handle).map_err(&failed)? {
            open.push(host.open(Place::Below(handle, &entry.name), &how).map_err(&failed)?);
        }
    }
    Ok(())
}

/// `FILE_LIST_DIRECTORY` or `FILE_READ_DATA`: a handle for attributes only would hold nothing.
const PIN: AccessMask = AccessMask(AccessMask::FILE_LIST_DIRECTORY.0 | AccessMask::FILE_READ_ATTRIBUTES.0);
