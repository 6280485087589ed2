//! Answers that still hold: a program that opens many connections to one host asks once.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::Resolved;

/// Most names that are kept.
const MOST_NAMES: usize = 256;
/// Longest that an answer is kept, whatever its servers say.
const LONGEST: Duration = Duration::from_secs(60);

/// Answers and until when they hold. Only addresses are kept: that a name is not there is asked again.
#[derive(Debug, Default)]
pub(super) struct Cache {
    known: HashMap<Box<str>, (Instant, Resolved)>,
}

impl Cache {
    /// The addresses of a name, if they still hold.
    pub(super) fn get(&mut self, name: &str, now: Instant) -> Option<Resolved> {
        match self.known.get(name) {
            Some((until, resolved)) if *until > now => Some(resolved.clone()),
            Some(_) => {
                self.known.remove(name);
                None
            }
            None => None,
        }
    }

    /// Keeps the addresses of a name for so long, at most [`LONGEST`].
    pub(super) fn put(&mut self, name: &str, resolved: &Resolved, keep: Duration, now: Instant) {
        if keep.is_zero() {
            return;
        }
        if self.known.len() >= MOST_NAMES && !self.known.contains_key(name) {
            self.make_room(now);
        }
        self.known.insert(name.into(), (now + keep.min(LONGEST), resolved.clone()));
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    fn make_room(&mut self, now: Instant) {
        self.known.retain(|_, (until, _)| *until > now);
        if self.known.len() < MOST_NAMES {
            return;
        }
        // None has run out, so the next one to do so goes.
        let soonest = self.known.iter().min_by_key(|(_, (until, _))| *until).map(|(name, _)| name.clone());
        if let Some(name) = soonest {
            self.known.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address() -> Resolved {
        Resolved { name: "x.example".to_owned(), addresses: vec!["192.0.2.1".parse().unwrap()] }
    }

    #[test]
    fn an_answer_holds_as_long_as_it_says_and_a_minute_at_most() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        cache.put("short", &address(), 5 * SECOND, now);
        cache.put("long", &address(), 5000 * SECOND, now);
        cache.put("none", &address(), Duration::ZERO, now);
        assert_eq!(cache.get("short", now + 4 * SECOND), Some(address()));
        assert_eq!(cache.get("short", now + 5 * SECOND), None);
        assert_eq!(cache.get("long", now + 59 * SECOND), Some(address()));
        assert_eq!(cache.get("long", now + 60 * SECOND), None);
        assert_eq!(cache.get("none", now), None);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        for number in 0..3 * MOST_NAMES {
            let keep = if number == 7 { SECOND } else { 30 * SECOND };
            cache.put(&number.to_string(), &address(), keep, now);
            assert!(cache.known.len() <= MOST_NAMES);
        }
        assert_eq!(cache.get("7", now), None, "the first to go");
        assert_eq!(cache.get(&(3 * MOST_NAMES - 1).to_string(), now), Some(address()));
    }
}
