//! What would turn a refusal into a permission, and the inside's own into the host's. An option is offered only after it was
//! tried: the same evaluation, with the option's rule added, must no longer refuse, or allow.

use std::path::Path;

use super::files::{Judged, Verb, Why, judge};
use super::{Remedy, Verdict, words};
use crate::boundary::{FileRule, Present};
use crate::evaluate::{Decider, View};
use crate::origin::{Layer, Origin, Source};
use crate::policy::FileRuleKind;

/// Whether bailiwick itself made the rule.
pub(super) fn is_inherent(origin: &Origin) -> bool {
    matches!(origin.source, Source::Inherent(_))
}

/// The remedy of a refused access to a file.
pub(super) fn for_file(view: View<'_>, verb: Verb, path: &Path, judged: &Judged<'_>) -> Remedy {
    let (kind, place) = match (verb, path.parent()) {
        (Verb::Read, _) => (FileRuleKind::Read, path),
        (Verb::Remove, Some(parent)) => (FileRuleKind::Write, parent),
        _ => (FileRuleKind::Write, path),
    };
    let extra = option_rule(kind, place);
    // The root directory as a grant would be the end of the sandbox; it is never offered.
    let is_worth_trying = place.parent().is_some();
    let tried = View { boundary: view.boundary, extra: Some(&extra) };
    if is_worth_trying && judge(tried, verb, path).verdict != Verdict::Refused {
        return grant(kind, place);
    }
    Remedy { option: None, policy_line: None, note: Some(note(view, verb, path, judged)) }
}

/// What would give the inside the host's own object at `path`, where it has its own now.
pub(super) fn for_private(view: View<'_>, verb: Verb, path: &Path, judged: &Judged<'_>) -> Remedy {
    let kind = if verb == Verb::Read { FileRuleKind::Read } else { FileRuleKind::Write };
    let extra = option_rule(kind, path);
    // A private directory as a whole, the home above all, is private so that nobody grants it by the way.
    let is_whole = path.parent().is_none() || view.boundary.private.iter().any(|root| root.path == path);
    let tried = View { boundary: view.boundary, extra: Some(&extra) };
    if is_whole {
        let note = format!("grant what is needed below {}, not the whole of it", words::path(view.boundary, path));
        return Remedy { option: None, policy_line: None, note: Some(note) };
    }
    if judge(tried, verb, path).verdict == Verdict::Allowed {
        return grant(kind, path);
    }
    Remedy { option: None, policy_line: None, note: Some(note(view, verb, path, judged)) }
}

/// The rule that an option of the command line would add.
fn option_rule(kind: FileRuleKind, place: &Path) -> FileRule {
    FileRule {
        kind,
        path: place.to_path_buf(),
        present: Present::Directory,
        written: String::new(),
        origin: Origin {
            layer: Layer::CommandLine,
            source: Source::Option(format!("--{}", words::key(kind))),
            line: None,
        },
    }
}

/// The option and the policy line that grant `place`.
pub(super) fn grant(kind: FileRuleKind, place: &Path) -> Remedy {
    let key = words::key(kind);
    let option = format!("--{key} {}", words::shell_word(place.as_os_str()));
    match place.to_str() {
        Some(text) => Remedy {
            option: Some(option),
            policy_line: Some(format!("[files] {key} = [{}]", words::toml_string(text))),
            note: None,
        },
        None => Remedy {
            option: Some(option),
            policy_line: None,
            note: Some("the name is not valid UTF-8, so a policy file cannot hold it".to_owned()),
        },
    }
}

/// What has to be done where no grant suffices.
fn note(view: View<'_>, verb: Verb, path: &Path, judged: &Judged<'_>) -> String {
    let administrator = "no option changes this: ask the administrator";
    match judged.decider {
        Decider::Ceiling(rule) if is_inherent(&rule.origin) => {
            "no rule changes this: bailiwick keeps its own files out of reach of the inside".to_owned()
        }
        Decider::Ceiling(_) | Decider::BeyondCeiling(_) => administrator.to_owned(),
        Decider::Rule(rule) if matches!(rule.kind, FileRuleKind::Deny | FileRuleKind::Protect) => {
            let text = words::rule(rule).text;
            let below = match (&judged.why, rule.present) {
                (Why::Itself, Present::Directory) => {
                    let key = if verb == Verb::Read { "read" } else { "write" };
                    format!("; a name below {} can be granted by itself (`--{key}`)", words::path(view.boundary, path))
                }
                _ => String::new(),
            };
            if is_inherent(&rule.origin) {
                return format!("no option changes this: bailiwick itself sets `{text}` here{below}");
            }
            let place = &rule.origin;
            match rule.origin.layer {
                Layer::BuiltIn => {
                    format!("no option changes this: use a profile without the rule `{text}` ({place}){below}")
                }
                _ => format!("remove the rule `{text}` ({place}){below}"),
            }
        }
        Decider::Nobody | Decider::Rule(_) | Decider::Private(_) => match judged.why {
            Why::Root => "no option changes this: the run depends on its staying where it is".to_owned(),
            Why::Contains(_) => "remove the rule that makes the name inside it read-only".to_owned(),
            _ if path.parent().is_none() => "the root directory is never granted as a whole".to_owned(),
            _ => administrator.to_owned(),
        },
    }
}
