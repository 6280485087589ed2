//! From descriptor to text.

use super::{Domains, WriteError, alias, rights};
use crate::ace::{Ace, AceKind};
use crate::descriptor::{AclField, Control, SecurityDescriptor};
use crate::sid::Sid;

/// The flag of a list that is present and NULL.
pub(super) const NULL_LIST: &str = "NO_ACCESS_CONTROL";

pub(super) fn descriptor(descriptor: &SecurityDescriptor, domains: &Domains) -> Result<String, WriteError> {
    let mut out = String::new();
    for (tag, part) in [("O:", &descriptor.owner), ("G:", &descriptor.group)] {
        if let Some(part) = part {
            out.push_str(tag);
            sid(&mut out, part, domains);
        }
    }
    let control = descriptor.control;
    for (tag, field, flags) in [("D:", &descriptor.dacl, DACL_FLAGS), ("S:", &descriptor.sacl, SACL_FLAGS)] {
        if *field == AclField::Absent {
            continue;
        }
        out.push_str(tag);
        for (letters, bit) in flags {
            if control.contains(bit) {
                out.push_str(letters);
            }
        }
        match field {
            AclField::Present(acl) => acl.aces.iter().try_for_each(|entry| ace(&mut out, entry, domains))?,
            AclField::Null | AclField::Absent => out.push_str(NULL_LIST),
        }
    }
    Ok(out)
}

/// The letters before the entries of a DACL, in the order in which Windows writes them.
pub(super) const DACL_FLAGS: [(&str, Control); 3] =
    [("P", Control::DACL_PROTECTED), ("AR", Control::DACL_AUTO_INHERIT_REQ), ("AI", Control::DACL_AUTO_INHERITED)];

/// The same letters before the entries of a SACL.
pub(super) const SACL_FLAGS: [(&str, Control); 3] =
    [("P", Control::SACL_PROTECTED), ("AR", Control::SACL_AUTO_INHERIT_REQ), ("AI", Control::SACL_AUTO_INHERITED)];

/// Appends an entry.
pub(super) fn ace(out: &mut String, ace: &Ace, domains: &Domains) -> Result<(), WriteError> {
    let ace = match ace {
        Ace::Known(ace) => ace,
        Ace::Opaque(ace) => {
            return Err(WriteError::Opaque { type_byte: ace.type_byte, name: ace.type_name() });
        }
    };
    out.push('(');
    out.push_str(type_letters(ace.kind));
    out.push(';');
    rights::write_flags(out, ace.flags);
    out.push(';');
    rights::write_mask(out, ace.mask, ace.kind == AceKind::Label);
    out.push_str(";;;");
    sid(out, &ace.sid, domains);
    out.push(')');
    Ok(())
}

/// An entry for people: SDDL, or for an entry that has none, what it is and how long.
pub fn describe_ace(entry: &Ace, domains: &Domains) -> String {
    let mut out = String::new();
    match (ace(&mut out, entry, domains), entry) {
        (Err(_), Ace::Opaque(opaque)) => {
            format!("(an entry of type {:#04x}, {}, {} bytes)", opaque.type_byte, opaque.type_name(), entry.byte_len())
        }
        _ => out,
    }
}

/// The letters of an entry type.
pub(super) const fn type_letters(kind: AceKind) -> &'static str {
    match kind {
        AceKind::Allow => "A",
        AceKind::Deny => "D",
        AceKind::Audit => "AU",
        AceKind::Label => "ML",
    }
}

fn sid(out: &mut String, sid: &Sid, domains: &Domains) {
    match alias::alias_of(sid, domains) {
        Some(alias) => out.push_str(alias),
        None => out.push_str(&sid.to_string()),
    }
}
