//! What the gate's process needs of the system. It is a process of its own: these settings are for nobody else.

/// Descriptors that are not a connection's: listeners, the resolver, pipes, files.
const OTHERS: usize = 512;

/// Prepares the process. Gives how many connections there can be, at two descriptors each, if there is a bound.
#[cfg(unix)]
pub(crate) fn prepare() -> Option<usize> {
    ignore_broken_pipes();
    raise_descriptors().map(|most| most.saturating_sub(OTHERS.min(most / 2)) / 2)
}

/// Elsewhere there is nothing to prepare.
#[cfg(not(unix))]
pub(crate) fn prepare() -> Option<usize> {
    let _ = OTHERS;
    None
}

/// Lets the process have as many descriptors as it may; how many that is, if bounded.
#[cfg(target_os = "linux")]
fn raise_descriptors() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        // What there was before still holds.
        Err(_) => current,
    };
    now.and_then(|now| usize::try_from(now).ok())
}

#[cfg(all(unix, not(target_os = "linux")))]
fn raise_descriptors() -> Option<usize> {
    None
}

/// `splice` to a socket whose other end is gone sends SIGPIPE (there is no flag against it, as `send` has), and must not end the process.
#[cfg(target_os = "linux")]
fn ignore_broken_pipes() {
    // SAFETY: `signal` only changes this process's disposition of one signal, and SIG_IGN runs no code of ours.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn ignore_broken_pipes() {}
