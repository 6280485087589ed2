//! Decisions about files: reading, writing, and removing the object itself.

use std::path::{Path, PathBuf};

use super::{DecidingRule, Decision, Grant, Verdict, remedy, words};
use crate::boundary::Boundary;
use crate::evaluate::{Decider, View, covers_strictly, tidy};
use crate::policy::FileRuleKind;

/// What is wanted of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Read,
    Write,
    Remove,
}

/// The answer before it is put into words.
pub(super) struct Judged<'a> {
    pub(super) verdict: Verdict,
    pub(super) decider: Decider<'a>,
    pub(super) why: Why,
}

/// What the answer turned on.
pub(super) enum Why {
    /// The evaluation of the path itself.
    Itself,
    /// Removing: the directory that holds it may not be written.
    Holder(PathBuf),
    /// Removing: it is where a rule, a private root or the workspace begins.
    Root,
    /// Removing: it contains this guarded name.
    Contains(PathBuf),
}

pub(super) fn decide(boundary: &Boundary, verb: Verb, path: &Path) -> Decision {
    let Some(path) = tidy(path) else {
        return Decision {
            verdict: Verdict::Refused,
            rule: None,
            reason: format!("{} is not a canonical path, so no rule can speak about it", words::path(boundary, path)),
            remedy: None,
        };
    };
    let view = boundary.view();
    let judged = judge(view, verb, &path);
    let remedy = match judged.verdict {
        Verdict::Refused => Some(remedy::for_file(view, verb, &path, &judged)),
        // Removing its own is the inside's affair, and no reason to give it the host's directory.
        Verdict::Private if verb != Verb::Remove => Some(remedy::for_private(view, verb, &path, &judged)),
        Verdict::Private | Verdict::Allowed => None,
    };
    Decision {
        verdict: judged.verdict,
        rule: deciding_rule(view, judged.decider),
        reason: reason(boundary, verb, &path, &judged),
        remedy,
    }
}

/// The answer for a tidy path.
pub(super) fn judge<'a>(view: View<'a>, verb: Verb, path: &Path) -> Judged<'a> {
    match verb {
        Verb::Read => {
            let read = view.evaluate(path).read;
            Judged { verdict: read.verdict, decider: read.decider, why: Why::Itself }
        }
        Verb::Write => {
            let write = view.evaluate(path).write;
            Judged { verdict: write.verdict, decider: write.decider, why: Why::Itself }
        }
        Verb::Remove => judge_removal(view, path),
    }
}

fn judge_removal<'a>(view: View<'a>, path: &Path) -> Judged<'a> {
    let write = view.evaluate(path).write;
    let refuse = |decider, why| Judged { verdict: Verdict::Refused, decider, why };
    if write.verdict == Verdict::Refused {
        return refuse(write.decider, Why::Itself);
    }
    let Some(holder) = path.parent() else {
        return refuse(write.decider, Why::Root);
    };
    let holder_write = view.evaluate(holder).write;
    if holder_write.verdict == Verdict::Refused {
        return refuse(holder_write.decider, Why::Holder(holder.to_path_buf()));
    }
    let points = view.points();
    let begins_here = points.iter().any(|point| point.path == path && point.grant != point.parent_grant);
    if begins_here || path == view.boundary.workspace {
        return refuse(write.decider, Why::Root);
    }
    let guarded = view.guarded(&points);
    let inside = guarded.iter().find(|name| covers_strictly(path, name.path) && covers_strictly(name.root, path));
    if let Some(name) = inside {
        let point = points.iter().find(|point| point.path == name.path);
        let decider = point.map_or(write.decider, |point| match point.grant {
            Grant::Denied => point.evaluation.read.decider,
            _ => point.evaluation.write.decider,
        });
        return refuse(decider, Why::Contains(name.path.to_path_buf()));
    }
    Judged { verdict: write.verdict, decider: write.decider, why: Why::Itself }
}

fn deciding_rule(view: View<'_>, decider: Decider<'_>) -> Option<DecidingRule> {
    match decider {
        Decider::Rule(rule) | Decider::Ceiling(rule) | Decider::BeyondCeiling(rule) => Some(words::rule(rule)),
        Decider::Private(index) => {
            let root = view.boundary.private.get(index)?;
            let text = format!("private {}", words::path(view.boundary, &root.path));
            Some(DecidingRule { text, origin: view.private_origin(index)?.clone() })
        }
        Decider::Nobody => None,
    }
}

fn reason(boundary: &Boundary, verb: Verb, path: &Path, judged: &Judged<'_>) -> String {
    let name = words::path(boundary, path);
    let cannot = "cannot be moved, replaced or removed";
    match &judged.why {
        Why::Itself => reason_itself(boundary, verb, &name, judged),
        Why::Holder(holder) => {
            format!("{name} {cannot}: its directory {} may not be written", words::path(boundary, holder))
        }
        Why::Root if *path == boundary.workspace => format!("{name} {cannot}: it is the workspace"),
        Why::Root => format!("{name} {cannot}: it is where a rule of the policy or a private directory begins"),
        Why::Contains(guarded) => {
            let kind = match judged.decider {
                Decider::Rule(rule) | Decider::Ceiling(rule) if rule.kind == FileRuleKind::Deny => "denied",
                Decider::Rule(rule) if rule.kind == FileRuleKind::Read => "read-only",
                _ => "protected",
            };
            format!("{name} {cannot}: it contains the {kind} name {}", words::path(boundary, guarded))
        }
    }
}

fn reason_itself(boundary: &Boundary, verb: Verb, name: &str, judged: &Judged<'_>) -> String {
    let done = match verb {
        Verb::Read => "read",
        Verb::Write => "written",
        Verb::Remove => "moved, replaced or removed",
    };
    match (judged.verdict, judged.decider) {
        (Verdict::Allowed, _) => format!("{name} may be {done}"),
        (Verdict::Private, Decider::Private(index)) => {
            let root = boundary.private.get(index).map_or(Path::new("/"), |root| root.path.as_path());
            format!(
                "{name} is the inside's own: below {} it has a private directory; the real one, on the host, is neither \
                 read nor changed",
                words::path(boundary, root)
            )
        }
        (Verdict::Private, _) => format!("{name} is the inside's own"),
        (Verdict::Refused, Decider::Rule(rule)) => match rule.kind {
            FileRuleKind::Deny => format!("{name} may not be {done}: it is denied"),
            FileRuleKind::Protect => format!("{name} may not be {done}: it is a protected name"),
            _ => format!("{name} may not be {done}: it is readable only"),
        },
        (Verdict::Refused, Decider::Ceiling(rule)) => {
            let what = if rule.kind == FileRuleKind::Deny { "denies" } else { "protects" };
            let who = if remedy::is_inherent(&rule.origin) { "bailiwick itself" } else { "the administrator" };
            format!("{name} may not be {done}: {who} {what} it, whatever the other rules say")
        }
        (Verdict::Refused, Decider::BeyondCeiling(_)) => {
            format!("{name} may not be {done}: it is outside what the administrator lets be granted")
        }
        (Verdict::Refused, _) => {
            let granted = if verb == Verb::Read { "makes readable" } else { "makes writable" };
            format!("{name} may not be {done}: it is outside everything that the policy {granted}")
        }
    }
}
