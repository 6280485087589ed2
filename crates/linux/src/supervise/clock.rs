//! The command's time: when it is up, the command is asked to end, and killed if it does not.

use std::time::{Duration, Instant};

/// How long the command has between SIGTERM and SIGKILL when its time is up.
const GRACE: Duration = Duration::from_secs(2);

/// When the command's time is up, and whether it has been told.
pub(super) struct Clock {
    deadline: Option<Instant>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    /// SIGTERM has been sent; the deadline is SIGKILL's.
    Asked,
    Killed,
}

/// What is to be done when a deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Ask the command to end.
    Ask,
    /// Kill it.
    Kill,
}

impl Clock {
    /// A clock that has not been started, and never strikes.
    pub(super) fn stopped() -> Clock {
        Clock { deadline: None, state: State::Running }
    }

    /// The command begins; without `time` it has as long as it wants.
    pub(super) fn start(&mut self, time: Option<Duration>) {
        self.deadline = time.map(|time| Instant::now() + time);
    }

    /// Whether the command's time was up while it ran.
    pub(super) fn has_struck(&self) -> bool {
        self.state != State::Running
    }

    /// How long until the next deadline.
    pub(super) fn left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// What is to be done now, if a deadline has passed; told once.
    pub(super) fn look(&mut self) -> Option<Due> {
        let now = Instant::now();
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return None;
        }
        match self.state {
            State::Running => {
                *self = Clock { deadline: Some(now + GRACE), state: State::Asked };
                Some(Due::Ask)
            }
            State::Asked => {
                *self = Clock { deadline: None, state: State::Killed };
                Some(Due::Kill)
            }
            State::Killed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_asked_first_and_killed_later() {
        let mut clock = Clock::stopped();
        assert_eq!((clock.look(), clock.left(), clock.has_struck()), (None, None, false));
        clock.start(None);
        assert_eq!((clock.look(), clock.left()), (None, None));
        clock.start(Some(Duration::from_secs(3600)));
        assert_eq!((clock.look(), clock.has_struck()), (None, false));
        clock.start(Some(Duration::ZERO));
        assert_eq!((clock.look(), clock.has_struck()), (Some(Due::Ask), true));
        assert!(clock.left().is_some_and(|left| !left.is_zero() && left <= GRACE));
        assert_eq!(clock.look(), None, "it has its grace");
        clock.deadline = Some(Instant::now());
        assert_eq!((clock.look(), clock.look(), clock.left()), (Some(Due::Kill), None, None));
    }
}
