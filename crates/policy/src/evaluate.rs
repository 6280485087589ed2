//! The one evaluation of the file rules: what decides about reading and about writing a path.
//!
//! `decide`, `grant`, `points` and `guarded` all ask here, so they cannot disagree.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::path::{Component, Path, PathBuf};

use crate::boundary::{Boundary, FileRule, Present};
use crate::decide::{Grant, Guarded, Verdict};
use crate::origin::Origin;
use crate::policy::FileRuleKind;

/// Whether `path` is `root` or lies below it, both being absolute and free of `.`, `..`, doubled and trailing separators.
///
/// Compares whole components (`/a/bc` is not below `/a/b`) and bytes (no case folding), without allocating:
/// this is called for every rule and every point.
pub(crate) fn covers(root: &Path, path: &Path) -> bool {
    let root = root.as_os_str().as_encoded_bytes();
    let path = path.as_os_str().as_encoded_bytes();
    match (root.last(), path.strip_prefix(root)) {
        (Some(last), Some(rest)) => rest.first().is_none_or(|next| is_separator(*next)) || is_separator(*last),
        _ => false,
    }
}

/// Whether `path` lies below `root` and is not `root` itself.
pub(crate) fn covers_strictly(root: &Path, path: &Path) -> bool {
    covers(root, path) && root.as_os_str().len() < path.as_os_str().len()
}

/// The order in which a parent comes first and everything below it follows at once (`/a`, `/a/b`, `/a-b`).
pub fn path_order(a: &Path, b: &Path) -> Ordering {
    let (a, b) = (a.as_os_str().as_encoded_bytes(), b.as_os_str().as_encoded_bytes());
    let rank = |byte: u8| if is_separator(byte) { 0 } else { u16::from(byte) + 1 };
    // Most pairs share a long start, which is passed over in words: this is called some thousand times on every launch.
    let same = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0).take_while(|(x, y)| x == y).count() * 8;
    let (rest_of_a, rest_of_b) = (a.get(same..).unwrap_or_default(), b.get(same..).unwrap_or_default());
    match rest_of_a.iter().zip(rest_of_b).find(|(x, y)| x != y) {
        Some((x, y)) => rank(*x).cmp(&rank(*y)),
        None => a.len().cmp(&b.len()),
    }
}

fn is_separator(byte: u8) -> bool {
    std::path::is_separator(char::from(byte))
}

/// `path` without doubled and trailing separators; `None` if it is relative or holds `..`, which only
/// [`locate`](crate::locate) can resolve.
pub(crate) fn tidy(path: &Path) -> Option<Cow<'_, Path>> {
    if !path.is_absolute() || path.components().any(|part| part == Component::ParentDir) {
        return None;
    }
    let tidied: PathBuf = path.components().collect();
    if tidied.as_os_str() == path.as_os_str() { Some(Cow::Borrowed(path)) } else { Some(Cow::Owned(tidied)) }
}

/// What decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decider<'a> {
    /// A file rule of the layers below the administrator's.
    Rule(&'a FileRule),
    /// A private root, by index.
    Private(usize),
    /// A rule that holds however specific the others are: the administrator's, or bailiwick's own.
    Ceiling(&'a FileRule),
    /// This rule would allow it, but it is outside the most that the administrator lets be granted.
    BeyondCeiling(&'a FileRule),
    /// Nothing covers the path.
    Nobody,
}

/// The answer about reading or about writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome<'a> {
    pub(crate) verdict: Verdict,
    pub(crate) decider: Decider<'a>,
}

/// The answers about one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Evaluation<'a> {
    pub(crate) read: Outcome<'a>,
    pub(crate) write: Outcome<'a>,
}

impl Evaluation<'_> {
    /// The grant that makes both answers true. `inside_visible`: some directory above is readable.
    fn grant(&self, inside_visible: bool) -> Grant {
        match (self.read.verdict, self.read.decider, self.write.verdict) {
            (Verdict::Refused, _, _) if inside_visible => Grant::Denied,
            (Verdict::Refused, _, _) => Grant::Hidden,
            (_, Decider::Private(root), Verdict::Refused) => Grant::PrivateProtected(root),
            (_, Decider::Private(root), _) => Grant::Private(root),
            (_, _, Verdict::Refused) => Grant::Read,
            (_, _, _) => Grant::Write,
        }
    }
}

/// A point of the boundary with what holds there.
pub(crate) struct Point<'a> {
    pub(crate) path: &'a Path,
    pub(crate) grant: Grant,
    /// The grant of the directory that the point lies in.
    pub(crate) parent_grant: Grant,
    pub(crate) evaluation: Evaluation<'a>,
    /// The highest ancestor from which everything down to here has this same grant.
    root: &'a Path,
    /// The same of the nearest point above.
    parent_root: &'a Path,
    /// Whether the point or something above it is readable.
    visible: bool,
    /// What the host has there; `None` where only a private root says something about it.
    pub(crate) present: Option<Present>,
}

/// A boundary, with one more rule if a remedy is being tried out.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) boundary: &'a Boundary,
    pub(crate) extra: Option<&'a FileRule>,
}

/// Something that covers its path and everything below.
#[derive(Clone, Copy)]
struct Entry<'a> {
    path: &'a Path,
    source: Source<'a>,
}

/// Where an entry stands in the boundary.
#[derive(Clone, Copy)]
enum Source<'a> {
    Private(usize),
    Rule(&'a FileRule),
    Ceiling(&'a FileRule),
    ReadList(&'a FileRule),
    WriteList(&'a FileRule),
}

impl Source<'_> {
    fn present(&self) -> Option<Present> {
        match self {
            Source::Private(_) => None,
            Source::Rule(rule) | Source::Ceiling(rule) | Source::ReadList(rule) | Source::WriteList(rule) => {
                Some(rule.present)
            }
        }
    }
}

/// The best candidate so far for one question.
#[derive(Clone, Copy)]
struct Best<'a> {
    /// Length of the path (all candidates cover the same path, so longer is deeper), then the rank of the kind.
    key: (usize, u8),
    decider: Decider<'a>,
}

impl<'a> Best<'a> {
    /// On a full tie the later rule is named: the later layer speaks.
    fn offer(best: &mut Option<Best<'a>>, path: &Path, rank: u8, decider: Decider<'a>) {
        let key = (path.as_os_str().len(), rank);
        if best.is_none_or(|old| key >= old.key) {
            *best = Some(Best { key, decider });
        }
    }
}

/// What of everything that covers one path is the best for each question.
#[derive(Clone, Copy, Default)]
struct Covering<'a> {
    read: Option<Best<'a>>,
    write: Option<Best<'a>>,
    ceiling_read: Option<Best<'a>>,
    ceiling_write: Option<Best<'a>>,
    in_read_list: bool,
    in_write_list: bool,
}

impl<'a> Covering<'a> {
    /// Takes an entry into account that covers the path.
    fn add(&mut self, Entry { path, source }: Entry<'a>) {
        match source {
            Source::Private(index) => {
                Best::offer(&mut self.read, path, PRIVATE_RANK, Decider::Private(index));
                Best::offer(&mut self.write, path, PRIVATE_RANK, Decider::Private(index));
            }
            Source::Rule(rule) => {
                // `protect` never takes part in the answer about reading, so it can never widen what may be read.
                if rule.kind != FileRuleKind::Protect {
                    Best::offer(&mut self.read, path, rank(rule.kind), Decider::Rule(rule));
                }
                Best::offer(&mut self.write, path, rank(rule.kind), Decider::Rule(rule));
            }
            Source::Ceiling(rule) => {
                if rule.kind == FileRuleKind::Deny {
                    Best::offer(&mut self.ceiling_read, path, rank(rule.kind), Decider::Ceiling(rule));
                }
                Best::offer(&mut self.ceiling_write, path, rank(rule.kind), Decider::Ceiling(rule));
            }
            Source::ReadList(_) => self.in_read_list = true,
            Source::WriteList(_) => self.in_write_list = true,
        }
    }

    /// The answers about the path.
    fn answer(&self, boundary: &Boundary) -> Evaluation<'a> {
        let read = match self.ceiling_read {
            Some(ceiling) => refused(ceiling.decider),
            None => {
                let own = outcome(self.read, |kind| kind != FileRuleKind::Deny);
                cut(own, self.in_read_list || boundary.ceiling_read.is_none())
            }
        };
        let own = outcome(self.write, |kind| kind == FileRuleKind::Write);
        let write = match self.ceiling_write {
            Some(ceiling) => refused(ceiling.decider),
            // What may not be read may not be written: a tier cannot grant blind writing.
            None if own.verdict == Verdict::Allowed && read.verdict == Verdict::Refused => read,
            None => cut(own, self.in_write_list || boundary.ceiling_write.is_none()),
        };
        Evaluation { read, write }
    }
}

/// Which kind wins on the same path.
fn rank(kind: FileRuleKind) -> u8 {
    match kind {
        FileRuleKind::Deny => 4,
        FileRuleKind::Protect => 3,
        FileRuleKind::Write => 2,
        FileRuleKind::Read => 1,
    }
}

/// A private root loses to every rule on its path.
const PRIVATE_RANK: u8 = 0;

impl<'a> View<'a> {
    fn rules(&self) -> impl Iterator<Item = &'a FileRule> + use<'a> {
        self.boundary.rules.iter().chain(self.extra)
    }

    /// Everything that may cover a path: the rules in their order, the ceilings, then the private roots, whose rank is another
    /// one, so that their place does not matter.
    ///
    /// A resolved boundary has its rules in the order of paths, so that [`points`](Self::points) finds them sorted.
    fn entries(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let boundary = self.boundary;
        let private = boundary.private.iter().enumerate();
        let private = private.map(|(index, root)| Entry { path: &root.path, source: Source::Private(index) });
        let rule = |source: fn(&'a FileRule) -> Source<'a>| {
            move |rule: &'a FileRule| Entry { path: &rule.path, source: source(rule) }
        };
        self.rules()
            .map(rule(Source::Rule))
            .chain(boundary.ceiling_rules.iter().map(rule(Source::Ceiling)))
            .chain(boundary.ceiling_read.iter().flatten().map(rule(Source::ReadList)))
            .chain(boundary.ceiling_write.iter().flatten().map(rule(Source::WriteList)))
            .chain(private)
    }

    /// What decides about reading and writing `path`, which is tidy.
    pub(crate) fn evaluate(&self, path: &Path) -> Evaluation<'a> {
        let mut covering = Covering::default();
        for entry in self.entries().filter(|entry| covers(entry.path, path)) {
            covering.add(entry);
        }
        covering.answer(self.boundary)
    }

    /// What the inside has at `path`, which is tidy.
    pub(crate) fn grant(&self, path: &Path) -> Grant {
        let evaluation = self.evaluate(path);
        let is_readable = |above: &Path| self.evaluate(above).read.verdict != Verdict::Refused;
        let inside_visible = evaluation.read.verdict == Verdict::Refused && path.ancestors().skip(1).any(is_readable);
        evaluation.grant(inside_visible)
    }

    /// The paths at which the grant may change, parents first, each once.
    pub(crate) fn point_paths(&self) -> Vec<&'a Path> {
        let mut paths: Vec<&Path> = self.entries().map(|entry| entry.path).collect();
        paths.sort_unstable_by(|a, b| path_order(a, b));
        paths.dedup_by_key(|path| path.as_os_str());
        paths
    }

    /// Every point with its grant, parents first.
    ///
    /// Between two points nothing changes, so the nearest point above stands for the parent directory, and what covers
    /// that covers this one too: only the entries of the point's own path are new.
    pub(crate) fn points(&self) -> Vec<Point<'a>> {
        let mut entries: Vec<Entry<'a>> = self.entries().collect();
        // Stable: entries of one path stay in the order in which `evaluate` adds them.
        entries.sort_by(|a, b| path_order(a.path, b.path));
        let mut points: Vec<Point<'a>> = Vec::with_capacity(entries.len());
        let mut above: Vec<(usize, Covering<'a>)> = Vec::with_capacity(16);
        for group in entries.chunk_by(|a, b| a.path.as_os_str() == b.path.as_os_str()) {
            let Some(path) = group.first().map(|entry| entry.path) else { continue };
            while above.last().and_then(|(index, _)| points.get(*index)).is_some_and(|point| !covers(point.path, path))
            {
                above.pop();
            }
            let mut covering = above.last().map_or_else(Covering::default, |(_, covering)| *covering);
            group.iter().for_each(|entry| covering.add(*entry));
            let parent = above.last().and_then(|(index, _)| points.get(*index));
            let evaluation = covering.answer(self.boundary);
            let inside_visible = parent.is_some_and(|parent| parent.visible);
            let grant = evaluation.grant(inside_visible);
            let parent_grant = parent.map_or(Grant::Hidden, |parent| parent.grant);
            let root = parent.filter(|parent| parent.grant == grant).map_or(path, |parent| parent.root);
            let parent_root = parent.map_or(path, |parent| parent.root);
            let visible = inside_visible || evaluation.read.verdict != Verdict::Refused;
            let present = group.iter().rev().find_map(|entry| entry.source.present());
            above.push((points.len(), covering));
            points.push(Point { path, grant, parent_grant, evaluation, root, parent_root, visible, present });
        }
        points
    }

    /// The guarded names among `points`.
    pub(crate) fn guarded(&self, points: &[Point<'a>]) -> Vec<Guarded<'a>> {
        let mut guarded = Vec::new();
        for point in points {
            let in_writable = matches!(point.parent_grant, Grant::Write | Grant::Private(_));
            let is_kept = matches!(point.grant, Grant::Read | Grant::Denied | Grant::PrivateProtected(_));
            if !in_writable || !is_kept {
                continue;
            }
            let denied = point.grant == Grant::Denied;
            let outcome = if denied { point.evaluation.read } else { point.evaluation.write };
            let (Decider::Rule(rule) | Decider::Ceiling(rule) | Decider::BeyondCeiling(rule)) = outcome.decider else {
                continue;
            };
            let kind = match rule.kind {
                _ if denied => FileRuleKind::Deny,
                FileRuleKind::Protect => FileRuleKind::Protect,
                _ => FileRuleKind::Read,
            };
            let (path, root) = (point.path, point.parent_root);
            let in_private = point.parent_grant != Grant::Write;
            guarded.push(Guarded { path, root, in_private, kind, present: rule.present, origin: &rule.origin });
        }
        guarded
    }

    /// The origin of a private root.
    pub(crate) fn private_origin(&self, index: usize) -> Option<&'a Origin> {
        self.boundary.private.get(index).map(|root| &root.origin)
    }
}

/// The outcome of the best candidate; `allows` says which kinds permit.
fn outcome<'a>(best: Option<Best<'a>>, allows: impl Fn(FileRuleKind) -> bool) -> Outcome<'a> {
    let decider = best.map_or(Decider::Nobody, |best| best.decider);
    let verdict = match decider {
        Decider::Private(_) => Verdict::Private,
        Decider::Rule(rule) if allows(rule.kind) => Verdict::Allowed,
        _ => Verdict::Refused,
    };
    Outcome { verdict, decider }
}

/// Refuses what `own` allows if it lies outside the administrator's list. Private roots are not the host's: no list cuts them.
fn cut(own: Outcome<'_>, in_list: bool) -> Outcome<'_> {
    match (own.verdict, own.decider) {
        (Verdict::Allowed, Decider::Rule(rule)) if !in_list => refused(Decider::BeyondCeiling(rule)),
        _ => own,
    }
}

fn refused(decider: Decider<'_>) -> Outcome<'_> {
    Outcome { verdict: Verdict::Refused, decider }
}
