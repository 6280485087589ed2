//! The system-call filter: a deny list, compiled when bailiwick is built.
//!
//! ```text
//! table (name, numbers, rule, why) ──► one target per number ──► ranges ──► cheapest tree ──► [sock_filter; ≤ 64]
//! ```
//!
//! A deny list and not an allow list, because agents run anything. What makes it safe is that every number above the
//! newest that was looked at answers ENOSYS: a call that the next kernel adds is closed until someone has read about it.
//!
//! Loading costs about half a microsecond an instruction, so numbers are merged to ranges, each action returns in one
//! place, and no variant may exceed [`MOST`] instructions: the build fails if one does.
//!
//! # Choice of errors
//!
//! * **EPERM** where policy refuses something that the kernel could do: the answer of a kernel without the privilege.
//! * **ENOSYS** where programs have a tested way around a missing call and would take EPERM for a failure: `clone3`
//!   (C libraries fall back to `clone`, whose flags can be seen), `io_uring_*` (run-times fall back to `epoll`), the new
//!   mount calls (`mount` falls back to the old one, and gets EPERM there), and everything newer than the table.
//! * **EAFNOSUPPORT** for socket families: what a kernel without that family answers. In the `landlock` tier, where no
//!   family but UNIX is left, **EACCES**: a kernel without IPv4 is not believable, and Landlock itself answers so.
//! * **death** for a foreign architecture: the numbers mean other calls there. x32 is the same architecture with bit 30
//!   set in the number, far above the newest known one: ENOSYS.
//!
//! # What `nested_namespaces` costs
//!
//! A browser or another sandbox inside needs `unshare`, `setns`, `clone` with namespace flags, and the mount family.
//! With them, code inside gets every capability over namespaces of its own, and so reaches kernel code that is
//! otherwise closed to it: network filter tables, file-system parsers, traffic control. Most local kernel exploits of
//! recent years begin there. What is outside the writable roots stays as it is: mounts that come from outside are
//! locked together in a nested mount namespace. But the kernel refuses to rename and remove a mount point only in the
//! namespace that it is mounted in, so *inside* writable roots names are no longer protected, and what is denied there
//! can be read. The promises say so.

mod compile;
mod table;
#[cfg(test)]
mod tests;

use libc::sock_filter;

use crate::api::Tier;
use compile::{Program, compile, trim};
pub use table::{Arch, Call, Check, Opening, Rule, TABLE};

/// The most instructions that a filter may have.
pub const MOST: usize = 64;

/// The newest system call that the table's author has looked at: `file_setattr`, Linux 6.17. Newer numbers answer ENOSYS.
/// (All architectures but Alpha share the numbers from 424 on.)
pub const NEWEST: u32 = 469;

/// What a filter leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Openings {
    /// The tier: in `landlock` there is no namespace around the network and System V objects, so the filter closes them.
    pub tier: Tier,
    /// Processes inside may trace one another (debuggers, strace).
    pub trace: bool,
    /// User namespaces may be made inside.
    pub nested_namespaces: bool,
}

impl Openings {
    /// Every combination.
    pub const ALL: [Openings; 8] = [
        Openings { tier: Tier::Namespaces, trace: false, nested_namespaces: false },
        Openings { tier: Tier::Namespaces, trace: false, nested_namespaces: true },
        Openings { tier: Tier::Namespaces, trace: true, nested_namespaces: false },
        Openings { tier: Tier::Namespaces, trace: true, nested_namespaces: true },
        Openings { tier: Tier::Landlock, trace: false, nested_namespaces: false },
        Openings { tier: Tier::Landlock, trace: false, nested_namespaces: true },
        Openings { tier: Tier::Landlock, trace: true, nested_namespaces: false },
        Openings { tier: Tier::Landlock, trace: true, nested_namespaces: true },
    ];

    /// The place of this combination in [`ALL`](Self::ALL).
    const fn index(self) -> usize {
        let tier = match self.tier {
            Tier::Namespaces => 0,
            Tier::Landlock => 4,
        };
        tier + 2 * (self.trace as usize) + (self.nested_namespaces as usize)
    }
}

/// The filter for these openings, for the architecture that bailiwick was built for.
///
/// Constant data: callable after clone.
pub const fn filter(openings: Openings) -> &'static [sock_filter] {
    FILTERS[openings.index()]
}

/// Compiles the variants of the target architecture into constants of exactly their length.
macro_rules! filters {
    ($($index:literal),*) => {
        [$({
            const PROGRAM: Program = compile(Arch::TARGET, Openings::ALL[$index]);
            const LENGTH: usize = PROGRAM.len;
            static FILTER: [sock_filter; LENGTH] = trim::<LENGTH>(&PROGRAM);
            &FILTER
        }),*]
    };
}

static FILTERS: [&[sock_filter]; Openings::ALL.len()] = filters!(0, 1, 2, 3, 4, 5, 6, 7);
