//! What `run` says on standard error: little before, nothing during, and after it what is known for certain.

use std::io::Write;

use bailiwick::report::{Event, Outcome};

use crate::args::Parsed;
use crate::args::table::Opt;

/// How many lines about names that were taken away are shown; a hostile command can cause any number.
const MOST_SHOWN: usize = 20;

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

/// Hears the events of a run and says what a person needs of them.
#[derive(Debug)]
pub(crate) struct Messages {
    volume: Volume,
    /// Lines that wait for the end of the run: the terminal is the command's until then.
    waiting: Vec<String>,
    /// Events of which nothing was kept.
    more: u64,
    /// How the run ended, and why, where that is to be said.
    ending: Option<(Outcome, String)>,
}

impl Messages {
    pub(crate) fn new(volume: Volume) -> Messages {
        Messages { volume, waiting: Vec::new(), more: 0, ending: None }
    }

    pub(crate) fn hear(&mut self, event: &Event) {
        if self.volume.json {
            if !self.volume.quiet
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
                self.keep(format!("the command made `{name}`, which is protected, and it could not be taken away: {why}; look at it before you use it"));
            }
            Event::ProtectionLost { name } => {
                self.keep(format!("`{name}` was replaced from outside during the run and was not protected from then on; look at it before you use it"));
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

    fn keep(&mut self, line: String) {
        if self.waiting.len() < MOST_SHOWN {
            self.waiting.push(line);
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
            self.say(line);
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

/// There is nowhere to say that standard error is closed.
fn put(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
