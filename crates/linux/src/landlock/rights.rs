//! The rights that Landlock knows, by the interface (ABI) that brought them. Source: `include/uapi/linux/landlock.h` and
//! `Documentation/userspace-api/landlock.rst` of the kernel.

/// Rights that a file can have; the others belong to directories.
pub(super) const FILE_RIGHTS: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV | RESOLVE_UNIX;

const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_DIR: u64 = 1 << 7;
const MAKE_REG: u64 = 1 << 8;
const MAKE_SOCK: u64 = 1 << 9;
const MAKE_FIFO: u64 = 1 << 10;
const MAKE_SYM: u64 = 1 << 12;
/// Rename or link into another directory (ABI 2). Before, every such call is refused with EXDEV.
const REFER: u64 = 1 << 13;
/// Truncate (ABI 3). Before, `truncate` reaches every file that the user may write.
const TRUNCATE: u64 = 1 << 14;
/// `ioctl` on devices (ABI 5).
const IOCTL_DEV: u64 = 1 << 15;
/// Connect or send to a UNIX socket by its path, unless it was made inside (ABI 9, Linux 7.1).
const RESOLVE_UNIX: u64 = 1 << 16;

/// Everything that the first interface handles: bits 0 to 12, character and block devices among them.
const FIRST: u64 = (1 << 13) - 1;

/// Names of the bits, lowest first, for printing.
const NAMES: [&str; 17] = [
    "execute",
    "write-file",
    "read-file",
    "read-dir",
    "remove-dir",
    "remove-file",
    "make-char",
    "make-dir",
    "make-reg",
    "make-sock",
    "make-fifo",
    "make-block",
    "make-sym",
    "refer",
    "truncate",
    "ioctl-dev",
    "resolve-unix",
];

/// What the inside may do with a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Read, list, execute.
    Read,
    /// Also create, change, remove, rename: everything but making device files.
    Write,
    /// Read, write and control devices that exist; nothing is created.
    Devices,
    /// Connect to the host's UNIX sockets here, where the kernel can refuse that (ABI 9).
    Connect,
}

impl Use {
    /// All rights of this use, also those that the running kernel may not know.
    pub(super) const fn rights(self) -> u64 {
        const READ: u64 = EXECUTE | READ_FILE | READ_DIR;
        match self {
            Use::Read => READ,
            Use::Write => {
                READ | WRITE_FILE
                    | TRUNCATE
                    | REMOVE_DIR
                    | REMOVE_FILE
                    | MAKE_DIR
                    | MAKE_REG
                    | MAKE_SOCK
                    | MAKE_FIFO
                    | MAKE_SYM
                    | REFER
            }
            Use::Devices => READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | IOCTL_DEV,
            Use::Connect => RESOLVE_UNIX,
        }
    }
}

/// The devices of the host that the inside may use where it has no `/dev` of its own (the `landlock` tier).
///
/// Never grant the host's whole `/dev` there: it holds the user's other terminals (`/dev/pts`), other programs' shared memory
/// (`/dev/shm`) and, for root, disks, which their owner opens without any capability.
pub const HARMLESS_DEVICES: [&str; 6] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// What an open descriptor allows with its file.
pub(super) const fn of_descriptor(readable: bool, writable: bool) -> u64 {
    let read = if readable { READ_FILE } else { 0 };
    read | if writable { WRITE_FILE | TRUNCATE } else { 0 }
}

/// The version of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Abi(pub u32);

impl Abi {
    /// Every file-system right of this interface that bailiwick knows of.
    ///
    /// Rights of interfaces newer than the ones listed here are not handled, so they stay as open as without Landlock.
    pub const fn file_rights(self) -> u64 {
        let mut rights = 0;
        if self.0 >= 1 {
            rights |= FIRST;
        }
        if self.0 >= 2 {
            rights |= REFER;
        }
        if self.0 >= 3 {
            rights |= TRUNCATE;
        }
        if self.0 >= 5 {
            rights |= IOCTL_DEV;
        }
        if self.0 >= 9 {
            rights |= RESOLVE_UNIX;
        }
        rights
    }

    /// Every network right: TCP bind and connect from ABI 4, UDP bind and connect or send from ABI 10.
    ///
    /// They are not a network boundary: on current kernels Fast Open, MPTCP and `listen` without `bind` pass them.
    pub const fn net_rights(self) -> u64 {
        match self.0 {
            0..4 => 0,
            4..10 => 0b11,
            10.. => 0b1111,
        }
    }

    /// Whether connecting to UNIX sockets by path is a right of its own.
    pub const fn refuses_sockets_by_path(self) -> bool {
        self.0 >= 9
    }

    /// Every scope: abstract UNIX sockets and signals, from ABI 6.
    pub const fn scopes(self) -> u64 {
        if self.0 >= 6 { 0b11 } else { 0 }
    }
}

/// The names of file-system rights, for printing.
pub(super) fn names(rights: u64) -> Vec<&'static str> {
    NAMES.iter().enumerate().filter(|(bit, _)| rights & (1 << bit) != 0).map(|(_, name)| *name).collect()
}
