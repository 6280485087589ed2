//! Where credentials come from: the inside gets neither the source of a secret nor a say in what is taken for the secret.

use std::path::Path;

use super::ResolveError;
use super::files::{Files, inherent};
use crate::boundary::{Boundary, FileRule, Present};
use crate::credential::CredentialSource;
use crate::evaluate::covers;
use crate::policy::FileRuleKind;

const FILE: &str = "a credential of the gate comes from this file";
const PROGRAM: &str = "this program is run outside, for a credential of the gate";

/// Adds the rules that some grant makes necessary; they stand with the ceiling, so that no grant, however specific, undoes
/// them. A file that holds a secret is denied. A program that is run outside to tell a secret stays as it is.
pub(super) fn keep_outside(boundary: &mut Boundary, files: &mut Files<'_>) -> Result<(), ResolveError> {
    let mut rules: Vec<FileRule> = Vec::new();
    for credential in &boundary.network.credentials {
        match &credential.value.from {
            CredentialSource::Env(_) => {}
            CredentialSource::File(path) => {
                let located = files.locator.locate(path).map_err(ResolveError::Own)?;
                // What is not there refuses the run when the gate reads it.
                if located.present != Present::Absent
                    && is_granted(boundary, &located.path, &[FileRuleKind::Read, FileRuleKind::Write])
                {
                    rules.push(inherent(FileRuleKind::Deny, &located.path, located.present, FILE));
                }
            }
            CredentialSource::Command(words) => {
                let Some(program) = words.first().map(Path::new).filter(|program| program.is_absolute()) else {
                    continue;
                };
                let located = files.locator.locate(program).map_err(ResolveError::Own)?;
                // Behind a link, the link itself must stay as well.
                let links = located.links.into_iter().map(|link| (link.at, Present::File));
                for (place, present) in links.chain([(located.path, located.present)]) {
                    if present != Present::Absent && is_granted(boundary, &place, &[FileRuleKind::Write]) {
                        rules.push(inherent(FileRuleKind::Protect, &place, present, PROGRAM));
                    }
                }
            }
        }
    }
    boundary.ceiling_rules.extend(rules);
    Ok(())
}

/// Whether a rule of one of these kinds covers the path, or something below it.
fn is_granted(boundary: &Boundary, path: &Path, kinds: &[FileRuleKind]) -> bool {
    let mut grants = boundary.rules.iter().filter(|rule| kinds.contains(&rule.kind));
    grants.any(|rule| covers(&rule.path, path) || covers(path, &rule.path))
}
