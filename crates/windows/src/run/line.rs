//! A runner of ours inside, and the pipe to it.

use bailiwick_winsec::{AccessMask, Ace, Acl, Control, SecurityDescriptor};

use super::launch::{self, Command};
use super::runner::{Ask, LONGEST, Tell};
use super::session::Surroundings;
use super::{RunError, assert};
use crate::host::{Host, JobHandle, Pipe, PipeHandle, ProcessHandle, ProcessId, StartAs};
use crate::plan::{Identity, Plan};

/// A runner that is connected.
pub(super) struct Line {
    process: ProcessHandle,
    id: ProcessId,
    pipe: PipeHandle,
    name: String,
}

impl Line {
    /// Starts a runner, in the job before its first instruction, and waits until it is at the other end of the pipe.
    ///
    /// # Errors
    ///
    /// [`RunError`]; then the runner is ended.
    pub(super) fn open<H: Host + ?Sized>(
        host: &mut H,
        plan: &Plan,
        around: &mut Surroundings<'_>,
        identity: StartAs,
        (job, desktop): (JobHandle, &str),
    ) -> Result<Line, RunError> {
        let failed = RunError::host("starting the runner");
        let name = format!(r"\\.\pipe\bailiwick-{}", launch::nonce(host)?);
        let security = security(host, plan)?;
        let pipe = host.create_pipe(&Pipe { name: &name, security: Some(&security) }).map_err(&failed)?;
        let command = Command {
            image: around.runner.clone(),
            command_line: format!("runner {name}"),
            directory: plan.home.clone(),
            environment: plan.environment.set.clone(),
        };
        // The secondary logon service starts processes outside of every job; they are put into it before they run.
        let job_at_start = (!matches!(identity, StartAs::Account { .. })).then_some(job);
        let start = launch::start_of(&command, desktop, identity, job_at_start);
        let process = host.start(&start).map_err(&failed)?;
        let connected = let_go(host, plan, process, job).and_then(|id| {
            (around.wait)(id, &name);
            let peer = host.pipe_peer(pipe).map_err(&failed)?;
            match peer == id {
                true => Ok(id),
                false => {
                    let found = format!("process {peer} is at the other end of the pipe instead of {id}");
                    Err(RunError::Assertion { what: "runner", found })
                }
            }
        });
        match connected {
            Ok(id) => Ok(Line { process, id, pipe, name }),
            Err(error) => {
                host.terminate(process).map_err(failed)?;
                Err(error)
            }
        }
    }

    /// Asks the runner and waits for its answer.
    ///
    /// # Errors
    ///
    /// [`RunError::Host`]; [`RunError::Runner`] for an answer that means nothing.
    pub(super) fn ask<H: Host + ?Sized>(
        &self,
        host: &mut H,
        ask: &Ask,
        around: &mut Surroundings<'_>,
    ) -> Result<Tell, RunError> {
        let failed = RunError::host("asking the runner");
        host.send(self.pipe, ask.write().as_bytes()).map_err(&failed)?;
        (around.wait)(self.id, &self.name);
        let answer = host.receive(self.pipe, LONGEST).map_err(&failed)?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        Tell::read(&text).ok_or(RunError::Runner(text))
    }

    /// Ends the runner.
    ///
    /// # Errors
    ///
    /// [`RunError::Host`].
    pub(super) fn close<H: Host + ?Sized>(self, host: &mut H) -> Result<(), RunError> {
        let failed = RunError::host("ending the runner");
        host.close_pipe(self.pipe).map_err(&failed)?;
        host.terminate(self.process).map_err(failed)
    }
}

/// Who may open the pipe: the account; or the package, whose user must be let in as well.
fn security<H: Host + ?Sized>(host: &mut H, plan: &Plan) -> Result<SecurityDescriptor, RunError> {
    let own = host.own_token().map_err(RunError::host("starting the runner"))?;
    let rights = AccessMask::FILE_GENERIC_READ | AccessMask::FILE_WRITE_DATA;
    let mut aces = vec![Ace::allow(plan.identity.sid(), rights)];
    if matches!(plan.identity, Identity::Container { .. }) {
        aces.push(Ace::allow(own.user, rights));
    }
    let security = SecurityDescriptor::new(own.user, own.primary_group, Acl::new(aces));
    Ok(SecurityDescriptor { control: Control::DACL_PROTECTED, ..security })
}

fn let_go<H: Host + ?Sized>(
    host: &mut H,
    plan: &Plan,
    process: ProcessHandle,
    job: JobHandle,
) -> Result<ProcessId, RunError> {
    let failed = RunError::host("starting the runner");
    if let Identity::Account { sid, .. } = plan.identity {
        host.assign(job, process).map_err(&failed)?;
        // Its privileges and logons are those of the logon; it restricts what it starts.
        let token = host.process_token(process).map_err(&failed)?;
        if token.user != sid {
            return Err(RunError::Assertion { what: "account", found: token.user.to_string() });
        }
        let id = host.process_id(process).map_err(&failed)?;
        let facts = host.job(job).map_err(&failed)?;
        assert::job(&plan.job, &facts, id)?;
    } else {
        launch::assert_process(host, plan, process, job)?;
    }
    let id = host.process_id(process).map_err(&failed)?;
    host.resume(process).map_err(&failed)?;
    Ok(id)
}
