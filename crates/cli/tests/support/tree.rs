//! Listing a directory, to find litter.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Every path below `root`, relative, with its kind: `d` directory, `f` file, `l` link, `?` anything else.
pub(crate) fn names(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(root, root, &mut |relative, kind, _| {
        found.insert(format!("{kind} {relative}"));
    });
    found
}

/// The same with the permission bits and the content of files: two equal lists are equal trees.
pub(crate) fn contents(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(root, root, &mut |relative, kind, path| {
        let mode = fs::symlink_metadata(path).map(|meta| meta.permissions().mode()).unwrap_or(0);
        let content = match kind {
            'f' => fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default(),
            'l' => fs::read_link(path).map(|target| target.display().to_string()).unwrap_or_default(),
            _ => String::new(),
        };
        found.insert(format!("{kind} {mode:o} {relative} {content}"));
    });
    found
}

/// What is in one list and not in the other, marked `+` and `-`.
pub(crate) fn difference(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<String> {
    let gone = before.difference(after).map(|line| format!("- {line}"));
    gone.chain(after.difference(before).map(|line| format!("+ {line}"))).collect()
}

fn walk(root: &Path, directory: &Path, visit: &mut dyn FnMut(&str, char, &Path)) {
    let entries =
        fs::read_dir(directory).unwrap_or_else(|error| panic!("cannot list {}: {error}", directory.display()));
    for entry in entries.map(|entry| entry.expect("directory entry")) {
        let path = entry.path();
        let kind = entry.file_type().expect("file type");
        let letter = match () {
            () if kind.is_symlink() => 'l',
            () if kind.is_dir() => 'd',
            () if kind.is_file() => 'f',
            () => '?',
        };
        let relative = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        visit(&relative, letter, &path);
        if kind.is_dir() {
            walk(root, &path, visit);
        }
    }
}
