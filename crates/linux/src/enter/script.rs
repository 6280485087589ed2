//! The plan in the form in which the child carries it out: C strings relative to the new root, nothing left to compute.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::plan::{Kind, Mode, Plan, Step};
use crate::sys::arena::{Arena, ArenaError};
use crate::sys::mount::{NO_DEVICES, NO_SUID, READ_ONLY};

/// Where the covers of denied names and files of bailiwick's own are made: below the mount point of `/proc`, which hides them.
pub(super) const COVERS: &str = "proc";

/// One operation of building the root. Paths are relative to the new root.
#[derive(Clone, Copy)]
pub(super) enum Operation<'a> {
    Make {
        at: &'a CStr,
        kind: Kind,
        mode: u32,
    },
    MakeBeneath {
        parent: &'a CStr,
        name: &'a CStr,
        kind: Kind,
    },
    Link {
        at: &'a CStr,
        target: &'a CStr,
    },
    LinkBeneath {
        parent: &'a CStr,
        name: &'a CStr,
        target: &'a CStr,
    },
    /// `host` is absolute, in the old root. Where `made`, an operation before has made the mount point, in the root's own memory.
    Tree {
        host: &'a CStr,
        at: &'a CStr,
        made: bool,
        attributes: u64,
    },
    Protect {
        at: &'a CStr,
    },
    Pin {
        at: &'a CStr,
    },
    Memory {
        at: &'a CStr,
    },
    /// `memory` is where the file is made, relative to the new root.
    File {
        at: &'a CStr,
        memory: &'a CStr,
        content: &'a [u8],
        optional: bool,
    },
    Mask {
        at: &'a CStr,
        kind: Kind,
    },
    /// `cover` is relative to the new root.
    MaskAround {
        at: &'a CStr,
        cover: &'a CStr,
    },
}

/// One operation for each step of `plan`, in the same order, so that a failed operation's index names its step.
pub(super) fn compile<'a>(plan: &Plan, arena: &'a Arena) -> Result<&'a [Operation<'a>], ArenaError> {
    let mut operations = Vec::with_capacity(plan.steps.len());
    let mut before = None;
    for (number, step) in plan.steps.iter().enumerate() {
        operations.push(operation(number, step, before, arena)?);
        before = Some(step);
    }
    arena.slice(&operations)
}

fn operation<'a>(
    number: usize,
    step: &Step,
    before: Option<&Step>,
    arena: &'a Arena,
) -> Result<Operation<'a>, ArenaError> {
    let below_root = |path| below_root(path, arena);
    Ok(match step {
        Step::Make { at, kind, mode } => Operation::Make { at: below_root(at)?, kind: *kind, mode: *mode },
        Step::MakeBeneath { at, kind } => {
            let (parent, name) = split(at, arena)?;
            Operation::MakeBeneath { parent, name, kind: *kind }
        }
        Step::Link { at, target } => Operation::Link { at: below_root(at)?, target: text(target, arena)? },
        Step::LinkBeneath { at, target } => {
            let (parent, name) = split(at, arena)?;
            Operation::LinkBeneath { parent, name, target: text(target, arena)? }
        }
        Step::Tree { host, at, mode } => {
            let read_only = if *mode == Mode::ReadOnly { READ_ONLY } else { 0 };
            let attributes = read_only | NO_SUID | NO_DEVICES;
            let made = matches!(before, Some(Step::Make { at: point, .. }) if point.as_os_str() == at.as_os_str());
            Operation::Tree { host: text(host, arena)?, at: below_root(at)?, made, attributes }
        }
        Step::Protect { at } => Operation::Protect { at: below_root(at)? },
        Step::Pin { at } => Operation::Pin { at: below_root(at)? },
        Step::Memory { at } => Operation::Memory { at: below_root(at)? },
        Step::File { at, content, optional } => Operation::File {
            at: below_root(at)?,
            memory: arena.text(format!("{COVERS}/f{number}").as_bytes())?,
            content: arena.slice(content.as_bytes())?,
            optional: *optional,
        },
        Step::Mask { at, kind } => Operation::Mask { at: below_root(at)?, kind: *kind },
        Step::MaskAround { at, number } => {
            Operation::MaskAround { at: below_root(at)?, cover: arena.text(format!("{COVERS}/m{number}").as_bytes())? }
        }
        Step::MakeInMask { number, below, kind } => {
            let at = arena.joined(&[format!("{COVERS}/m{number}/").as_bytes(), below.as_os_str().as_bytes()])?;
            Operation::Make { at, kind: *kind, mode: 0o755 }
        }
    })
}

pub(super) fn text(text: impl AsRef<OsStr>, arena: &Arena) -> Result<&CStr, ArenaError> {
    arena.text(text.as_ref().as_bytes())
}

fn below_root<'a>(path: &Path, arena: &'a Arena) -> Result<&'a CStr, ArenaError> {
    text(path.strip_prefix("/").unwrap_or(path), arena)
}

fn split<'a>(path: &Path, arena: &'a Arena) -> Result<(&'a CStr, &'a CStr), ArenaError> {
    let parent = path.parent().map(|parent| below_root(parent, arena)).transpose()?.unwrap_or_default();
    Ok((parent, text(path.file_name().unwrap_or_default(), arena)?))
}
