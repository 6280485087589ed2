//! Parts of `/proc` that reach beyond the enclosure. The kernel looks at the user id there, not at capabilities, so user 0 has to be
//! kept from them; and what has no namespace is the same for everybody.
//!
//! Paths from the root, without the leading `/`.

use std::ffi::CStr;

/// Those through which user 0 could change the host. Missing ones are skipped: not every kernel has them all. Used where
/// processes must be able to write their own entries; else `/proc` is read-only as a whole for user 0.
pub const ACTING: [&CStr; 8] = [
    c"proc/sys",
    c"proc/sysrq-trigger",
    c"proc/irq",
    c"proc/bus",
    c"proc/fs",
    c"proc/acpi",
    c"proc/scsi",
    c"proc/mtrr",
];

/// Lists the keys of everybody's session keyrings that the reader may see: keyrings have no namespace (keyrings(7)).
const KEYS: &CStr = c"proc/keys";

/// Those that tell user 0 about the kernel's memory.
const MEMORY: [&CStr; 9] = [
    c"proc/kcore",
    c"proc/timer_list",
    c"proc/kallsyms",
    c"proc/kpagecount",
    c"proc/kpageflags",
    c"proc/kpagecgroup",
    c"proc/vmallocinfo",
    c"proc/slabinfo",
    c"proc/iomem",
];

/// Those that are covered, for user 0 or for anybody else. Missing ones are skipped.
pub fn telling(user_zero: bool) -> impl Iterator<Item = &'static CStr> {
    std::iter::once(KEYS).chain(MEMORY.into_iter().filter(move |_| user_zero))
}
