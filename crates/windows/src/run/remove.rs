//! The removal of everything that one journal names, and of the journal.

use super::RunError;
use super::journal::{self, Journal};
use super::recover::{Undone, undo_pending};
use crate::host::Host;
use crate::path::WindowsPath;

/// Undoes everything that the journal of this directory names, then deletes both. What could not be undone is said; without a
/// journal there is nothing to do.
///
/// # Errors
///
/// [`RunError::Host`]; the rest is still in the journal, and removing again goes on.
pub fn remove<H: Host + ?Sized>(host: &mut H, directory: &WindowsPath) -> Result<Undone, RunError> {
    if !Journal::exists(host, directory)? {
        // A removal that was cut short after the journal was gone, or a set-up before it was there.
        journal::discard(host, directory)?;
        return Ok(Undone::default());
    }
    let mut journal = Journal::open(host, directory, None)?;
    let undone = undo_pending(host, &mut journal, false)?;
    journal.close(host)?;
    Ok(undone)
}
