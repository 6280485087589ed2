//! The registry, named pipes, time and chance.

use bailiwick_winsec::SecurityDescriptor;

use super::{Answer, ProcessId};

/// The hives that the tiers touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hive {
    /// `HKEY_LOCAL_MACHINE`.
    Machine,
    /// `HKEY_CURRENT_USER` of the calling process' user.
    User,
}

/// A value of the registry by its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The hive.
    pub hive: Hive,
    /// The path below, with `\`.
    pub path: String,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `REG_DWORD`.
    Number(u32),
    /// `REG_SZ`.
    Text(String),
}

/// One end of a named pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PipeHandle(pub u64);

/// A pipe to be made: always the first instance, never for other machines.
#[derive(Clone, Copy, Debug)]
pub struct Pipe<'a> {
    /// `\\.\pipe\…`.
    pub name: &'a str,
    /// Who may connect; without one the token's default DACL.
    pub security: Option<&'a SecurityDescriptor>,
}

/// Everything else.
pub trait Objects {
    /// Whether a key is there.
    ///
    /// # Errors
    ///
    /// Access.
    fn has_key(&mut self, key: &Key) -> Answer<bool>;
    /// A value of the registry.
    ///
    /// # Errors
    ///
    /// `FILE_NOT_FOUND`, access.
    fn value(&mut self, key: &Key, name: &str) -> Answer<Value>;
    /// Sets a value of a key that exists.
    ///
    /// # Errors
    ///
    /// `FILE_NOT_FOUND`, access.
    fn set_value(&mut self, key: &Key, name: &str, value: &Value) -> Answer<()>;
    /// Deletes a value.
    ///
    /// # Errors
    ///
    /// `FILE_NOT_FOUND`, access.
    fn delete_value(&mut self, key: &Key, name: &str) -> Answer<()>;
    /// Makes one key below one that exists.
    ///
    /// # Errors
    ///
    /// `ALREADY_EXISTS`, access.
    fn create_key(&mut self, key: &Key) -> Answer<()>;
    /// Deletes a key that has neither values nor keys.
    ///
    /// # Errors
    ///
    /// `FILE_NOT_FOUND`, `DIRECTORY_NOT_EMPTY`, access.
    fn delete_key(&mut self, key: &Key) -> Answer<()>;
    /// Makes a named pipe.
    ///
    /// # Errors
    ///
    /// `PIPE_BUSY` if the name is taken.
    fn create_pipe(&mut self, pipe: &Pipe<'_>) -> Answer<PipeHandle>;
    /// Connects to a named pipe, for reading and writing.
    ///
    /// # Errors
    ///
    /// Access, no such pipe.
    fn connect_pipe(&mut self, name: &str) -> Answer<PipeHandle>;
    /// The process at the other end.
    ///
    /// # Errors
    ///
    /// Nobody is there.
    fn pipe_peer(&mut self, pipe: PipeHandle) -> Answer<ProcessId>;
    /// Sends one message.
    ///
    /// # Errors
    ///
    /// Nobody is there.
    fn send(&mut self, pipe: PipeHandle, message: &[u8]) -> Answer<()>;
    /// Takes one message, of at most `most` bytes.
    ///
    /// # Errors
    ///
    /// `NO_DATA` if there is none.
    fn receive(&mut self, pipe: PipeHandle, most: usize) -> Answer<Vec<u8>>;
    /// Closes an end of a pipe; with the server's end the pipe is gone.
    ///
    /// # Errors
    ///
    /// The handle is not open.
    fn close_pipe(&mut self, pipe: PipeHandle) -> Answer<()>;
    /// Seconds since 1970.
    ///
    /// # Errors
    ///
    /// None in practice.
    fn now(&mut self) -> Answer<u64>;
    /// Bytes that nobody can foresee.
    ///
    /// # Errors
    ///
    /// The generator does not answer; nothing may go on then.
    fn random(&mut self, out: &mut [u8]) -> Answer<()>;
}
