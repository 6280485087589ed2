//! The real Windows, as far as recording asks it. Each file wraps one part of the system's interface; nothing here decides anything.
//!
//! | file | wraps |
//! | --- | --- |
//! | `token` | `OpenProcessToken`, `GetTokenInformation`, `CreateRestrictedToken`, `DuplicateTokenEx`, `SetTokenInformation` |
//! | `access` | `AccessCheck` |
//! | `accounts` | `LookupAccountSid`, `LookupAccountName`, the computer's name |
//! | `files` | descriptors, link counts, names of files |
//! | `volumes` | drives and volumes |
//! | `folders` | known folders |
//! | `registry` | single values |
//! | `services` | whether a service runs |
//! | `version` | which Windows, and whether it is Wine |
//! | `libraries` | functions that not every Windows has |
//! | `machine` | [`Machine`](crate::record::Machine) and [`Witness`](crate::record::checks::Witness) from all of these; no unsafe code |
//!
//! Not yet run on a real Windows. Sources: Microsoft Learn, the page of each function.

mod access;
mod accounts;
mod files;
mod folders;
mod libraries;
mod machine;
mod registry;
mod services;
mod token;
mod version;
mod volumes;

use std::io;

use crate::record::Unread;

pub use machine::Here;
pub use token::ProcessToken;

/// A text as the system takes it: UTF-16 with a NUL at its end.
///
/// A NUL within would cut it off, so that the system would be asked about something else.
fn wide(text: &str) -> io::Result<Vec<u16>> {
    if text.contains('\0') {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a text holds a NUL"));
    }
    Ok(text.encode_utf16().chain([0]).collect())
}

/// A text that the system wrote: up to its NUL, or all of it.
fn narrow(text: &[u16]) -> io::Result<String> {
    let end = text.iter().position(|unit| *unit == 0).unwrap_or(text.len());
    String::from_utf16(text.get(..end).unwrap_or_default())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the system's answer is not Unicode"))
}

/// What a function that answers 0 for failure left behind.
fn succeeded(answer: i32) -> io::Result<()> {
    if answer == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The size of a buffer as the system takes it.
fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A failure with what was being read.
fn unread(what: impl Into<String>) -> impl FnOnce(io::Error) -> Unread {
    let what = what.into();
    move |error| Unread { what, why: error.to_string(), denied: error.kind() == io::ErrorKind::PermissionDenied }
}
