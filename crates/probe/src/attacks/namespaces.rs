//! Namespaces and the topology of mounts. Flatpak's CVE-2021-41133 was a deny list that did not know the new mount calls.

use std::fs::File;
use std::os::fd::AsFd;

use bailiwick_policy::guarantee::Guarantee::KernelSurface;

use super::ROOT;
use super::kernel::{closed_call, surface};
use crate::attack::{Attack, Proof};
use crate::outcome::Outcome;
use crate::stage::Stage;
use crate::sys::closed;
use crate::sys::process;

const USER_NAMESPACES: &str = "user namespaces";

/// Capabilities over a mount namespace of one's own, and a bind mount in it.
fn bind_in_own_namespace(stage: &Stage) -> Outcome {
    let attempt = process::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS)
        .and_then(|()| process::bind_mount(&stage.at("src"), &stage.at(".git/hooks")));
    Outcome::of("bind mount", attempt)
}

/// The same by the new mount calls.
fn clone_tree_in_own_namespace(stage: &Stage) -> Outcome {
    let attempt =
        process::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS).and_then(|()| process::clone_tree(&stage.workspace));
    Outcome::of("open_tree", attempt)
}

/// Enters the user namespace of another process.
fn join(stage: &Stage) -> Outcome {
    let of = |pid: i32| {
        let attempt = process::pidfd_open(pid).and_then(|target| process::setns(target.as_fd(), libc::CLONE_NEWNS));
        Outcome::of(&format!("namespaces of {pid}"), attempt)
    };
    let by_file = File::open("/proc/1/ns/mnt").and_then(|file| process::setns(file.as_fd(), libc::CLONE_NEWNS));
    Outcome::all(vec![of(stage.decoy.pid), of(1), Outcome::of("/proc/1/ns/mnt", by_file)])
}

/// Each kind of namespace that needs no capability once there is a user namespace.
fn unshare_each() -> Outcome {
    let kinds = [
        ("net", libc::CLONE_NEWNET),
        ("pid", libc::CLONE_NEWPID),
        ("ipc", libc::CLONE_NEWIPC),
        ("uts", libc::CLONE_NEWUTS),
        ("cgroup", libc::CLONE_NEWCGROUP),
        ("mnt", libc::CLONE_NEWNS),
    ];
    Outcome::any(kinds.map(|(name, flag)| Outcome::of(name, process::unshare(flag))))
}

macro_rules! closed {
    ($name:literal, $call:ident, $summary:literal) => {
        surface($name, $summary, |_| closed_call(closed::$call))
    };
}

pub(super) const ATTACKS: &[Attack] = &[
    surface("unshare-user", "unshare(2) of a user namespace gives all capabilities over new kernel code", |_| {
        Outcome::of("unshare", process::unshare(libc::CLONE_NEWUSER))
    })
    .unless(USER_NAMESPACES),
    surface("clone-user", "clone(2) with CLONE_NEWUSER", |_| {
        Outcome::of("clone", process::clone_and_exit(libc::CLONE_NEWUSER))
    })
    .unless(USER_NAMESPACES),
    surface("clone3-user", "clone3(2) with CLONE_NEWUSER, whose flags a filter cannot see", |_| {
        Outcome::of("clone3", process::clone3_and_exit(libc::CLONE_NEWUSER))
    })
    .unless(USER_NAMESPACES),
    closed!("clone3", CLONE3, "clone3(2) must say that it does not exist, so that C libraries use clone(2)"),
    surface("unshare-others", "unshare(2) of the other kinds", |_| unshare_each()).unless(ROOT),
    surface(
        "bind-in-own-namespace",
        "a bind mount over a protected name in a namespace of one's own",
        bind_in_own_namespace,
    )
    .unless(USER_NAMESPACES),
    surface(
        "open-tree-in-own-namespace",
        "the new mount calls in a namespace of one's own",
        clone_tree_in_own_namespace,
    )
    .unless(USER_NAMESPACES),
    Attack::new("join-namespaces", KernelSurface, Proof::Answer, "setns(2) into the namespaces of the host", join)
        .unless(ROOT),
    closed!("setns", SETNS, "setns(2)"),
    closed!("mount", MOUNT, "mount(2)"),
    closed!("umount", UMOUNT, "umount2(2) uncovers what a mount hides"),
    closed!("chroot", CHROOT, "chroot(2)"),
    closed!("pivot-root", PIVOT_ROOT, "pivot_root(2)").unless(ROOT),
    closed!("open-tree", OPEN_TREE, "open_tree(2)"),
    closed!("open-tree-attr", OPEN_TREE_ATTR, "open_tree_attr(2)").unless("Linux 6.15"),
    closed!("mount-setattr", MOUNT_SETATTR, "mount_setattr(2) makes a read-only mount writable"),
    closed!("fsconfig", FSCONFIG, "fsconfig(2) (CVE-2022-0185)"),
    closed!("fsopen", FSOPEN, "fsopen(2)").unless(ROOT),
    closed!("fsmount", FSMOUNT, "fsmount(2)").unless(ROOT),
    closed!("fspick", FSPICK, "fspick(2)").unless(ROOT),
    closed!("move-mount", MOVE_MOUNT, "move_mount(2)").unless(ROOT),
];
