//! Looks for files of the workspace that have a second name outside it: what is written to one is written to the other.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// How many names are looked at; more would take long, and `doctor` is asked by somebody who waits.
pub(crate) const MOST_NAMES: u64 = 100_000;
/// How many findings are kept.
const MOST_KEPT: usize = 20;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Findings {
    /// Names that were looked at.
    pub(crate) looked_at: u64,
    /// Whether there were more: then nothing is sure of the rest.
    pub(crate) stopped: bool,
    /// Directories that could not be read.
    pub(crate) unreadable: u64,
    /// Files that have more names than were found in the workspace.
    pub(crate) outside: u64,
    /// The first of them.
    #[serde(serialize_with = "as_texts")]
    pub(crate) first: Vec<PathBuf>,
}

fn as_texts<S: serde::Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| bailiwick::policy::text::escape(path.as_os_str())))
}

/// A file with several names.
struct Linked {
    first: PathBuf,
    names: u64,
    found: u64,
}

/// Looks at no more than `most` names below `root`, without following links or leaving its file system.
#[cfg(unix)]
pub(crate) fn scan(root: &Path, most: u64) -> Findings {
    use std::os::unix::fs::MetadataExt;
    let mut findings = Findings::default();
    let mut linked: HashMap<u64, Linked> = HashMap::new();
    let device = std::fs::symlink_metadata(root).map(|metadata| metadata.dev()).ok();
    let mut directories = vec![root.to_owned()];
    'all: while let Some(directory) = directories.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else {
            findings.unreadable += 1;
            continue;
        };
        for entry in entries {
            if findings.looked_at == most {
                findings.stopped = true;
                break 'all;
            }
            findings.looked_at += 1;
            let Ok(entry) = entry else { continue };
            let Ok(metadata) = entry.metadata() else { continue };
            if Some(metadata.dev()) != device {
                continue;
            }
            if metadata.is_dir() {
                directories.push(entry.path());
            } else if metadata.is_file() && metadata.nlink() > 1 {
                let known = linked.entry(metadata.ino());
                let file = known.or_insert_with(|| Linked { first: entry.path(), names: 0, found: 0 });
                file.names = metadata.nlink();
                file.found += 1;
            }
        }
    }
    let mut outside: Vec<PathBuf> =
        linked.into_values().filter(|file| file.found < file.names).map(|file| file.first).collect();
    outside.sort();
    findings.outside = u64::try_from(outside.len()).unwrap_or(u64::MAX);
    outside.truncate(MOST_KEPT);
    findings.first = outside;
    findings
}

#[cfg(all(test, unix))]
mod tests {
    use super::scan;

    #[test]
    fn only_a_name_outside_counts() {
        let place = std::env::temp_dir().join(format!("bailiwick-links-{}", std::process::id()));
        let inside = place.join("inside");
        std::fs::create_dir_all(inside.join("deep")).expect("creates");
        for name in ["alone", "twice", "leaky"] {
            std::fs::write(inside.join(name), name).expect("writes");
        }
        std::fs::hard_link(inside.join("twice"), inside.join("deep/again")).expect("links");
        std::fs::hard_link(inside.join("leaky"), place.join("outside")).expect("links");

        let all = scan(&inside, 100);
        assert_eq!((all.looked_at, all.stopped, all.outside), (5, false, 1));
        assert_eq!(all.first, [inside.join("leaky")]);
        let few = scan(&inside, 2);
        assert_eq!((few.looked_at, few.stopped), (2, true));
        std::fs::remove_dir_all(&place).expect("removes");
    }
}
