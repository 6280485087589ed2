//! Did you mean?

use bailiwick::policy::nearest;

/// The candidate that `typed` was most likely meant to be, if one is near enough: a slip of the fingers, or the start of
/// a single one.
pub(super) fn nearest<'a>(typed: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let candidates: Vec<&str> = candidates.collect();
    nearest::nearest(typed, candidates.iter().copied()).or_else(|| {
        let mut starting = candidates.iter().filter(|candidate| typed.len() >= 3 && candidate.starts_with(typed));
        starting.next().copied().filter(|_| starting.next().is_none())
    })
}
