//! `bailiwick explain`: may it, by which rule, and what would change it.

mod elsewhere;

use bailiwick::policy::decide::Verdict;
use bailiwick::policy::explain::{Verb, explain as ask};

use super::common::sandbox;
use super::{NO, YES, answer, answer_json};
use crate::args::Parsed;
use crate::args::table::Opt;
use crate::failure::Failure;
use crate::render::style::Style;

/// The exit status where the inside has its own.
const PRIVATE: u8 = 2;

pub(crate) fn explain(parsed: &Parsed) -> Result<u8, Failure> {
    let verb = verb(parsed.positional(0).to_str().unwrap_or_default());
    // The parser lets only the words of its table through.
    let verb = verb.ok_or_else(|| Failure::new("there are read, write, remove, connect and socket"))?;
    if let Some(machine) = elsewhere::Machine::asked_for(parsed)? {
        return machine.explain(parsed, verb);
    }
    let sandbox = sandbox(parsed)?;
    let boundary = sandbox.boundary().map_err(Failure::new)?;
    let explanation = ask(&boundary, sandbox.host(), verb, parsed.positional(1)).map_err(Failure::new)?;
    let verdict = explanation.decision.verdict;
    if parsed.flag(Opt::Json) {
        answer_json(&explanation)?;
    } else {
        answer(&coloured(&explanation.to_text(), verdict, Style::stdout()))?;
    }
    Ok(match verdict {
        Verdict::Allowed => YES,
        Verdict::Refused => NO,
        // Neither: it works inside, and not on what the question named.
        Verdict::Private => PRIVATE,
    })
}

fn verb(word: &str) -> Option<Verb> {
    match word {
        "read" => Some(Verb::Read),
        "write" => Some(Verb::Write),
        "remove" => Some(Verb::Remove),
        "connect" => Some(Verb::Connect),
        "socket" => Some(Verb::Socket),
        _ => None,
    }
}

/// The verdict, which is what stands before the first colon, in its colour.
fn coloured(text: &str, verdict: Verdict, style: Style) -> String {
    let Some((word, rest)) = text.split_once(':') else { return text.to_owned() };
    let word = match verdict {
        Verdict::Allowed => style.good(word),
        Verdict::Private => style.middling(word),
        Verdict::Refused => style.bad(word),
    };
    format!("{word}:{rest}")
}
