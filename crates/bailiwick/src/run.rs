//! From a sandbox to a run: choose a tier or refuse, enter, report.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bailiwick_linux::api::{self, Command, Tier};
use bailiwick_linux::facts::Facts;
use bailiwick_linux::gate::Gatekeeper;
pub use bailiwick_linux::run::Blank;
use bailiwick_linux::run::{Given, RunError, Settings};
use bailiwick_policy::boundary::Boundary;
use bailiwick_policy::guarantee::Guarantee;
use bailiwick_policy::policy::{Notice, NoticeKind, TierChoice, WorkspaceMode};
use bailiwick_policy::text::escape;

use crate::ending;
use crate::error::SandboxError;
use crate::report::{Event, Outcome, Report};
use crate::sandbox::Sandbox;
use crate::tier::{self, Choice};

/// A boundary, and the tier that will hold it: all that a run needs beside the command.
#[derive(Debug)]
pub struct Prepared {
    /// The boundary.
    pub boundary: Boundary,
    /// The tier, and what it loses with the user's consent.
    pub choice: Choice,
    facts: Facts,
    current_dir: PathBuf,
    state: PathBuf,
}

impl Sandbox {
    /// Resolves the policy and chooses the tier. Nothing has been started or changed then.
    ///
    /// # Errors
    ///
    /// When there is no boundary, or no tier keeps what it needs.
    pub fn prepare(&self) -> Result<Prepared, SandboxError> {
        let policy = self.policy()?;
        if let Some(mode) = &policy.workspace_mode
            && mode.value == WorkspaceMode::Layer
        {
            return Err(SandboxError::NoLayer { origin: mode.origin.to_string() });
        }
        let boundary = policy.resolve(self.host(), self.workspace_directory())?;
        let facts = Facts::quick();
        let choice = tier::choose(&boundary, &facts).map_err(|refusal| SandboxError::Refused(Box::new(refusal)))?;
        Ok(Prepared {
            boundary,
            choice,
            facts,
            current_dir: self.host().current_dir.clone(),
            state: self.host().state_dir.clone(),
        })
    }

    /// Runs a command inside and waits for its end. This process is the supervisor: it must have no other thread, and
    /// should have little memory. Other programs use [`Sandbox::spawn`].
    ///
    /// # Errors
    ///
    /// When there is no boundary, no tier keeps what it needs, or the run could not be started. Nothing was run then.
    pub fn run(&self, command: Vec<OsString>, report: &mut Report<'_>) -> Result<Outcome, SandboxError> {
        self.prepare()?.run(command, report)
    }
}

impl Prepared {
    /// Runs a command inside and waits for its end: see [`Sandbox::run`].
    ///
    /// Should the chosen tier turn out not to be available, and the choice was bailiwick's, the next one that keeps what
    /// the policy needs is taken, and the report says so.
    ///
    /// # Errors
    ///
    /// When the run could not be started, and no other tier will do.
    pub fn run(&self, command: Vec<OsString>, report: &mut Report<'_>) -> Result<Outcome, SandboxError> {
        self.run_in(None, None, command, report)
    }

    /// Whether a run reaches hosts, so that it needs a gatekeeper.
    pub fn needs_gate(&self) -> bool {
        !self.boundary.network.allow.is_empty() && self.choice.tier == Tier::Namespaces
    }

    /// As [`run`](Self::run), in an enclosure that was started before the policy was read, if one was, and with a gate for the
    /// hosts of the policy, if it lists any.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_in(
        &self,
        blank: Option<Blank>,
        gatekeeper: Option<Box<dyn Gatekeeper>>,
        command: Vec<OsString>,
        report: &mut Report<'_>,
    ) -> Result<Outcome, SandboxError> {
        if command.is_empty() {
            return Err(SandboxError::NoCommand);
        }
        if self.needs_gate() && gatekeeper.is_none() {
            return Err(SandboxError::NoGate);
        }
        let command = Command { argv: command, directory: self.directory() };
        for notice in &self.boundary.notices {
            report.record(&Event::from(notice));
        }
        let began = Instant::now();
        self.announce(&self.choice, &command, report);
        let outcome = match self.enter(self.choice.tier, blank, gatekeeper, &command, report) {
            Err(error) if error.tier_unavailable() && self.boundary.isolation.tier == TierChoice::Auto => {
                let next = tier::after_failure(&self.boundary, &self.facts, self.choice.tier, &error)
                    .map_err(|refusal| SandboxError::Refused(Box::new(refusal)))?;
                report.record(&Event::FellBack {
                    from: self.choice.tier.name().to_owned(),
                    to: next.tier.name().to_owned(),
                    why: error.to_string(),
                });
                self.announce(&next, &command, report);
                self.enter(next.tier, None, None, &command, report)
            }
            other => other,
        };
        let outcome = Outcome::from(outcome.map_err(SandboxError::Run)?);
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let why = command.argv.first().and_then(|program| ending::explain(&outcome, self, program));
        report.record(&Event::Ended { outcome: outcome.clone(), milliseconds, why });
        Ok(outcome)
    }

    /// Where a command starts: the caller's directory if that is part of the workspace, else the workspace.
    pub fn directory(&self) -> PathBuf {
        let current = &self.current_dir;
        if current.starts_with(&self.boundary.workspace) { current.clone() } else { self.boundary.workspace.clone() }
    }

    fn announce(&self, choice: &Choice, command: &Command, report: &mut Report<'_>) {
        report.record(&Event::Started {
            tier: choice.tier.name().to_owned(),
            workspace: escape(self.boundary.workspace.as_os_str()),
            command: command.argv.iter().map(|word| escape(word)).collect(),
            accepted: choice.accepted.iter().map(|loss| loss.promise.guarantee.name().to_owned()).collect(),
        });
        self.tell_of_hosts(choice, report);
    }

    /// A tier without a gate: the hosts that are listed are not reached, which the user has accepted by name.
    fn tell_of_hosts(&self, choice: &Choice, report: &mut Report<'_>) {
        if choice.accepted.iter().any(|loss| loss.promise.guarantee == Guarantee::HostsFiltered) {
            report.record(&Event::Notice {
                kind: "hosts-not-reached".to_owned(),
                text: "the hosts that the policy lists are NOT reached: this tier has no gate, and a run in it has no network \
                       at all"
                    .to_owned(),
                origin: None,
            });
        }
    }

    fn enter(
        &self,
        tier: Tier,
        blank: Option<Blank>,
        gatekeeper: Option<Box<dyn Gatekeeper>>,
        command: &Command,
        report: &mut Report<'_>,
    ) -> Result<api::Outcome, RunError> {
        let name = run_name();
        let settings = Settings {
            quarantine: self.state.join("quarantine").join(&name),
            journal: self.state.join("runs").join(&name),
        };
        let mut on_event = |event: &api::Event| report.record(&Event::from(event));
        let given = Given { blank, gatekeeper };
        bailiwick_linux::run::run(&self.boundary, tier, &self.facts, command, &settings, given, &mut on_event)
    }

    /// Whether the inside could change the file at `path` (canonical): then it is no place for a report.
    pub fn inside_may_change(&self, path: &Path) -> bool {
        use bailiwick_policy::decide::{Access, Verdict};
        self.boundary.decide(&Access::Write(path.to_owned())).verdict == Verdict::Allowed
    }
}

/// A name for this run that no other run of this host has or had: the time and the process.
fn run_name() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    format!("{}.{:09}-{}", since.as_secs(), since.subsec_nanos(), std::process::id())
}

impl From<&Notice> for Event {
    fn from(notice: &Notice) -> Event {
        let kind = match notice.kind {
            NoticeKind::IgnoredUntrusted => "ignored-untrusted",
            NoticeKind::IgnoredCeiling => "ignored-ceiling",
            NoticeKind::MissingPath => "missing-path",
            NoticeKind::SecretPassed => "secret-passed",
            NoticeKind::IgnoredProject => "ignored-project",
            NoticeKind::NetworkOpen => "network-open",
            NoticeKind::Inspected => "inspected",
            NoticeKind::Opaque => "opaque",
            _ => "remark",
        };
        let origin = notice.origin.as_ref().map(ToString::to_string);
        Event::Notice { kind: kind.to_owned(), text: notice.text.clone(), origin }
    }
}

impl From<&api::Event> for Event {
    fn from(event: &api::Event) -> Event {
        match event {
            api::Event::Quarantined { name, kept } => Event::Quarantined { name: name.clone(), kept: kept.clone() },
            api::Event::QuarantineFailed { name, why } => {
                Event::QuarantineFailed { name: name.clone(), why: why.clone() }
            }
            api::Event::ProtectedAgain { name } => Event::ProtectedAgain { name: name.clone() },
            api::Event::ProtectedGone { name } => Event::ProtectedGone { name: name.clone() },
            api::Event::LeftBehind { name } => Event::LeftBehind { name: name.clone() },
            api::Event::ProtectionLost { name } => Event::ProtectionLost { name: name.clone() },
            api::Event::Network { record } => Event::of_gate(&String::from_utf8_lossy(record)),
            api::Event::NetworkLost { why } => Event::NetworkLost { why: why.clone() },
            api::Event::Remark { text } => Event::Remark { text: text.clone() },
            // A kind of event that this crate does not know yet is still told.
            other => Event::Remark { text: format!("{other:?}") },
        }
    }
}

impl From<api::Outcome> for Outcome {
    fn from(outcome: api::Outcome) -> Outcome {
        match outcome {
            api::Outcome::Exited { status } => Outcome::Exited { status },
            api::Outcome::Signalled { signal } => Outcome::Signalled { signal },
            api::Outcome::TimedOut => Outcome::TimedOut,
            api::Outcome::NotStarted { errno } => Outcome::NotStarted { errno },
        }
    }
}
