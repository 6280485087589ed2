//! Telling what killed runs have left, and writing down what this one watches.
//!
//! Nothing here keeps a run from starting: what fails is told, and what is lost is only what would be known after `kill -9`.

use std::path::Path;

use bailiwick_policy::text;

use crate::api::Event;
use crate::journal::{Found, Journal, JournalError};
use crate::plan::Watched;

/// This run's part in the journal.
pub(super) struct Record<'a> {
    /// The entry of this run.
    entry: &'a Path,
    journal: Option<Journal>,
    tell: &'a dyn Fn(&Event),
}

impl<'a> Record<'a> {
    /// For the run whose entry is `entry`, in a directory that all runs share.
    pub(super) fn new(entry: &'a Path, tell: &'a dyn Fn(&Event)) -> Record<'a> {
        Record { entry, journal: None, tell }
    }

    /// Tells what killed runs have left.
    pub(super) fn look_back(&mut self) {
        let Some(place) = self.entry.parent() else { return };
        match Journal::open(place.to_owned()) {
            Ok(journal) => {
                let looked = journal.look_back(&mut |found| (self.tell)(&event(&found)));
                self.journal = Some(journal);
                self.tell_failure(looked);
            }
            Err(error) => self.tell_failure(Err(error)),
        }
    }

    /// Writes down the names that are watched from now on.
    pub(super) fn write(&mut self, watched: &[Watched]) {
        if let (Some(journal), Some(name)) = (&mut self.journal, self.entry.file_name()) {
            let written = journal.write(name, watched);
            self.tell_failure(written);
        }
    }

    /// The run has ended.
    pub(super) fn end(mut self) {
        let closed = self.journal.as_mut().map_or(Ok(()), Journal::close);
        self.tell_failure(closed);
    }

    fn tell_failure(&self, result: Result<(), JournalError>) {
        if let Err(error) = result {
            (self.tell)(&Event::Remark { text: error.to_string() });
        }
    }
}

fn event(found: &Found) -> Event {
    match found {
        Found::Name(path) => Event::LeftBehind { name: text::escape(path.as_os_str()) },
        Found::Swept(directory, count) => Event::Remark {
            text: format!(
                "an earlier run was killed while it took protected names away; what it left of them in `{}` is removed \
                 ({count})",
                text::escape(directory.as_os_str())
            ),
        },
    }
}
