//! The plan in the form in which the child carries it out: C strings relative to the new root, nothing left to compute.

use std::ffi::{CString, NulError, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::plan::{Kind, Mode, Plan, Step};
use crate::sys::mount::{NO_DEVICES, NO_SUID, READ_ONLY};

/// Where the covers of denied names are made: below the mount point of `/proc`, which hides them.
pub(super) const COVERS: &str = "proc";

/// One operation of building the root. Paths are relative to the new root.
pub(super) enum Operation {
    Make {
        at: CString,
        kind: Kind,
        mode: u32,
    },
    MakeBeneath {
        parent: CString,
        name: CString,
        kind: Kind,
    },
    Link {
        at: CString,
        target: CString,
    },
    LinkBeneath {
        parent: CString,
        name: CString,
        target: CString,
    },
    /// `host` is absolute, in the old root.
    Tree {
        host: CString,
        at: CString,
        attributes: u64,
    },
    Protect {
        at: CString,
    },
    Pin {
        at: CString,
    },
    Memory {
        at: CString,
    },
    Mask {
        at: CString,
        kind: Kind,
    },
    /// `cover` is relative to the new root.
    MaskAround {
        at: CString,
        cover: CString,
    },
}

/// One operation for each step of `plan`, in the same order, so that a failed operation's index names its step.
pub(super) fn compile(plan: &Plan) -> Result<Vec<Operation>, NulError> {
    plan.steps.iter().map(operation).collect()
}

fn operation(step: &Step) -> Result<Operation, NulError> {
    Ok(match step {
        Step::Make { at, kind, mode } => Operation::Make { at: below_root(at)?, kind: *kind, mode: *mode },
        Step::MakeBeneath { at, kind } => {
            let (parent, name) = split(at)?;
            Operation::MakeBeneath { parent, name, kind: *kind }
        }
        Step::Link { at, target } => Operation::Link { at: below_root(at)?, target: text(target.as_os_str())? },
        Step::LinkBeneath { at, target } => {
            let (parent, name) = split(at)?;
            Operation::LinkBeneath { parent, name, target: text(target.as_os_str())? }
        }
        Step::Tree { host, at, mode } => {
            let read_only = if *mode == Mode::ReadOnly { READ_ONLY } else { 0 };
            let attributes = read_only | NO_SUID | NO_DEVICES;
            Operation::Tree { host: text(host.as_os_str())?, at: below_root(at)?, attributes }
        }
        Step::Protect { at } => Operation::Protect { at: below_root(at)? },
        Step::Pin { at } => Operation::Pin { at: below_root(at)? },
        Step::Memory { at } => Operation::Memory { at: below_root(at)? },
        Step::Mask { at, kind } => Operation::Mask { at: below_root(at)?, kind: *kind },
        Step::MaskAround { at, number } => {
            Operation::MaskAround { at: below_root(at)?, cover: CString::new(format!("{COVERS}/m{number}"))? }
        }
        Step::MakeInMask { number, below, kind } => {
            let mut at = format!("{COVERS}/m{number}/").into_bytes();
            at.extend_from_slice(below.as_os_str().as_bytes());
            Operation::Make { at: CString::new(at)?, kind: *kind, mode: 0o755 }
        }
    })
}

pub(super) fn text(text: &OsStr) -> Result<CString, NulError> {
    CString::new(text.as_bytes())
}

fn below_root(path: &Path) -> Result<CString, NulError> {
    text(path.strip_prefix("/").unwrap_or(path).as_os_str())
}

fn split(path: &Path) -> Result<(CString, CString), NulError> {
    let parent = path.parent().map(below_root).transpose()?.unwrap_or_default();
    Ok((parent, text(path.file_name().unwrap_or_default())?))
}
