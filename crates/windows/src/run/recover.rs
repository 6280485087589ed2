//! After a crash: the step that was cut short is undone, the last change first.

use super::RunError;
use super::journal::Journal;
use super::undo::undo;
use crate::host::Host;

/// What undoing did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// How many changes were undone.
    pub changes: usize,
    /// What is left of them and why.
    pub left: Vec<String>,
}

/// Undoes what a step that did not end may have changed; what steps that ended changed stays.
///
/// # Errors
///
/// [`RunError::Host`]; the rest is still in the journal, and recovering again goes on.
pub fn recover<H: Host + ?Sized>(host: &mut H, journal: &mut Journal) -> Result<Undone, RunError> {
    undo_pending(host, journal, true)
}

pub(super) fn undo_pending<H: Host + ?Sized>(
    host: &mut H,
    journal: &mut Journal,
    cut_short_only: bool,
) -> Result<Undone, RunError> {
    let mut undone = Undone::default();
    for pending in journal.pending() {
        if cut_short_only && !pending.cut_short {
            continue;
        }
        undone.left.extend(undo(host, &pending.change)?);
        journal.undone(host, pending.number)?;
        undone.changes += 1;
    }
    Ok(undone)
}
