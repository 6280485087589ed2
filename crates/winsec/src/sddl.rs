//! The security descriptor definition language, both ways (MS-DTYP 2.5.1).
//!
//! ```text
//! O:BA G:SY D:PAI (A;OICI;FA;;;SY) (D;;0x1301bf;;;S-1-5-21-1-2-3-1001) S: (ML;;NW;;;LW)      without the spaces
//! owner group DACL entry            entry                                SACL entry
//! ```
//!
//! What is refused, by name: conditional, object, resource attribute, policy, trust label, alarm and filter entries. Reading is strict:
//! no spaces, two-letter names in capitals, each section at most once. Every error names its position in the text.
//!
//! The text has no place for a few things that the bytes have: the *defaulted* bits, the resource manager byte, the revision of a list.
//! A descriptor that has none of them comes back equal.

mod alias;
mod error;
mod read;
mod rights;
mod write;

#[cfg(test)]
mod tests;

use crate::ace::Ace;
use crate::descriptor::{DescriptorError, SecurityDescriptor};
use crate::sid::Sid;

pub use alias::Domains;
pub use error::{Problem, SddlError, WriteError};
pub use write::describe_ace;

/// Reads a descriptor. Aliases that are relative to a domain, such as `DA`, need that domain in `domains`.
pub fn parse(text: &str, domains: &Domains) -> Result<SecurityDescriptor, SddlError> {
    read::Reader::new(text, domains)?.descriptor()
}

/// Reads one entry, such as `(A;OICI;FA;;;SY)`.
pub fn parse_ace(text: &str, domains: &Domains) -> Result<Ace, SddlError> {
    read::Reader::new(text, domains)?.lone_ace()
}

/// Reads a SID as SDDL has it: an alias of two letters, or the string form.
pub fn parse_sid(text: &str, domains: &Domains) -> Result<Sid, SddlError> {
    read::Reader::new(text, domains)?.lone_sid()
}

/// Writes a descriptor, with aliases wherever there is one: for accounts only of the domains given.
pub fn to_string(descriptor: &SecurityDescriptor, domains: &Domains) -> Result<String, WriteError> {
    write::descriptor(descriptor, domains)
}

/// Writes one entry.
pub fn ace_to_string(ace: &Ace, domains: &Domains) -> Result<String, WriteError> {
    let mut out = String::new();
    write::ace(&mut out, ace, domains).map(|()| out)
}

/// Reads SDDL into the self-relative bytes of the descriptor.
pub fn to_bytes(text: &str, domains: &Domains) -> Result<Vec<u8>, SddlError> {
    let end = |error: DescriptorError| SddlError { position: text.len(), problem: Problem::Descriptor(error) };
    parse(text, domains)?.to_bytes().map_err(end)
}
