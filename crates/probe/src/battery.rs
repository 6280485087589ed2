//! The battery: every attack outside, then inside, judged from outside.

mod judge;
mod report;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use judge::Finding;
pub use report::{BatteryReport, Row, Verdict};

use crate::attack::{Attack, Proof, Stdio};
use crate::attacks::environment::VARIABLES;
use crate::decoys::{Decoys, Wanted, random_name};
use crate::outcome::Outcome;
use crate::stage::{Stage, StageLimits};
use crate::sys::{file, process};

/// Turns the attack's arguments into the command that runs them inside. Environment, directory and streams are the battery's to set.
pub type Launcher<'a> = &'a (dyn Fn(&[OsString], &Stage) -> Command + Sync);

/// What a battery runs with.
pub struct Battery<'a> {
    /// The program `bailiwick-probe`.
    pub probe: &'a Path,
    /// A directory for the stages; what is made in it is removed.
    pub directory: &'a Path,
    /// How to run something inside.
    pub launcher: Launcher<'a>,
    /// Limits that the launcher sets.
    pub limits: Option<StageLimits>,
    /// How long after the run a name may linger, or a process live, before it counts as there for good.
    pub grace: Duration,
}

/// How long a launched attack may take before it is ended.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often the harness looks again.
const GLANCE: Duration = Duration::from_millis(2);

/// How a launched attack ended.
enum Ended {
    With(ExitStatus),
    /// It was ended by the harness.
    Late,
    /// It was ended by the harness, as the attack asks.
    Killed,
}

impl Battery<'_> {
    /// Runs every attack that `wanted` chooses, several at a time.
    pub fn run(&self, wanted: &dyn Fn(&Attack) -> bool) -> BatteryReport {
        let attacks: Vec<&Attack> = crate::all().filter(|attack| wanted(attack)).collect();
        let (next, rows) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            while let Some((at, attack)) = take(&attacks, &next) {
                let row = self.row(attack);
                rows.lock().unwrap_or_else(PoisonError::into_inner).push((at, row));
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        rows.sort_by_key(|(at, _)| *at);
        BatteryReport { rows: rows.into_iter().map(|(_, row)| row).collect() }
    }

    /// Runs one attack.
    pub fn row(&self, attack: &Attack) -> Row {
        let outside: Launcher<'_> = &|arguments, _| command_of(arguments);
        // Without a boundary nothing is taken away later; there is nothing to wait for.
        let control = self.try_once(attack, outside, Duration::ZERO);
        let inside = match control {
            Finding::Breached(_) => Some(self.try_once(attack, self.launcher, self.grace)),
            _ => None,
        };
        Row::new(attack, control, inside)
    }

    /// Runs only the control of one attack.
    pub fn control(&self, attack: &Attack) -> Finding {
        self.try_once(attack, &|arguments, _| command_of(arguments), Duration::ZERO)
    }

    fn try_once(&self, attack: &Attack, launcher: Launcher<'_>, grace: Duration) -> Finding {
        self.try_fallibly(attack, launcher, grace)
            .unwrap_or_else(|error| Finding::Unclear(format!("the harness failed: {error}")))
    }

    fn try_fallibly(&self, attack: &Attack, launcher: Launcher<'_>, grace: Duration) -> io::Result<Finding> {
        let name = random_name()?;
        let mut decoys = Decoys::prepare(Wanted {
            // Short: the path of a socket has room for 107 bytes.
            root: self.directory.join(name.get(..8).unwrap_or_default()),
            probe: self.probe,
            project: attack.project,
            stdio: attack.stdio,
            limits: self.limits,
        })?;
        let mut child = launch(attack, launcher, &decoys)?;
        let ended = wait_for(attack, &mut child, &decoys)?;
        let survivor = survivor(&decoys.lock_file(), grace)?;
        Ok(judge::judge(attack, &mut decoys, &ended, survivor, grace))
    }
}

/// The next attack that nobody has taken yet, and its place in the list.
fn take<'a>(attacks: &[&'a Attack], next: &AtomicUsize) -> Option<(usize, &'a Attack)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    attacks.get(at).map(|attack| (at, *attack))
}

/// The command of some arguments.
fn command_of(arguments: &[OsString]) -> Command {
    let mut arguments = arguments.iter();
    let mut command = Command::new(arguments.next().map_or_else(OsString::new, OsString::clone));
    command.args(arguments);
    command
}

/// Starts the attack with everything around it that it may find.
fn launch(attack: &Attack, launcher: Launcher<'_>, decoys: &Decoys) -> io::Result<Child> {
    let workspace = &decoys.stage.workspace;
    let own = |name: &str| workspace.join(name).into_os_string();
    let arguments: Vec<OsString> = [own("bailiwick-probe"), "attack".into(), attack.name.into()]
        .into_iter()
        .chain(["--stage".into(), own("stage.json"), "--report".into(), own("report.json")])
        .collect();
    let mut command = launcher(&arguments, &decoys.stage);
    command.current_dir(workspace).env("HOME", &decoys.stage.home).env("SSH_AUTH_SOCK", &decoys.stage.sockets.tmp);
    for name in VARIABLES {
        command.env(name, decoys.secret());
    }
    let mut caller_terminal = None;
    match &decoys.terminal {
        Some((_, program)) if attack.stdio == Stdio::Terminal => {
            command.stdin(program.try_clone()?).stdout(program.try_clone()?).stderr(program.try_clone()?);
            caller_terminal = Some(program.try_clone()?.into());
        }
        other => {
            command.stdin(decoys.stdin()?).stdout(decoys.stdout()?).stderr(decoys.stderr()?);
            if let Some((_, program)) = other {
                caller_terminal = Some(program.try_clone()?.into());
            }
        }
    }
    if caller_terminal.is_none() {
        command.process_group(0);
    }
    process::inherit(&mut command, decoys.descriptors()?, caller_terminal);
    command.spawn()
}

/// Waits for the end, or brings it about.
fn wait_for(attack: &Attack, child: &mut Child, decoys: &Decoys) -> io::Result<Ended> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ended::With(status));
        }
        let in_place = attack.proof == Proof::SurvivorOfKill && holder(&decoys.lock_file())?.is_some();
        if in_place || start.elapsed() > PATIENCE {
            // By the number of our own child, which is not waited for yet and so cannot be another's.
            child.kill()?;
            child.wait()?;
            if !in_place {
                // The command leads a group: what it started and did not send away goes with it.
                let _ = process::kill(-(child.id() as i32), libc::SIGKILL);
            }
            return Ok(if in_place { Ended::Killed } else { Ended::Late });
        }
        thread::sleep(GLANCE);
    }
}

/// Who holds the lock of survivors.
fn holder(path: &Path) -> io::Result<Option<i32>> {
    match File::options().read(true).write(true).open(path) {
        Ok(file) => file::lock_holder(&file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether something lives on after the grace; it is ended then.
fn survivor(path: &Path, grace: Duration) -> io::Result<bool> {
    let start = Instant::now();
    loop {
        match holder(path)? {
            None => return Ok(false),
            Some(pid) if start.elapsed() >= grace => {
                // The kernel tells 0 or -1 for holders that it cannot name: those must not be signalled.
                if pid > 1 {
                    let _ = process::kill(pid, libc::SIGKILL);
                }
                return Ok(true);
            }
            Some(_) => thread::sleep(GLANCE),
        }
    }
}

/// What the attack reported, if it did.
fn report_of(decoys: &Decoys) -> Option<Outcome> {
    let file = fs::read(decoys.stage.workspace.join("report.json")).unwrap_or_default();
    let lines = [file, decoys.printed()];
    lines.iter().find_map(|text| serde_json::from_slice(text.trim_ascii()).ok())
}

/// Whether the command was ended by the signal that filters send, said by itself or by its launcher.
fn killed_by_filter(ended: &Ended) -> bool {
    match ended {
        Ended::With(status) => status.signal() == Some(libc::SIGSYS) || status.code() == Some(128 + libc::SIGSYS),
        Ended::Late | Ended::Killed => false,
    }
}
