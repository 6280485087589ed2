//! What a conversation needs of the gate: deciding, connecting, telling.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use bailiwick_policy::host_pattern::Host;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::fields::Fields;
use crate::budget::Budget;
use crate::decide::Allowed;
use crate::event::{Attempt, Begun, Way};
use crate::gate::{Gate, Reached, Target};
use crate::inspect;
use crate::program::Program;
use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::synthetic::Synthetic;
use crate::upstream::Hop;

/// A connection to a target's server, ready for requests.
#[derive(Debug)]
pub(crate) struct Opened<S> {
    /// The connection; no request has been sent on it.
    pub(crate) stream: S,
    /// The address that was dialled.
    pub(crate) address: SocketAddr,
    /// Set where requests on it go to a proxy, which passes them on.
    pub(crate) hop: Option<Hop>,
}

/// Where requests go.
pub(crate) trait Door {
    /// A connection to a server.
    type Stream: AsyncRead + AsyncWrite + Unpin;

    /// The port that `Host` leaves out: 80 or 443.
    const DEFAULT_PORT: u16;

    /// May this request be sent? `path` is the request target without its query.
    ///
    /// # Errors
    /// The policy's refusal.
    fn decide(&self, target: &Target, method: &str, path: &str) -> Result<Allowed, Refusal>;

    /// Does the method or the path of a request to this target decide?
    fn limits_requests(&self, target: &Target) -> bool;

    /// May a tunnel to this target be made?
    ///
    /// # Errors
    /// The policy's refusal.
    fn decide_tunnel(&self, target: &Target) -> Result<(), Refusal>;

    /// Connects to the server of a target for which a request was allowed. `to_the_end` if what is said on the connection has to get to
    /// the server as it is: then it does not end at a proxy.
    ///
    /// # Errors
    /// Why nobody is there, or nobody that may be.
    async fn open(&self, target: &Target, to_the_end: bool) -> Result<Opened<Self::Stream>, Refusal>;

    /// Puts in what is kept from the inside.
    fn dress(&self, target: &Target, fields: &mut Fields);

    /// An attempt that begins.
    fn begin(&self, host: &str, port: u16) -> Begun;

    /// Tells an attempt that is over.
    fn tell(&self, attempt: Attempt);

    /// The memory that all clients share.
    fn budget(&self) -> Rc<Budget>;

    /// What a client of the proxy has to know.
    fn secret(&self) -> Option<&Secret> {
        None
    }

    /// The target that is meant by what was asked for: an address inside may stand for a name.
    ///
    /// # Errors
    /// Why it stands for nothing.
    fn meant(&self, target: Target) -> Result<Target, Refusal> {
        Ok(target)
    }
}

/// The door to servers of plain HTTP.
pub(crate) struct Plain<'a> {
    /// The gate.
    pub(crate) gate: Rc<Gate>,
    /// By which way the client came.
    pub(crate) way: Way,
    /// Who the client is, as far as known.
    pub(crate) program: Program,
    /// A connection to the one target that was dialled already.
    pub(crate) reached: Cell<Option<Reached>>,
    /// What a client of the proxy has to know.
    pub(crate) secret: Option<&'a Secret>,
}

impl Door for Plain<'_> {
    type Stream = TcpStream;

    const DEFAULT_PORT: u16 = 80;

    fn decide(&self, target: &Target, method: &str, path: &str) -> Result<Allowed, Refusal> {
        self.gate.decide_request(target, method, path)
    }

    fn limits_requests(&self, target: &Target) -> bool {
        self.gate.network.limits_requests(&target.host.to_string(), target.port)
    }

    fn decide_tunnel(&self, target: &Target) -> Result<(), Refusal> {
        self.gate.decide(target).map(|_| ())
    }

    async fn open(&self, target: &Target, to_the_end: bool) -> Result<Opened<TcpStream>, Refusal> {
        let (Reached { stream, address, .. }, hop) = match self.reached.take() {
            Some(reached) => (reached, None),
            None if to_the_end => (self.gate.reach(target).await?, None),
            None => self.gate.reach_for_requests(target).await?,
        };
        Ok(Opened { stream, address, hop })
    }

    /// Nothing: credentials are sent to servers that have proven their name, and plain HTTP proves none.
    fn dress(&self, _: &Target, _: &mut Fields) {}

    fn begin(&self, host: &str, port: u16) -> Begun {
        Begun::now(self.way, host, port, self.program.clone())
    }

    fn tell(&self, attempt: Attempt) {
        self.gate.tell(attempt);
    }

    fn budget(&self) -> Rc<Budget> {
        self.gate.budget.clone()
    }

    fn secret(&self) -> Option<&Secret> {
        self.secret
    }

    fn meant(&self, target: Target) -> Result<Target, Refusal> {
        meant(&self.gate, target)
    }
}

/// The door to servers behind TLS that the gate speaks itself.
pub(crate) struct Inspected {
    /// The gate.
    pub(crate) gate: Rc<Gate>,
    /// By which way the client came.
    pub(crate) way: Way,
    /// Who the client is, as far as known.
    pub(crate) program: Program,
}

impl Door for Inspected {
    type Stream = tokio_rustls::client::TlsStream<TcpStream>;

    const DEFAULT_PORT: u16 = 443;

    fn decide(&self, target: &Target, method: &str, path: &str) -> Result<Allowed, Refusal> {
        self.gate.decide_request(target, method, path)
    }

    fn limits_requests(&self, target: &Target) -> bool {
        self.gate.network.limits_requests(&target.host.to_string(), target.port)
    }

    fn decide_tunnel(&self, target: &Target) -> Result<(), Refusal> {
        self.gate.decide(target).map(|_| ())
    }

    async fn open(&self, target: &Target, _to_the_end: bool) -> Result<Opened<Self::Stream>, Refusal> {
        let server = inspect::connect(&self.gate, target).await?;
        Ok(Opened { stream: server.stream, address: server.address, hop: None })
    }

    fn dress(&self, target: &Target, fields: &mut Fields) {
        let Some(inspection) = &self.gate.inspection else { return };
        let host = target.host.to_string();
        for (name, value) in inspection.credentials().of(&host, target.port) {
            fields.replace(name, value.as_bytes());
        }
    }

    fn begin(&self, host: &str, port: u16) -> Begun {
        Begun::now(self.way, host, port, self.program.clone())
    }

    fn tell(&self, attempt: Attempt) {
        self.gate.tell(attempt);
    }

    fn budget(&self) -> Rc<Budget> {
        self.gate.budget.clone()
    }
}

/// The target that a client means: inside, an address of the synthetic range stands for the name that it was given out for.
///
/// # Errors
/// An address of that range that stands for no name: it is nobody's.
pub(crate) fn meant(gate: &Gate, target: Target) -> Result<Target, Refusal> {
    let Host::Address(address) = target.host else { return Ok(target) };
    if !Synthetic::is_synthetic(address) {
        return Ok(target);
    }
    match gate.synthetic.borrow().name_of(address) {
        Some(name) => Ok(Target { host: Host::Name(name.to_owned()), port: target.port }),
        None => {
            let reason = format!("{address} stands for a name inside, and no name was given it in this run");
            Err(Refusal::Said { reason, grant: None })
        }
    }
}
