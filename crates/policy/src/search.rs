//! Finding what the globs of `deny` and `protect` match on this host.
//!
//! # What a glob holds for
//!
//! - It holds for every name that matches **when the run starts**: files, directories (with everything below them) and
//!   symbolic links (the link and what it leads to). Each becomes a rule of its own, exactly as if its path had been written.
//! - It does **not** hold for names that come into being **during the run**: a file `sub/.env` that is made later is an
//!   ordinary file of the writable tree. Only a rule without pattern characters (`sub/.env`) also covers a name that does
//!   not exist yet.
//! - A relative glob starts at the workspace, one that begins with `~/` or `/` at its longest literal prefix. Symbolic
//!   links to directories are not followed by `*` and `**`; mounts are.
//! - The search looks at a bounded number of directory entries. A tree with more is refused with a message, never
//!   searched in part. A directory that cannot be listed but could be entered is refused as well.
//!
//! # The cache
//!
//! What each directory held is remembered in `host.state_dir/search/`. A remembered directory counts only while its
//! device, inode and change time are the same: every entry that is made, removed or renamed sets the change time to the
//! kernel's clock, and no program can set it to something else. A directory that changed within two seconds of being read
//! is never remembered, so that the clock's grain hides nothing. A cache that is damaged, too large or of other globs is ignored.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::glob::{Glob, Progress};
use crate::text::escape;

mod cache;

use cache::{Cache, Listing};

/// How many directory entries a resolve looks at, if the policy does not say.
pub const DEFAULT_LIMIT: u64 = 100_000;

/// One glob to search for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) glob: &'a Glob,
    /// As written, for messages.
    pub(crate) written: &'a str,
}

/// A match: which glob, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) wanted: usize,
    pub(crate) path: PathBuf,
}

/// Why a search was refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum SearchError {
    /// The tree is larger than the policy lets be searched.
    TooLarge {
        /// The globs, as written.
        globs: Vec<String>,
        /// Where the search started.
        start: PathBuf,
        /// The limit: directory entries.
        limit: u64,
    },
    /// A directory cannot be listed, and the inside might enter it all the same.
    List {
        /// The globs, as written.
        globs: Vec<String>,
        /// The directory.
        directory: PathBuf,
        /// What the system answered.
        error: io::Error,
    },
}

impl fmt::Display for SearchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SearchError::TooLarge { globs, start, limit } => write!(
                f,
                "searching `{}` for {} looked at {limit} names and was not done: a name that was missed would not be \
                 covered, so the run is refused. Write the paths out, start the pattern with a directory (`src/**/…`), \
                 or raise `search_limit` in the policy",
                escape(start.as_os_str()),
                listed(globs)
            ),
            SearchError::List { globs, directory, error } => write!(
                f,
                "searching for {}, the directory `{}` cannot be listed: {error}. What it holds might match, so the run \
                 is refused. Make it readable, or deny the directory itself instead of searching it",
                listed(globs),
                escape(directory.as_os_str())
            ),
        }
    }
}

impl std::error::Error for SearchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            SearchError::List { error, .. } => Some(error),
            SearchError::TooLarge { .. } => None,
        }
    }
}

fn listed(globs: &[String]) -> String {
    let quoted: Vec<String> = globs.iter().map(|glob| format!("`{}`", escape(OsStr::new(glob)))).collect();
    quoted.join(", ")
}

/// What one run may still look at, and where it remembers.
pub(crate) struct Searcher<'a> {
    pub(crate) limit: u64,
    pub(crate) seen: u64,
    /// `host.state_dir/search`; `None` remembers nothing.
    pub(crate) remember_in: Option<&'a Path>,
    /// Whose files these are.
    pub(crate) uid: u32,
}

/// A directory to visit, with how far each glob has matched on the way to it.
struct Visit {
    /// Below the start; empty for the start itself.
    below: PathBuf,
    progress: Vec<Progress>,
}

impl Searcher<'_> {
    /// Every match below `start`, a canonical directory.
    pub(crate) fn search(&mut self, start: &Path, wanted: &[Wanted<'_>]) -> Result<Vec<Match>, SearchError> {
        let mut cache = Cache::open(self.remember_in, start, wanted);
        let mut matches = Vec::new();
        let mut visits =
            vec![Visit { below: PathBuf::new(), progress: wanted.iter().map(|one| one.glob.start()).collect() }];
        while let Some(visit) = visits.pop() {
            let Some(listing) = self.list(&mut cache, start, &visit, wanted)? else { continue };
            self.seen = self.seen.saturating_add(listing.entries);
            if self.seen > self.limit {
                return Err(SearchError::TooLarge {
                    globs: globs(wanted),
                    start: start.to_path_buf(),
                    limit: self.limit,
                });
            }
            for (index, name) in &listing.matches {
                matches.push(Match { wanted: *index, path: start.join(&visit.below).join(name) });
            }
            for name in &listing.directories {
                let progress = step_all(wanted, &visit.progress, name).progress;
                visits.push(Visit { below: visit.below.join(name), progress });
            }
        }
        cache.save();
        Ok(matches)
    }

    /// What the directory holds that matters, remembered or read now. `None`: it is gone, or nobody inside can enter it.
    fn list(
        &self,
        cache: &mut Cache,
        start: &Path,
        visit: &Visit,
        wanted: &[Wanted<'_>],
    ) -> Result<Option<Listing>, SearchError> {
        let directory = start.join(&visit.below);
        // The stamp is taken before reading: a change in between makes the next run read again.
        let stamp = cache::stamp(&directory);
        if let Some(listing) = cache.recall(&visit.below, stamp) {
            return Ok(Some(listing));
        }
        let left = self.limit.saturating_sub(self.seen);
        match read(&directory, &visit.progress, wanted, left) {
            Ok(listing) => {
                cache.learn(&visit.below, stamp, &listing);
                Ok(Some(listing))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && self.is_closed(&directory) => Ok(None),
            Err(error) => Err(SearchError::List { globs: globs(wanted), directory, error }),
        }
    }

    /// Whether a directory that cannot be listed cannot be entered either, now or after a change of its mode.
    #[cfg(unix)]
    fn is_closed(&self, directory: &Path) -> bool {
        use std::os::unix::fs::MetadataExt;
        let is_own = std::fs::symlink_metadata(directory).map_or(true, |metadata| metadata.uid() == self.uid);
        let enter = std::fs::symlink_metadata(directory.join("."));
        !is_own && enter.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    }

    #[cfg(not(unix))]
    fn is_closed(&self, _directory: &Path) -> bool {
        let _ = self.uid;
        false
    }
}

fn globs(wanted: &[Wanted<'_>]) -> Vec<String> {
    wanted.iter().map(|one| one.written.to_owned()).collect()
}

/// Reads one directory; stops after `left` entries, which the caller then finds to be too many.
fn read(directory: &Path, progress: &[Progress], wanted: &[Wanted<'_>], left: u64) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        listing.entries += 1;
        if listing.entries > left {
            break;
        }
        let name = entry.file_name();
        let stepped = step_all(wanted, progress, &name);
        let goes_on = stepped.progress.iter().any(|progress| progress.is_alive());
        for index in stepped.accepted {
            listing.matches.push((index, name.clone()));
        }
        // The type comes with the entry on usual file systems; a link is not followed.
        if goes_on && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            listing.directories.push(name);
        }
    }
    Ok(listing)
}

struct Stepped {
    progress: Vec<Progress>,
    accepted: Vec<usize>,
}

/// One component further for every glob. Below a match of a glob nothing more is sought for it: its rule covers all of that.
fn step_all(wanted: &[Wanted<'_>], progress: &[Progress], name: &OsStr) -> Stepped {
    let mut stepped = Stepped { progress: Vec::with_capacity(wanted.len()), accepted: Vec::new() };
    for (index, (one, from)) in wanted.iter().zip(progress).enumerate() {
        let (next, accepted) = one.glob.step(*from, name);
        if accepted {
            stepped.accepted.push(index);
        }
        stepped.progress.push(if accepted { Progress::DEAD } else { next });
    }
    stepped
}

/// A name as it comes from a directory.
pub(crate) fn is_name(name: &OsString) -> bool {
    let bytes = name.as_encoded_bytes();
    !bytes.is_empty() && bytes != b"." && bytes != b".." && !bytes.iter().any(|byte| matches!(byte, b'/' | 0))
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
