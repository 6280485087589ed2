//! Small process calls that rustix does not wrap.

use rustix::io::Errno;

/// Closes every descriptor from `first` to `last` (close_range(2), kernel 5.9).
///
/// Callable after `clone`: one system call, no allocation.
///
/// # Safety
///
/// No live owner of a descriptor in the range may use or close it afterwards.
///
/// # Errors
///
/// What close_range(2) answers.
pub unsafe fn close_range(first: u32, last: u32) -> Result<(), Errno> {
    if first > last {
        return Ok(());
    }
    // SAFETY: the call takes plain integers; the fate of the owners is the caller's promise.
    let answer = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    super::check(answer).map(drop)
}

/// Marks every descriptor from `first` on to be closed by `execve` (close_range(2) with `CLOSE_RANGE_CLOEXEC`, kernel 5.11).
///
/// Callable after `clone`: one system call, no allocation.
///
/// # Errors
///
/// What close_range(2) answers.
pub fn close_on_exec_from(first: u32) -> Result<(), Errno> {
    // SAFETY: the call takes plain integers, and only sets a flag on descriptors.
    let answer = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    super::check(answer).map(drop)
}

/// Makes `from` also `to` (dup2(2)); where they are equal, makes it survive `execve`.
///
/// Callable after `clone`.
///
/// # Errors
///
/// What dup2(2) or fcntl(2) answers.
pub fn place_descriptor(from: i32, to: i32) -> Result<(), Errno> {
    // SAFETY: plain integers. `to` is one of the standard descriptors, which no Rust owner closes.
    let answer = unsafe { if from == to { libc::fcntl(from, libc::F_SETFD, 0) } else { libc::dup2(from, to) } };
    super::check(answer.into()).map(drop)
}

/// Empties the bounding set: no `execve` gives any capability from here on. What this process has, it keeps.
///
/// Callable after `clone`: no allocation.
///
/// # Errors
///
/// What prctl(2) answers.
pub fn empty_bounding_set() -> Result<(), Errno> {
    for capability in 0.. {
        // SAFETY: plain integers. EINVAL means that the kernel knows no capability of this number or above.
        let answer = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability as libc::c_ulong, 0, 0, 0) };
        match super::check(answer.into()) {
            Ok(_) => {}
            Err(Errno::INVAL) if capability > 0 => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Drops every capability for good: ambient, inheritable, permitted and effective sets, and locks the rule that gives them
/// back to user 0 on `execve` (capabilities(7), "The securebits flags"). The bounding set is emptied before:
/// [`empty_bounding_set`].
///
/// Callable after `clone`: no allocation.
///
/// # Errors
///
/// What prctl(2) or capset(2) answers.
pub fn drop_capabilities() -> Result<(), Errno> {
    rustix::thread::clear_ambient_capability_set()?;
    // NOROOT, NO_SETUID_FIXUP, KEEP_CAPS off and locked, NO_CAP_AMBIENT_RAISE, each with its lock bit.
    const SECURE_BITS: libc::c_ulong = 0b1110_1111;
    // SAFETY: plain integers.
    let answer = unsafe { libc::prctl(libc::PR_SET_SECUREBITS, SECURE_BITS, 0, 0, 0) };
    super::check(answer.into())?;
    let none = rustix::thread::CapabilitySet::empty();
    let sets = rustix::thread::CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets)
}

/// Ends this process at once, without destructors or handlers.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: `_exit` runs nothing of this program.
    unsafe { libc::_exit(status) }
}

/// The user and group that the process runs as.
pub fn identity() -> (u32, u32) {
    (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}

/// Sends a signal to every process that this one may signal but itself and the init (kill(2), pid -1).
///
/// To be called only where that reaches the enclosure's own processes and no others.
pub fn signal_all_others(signal: i32) {
    // SAFETY: plain integers.
    unsafe { libc::kill(-1, signal) };
}

/// Whether this process is the init of its process-id namespace.
pub fn is_init() -> bool {
    rustix::process::getpid().as_raw_nonzero().get() == 1
}

/// Opens `/dev/null` for each of the descriptors 0 to 2 that is closed, so that nothing else takes its number.
pub fn open_closed_descriptors() {
    for number in 0..3 {
        // SAFETY: plain integers and a C string; opening takes the lowest free number, which is this one. Nothing owns it,
        // and it stays open as long as the process.
        unsafe {
            if libc::fcntl(number, libc::F_GETFD) == -1 && libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) != number {
                exit_now(125);
            }
        }
    }
}
