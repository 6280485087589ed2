//! The Windows security model, as plain data and pure functions.
//!
//! ```text
//!  bytes ──► SecurityDescriptor ◄──► SDDL          who may do what to one object
//!                 ▲        │
//!     inherit ────┘        ▼
//!                       check(token, descriptor, desired) ──► verdict, explain
//! ```
//!
//! # The data half
//!
//! - [`sid`]: security identifiers, the well-known ones by name;
//! - [`mask`]: access masks, the names of rights and the generic mapping of each object type;
//! - [`ace`], [`acl`]: access control entries and lists, canonical or not, byte for byte;
//! - [`descriptor`]: security descriptors, self-relative bytes to plain struct and back;
//! - [`sddl`]: the text form, both ways;
//! - [`inherit`]: what a new object gets from its parent, and what existing children get when a parent changes.
//!
//! # The deciding half
//!
//! - [`token`]: who is asking, and what restricting a token makes of it;
//! - [`check`](mod@check): may this token have these rights: granted, denied, or unknown;
//! - [`explain`]: the same, with the pass, the entry and the SID that decided;
//! - [`ntfs`]: what the file system adds: opening, creating, deleting, renaming, linking;
//! - [`corpus`]: checks recorded on a real Windows, and whether this model answers them alike.
//!
//! The crate knows only what public documents say (MS-DTYP, Microsoft Learn). What it does not model (conditional, object and resource
//! entries) it keeps as opaque bytes, so that reading and writing lose nothing, and marks, so that nobody takes a guess for an
//! answer. It makes no call to an operating system, has no unsafe code and runs on every platform.

#![forbid(unsafe_code)]

pub mod ace;
pub mod acl;
mod bytes;
pub mod check;
pub mod corpus;
pub mod descriptor;
pub mod explain;
pub mod inherit;
pub mod mask;
pub mod ntfs;
pub mod sddl;
pub mod sid;
#[cfg(test)]
mod testing;
pub mod token;

pub use ace::{Ace, AceFlags, AceKind, KnownAce, OpaqueAce};
pub use acl::Acl;
pub use check::{Request, Unknown, Verdict, check};
pub use descriptor::{AclField, Control, SecurityDescriptor};
pub use mask::{AccessMask, GenericMapping, ObjectType};
pub use sid::Sid;
pub use token::Token;
