//! Asking the model what a Windows was asked.

use std::fmt;

use super::{CorpusError, Expected, Numbered, Source};
use crate::check::{Verdict, check};
use crate::explain::{Explanation, explain};

/// How many differences are kept in full. The rest is counted.
const KEPT: usize = 20;

/// A case in which the model does not answer what the corpus says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The case and its line.
    pub case: Numbered,
    /// What the model says, and why.
    pub model: Explanation,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Numbered { line, case, .. } = &self.case;
        let who = match &case.source {
            Source::Recorded { build, revision } => format!("Windows {build}.{revision}"),
            Source::Computed { from } => from.escape_default().to_string(),
            Source::Wine { version } => format!("Wine {}", version.escape_default()),
        };
        let name = case.name.escape_default();
        write!(f, "line {line} ({name}): {who} says {}, the model says {}", case.expected, self.model)
    }
}

/// What came out of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Replay {
    /// Cases answered alike.
    pub matched: usize,
    /// Cases that the model does not know. They are no agreement.
    pub unknown: usize,
    /// Cases answered otherwise.
    pub differing: usize,
    /// Of how many matched cases the answer came from a real Windows.
    pub recorded: usize,
    /// Cases that Wine answered: not asked, and no agreement.
    pub wine: usize,
    /// The first of the differences.
    pub differences: Vec<Difference>,
}

impl Replay {
    /// Whether the model answered every case, and each alike, and there was one. Answers of Wine are no case.
    pub const fn agrees(&self) -> bool {
        self.matched > 0 && self.differing == 0 && self.unknown == 0 && self.wine == 0
    }
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Replay { matched, unknown, differing, recorded, wine, differences } = self;
        let computed = matched - recorded;
        write!(
            f,
            "{matched} alike ({recorded} recorded on Windows, {computed} computed), {differing} different, {unknown} not known"
        )?;
        if *wine > 0 {
            write!(f, ", {wine} not asked because Wine answered them, which is no Windows")?;
        }
        differences.iter().try_for_each(|difference| write!(f, "\n{difference}"))
    }
}

/// Asks the model every case.
pub fn replay(cases: impl Iterator<Item = Result<Numbered, CorpusError>>) -> Result<Replay, CorpusError> {
    let mut replay = Replay::default();
    for case in cases {
        let numbered = case?;
        let Numbered { case, descriptor, .. } = &numbered;
        if matches!(case.source, Source::Wine { .. }) {
            replay.wine += 1;
            continue;
        }
        let verdict = check(&case.token, descriptor, case.request());
        match (verdict, case.expected) {
            (Verdict::Unknown(_), _) => replay.unknown += 1,
            (Verdict::Granted(model), Expected::Granted(windows)) if model == windows => {
                replay.matched += 1;
                replay.recorded += usize::from(matches!(case.source, Source::Recorded { .. }));
            }
            (Verdict::Denied, Expected::Denied) => {
                replay.matched += 1;
                replay.recorded += usize::from(matches!(case.source, Source::Recorded { .. }));
            }
            _ => {
                replay.differing += 1;
                if replay.differences.len() < KEPT {
                    let model = explain(&case.token, descriptor, case.request());
                    replay.differences.push(Difference { case: numbered, model });
                }
            }
        }
    }
    Ok(replay)
}
