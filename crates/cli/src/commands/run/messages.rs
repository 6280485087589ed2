//! What `run` says on standard error: little before, nothing during, and after it what is known for certain.

use std::collections::BTreeSet;
use std::io::Write;

use bailiwick::report::{Attempt, AttemptResult, Event, Outcome};

use crate::args::Parsed;
use crate::args::table::Opt;

/// How many lines about names that were taken away are shown; a hostile command can cause any number.
const MOST_SHOWN: usize = 20;

/// How many hosts are remembered as told.
const MOST_HOSTS: usize = 200;

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Volume {
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    pub(crate) json: bool,
}

impl Volume {
    pub(crate) fn of(parsed: &Parsed) -> Volume {
        Volume { quiet: parsed.flag(Opt::Quiet), verbose: parsed.flag(Opt::Verbose), json: parsed.flag(Opt::Json) }
    }
}

/// A line, and whether it is said even if remarks are unwanted.
#[derive(Debug)]
struct Line {
    text: String,
    always: bool,
}

/// Hears the events of a run and says what a person needs of them.
#[derive(Debug)]
pub(crate) struct Messages {
    volume: Volume,
    /// Lines that wait for the end of the run: the terminal is the command's until then.
    waiting: Vec<Line>,
    /// Names of earlier runs that were told.
    left_behind: usize,
    /// Hosts that were told, and whether as refused.
    hosts: BTreeSet<(String, bool)>,
    /// Events of which nothing was kept.
    more: u64,
    /// How the run ended, and why, where that is to be said.
    ending: Option<(Outcome, String)>,
}

impl Messages {
    pub(crate) fn new(volume: Volume) -> Messages {
        Messages { volume, waiting: Vec::new(), left_behind: 0, hosts: BTreeSet::new(), more: 0, ending: None }
    }

    pub(crate) fn hear(&mut self, event: &Event) {
        if self.volume.json {
            if (!self.volume.quiet || is_alarm(event))
                && !matches!(event, Event::Refused { .. })
                && let Ok(line) = serde_json::to_string(event)
            {
                put(&line);
            }
            return;
        }
        match event {
            Event::Notice { kind, text, origin } if kind != "remark" || self.volume.verbose => {
                let place = origin.as_ref().map(|origin| format!(" ({origin})")).unwrap_or_default();
                self.say(&format!("{text}{place}"));
            }
            Event::Started { tier, accepted, .. } => self.started(tier, accepted),
            Event::FellBack { from, to, why } => {
                self.say(&format!("the tier {from} could not be entered ({why}); {to} is used, which keeps what the policy needs and you have not accepted to lose"));
            }
            Event::Quarantined { name, kept } => {
                let kept = match kept {
                    Some(place) => format!("; it is kept in {place}"),
                    None => String::new(),
                };
                self.keep(format!("the command made `{name}`, which is protected; it was taken away{kept}"));
            }
            Event::QuarantineFailed { name, why } => {
                self.keep_in_any_case(format!("the command made `{name}`, which is protected, and it could not be taken away: {why}; look at it before you use it"));
            }
            Event::ProtectedAgain { name } => {
                self.keep(format!("`{name}` was replaced from outside during the run, which took its protection off; it was put back at once"));
            }
            Event::ProtectedGone { name } => {
                self.keep(format!("`{name}`, which is protected, was removed from outside during the run; from then on it was kept from being made again"));
            }
            Event::ProtectionLost { name } => {
                self.keep_in_any_case(format!("`{name}` was replaced from outside during the run and could not be protected again, so the run was ended; look at it before you use it"));
            }
            Event::LeftBehind { name } => self.left_behind(name),
            Event::Network(attempt) => self.network(attempt),
            Event::NetworkLost { why } => {
                self.keep(format!("the network gate has ended, so the command had no network from then on: {why}"));
            }
            Event::Remark { text } => self.keep(text.clone()),
            Event::Ended { outcome, why: Some(why), .. } => self.ending = Some((outcome.clone(), why.clone())),
            _ => {}
        }
    }

    fn started(&self, tier: &str, accepted: &[String]) {
        if !accepted.is_empty() {
            self.say(&format!("{tier} does not keep {} here, as accepted", accepted.join(", ")));
        }
        if self.volume.verbose {
            self.say(&format!("entering the tier {tier}"));
        }
    }

    /// Each host once: what refused it and what would allow it, and who was the first to ask, as far as known.
    fn network(&mut self, attempt: &Attempt) {
        let mut line = match &attempt.result {
            AttemptResult::Refused { reason, grant: Some(grant), .. } => format!("{reason}; `{grant}` would allow it"),
            AttemptResult::Refused { reason, .. } | AttemptResult::Failed { reason } => reason.clone(),
            _ => return,
        };
        // Of a name that was refused only its look-up is seen, and a port says little more.
        let known = (attempt.host.clone(), matches!(attempt.result, AttemptResult::Refused { .. }));
        if self.hosts.contains(&known) {
            return;
        }
        if self.hosts.len() < MOST_HOSTS {
            self.hosts.insert(known);
        }
        if let Some(program) = &attempt.program {
            // A program can call itself anything; the event has escaped it.
            line.push_str(&format!(" (asked by `{program}`)"));
        }
        self.keep(line);
    }

    /// At once: the next run does not tell it again, and this one may be killed as well.
    fn left_behind(&mut self, name: &str) {
        self.left_behind += 1;
        if self.left_behind <= MOST_SHOWN {
            put(&format!(
                "bailiwick: an earlier run was killed; `{name}`, which is protected and did not exist before that run, exists now: look at it before you use it"
            ));
        } else {
            self.more += 1;
        }
    }

    fn keep(&mut self, text: String) {
        self.wait(Line { text, always: false });
    }

    fn keep_in_any_case(&mut self, text: String) {
        self.wait(Line { text, always: true });
    }

    fn wait(&mut self, line: Line) {
        if self.waiting.len() < MOST_SHOWN {
            self.waiting.push(line);
        } else if let Some(place) = self.waiting.iter().position(|other| line.always && !other.always) {
            // A hostile command cannot crowd out what has to be said.
            self.waiting.remove(place);
            self.waiting.push(line);
            self.more += 1;
        } else {
            self.more += 1;
        }
    }

    /// Says one line, unless remarks are unwanted.
    pub(crate) fn say(&self, line: &str) {
        if !self.volume.quiet && !self.volume.json {
            put(&format!("bailiwick: {line}"));
        }
    }

    /// Says what was kept for the end, and why the command failed where that is known for certain.
    pub(crate) fn end(self) {
        for line in &self.waiting {
            if line.always && !self.volume.json {
                put(&format!("bailiwick: {}", line.text));
            } else {
                self.say(&line.text);
            }
        }
        if self.more > 0 {
            self.say(&format!("and {} more; --report keeps them all", self.more));
        }
        match &self.ending {
            // That nothing has run is no remark: it is said even if those are unwanted.
            Some((Outcome::NotStarted { .. }, why)) if !self.volume.json => put(&format!("bailiwick: {why}")),
            Some((_, why)) => self.say(why),
            None => {}
        }
    }
}

/// What is said even if remarks are unwanted: a name is in the user's tree that must not be used unseen.
fn is_alarm(event: &Event) -> bool {
    matches!(event, Event::QuarantineFailed { .. } | Event::ProtectionLost { .. } | Event::LeftBehind { .. })
}

/// There is nowhere to say that standard error is closed.
fn put(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
