//! Building the inside's file system and moving into it. Runs in the child after `clone`: nothing here allocates.
//!
//! The new root is a tmpfs of our own. Trees of the host are cloned into it by descriptor, never mounted by a path after a
//! look at it; what lies where a hostile process may rename is opened without following any symbolic link.

use std::ffi::CStr;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode as Bits, OFlags, ResolveFlags, StatxAttributes, StatxFlags, mkdirat, mknodat, openat,
    openat2, readlinkat_raw, statx, symlinkat, unlinkat,
};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_string, fsmount, fsopen, move_mount, open_tree, unmount,
};
use rustix::process::{fchdir, pivot_root};

use super::script::Operation;
use super::{Failure, Stage};
use crate::plan::Kind;
use crate::proc_parts;
use crate::sys::mount::{MountAttributes, NO_DEVICES, NO_EXEC, NO_SUID, READ_ONLY, clone_tree, mount_setattr};

/// The device nodes of the inside, each a clone of the host's.
const DEVICES: [(&CStr, &CStr); 6] = [
    (c"/dev/null", c"dev/null"),
    (c"/dev/zero", c"dev/zero"),
    (c"/dev/full", c"dev/full"),
    (c"/dev/random", c"dev/random"),
    (c"/dev/urandom", c"dev/urandom"),
    (c"/dev/tty", c"dev/tty"),
];

/// The usual links of `/dev`.
const DEVICE_LINKS: [(&CStr, &CStr); 5] = [
    (c"/proc/self/fd", c"dev/fd"),
    (c"/proc/self/fd/0", c"dev/stdin"),
    (c"/proc/self/fd/1", c"dev/stdout"),
    (c"/proc/self/fd/2", c"dev/stderr"),
    (c"pts/ptmx", c"dev/ptmx"),
];

/// For whom `/proc` is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProcUser {
    /// Anybody but user 0.
    Other,
    /// User 0.
    Zero,
    /// User 0, who may make user namespaces inside.
    ZeroNesting,
}

/// Descriptors of the steps are left open and closed in one call, which saves some two hundred; from this number on they
/// are closed in between, so that a long plan stays below the usual limit of 1024.
const TIDY_FROM: i32 = 512;

/// A root that has what every root has.
pub(super) struct Bare {
    root: OwnedFd,
    covers: Covers,
}

/// Begins the root with what no policy changes.
pub(super) fn begin() -> Result<Bare, Failure> {
    keep_mounts_to_ourselves().map_err(Stage::PrivateMounts.failed())?;
    let root = attach_memory_root().map_err(Stage::MemoryRoot.failed())?;
    let covers = make_covers(&root).map_err(Stage::Covers.failed())?;
    make_devices(&root).map_err(Stage::Devices.failed())?;
    Ok(Bare { root, covers })
}

/// Finishes the root and makes it `/`; the old root is gone afterwards.
///
/// Leaves descriptors behind: the caller closes all but its own.
pub(super) fn enter(bare: Bare, operations: &[Operation<'_>], user: ProcUser) -> Result<(), Failure> {
    let Bare { root, covers } = bare;
    carry_out_all(&root, &covers, operations)?;
    attach_memory(&root, c"dev/shm").map_err(Stage::Devices.failed())?;
    attach_terminals(&root).map_err(Stage::Terminals.failed())?;
    attach_proc(&root, &covers, user).map_err(Stage::Proc.failed())?;
    set_attributes(&root, READ_ONLY | NO_SUID | NO_DEVICES).map_err(Stage::MemoryRoot.failed())?;
    change_root(&root).map_err(Stage::PivotRoot.failed())
}

/// Carries the operations out in their order, but makes mount points in the private home only when one turns out to be
/// missing: from the second run on, they are there.
fn carry_out_all(root: &OwnedFd, covers: &Covers, operations: &[Operation<'_>]) -> Result<(), Failure> {
    let mut made_up_to = 0;
    for (index, operation) in operations.iter().enumerate() {
        if matches!(operation, Operation::MakeBeneath { .. }) {
            continue;
        }
        let mut answer = carry_out(root, covers, operation);
        if answer == Err(Errno::NOENT) && made_up_to < index {
            for (number, earlier) in operations.iter().enumerate().take(index).skip(made_up_to) {
                if let Operation::MakeBeneath { parent, name, kind } = earlier {
                    let made = make_beneath(root, parent, name, *kind);
                    made.map_err(|errno| Stage::Step.failed_at(number, errno))?;
                }
            }
            made_up_to = index;
            answer = carry_out(root, covers, operation);
        }
        let scratch = answer.map_err(|errno| Stage::Step.failed_at(index, errno))?;
        if scratch >= TIDY_FROM {
            covers.close_what_came_later().map_err(Stage::Descriptors.failed())?;
        }
    }
    Ok(())
}

/// Without this, what is mounted here could appear on the host, and what the host mounts later could appear here.
fn keep_mounts_to_ourselves() -> Result<(), Errno> {
    let private = MountAttributes { propagation: libc::MS_PRIVATE, ..MountAttributes::default() };
    mount_setattr(CWD, c"/", AT_RECURSIVE, &private)
}

/// `AT_RECURSIVE` of fcntl.h.
const AT_RECURSIVE: u32 = libc::AT_RECURSIVE as u32;

/// A tmpfs has to be attached somewhere before anything can be mounted on it: `/proc` of the old root is not needed any more.
fn attach_memory_root() -> Result<OwnedFd, Errno> {
    let context = fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, c"mode", c"0755")?;
    fsconfig_create(&context)?;
    let root = fsmount(
        &context,
        FsMountFlags::FSMOUNT_CLOEXEC,
        MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV,
    )?;
    move_mount(&root, c"", CWD, c"/proc", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    Ok(root)
}

/// What denied names are covered with: a directory and a file without any permission. They end up below the mount
/// point of `/proc`, where nothing can see them.
struct Covers {
    directory: OwnedFd,
    file: OwnedFd,
}

impl Covers {
    /// Closes the descriptors that were opened after the covers: those of the steps.
    fn close_what_came_later(&self) -> Result<(), Errno> {
        let last = self.directory.as_raw_fd().max(self.file.as_raw_fd());
        // SAFETY: what the steps opened is in nobody's hands any more (`Scratch`).
        unsafe { crate::sys::process::close_range(last.unsigned_abs().saturating_add(1), u32::MAX) }
    }
}

fn make_covers(root: &OwnedFd) -> Result<Covers, Errno> {
    mkdirat(root, c"proc", Bits::from_raw_mode(0o755))?;
    mkdirat(root, c"proc/directory", Bits::empty())?;
    make_file(root, c"proc/file", Bits::empty())?;
    Ok(Covers { directory: open_beneath(root, c"proc/directory")?, file: open_beneath(root, c"proc/file")? })
}

fn make_devices(root: &OwnedFd) -> Result<(), Errno> {
    mkdirat(root, c"dev", Bits::from_raw_mode(0o755))?;
    mkdirat(root, c"dev/pts", Bits::from_raw_mode(0o755))?;
    mkdirat(root, c"dev/shm", Bits::from_raw_mode(0o1777))?;
    for (target, at) in DEVICE_LINKS {
        symlinkat(target, root, at)?;
    }
    for (host, at) in DEVICES {
        make_file(root, at, Bits::from_raw_mode(0o644))?;
        let node = open_tree(CWD, host, OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC)?;
        move_mount(&node, c"", root, at, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    }
    Ok(())
}

/// A descriptor that is left open.
type Scratch = ManuallyDrop<OwnedFd>;

/// Answers the highest descriptor that it left open.
fn carry_out(root: &OwnedFd, covers: &Covers, operation: &Operation<'_>) -> Result<RawFd, Errno> {
    match operation {
        Operation::Make { at, kind, mode } => make(root.as_fd(), at, *kind, Bits::from_raw_mode(*mode)).map(|()| 0),
        Operation::MakeBeneath { parent, name, kind } => make_beneath(root, parent, name, *kind).map(|()| 0),
        Operation::Link { at, target } => symlinkat(*target, root, *at).map(|()| 0),
        Operation::LinkBeneath { parent, name, target } => {
            let parent = open_beneath(root, parent)?;
            link_again(&parent, name, target).map(|()| 0)
        }
        Operation::Tree { host, at, made, attributes } => {
            let source = Scratch::new(open_on_host(host)?);
            let tree = clone_tree(source.as_fd(), *attributes)?;
            if !made {
                return mount(tree, open_beneath(root, at)?);
            }
            // Nobody else can reach that memory yet, so the path leads where it was made.
            let tree = Scratch::new(tree);
            move_mount(&*tree, c"", root, *at, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
            Ok(tree.as_raw_fd())
        }
        Operation::Protect { at } => protect(root, at),
        Operation::Pin { at } => {
            let Some(place) = present(open_beneath(root, at))? else { return Ok(0) };
            let tree = clone_tree(place.as_fd(), 0)?;
            mount(tree, place)
        }
        Operation::Memory { at } => attach_memory(root, at).map(|()| 0),
        Operation::File { at, memory, content, optional } => put_file(root, at, memory, content, *optional),
        Operation::Mask { at, kind } => {
            let cover = match kind {
                Kind::Directory => &covers.directory,
                Kind::File => &covers.file,
            };
            let place = open_beneath(root, at)?;
            mount(clone_tree(cover.as_fd(), READ_ONLY | NO_EXEC)?, place)
        }
        Operation::MaskAround { at, cover } => {
            let place = open_beneath(root, at)?;
            let cover = Scratch::new(open_beneath(root, cover)?);
            mount(clone_tree(cover.as_fd(), READ_ONLY | NO_EXEC)?, place)
        }
    }
}

/// Mounts a file of the root's own memory over what is at `at`, whatever that is: also over a symbolic link.
fn put_file(root: &OwnedFd, at: &CStr, memory: &CStr, content: &[u8], optional: bool) -> Result<RawFd, Errno> {
    let place = match present(open_beneath(root, at))? {
        Some(place) => place,
        None if optional => return Ok(0),
        None => return Err(Errno::NOENT),
    };
    make_file(root, memory, Bits::from_raw_mode(0o644))?;
    let file = openat(root, memory, OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW, Bits::empty())?;
    let mut rest = content;
    while !rest.is_empty() {
        let written = rustix::io::write(&file, rest)?;
        rest = rest.get(written..).unwrap_or_default();
    }
    drop(file);
    let file = Scratch::new(open_beneath(root, memory)?);
    mount(clone_tree(file.as_fd(), READ_ONLY | NO_SUID | NO_DEVICES | NO_EXEC)?, place)
}

/// Attaches `tree` at `place` and leaves both open.
fn mount(tree: OwnedFd, place: OwnedFd) -> Result<RawFd, Errno> {
    let (tree, place) = (Scratch::new(tree), Scratch::new(place));
    attach(&tree, &place)?;
    Ok(tree.as_raw_fd().max(place.as_raw_fd()))
}

fn make_beneath(root: &OwnedFd, parent: &CStr, name: &CStr, kind: Kind) -> Result<(), Errno> {
    let parent = open_beneath(root, parent)?;
    let mode = match kind {
        Kind::Directory => 0o700,
        Kind::File => 0o600,
    };
    match make(parent.as_fd(), name, kind, Bits::from_raw_mode(mode)) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Mounts what is at `at` over itself, read-only.
fn protect(root: &OwnedFd, at: &CStr) -> Result<RawFd, Errno> {
    let place = open_beneath(root, at)?;
    let tree = clone_tree(place.as_fd(), READ_ONLY)?;
    mount(tree, place)
}

/// As [`protect`], if nothing is mounted there. Says whether there was something to do.
pub(super) fn protect_again(root: &OwnedFd, at: &CStr) -> Result<bool, Errno> {
    if is_mount(&open_beneath(root, at)?)? {
        return Ok(false);
    }
    protect(root, at).map(|_| true)
}

/// Covers a file with the inside's `/dev/null`: connecting to what is no socket is refused. A file that is gone needs no
/// cover.
pub(super) fn cover_with_nothing(root: &OwnedFd, at: &CStr) -> Result<bool, Errno> {
    let Some(place) = present(open_beneath(root, at))? else { return Ok(false) };
    attach(&clone_tree(open_beneath(root, c"dev/null")?.as_fd(), 0)?, &place).map(|()| true)
}

fn is_mount(place: &OwnedFd) -> Result<bool, Errno> {
    let found = statx(place, c"", AtFlags::EMPTY_PATH, StatxFlags::empty())?;
    Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

fn make(directory: BorrowedFd<'_>, at: &CStr, kind: Kind, mode: Bits) -> Result<(), Errno> {
    match kind {
        Kind::Directory => mkdirat(directory, at, mode),
        Kind::File => make_file(directory, at, mode),
    }
}

fn make_file(directory: impl AsFd, at: &CStr, mode: Bits) -> Result<(), Errno> {
    mknodat(directory, at, FileType::RegularFile, mode, 0)
}

/// Makes a symbolic link, replacing one with another text. Anything else in its place is left there.
fn link_again(parent: &OwnedFd, name: &CStr, target: &CStr) -> Result<(), Errno> {
    match symlinkat(target, parent, name) {
        Err(Errno::EXIST) => {}
        other => return other,
    }
    let mut buffer = [const { std::mem::MaybeUninit::uninit() }; libc::PATH_MAX as usize];
    let same = match readlinkat_raw(parent, name, &mut buffer) {
        Ok((text, _)) => text == target.to_bytes(),
        // Not a link: the inside of an earlier run has put something of its own there.
        Err(_) => true,
    };
    if same {
        return Ok(());
    }
    unlinkat(parent, name, AtFlags::empty())?;
    symlinkat(target, parent, name)
}

/// Opens a path of the old root without following any symbolic link: the policy's paths are canonical, so a link met now
/// was put there since they were resolved.
fn open_on_host(path: &CStr) -> Result<OwnedFd, Errno> {
    open_unswapped(CWD, path, ResolveFlags::empty())
}

/// Opens a path of the new root without leaving it and without following any symbolic link.
fn open_beneath(root: &OwnedFd, path: &CStr) -> Result<OwnedFd, Errno> {
    open_unswapped(root.as_fd(), if path.is_empty() { c"." } else { path }, ResolveFlags::BENEATH)
}

/// How often to try again when something is renamed on the way (openat2(2), `EAGAIN`); a hostile process could do that for ever.
const ATTEMPTS: usize = 64;

fn open_unswapped(directory: BorrowedFd<'_>, path: &CStr, resolve: ResolveFlags) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let resolve = resolve | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let mut answer = Err(Errno::AGAIN);
    for _ in 0..ATTEMPTS {
        answer = openat2(directory, path, flags, Bits::empty(), resolve);
        if !matches!(answer, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    answer
}

fn attach(tree: &OwnedFd, place: &OwnedFd) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(tree, c"", place, c"", flags)
}

fn set_attributes(mount: &OwnedFd, set: u64) -> Result<(), Errno> {
    let attributes = MountAttributes { set, ..MountAttributes::default() };
    mount_setattr(mount.as_fd(), c"", libc::AT_EMPTY_PATH as u32, &attributes)
}

/// A directory of the root's memory as a mount of its own: it stays writable when the root becomes read-only.
fn attach_memory(root: &OwnedFd, at: &CStr) -> Result<(), Errno> {
    let place = open_beneath(root, at)?;
    attach(&clone_tree(place.as_fd(), 0)?, &place)
}

/// A devpts of our own: pseudo-terminals of the host are neither seen nor numbered here (devpts, "newinstance").
fn attach_terminals(root: &OwnedFd) -> Result<(), Errno> {
    let context = fsopen(c"devpts", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, c"ptmxmode", c"0666")?;
    fsconfig_set_string(&context, c"mode", c"0620")?;
    fsconfig_create(&context)?;
    let mount = fsmount(
        &context,
        FsMountFlags::FSMOUNT_CLOEXEC,
        MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC,
    )?;
    move_mount(&mount, c"", root, c"dev/pts", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
}

/// A proc of the new process-id namespace. For user 0 it is read-only, and what tells about the kernel's memory is covered;
/// for anybody else the files' own permissions do that already. Processes of a nested user namespace have to write their
/// maps, so with those only the parts that act on the host are read-only.
fn attach_proc(root: &OwnedFd, covers: &Covers, user: ProcUser) -> Result<(), Errno> {
    let context = fsopen(c"proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    let proc = fsmount(
        &context,
        FsMountFlags::FSMOUNT_CLOEXEC,
        MountAttrFlags::MOUNT_ATTR_NOSUID
            | MountAttrFlags::MOUNT_ATTR_NODEV
            | MountAttrFlags::MOUNT_ATTR_NOEXEC
            | if user == ProcUser::Zero { MountAttrFlags::MOUNT_ATTR_RDONLY } else { MountAttrFlags::empty() },
    )?;
    move_mount(&proc, c"", root, c"proc", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    if user == ProcUser::ZeroNesting {
        for part in proc_parts::ACTING {
            let Some(place) = present(open_beneath(root, part))? else { continue };
            mount(clone_tree(place.as_fd(), READ_ONLY)?, place)?;
        }
    }
    for part in proc_parts::telling(user != ProcUser::Other) {
        let Some(place) = present(open_beneath(root, part))? else { continue };
        mount(clone_tree(covers.file.as_fd(), READ_ONLY | NO_EXEC)?, place)?;
    }
    Ok(())
}

fn present(opened: Result<OwnedFd, Errno>) -> Result<Option<OwnedFd>, Errno> {
    match opened {
        Ok(place) => Ok(Some(place)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// pivot_root(2), "pivot_root(".", ".")": the old root lands on top of the new one and is detached from there.
fn change_root(root: &OwnedFd) -> Result<(), Errno> {
    fchdir(root)?;
    pivot_root(c".", c".")?;
    unmount(c".", UnmountFlags::DETACH)?;
    rustix::process::chdir(c"/")
}
