//! Decisions as a person on Windows reads them: the keys that the decision speaks of, spelled as paths.

use std::path::Path;

use bailiwick_policy::decide::Decision;
use bailiwick_policy::text::escape;

use super::Target;
use crate::path::WindowsPath;

/// A key's text, and what a person reads and writes for it.
struct Spelling {
    key: String,
    /// `C:\Users\ada`
    shown: String,
    /// `C:/Users/ada`, as policies have it.
    written: String,
}

/// The decision with every path that it names spelled.
pub(super) fn spell(target: &Target, asked: &WindowsPath, mut decision: Decision) -> Decision {
    let spellings = spellings(target, asked);
    decision.reason = reading(&decision.reason, &spellings);
    if let Some(rule) = &mut decision.rule {
        rule.text = writing(&rule.text, &spellings);
    }
    if let Some(remedy) = &mut decision.remedy {
        remedy.option = remedy.option.take().map(|option| writing(&option, &spellings));
        remedy.policy_line = remedy.policy_line.take().map(|line| writing(&line, &spellings));
        remedy.note = remedy.note.take().map(|note| reading(&note, &spellings));
    }
    decision
}

/// The paths that a decision can name, longest first, so that no path is taken for the one above it.
fn spellings(target: &Target, asked: &WindowsPath) -> Vec<Spelling> {
    let own = target.spelled.values().cloned();
    let mut spellings = Vec::new();
    for path in std::iter::once(asked.clone()).chain(asked.ancestors()).chain(own) {
        let (key, shown) = (path.key(), path.shown());
        // Below the workspace a decision names what follows it.
        if let Ok(below) = key.strip_prefix(&target.boundary.workspace)
            && below != Path::new("")
        {
            let names: Vec<&str> = path.names().skip(target.workspace.names().len()).collect();
            let key = format!("`{}`", escape(below.as_os_str()));
            let (shown, written) = (escape(names.join("\\").as_ref()), escape(names.join("/").as_ref()));
            spellings.push(Spelling { key, shown: format!("`{shown}`"), written: format!("`{written}`") });
        }
        let written = shown.replace('\\', "/");
        spellings.push(Spelling { key: escape(key.as_os_str()), shown, written });
    }
    spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.key.len()));
    spellings
}

fn reading(text: &str, spellings: &[Spelling]) -> String {
    spellings.iter().fold(text.to_owned(), |text, spelling| text.replace(&spelling.key, &spelling.shown))
}

fn writing(text: &str, spellings: &[Spelling]) -> String {
    spellings.iter().fold(text.to_owned(), |text, spelling| text.replace(&spelling.key, &spelling.written))
}
