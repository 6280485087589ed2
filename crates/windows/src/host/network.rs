//! Filters of the filtering platform, and connections and names to prove that the walls stand.

use super::Answer;
use crate::plan::network::Filter;

/// An address and a TCP port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The address, without brackets.
    pub address: String,
    /// The port.
    pub port: u16,
}

/// A filter with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The GUID, the same on every machine for the same account and filter.
    pub key: u128,
    /// What it does.
    pub filter: Filter,
}

/// The network.
pub trait Network {
    /// The filters of bailiwick's provider.
    ///
    /// # Errors
    ///
    /// Not elevated, or the engine does not run.
    fn filters(&mut self) -> Answer<Vec<Installed>>;
    /// Adds filters, all or none (one transaction), to outlast a restart.
    ///
    /// # Errors
    ///
    /// Not elevated, a key that is taken, or the engine does not run.
    fn add_filters(&mut self, filters: &[Installed]) -> Answer<()>;
    /// Deletes filters by key, all or none; one that is missing is no error.
    ///
    /// # Errors
    ///
    /// Not elevated, or the engine does not run.
    fn delete_filters(&mut self, keys: &[u128]) -> Answer<()>;
    /// Connects to a TCP endpoint, and closes.
    ///
    /// # Errors
    ///
    /// `SOCKET_ACCESS` where a filter blocks, `CONNECTION_REFUSED` where nobody listens.
    fn connect(&mut self, to: &Endpoint) -> Answer<()>;
    /// Asks the system for the addresses of a name (`GetAddrInfoW`), past its cache.
    ///
    /// # Errors
    ///
    /// `SOCKET_ACCESS` where the question is refused, `HOST_NOT_FOUND` where it was asked and nobody has the name.
    fn resolve(&mut self, name: &str) -> Answer<()>;
    /// Listens on a TCP endpoint, exclusively, until the process ends.
    ///
    /// # Errors
    ///
    /// `ADDRESS_IN_USE`.
    fn listen(&mut self, on: &Endpoint) -> Answer<()>;
}
