//! Where processes run, and who goes on after a fork: as much of sched(7) as decides that.

use std::ffi::c_int;

use rustix::io::Errno;
use rustix::thread::CpuSet;

/// As long as this lives, a new process does not interrupt the calling thread: one of the policy `SCHED_BATCH` waits for its turn
/// (`check_preempt_wakeup_fair` in the kernel's kernel/sched/fair.c; sched(7) says no more than "mildly disfavored").
///
/// New processes inherit the policy; they lose it by [`be_ordinary`]. Only the ordinary policy is ever changed.
pub struct Undisturbed(());

impl Undisturbed {
    /// `None` where this thread has another policy than the ordinary one, or the host forbids to change it.
    pub fn begin() -> Option<Undisturbed> {
        // SAFETY: the call takes a number; 0 is the calling thread.
        let policy = super::check(unsafe { libc::syscall(libc::SYS_sched_getscheduler, 0) }).ok()?;
        if policy != libc::c_long::from(libc::SCHED_OTHER) {
            return None;
        }
        set(libc::SCHED_BATCH).ok()?;
        Some(Undisturbed(()))
    }
}

impl Drop for Undisturbed {
    fn drop(&mut self) {
        be_ordinary();
    }
}

/// The processor that the calling thread runs on right now. Callable after `clone`.
///
/// By the call itself: the quick way through the kernel's shared library (vdso(7)) has to be found first, which takes longer than
/// the few calls that a launch makes.
pub fn processor() -> Option<usize> {
    let mut number: libc::c_uint = 0;
    let nowhere = std::ptr::null::<libc::c_uint>();
    // SAFETY: the first pointer is to a live number; getcpu(2) leaves out what the null pointers stand for.
    super::check(unsafe { libc::syscall(libc::SYS_getcpu, &raw mut number, nowhere, nowhere) }).ok()?;
    usize::try_from(number).ok()
}

/// Just the processor that the calling thread runs on. Callable after `clone`.
pub fn here() -> Option<CpuSet> {
    let mut here = CpuSet::new();
    here.set(processor()?);
    Some(here)
}

/// Gives the calling thread the ordinary policy, which it has or had before [`Undisturbed`]. Callable after `clone`.
pub fn be_ordinary() {
    let _ = set(libc::SCHED_OTHER);
}

/// The C library's wrapper is empty in musl, so this is the call itself. The nice value stays.
fn set(policy: c_int) -> Result<(), Errno> {
    // `struct sched_param`: the priority, which these policies do not have.
    let priority: c_int = 0;
    // SAFETY: the pointer is to a live `sched_param`; 0 is the calling thread.
    super::check(unsafe { libc::syscall(libc::SYS_sched_setscheduler, 0, policy, &raw const priority) }).map(drop)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn policy() -> libc::c_long {
        // SAFETY: as in `begin`.
        super::super::check(unsafe { libc::syscall(libc::SYS_sched_getscheduler, 0) }).unwrap()
    }

    #[test]
    fn a_thread_is_on_a_processor_that_it_may_run_on() {
        let allowed = rustix::thread::sched_getaffinity(None).unwrap();
        assert!(allowed.is_set(processor().unwrap()));
        assert_eq!(here().unwrap().count(), 1);
    }

    #[test]
    fn the_policy_is_another_for_a_while() {
        let Some(undisturbed) = Undisturbed::begin() else {
            panic!("tests run with the ordinary policy, which may be changed to batch and back (sched(7))");
        };
        assert_eq!(policy(), libc::c_long::from(libc::SCHED_BATCH));
        assert!(Undisturbed::begin().is_none(), "only the ordinary policy is changed");
        assert_eq!(policy(), libc::c_long::from(libc::SCHED_BATCH), "and no other is touched");
        drop(undisturbed);
        assert_eq!(policy(), libc::c_long::from(libc::SCHED_OTHER));
    }
}
