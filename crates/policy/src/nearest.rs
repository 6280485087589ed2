//! The nearest known word to one that is not known, for messages.

/// The word of `known` that `word` was probably meant to be, if one is near enough to be worth naming.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Hostile documents hold keys of any length; no known word is longer than this plus the distance looked for.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let word: Vec<char> = word.to_lowercase().chars().map(|c| if c == '-' { '_' } else { c }).collect();
    let within = (word.len() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| {
            let letters: Vec<char> = candidate.chars().map(|c| if c == '-' { '_' } else { c }).collect();
            (distance(&word, &letters), candidate)
        })
        .filter(|(distance, _)| *distance <= within)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many single letters must be inserted, removed, replaced or swapped with their neighbour to make `a` into `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, &y) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(x != y);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_was_probably_meant() {
        let known = ["read", "write", "deny", "protect", "search_limit"];
        assert_eq!(nearest("raed", known), Some("read"));
        assert_eq!(nearest("Protekt", known), Some("protect"));
        assert_eq!(nearest("search-limit", known), Some("search_limit"));
        assert_eq!(nearest("writes", known), Some("write"));
    }

    #[test]
    fn says_nothing_when_nothing_is_near() {
        assert_eq!(nearest("colour", ["read", "write"]), None);
        assert_eq!(nearest("", ["read"]), None);
        assert_eq!(nearest(&"r".repeat(1 << 20), ["read"]), None);
    }

    #[test]
    fn distance_counts_single_changes() {
        let count = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(count("", "abc"), 3);
        assert_eq!(count("abc", "abc"), 0);
        assert_eq!(count("abc", "acb"), 1);
        assert_eq!(count("kitten", "sitting"), 3);
    }
}
