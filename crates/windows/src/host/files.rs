//! The file tree: opening by path and below a handle, and everything that is done through a handle.

use bailiwick_winsec::ntfs::Share;
use bailiwick_winsec::token::Integrity;
use bailiwick_winsec::{AccessMask, SecurityDescriptor, Sid};

use super::Answer;
use crate::path::WindowsPath;

/// An open file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileHandle(pub u64);

/// What identifies a file whatever its names: volume and 128-bit number (`FILE_ID_INFO`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// The serial number of the volume.
    pub volume: u64,
    /// The number of the file on it.
    pub file: u128,
}

/// What an object of the file tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A junction or a symbolic link, whatever it leads to.
    Link,
}

/// Where something is opened.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// By its full path.
    Path(&'a WindowsPath),
    /// By one name below an open directory (`RootDirectory` of `NtCreateFile`): nobody can swap what lies above.
    Below(FileHandle, &'a str),
}

/// What is done about links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// All are followed, as programs do.
    Follow,
    /// None may be on the way (`OBJ_DONT_REPARSE`); the last name is opened itself, link or not (`FILE_OPEN_REPARSE_POINT`).
    Never,
}

/// What is to be there.
#[derive(Clone, Copy, Debug)]
pub enum Want<'a> {
    /// What exists (`FILE_OPEN`).
    Existing,
    /// Something new (`FILE_CREATE`), a directory or a file, with this descriptor or the inherited one.
    New {
        /// A directory.
        directory: bool,
        /// The descriptor that the creator asks for.
        security: Option<&'a SecurityDescriptor>,
    },
}

/// How something is opened.
#[derive(Clone, Copy, Debug)]
pub struct OpenFile<'a> {
    /// The rights.
    pub access: AccessMask,
    /// What others may do meanwhile.
    pub share: Share,
    /// Links.
    pub links: Links,
    /// Existing or new.
    pub want: Want<'a>,
}

impl OpenFile<'_> {
    /// What exists, without a link on the way, shared with everybody.
    pub const fn existing(access: AccessMask) -> OpenFile<'static> {
        OpenFile { access, share: Share::ALL, links: Links::Never, want: Want::Existing }
    }
}

/// What a handle is open on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// Which file.
    pub id: FileId,
    /// What it is.
    pub kind: Kind,
    /// How many names it has.
    pub links: u32,
    /// `FILE_ATTRIBUTE_READONLY`.
    pub read_only: bool,
}

/// One name of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// What it names.
    pub kind: Kind,
}

/// What became of a directory since it was last asked (`ReadDirectoryChangesW`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Names that came or went, or changed their attributes; each may be told as its short name instead. None: nothing happened.
    Names(Vec<String>),
    /// More happened than the buffer holds: nobody knows what.
    Overflow,
}

/// A change of a descriptor, of this one object.
#[derive(Clone, Copy, Debug)]
pub enum Security<'a> {
    /// The DACL and its control bits, from this descriptor (`NtSetSecurityObject`: nothing is propagated).
    Dacl(&'a SecurityDescriptor),
    /// The owner.
    Owner(Sid),
    /// The label.
    Label(Integrity),
}

/// Files and directories.
pub trait Files {
    /// Opens or makes a file or directory.
    ///
    /// # Errors
    ///
    /// Missing names, access, sharing, a link where none may be.
    fn open(&mut self, place: Place<'_>, how: &OpenFile<'_>) -> Answer<FileHandle>;
    /// Closes a handle.
    ///
    /// # Errors
    ///
    /// The handle is not open.
    fn close(&mut self, handle: FileHandle) -> Answer<()>;
    /// What the handle is open on.
    ///
    /// # Errors
    ///
    /// The handle is not open.
    fn facts(&mut self, handle: FileHandle) -> Answer<FileFacts>;
    /// The names in a directory.
    ///
    /// # Errors
    ///
    /// Access, or no directory.
    fn list(&mut self, handle: FileHandle) -> Answer<Vec<Entry>>;
    /// The content, if it is at most `most` bytes.
    ///
    /// # Errors
    ///
    /// Access, or more bytes.
    fn read(&mut self, handle: FileHandle, most: usize) -> Answer<Vec<u8>>;
    /// Replaces the content.
    ///
    /// # Errors
    ///
    /// Access.
    fn write(&mut self, handle: FileHandle, content: &[u8]) -> Answer<()>;
    /// Adds to the end and waits until it is on the disk.
    ///
    /// # Errors
    ///
    /// Access. What was written before the error is not known.
    fn append(&mut self, handle: FileHandle, content: &[u8]) -> Answer<()>;
    /// The names of the streams beside the content.
    ///
    /// # Errors
    ///
    /// The handle is not open.
    fn streams(&mut self, handle: FileHandle) -> Answer<Vec<String>>;
    /// Makes or replaces a stream.
    ///
    /// # Errors
    ///
    /// Access.
    fn write_stream(&mut self, handle: FileHandle, name: &str, content: &[u8]) -> Answer<()>;
    /// Removes the name by which the handle was opened.
    ///
    /// # Errors
    ///
    /// Access, a directory that is not empty, a handle that does not share deleting.
    fn delete(&mut self, handle: FileHandle) -> Answer<()>;
    /// Gives the object another name instead of the one by which it was opened.
    ///
    /// # Errors
    ///
    /// Access, sharing, another volume, a name that is taken and not to be replaced.
    fn rename(&mut self, handle: FileHandle, to: &WindowsPath, replace: bool) -> Answer<()>;
    /// Gives the object another name in the directory that it is in (`FileRenameInformation` with a name and no directory): nobody can
    /// swap what is above. A name that is taken is never replaced.
    ///
    /// # Errors
    ///
    /// Access, sharing, a name that is taken.
    fn rename_here(&mut self, handle: FileHandle, name: &str) -> Answer<()>;
    /// Gives a file one more name.
    ///
    /// # Errors
    ///
    /// Access, another volume, a name that is taken.
    fn link(&mut self, handle: FileHandle, to: &WindowsPath) -> Answer<()>;
    /// Makes an empty directory or file a link, or a link none.
    ///
    /// # Errors
    ///
    /// Access, a directory that is not empty.
    fn set_link(&mut self, handle: FileHandle, target: Option<&WindowsPath>) -> Answer<()>;
    /// Sets or clears the read-only attribute.
    ///
    /// # Errors
    ///
    /// Access.
    fn set_read_only(&mut self, handle: FileHandle, read_only: bool) -> Answer<()>;
    /// The descriptor, without audit entries.
    ///
    /// # Errors
    ///
    /// Access.
    fn security(&mut self, handle: FileHandle) -> Answer<SecurityDescriptor>;
    /// Changes the descriptor.
    ///
    /// # Errors
    ///
    /// Access.
    fn set_security(&mut self, handle: FileHandle, change: Security<'_>) -> Answer<()>;
    /// Begins to be told of changes in a directory, by this handle, until it is closed (`ReadDirectoryChangesW`, not of what is further
    /// below; `FILE_NOTIFY_CHANGE_FILE_NAME`, `DIR_NAME` and `ATTRIBUTES`).
    ///
    /// # Errors
    ///
    /// The handle has no `FILE_LIST_DIRECTORY`.
    fn watch(&mut self, directory: FileHandle) -> Answer<()>;
    /// What was told since the last call. It does not wait.
    ///
    /// # Errors
    ///
    /// `ACCESS_DENIED` once the directory is deleted; `INVALID_PARAMETER` without [`Files::watch`].
    fn told(&mut self, directory: FileHandle) -> Answer<Told>;
}
