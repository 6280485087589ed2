//! What the inside could do at a place: the planned token on the planned descriptors, by the rules of NTFS.

use bailiwick_policy::decide::Verdict;
use bailiwick_winsec::explain::explain;
use bailiwick_winsec::ntfs::{Node, NodeKind, Open, Outcome, open};
use bailiwick_winsec::{AccessMask, ObjectType, Request, SecurityDescriptor, Token};
use serde::Serialize;

use super::descriptor::{Basis, node_kind};
use crate::facts::Facts;
use crate::path::WindowsPath;
use crate::plan::{Gate, Identity, Plan};
use crate::target::Verb;

/// Something that the inside could try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Act {
    /// What.
    pub deed: Deed,
    /// Whether it comes about.
    pub possible: Possible,
    /// Which pass, entry and SID decided, for people.
    pub because: String,
    /// Everything that had a say, in order, for people.
    pub steps: Vec<String>,
}

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Reading a file, listing a directory.
    Read,
    /// Making a file of this name.
    Create,
    /// Changing content, attributes or times; for a directory making names in it.
    Change,
    /// Deleting, renaming or moving away.
    Delete,
    /// Changing the owner or the access list, after which everything else is possible.
    Seize,
    /// Connecting.
    Connect,
}

impl Deed {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Deed::Read => "reading",
            Deed::Create => "creating",
            Deed::Change => "changing",
            Deed::Delete => "deleting",
            Deed::Seize => "seizing",
            Deed::Connect => "connecting",
        }
    }

    /// The rights that it takes; for some of them more than one way leads there.
    const fn rights(self) -> &'static [AccessMask] {
        match self {
            Deed::Read => &[AccessMask::FILE_READ_DATA],
            Deed::Create => &[AccessMask::FILE_ADD_FILE],
            Deed::Change => &[
                AccessMask::FILE_WRITE_DATA,
                AccessMask::FILE_APPEND_DATA,
                AccessMask::FILE_WRITE_EA,
                AccessMask::FILE_WRITE_ATTRIBUTES,
            ],
            Deed::Delete => &[AccessMask::DELETE],
            Deed::Seize => &[AccessMask::WRITE_DAC, AccessMask::WRITE_OWNER],
            Deed::Connect => &[],
        }
    }
}

/// Whether something comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Possible {
    /// Yes.
    Yes,
    /// Some of its rights are granted.
    Partly,
    /// No.
    No,
    /// The model or the description does not say.
    Unknown,
}

impl Possible {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Possible::Yes => "possible",
            Possible::Partly => "partly possible",
            Possible::No => "not possible",
            Possible::Unknown => "not known",
        }
    }
}

/// A place by its descriptors.
struct Place<'a> {
    descriptor: &'a SecurityDescriptor,
    parent: Option<&'a SecurityDescriptor>,
    kind: NodeKind,
}

impl Node for Place<'_> {
    fn descriptor(&self) -> &SecurityDescriptor {
        self.descriptor
    }

    fn parent(&self) -> Option<&SecurityDescriptor> {
        self.parent
    }

    fn kind(&self) -> NodeKind {
        self.kind
    }
}

/// What the inside could try under this verb.
pub(super) fn on_path(plan: &Plan, facts: &Facts, basis: &Basis, verb: Verb, path: &WindowsPath) -> Vec<Act> {
    let deeds: &[Deed] = match verb {
        Verb::Read => &[Deed::Read],
        Verb::Remove => &[Deed::Delete],
        Verb::Write => &[Deed::Create, Deed::Change, Deed::Delete, Deed::Seize],
    };
    let plain = |deed, possible, because: &str| Act { deed, possible, because: because.to_owned(), steps: Vec::new() };
    let token = plan.access_token(facts);
    let mut acts = Vec::new();
    for &deed in deeds {
        acts.push(match basis {
            Basis::NoAccessLists { .. } => {
                plain(deed, Possible::Yes, "there are no access lists on the drive, so nobody is refused anything")
            }
            Basis::NotKnown { why } => plain(deed, Possible::Unknown, why),
            Basis::Descriptor { itself: true, .. } if deed == Deed::Create => continue,
            Basis::Descriptor { descriptor, parent, directory, .. } => {
                let place = Place { descriptor, parent: parent.as_deref(), kind: node_kind(*directory) };
                on_place(&token, &place, deed)
            }
        });
    }
    for act in &mut acts {
        hold(plan, path, act);
    }
    acts
}

/// What handles and watches hold besides the access lists.
fn hold(plan: &Plan, path: &WindowsPath, act: &mut Act) {
    if !matches!(act.possible, Possible::Yes | Possible::Partly) {
        return;
    }
    let holds = |text: &str| format!("{text}; by the access lists alone: {}", act.because);
    let is_pinned = plan.pins.iter().any(|pin| pin.path == *path || (pin.everything_below && pin.path.covers(path)));
    let is_above_pin = plan.pins.iter().any(|pin| path.covers_strictly(&pin.path));
    if act.deed == Deed::Delete && is_pinned {
        act.because = holds("a handle without FILE_SHARE_DELETE is held on it while the run lasts");
        act.possible = Possible::No;
    } else if act.deed == Deed::Delete && is_above_pin {
        // MS-FSA 2.1.5.15.11 for renaming; deleting refuses a directory that is not empty.
        act.because =
            holds("a handle is held below it while the run lasts, and such a directory is not renamed or deleted");
        act.possible = Possible::No;
    } else if act.deed != Deed::Read && plan.watched.iter().any(|name| name.covers(path)) {
        act.because = holds("the name is watched: what appears is taken away and reported");
    }
}

/// Tries one deed right by right: that they are not all granted together is no comfort.
fn on_place(token: &Token, place: &Place<'_>, deed: Deed) -> Act {
    // A new name is asked of the directory that is to hold it.
    let (asked, parent, kind) = match (deed, place.parent) {
        (Deed::Create, Some(parent)) => (parent, None, NodeKind::Directory),
        _ => (place.descriptor, place.parent, place.kind),
    };
    let place = Place { descriptor: asked, parent, kind };
    let (mut granted, mut missing, mut unknown) = (AccessMask::NONE, AccessMask::NONE, AccessMask::NONE);
    for right in deed.rights() {
        match open(token, &place, Open::rights(*right)) {
            Outcome::Ok(_) => granted |= *right,
            Outcome::Err(refusal) if refusal.is_certain() => missing |= *right,
            Outcome::Err(_) => unknown |= *right,
        }
    }
    let (possible, rights) = match (granted.is_empty(), missing.is_empty(), unknown.is_empty()) {
        (_, _, false) => (Possible::Unknown, unknown),
        (true, _, true) => (Possible::No, missing),
        (false, true, true) => (Possible::Yes, granted),
        (false, false, true) => (Possible::Partly, granted),
    };
    let (because, steps) = reason(token, &place, rights, possible);
    Act { deed, possible, because, steps }
}

/// Why: of the object, and where deleting is decided by the directory that holds it, of that.
fn reason(token: &Token, place: &Place<'_>, rights: AccessMask, possible: Possible) -> (String, Vec<String>) {
    let kind = match place.kind {
        NodeKind::File => ObjectType::File,
        NodeKind::Directory => ObjectType::Directory,
    };
    let own = explain(token, place.descriptor, Request::new(kind, rights));
    let lines = |explanation: &bailiwick_winsec::explain::Explanation| {
        explanation.to_string().lines().skip(1).map(|line| line.trim_start().to_owned()).collect::<Vec<_>>()
    };
    let Some(parent) = place.parent.filter(|_| rights == AccessMask::DELETE && !own.verdict.is_granted()) else {
        return (own.sentence(), lines(&own));
    };
    let through = explain(token, parent, Request::new(ObjectType::Directory, AccessMask::FILE_DELETE_CHILD));
    let because = match possible {
        Possible::Yes => format!("through the directory that holds it: {}", through.sentence()),
        _ => format!("{}; nor through the directory that holds it: {}", own.sentence(), through.sentence()),
    };
    (because, lines(&through))
}

/// What stands between the inside and a host.
pub(super) fn connecting(plan: &Plan, verdict: Verdict) -> Act {
    let act = |possible, because: &str| Act {
        deed: Deed::Connect,
        possible,
        because: because.to_owned(),
        steps: plan.network.filters.iter().map(ToString::to_string).collect(),
    };
    let is_through_gate = verdict == Verdict::Allowed && !matches!(plan.network.gate, Gate::None);
    match (&plan.identity, is_through_gate) {
        (Identity::Caller { .. }, _) => {
            act(Possible::Yes, "the inside is the user, whose packets nothing stops and nothing looks at")
        }
        // The plan has a place for the gate, and this version has no gate to put there.
        (_, true) => {
            act(Possible::No, "it would go through the gate, which there is none of for Windows in this version")
        }
        (Identity::Account { .. }, false) => {
            act(Possible::No, "filters block every packet of the account but those to the gate's port")
        }
        (Identity::Container { .. }, false) => {
            act(Possible::No, "the AppContainer has no network capability, so the filtering platform drops its packets")
        }
    }
}
