//! The gate itself: what every door and every connection shares.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use bailiwick_policy::boundary::Network;
use bailiwick_policy::host_pattern::Host;
use tokio::net::TcpStream;

use crate::address::Prefix;
use crate::budget::Budget;
use crate::decide::{self, Allowed};
use crate::dial;
use crate::dns::Told;
use crate::event::Attempt;
use crate::inspect::Inspection;
use crate::program::Programs;
use crate::refusal::{Refusal, shown};
use crate::resolve::Resolver;
use crate::secret::Secret;
use crate::synthetic::Synthetic;
use crate::telling::Telling;
use crate::transparent::FindDestination;
use crate::tunnel::Pipes;
use crate::upstream::{Hop, Upstream, Upstreams};

/// What is to be reached: a name or an address, and a TCP port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The host, as it was asked for.
    pub host: Host,
    /// The TCP port.
    pub port: u16,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

/// The bounds of the gate. What lies beyond them is turned away.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections of the inside at one time.
    pub connections: usize,
    /// How long a client may take to say what the gate has to see before it dials: a handshake's or a request's start.
    pub first_bytes: Duration,
    /// How long one address may take to answer a connect.
    pub connect: Duration,
    /// Bytes that all clients together can make the gate hold in its own memory.
    pub memory: usize,
    /// Attempts told each second, on average.
    pub events: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 8_192,
            first_bytes: Duration::from_secs(15),
            connect: Duration::from_secs(10),
            memory: 8 << 20,
            events: 500,
        }
    }
}

/// A connection to an allowed target, over a checked address.
#[derive(Debug)]
pub(crate) struct Reached {
    /// The connection; nothing has been sent on it.
    pub(crate) stream: TcpStream,
    /// The address that was dialled, or the upstream proxy's.
    pub(crate) address: SocketAddr,
    /// The rule that allowed it, as `explain` prints it.
    pub(crate) rule: String,
}

/// What every door and every connection shares.
pub(crate) struct Gate {
    /// What is allowed.
    pub(crate) network: Network,
    /// Looks up allowed names.
    pub(crate) resolver: Resolver,
    /// The addresses that stand for allowed names inside.
    pub(crate) synthetic: RefCell<Synthetic>,
    /// What a client of the proxies has to know; none where only the inside can reach them.
    pub(crate) secret: Option<Secret>,
    /// Which refused names were told already.
    pub(crate) told: RefCell<Told>,
    /// Authority, credentials and trust of inspected connections; none where no rule inspects.
    pub(crate) inspection: Option<Inspection>,
    /// The bounds.
    pub(crate) limits: Limits,
    /// The memory that all clients together may take.
    pub(crate) budget: Rc<Budget>,
    /// The pipes of tunnels with data under way.
    pub(crate) pipes: Pipes,
    /// The company's proxies.
    pub(crate) upstreams: Upstreams,
    /// Who connects.
    pub(crate) programs: Programs,
    /// What an accepted connection was meant for, where its own address does not tell.
    pub(crate) find_destination: Option<FindDestination>,
    /// Connections at this moment.
    pub(crate) connections: Cell<usize>,
    /// Where attempts are told.
    pub(crate) telling: RefCell<Telling>,
}

impl Gate {
    /// May the inside connect to this target?
    pub(crate) fn decide(&self, target: &Target) -> Result<Allowed, Refusal> {
        decide::target(&self.network, target)
    }

    /// May this request be sent to the target? `path` is the request target as written.
    pub(crate) fn decide_request(&self, target: &Target, method: &str, path: &str) -> Result<Allowed, Refusal> {
        decide::request(&self.network, target, method, path)
    }

    /// May this name be looked up? The rule, as `explain` prints it.
    pub(crate) fn decide_name(&self, name: &str) -> Result<String, Refusal> {
        decide::name(&self.network, name)
    }

    /// Decides, looks up, checks every address, and dials the checked ones. Nothing leaves before the decision, and
    /// what was checked is what is dialled.
    pub(crate) async fn reach(&self, target: &Target) -> Result<Reached, Refusal> {
        let rule = self.decide(target)?.rule;
        let (stream, address) = match self.proxy_for(target)? {
            Some(upstream) => upstream.connect(self, target).await?,
            None => self.dial(target).await?,
        };
        Ok(Reached { stream, address, rule })
    }

    /// The same for requests of plain HTTP, of which a proxy on the way is asked for each. With the connection comes what they need there.
    pub(crate) async fn reach_for_requests(&self, target: &Target) -> Result<(Reached, Option<Hop>), Refusal> {
        let rule = self.decide(target)?.rule;
        let (stream, address, hop) = match self.proxy_for(target)? {
            Some(upstream) => {
                let (stream, address, hop) = upstream.open(self, target).await?;
                (stream, address, Some(hop))
            }
            None => {
                let (stream, address) = self.dial(target).await?;
                (stream, address, None)
            }
        };
        Ok((Reached { stream, address, rule }, hop))
    }

    /// The proxy through which a target, which was allowed, is reached.
    fn proxy_for(&self, target: &Target) -> Result<Option<&Upstream>, Refusal> {
        let Some(upstream) = self.upstreams.for_target(target) else { return Ok(None) };
        // What the name leads to is the proxy's to find out, so only an address that was asked for as such can be checked.
        if let Host::Address(asked) = target.host {
            decide::addresses(&self.network, target, &[asked])?;
        }
        Ok(Some(upstream))
    }

    async fn dial(&self, target: &Target) -> Result<(TcpStream, SocketAddr), Refusal> {
        let addresses = self.addresses(target).await?;
        dial::dial(target, &addresses, self.limits.connect).await
    }

    /// The addresses that may be dialled for a target that was allowed.
    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, Refusal> {
        let found = match &target.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => {
                let resolved = self.resolver.resolve_as(name).await;
                let resolved = resolved.map_err(|error| Refusal::Unresolved { host: shown(name), error })?;
                // What the host's search list made of a short name is another name, and may be denied.
                decide::completed(&self.network, &resolved.name, target.port)?;
                resolved.addresses
            }
        };
        let checked = decide::addresses(&self.network, target, &found)?;
        // Nobody is asked about translators where nothing is dialled that could lead to one.
        if !checked.iter().any(|address| Prefix::may_cover(address.ip())) {
            return Ok(checked);
        }
        let translators = self.resolver.translators().await;
        decide::translated(&self.network, target, checked, &translators)
    }

    /// What a program means that asks for this address: the name that the address stands for, or the address itself.
    pub(crate) fn target(&self, address: IpAddr, port: u16) -> Target {
        let address = address.to_canonical();
        let host = match self.synthetic.borrow().name_of(address) {
            Some(name) => Host::Name(name.to_owned()),
            None => Host::Address(address),
        };
        Target { host, port }
    }

    /// Tells an attempt that is over.
    pub(crate) fn tell(&self, attempt: Attempt) {
        self.telling.borrow_mut().tell(attempt);
    }

    /// Counts a connection; none where there are as many as there may be.
    pub(crate) fn admit(self: &Rc<Self>) -> Option<Admitted> {
        let now = self.connections.get();
        if now >= self.limits.connections {
            return None;
        }
        self.connections.set(now + 1);
        Some(Admitted { gate: self.clone() })
    }
}

/// A connection that counts.
pub(crate) struct Admitted {
    gate: Rc<Gate>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.gate.connections.set(self.gate.connections.get().saturating_sub(1));
    }
}
