//! Recording access checks: every variant of one's own token, many questions each.

use std::fmt;
use std::io;

use bailiwick_policy::text::escape;
use bailiwick_winsec::corpus::{Cases, CorpusError, Expected, Question, Recording, Replay, Source, record, replay};
use bailiwick_winsec::token::Token;

use super::SystemReading;
use super::tokens::{Step, difference, expected, variants};

/// Questions to each token, of which there are some 14: a file of a few megabytes, recorded within seconds.
pub const QUESTIONS: usize = 300;

/// Where the questions start. The same for everybody, so that two recordings can be compared.
const SEED: u64 = 0xba11;

/// What makes tokens and answers for them.
pub trait Witness {
    /// A token that can be asked about.
    type Token;
    /// One's own token, as it was read.
    fn own(&self) -> io::Result<Token>;
    /// The token that the steps make of one's own.
    fn after(&self, steps: &[Step]) -> io::Result<Self::Token>;
    /// That token, read back.
    fn read(&self, token: &Self::Token) -> io::Result<Token>;
    /// What `AccessCheck` says.
    fn ask(&self, token: &Self::Token, question: &Question, descriptor: &[u8]) -> io::Result<Expected>;
}

/// A recording.
#[derive(Debug)]
pub struct Recorded {
    /// The corpus: JSON lines.
    pub text: Vec<u8>,
    /// What came of each variant, by name.
    pub variants: Vec<(&'static str, Outcome)>,
    /// Whether this model answers alike.
    pub replay: Replay,
}

/// What came of one variant.
#[derive(Debug)]
pub enum Outcome {
    /// The token could not be made or read, for this reason.
    NotMade(String),
    /// It was asked about.
    Asked {
        /// Cases in which something was granted.
        granted: usize,
        /// Cases in which access was refused.
        refused: usize,
        /// Questions that were answered with an error, and the first of these.
        unanswered: Option<(usize, String)>,
        /// In what the token is another one than the model of `CreateRestrictedToken` expects.
        otherwise: Option<String>,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::NotMade(why) => write!(f, "not made: {why}"),
            Outcome::Asked { granted, refused, unanswered, otherwise } => {
                write!(f, "{granted} granted, {refused} refused")?;
                if let Some((count, why)) = unanswered {
                    write!(f, ", {count} not answered ({why})")?;
                }
                if let Some(parts) = otherwise {
                    write!(f, "; the token that came back differs from what this model expects in {parts}")?;
                }
                Ok(())
            }
        }
    }
}

/// Why nothing was recorded.
#[derive(Debug)]
pub enum ChecksError {
    /// One's own token could not be read.
    Own(io::Error),
    /// Not one question was answered, so there is nothing to write.
    Nothing(Vec<(&'static str, Outcome)>),
    /// What was recorded does not read.
    Unreadable(CorpusError),
    /// A case could not be written.
    Write(io::Error),
}

impl fmt::Display for ChecksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChecksError::Own(error) => write!(f, "reading the token of this process: {error}"),
            ChecksError::Nothing(variants) => {
                f.write_str("not one access check was answered")?;
                variants.iter().try_for_each(|(name, outcome)| write!(f, "\n  {name}: {outcome}"))
            }
            ChecksError::Unreadable(error) => write!(f, "what was recorded does not read: {error}"),
            ChecksError::Write(error) => write!(f, "writing a case: {error}"),
        }
    }
}

impl std::error::Error for ChecksError {}

/// Who answers on this system.
pub fn source(system: &SystemReading) -> Source {
    match &system.wine {
        Some(version) => Source::Wine { version: version.clone() },
        None => Source::Recorded { build: system.build, revision: system.revision },
    }
}

/// Asks about every variant. The tokens in the cases are those that were read back, whatever was asked for.
///
/// # Errors
///
/// [`ChecksError`]: there is nothing to write.
pub fn record_checks(witness: &impl Witness, source: &Source, questions: usize) -> Result<Recorded, ChecksError> {
    let own = witness.own().map_err(ChecksError::Own)?;
    let mut text = Vec::new();
    let mut outcomes = Vec::new();
    for (seed, variant) in (SEED..).zip(variants(&own)) {
        let made = witness.after(&variant.steps).and_then(|made| Ok((witness.read(&made)?, made)));
        let outcome = match made {
            Err(error) => Outcome::NotMade(error.to_string()),
            Ok((token, made)) => {
                let recording =
                    Recording { name: variant.name, source: source.clone(), token: &token, seed, questions };
                let tally = record(&recording, &mut text, |question, bytes| witness.ask(&made, question, bytes));
                let tally = tally.map_err(ChecksError::Write)?;
                Outcome::Asked {
                    granted: tally.granted,
                    refused: tally.refused,
                    unanswered: tally.error.map(|error| (tally.unanswered, escape(error.to_string().as_ref()))),
                    otherwise: match expected(&own, &variant.steps) {
                        Ok(wanted) => difference(&token, &wanted),
                        Err(error) => Some(format!("being there at all: {error}")),
                    },
                }
            }
        };
        outcomes.push((variant.name, outcome));
    }
    if text.is_empty() {
        return Err(ChecksError::Nothing(outcomes));
    }
    let replay = replay(Cases::new(text.as_slice())).map_err(ChecksError::Unreadable)?;
    Ok(Recorded { text, variants: outcomes, replay })
}

#[cfg(test)]
mod tests {
    use bailiwick_winsec::token::{Group, Privilege};
    use bailiwick_winsec::{SecurityDescriptor, Sid, Verdict, check};

    use super::*;

    /// Answers as the model does, for tokens that it makes as the model does; or, like Wine, restricts nothing.
    struct Model {
        restricts: bool,
    }

    impl Witness for Model {
        type Token = Token;

        fn own(&self) -> io::Result<Token> {
            let mut token = Token::plain(Sid::account([7, 8, 9], 1001), &[Sid::EVERYONE, Sid::USERS, Sid::INTERACTIVE]);
            token.groups.push(Group::logon(Sid::logon(0, 77)));
            token.privileges = token.privileges.with_disabled(Privilege::Shutdown);
            Ok(token)
        }

        fn after(&self, steps: &[Step]) -> io::Result<Token> {
            let own = self.own()?;
            if self.restricts { expected(&own, steps).map_err(io::Error::other) } else { Ok(own) }
        }

        fn read(&self, token: &Token) -> io::Result<Token> {
            Ok(token.clone())
        }

        fn ask(&self, token: &Token, question: &Question, bytes: &[u8]) -> io::Result<Expected> {
            match check(token, &SecurityDescriptor::parse(bytes).unwrap(), question.request) {
                Verdict::Granted(rights) => Ok(Expected::Granted(rights)),
                Verdict::Denied => Ok(Expected::Denied),
                Verdict::Unknown(why) => Err(io::Error::other(why.to_string())),
            }
        }
    }

    const WINDOWS: Source = Source::Recorded { build: 26200, revision: 9278 };

    #[test]
    fn every_variant_is_asked_about_both_ways() {
        let recorded = record_checks(&Model { restricts: true }, &WINDOWS, QUESTIONS).unwrap();
        assert_eq!(recorded.variants.len(), 14);
        let mut cases = 0;
        for (name, outcome) in &recorded.variants {
            let Outcome::Asked { granted, refused, otherwise, .. } = outcome else { panic!("{name}: {outcome}") };
            assert!(*granted >= 10 && *refused >= 50 && otherwise.is_none(), "{name}: {outcome}");
            cases += granted + refused;
        }
        assert!(recorded.replay.agrees(), "{}", recorded.replay);
        assert_eq!((recorded.replay.matched, recorded.replay.recorded), (cases, cases));
        assert!(recorded.text.len() < 8 << 20, "{}", recorded.text.len());
    }

    #[test]
    fn a_system_that_restricts_nothing_is_found_out() {
        let recorded = record_checks(&Model { restricts: false }, &WINDOWS, 20).unwrap();
        for (name, outcome) in recorded.variants.iter().skip(1) {
            let Outcome::Asked { otherwise, .. } = outcome else { panic!("{name}: {outcome}") };
            assert!(otherwise.is_some(), "{name}");
        }
    }

    #[test]
    fn wine_is_no_windows() {
        let reading = |wine| SystemReading { build: 26200, revision: 9278, product_type: 1, product: 0x30, wine };
        assert_eq!(source(&reading(None)), WINDOWS);
        let recorded =
            record_checks(&Model { restricts: true }, &source(&reading(Some("8.0".to_owned()))), 20).unwrap();
        assert_eq!((recorded.replay.matched, recorded.replay.recorded, recorded.replay.agrees()), (0, 0, false));
        let lines = String::from_utf8(recorded.text).unwrap();
        assert!(lines.lines().all(|line| line.contains("\"Wine, not Windows\":{\"version\":\"8.0\"}")));
    }

    struct Silent;

    impl Witness for Silent {
        type Token = Token;

        fn own(&self) -> io::Result<Token> {
            Model { restricts: true }.own()
        }

        fn after(&self, steps: &[Step]) -> io::Result<Token> {
            if steps.is_empty() { self.own() } else { Err(io::Error::from_raw_os_error(87)) }
        }

        fn read(&self, token: &Token) -> io::Result<Token> {
            Ok(token.clone())
        }

        fn ask(&self, _: &Token, _: &Question, _: &[u8]) -> io::Result<Expected> {
            Err(io::Error::other("invalid descriptor"))
        }
    }

    #[test]
    fn no_answer_is_no_refusal_and_no_recording() {
        let error = record_checks(&Silent, &WINDOWS, 5).unwrap_err().to_string();
        assert!(error.starts_with("not one access check was answered\n  own token: 0 granted, 0 refused, 5 not answered (invalid descriptor)\n  no privileges: not made: "), "{error}");
    }
}
