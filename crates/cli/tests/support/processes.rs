//! Finding processes by a mark in their arguments, as the host sees them.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

/// A mark that no other process of this machine carries.
pub(crate) fn mark() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("bailiwick-mark-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The ids of all processes whose **first** argument is the mark. `bailiwick` itself carries it further back.
pub(crate) fn named(mark: &str) -> Vec<u32> {
    all()
        .filter(|(_, arguments)| arguments.split(|byte| *byte == 0).next() == Some(mark.as_bytes()))
        .map(|p| p.0)
        .collect()
}

/// The ids of all processes that have the mark anywhere in their arguments.
pub(crate) fn mentioning(mark: &str) -> Vec<u32> {
    let mark = mark.as_bytes();
    all().filter(|(_, arguments)| arguments.windows(mark.len()).any(|part| part == mark)).map(|p| p.0).collect()
}

/// Whether the process that carries the mark belongs to the group that its terminal listens to.
pub(crate) fn has_terminal(mark: &str) -> bool {
    named(mark).into_iter().any(|id| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // proc(5): after the name in brackets come state, parent, group, session, terminal, and the terminal's group.
        let rest = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
        let fields: Vec<&str> = rest.split_whitespace().collect();
        matches!(fields.as_slice(), [state, _, group, _, _, terminals, ..] if group == terminals && *state != "T")
    })
}

fn all() -> impl Iterator<Item = (u32, Vec<u8>)> {
    fs::read_dir("/proc").expect("/proc").flatten().filter_map(|entry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        Some((id, fs::read(entry.path().join("cmdline")).ok()?))
    })
}
