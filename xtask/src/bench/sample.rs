//! Measuring: contenders take turns, medians are compared.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::shell::{self, Doing, Failure};

/// The times of one contender, sorted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample(Vec<Duration>);

impl Sample {
    /// A sample of these times.
    pub(crate) fn of(mut times: Vec<Duration>) -> Sample {
        times.sort_unstable();
        Sample(times)
    }

    /// The time that half of the runs stayed below.
    pub(crate) fn median(&self) -> Duration {
        self.quantile(50)
    }

    /// The time that 99 of 100 runs stayed below.
    pub(crate) fn p99(&self) -> Duration {
        self.quantile(99)
    }

    fn quantile(&self, percent: usize) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0.get(last * percent / 100).copied().unwrap_or_default()
    }

    /// How many times longer than the other's median this one's is.
    pub(crate) fn ratio(&self, other: &Sample) -> f64 {
        self.median().as_secs_f64() / other.median().as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Somebody whose time is taken; the error says what went wrong with the run.
pub(crate) type Contender<'a> = &'a mut dyn FnMut() -> Result<Duration, Failure>;

/// Lets the contenders run in turns, each round beginning with another one, and gives a sample for each. The first
/// rounds only warm the caches.
pub(crate) fn interleaved(rounds: usize, contenders: &mut [Contender<'_>]) -> Result<Vec<Sample>, Failure> {
    let count = contenders.len();
    let warm = (rounds / 10).clamp(1, 20);
    let mut times = vec![Vec::with_capacity(rounds); count];
    for round in 0..rounds + warm {
        for turn in 0..count {
            let who = (round + turn) % count;
            let (Some(contender), Some(times)) = (contenders.get_mut(who), times.get_mut(who)) else { continue };
            let time = contender()?;
            if round >= warm {
                times.push(time);
            }
        }
    }
    Ok(times.into_iter().map(Sample::of).collect())
}

/// The time from starting a command to having its exit status, seen from outside. The standard library starts it by
/// `posix_spawn`, so this process's size plays no part.
pub(crate) fn timed(command: &mut Command) -> Result<Duration, Failure> {
    timed_with(command, Stdio::null())
}

/// The same, with a standard input.
pub(crate) fn timed_with(command: &mut Command, input: Stdio) -> Result<Duration, Failure> {
    command.stdin(input).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status();
    let time = start.elapsed();
    let status = status.doing(format!("cannot start `{}`", shell::shown(command)))?;
    if status.success() {
        Ok(time)
    } else {
        Err(Failure::new(format!("`{}` ended with {status}", shell::shown(command))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_tails() {
        let sample = Sample::of((0..=100).rev().map(Duration::from_millis).collect());
        assert_eq!((sample.median(), sample.p99()), (Duration::from_millis(50), Duration::from_millis(99)));
        let half = Sample::of(vec![Duration::from_millis(25)]);
        assert!((half.ratio(&sample) - 0.5).abs() < 1e-9);
        assert_eq!(Sample::default().median(), Duration::ZERO);
    }

    #[test]
    fn contenders_take_turns_and_all_rounds_count_but_the_warm_ones() {
        let order = std::cell::RefCell::new(String::new());
        let mut first = || {
            order.borrow_mut().push('a');
            Ok(Duration::from_millis(1))
        };
        let mut second = || {
            order.borrow_mut().push('b');
            Ok(Duration::from_millis(2))
        };
        let samples = interleaved(3, &mut [&mut first, &mut second]).expect("no contender fails");
        assert_eq!(order.into_inner(), "abbaabba");
        assert_eq!(samples.iter().map(|sample| sample.0.len()).collect::<Vec<_>>(), [3, 3]);
    }
}
