//! The company's proxy: where the host's environment names one, allowed targets are reached through it.
//!
//! Which variable: `HTTP_PROXY` for port 80, `HTTPS_PROXY` for port 443, `ALL_PROXY` for the others and where the one before is
//! not set; lower case first, since some systems hold upper case names to be a request's (`HTTP_PROXY` in CGI). An empty value is as none.
//! `NO_PROXY` is a list of names (each with its sub-domains), addresses and networks (`10.0.0.0/8`), separated by commas, each with an
//! optional `:port`; `*` is everything. Loopback targets never go through a proxy.
//!
//! Only `http://` proxies can be used, with `Basic` authentication from the URL. Another kind is said when a target would need it, and the
//! target is refused: going around the company's proxy is not the gate's to decide.
//!
//! Most connections go through a tunnel that the proxy is asked for (`CONNECT`). Requests of plain HTTP are passed to the proxy itself, one by one
//! (RFC 9112, section 3.2.2), as many proxies make tunnels to port 443 only; [`Hop`] is what they need for that.
//!
//! Through a proxy, names are decided by the gate and looked up by the proxy. What address a name leads to is then the proxy's to check; the gate
//! can check only an address that was asked for as such.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bailiwick_policy::host_pattern::Host;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::dial;
use crate::gate::{Gate, Target};
use crate::refusal::{Refusal, shown};

mod bypass;
mod url;

use bypass::Bypass;
use url::{Proxy, ProxyError};

/// How long the proxy may take to answer: it has to connect in turn.
const ANSWER: Duration = Duration::from_secs(30);

/// The longest answer to CONNECT that is read, in bytes.
const LONGEST: usize = 16 << 10;

/// The proxies of the host's environment.
pub(crate) struct Upstreams {
    http: Option<Upstream>,
    https: Option<Upstream>,
    all: Option<Upstream>,
    bypass: Bypass,
}

/// One proxy, or why it cannot be used.
pub(crate) struct Upstream {
    variable: &'static str,
    proxy: Result<Proxy, ProxyError>,
}

/// What a request needs that goes to a proxy, and not to its server. Never printed: it holds a password.
#[derive(Clone, Default)]
pub(crate) struct Hop {
    /// The value of `Proxy-Authorization`, for this proxy and nobody behind it.
    pub(crate) authorization: Option<String>,
}

impl fmt::Debug for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hop")
    }
}

impl Upstreams {
    /// Reads the variables of the host's environment.
    pub(crate) fn from_environment(environment: &[(OsString, OsString)]) -> Upstreams {
        let value = |name: &str| {
            let found = environment.iter().find(|(key, _)| key == OsStr::new(name));
            found.map(|(_, value)| value.to_string_lossy().into_owned()).filter(|value| !value.trim().is_empty())
        };
        let upstream = |names: [&'static str; 2]| {
            let (variable, text) = names.into_iter().find_map(|name| value(name).map(|text| (name, text)))?;
            Some(Upstream { variable, proxy: Proxy::parse(text.trim()) })
        };
        Upstreams {
            http: upstream(["http_proxy", "HTTP_PROXY"]),
            https: upstream(["https_proxy", "HTTPS_PROXY"]),
            all: upstream(["all_proxy", "ALL_PROXY"]),
            bypass: Bypass::parse(&value("no_proxy").or_else(|| value("NO_PROXY")).unwrap_or_default()),
        }
    }

    /// The proxy through which a target is to be reached; none if directly.
    pub(crate) fn for_target(&self, target: &Target) -> Option<&Upstream> {
        let own = match target.port {
            80 => self.http.as_ref(),
            443 => self.https.as_ref(),
            _ => None,
        };
        let upstream = own.or(self.all.as_ref())?;
        let is_loopback = match &target.host {
            Host::Address(address) => address.to_canonical().is_loopback(),
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        };
        (!is_loopback && !self.bypass.covers(target)).then_some(upstream)
    }
}

impl Upstream {
    /// Connects to a target, which was decided, through the proxy. The address is the proxy's.
    pub(crate) async fn connect(&self, gate: &Gate, target: &Target) -> Result<(TcpStream, SocketAddr), Refusal> {
        let (mut stream, address, hop) = self.open(gate, target).await?;
        match timeout(ANSWER, ask(&mut stream, &hop, target)).await {
            Ok(Ok(())) => Ok((stream, address)),
            Ok(Err(reason)) => Err(self.refusal(target, &reason)),
            Err(_elapsed) => {
                Err(self.refusal(target, &format!("the proxy did not answer within {} s", ANSWER.as_secs())))
            }
        }
    }

    fn refusal(&self, target: &Target, reason: &str) -> Refusal {
        Refusal::Upstream { target: shown(&target.to_string()), reason: shown(&format!("{}: {reason}", self.variable)) }
    }

    /// Connects to the proxy, for a target that was decided. Nothing has been sent on the connection.
    pub(crate) async fn open(&self, gate: &Gate, target: &Target) -> Result<(TcpStream, SocketAddr, Hop), Refusal> {
        let refusal = |reason: String| self.refusal(target, &reason);
        let proxy = self.proxy.as_ref().map_err(|error| refusal(error.to_string()))?;
        let addresses: Vec<IpAddr> = match &proxy.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => gate
                .resolver
                .resolve(name)
                .await
                .map_err(|error| refusal(format!("the proxy `{name}` could not be looked up: {error}")))?,
        };
        // The user named this proxy, so that its address may be a private one.
        let addresses: Vec<SocketAddr> =
            addresses.into_iter().map(|address| SocketAddr::new(address, proxy.port)).collect();
        let proxy_target = Target { host: proxy.host.clone(), port: proxy.port };
        let (stream, address) = dial::dial(&proxy_target, &addresses, gate.limits.connect)
            .await
            .map_err(|error| refusal(error.to_string()))?;
        Ok((stream, address, Hop { authorization: proxy.authorization.clone() }))
    }
}

/// Asks the proxy to connect (RFC 9110, section 9.3.6) and reads its answer, not a byte more.
async fn ask(stream: &mut TcpStream, hop: &Hop, target: &Target) -> Result<(), String> {
    let authorization = match &hop.authorization {
        Some(value) => format!("Proxy-Authorization: {value}\r\n"),
        None => String::new(),
    };
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| format!("asking the proxy failed: {error}"))?;
    let head = read_head(stream).await?;
    let status_line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let status_line = String::from_utf8_lossy(status_line.trim_ascii_end()).into_owned();
    let mut parts = status_line.splitn(3, ' ');
    match (parts.next(), parts.next()) {
        (Some("HTTP/1.1" | "HTTP/1.0"), Some(code)) if code.len() == 3 && code.starts_with('2') => Ok(()),
        _ => Err(format!("the proxy answered `{status_line}`")),
    }
}

/// Reads up to the empty line. What comes after it is the target's, and stays in the socket: so it is looked at before it is taken.
async fn read_head(stream: &mut TcpStream) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("reading the proxy's answer failed: {error}");
    let mut head = Vec::new();
    let mut seen = [0; 1024];
    while head.len() < LONGEST {
        let number = stream.peek(&mut seen).await.map_err(failed)?;
        if number == 0 {
            return Err("the proxy closed the connection without an answer".to_owned());
        }
        let before = head.len();
        head.extend_from_slice(seen.get(..number).unwrap_or_default());
        let from = before.saturating_sub(3);
        let end = head.get(from..).and_then(|tail| tail.windows(4).position(|four| four == b"\r\n\r\n"));
        let end = end.map(|at| from + at + 4);
        let taken = end.unwrap_or(head.len()).saturating_sub(before);
        let taken = seen.get_mut(..taken).unwrap_or_default();
        stream.read_exact(taken).await.map_err(failed)?;
        if let Some(end) = end {
            head.truncate(end);
            return Ok(head);
        }
    }
    Err(format!("the proxy's answer is longer than {LONGEST} bytes"))
}

#[cfg(test)]
mod tests;
