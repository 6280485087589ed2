//! The rules that NTFS adds to the access check (MS-FSA), as pure functions.
//!
//! A file system asks the access check about a file *and* about the directory that holds it. These rules decide what a token can do to
//! files, so a boundary made of descriptors is only as good as they allow: `FILE_DELETE_CHILD` on a directory deletes what is in it,
//! whatever the descriptors of the children say.
//!
//! | room | subject |
//! | --- | --- |
//! | this file | opening, traversing |
//! | `operations.rs` | creating, deleting, renaming, linking, copying, reparse points, attributes, descriptors |
//! | `share.rs` | share modes: what an open handle keeps others from |
//!
//! What these functions do not look at, and the caller must: whether a directory is empty, whether names exist, quotas, read-only
//! volumes, opportunistic locks, and open handles below a directory that is renamed.

mod operations;
mod share;

#[cfg(test)]
mod tests;

use std::fmt;

pub use operations::{
    Change, LinkRule, copy, create, delete, hard_link, move_across_volumes, rename, set_attributes, set_reparse_point,
    set_security, stream,
};
pub use share::{Opened, Share};

use crate::check::{Request, Unknown, Verdict, check};
use crate::token::{Privilege, Token};
use crate::{AccessMask, ObjectType, SecurityDescriptor};

/// A file or a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// A file.
    File,
    /// A directory.
    Directory,
}

/// What the rules ask about a file or directory, reached by one of its names.
pub trait Node {
    /// Its descriptor. Hard links share it.
    fn descriptor(&self) -> &SecurityDescriptor;

    /// The descriptor of the directory that holds the name by which it was reached; `None` for the root of a volume.
    ///
    /// A file with several names has several parents, and who wants something picks the one that helps: ask once for each.
    fn parent(&self) -> Option<&SecurityDescriptor>;

    /// A file or a directory.
    fn kind(&self) -> NodeKind;

    /// `FILE_ATTRIBUTE_READONLY`.
    fn is_read_only(&self) -> bool {
        false
    }

    /// How many names it has.
    fn link_count(&self) -> u32 {
        1
    }
}

/// Which descriptor was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// That of the object itself.
    Object,
    /// That of the directory that holds it.
    Parent,
    /// That of the directory that a name is made in.
    TargetDirectory,
    /// That of the object whose name is taken over.
    Replaced,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Target::Object => "the object",
            Target::Parent => "the directory that holds it",
            Target::TargetDirectory => "the directory of the new name",
            Target::Replaced => "the object to be replaced",
        })
    }
}

/// Why an operation is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The descriptors do not grant it. `explain` with this request on that descriptor says why.
    Access {
        /// Which descriptor was asked last.
        on: Target,
        /// The rights it does not grant.
        rights: AccessMask,
    },
    /// The model does not know.
    Unknown {
        /// Which descriptor was asked.
        on: Target,
        /// What in it.
        why: Unknown,
    },
    /// No document says whether a stream can be made through a handle without a right to write data.
    StreamWithoutWrite,
    /// The read-only attribute is in the way (MS-FSA 2.1.5.1.2.1).
    ReadOnly(Target),
    /// A privilege is needed and not enabled.
    Privilege(Privilege),
    /// The SID may not be made the owner by this token.
    Owner,
    /// A label above the token's own level needs SeRelabelPrivilege.
    Label,
    /// Directories have no hard links, and none is replaced by a rename (MS-FSA 2.1.5.15.6, 2.1.5.15.11).
    Directory(Target),
    /// The file has 1,024 names, the most there can be (MS-FSA 2.1.5.15.6).
    TooManyLinks,
}

impl Refusal {
    /// Whether this is a refusal for certain, and not a lack of knowledge.
    pub const fn is_certain(self) -> bool {
        !matches!(self, Refusal::Unknown { .. } | Refusal::StreamWithoutWrite)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Access { rights, .. } if rights.is_empty() => f.write_str("no right was asked for"),
            Refusal::Access { rights: AccessMask::MAXIMUM_ALLOWED, .. } => f.write_str("there is no right to be had"),
            Refusal::Access { on, rights } => {
                let kind = match on {
                    Target::Object | Target::Replaced => ObjectType::File,
                    Target::Parent | Target::TargetDirectory => ObjectType::Directory,
                };
                let names = rights.names(kind).join(", ");
                write!(f, "the descriptor of {on} does not grant {names}")
            }
            Refusal::Unknown { on, why } => write!(f, "unknown, from the descriptor of {on}: {why}"),
            Refusal::StreamWithoutWrite => {
                f.write_str("unknown: no document says whether a stream can be made without a right to write data")
            }
            Refusal::ReadOnly(on) => write!(f, "{on} has the read-only attribute"),
            Refusal::Privilege(privilege) => write!(f, "{privilege} is needed and not enabled"),
            Refusal::Owner => f.write_str("the token may not make this SID the owner"),
            Refusal::Label => f.write_str("a label above the token's own level needs SeRelabelPrivilege"),
            Refusal::Directory(on) => write!(f, "{on} is a directory, for which this is not done"),
            Refusal::TooManyLinks => f.write_str("the file has 1,024 names, the most there can be"),
        }
    }
}

/// The rights that the operation got, or why it is not done.
pub type Outcome = Result<AccessMask, Refusal>;

/// Asks one descriptor for rights, all of them.
fn ask(token: &Token, descriptor: &SecurityDescriptor, on: Target, rights: AccessMask) -> Outcome {
    outcome(check(token, descriptor, Request::file(rights)), on, rights)
}

const fn outcome(verdict: Verdict, on: Target, rights: AccessMask) -> Outcome {
    match verdict {
        Verdict::Granted(granted) => Ok(granted),
        Verdict::Denied => Err(Refusal::Access { on, rights }),
        Verdict::Unknown(why) => Err(Refusal::Unknown { on, why }),
    }
}

/// How an existing file or directory is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// The rights asked for, generic ones and `MAXIMUM_ALLOWED` included.
    pub desired: AccessMask,
    /// `FILE_OPEN_FOR_BACKUP_INTENT`: backup and restore privileges count.
    pub backup_intent: bool,
    /// `FILE_DELETE_ON_CLOSE`.
    pub delete_on_close: bool,
}

impl Open {
    /// These rights, nothing special.
    pub const fn rights(desired: AccessMask) -> Open {
        Open { desired, backup_intent: false, delete_on_close: false }
    }
}

/// Opens an existing file or directory (MS-FSA 2.1.5.1.2.1): the rights that the handle has.
///
/// `DELETE` that the object does not grant is granted by the parent's `FILE_DELETE_CHILD`, `FILE_READ_ATTRIBUTES` by the parent's
/// `FILE_LIST_DIRECTORY`. Each is asked of the parent by itself. For a write-restricted token that is a request without write-type
/// rights, so its restricting SIDs are not asked: this is how such a token deletes files that it may not write.
pub fn open(token: &Token, node: &impl Node, how: Open) -> Outcome {
    let mapping = ObjectType::File.mapping();
    let desired = mapping.map(how.desired);
    if desired.is_empty() {
        return Err(Refusal::Access { on: Target::Object, rights: desired });
    }
    let writes = AccessMask::FILE_WRITE_DATA | AccessMask::FILE_APPEND_DATA;
    if node.kind() == NodeKind::File && node.is_read_only() && desired.intersects(writes) {
        return Err(Refusal::ReadOnly(Target::Object));
    }
    if node.is_read_only() && how.delete_on_close {
        return Err(Refusal::ReadOnly(Target::Object));
    }
    let intended = if how.backup_intent { by_intent(token, desired) } else { AccessMask::NONE };
    let rest = desired.without(intended);
    if !intended.is_empty() && rest.is_empty() {
        return Ok(intended);
    }
    if !desired.contains(AccessMask::MAXIMUM_ALLOWED) {
        return Ok(intended | open_named(token, node, rest)?);
    }
    let mut granted = open_maximum(token, node)? | intended;
    if node.is_read_only() {
        granted = granted.without(writes | AccessMask::FILE_ADD_SUBDIRECTORY | AccessMask::FILE_DELETE_CHILD);
    }
    let missing = desired.without(granted | AccessMask::MAXIMUM_ALLOWED);
    if !missing.is_empty() {
        return Err(Refusal::Access { on: Target::Object, rights: missing });
    }
    if granted.is_empty() {
        return Err(Refusal::Access { on: Target::Object, rights: AccessMask::MAXIMUM_ALLOWED });
    }
    Ok(granted)
}

/// What the parent can add, and the right on the parent that adds it.
const THROUGH_PARENT: [(AccessMask, AccessMask); 2] = [
    (AccessMask::DELETE, AccessMask::FILE_DELETE_CHILD),
    (AccessMask::FILE_READ_ATTRIBUTES, AccessMask::FILE_LIST_DIRECTORY),
];

fn open_named(token: &Token, node: &impl Node, desired: AccessMask) -> Outcome {
    let whole = check(token, node.descriptor(), Request::file(desired));
    let (Verdict::Denied | Verdict::Unknown(_), Some(parent)) = (whole, node.parent()) else {
        return outcome(whole, Target::Object, desired);
    };
    let mut rest = desired;
    let mut doubt = None;
    for (right, through) in THROUGH_PARENT {
        if desired.contains(right) {
            match ask(token, parent, Target::Parent, through) {
                Ok(_) => rest = rest.without(right),
                Err(refusal) if refusal.is_certain() => {}
                Err(refusal) => {
                    rest = rest.without(right);
                    doubt = doubt.or(Some(refusal));
                }
            }
        }
    }
    let rest_granted = match rest.is_empty() {
        true => Ok(AccessMask::NONE),
        false => ask(token, node.descriptor(), Target::Object, rest),
    };
    match (rest_granted, doubt) {
        (Ok(_), None) => Ok(desired),
        (Ok(_), Some(refusal)) => Err(refusal),
        (Err(_), _) if !whole.is_denied() => outcome(whole, Target::Object, desired),
        (Err(refusal), _) => Err(refusal),
    }
}

fn open_maximum(token: &Token, node: &impl Node) -> Outcome {
    let mut granted = match ask(token, node.descriptor(), Target::Object, AccessMask::MAXIMUM_ALLOWED) {
        Err(refusal) if refusal.is_certain() => AccessMask::NONE,
        asked => asked?,
    };
    for (right, through) in THROUGH_PARENT {
        let missing = !granted.contains(right);
        if let Some(parent) = node.parent().filter(|_| missing) {
            match ask(token, parent, Target::Parent, through) {
                Ok(_) => granted |= right,
                Err(refusal) if refusal.is_certain() => {}
                Err(refusal) => return Err(refusal),
            }
        }
    }
    Ok(granted)
}

/// What backup and restore privileges give an open with backup intent (MS-FSA 2.1.5.1; Learn, "Privilege Constants",
/// `SE_BACKUP_NAME` and `SE_RESTORE_NAME`).
fn by_intent(token: &Token, desired: AccessMask) -> AccessMask {
    const BACKUP: AccessMask = AccessMask::READ_CONTROL
        .union(AccessMask::ACCESS_SYSTEM_SECURITY)
        .union(AccessMask::FILE_GENERIC_READ)
        .union(AccessMask::FILE_TRAVERSE);
    const RESTORE: AccessMask = AccessMask::WRITE_DAC
        .union(AccessMask::WRITE_OWNER)
        .union(AccessMask::ACCESS_SYSTEM_SECURITY)
        .union(AccessMask::FILE_GENERIC_WRITE)
        .union(AccessMask::FILE_ADD_FILE)
        .union(AccessMask::FILE_ADD_SUBDIRECTORY)
        .union(AccessMask::DELETE);
    let mut given = AccessMask::NONE;
    for (privilege, rights) in [(Privilege::Backup, BACKUP), (Privilege::Restore, RESTORE)] {
        if token.has(privilege) {
            given |= rights;
        }
    }
    let asked = if desired.contains(AccessMask::MAXIMUM_ALLOWED) { given } else { desired };
    given & asked
}

/// Whether a path may lead through a directory with this descriptor (MS-FSA 2.1.5.1): SeChangeNotifyPrivilege, which nearly every token
/// has, is as good as `FILE_TRAVERSE`.
pub fn traverse(token: &Token, directory: &SecurityDescriptor) -> Outcome {
    if token.has(Privilege::ChangeNotify) {
        return Ok(AccessMask::FILE_TRAVERSE);
    }
    ask(token, directory, Target::Object, AccessMask::FILE_TRAVERSE)
}
