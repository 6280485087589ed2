//! Landlock: the second lock of the `namespaces` tier, and the main one of the `landlock` tier.
//!
//! A [`Lock`] is plain data, made before clone. [`LaidOut::enforce`] turns it into system calls and neither allocates nor
//! locks. Landlock only ever adds grants down a tree: what is allowed above cannot be refused below. [`unheld`] tells which
//! points of a boundary are therefore out of its reach.

mod limits;
mod rights;
#[cfg(test)]
mod tests;

use std::ffi::{CStr, CString, OsStr};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::sys::arena::{Arena, ArenaError};
use crate::sys::landlock::{RulesetAttributes, allow_beneath, create_ruleset, restrict_self};
use bailiwick_policy::text::escape;

pub use limits::{Unheld, grants, unheld};
pub use rights::{Abi, HARMLESS_DEVICES, Use};

/// The interface of the running kernel.
pub fn abi() -> Abi {
    Abi(crate::sys::landlock::abi())
}

/// Rights on one path and what is below it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    path: CString,
    rights: u64,
}

/// Everything that is enforced, as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    handled_fs: u64,
    handled_net: u64,
    scoped: u64,
    rules: Vec<Rule>,
    /// Rights on the files that the standard descriptors refer to.
    handed: [u64; 3],
}

impl Lock {
    /// The main lock of the `landlock` tier: nothing but `grants` is reached, no TCP or UDP as far as the kernel can refuse it, no
    /// signal and no abstract socket across the border.
    ///
    /// # Errors
    ///
    /// A path with a zero byte, which no system call can name.
    pub fn main<'a>(abi: Abi, grants: impl IntoIterator<Item = (&'a Path, Use)>) -> Result<Lock, LockError> {
        let mut lock = Lock {
            handled_fs: abi.file_rights(),
            handled_net: abi.net_rights(),
            scoped: abi.scopes(),
            rules: Vec::new(),
            handed: [0; 3],
        };
        for (path, purpose) in grants {
            lock.grant(path, purpose)?;
        }
        Ok(lock)
    }

    /// The second lock of the `namespaces` tier, for the paths of the new root: everything there is read, and `grants` add to
    /// that. The network stays out of it: the net namespace has a loopback of its own.
    ///
    /// The grants must hold every place that is meant to be written, also `/proc` (processes write their own entries),
    /// `/dev` (as [`Use::Devices`]: the inside's own) with `/dev/shm`, and each listed socket (as [`Use::Connect`]), which
    /// ABI 9 refuses otherwise.
    ///
    /// # Errors
    ///
    /// A path with a zero byte.
    pub fn second<'a>(abi: Abi, grants: impl IntoIterator<Item = (&'a Path, Use)>) -> Result<Lock, LockError> {
        let mut lock = Lock {
            handled_fs: abi.file_rights(),
            handled_net: 0,
            scoped: abi.scopes(),
            rules: Vec::new(),
            handed: [0; 3],
        };
        lock.grant(Path::new("/"), Use::Read)?;
        for (path, purpose) in grants {
            lock.grant(path, purpose)?;
        }
        Ok(lock)
    }

    /// A lock for a helper of the supervisor: it opens nothing but `grants`, signals nobody, and reaches no abstract socket. The
    /// network stays out of it.
    ///
    /// # Errors
    ///
    /// A path with a zero byte.
    pub fn helper<'a>(abi: Abi, grants: impl IntoIterator<Item = (&'a Path, Use)>) -> Result<Lock, LockError> {
        let mut lock = Lock { handled_net: 0, ..Lock::main(abi, [])? };
        for (path, purpose) in grants {
            lock.grant(path, purpose)?;
        }
        Ok(lock)
    }

    /// The second lock where namespaces may be made inside: scopes only. A domain that handles any file-system right forbids
    /// all mounting (`security/landlock/fs.c`), and that is what nested sandboxes do first.
    pub fn scopes_only(abi: Abi) -> Lock {
        Lock { handled_fs: 0, handled_net: 0, scoped: abi.scopes(), rules: Vec::new(), handed: [0; 3] }
    }

    /// Grants on the regular file behind standard descriptor `number` (0 to 2) what the descriptor itself allows, so that it
    /// can be opened again by way of `/dev/stdin` and its like. Without this, Landlock refuses that for a file outside the
    /// boundary. Nothing is added: who holds a writable descriptor can truncate the file and take `O_APPEND` off already.
    pub fn hand_over(&mut self, number: usize, readable: bool, writable: bool) {
        if let Some(rights) = self.handed.get_mut(number) {
            *rights = rights::of_descriptor(readable, writable) & self.handled_fs;
        }
    }

    /// Whether opening files is guarded at all: not on a kernel without Landlock, nor where only scopes are enforced.
    pub fn handles_files(&self) -> bool {
        self.handled_fs != 0
    }

    /// How many paths are opened when the lock is enforced.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Is there nothing to enforce? So it is on a kernel without Landlock, and nothing is enforced then.
    pub fn is_empty(&self) -> bool {
        self.handled_fs == 0 && self.handled_net == 0 && self.scoped == 0
    }

    /// Adds a grant, or widens the one that stands on the same path. Rights that the kernel does not know are left out.
    fn grant(&mut self, path: &Path, purpose: Use) -> Result<(), LockError> {
        let rights = purpose.rights() & self.handled_fs;
        if rights == 0 {
            return Ok(());
        }
        let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| LockError {
            step: LockStep::Name,
            rule: Some(self.rules.len()),
            errno: Errno::INVAL,
        })?;
        match self.rules.iter_mut().find(|rule| rule.path == path) {
            Some(rule) => rule.rights |= rights,
            None => self.rules.push(Rule { path, rights }),
        }
        Ok(())
    }

    /// The lock as a forked child reads it from `arena`.
    ///
    /// # Errors
    ///
    /// [`ArenaError::Full`].
    pub fn lay_out<'a>(&self, arena: &'a Arena) -> Result<LaidOut<'a>, ArenaError> {
        let rules: Result<Vec<_>, _> =
            self.rules.iter().map(|rule| Ok((arena.text(rule.path.to_bytes())?, rule.rights))).collect();
        let attributes =
            RulesetAttributes { handled_fs: self.handled_fs, handled_net: self.handled_net, scoped: self.scoped };
        Ok(LaidOut { attributes, rules: arena.slice(&rules?)?, handed: self.handed })
    }

    /// What went wrong, for people.
    pub fn describe(&self, error: LockError) -> String {
        let path = error.rule.and_then(|index| self.rules.get(index)).map(|rule| printable(&rule.path));
        match path {
            Some(path) => format!("{error}: {path}"),
            None => error.to_string(),
        }
    }
}

/// A [`Lock`] laid out for a child.
#[derive(Clone, Copy)]
pub struct LaidOut<'a> {
    attributes: RulesetAttributes,
    rules: &'a [(&'a CStr, u64)],
    handed: [u64; 3],
}

impl LaidOut<'_> {
    /// Puts this thread and its descendants under the lock for ever. Nothing is done on a kernel without Landlock.
    ///
    /// Callable after clone: no allocation, no lock; one `openat2`, `fstat`, `landlock_add_rule` and `close` a rule. The caller
    /// has set `no_new_privs`. Paths are opened without following any symbolic link: the plan has canonical paths, and one
    /// that has a link now was swapped.
    ///
    /// # Errors
    ///
    /// The first step that failed; the thread is then not under the lock and must not run the command.
    pub fn enforce(&self) -> Result<(), LockError> {
        let RulesetAttributes { handled_fs, handled_net, scoped } = self.attributes;
        if handled_fs == 0 && handled_net == 0 && scoped == 0 {
            return Ok(());
        }
        let ruleset = create_ruleset(&self.attributes).map_err(|errno| failed(LockStep::Create, None, errno))?;
        for (index, (path, rights)) in self.rules.iter().enumerate() {
            let target = open(path).map_err(|errno| failed(LockStep::Open, Some(index), errno))?;
            add(ruleset.as_fd(), &target, *rights).map_err(|errno| failed(LockStep::Add, Some(index), errno))?;
        }
        let standard = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
        for (target, rights) in standard.into_iter().zip(self.handed).filter(|(_, rights)| *rights != 0) {
            allow_beneath(ruleset.as_fd(), target, rights).map_err(|errno| failed(LockStep::Add, None, errno))?;
        }
        restrict_self(ruleset.as_fd()).map_err(|errno| failed(LockStep::Restrict, None, errno))
    }
}

const fn failed(step: LockStep, rule: Option<usize>, errno: Errno) -> LockError {
    LockError { step, rule, errno }
}

/// A handle that can neither be read nor written, whatever the file is.
fn open(path: &CStr) -> Result<OwnedFd, Errno> {
    /// The kernel answers EAGAIN if something was renamed on the way; a hostile workspace could do that for ever.
    const ATTEMPTS: usize = 64;
    let mut answer = Err(Errno::AGAIN);
    for _ in 0..ATTEMPTS {
        let how = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        answer = openat2(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), how);
        if !matches!(answer, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    answer
}

/// Grants the rights that the object can have: the kernel refuses a rule that gives a directory's rights to a file.
fn add(ruleset: BorrowedFd<'_>, target: &OwnedFd, rights: u64) -> Result<(), Errno> {
    let is_directory = FileType::from_raw_mode(fstat(target)?.st_mode) == FileType::Directory;
    let rights = if is_directory { rights } else { rights & rights::FILE_RIGHTS };
    if rights == 0 { Ok(()) } else { allow_beneath(ruleset, target.as_fd(), rights) }
}

fn printable(path: &CStr) -> String {
    escape(OsStr::from_bytes(path.to_bytes()))
}

/// A step of enforcing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockStep {
    /// A path that no system call can name.
    Name,
    /// `landlock_create_ruleset`.
    Create,
    /// Opening the path of a rule.
    Open,
    /// `landlock_add_rule`.
    Add,
    /// `landlock_restrict_self`.
    Restrict,
}

/// Why a lock could not be enforced. Plain numbers, so that it crosses a pipe from the child; see [`Lock::describe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockError {
    /// What was being done.
    pub step: LockStep,
    /// To which rule, counted from 0.
    pub rule: Option<usize>,
    /// What the kernel answered.
    pub errno: Errno,
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let doing = match self.step {
            LockStep::Name => "a path with a zero byte cannot be given to Landlock",
            LockStep::Create => "Landlock could not make a rule set",
            LockStep::Open => "Landlock could not open the path of a rule without following links",
            LockStep::Add => "Landlock did not take a rule",
            LockStep::Restrict => "Landlock could not be switched on",
        };
        write!(f, "{doing} ({})", self.errno)
    }
}

impl std::error::Error for LockError {}

impl Serialize for Lock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rules: Vec<(String, Vec<&str>)> =
            self.rules.iter().map(|rule| (printable(&rule.path), rights::names(rule.rights))).collect();
        let mut lock = serializer.serialize_struct("Lock", 4)?;
        lock.serialize_field("handled_fs", &rights::names(self.handled_fs))?;
        lock.serialize_field("handled_net", &self.handled_net)?;
        lock.serialize_field("scoped", &self.scoped)?;
        lock.serialize_field("rules", &rules)?;
        lock.end()
    }
}
