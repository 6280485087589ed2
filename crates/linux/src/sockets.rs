//! Sockets of the host's programs that lie inside what the inside may see.
//!
//! A read-only mount does not keep anybody from connecting to a UNIX socket, and before Landlock's ABI 9 nothing but the
//! socket's own permissions does. So the bound sockets of the host are looked up before the command starts, and those that
//! the inside could see are covered.
//!
//! Not found, and so reachable in a granted tree: sockets of other network namespaces (containers), those bound with a
//! relative name, and those moved after they were bound. The table shows the name as it was bound, nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bailiwick_policy::boundary::Boundary;
use bailiwick_policy::decide::Grant;

/// The sockets of the caller's net namespace that `boundary` would let the inside reach, although it does not list them.
///
/// # Errors
///
/// What reading `/proc/net/unix` answers: the host's sockets are unknown then.
pub fn reachable(boundary: &Boundary) -> Result<Vec<PathBuf>, std::io::Error> {
    let table = std::fs::read("/proc/net/unix")?;
    Ok(reachable_of(&table, boundary))
}

fn reachable_of(table: &[u8], boundary: &Boundary) -> Vec<PathBuf> {
    let mut directories = BTreeMap::new();
    let bound: BTreeSet<PathBuf> = paths(table).map(|path| real(path, &mut directories)).collect();
    let reachable = |path: &Path| {
        let visible = matches!(boundary.grant(path), Grant::Read | Grant::Write);
        visible && !boundary.network.sockets.iter().any(|socket| socket.value == path)
    };
    bound.into_iter().filter(|path| reachable(path)).collect()
}

/// Where a socket lies: the table has the name as it was bound, maybe through a symbolic link, and a boundary knows only
/// real paths. Many sockets share a directory, so each is resolved once. One that does not exist (any more) holds nothing.
fn real<'a>(path: &'a Path, directories: &mut BTreeMap<&'a Path, Option<PathBuf>>) -> PathBuf {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return path.to_owned() };
    let directory = directories.entry(parent).or_insert_with(|| parent.canonicalize().ok());
    directory.as_ref().map_or_else(|| path.to_owned(), |directory| directory.join(name))
}

/// The paths of `/proc/net/unix` (unix(7)): seven columns, then the name, which may hold anything but a line break.
/// Abstract names begin with `@` and are left to the net namespace.
fn paths(table: &[u8]) -> impl Iterator<Item = &Path> {
    table.split(|byte| *byte == b'\n').filter_map(|line| {
        let name = columns_skipped(line, 7)?;
        name.starts_with(b"/").then(|| Path::new(OsStr::from_bytes(name)))
    })
}

/// What follows the first `count` columns and the one space after them.
fn columns_skipped(mut line: &[u8], count: usize) -> Option<&[u8]> {
    for _ in 0..count {
        line = line.trim_ascii_start();
        let end = line.iter().position(|byte| *byte == b' ')?;
        line = line.get(end..)?;
    }
    line.strip_prefix(b" ")
}

#[cfg(test)]
mod tests {
    use bailiwick_policy::boundary::{FileRule, Present};
    use bailiwick_policy::origin::{Layer, Origin, Source};
    use bailiwick_policy::policy::FileRuleKind;

    use super::*;

    #[test]
    fn names_are_read_whole() {
        let table = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01   123 /run/a b.sock\n\
            0000000000000000: 00000003 00000000 00000000 0001 03   124\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 99999 @abstract\n\
            0000000000000000: 00000002 00000000 00000000 0002 01   126 /run/log\n";
        assert_eq!(paths(table).collect::<Vec<_>>(), [Path::new("/run/a b.sock"), Path::new("/run/log")]);
    }

    #[test]
    fn a_socket_of_this_process_is_found() {
        let directory = std::env::temp_dir().join(format!("bailiwick-sockets-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let socket = directory.join("s");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let table = std::fs::read("/proc/net/unix").unwrap();
        assert!(paths(&table).any(|path| path == socket));
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_socket_bound_through_a_symbolic_link_is_found_where_it_lies() {
        let directory = std::env::temp_dir().join(format!("bailiwick-linked-sockets-{}", std::process::id()));
        let tree = directory.join("tree");
        std::fs::create_dir_all(&tree).unwrap();
        let tree = tree.canonicalize().unwrap();
        let link = directory.join("link");
        std::os::unix::fs::symlink(&tree, &link).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(link.join("s")).unwrap();
        let origin = Origin { layer: Layer::User, source: Source::Option("test".into()), line: None };
        let granted = FileRule {
            kind: FileRuleKind::Read,
            path: tree.clone(),
            present: Present::Directory,
            written: String::new(),
            origin,
        };
        let boundary = Boundary { rules: vec![granted], ..Boundary::closed("/w".into(), "/h".into()) };
        assert_eq!(reachable(&boundary).unwrap(), [tree.join("s")]);
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
