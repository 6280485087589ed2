//! What can be done to files beyond opening them (MS-FSA 2.1.5).

use super::{Node, NodeKind, Open, Outcome, Refusal, Target, ask, open};
use crate::token::{Integrity, Privilege, Token};
use crate::{AccessMask, SecurityDescriptor, Sid};

/// The right on a directory that lets a name of this kind be made in it (MS-FSA 2.1.5.1.1).
const fn to_add(kind: NodeKind) -> AccessMask {
    match kind {
        NodeKind::File => AccessMask::FILE_ADD_FILE,
        NodeKind::Directory => AccessMask::FILE_ADD_SUBDIRECTORY,
    }
}

/// Makes a file or directory (MS-FSA 2.1.5.1.1). The handle gets what it asks for, whatever the new descriptor says, but
/// `ACCESS_SYSTEM_SECURITY` only by privilege. What the new descriptor is, [`inherit`](crate::inherit) says.
pub fn create(token: &Token, directory: &SecurityDescriptor, kind: NodeKind, desired: AccessMask) -> Outcome {
    let desired = crate::ObjectType::File.mapping().map(desired);
    if desired.contains(AccessMask::ACCESS_SYSTEM_SECURITY) && !token.has(Privilege::Security) {
        return Err(Refusal::Privilege(Privilege::Security));
    }
    ask(token, directory, Target::TargetDirectory, to_add(kind))?;
    if desired.contains(AccessMask::MAXIMUM_ALLOWED) {
        return Ok(AccessMask::FILE_ALL_ACCESS | desired.without(AccessMask::MAXIMUM_ALLOWED));
    }
    Ok(desired)
}

/// Makes or opens a named stream of a file or directory. A stream has no descriptor of its own: the file's decides.
pub fn stream(token: &Token, node: &impl Node, desired: AccessMask, exists: bool) -> Outcome {
    let granted = open(token, node, Open::rights(desired))?;
    let writes = AccessMask::FILE_WRITE_DATA | AccessMask::FILE_APPEND_DATA;
    if exists || granted.intersects(writes) { Ok(granted) } else { Err(Refusal::StreamWithoutWrite) }
}

/// Deletes a name (MS-FSA 2.1.5.15.3): `DELETE` on the object or `FILE_DELETE_CHILD` on its parent.
///
/// The read-only attribute stops the plain call only. Who may write attributes clears it first, and `FILE_DELETE_CHILD` is documented to
/// delete read-only files too (Learn, "File Access Rights Constants"); both count here.
pub fn delete(token: &Token, node: &impl Node) -> Outcome {
    let granted = open(token, node, Open::rights(AccessMask::DELETE))?;
    if node.is_read_only() {
        let clears = open(token, node, Open::rights(AccessMask::FILE_WRITE_ATTRIBUTES)).is_ok();
        let through = |parent| ask(token, parent, Target::Parent, AccessMask::FILE_DELETE_CHILD).is_ok();
        if !clears && !node.parent().is_some_and(through) {
            return Err(Refusal::ReadOnly(Target::Object));
        }
    }
    Ok(granted)
}

/// Takes the name of `replaced` over, in a rename or link that replaces: it is deleted (MS-FSA 2.1.5.15.6, 2.1.5.15.11).
fn replace(token: &Token, replaced: &impl Node) -> Outcome {
    if replaced.kind() == NodeKind::Directory {
        return Err(Refusal::Directory(Target::Replaced));
    }
    let on_replaced = |refusal| match refusal {
        Refusal::Access { on: Target::Object, rights } => Refusal::Access { on: Target::Replaced, rights },
        Refusal::Unknown { on: Target::Object, why } => Refusal::Unknown { on: Target::Replaced, why },
        Refusal::ReadOnly(Target::Object) => Refusal::ReadOnly(Target::Replaced),
        other => other,
    };
    delete(token, replaced).map_err(on_replaced)
}

/// Renames or moves within a volume (MS-FSA 2.1.5.15.11): `DELETE` on the source, or `FILE_DELETE_CHILD` on its parent; the right to add
/// to the target directory; and the deletion of what is replaced. The object keeps its descriptor.
pub fn rename<N: Node>(
    token: &Token,
    source: &N,
    target_directory: &SecurityDescriptor,
    replaced: Option<&N>,
) -> Outcome {
    let granted = open(token, source, Open::rights(AccessMask::DELETE))?;
    ask(token, target_directory, Target::TargetDirectory, to_add(source.kind()))?;
    replaced.map(|replaced| replace(token, replaced)).transpose()?;
    Ok(granted)
}

/// What a handle must have so that a hard link can be made through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkRule {
    /// Any handle will do. MS-FSA 2.1.5.15.6 names no right, so a boundary must hold even so.
    #[default]
    AnyHandle,
    /// `FILE_WRITE_ATTRIBUTES`, which the Win32 call `CreateHardLink` asks for.
    WriteAttributes,
}

/// Gives a file another name (MS-FSA 2.1.5.15.6): a handle to it, `FILE_ADD_FILE` on the target directory, and the deletion of what is
/// replaced. Both names share the one descriptor, so whoever later grants something at the new name grants it at the old one.
pub fn hard_link<N: Node>(
    token: &Token,
    source: &N,
    target_directory: &SecurityDescriptor,
    replaced: Option<&N>,
    rule: LinkRule,
) -> Outcome {
    /// MS-FSA 2.1.5.15.6.
    const MOST_LINKS: u32 = 1024;
    if source.kind() == NodeKind::Directory {
        return Err(Refusal::Directory(Target::Object));
    }
    if source.link_count() >= MOST_LINKS {
        return Err(Refusal::TooManyLinks);
    }
    let desired = match rule {
        LinkRule::AnyHandle => AccessMask::MAXIMUM_ALLOWED,
        LinkRule::WriteAttributes => AccessMask::FILE_WRITE_ATTRIBUTES,
    };
    let granted = open(token, source, Open::rights(desired))?;
    ask(token, target_directory, Target::TargetDirectory, AccessMask::FILE_ADD_FILE)?;
    replaced.map(|replaced| replace(token, replaced)).transpose()?;
    Ok(granted)
}

/// Copies a file: reads it and makes a new one, whose descriptor comes from its new directory.
pub fn copy(token: &Token, source: &impl Node, target_directory: &SecurityDescriptor) -> Outcome {
    let reads = match source.kind() {
        NodeKind::File => AccessMask::FILE_READ_DATA,
        NodeKind::Directory => AccessMask::FILE_LIST_DIRECTORY,
    };
    let granted = open(token, source, Open::rights(reads | AccessMask::FILE_READ_ATTRIBUTES))?;
    create(token, target_directory, source.kind(), AccessMask::FILE_GENERIC_WRITE)?;
    Ok(granted)
}

/// Moves to another volume, which is a copy and a deletion (Learn, `MoveFileEx` with `MOVEFILE_COPY_ALLOWED`).
pub fn move_across_volumes(token: &Token, source: &impl Node, target_directory: &SecurityDescriptor) -> Outcome {
    copy(token, source, target_directory)?;
    delete(token, source)
}

/// Makes the object a reparse point, or no longer one (MS-FSA 2.1.5.10.37): a handle that may write data or attributes. A symbolic link
/// needs the privilege besides; a junction does not. A directory must be empty, which the caller knows.
pub fn set_reparse_point(token: &Token, node: &impl Node, symbolic_link: bool) -> Outcome {
    if symbolic_link && !token.has(Privilege::CreateSymbolicLink) {
        return Err(Refusal::Privilege(Privilege::CreateSymbolicLink));
    }
    let by_data = open(token, node, Open::rights(AccessMask::FILE_WRITE_DATA));
    let by_attributes = || open(token, node, Open::rights(AccessMask::FILE_WRITE_ATTRIBUTES));
    match by_data {
        Ok(granted) => Ok(granted),
        // A refusal for certain must not hide that the other way is not known.
        Err(data) => by_attributes().map_err(|attributes| if data.is_certain() { attributes } else { data }),
    }
}

/// Changes attributes or times (MS-FSA 2.1.5.15.2).
pub fn set_attributes(token: &Token, node: &impl Node) -> Outcome {
    open(token, node, Open::rights(AccessMask::FILE_WRITE_ATTRIBUTES))
}

/// A part of a descriptor to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The DACL.
    Dacl,
    /// The owner, to this SID.
    Owner(Sid),
    /// The label, to this level. Below or at the token's own level no privilege is needed (Learn, `LABEL_SECURITY_INFORMATION`).
    Label(Integrity),
    /// The audit part of the SACL.
    Audit,
}

/// Changes the descriptor (MS-FSA 2.1.5.17).
pub fn set_security(token: &Token, node: &impl Node, change: Change) -> Outcome {
    let right = match change {
        Change::Dacl => AccessMask::WRITE_DAC,
        Change::Owner(_) | Change::Label(_) => AccessMask::WRITE_OWNER,
        Change::Audit => AccessMask::ACCESS_SYSTEM_SECURITY,
    };
    let granted = open(token, node, Open::rights(right))?;
    match change {
        Change::Owner(owner) if !token.may_assign_owner(&owner) && !token.has(Privilege::Restore) => {
            Err(Refusal::Owner)
        }
        Change::Label(level) if level > token.integrity && !token.has(Privilege::Relabel) => Err(Refusal::Label),
        _ => Ok(granted),
    }
}
