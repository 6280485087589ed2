//! Files of the workspace that have another name outside it.

use super::machine::{Machine, Unread};
use super::{RecordError, path};
use crate::facts::HardLink;
use crate::path::WindowsPath;

/// As many names as are looked at in a workspace. Each costs an open on Windows.
pub const MOST_FILES: usize = 500_000;

/// Looks at every file below the workspace. Links are not followed.
pub(super) fn hard_links(
    machine: &impl Machine,
    workspace: &WindowsPath,
    notes: &mut Vec<String>,
) -> Result<Vec<HardLink>, RecordError> {
    let mut found = Vec::new();
    let mut seen = 0;
    let mut waiting = vec![workspace.clone()];
    while let Some(directory) = waiting.pop() {
        for entry in machine.list(&directory)? {
            seen += 1;
            if seen > MOST_FILES {
                let text = format!(
                    "the workspace holds more than {MOST_FILES} names, which are not all looked at for hard links; record for a smaller one"
                );
                return Err(RecordError::Odd(text));
            }
            let Ok(at) = directory.join(&entry.name) else {
                let (name, directory) = (bailiwick_policy::text::escape(entry.name.as_ref()), directory.shown());
                notes.push(format!(
                    "`{name}` in `{directory}` is a name that rules cannot be about, and was not looked at"
                ));
                continue;
            };
            if entry.is_directory {
                waiting.push(at);
            } else if entry.is_file && machine.link_count(&at)? > 1 {
                found.extend(outside(machine, workspace, at)?);
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// One name of the file that lies outside the workspace, if there is one.
fn outside(
    machine: &impl Machine,
    workspace: &WindowsPath,
    file: WindowsPath,
) -> Result<Option<HardLink>, RecordError> {
    let what = || format!("the other names of `{}`", file.shown());
    let mut others = Vec::new();
    for name in machine.names_of(&file)? {
        others.push(path(&what(), &name)?);
    }
    if !others.contains(&file) {
        let why = format!("the system does not list `{}` itself among them", file.shown());
        return Err(Unread { what: what(), why, denied: false }.into());
    }
    others.sort();
    let other = others.into_iter().find(|other| !workspace.covers(other));
    Ok(other.map(|other| HardLink { path: file, other }))
}
