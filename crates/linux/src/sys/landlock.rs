//! The three system calls of Landlock. Nothing here allocates: all of it is callable after clone.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::Errno;

/// `struct landlock_ruleset_attr` of `linux/landlock.h`. Kernels that know fewer fields take it if the others are zero.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct RulesetAttributes {
    /// File-system rights that are refused unless a rule grants them.
    pub handled_fs: u64,
    /// Network rights (ABI 4).
    pub handled_net: u64,
    /// Kinds of reaching out that stop at the domain's border (ABI 6).
    pub scoped: u64,
}

/// `struct landlock_path_beneath_attr`: packed in the kernel's header too.
#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    parent: i32,
}

/// `LANDLOCK_CREATE_RULESET_VERSION`.
const VERSION: libc::c_long = 1;
/// `LANDLOCK_RULE_PATH_BENEATH`.
const PATH_BENEATH: libc::c_long = 1;

/// The newest interface that the running kernel has, 0 where Landlock is not built, not enabled, or filtered away.
pub fn abi() -> u32 {
    // SAFETY: with the version flag the kernel takes a null address and size 0, reads nothing and writes nothing.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<RulesetAttributes>(),
            0 as libc::size_t,
            VERSION,
        )
    };
    super::check(answer).ok().and_then(|version| u32::try_from(version).ok()).unwrap_or(0)
}

/// A new rule set, closed on exec.
///
/// # Errors
///
/// ENOMSG if nothing is handled, EINVAL for rights that the kernel does not know, EOPNOTSUPP or ENOSYS without Landlock.
pub fn create_ruleset(attributes: &RulesetAttributes) -> Result<OwnedFd, Errno> {
    // SAFETY: the kernel reads as many bytes as the size says from the reference, and writes nothing.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::from_ref(attributes),
            size_of::<RulesetAttributes>(),
            0 as libc::c_long,
        )
    };
    let descriptor = i32::try_from(super::check(answer)?).map_err(|_| Errno::BADF)?;
    // SAFETY: the kernel has just made this descriptor, so nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Grants `rights` on `parent` and everything below it.
///
/// # Errors
///
/// EINVAL for rights that the rule set does not handle or that a file cannot have, ENOMSG for none.
pub fn allow_beneath(ruleset: BorrowedFd<'_>, parent: BorrowedFd<'_>, rights: u64) -> Result<(), Errno> {
    let rule = PathBeneath { allowed: rights, parent: parent.as_raw_fd() };
    // SAFETY: the kernel reads the 12 bytes of `rule`, which outlives the call; both descriptors are borrowed for its length.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            libc::c_long::from(ruleset.as_raw_fd()),
            PATH_BENEATH,
            &raw const rule,
            0 as libc::c_long,
        )
    };
    super::check(answer).map(|_| ())
}

/// Puts this thread, and everything that it starts from now on, under the rule set for ever. Needs `no_new_privs`.
///
/// # Errors
///
/// EPERM without `no_new_privs`, E2BIG below 16 earlier rule sets.
pub fn restrict_self(ruleset: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: the call takes two integers; the descriptor is borrowed for its length.
    let answer = unsafe {
        libc::syscall(libc::SYS_landlock_restrict_self, libc::c_long::from(ruleset.as_raw_fd()), 0 as libc::c_long)
    };
    super::check(answer).map(|_| ())
}
