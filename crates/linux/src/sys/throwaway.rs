//! Children that try something and die: what a host allows is learned by trying it where it does no harm.

use std::ffi::{CStr, c_int};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, WaitOptions, getgid, getuid, waitpid};

/// How a throw-away child tells what it saw.
pub(crate) struct Report {
    pipe: OwnedFd,
}

impl Report {
    /// Sends one value. Callable after clone.
    pub(crate) fn tell(&self, value: u32) {
        // A pipe takes four bytes whole or not at all; if the parent is gone nobody waits for the answer.
        let _ = rustix::io::write(&self.pipe, &value.to_ne_bytes());
    }
}

/// Ends the child, also where `body` panics: it must never go on as a second copy of the caller.
struct EndOfChild;

impl Drop for EndOfChild {
    fn drop(&mut self) {
        // SAFETY: `_exit` takes an integer, runs no handlers and does not return.
        unsafe { libc::_exit(0) }
    }
}

/// Runs `body` in a forked child, in new namespaces as `flags` say, and gives back what it told.
///
/// # Safety
///
/// The child has one thread and a copy of the memory, in which locks of other threads stay locked: `body` must not allocate,
/// lock, or call anything that may.
///
/// # Errors
///
/// What `pipe2` or `clone` answered.
unsafe fn in_child(flags: c_int, body: impl FnOnce(&Report)) -> Result<Vec<u32>, Errno> {
    let (read_end, write_end) = pipe_with(PipeFlags::CLOEXEC)?;
    let flags = libc::c_long::from(flags | libc::SIGCHLD);
    // SAFETY: without CLONE_VM and with no stack given, the child goes on here on a copy of this stack, as after fork. All other
    // arguments are unused with these flags. The C library does not notice, which is why `body` may not call into it.
    let answer = unsafe { libc::syscall(libc::SYS_clone, flags, 0 as libc::c_long, 0, 0, 0) };
    let pid = super::check(answer)?;
    if pid == 0 {
        let _end = EndOfChild;
        body(&Report { pipe: write_end });
        // The guard ends the process; this type-checks only.
        return Ok(Vec::new());
    }
    drop(write_end);
    let told = read_all(&read_end);
    if let Some(pid) = c_int::try_from(pid).ok().and_then(Pid::from_raw) {
        // A caller that ignores SIGCHLD has no child to wait for: nothing is lost by that.
        let _ = rustix::io::retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
    }
    told
}

/// Every value that was told until the child's end of the pipe closed.
fn read_all(pipe: &OwnedFd) -> Result<Vec<u32>, Errno> {
    let mut told = Vec::new();
    let mut bytes = [0u8; 4];
    loop {
        match rustix::io::retry_on_intr(|| rustix::io::read(pipe, &mut bytes))? {
            4 => told.push(u32::from_ne_bytes(bytes)),
            _ => return Ok(told),
        }
    }
}

/// What the namespaces tier does first, step by step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// New user, mount, pid, ipc, uts and net namespaces.
    Clone,
    /// Mapping the user to itself.
    MapUser,
    /// Making the mounts private.
    PrivateMounts,
    /// A new procfs.
    MountProc,
    /// A tmpfs.
    MountTmpfs,
}

impl Step {
    const ALL: [Step; 5] = [Step::Clone, Step::MapUser, Step::PrivateMounts, Step::MountProc, Step::MountTmpfs];

    /// What was being done, for a sentence that begins with "while".
    pub const fn doing(self) -> &'static str {
        match self {
            Step::Clone => "making namespaces",
            Step::MapUser => "mapping the user into the new user namespace",
            Step::PrivateMounts => "making the mounts private",
            Step::MountProc => "mounting a new /proc",
            Step::MountTmpfs => "mounting a tmpfs",
        }
    }
}

/// The step that failed, and the kernel's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which step.
    pub step: Step,
    /// The answer.
    pub errno: Errno,
}

/// Tries what the namespaces tier needs in a child that is gone when this returns. Costs about a millisecond.
///
/// # Errors
///
/// The first step that failed.
pub fn try_namespaces() -> Result<(), Failure> {
    let flags = libc::CLONE_NEWUSER
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWNET;
    let (user, group) = (IdMap::to_itself(getuid().as_raw()), IdMap::to_itself(getgid().as_raw()));
    // SAFETY: the steps are system calls on constants and on `user` and `group`, which are arrays on the stack.
    let told = unsafe {
        in_child(flags, |report| {
            for (index, step) in Step::ALL.into_iter().enumerate() {
                if let Err(errno) = attempt(step, &user, &group) {
                    report.tell(index as u32);
                    report.tell(errno.raw_os_error().unsigned_abs());
                    return;
                }
            }
            report.tell(u32::MAX);
        })
    };
    match told.as_deref() {
        Ok([u32::MAX]) => Ok(()),
        Ok([step, errno]) => Err(Failure {
            step: Step::ALL.get(*step as usize).copied().unwrap_or(Step::Clone),
            errno: Errno::from_raw_os_error(i32::try_from(*errno).unwrap_or(libc::EIO)),
        }),
        // The child was killed before it could tell: by a filter or by the kernel's memory manager.
        Ok(_) => Err(Failure { step: Step::Clone, errno: Errno::IO }),
        Err(errno) => Err(Failure { step: Step::Clone, errno: *errno }),
    }
}

fn attempt(step: Step, user: &IdMap, group: &IdMap) -> Result<(), Errno> {
    const PROC: &CStr = c"/proc";
    let options = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    match step {
        Step::Clone => Ok(()),
        Step::MapUser => {
            write_file(c"/proc/self/setgroups", b"deny")?;
            write_file(c"/proc/self/gid_map", group.text())?;
            write_file(c"/proc/self/uid_map", user.text())
        }
        Step::PrivateMounts => {
            rustix::mount::mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        }
        Step::MountProc => rustix::mount::mount(c"proc", PROC, c"proc", options, None),
        Step::MountTmpfs => rustix::mount::mount(c"tmpfs", PROC, c"tmpfs", options, None),
    }
}

fn write_file(path: &CStr, text: &[u8]) -> Result<(), Errno> {
    let file = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    let written = rustix::io::write(file.as_fd(), text)?;
    if written == text.len() { Ok(()) } else { Err(Errno::IO) }
}

/// The line `N N 1`, built without allocation.
struct IdMap {
    text: [u8; 32],
    len: usize,
}

impl IdMap {
    fn to_itself(id: u32) -> IdMap {
        let mut map = IdMap { text: [0; 32], len: 0 };
        // Two numbers of at most ten digits, two spaces and a digit: 23 bytes.
        map.number(id);
        map.push(b' ');
        map.number(id);
        map.push(b' ');
        map.push(b'1');
        map
    }

    fn number(&mut self, number: u32) {
        if number >= 10 {
            self.number(number / 10);
        }
        self.push(b'0' + (number % 10) as u8);
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.text.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    fn text(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or_default()
    }
}

/// Runs a test's `body` in a forked child and gives back what it told.
#[cfg(test)]
pub(crate) fn in_test_child(body: impl FnOnce(&Report)) -> Vec<u32> {
    // SAFETY: the bodies are those of this crate's tests, written to make system calls on what was prepared before.
    unsafe { in_child(0, body) }.expect("a test can fork")
}

/// Makes any system call with plain numbers, and tells the errno, or 0.
#[cfg(test)]
pub(crate) fn errno_of(number: libc::c_long, args: [u64; 5]) -> u32 {
    let [a, b, c, d, e] = args;
    // SAFETY: tests pass no address that the kernel could write to but null.
    let answer = unsafe { libc::syscall(number, a, b, c, d, e) };
    super::check(answer).map_or_else(|errno| errno.raw_os_error().unsigned_abs(), |_| 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_one_line_of_three_numbers() {
        assert_eq!(IdMap::to_itself(0).text(), b"0 0 1");
        assert_eq!(IdMap::to_itself(1000).text(), b"1000 1000 1");
        assert_eq!(IdMap::to_itself(u32::MAX).text(), b"4294967295 4294967295 1");
    }

    #[test]
    fn a_child_tells_and_dies() {
        let own = std::process::id();
        let told = in_test_child(|report| {
            report.tell(7);
            report.tell(rustix::process::getpid().as_raw_nonzero().get().unsigned_abs());
        });
        assert_eq!(told.len(), 2);
        assert_eq!(told[0], 7);
        assert_ne!(told[1], own);
    }
}
