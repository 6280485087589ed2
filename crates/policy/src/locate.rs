//! Canonical paths, also of what does not exist: symbolic links are followed one component at a time, and the tail that
//! is missing is kept as written.
//!
//! Each component is looked at once with `lstat`, however many paths run through it. Nothing is opened.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::boundary::{Alias, Present};
use crate::quick_hash::Seed;
use crate::text::escape;

/// How many symbolic links one path may run through, as in the Linux kernel.
const MOST_LINKS: usize = 40;

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Canonical: no symbolic link in any existing component, no `.` or `..`.
    pub path: PathBuf,
    /// What is there.
    pub present: Present,
    /// The symbolic links that were followed, in order.
    pub links: Vec<Alias>,
    /// The last link, if the path itself (not a directory on the way) is one.
    pub is_link: Option<PathBuf>,
    /// The directory that could not be searched: from there on the path is as written.
    pub unsearchable: Option<PathBuf>,
}

/// Why a path could not be made canonical.
#[derive(Debug)]
#[non_exhaustive]
pub enum LocateError {
    /// The path is relative.
    Relative(PathBuf),
    /// It runs through more than 40 symbolic links.
    TooManyLinks(PathBuf),
    /// The system answered something other than "not there" about a component.
    Look {
        /// The component.
        at: PathBuf,
        /// What the system answered to `lstat` or `readlink`.
        error: io::Error,
    },
}

impl fmt::Display for LocateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LocateError::Relative(path) => write!(f, "`{}` is not an absolute path", escape(path.as_os_str())),
            LocateError::TooManyLinks(path) => write!(
                f,
                "`{}` runs through more than {MOST_LINKS} symbolic links, or in a circle",
                escape(path.as_os_str())
            ),
            LocateError::Look { at, error } => {
                write!(f, "`{}` could not be looked at: {error}", escape(at.as_os_str()))
            }
        }
    }
}

impl std::error::Error for LocateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LocateError::Look { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// What one component is.
#[derive(Clone, Debug)]
enum Node {
    Directory,
    File,
    Absent,
    Link(PathBuf),
    Unsearchable,
}

/// Makes paths canonical and remembers every component that it has looked at.
///
/// The answers are those of the moment of the first look; a locator lives for one resolve.
#[derive(Debug, Default)]
pub struct Locator {
    nodes: HashMap<OsString, Node, Seed>,
}

/// Makes one absolute path canonical.
pub fn locate(path: &Path) -> Result<Located, LocateError> {
    Locator::default().locate(path)
}

impl Locator {
    /// Makes an absolute path canonical. A missing tail is kept; `..` after something missing takes it away again.
    pub fn locate(&mut self, path: &Path) -> Result<Located, LocateError> {
        if !path.is_absolute() {
            return Err(LocateError::Relative(path.to_path_buf()));
        }
        let mut walk = Walk { asked: path, links: Vec::new(), followed: 0, unsearchable: None, ends_in_link: None };
        let (start, present, rest) = self.known_start(path);
        let (end, present) = self.walk(&mut walk, start, present, rest)?;
        let is_link = walk.ends_in_link;
        Ok(Located { path: end, present, links: walk.links, is_link, unsearchable: walk.unsearchable })
    }

    /// The longest part of the path that is known already, and what is left of the path.
    ///
    /// Every key is canonical up to its last component, so one that is no link is canonical as a whole. Keys hold no
    /// `.`, `..` or doubled separators and are compared as bytes, so a part that does is never taken for known.
    fn known_start<'p>(&self, path: &'p Path) -> (PathBuf, Present, &'p Path) {
        if let Some((above, name)) = split(path)
            && let Some(Node::Directory) = self.nodes.get(above.as_os_str())
        {
            // With room for the name that will be added.
            let mut start = PathBuf::with_capacity(path.as_os_str().len());
            start.push(above);
            return (start, Present::Directory, Path::new(name));
        }
        for (depth, above) in path.ancestors().skip(1).enumerate() {
            let present = match self.nodes.get(above.as_os_str()) {
                Some(Node::Directory) => Present::Directory,
                Some(Node::File) => Present::File,
                Some(Node::Absent) => Present::Absent,
                Some(Node::Link(_) | Node::Unsearchable) | None => continue,
            };
            // Nearly always only the last component is new, and taking it is cheaper than taking the path apart.
            let rest = match path.file_name() {
                Some(name) if depth == 0 => Some(Path::new(name)),
                _ => path.strip_prefix(above).ok(),
            };
            if let Some(rest) = rest {
                return (above.to_path_buf(), present, rest);
            }
        }
        (PathBuf::new(), Present::Directory, path)
    }

    fn walk(
        &mut self,
        walk: &mut Walk<'_>,
        start: PathBuf,
        present: Present,
        rest: &Path,
    ) -> Result<(PathBuf, Present), LocateError> {
        let (mut here, mut present) = (start, present);
        if is_one_name(rest.as_os_str().as_encoded_bytes()) {
            return self.step(walk, here, present, rest.as_os_str());
        }
        for component in rest.components() {
            match component {
                Component::Prefix(_) | Component::RootDir => {
                    here.push(component);
                    present = Present::Directory;
                }
                Component::CurDir => {}
                Component::ParentDir => {
                    here.pop();
                    walk.ends_in_link = None;
                    // What was walked through is a directory, or was missing and is taken away again.
                    present = self.present(&here)?;
                }
                Component::Normal(name) => (here, present) = self.step(walk, here, present, name)?,
            }
        }
        Ok((here, present))
    }

    fn step(
        &mut self,
        walk: &mut Walk<'_>,
        mut here: PathBuf,
        present: Present,
        name: &OsStr,
    ) -> Result<(PathBuf, Present), LocateError> {
        walk.ends_in_link = None;
        here.push(name);
        if present != Present::Directory || walk.unsearchable.is_some() {
            return Ok((here, Present::Absent));
        }
        match self.look(&here)? {
            Node::Directory => Ok((here, Present::Directory)),
            Node::File => Ok((here, Present::File)),
            Node::Absent => Ok((here, Present::Absent)),
            Node::Unsearchable => {
                walk.unsearchable = here.parent().map(Path::to_path_buf);
                Ok((here, Present::Absent))
            }
            Node::Link(target) => self.follow(walk, here, target),
        }
    }

    fn follow(&mut self, walk: &mut Walk<'_>, at: PathBuf, target: PathBuf) -> Result<(PathBuf, Present), LocateError> {
        walk.followed += 1;
        if walk.followed > MOST_LINKS {
            return Err(LocateError::TooManyLinks(walk.asked.to_path_buf()));
        }
        let from = if target.is_absolute() { PathBuf::new() } else { at.parent().unwrap_or(&at).to_path_buf() };
        let (leads_to, present) = self.walk(walk, from, Present::Directory, &target)?;
        walk.ends_in_link = Some(at.clone());
        walk.links.push(Alias { at, target, leads_to: leads_to.clone() });
        Ok((leads_to, present))
    }

    fn present(&mut self, canonical: &Path) -> Result<Present, LocateError> {
        if canonical.parent().is_none() {
            return Ok(Present::Directory);
        }
        Ok(match self.look(canonical)? {
            Node::Directory => Present::Directory,
            Node::File | Node::Link(_) => Present::File,
            Node::Absent | Node::Unsearchable => Present::Absent,
        })
    }

    fn look(&mut self, at: &Path) -> Result<Node, LocateError> {
        if let Some(node) = self.nodes.get(at.as_os_str()) {
            return Ok(node.clone());
        }
        let node = look(at).map_err(|error| LocateError::Look { at: at.to_path_buf(), error })?;
        self.nodes.insert(at.as_os_str().to_os_string(), node.clone());
        Ok(node)
    }
}

/// Whether this is one plain component: nothing that the standard library would take apart or leave out.
fn is_one_name(bytes: &[u8]) -> bool {
    let is_special = |byte: &u8| std::path::is_separator(char::from(*byte)) || (cfg!(windows) && *byte == b':');
    !matches!(bytes, b"" | b"." | b"..") && !bytes.iter().any(is_special)
}

/// Whether the standard library would leave both ends of this relative path as they are.
fn is_plain(rest: &str) -> bool {
    let starts_oddly = rest.is_empty() || rest == "." || rest.starts_with('/') || rest.starts_with("./");
    !starts_oddly && !rest.ends_with('/') && !rest.ends_with("/.")
}

/// The path above and the last name, where the path is written in the simplest way. Nearly every path is, and the standard
/// library takes several times as long to take one apart.
#[cfg(unix)]
fn split(path: &Path) -> Option<(&Path, &OsStr)> {
    use std::os::unix::ffi::OsStrExt;
    let text = path.as_os_str().as_bytes();
    let at = text.iter().rposition(|byte| *byte == b'/')?;
    let (above, name) = (text.get(..at)?, text.get(at + 1..)?);
    let is_plain = above.last().is_some_and(|last| *last != b'/') && is_one_name(name);
    is_plain.then(|| (Path::new(OsStr::from_bytes(above)), OsStr::from_bytes(name)))
}

#[cfg(not(unix))]
fn split(_path: &Path) -> Option<(&Path, &OsStr)> {
    None
}

/// The state of making one path canonical.
struct Walk<'a> {
    asked: &'a Path,
    links: Vec<Alias>,
    followed: usize,
    unsearchable: Option<PathBuf>,
    /// The link that the component walked last was.
    ends_in_link: Option<PathBuf>,
}

fn look(at: &Path) -> io::Result<Node> {
    match std::fs::symlink_metadata(at) {
        Ok(metadata) if metadata.is_dir() => Ok(Node::Directory),
        Ok(metadata) if metadata.is_symlink() => Ok(Node::Link(std::fs::read_link(at)?)),
        Ok(_) => Ok(Node::File),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(Node::Absent),
            io::ErrorKind::PermissionDenied => Ok(Node::Unsearchable),
            _ => Err(error),
        },
    }
}

/// `~` and `~/…` with the home directory in its place; every other text as it is.
pub(crate) fn expand_home(text: &OsStr, home: &Path) -> PathBuf {
    let path = Path::new(text);
    // Taking a path apart is dear, and most texts tell at the first byte.
    if text.as_encoded_bytes().first() != Some(&b'~') {
        return path.to_path_buf();
    }
    if let Some(rest) = text.to_str().and_then(|text| text.strip_prefix("~/"))
        && cfg!(unix)
        && is_plain(rest)
    {
        // With room for all of it at once.
        let mut expanded = PathBuf::with_capacity(home.as_os_str().len() + 1 + rest.len());
        expanded.push(home);
        expanded.push(rest);
        return expanded;
    }
    match path.strip_prefix("~") {
        Ok(rest) if rest.as_os_str().is_empty() => home.to_path_buf(),
        Ok(rest) => home.join(rest),
        Err(_) => path.to_path_buf(),
    }
}

/// `path` with `.` and `..` taken away as text, without looking at the file system.
pub(crate) fn lexical(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
