//! What the search remembers of each directory between runs.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac_sha256::Hash;

use super::{Wanted, is_name};
use crate::glob::os_string;

/// The largest cache file that is read or written: bytes.
const LARGEST: u64 = 32 << 20;

/// First bytes of every cache file; changes with the format.
const MAGIC: &[u8] = b"bailiwick search 1\n";

/// A directory that changed so shortly before it was read is not remembered: the change time has a grain.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// What identifies a directory in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    /// Change time since the epoch.
    changed: Duration,
}

/// What a directory holds that matters to the globs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// How many entries there were to look at.
    pub(super) entries: u64,
    /// Sub-directories below which something may match.
    pub(super) directories: Vec<OsString>,
    /// Matches: which glob, which name.
    pub(super) matches: Vec<(usize, OsString)>,
}

/// The remembered listings of one search.
pub(super) struct Cache {
    /// The file; `None` if nothing is remembered.
    file: Option<PathBuf>,
    key: [u8; 32],
    old: HashMap<PathBuf, (Stamp, Listing)>,
    new: Vec<(PathBuf, Stamp, Listing)>,
    /// Whether `new` says more than the file.
    worth_saving: bool,
    started: Duration,
}

/// The stamp of a directory, where the system has change times.
#[cfg(unix)]
pub(super) fn stamp(directory: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::symlink_metadata(directory).ok().filter(fs::Metadata::is_dir)?;
    let seconds = u64::try_from(metadata.ctime()).ok()?;
    let nanoseconds = u32::try_from(metadata.ctime_nsec()).ok()?;
    Some(Stamp { device: metadata.dev(), inode: metadata.ino(), changed: Duration::new(seconds, nanoseconds) })
}

/// Without change times nothing can be trusted from one run to the next.
#[cfg(not(unix))]
pub(super) fn stamp(_directory: &Path) -> Option<Stamp> {
    None
}

impl Cache {
    /// Opens what is remembered of this search: these globs from this start.
    pub(super) fn open(remember_in: Option<&Path>, start: &Path, wanted: &[Wanted<'_>]) -> Cache {
        let mut hash = Hash::new();
        for part in
            [start.as_os_str().as_encoded_bytes()].into_iter().chain(wanted.iter().map(|one| one.written.as_bytes()))
        {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let key = hash.finalize();
        let name: String = key.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let file = remember_in.map(|directory| directory.join(name));
        let old = file.as_deref().and_then(|file| read(file, &key)).unwrap_or_default();
        // A clock before the epoch settles nothing.
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Cache { file, key, old, new: Vec::new(), worth_saving: false, started }
    }

    /// The remembered listing, if the directory is still in the same state.
    pub(super) fn recall(&mut self, below: &Path, stamp: Option<Stamp>) -> Option<Listing> {
        let (remembered, _) = self.old.get(below)?;
        if Some(*remembered) != stamp {
            return None;
        }
        let (stamp, listing) = self.old.remove(below)?;
        self.new.push((below.to_path_buf(), stamp, listing.clone()));
        Some(listing)
    }

    /// Remembers a listing that was read just now, unless the directory changed too recently.
    pub(super) fn learn(&mut self, below: &Path, stamp: Option<Stamp>, listing: &Listing) {
        let Some(stamp) = stamp else { return };
        if self.file.is_some() && stamp.changed.saturating_add(SETTLED_AFTER) <= self.started {
            self.new.push((below.to_path_buf(), stamp, listing.clone()));
            self.worth_saving = true;
        }
    }

    /// Writes the cache, if that is worth it. A failure costs the next run its time and nothing else.
    pub(super) fn save(&self) {
        if let Some(file) = self.file.as_deref().filter(|_| self.worth_saving) {
            let content = self.encode();
            if content.len() as u64 <= LARGEST {
                let _ = write(file, &content);
            }
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(self.key);
        put_number(&mut out, self.new.len() as u64);
        for (below, stamp, listing) in &self.new {
            put_bytes(&mut out, below.as_os_str().as_encoded_bytes());
            put_number(&mut out, stamp.device);
            put_number(&mut out, stamp.inode);
            put_number(&mut out, stamp.changed.as_secs());
            put_number(&mut out, u64::from(stamp.changed.subsec_nanos()));
            put_number(&mut out, listing.entries);
            put_number(&mut out, listing.directories.len() as u64);
            for name in &listing.directories {
                put_bytes(&mut out, name.as_encoded_bytes());
            }
            put_number(&mut out, listing.matches.len() as u64);
            for (index, name) in &listing.matches {
                put_number(&mut out, *index as u64);
                put_bytes(&mut out, name.as_encoded_bytes());
            }
        }
        let sum = Hash::hash(&out);
        out.extend(sum);
        out
    }
}

fn put_number(out: &mut Vec<u8>, number: u64) {
    out.extend(number.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend(bytes);
}

/// The listings in a cache file; `None` if it is not there or not whole.
fn read(file: &Path, key: &[u8; 32]) -> Option<HashMap<PathBuf, (Stamp, Listing)>> {
    let metadata = fs::symlink_metadata(file).ok()?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return None;
    }
    let mut content = Vec::new();
    fs::File::open(file).ok()?.take(LARGEST).read_to_end(&mut content).ok()?;
    let (body, sum) = content.split_last_chunk::<32>()?;
    if Hash::hash(body) != *sum {
        return None;
    }
    decode(body.strip_prefix(MAGIC)?.strip_prefix(key)?)
}

fn decode(body: &[u8]) -> Option<HashMap<PathBuf, (Stamp, Listing)>> {
    let mut rest = body;
    let mut listings = HashMap::new();
    for _ in 0..take_number(&mut rest)? {
        let below = PathBuf::from(take_text(&mut rest)?);
        let (device, inode) = (take_number(&mut rest)?, take_number(&mut rest)?);
        let seconds = take_number(&mut rest)?;
        let nanoseconds = u32::try_from(take_number(&mut rest)?).ok().filter(|ns| *ns < 1_000_000_000)?;
        let stamp = Stamp { device, inode, changed: Duration::new(seconds, nanoseconds) };
        let mut listing = Listing { entries: take_number(&mut rest)?, ..Listing::default() };
        for _ in 0..take_number(&mut rest)? {
            listing.directories.push(take_text(&mut rest).filter(is_name)?);
        }
        for _ in 0..take_number(&mut rest)? {
            let index = usize::try_from(take_number(&mut rest)?).ok()?;
            listing.matches.push((index, take_text(&mut rest).filter(is_name)?));
        }
        listings.insert(below, (stamp, listing));
    }
    rest.is_empty().then_some(listings)
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let (number, after) = rest.split_first_chunk::<8>()?;
    *rest = after;
    Some(u64::from_le_bytes(*number))
}

fn take_text(rest: &mut &[u8]) -> Option<OsString> {
    let length = usize::try_from(take_number(rest)?).ok()?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(os_string(text.to_vec()))
}

/// Writes beside the file and renames, so that a reader never sees half of it. Readable by the user alone: it holds names.
fn write(file: &Path, content: &[u8]) -> std::io::Result<()> {
    let Some(directory) = file.parent() else { return Ok(()) };
    fs::create_dir_all(directory)?;
    let beside = file.with_extension(format!("{}.new", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut open| open.write_all(content));
    let done = written.and_then(|()| fs::rename(&beside, file));
    if done.is_err() {
        let _ = fs::remove_file(&beside);
    }
    done
}
