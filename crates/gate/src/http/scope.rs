//! Which hosts a conversation may be about, and who it is for.

use bailiwick_policy::boundary::Handling;

use super::answer::Answer;
use super::basic;
use super::request::{Form, Request};
use crate::event::Way;
use crate::gate::{Reached, Target};
use crate::program::Program;
use crate::refusal::Refusal;
use crate::secret::Secret;

/// What is forwarded, and where to.
pub(crate) enum Scope {
    /// Plain HTTP to one target.
    Plain {
        /// The target: every request must name its host.
        target: Target,
        /// By which way the client came.
        way: Way,
        /// Who the client is, as far as known.
        program: Program,
        /// A connection to it that was dialled already.
        reached: Option<Reached>,
    },
    /// HTTP inside TLS that the gate speaks itself, to one target.
    Inspected {
        /// The target: every request must name its host.
        target: Target,
        /// By which way the client came.
        way: Way,
        /// Who the client is, as far as known.
        program: Program,
    },
}

/// Which hosts the requests of one connection may name.
pub(crate) enum Hosts {
    /// One: the connection was made to it. `secure` if it speaks TLS.
    Only {
        /// The target.
        target: Target,
        /// Is TLS around it?
        secure: bool,
    },
    /// Any: this is a proxy.
    Any,
}

/// What a request asks the gate for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To pass it on to this target.
    Request(Target),
    /// For a tunnel to this target.
    Tunnel(Target),
}

/// What does not belong on a connection: its target as far as it is known, and the answer.
pub(crate) type NotAsked = Box<(Option<Target>, Answer)>;

impl Hosts {
    /// The one target, if there is only one.
    pub(crate) fn only(&self) -> Option<&Target> {
        match self {
            Hosts::Only { target, .. } => Some(target),
            Hosts::Any => None,
        }
    }

    /// What a request asks for. `secret` is what a client of the proxy has to know, if anything.
    ///
    /// # Errors
    /// What does not belong on this connection, with the target as far as it is known and the answer.
    pub(crate) fn asked(&self, request: &Request, secret: Option<&Secret>) -> Result<Asked, NotAsked> {
        // Servers differ in whether letter case matters; TRACK is the same by another name.
        if ["TRACE", "TRACK"].iter().any(|echo| request.method.eq_ignore_ascii_case(echo)) {
            let reason = "TRACE is not passed on: its answer repeats what the gate adds to a request".to_owned();
            return Err(Box::new((self.only().cloned(), Answer::new(405, "Method Not Allowed", reason))));
        }
        match self {
            Hosts::Only { target, secure } => of_one(target, *secure, request).map(Asked::Request),
            Hosts::Any => of_proxy(secret, request),
        }
    }

    /// May this be spoken to a target that is handled like this? On port 443 the gate lets TLS through, by whatever way it comes.
    ///
    /// # Errors
    /// If not.
    pub(crate) fn fits(&self, target: &Target, handling: Handling) -> Result<(), Refusal> {
        let clear = !matches!(self, Hosts::Only { secure: true, .. });
        if clear && target.port == 443 && !handling.opaque {
            let reason = format!("plain HTTP is spoken to `{target}`, a port for TLS");
            return Err(Refusal::Said { reason: crate::refusal::shown(&reason), grant: None });
        }
        Ok(())
    }
}

/// A request on a connection that was made to `target`.
fn of_one(target: &Target, secure: bool, request: &Request) -> Result<Target, NotAsked> {
    let wrong = |answer: Answer| Box::new((Some(target.clone()), answer));
    let misdirected = |reason: &str| wrong(Answer::new(421, "Misdirected Request", reason.to_owned()));
    match request.form {
        Form::Authority => {
            let reason = "CONNECT is for proxies, and this is the host's own port".to_owned();
            return Err(wrong(Answer::new(405, "Method Not Allowed", reason)));
        }
        Form::Absolute { secure: asked } if asked != secure => {
            return Err(misdirected("the request is for another scheme than the connection was made with"));
        }
        Form::Absolute { .. } | Form::Origin => {}
    }
    // HTTP/1.0 may leave the host out; the server is told the target's.
    let Some(authority) = &request.authority else { return Ok(target.clone()) };
    if authority.host != target.host || authority.port.is_some_and(|port| port != target.port) {
        return Err(misdirected("the request is for another host than the connection was made to"));
    }
    Ok(target.clone())
}

/// A request to the proxy.
fn of_proxy(secret: Option<&Secret>, request: &Request) -> Result<Asked, NotAsked> {
    if let Some(secret) = secret
        && !basic::fits(&request.fields, secret)
    {
        return Err(Box::new((None, Answer::unauthorised())));
    }
    let Some(authority) = &request.authority else { return Err(Box::new((None, not_for_a_proxy()))) };
    let target = |default: u16| Target { host: authority.host.clone(), port: authority.port.unwrap_or(default) };
    match request.form {
        // The port is always written there.
        Form::Authority => Ok(Asked::Tunnel(target(443))),
        Form::Absolute { secure: false } => Ok(Asked::Request(target(80))),
        Form::Absolute { secure: true } => {
            let reason =
                "this proxy does not speak TLS for its clients: ask for an https address by CONNECT".to_owned();
            Err(Box::new((Some(target(443)), Answer::new(501, "Not Implemented", reason))))
        }
        Form::Origin => Err(Box::new((None, not_for_a_proxy()))),
    }
}

fn not_for_a_proxy() -> Answer {
    let reason = "this is a proxy: ask it for `http://host/path`, or for a tunnel by CONNECT".to_owned();
    Answer::new(400, "Bad Request", reason)
}
