//! Recording: asking somebody many questions about one token and writing the answers down as cases.

use std::io::{self, Write};

use super::questions::{Question, Questions};
use super::{Case, Expected, Source, write};
use crate::token::Token;

/// What is recorded.
#[derive(Debug, Clone)]
pub struct Recording<'a> {
    /// What the token is, for the names of the cases.
    pub name: &'a str,
    /// Who answers.
    pub source: Source,
    /// The token that is asked about, as it was read back.
    pub token: &'a Token,
    /// Where the questions start.
    pub seed: u64,
    /// How many there are.
    pub questions: usize,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally<E> {
    /// Cases written in which something was granted.
    pub granted: usize,
    /// Cases written in which access was refused.
    pub refused: usize,
    /// Questions that were not answered: neither granted nor refused, but an error. No case is written.
    pub unanswered: usize,
    /// The first of those errors.
    pub error: Option<E>,
}

/// Asks, and writes a line for each answer.
///
/// `ask` gets a question and the descriptor's bytes. An error of its is counted and is no refusal.
///
/// # Errors
///
/// Writing failed.
pub fn record<E>(
    recording: &Recording<'_>,
    out: &mut impl Write,
    mut ask: impl FnMut(&Question, &[u8]) -> Result<Expected, E>,
) -> io::Result<Tally<E>> {
    let mut tally = Tally { granted: 0, refused: 0, unanswered: 0, error: None };
    let questions = Questions::new(recording.seed, recording.token).take(recording.questions);
    for (number, question) in questions.enumerate() {
        let bytes = question.descriptor.to_bytes().map_err(io::Error::other)?;
        let expected = match ask(&question, &bytes) {
            Ok(expected) => expected,
            Err(error) => {
                tally.unanswered += 1;
                tally.error.get_or_insert(error);
                continue;
            }
        };
        match expected {
            Expected::Granted(_) => tally.granted += 1,
            Expected::Denied => tally.refused += 1,
        }
        let case = Case {
            name: format!("{}, question {number} of seed {:#x}", recording.name, recording.seed),
            source: recording.source.clone(),
            token: recording.token.clone(),
            descriptor: bytes,
            object: question.request.object,
            desired: question.request.desired,
            expected,
        };
        write(out, &case)?;
    }
    Ok(tally)
}
