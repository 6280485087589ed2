//! One run: plan, prepare, enter, supervise.

mod error;
mod gate;
mod record;
mod standard;

use std::cell::RefCell;
use std::ffi::OsString;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use bailiwick_policy::boundary::{Backing, Boundary};
use bailiwick_policy::guarantee::Guarantee;
use rustix::io::Errno;

use crate::api::{Command, Event, Outcome, Tier};
pub use crate::enter::Blank;
use crate::enter::{Build, Confinement, Launch};
use crate::facts::Facts;
use crate::gate::Gatekeeper;
use crate::landlock::{self, Abi, HARMLESS_DEVICES, Lock, Use};
use crate::plan::{Plan, Watched};
use crate::seccomp::{self, Openings};
use crate::sockets;
use crate::supervise::{Begun, Ended, Tasks, supervise};
use crate::terminal::{Outer, Wiring};
use crate::watch::{Watch, WatchError, WatchedName};
pub use error::{RawFailure, RunError};
use record::Record;

/// What a run needs beside the boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where quarantined names are kept: a directory of this run's own, made when it is needed.
    pub quarantine: PathBuf,
    /// The entry of this run in the [journal](crate::journal): a file of this run's own, in a directory that all runs share.
    pub journal: PathBuf,
}

/// What was made for a run before it.
#[derive(Default)]
pub struct Given {
    /// An enclosure that was started before the policy was read; one for another tier is ended.
    pub blank: Option<Blank>,
    /// Keeps the network gate: used where the policy allows hosts and the tier is `namespaces`, the one with a gate.
    pub gatekeeper: Option<Box<dyn Gatekeeper>>,
}

/// Runs `command` inside `boundary`, held by `tier`, and returns when it and everything that it started has ended.
///
/// The calling process must have one thread: the child of a process with several could wait for ever for a lock.
///
/// # Errors
///
/// [`RunError`]: the command has not run then, unless the error says so.
pub fn run(
    boundary: &Boundary,
    tier: Tier,
    facts: &Facts,
    command: &Command,
    settings: &Settings,
    given: Given,
    on_event: &mut dyn FnMut(&Event),
) -> Result<Outcome, RunError> {
    let gatekeeper = gate::keeper(boundary, tier, given.gatekeeper)?;
    let blank = match given.blank.filter(|blank| blank.tier() == tier) {
        Some(blank) => blank,
        None => Blank::start(tier, 0..0)?,
    };
    let (arena, waiting) = blank.into_parts();
    let files = gatekeeper.as_deref().map(gate::files).unwrap_or_default();
    let plan = Plan::with_files(boundary, &files).map_err(RunError::Plan)?;
    for home in &plan.homes {
        make_home(home)?;
    }
    let mut environment = match tier {
        Tier::Namespaces => boundary.environment.clone(),
        Tier::Landlock => environment_without_mounts(boundary),
    };
    let gating =
        gatekeeper.map(|gatekeeper| gate::gating(boundary, gatekeeper, facts, &mut environment)).transpose()?;
    let ports = gating.as_ref().map(|gating| gating.ports.as_slice());
    let build = Build::new(&arena, boundary, (tier == Tier::Namespaces).then_some(&plan), ports);
    let building = waiting.hand_over(&arena, build.map_err(RunError::Prepare)?)?;

    let mut wiring = Wiring::of_this_process();
    let outer = Outer::open(&wiring).map_err(RunError::Terminal)?;
    let mut lock = lock(boundary, tier, Abi(facts.landlock_abi), &plan)?;
    standard::hand_over(boundary, &mut wiring.inside, &mut lock)?;
    let openings =
        Openings { tier, trace: boundary.isolation.trace, nested_namespaces: boundary.isolation.nested_namespaces };
    let confinement = Confinement { lock: &lock, filter: seccomp::filter(openings) };
    let launch = Launch::new(&arena, boundary, &confinement, command, &environment, wiring.inside);
    let (entered, handled) = building.launch(&arena, launch.map_err(RunError::Prepare)?)?;

    let begun = Begun { tier, entered, handled, arena, gating };
    let on_event = RefCell::new(on_event);
    let tell = |event: &Event| {
        // Free whenever this is called: nothing that hears an event starts another.
        if let Ok(mut on_event) = on_event.try_borrow_mut() {
            on_event(event);
        }
    };
    let mut record = Record::new(&settings.journal, &tell);
    let mut start_watch = || {
        record.look_back();
        let watch = watch(boundary, tier, &plan, &settings.quarantine)?;
        if watch.is_some() && !plan.absent.is_empty() {
            record.write(&plan.absent);
        }
        Ok(watch)
    };
    let mut sockets_to_cover = || sockets_to_cover(boundary, tier, facts);
    let tasks = Tasks { start_watch: &mut start_watch, sockets_to_cover: &mut sockets_to_cover };
    let Ended { outcome, dying } = supervise(begun, outer, boundary.limits.time, tasks, &mut |event| tell(event));
    record.end();
    drop(dying);
    outcome.map_err(|error| error.explained(&plan, &lock))
}

/// Makes a private home that does not exist yet, for the user alone.
fn make_home(home: &Path) -> Result<(), RunError> {
    if home.is_dir() {
        return Ok(());
    }
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(home);
    made.map_err(|error| RunError::PrivateHome { path: home.to_owned(), error })
}

fn lock(boundary: &Boundary, tier: Tier, abi: Abi, plan: &Plan) -> Result<Lock, RunError> {
    let lock = match tier {
        Tier::Namespaces if boundary.isolation.nested_namespaces => return Ok(Lock::scopes_only(abi)),
        Tier::Namespaces => {
            let own = [(Path::new("/proc"), Use::Write), (Path::new("/dev"), Use::Devices)];
            let writable = plan.writable.iter().map(|path| (path.as_path(), Use::Write));
            let sockets = boundary.network.sockets.iter().map(|socket| (socket.value.as_path(), Use::Connect));
            Lock::second(abi, own.into_iter().chain(writable).chain(sockets))
        }
        Tier::Landlock => {
            let grants = landlock::grants(boundary);
            let own = HARMLESS_DEVICES.iter().map(|device| (Path::new(*device), Use::Devices));
            let own = own.chain([(Path::new("/proc"), Use::Read)]);
            Lock::main(abi, own.chain(grants.iter().map(|(path, purpose)| (path.as_path(), *purpose))))
        }
    };
    lock.map_err(RunError::Lock)
}

/// From ABI 9 on Landlock refuses what is not listed, but for runs with nested namespaces, where it guards no files; without
/// mounts nothing can be covered.
fn sockets_to_cover(boundary: &Boundary, tier: Tier, facts: &Facts) -> Result<Vec<PathBuf>, RunError> {
    let refused = Abi(facts.landlock_abi).refuses_sockets_by_path() && !boundary.isolation.nested_namespaces;
    if tier == Tier::Landlock || refused {
        return Ok(Vec::new());
    }
    sockets::reachable(boundary).map_err(RunError::ListSockets)
}

/// Without mounts the private home is where it lies on the host; the variables say so, and where the real home's readable
/// parts are for the programs that look for them below `HOME`.
fn environment_without_mounts(boundary: &Boundary) -> Vec<(OsString, OsString)> {
    let private = boundary.private.iter().find_map(|root| match &root.backing {
        Backing::Directory(directory) => Some(directory.clone()),
        Backing::Memory => None,
    });
    let Some(private) = private else { return boundary.environment.clone() };
    let in_home = |name: &str| boundary.home.join(name).into_os_string();
    let mut variables: std::collections::BTreeMap<OsString, OsString> = boundary.environment.iter().cloned().collect();
    for (name, default) in [("RUSTUP_HOME", ".rustup"), ("PYENV_ROOT", ".pyenv"), ("GIT_CONFIG_GLOBAL", ".gitconfig")] {
        variables.entry(name.into()).or_insert_with(|| in_home(default));
    }
    variables.insert("HOME".into(), private.clone().into_os_string());
    variables.insert("TMPDIR".into(), private.into_os_string());
    variables.into_iter().collect()
}

/// Watches the guarded names of the user's tree; nothing is watched where there are none.
fn watch(boundary: &Boundary, tier: Tier, plan: &Plan, quarantine: &Path) -> Result<Option<Watch>, RunError> {
    // Without mounts no existing name is protected, so none can lose its protection.
    let mounted = if tier == Tier::Namespaces { plan.present.as_slice() } else { &[] };
    if plan.absent.is_empty() && mounted.is_empty() {
        return Ok(None);
    }
    let name = |watched: &Watched| WatchedName {
        deny: watched.denied,
        path: watched.path.clone(),
        root: watched.root.clone(),
    };
    let absent: Vec<WatchedName> = plan.absent.iter().map(name).collect();
    let present: Vec<WatchedName> = mounted.iter().map(name).collect();
    match Watch::start(&absent, &present, quarantine.to_owned()) {
        Ok(watch) => Ok(Some(watch)),
        // A kernel without directory notifications: the user has taken the loss by name.
        Err(WatchError::Add { errno: Errno::INVAL, .. })
            if boundary.isolation.accept.contains(&Guarantee::NamesAbsent) =>
        {
            Ok(None)
        }
        Err(error) => Err(RunError::Watch(error)),
    }
}
