//! Telling attempts, at a bounded rate: the inside can make any number of them, and nobody reads a million.

use std::time::{Duration, Instant};

use crate::event::{Attempt, AttemptResult, Begun, Way, bounded};
use crate::program::Program;

/// How many seconds' worth of attempts may be told at once.
const BURST_SECONDS: u32 = 20;

/// Where attempts are told.
pub(crate) struct Telling {
    sink: Box<dyn FnMut(Attempt)>,
    /// For what was carried: any number of refusals must not hide it.
    carried: Allowance,
    others: Allowance,
    untold: u64,
}

/// How many may be told at this moment.
struct Allowance {
    /// A second, on average.
    rate: u32,
    left: f64,
    refilled: Instant,
}

impl Allowance {
    fn new(rate: u32) -> Allowance {
        Allowance { rate, left: f64::from(rate.saturating_mul(BURST_SECONDS)), refilled: Instant::now() }
    }

    /// One more?
    fn take(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.refilled).min(Duration::from_secs(u64::from(BURST_SECONDS)));
        let most = f64::from(self.rate.saturating_mul(BURST_SECONDS));
        self.left = (self.left + since.as_secs_f64() * f64::from(self.rate)).min(most);
        self.refilled = now;
        let one = self.left >= 1.0;
        if one {
            self.left -= 1.0;
        }
        one
    }
}

impl Telling {
    /// Tells to `sink`: of what was carried `rate` attempts a second on average, and as many of all others.
    pub(crate) fn new(sink: impl FnMut(Attempt) + 'static, rate: u32) -> Telling {
        Telling { sink: Box::new(sink), carried: Allowance::new(rate), others: Allowance::new(rate), untold: 0 }
    }

    /// Tells an attempt, or counts it as untold.
    pub(crate) fn tell(&mut self, attempt: Attempt) {
        self.tell_at(attempt, Instant::now());
    }

    fn tell_at(&mut self, mut attempt: Attempt, now: Instant) {
        // A name that was looked up is no connection, and costs nothing to repeat.
        let carried = matches!(attempt.result, AttemptResult::Allowed { .. }) && attempt.way != Way::Dns;
        let allowance = if carried { &mut self.carried } else { &mut self.others };
        if !allowance.take(now) {
            self.untold = self.untold.saturating_add(1);
            return;
        }
        bound(&mut attempt.host);
        attempt.request.iter_mut().chain(&mut attempt.program).for_each(bound);
        match &mut attempt.result {
            AttemptResult::Allowed { rule, .. } => bound(rule),
            AttemptResult::Refused { reason, rule, grant } => {
                [reason].into_iter().chain(rule).chain(grant).for_each(bound);
            }
            AttemptResult::Failed { reason } => bound(reason),
        }
        if self.untold > 0 {
            (self.sink)(untold(attempt.way, std::mem::take(&mut self.untold)));
        }
        (self.sink)(attempt);
    }

    /// Tells how many attempts were not told, if any: the gate ends.
    pub(crate) fn finish(&mut self) {
        if self.untold > 0 {
            let number = std::mem::take(&mut self.untold);
            (self.sink)(untold(Way::Packet, number));
        }
    }
}

/// An event that stands for those that were not told.
fn untold(way: Way, number: u64) -> Attempt {
    Begun::now(way, "", 0, Program::unknown())
        .failed(format!("{number} more attempts were made than are told one by one"))
}

/// The longest text in an event, in bytes: the inside may have chosen it, or a part of it.
const LONGEST: usize = 2048;

fn bound(text: &mut String) {
    let end = bounded(text, LONGEST).len();
    text.truncate(end);
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::event::AttemptResult;

    fn attempt(port: u16) -> Attempt {
        let result = AttemptResult::Failed { reason: "test".to_owned() };
        Attempt { at: 1, way: Way::Dns, program: None, host: "x".repeat(5000), port, request: None, result }
    }

    #[test]
    fn a_flood_is_told_in_part_and_counted_as_a_whole() {
        let told = Rc::new(RefCell::new(Vec::new()));
        let sink = told.clone();
        let mut telling = Telling::new(move |attempt| sink.borrow_mut().push(attempt), 1);
        let start = telling.others.refilled;
        for port in 0..100 {
            telling.tell_at(attempt(port), start);
        }
        assert_eq!(told.borrow().len(), 20, "the burst and no more");
        telling.tell_at(attempt(1), start + Duration::from_secs(1));
        let told = told.borrow();
        assert_eq!(told.len(), 22);
        assert_eq!(
            told[20].result,
            AttemptResult::Failed { reason: "80 more attempts were made than are told one by one".to_owned() }
        );
        assert_eq!((told[21].port, told[21].host.len()), (1, 2048));
    }

    #[test]
    fn a_flood_of_refusals_hides_nothing_that_was_carried() {
        let told = Rc::new(RefCell::new(Vec::new()));
        let sink = told.clone();
        let mut telling = Telling::new(move |attempt| sink.borrow_mut().push(attempt), 1);
        let start = telling.others.refilled;
        for port in 0..100 {
            telling.tell_at(attempt(port), start);
        }
        let rule = "r".repeat(9000);
        let result = AttemptResult::Allowed { address: None, rule, sent: 1, received: 1, duration: 1 };
        telling.tell_at(Attempt { way: Way::Transparent, result, ..attempt(7) }, start);
        let told = told.borrow();
        let last = told.last().unwrap();
        assert!(matches!(&last.result, AttemptResult::Allowed { rule, .. } if rule.len() == LONGEST), "{last:?}");
    }

    #[test]
    fn what_was_not_told_is_counted_at_the_end() {
        let told = Rc::new(RefCell::new(0));
        let sink = told.clone();
        let mut telling = Telling::new(move |_| *sink.borrow_mut() += 1, 0);
        telling.tell(attempt(1));
        telling.finish();
        telling.finish();
        assert_eq!(*told.borrow(), 1);
    }
}
