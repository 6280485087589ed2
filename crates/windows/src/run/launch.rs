//! How a process of the inside comes to be: its token, its job, its descriptor.

use bailiwick_winsec::token::{Removal, Restriction};
use bailiwick_winsec::{AccessMask, Ace, Acl, Control, SecurityDescriptor, Sid};

use super::{RunError, assert};
use crate::host::{DesktopHandle, Host, JobHandle, JobLimits, ProcessHandle, Start, StartAs, TokenHandle};
use crate::path::WindowsPath;
use crate::plan::{Identity, Plan};

/// A command of the inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program.
    pub image: WindowsPath,
    /// The command line.
    pub command_line: String,
    /// Where it starts.
    pub directory: WindowsPath,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
}

/// Nobody of the inside may open bailiwick's own process: only the system is let in, and the owner may look at the list.
///
/// # Errors
///
/// [`RunError::Host`].
pub(super) fn secure_self<H: Host + ?Sized>(host: &mut H) -> Result<(), RunError> {
    // PROCESS_ALL_ACCESS.
    const FULL: AccessMask = AccessMask(0x001f_ffff);
    let aces = vec![Ace::allow(Sid::OWNER_RIGHTS, AccessMask::READ_CONTROL), Ace::allow(Sid::SYSTEM, FULL)];
    let security = SecurityDescriptor {
        control: Control::DACL_PROTECTED,
        dacl: Acl::new(aces).into(),
        ..SecurityDescriptor::default()
    };
    host.secure_self(&security).map_err(RunError::host("closing the own process to others"))
}

/// The token of the inside, where it is made from the caller's own.
///
/// # Errors
///
/// [`RunError::WrongTier`] for the account tier, whose runner makes it; [`RunError::Host`].
pub(super) fn token<H: Host + ?Sized>(host: &mut H, plan: &Plan) -> Result<TokenHandle, RunError> {
    if matches!(plan.identity, Identity::Account { .. }) {
        return Err(RunError::WrongTier);
    }
    let restricting = plan.token.restricting.clone().unwrap_or_default();
    let how = Restriction {
        disable: &plan.token.deny_only,
        restricting: &restricting,
        write_restricted: plan.token.write_restricted,
        remove: Removal::AllButChangeNotify,
    };
    let default_dacl = Acl::new(plan.token.default_dacl.iter().map(|entry| Ace::Known(*entry)).collect());
    host.restrict(&how, &default_dacl).map_err(RunError::host("restricting the token"))
}

/// The job that holds the inside.
///
/// # Errors
///
/// [`RunError::Host`].
pub(super) fn job<H: Host + ?Sized>(host: &mut H, plan: &Plan) -> Result<JobHandle, RunError> {
    let limits = JobLimits {
        kill_on_close: plan.job.kill_on_close,
        processes: plan.job.processes,
        memory: plan.job.memory,
        ui: plan.job.ui_limits.iter().map(|&limit| limit.to_owned()).collect(),
    };
    host.create_job(&limits).map_err(RunError::host("making the job"))
}

/// The private desktop, under a name that nobody can foresee.
///
/// # Errors
///
/// [`RunError::Host`].
pub(super) fn desktop<H: Host + ?Sized>(host: &mut H, plan: &Plan) -> Result<(DesktopHandle, String), RunError> {
    let failed = RunError::host("making the desktop");
    let name = format!("{}-{}", plan.desktop.desktop, nonce(host)?);
    let own = host.own_token().map_err(&failed)?;
    let mut aces = vec![Ace::allow(own.user, AccessMask::GENERIC_ALL)];
    let private = plan.desktop.grants.iter().filter(|grant| grant.object == "private desktop");
    aces.extend(private.map(|grant| Ace::allow(grant.sid, grant.mask)));
    let security = SecurityDescriptor::new(own.user, own.primary_group, Acl::new(aces));
    let desktop = host.create_desktop(&name, &security).map_err(failed)?;
    Ok((desktop, name))
}

/// A part of a name that nobody can foresee.
///
/// # Errors
///
/// [`RunError::Host`].
pub(super) fn nonce<H: Host + ?Sized>(host: &mut H) -> Result<String, RunError> {
    let mut bytes = [0; 16];
    host.random(&mut bytes).map_err(RunError::host("drawing a number"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Starts a command suspended, asserts token and job, and only then lets it run. A process that is not as planned is ended.
///
/// # Errors
///
/// [`RunError::Assertion`], [`RunError::Host`].
pub(super) fn start<H: Host + ?Sized>(
    host: &mut H,
    plan: &Plan,
    command: &Command,
    token: TokenHandle,
    job: JobHandle,
    desktop: &str,
) -> Result<ProcessHandle, RunError> {
    let start = start_of(command, desktop, identity(plan, token)?, Some(job));
    let failed = RunError::host("starting the command");
    let process = host.start(&start).map_err(&failed)?;
    let asserted = assert_process(host, plan, process, job);
    let resumed = asserted.and_then(|()| host.resume(process).map_err(&failed));
    if resumed.is_err() {
        host.terminate(process).map_err(failed)?;
    }
    resumed.map(|()| process)
}

/// As whom a process of the inside is started with this token.
///
/// # Errors
///
/// [`RunError::WrongTier`] for the account tier, whose runner starts the commands.
pub(super) fn identity(plan: &Plan, token: TokenHandle) -> Result<StartAs, RunError> {
    match &plan.identity {
        Identity::Caller { .. } => Ok(StartAs::Restricted(token)),
        Identity::Container { package, .. } => {
            let capabilities = plan.token.capabilities.iter().map(|capability| capability.sid).collect();
            Ok(StartAs::Container { token, package: *package, capabilities })
        }
        Identity::Account { .. } => Err(RunError::WrongTier),
    }
}

pub(super) fn start_of(command: &Command, desktop: &str, identity: StartAs, job: Option<JobHandle>) -> Start {
    Start {
        image: command.image.clone(),
        command_line: command.command_line.clone(),
        directory: command.directory.clone(),
        environment: command.environment.clone(),
        desktop: format!(r"WinSta0\{desktop}"),
        identity,
        job,
    }
}

/// Token and job of a suspended process of the inside against the plan.
///
/// # Errors
///
/// [`RunError::Assertion`], [`RunError::Host`].
pub(super) fn assert_process<H: Host + ?Sized>(
    host: &mut H,
    plan: &Plan,
    process: ProcessHandle,
    job: JobHandle,
) -> Result<(), RunError> {
    let failed = RunError::host("looking at the started process");
    let token = host.process_token(process).map_err(&failed)?;
    assert::token(plan, &token)?;
    let id = host.process_id(process).map_err(&failed)?;
    let facts = host.job(job).map_err(&failed)?;
    assert::job(&plan.job, &facts, id)
}
