//! A simulated host with a workspace, and the whole life of a run on it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bailiwick_policy::document::Document;
use bailiwick_policy::guarantee::Guarantee;
use bailiwick_policy::origin::{Layer, Origin, Source};
use bailiwick_policy::policy::Ruled;
use bailiwick_winsec::Sid;

use crate::facts::tests::machine;
use crate::facts::{Facts, OpenAccess, OpenPlace};
use crate::host::ProcessId;
use crate::losses::{Losses, admit};
use crate::path::WindowsPath;
use crate::plan::Plan;
use crate::run::journal::Journal;
use crate::run::launch::Command;
use crate::run::recover::{Undone, recover};
use crate::run::remove::remove;
use crate::run::runner::Runner;
use crate::run::session::{Closing, Session, Surroundings};
use crate::run::stamp::LinkedFiles;
use crate::run::watch::Seen;
use crate::run::{RunError, prepare, setup};
use crate::sim::{Actor, Sim};
use crate::target::{Asked, Target};
use crate::tier::Tier;

pub(super) fn path(text: &str) -> WindowsPath {
    WindowsPath::parse(text).unwrap()
}

/// A host on which nothing of bailiwick's is yet, and what is to be run on it.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) sim: Sim,
    pub(super) facts: Facts,
    pub(super) workspace: WindowsPath,
    pub(super) tier: Tier,
    pub(super) policy: String,
    /// How files with a second name are treated: the tests' way to weaken the stamps.
    pub(super) linked: LinkedFiles,
    /// A place whose refusal at setup is left out: another way to weaken.
    pub(super) weaken_walls: Option<WindowsPath>,
    /// Plans by the set-up that they were made for: planning is pure, and crash tests ask for the same ones thousands of times.
    plans: Plans,
}

type Plans = Rc<RefCell<Vec<(Option<crate::facts::Setup>, Planned)>>>;

/// What planning gave.
#[derive(Clone)]
pub(super) struct Planned {
    pub(super) target: Target,
    pub(super) plan: Plan,
    pub(super) losses: Losses,
    /// The facts that it was made from, with the set-up.
    pub(super) facts: Facts,
}

/// The places that a scan of the simulated world finds.
pub(super) fn scanned(facts: &mut Facts) {
    let found = [
        (r"C:\ProgramData\Everyone", Sid::EVERYONE),
        (r"C:\Users\Public\Documents", Sid::INTERACTIVE),
        (r"C:\Windows\System32\spool\drivers\color", Sid::USERS),
        (r"C:\Windows\Temp", Sid::USERS),
        (r"C:\Windows\System32\Tasks", Sid::AUTHENTICATED_USERS),
        (r"C:\ProgramData", Sid::USERS),
    ];
    for (place, through) in found {
        if !facts.open_to_all.iter().any(|open| open.path == path(place)) {
            facts.open_to_all.push(OpenPlace { path: path(place), access: OpenAccess::Write, through });
        }
    }
}

impl Stage {
    pub(super) fn new(machine_name: &str, tier: Tier, policy: &str) -> Stage {
        let (mut facts, workspace) = machine(machine_name);
        facts.setup = None;
        scanned(&mut facts);
        Stage::of(facts, workspace, tier, policy)
    }

    pub(super) fn of(facts: Facts, workspace: WindowsPath, tier: Tier, policy: &str) -> Stage {
        let sim = Sim::of(&facts);
        Stage {
            sim,
            facts,
            workspace,
            tier,
            policy: policy.to_owned(),
            linked: LinkedFiles::Leave,
            weaken_walls: None,
            plans: Rc::default(),
        }
    }

    /// The same host once more, untouched.
    pub(super) fn again(&self) -> Stage {
        Stage { sim: Sim::of(&self.facts), ..self.clone() }
    }

    /// The plan for a host as it is after this set-up.
    pub(super) fn plan(&self, facts: &Facts) -> Planned {
        if let Some((_, planned)) = self.plans.borrow().iter().find(|(setup, _)| *setup == facts.setup) {
            return planned.clone();
        }
        let planned = self.make_plan(facts);
        self.plans.borrow_mut().push((facts.setup.clone(), planned.clone()));
        planned
    }

    fn make_plan(&self, facts: &Facts) -> Planned {
        let user = Document::parse(&self.policy, Source::File("policy.toml".into()), Layer::User).unwrap();
        // Whatever the tier lacks is accepted: the tests are about what it does.
        let mut options = Document::empty(Source::Option("--accept".to_owned()), Layer::CommandLine);
        let origin = Origin { layer: Layer::CommandLine, source: Source::Option("--accept".to_owned()), line: None };
        let accept = |value| Ruled { value, origin: origin.clone() };
        options.isolation.accept = Some(Guarantee::ALL.into_iter().map(accept).collect());
        let policy = crate::profile::policy("workspace", self.tier, Some(user), Some(options)).unwrap().unwrap();
        let workspace = self.workspace.clone();
        let asked = Asked { current_dir: workspace.clone(), workspace, tier: self.tier };
        let target = Target::resolve(&policy, facts, &asked).unwrap_or_else(|error| panic!("{error}"));
        let plan = Plan::new(&target, facts).unwrap_or_else(|error| panic!("{error}"));
        let losses = admit(&target, facts, &plan).unwrap_or_else(|error| panic!("{error}"));
        Planned { target, plan, losses, facts: facts.clone() }
    }

    /// Sets up and prepares, with two processes.
    pub(super) fn set_up(
        &self,
        user: &mut Actor,
        admin: &mut Actor,
        weaken: &dyn Fn(&mut Plan),
    ) -> Result<Planned, RunError> {
        let state = setup::user_state(&self.facts).unwrap();
        let mut journal = Journal::open(user, &state, None)?;
        let mut facts = self.facts.clone();
        if self.tier == Tier::Account {
            let names = ["bailiwick-01".to_owned(), "bailiwick-02".to_owned()];
            let passwords = setup::keep_passwords(user, &mut journal, &state, &names)?;
            let machine = setup::machine_state(&self.facts).unwrap();
            let mut changes = Journal::open(admin, &machine, Some(&setup::machine_security()))?;
            let made = setup::make_accounts(admin, &mut changes, &self.facts, &names, &passwords)?;
            let plans: Vec<Plan> = made
                .accounts
                .iter()
                .map(|account| {
                    let setup = crate::facts::Setup { group: made.group, accounts: vec![account.clone()] };
                    let mut plan = self.plan(&Facts { setup: Some(setup), ..self.facts.clone() }).plan;
                    plan.stamps.retain(|stamp| Some(&stamp.path) != self.weaken_walls.as_ref());
                    plan
                })
                .collect();
            setup::raise_walls(admin, &mut changes, &plans)?;
            facts.setup = Some(made);
            let mut planned = self.plan(&facts);
            weaken(&mut planned.plan);
            prepare::as_administrator(admin, &mut changes, &planned.plan)?;
            changes.close(admin)?;
            prepare::with(user, &mut journal, &planned.plan, self.linked)?;
            journal.close(user)?;
            return Ok(planned);
        }
        let mut planned = self.plan(&facts);
        weaken(&mut planned.plan);
        prepare::with(user, &mut journal, &planned.plan, self.linked)?;
        journal.close(user)?;
        Ok(planned)
    }

    pub(super) fn repair(&self, user: &mut Actor, plan: &Plan) -> Result<(), RunError> {
        let mut journal = Journal::open(user, &setup::user_state(&self.facts).unwrap(), None)?;
        prepare::repair_with(user, &mut journal, plan, self.linked)?;
        journal.close(user)
    }

    /// Undoes steps that were cut short, with both processes.
    pub(super) fn recover(&self, user: &mut Actor, admin: &mut Actor) -> Result<Undone, RunError> {
        let mut all = Undone::default();
        let states = [setup::user_state(&self.facts).unwrap(), setup::machine_state(&self.facts).unwrap()];
        for (host, state) in [user, admin].into_iter().zip(&states) {
            if Journal::exists(host, state)? {
                let mut journal = Journal::open(host, state, None)?;
                let undone = recover(host, &mut journal)?;
                journal.close(host)?;
                all.changes += undone.changes;
                all.left.extend(undone.left);
            }
        }
        Ok(all)
    }

    /// Removes everything: the user's part first, which lies on top of the other.
    pub(super) fn remove(&self, user: &mut Actor, admin: &mut Actor) -> Result<Undone, RunError> {
        let mut all = remove(user, &setup::user_state(&self.facts).unwrap())?;
        let other = remove(admin, &setup::machine_state(&self.facts).unwrap())?;
        all.changes += other.changes;
        all.left.extend(other.left);
        Ok(all)
    }

    pub(super) fn open(&self, user: &mut Actor, planned: &Planned) -> Result<Live, RunError> {
        let runners: Runners = Rc::default();
        let session =
            self.with_surroundings(&runners, |around| Session::open(user, &planned.plan, &planned.losses, around))?;
        Ok(Live { session, runners })
    }

    pub(super) fn look(&self, user: &mut Actor, live: &mut Live) -> Result<Vec<Seen>, RunError> {
        let runners = Rc::clone(&live.runners);
        self.with_surroundings(&runners, |around| live.session.look(user, around))
    }

    pub(super) fn close(&self, user: &mut Actor, live: Live) -> Result<Closing, RunError> {
        let Live { session, runners } = live;
        self.with_surroundings(&runners, |around| session.close(user, around))
    }

    pub(super) fn command(&self, user: &mut Actor, live: &Live) -> Result<ProcessId, RunError> {
        let command = Command {
            image: path(r"C:\Windows\System32\cmd.exe"),
            command_line: "cmd /c build".to_owned(),
            directory: self.workspace.clone(),
            environment: vec![("PATH".to_owned(), r"C:\Windows\System32".to_owned())],
        };
        self.with_surroundings(&live.runners, |around| live.session.command(user, &command, around))
    }

    fn with_surroundings<T>(&self, runners: &Runners, work: impl FnOnce(&mut Surroundings<'_>) -> T) -> T {
        let (sim, runners) = (self.sim.clone(), Rc::clone(runners));
        // The runner acts when the broker waits for it. What it cannot do, the broker notices.
        let mut wait = move |process: ProcessId, pipe: &str| {
            let mut host = sim.actor(process);
            let mut runners = runners.borrow_mut();
            if let std::collections::btree_map::Entry::Vacant(free) = runners.entry(process)
                && let Ok(runner) = Runner::connect(&mut host, pipe)
            {
                free.insert(runner);
            }
            if let Some(runner) = runners.get(&process) {
                while let Ok(true) = runner.turn(&mut host) {}
            }
        };
        let runner = path(r"C:\Program Files\bailiwick\runner.exe");
        let state = setup::user_state(&self.facts).unwrap();
        work(&mut Surroundings { runner: &runner, state: &state, wait: &mut wait })
    }
}

type Runners = Rc<RefCell<BTreeMap<ProcessId, Runner>>>;

/// An open session and its runner.
pub(super) struct Live {
    pub(super) session: Session,
    runners: Runners,
}

/// The lines in which two texts differ.
pub(super) fn difference(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("- {line}"));
    let come = new.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {line}"));
    gone.chain(come).collect::<Vec<_>>().join("\n")
}
