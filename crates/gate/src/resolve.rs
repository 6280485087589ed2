//! Looking up the real addresses of allowed names, as the host would.
//!
//! Only names that the policy allowed come here. The host's own settings say who is asked: its hosts file first, then the name
//! servers of its resolv.conf. Answers are as hostile as the network that they cross; what they say is only used as addresses,
//! and those are checked again before one is dialled (see [`crate::address`]).
//!
//! | file | subject |
//! | --- | --- |
//! | `settings` | resolv.conf |
//! | `hosts` | the hosts file |
//! | `source` | both as texts or files, read again when they change |
//! | `client` | one question to one server, over UDP and TCP |
//! | `response` | what a server's message says |
//! | `lookup` | one name: servers, attempts, search list, both families |
//! | `cache` | answers that still hold |
//!
//! What the host may use and this does not: NSS modules other than `files` and `dns` (mDNS, LDAP), DNSSEC.

mod cache;
mod client;
mod error;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod hosts;
mod lookup;
mod response;
mod settings;
mod source;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::rc::Rc;

use bailiwick_policy::host_pattern::Host;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;

use crate::address::{Prefix, Translators, WELL_KNOWN_NAME};
use cache::Cache;
pub use error::{ResolveError, ServerError};
use source::Source;

/// Names that are looked up at one time; others wait. Each takes two sockets.
const AT_ONCE: usize = 64;

type Outcome = Result<Resolved, ResolveError>;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The full name: the one that was asked for, or what the host's search list made of it. A completed name is another name
    /// than the one that was decided about, and may be denied.
    pub name: String,
    /// Its addresses: at least one, each once, in no order between the families.
    pub addresses: Vec<IpAddr>,
}

/// Looks up names as the host does.
pub struct Resolver {
    source: RefCell<Source>,
    cache: RefCell<Cache>,
    /// Names that are being looked up: who asks for one of them waits for the same answer.
    under_way: RefCell<HashMap<Rc<str>, Rc<OnceCell<Outcome>>>>,
    places: Semaphore,
    /// The port of name servers: 53, but in tests.
    port: u16,
}

impl Resolver {
    /// With these texts of resolv.conf and the hosts file. On a system without such files the tier writes down in their form what the
    /// system's settings say.
    pub fn from_host(resolv_conf: &str, hosts: &str) -> Resolver {
        Resolver::new(Source::texts(resolv_conf, hosts))
    }

    /// With these files, which are read again when they have changed, since computers move from network to network.
    /// A file that cannot be read counts as empty: then the name server is the host itself (resolv.conf(5)).
    pub fn from_files(resolv_conf: PathBuf, hosts: PathBuf) -> Resolver {
        Resolver::new(Source::files(resolv_conf, hosts))
    }

    fn new(source: Source) -> Resolver {
        Resolver {
            source: RefCell::new(source),
            cache: RefCell::default(),
            under_way: RefCell::default(),
            places: Semaphore::new(AT_ONCE),
            port: 53,
        }
    }

    /// The addresses of a name that was allowed: at least one, each once, in no order between the families.
    ///
    /// # Errors
    /// As [`resolve_as`](Self::resolve_as).
    pub async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        self.resolve_as(name).await.map(|resolved| resolved.addresses)
    }

    /// The addresses of a name that was allowed, and the full name that has them.
    ///
    /// # Errors
    /// The text is no plain name (an address is not looked up); the name does not exist or has no address; no server answers.
    pub async fn resolve_as(&self, name: &str) -> Result<Resolved, ResolveError> {
        let Ok(Host::Name(name)) = Host::parse(name) else { return Err(ResolveError::NotAName) };
        if let Some(own) = without_asking(&name) {
            return own;
        }
        self.source.borrow_mut().refresh(|| self.cache.borrow_mut().clear());
        if let Some(listed) = self.source.borrow_mut().listed(&name) {
            return Ok(Resolved { name, addresses: listed });
        }
        if let Some(known) = self.cache.borrow_mut().get(&name, Instant::now()) {
            return Ok(known);
        }
        let name: Rc<str> = name.into();
        let cell = Rc::clone(self.under_way.borrow_mut().entry(Rc::clone(&name)).or_default());
        // Whoever comes first asks; if it goes away meanwhile, the next one that waits asks.
        let waiting = Waiting { resolver: self, name: &name, cell };
        waiting.cell.get_or_init(|| self.ask(&name)).await.clone()
    }

    /// The translators to IPv4 that the host's network has. Costs a question to its name servers where no answer holds.
    pub(crate) async fn translators(&self) -> Translators {
        match self.resolve(WELL_KNOWN_NAME).await {
            Ok(addresses) => Translators::Known(Prefix::all_of(&addresses)),
            Err(ResolveError::NoSuchName | ResolveError::NoAddress) => Translators::Known(Vec::new()),
            Err(_) => Translators::Unknown,
        }
    }

    async fn ask(&self, name: &str) -> Outcome {
        // The semaphore is never closed.
        let _place = self.places.acquire().await.map_err(|_| ResolveError::Ended)?;
        let settings = self.source.borrow().settings();
        let found = lookup::lookup(&settings, name, self.port).await?;
        let resolved = Resolved { name: found.name, addresses: found.addresses };
        self.cache.borrow_mut().put(name, &resolved, found.keep, Instant::now());
        Ok(resolved)
    }
}

/// One that waits for a name. The last one to go takes the name off the list.
struct Waiting<'a> {
    resolver: &'a Resolver,
    name: &'a str,
    cell: Rc<OnceCell<Outcome>>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut under_way = self.resolver.under_way.borrow_mut();
        let same = under_way.get(self.name).is_some_and(|cell| Rc::ptr_eq(cell, &self.cell));
        // The list's and this one's: nobody else waits. What is answered is no longer under way in any case.
        if same && (self.cell.initialized() || Rc::strong_count(&self.cell) <= 2) {
            under_way.remove(self.name);
        }
    }
}

/// Names that never go to a server, whatever its answer: the machine itself (RFC 6761, 6.3), names that do not exist (RFC 6761, 6.4),
/// and names of another network (RFC 7686, 2).
fn without_asking(name: &str) -> Option<Outcome> {
    match name.rsplit('.').next() {
        Some("localhost") => {
            let addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            Some(Ok(Resolved { name: name.to_owned(), addresses }))
        }
        Some("invalid" | "onion") => Some(Err(ResolveError::NoSuchName)),
        _ => None,
    }
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").field("source", &self.source).finish_non_exhaustive()
    }
}
