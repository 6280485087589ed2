//! Tokens: one's own, what it is restricted to, and what they say of themselves.

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};

use bailiwick_winsec::Sid;
use bailiwick_winsec::token::{Integrity, Readings, Token};
use windows_sys::Win32::Foundation::{ERROR_BAD_LENGTH, ERROR_INSUFFICIENT_BUFFER, HANDLE};
use windows_sys::Win32::Security::{
    CreateRestrictedToken, DISABLE_MAX_PRIVILEGE, DuplicateTokenEx, GetTokenInformation, SID_AND_ATTRIBUTES,
    SecurityImpersonation, SetTokenInformation, TOKEN_ACCESS_INFORMATION, TOKEN_ADJUST_DEFAULT, TOKEN_DUPLICATE,
    TOKEN_IMPERSONATE, TOKEN_INFORMATION_CLASS, TOKEN_MANDATORY_LABEL, TOKEN_QUERY, TOKEN_TYPE, TokenAccessInformation,
    TokenAppContainerSid, TokenCapabilities, TokenDefaultDacl, TokenElevation, TokenGroups, TokenImpersonation,
    TokenIntegrityLevel, TokenIsAppContainer, TokenIsLessPrivilegedAppContainer, TokenMandatoryPolicy, TokenOwner,
    TokenPrimary, TokenPrimaryGroup, TokenPrivileges, TokenRestrictedSids, TokenUser, WRITE_RESTRICTED,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::{size, succeeded, version};
use crate::record::buffer::{Buffer, BufferError};
use crate::record::tokens::Step;

/// `TOKEN_WRITE_RESTRICTED` of the public header `ntifs.h`.
const FLAG_WRITE_RESTRICTED: u32 = 0x8;

/// The largest answer that is believed, in bytes.
const LARGEST: u32 = 1 << 20;

/// A token that this process holds open.
#[derive(Debug)]
pub struct ProcessToken(OwnedHandle);

impl ProcessToken {
    /// The token of this process.
    ///
    /// # Errors
    ///
    /// What the system answered.
    pub fn own() -> io::Result<ProcessToken> {
        let mut handle: HANDLE = null_mut();
        // SAFETY: the pseudo handle of the own process is always valid; `handle` is written only on success.
        succeeded(unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &mut handle) })?;
        // SAFETY: the call succeeded, so `handle` is open and nobody else owns it.
        Ok(ProcessToken(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    pub(super) fn raw(&self) -> HANDLE {
        self.0.as_raw_handle()
    }

    /// The token that the steps make of this one, which stays as it is.
    ///
    /// # Errors
    ///
    /// What the system answered to the first step that failed.
    pub fn after(&self, steps: &[Step]) -> io::Result<ProcessToken> {
        let mut token = self.duplicate(TokenPrimary)?;
        for step in steps {
            match step {
                Step::Restrict { disable, restricting, write_restricted, strip_privileges } => {
                    let flags = if *write_restricted { WRITE_RESTRICTED } else { 0 }
                        | if *strip_privileges { DISABLE_MAX_PRIVILEGE } else { 0 };
                    token = token.restricted(flags, disable, restricting)?;
                }
                Step::Lower(level) => token.lower(*level)?,
            }
        }
        Ok(token)
    }

    /// The same as a token that a thread could impersonate with, which is what `AccessCheck` wants.
    ///
    /// # Errors
    ///
    /// What the system answered.
    pub fn for_checks(&self) -> io::Result<ProcessToken> {
        self.duplicate(TokenImpersonation)
    }

    fn duplicate(&self, kind: TOKEN_TYPE) -> io::Result<ProcessToken> {
        let access = TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_ADJUST_DEFAULT | TOKEN_IMPERSONATE;
        let mut handle: HANDLE = null_mut();
        // SAFETY: the token is open as long as `self`; no attributes are given; `handle` is written only on success.
        succeeded(unsafe { DuplicateTokenEx(self.raw(), access, null(), SecurityImpersonation, kind, &mut handle) })?;
        // SAFETY: the call succeeded, so `handle` is open and nobody else owns it.
        Ok(ProcessToken(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    fn restricted(&self, flags: u32, disable: &[Sid], restricting: &[Sid]) -> io::Result<ProcessToken> {
        let (disable, restricting) = (Sids::new(disable), Sids::new(restricting));
        let mut handle: HANDLE = null_mut();
        // SAFETY: the token is open as long as `self`; the lists and the SIDs that they point to outlive the call, with their true
        // counts, and are only read; `handle` is written only on success.
        succeeded(unsafe {
            CreateRestrictedToken(
                self.raw(),
                flags,
                disable.count(),
                disable.pointer(),
                0,
                null(),
                restricting.count(),
                restricting.pointer(),
                &mut handle,
            )
        })?;
        // SAFETY: the call succeeded, so `handle` is open and nobody else owns it.
        Ok(ProcessToken(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    fn lower(&self, level: Integrity) -> io::Result<()> {
        const SE_GROUP_INTEGRITY: u32 = 0x20;
        let mut sid = words(&level.sid());
        let label = SID_AND_ATTRIBUTES { Sid: sid.as_mut_ptr().cast(), Attributes: SE_GROUP_INTEGRITY };
        let label = TOKEN_MANDATORY_LABEL { Label: label };
        let length = size(size_of::<TOKEN_MANDATORY_LABEL>());
        // SAFETY: the token is open as long as `self`; `label` and the SID that it points to outlive the call and are only read.
        succeeded(unsafe { SetTokenInformation(self.raw(), TokenIntegrityLevel, (&raw const label).cast(), length) })
    }

    /// What the token answers to one class.
    fn answer(&self, class: TOKEN_INFORMATION_CLASS) -> io::Result<Buffer> {
        let mut length = 256;
        loop {
            // Words, so that the system finds its structures aligned.
            let mut words = vec![0u64; usize::try_from(length).unwrap_or(0).div_ceil(8)];
            let mut written = 0;
            // SAFETY: the token is open as long as `self`; the buffer is writable for `length` bytes, which it has at least.
            let answer =
                unsafe { GetTokenInformation(self.raw(), class, words.as_mut_ptr().cast(), length, &mut written) };
            if answer != 0 {
                let base = words.as_ptr().addr();
                let mut bytes: Vec<u8> = words.into_iter().flat_map(u64::to_ne_bytes).collect();
                bytes.truncate(usize::try_from(written).unwrap_or(usize::MAX));
                return Ok(Buffer { base, bytes });
            }
            let error = io::Error::last_os_error();
            let too_small = [ERROR_INSUFFICIENT_BUFFER, ERROR_BAD_LENGTH];
            let grows = too_small.iter().any(|code| error.raw_os_error() == i32::try_from(*code).ok());
            if !grows || written <= length || written > LARGEST {
                return Err(error);
            }
            length = written;
        }
    }

    /// `TokenElevation`.
    ///
    /// # Errors
    ///
    /// What the system answered.
    pub fn is_elevated(&self) -> io::Result<bool> {
        let number = self.answer(TokenElevation)?.number(0);
        Ok(number.map_err(io::Error::other)? != 0)
    }

    /// The token as the access check sees it, read back.
    ///
    /// # Errors
    ///
    /// What the system answered, or that the answer is not understood.
    pub fn read(&self) -> io::Result<Token> {
        Token::from_readings(&self.readings()?).map_err(io::Error::other)
    }

    fn readings(&self) -> io::Result<Readings> {
        let is_package = self.read_of("TokenIsAppContainer", TokenIsAppContainer, |answer| answer.number(0))? != 0;
        let need = |answer: &Buffer| answer.sid(0).and_then(|sid| sid.ok_or_else(BufferError::no_sid));
        let flags = std::mem::offset_of!(TOKEN_ACCESS_INFORMATION, Flags);
        let flags = self.may_read("TokenAccessInformation", TokenAccessInformation, |answer| answer.number(flags))?;
        let (mut package, mut capabilities, mut less) = (None, Vec::new(), 0);
        if is_package {
            package = self.read_of("TokenAppContainerSid", TokenAppContainerSid, |answer| answer.sid(0))?;
            capabilities = self.read_of("TokenCapabilities", TokenCapabilities, Buffer::groups)?;
            let class = TokenIsLessPrivilegedAppContainer;
            less = self.read_of("TokenIsLessPrivilegedAppContainer", class, |answer| answer.number(0))?;
        }
        Ok(Readings {
            user: self.read_of("TokenUser", TokenUser, |answer| answer.attributed(0))?,
            groups: self.read_of("TokenGroups", TokenGroups, Buffer::groups)?,
            restricting: self.may_read("TokenRestrictedSids", TokenRestrictedSids, Buffer::groups)?.unwrap_or_default(),
            write_restricted: flags.unwrap_or(0) & FLAG_WRITE_RESTRICTED != 0,
            privileges: self.read_of("TokenPrivileges", TokenPrivileges, Buffer::privileges)?,
            integrity: self.read_of("TokenIntegrityLevel", TokenIntegrityLevel, |answer| answer.attributed(0))?.0,
            mandatory: self
                .may_read("TokenMandatoryPolicy", TokenMandatoryPolicy, |answer| answer.number(0))?
                .unwrap_or(0),
            package,
            capabilities,
            less_privileged: less != 0,
            owner: self.read_of("TokenOwner", TokenOwner, need)?,
            primary_group: self.read_of("TokenPrimaryGroup", TokenPrimaryGroup, need)?,
            default_dacl: self.read_of("TokenDefaultDacl", TokenDefaultDacl, Buffer::acl)?,
        })
    }

    /// What the answer to a class says; the class is named where it does not come.
    fn read_of<T>(
        &self,
        name: &str,
        class: TOKEN_INFORMATION_CLASS,
        read: impl FnOnce(&Buffer) -> Result<T, BufferError>,
    ) -> io::Result<T> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{name}: {error}"));
        let answer = self.answer(class).map_err(named)?;
        read(&answer).map_err(|error| io::Error::other(format!("{name}: {error}")))
    }

    /// The same for a class that Wine lacks, which is then none. On Windows every class is there.
    fn may_read<T>(
        &self,
        name: &str,
        class: TOKEN_INFORMATION_CLASS,
        read: impl FnOnce(&Buffer) -> Result<T, BufferError>,
    ) -> io::Result<Option<T>> {
        match self.read_of(name, class, read) {
            Err(_) if version::wine()?.is_some() => Ok(None),
            answer => answer.map(Some),
        }
    }
}

/// A SID as the system takes it, aligned.
fn words(sid: &Sid) -> Vec<u32> {
    let mut bytes = [0; 4];
    let parts = sid.to_bytes();
    let words = parts.chunks_exact(4).map(|part| {
        bytes.copy_from_slice(part);
        u32::from_ne_bytes(bytes)
    });
    words.collect()
}

/// A list of SIDs for a call: the list and what it points to.
struct Sids {
    _sids: Vec<Vec<u32>>,
    list: Vec<SID_AND_ATTRIBUTES>,
}

impl Sids {
    fn new(sids: &[Sid]) -> Sids {
        let mut sids: Vec<Vec<u32>> = sids.iter().map(words).collect();
        // The words stay where they are when the outer list moves.
        let list =
            sids.iter_mut().map(|sid| SID_AND_ATTRIBUTES { Sid: sid.as_mut_ptr().cast(), Attributes: 0 }).collect();
        Sids { _sids: sids, list }
    }

    fn count(&self) -> u32 {
        size(self.list.len())
    }

    fn pointer(&self) -> *const SID_AND_ATTRIBUTES {
        if self.list.is_empty() { null() } else { self.list.as_ptr() }
    }
}
