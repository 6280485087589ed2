//! The search for the process that holds a socket, in small steps.
//!
//! All of it is read from the enclosure's own `/proc`, which the kernel writes: the inside cannot make it wait. For that reason a
//! process's arguments are not looked at: they are its memory, and reading that can hang.

use std::collections::VecDeque;
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, RawDir, SeekFrom, openat, readlinkat_raw, seek};
use rustix::io::{Errno, read};

use crate::gate::LONGEST_PROGRAM;

/// Bytes of directory entries that are read at once: about sixty.
const ENTRIES: usize = 2048;

/// The most processes that are looked at for one question.
const MOST_PROCESSES: usize = 1024;

/// How many looks one question may take: a look is a process, a descriptor, or an entry of a list.
const MOST_LOOKS: usize = 16 * 1024;

/// The most bytes of a path that are told. Of a longer one, the end.
const LONGEST_PATH: usize = 200;

/// How far a search has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Go on.
    More,
    /// The process with this number inside holds the socket; its program, as far as it can be seen.
    Found(u32, Vec<u8>),
    /// Nobody was found who holds it.
    Nobody,
}

/// A search.
#[derive(Debug)]
pub(super) struct Search {
    /// What a link to the socket says.
    link: Vec<u8>,
    /// Processes to look at next.
    next: VecDeque<u32>,
    list: List,
    /// The process that is being looked at.
    now: Option<Process>,
    /// Looks that are left.
    left: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    NotBegun,
    UnderWay,
    Done,
}

#[derive(Debug)]
struct Process {
    number: u32,
    /// Its directory, which is never another process's.
    directory: OwnedFd,
    descriptors: OwnedFd,
}

impl Search {
    /// For the socket with this inode; first in these processes, the first one first.
    pub(super) fn new(inode: u32, likely: impl Iterator<Item = u32>) -> Search {
        Search {
            link: format!("socket:[{inode}]").into_bytes(),
            next: likely.collect(),
            list: List::NotBegun,
            now: None,
            left: MOST_LOOKS,
        }
    }

    /// Goes on for some sixty looks, and adds them to `looks`. `processes` is the enclosure's `/proc`, which no other search uses
    /// meanwhile.
    pub(super) fn step(&mut self, processes: &OwnedFd, looks: &mut usize) -> Step {
        let before = self.left;
        let step = self.look(processes);
        *looks += before - self.left;
        match step {
            Step::More if self.left == 0 => Step::Nobody,
            step => step,
        }
    }

    fn look(&mut self, processes: &OwnedFd) -> Step {
        self.left = self.left.saturating_sub(1);
        if let Some(process) = self.now.take() {
            match holds(&process, &self.link, &mut self.left) {
                Ok(true) => return Step::Found(process.number, program(&process.directory)),
                Ok(false) => self.now = Some(process),
                // All of them were looked at, or it is gone.
                Err(_) => {}
            }
            return Step::More;
        }
        if self.list != List::UnderWay
            && let Some(number) = self.next.pop_front()
        {
            self.now = Process::open(processes, number).ok();
            return Step::More;
        }
        match self.list {
            List::NotBegun => match seek(processes, SeekFrom::Start(0)) {
                Ok(_) => self.list = List::UnderWay,
                Err(_) => return Step::Nobody,
            },
            List::UnderWay => match list(processes, &mut self.next, &mut self.left) {
                Ok(true) if self.next.len() < MOST_PROCESSES => {}
                Ok(_) => self.list = List::Done,
                Err(_) => return Step::Nobody,
            },
            List::Done => return Step::Nobody,
        }
        Step::More
    }
}

impl Process {
    fn open(processes: &OwnedFd, number: u32) -> Result<Process, Errno> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let directory = openat(processes, number.to_string(), flags | OFlags::PATH, Mode::empty())?;
        let descriptors = openat(&directory, c"fd", flags | OFlags::RDONLY, Mode::empty())?;
        Ok(Process { number, directory, descriptors })
    }
}

/// Looks at some more descriptors.
fn holds(process: &Process, link: &[u8], left: &mut usize) -> Result<bool, Errno> {
    let mut found = false;
    let some = some_entries(&process.descriptors, |name| {
        *left = left.saturating_sub(1);
        let mut buffer = [MaybeUninit::uninit(); 64];
        found = found
            || name.to_bytes().first().is_some_and(u8::is_ascii_digit)
                && readlinkat_raw(&process.descriptors, name, &mut buffer).is_ok_and(|(leads_to, _)| leads_to == link);
    })?;
    if found || some { Ok(found) } else { Err(Errno::NOENT) }
}

/// Lists some more processes, the newest first. `false` when that were all.
fn list(processes: &OwnedFd, found: &mut VecDeque<u32>, left: &mut usize) -> Result<bool, Errno> {
    some_entries(processes, |name| {
        *left = left.saturating_sub(1);
        let number = name.to_str().ok().and_then(|name| name.parse().ok());
        // Process 1 is bailiwick's own.
        if let Some(number) = number.filter(|number| *number != 1) {
            found.push_front(number);
        }
    })
}

/// Reads one buffer of entries. `false` if there are no more.
fn some_entries(directory: &OwnedFd, mut each: impl FnMut(&CStr)) -> Result<bool, Errno> {
    let mut buffer = [MaybeUninit::uninit(); ENTRIES];
    let mut entries = RawDir::new(directory, &mut buffer);
    let mut some = false;
    while let Some(entry) = entries.next() {
        some = true;
        each(entry?.file_name());
        if entries.is_buffer_empty() {
            break;
        }
    }
    Ok(some)
}

/// What the program of a process is called: its file, and its own word for itself where that is another one.
fn program(process: &OwnedFd) -> Vec<u8> {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let path = readlinkat_raw(process, c"exe", &mut buffer).map(|(path, _)| &*path).unwrap_or_default();
    let mut name = [0; 64];
    let length = openat(process, c"comm", OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty())
        .and_then(|file| read(&file, name.as_mut_slice()))
        .unwrap_or(0);
    let name = name.get(..length).unwrap_or_default();
    shown(path, name.strip_suffix(b"\n").unwrap_or(name))
}

/// `/usr/bin/curl`, or `/usr/bin/python3 (pip)`.
fn shown(path: &[u8], name: &[u8]) -> Vec<u8> {
    let file = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let file = file.strip_suffix(b" (deleted)").unwrap_or(file);
    // The kernel keeps 15 bytes of a name (`TASK_COMM_LEN` of `linux/sched.h`).
    let same = name == file.get(..15).unwrap_or(file);
    let start = path.len().saturating_sub(LONGEST_PATH);
    let mut text = if start > 0 { "…".as_bytes().to_vec() } else { Vec::new() };
    text.extend(path.get(start..).unwrap_or_default());
    match (text.is_empty(), same || name.is_empty()) {
        (true, _) => text.extend(name),
        (false, true) => {}
        (false, false) => text.extend([b" (", name, b")"].concat()),
    }
    text.truncate(LONGEST_PROGRAM);
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
