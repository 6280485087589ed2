//! The filter in the kernel of this machine, in a child of its own.

use libc::c_long;

use crate::api::Tier;
use crate::seccomp::{Openings, filter};
use crate::sys::seccomp::install;
use crate::sys::throwaway::{errno_of, in_test_child};

/// A call, and the errno that only the filter would choose.
struct Attempt {
    name: &'static str,
    number: c_long,
    args: [u64; 5],
    refused_with: i32,
}

const fn attempt(name: &'static str, number: c_long, args: [u64; 5], refused_with: i32) -> Attempt {
    Attempt { name, number, args, refused_with }
}

const HIGH: u64 = 0xdead_beef << 32;
const BAD: u64 = u64::MAX;

/// Without the filter each of these answers something else (bad descriptor, bad address, success), as root and as anybody.
const CLOSED: &[Attempt] = &[
    attempt("clone3", libc::SYS_clone3, [0, 0, 0, 0, 0], libc::ENOSYS),
    attempt("unshare user", libc::SYS_unshare, [libc::CLONE_NEWUSER as u64, 0, 0, 0, 0], libc::EPERM),
    attempt("unshare user, high bits", libc::SYS_unshare, [HIGH | libc::CLONE_NEWUSER as u64, 0, 0, 0, 0], libc::EPERM),
    // With CLONE_FS the kernel itself answers EINVAL, so that no child is made in the control.
    attempt("clone user", libc::SYS_clone, [(libc::CLONE_NEWUSER | libc::CLONE_FS) as u64, 0, 0, 0, 0], libc::EPERM),
    attempt("setns", libc::SYS_setns, [BAD, 0, 0, 0, 0], libc::EPERM),
    attempt("open_tree", libc::SYS_open_tree, [BAD, 0, 0, 0, 0], libc::ENOSYS),
    attempt("mount_setattr", libc::SYS_mount_setattr, [BAD, 0, 0, 0, 0], libc::ENOSYS),
    attempt("keyctl", libc::SYS_keyctl, [999, 0, 0, 0, 0], libc::EPERM),
    attempt("pidfd_getfd", libc::SYS_pidfd_getfd, [BAD, 0, 0, 0, 0], libc::EPERM),
    attempt("kcmp", libc::SYS_kcmp, [0, 0, 0, 0, 0], libc::EPERM),
    attempt("ptrace", libc::SYS_ptrace, [999, 0, 0, 0, 0], libc::EPERM),
    attempt("io_uring_setup", libc::SYS_io_uring_setup, [0, 0, 0, 0, 0], libc::ENOSYS),
    attempt("personality", libc::SYS_personality, [0x0004_0000, 0, 0, 0, 0], libc::EPERM),
    attempt("TIOCSTI", libc::SYS_ioctl, [BAD, 0x5412, 0, 0, 0], libc::EPERM),
    attempt("TIOCSTI, high bits", libc::SYS_ioctl, [BAD, HIGH | 0x5412, 0, 0, 0], libc::EPERM),
    attempt("TIOCLINUX, high bits", libc::SYS_ioctl, [BAD, HIGH | 0x541c, 0, 0, 0], libc::EPERM),
    attempt("netlink uevent", libc::SYS_socket, [16, 2, 15, 0, 0], libc::EAFNOSUPPORT),
    attempt("netlink uevent, high bits", libc::SYS_socket, [HIGH | 16, 2, HIGH | 15, 0, 0], libc::EAFNOSUPPORT),
];

/// These go on as if nothing were there.
const OPEN: &[Attempt] = &[
    attempt("unshare files", libc::SYS_unshare, [libc::CLONE_FILES as u64, 0, 0, 0, 0], 0),
    attempt("socket UNIX", libc::SYS_socket, [1, 1, 0, 0, 0], 0),
    attempt("socketpair", libc::SYS_socketpair, [1, 1, 0, 0, 0], libc::EFAULT),
    attempt("TCGETS", libc::SYS_ioctl, [BAD, 0x5401, 0, 0, 0], libc::EBADF),
    attempt("personality query", libc::SYS_personality, [0xffff_ffff, 0, 0, 0, 0], 0),
    attempt("getpid", libc::SYS_getppid, [0; 5], 0),
    attempt("seccomp", libc::SYS_seccomp, [99, 0, 0, 0, 0], libc::EINVAL),
];

/// The errno of each attempt, with the filter of `openings` or without one. `None`: the filter could not be loaded.
fn outcomes(attempts: &[Attempt], openings: Option<Openings>) -> Option<Vec<u32>> {
    let told = in_test_child(|report| {
        let locked = openings
            .is_none_or(|openings| rustix::thread::set_no_new_privs(true).is_ok() && install(filter(openings)).is_ok());
        if !locked {
            return;
        }
        for attempt in attempts {
            report.tell(errno_of(attempt.number, attempt.args));
        }
    });
    (told.len() == attempts.len()).then_some(told)
}

const DEFAULT: Openings = Openings { tier: Tier::Namespaces, trace: false, nested_namespaces: false };

#[test]
fn the_kernel_refuses_what_the_filter_closes() {
    let Some(outside) = outcomes(CLOSED, None) else { panic!("the control could not run") };
    let Some(inside) = outcomes(CLOSED, Some(DEFAULT)) else {
        eprintln!("SKIPPED: this kernel or container loads no seccomp filter");
        return;
    };
    for ((attempt, inside), outside) in CLOSED.iter().zip(inside).zip(outside) {
        assert_eq!(inside, attempt.refused_with.unsigned_abs(), "{}", attempt.name);
        if outside == inside {
            eprintln!("SKIPPED: {} answers the same without a filter on this host", attempt.name);
        }
    }
}

#[test]
fn the_kernel_goes_on_with_what_the_filter_leaves_open() {
    let Some(inside) = outcomes(OPEN, Some(DEFAULT)) else {
        eprintln!("SKIPPED: this kernel or container loads no seccomp filter");
        return;
    };
    for (attempt, inside) in OPEN.iter().zip(inside) {
        assert_eq!(inside, attempt.refused_with.unsigned_abs(), "{}", attempt.name);
    }
}

#[test]
fn the_landlock_tier_has_no_socket_but_unix() {
    const SOCKETS: &[Attempt] = &[
        attempt("IPv4", libc::SYS_socket, [2, 1, 0, 0, 0], libc::EACCES),
        attempt("IPv4, high bits", libc::SYS_socket, [HIGH | 2, 1, 0, 0, 0], libc::EACCES),
        attempt("IPv6 UDP", libc::SYS_socket, [10, 2, 17, 0, 0], libc::EACCES),
        attempt("MPTCP", libc::SYS_socket, [2, 1, 262, 0, 0], libc::EACCES),
        attempt("netlink", libc::SYS_socket, [16, 3, 0, 0, 0], libc::EACCES),
        attempt("semget", libc::SYS_semget, [0, 1, 0, 0, 0], libc::ENOSYS),
        attempt("UNIX", libc::SYS_socket, [1, 1, 0, 0, 0], 0),
    ];
    let Some(inside) = outcomes(SOCKETS, Some(Openings { tier: Tier::Landlock, ..DEFAULT })) else {
        eprintln!("SKIPPED: this kernel or container loads no seccomp filter");
        return;
    };
    for (attempt, inside) in SOCKETS.iter().zip(inside) {
        assert_eq!(inside, attempt.refused_with.unsigned_abs(), "{}", attempt.name);
    }
}

#[test]
fn every_variant_loads() {
    for openings in Openings::ALL {
        let told = in_test_child(|report| {
            let loaded = rustix::thread::set_no_new_privs(true).and_then(|()| install(filter(openings)));
            report.tell(loaded.map_or_else(|errno| errno.raw_os_error().unsigned_abs(), |()| 0));
        });
        if told == [libc::ENOSYS.unsigned_abs()] {
            eprintln!("SKIPPED: this kernel has no seccomp");
            return;
        }
        assert_eq!(told, [0], "{openings:?}");
    }
}
