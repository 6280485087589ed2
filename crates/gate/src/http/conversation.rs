//! A client's connection: its requests one after another, each decided anew.

use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::timeout;

use super::answer::Answer;
use super::door::Door;
use super::exchange::{self, Server};
use super::framing::Framing;
use super::head::{HeadError, RequestHead};
use super::limits;
use super::reader::{Reader, Unread};
use super::request::{Form, Request};
use super::scope::{Asked, Hosts};
use crate::event::Begun;
use crate::gate::Target;
use crate::refusal::{Refusal, shown};

/// How a conversation ended.
pub(crate) enum Ended<C> {
    /// The connection is used up.
    Over,
    /// The client of a proxy asked for a tunnel, was allowed, and waits for the answer. `first` was read behind the request.
    Connect {
        /// Where to.
        target: Target,
        /// The connection.
        client: C,
        /// What the client sent already.
        first: Vec<u8>,
    },
}

/// What comes after one request.
pub(super) enum Next {
    /// Another request.
    Keep,
    /// The end, after the client has had time to read what was said.
    Close,
    /// The end at once: a message was broken off, and the client must see that.
    Abort,
    /// A tunnel.
    Connect(Target),
}

/// A client's connection.
pub(crate) struct Conversation<C, D: Door> {
    pub(super) reader: Reader<ReadHalf<C>>,
    pub(super) writer: WriteHalf<C>,
    pub(super) door: Rc<D>,
    pub(super) hosts: Hosts,
    pub(super) server: Option<Server<D::Stream>>,
}

impl<C: AsyncRead + AsyncWrite + Unpin, D: Door> Conversation<C, D> {
    /// A conversation that begins with `first`, which was read already.
    pub(crate) fn new(client: C, first: Vec<u8>, hosts: Hosts, door: D) -> Self {
        let (reader, writer) = split(client);
        Conversation {
            reader: Reader::new(reader, first, door.budget()),
            writer,
            door: Rc::new(door),
            hosts,
            server: None,
        }
    }

    /// Serves requests until the connection is used up or becomes a tunnel.
    pub(crate) async fn run(mut self) -> Ended<C> {
        loop {
            match self.one_request().await {
                Next::Keep => {}
                Next::Abort => return Ended::Over,
                Next::Close => {
                    self.linger().await;
                    return Ended::Over;
                }
                Next::Connect(target) => {
                    let (reader, first) = self.reader.into_parts();
                    return Ended::Connect { target, client: reader.unsplit(self.writer), first };
                }
            }
        }
    }

    async fn one_request(&mut self) -> Next {
        let length = match self.reader.head(limits::IDLE, limits::HEAD).await {
            Ok(Some(length)) => length,
            // The write side may still be wanted by nobody: the client has ended between two requests.
            Ok(None) | Err(Unread::Idle | Unread::Cut | Unread::Broken(_)) => return Next::Close,
            Err(Unread::Late) => {
                let seconds = limits::HEAD.as_secs();
                let reason = format!("a request head was not sent within {seconds} seconds");
                return self.malformed(Answer::new(408, "Request Timeout", reason)).await;
            }
            Err(Unread::Busy) => return self.malformed(busy()).await,
            Err(Unread::Malformed(error)) => return self.malformed(malformed_head(error)).await,
        };
        // A large head exists twice while its request is served.
        let Ok(_held) = self.hold(length) else { return self.malformed(busy()).await };
        let head = RequestHead::parse(self.reader.bytes().get(..length).unwrap_or_default());
        self.reader.consume(length);
        let request = match head.map_err(malformed_head).and_then(|head| {
            Request::of(head)
                .map_err(|error| Answer::new(400, "Bad Request", format!("the request is refused because {error}")))
        }) {
            Ok(request) => request,
            Err(answer) => return self.malformed(answer).await,
        };
        // Apart, so that a connection that waits for its next request does not hold the room for serving one.
        Box::pin(self.serve(request, length as u64)).await
    }

    fn hold(&self, length: usize) -> Result<Option<crate::budget::Held>, ()> {
        if length <= limits::FREE {
            return Ok(None);
        }
        self.door.budget().take(length).map(Some).ok_or(())
    }

    /// Decides about a request and does it.
    async fn serve(&mut self, request: Request, head_bytes: u64) -> Next {
        let asked = match self.hosts.asked(&request, self.door.secret()) {
            Ok(asked) => asked,
            Err(not_asked) => {
                let (target, answer) = *not_asked;
                // The first request of many clients comes without the password, to see whether one is wanted.
                if answer.status != 407 || request.fields.has("proxy-authorization") {
                    let refusal = Refusal::Said { reason: answer.reason.clone(), grant: None };
                    let begun = self.begin_request(target.as_ref(), &request);
                    begun.settled().await;
                    self.door.tell(begun.refused(&refusal));
                }
                return self.answer(&answer, &request).await;
            }
        };
        let (asked_for, tunnel) = match asked {
            Asked::Request(target) => (target, false),
            Asked::Tunnel(target) => (target, true),
        };
        let begun = self.begin_request(Some(&asked_for), &request);
        let target = match self.door.meant(asked_for) {
            Ok(target) => target,
            Err(refusal) => return self.refuse(begun, &refusal, &request).await,
        };
        let begun = self.begin_request(Some(&target), &request);
        if tunnel {
            // Decided here so that the client is told why; decided again, with all the rest, when it is carried.
            return match self.door.decide_tunnel(&target) {
                Ok(()) => Next::Connect(target),
                Err(refusal) => self.refuse(begun, &refusal, &request).await,
            };
        }
        let allowed = match self.door.decide(&target, &request.method, request.path()) {
            Ok(allowed) => match self.hosts.fits(&target, allowed.handling) {
                Ok(()) => allowed,
                Err(refusal) => return self.refuse(begun, &refusal, &request).await,
            },
            Err(refusal) => return self.refuse(begun, &refusal, &request).await,
        };
        if let Some(field) = request.overriding_field()
            && self.door.limits_requests(&target)
        {
            let refusal = overridden(field);
            return self.refuse(begun, &refusal, &request).await;
        }
        exchange::exchange(self, request, target, (begun, allowed.rule, head_bytes)).await
    }

    fn begin_request(&self, target: Option<&Target>, request: &Request) -> Begun {
        let mut begun = self.begin(target);
        if request.form != Form::Authority {
            begun.request(&words(request));
        }
        begun
    }

    fn begin(&self, target: Option<&Target>) -> Begun {
        match target.or(self.hosts.only()) {
            Some(target) => self.door.begin(&target.host.to_string(), target.port),
            None => self.door.begin("", 0),
        }
    }

    /// Tells a refusal and answers with it.
    pub(super) async fn refuse(&mut self, begun: Begun, refusal: &Refusal, request: &Request) -> Next {
        begun.settled().await;
        self.door.tell(begun.refused(refusal));
        self.answer(&answer_to(refusal), request).await
    }

    /// Answers a request that is not done.
    pub(super) async fn answer(&mut self, answer: &Answer, request: &Request) -> Next {
        // A body that nobody reads would be taken for the next request.
        let keep = request.keep_alive && request.body == Framing::None && answer.status != 400;
        let whole = answer.write(&request.method, keep);
        match (send(&mut self.writer, &whole).await, keep) {
            (Ok(()), true) => Next::Keep,
            (Ok(()), false) => Next::Close,
            (Err(_), _) => Next::Abort,
        }
    }

    /// Tells and answers what is no request at all; what comes after it cannot be told apart.
    async fn malformed(&mut self, answer: Answer) -> Next {
        let begun = self.begin(None);
        let refusal = Refusal::Said { reason: answer.reason.clone(), grant: None };
        begun.settled().await;
        self.door.tell(begun.refused(&refusal));
        match send(&mut self.writer, &answer.write("GET", false)).await {
            Ok(()) => Next::Close,
            Err(_) => Next::Abort,
        }
    }

    /// Ends the connection so that what was said last arrives.
    async fn linger(&mut self) {
        self.server = None;
        let drain = async {
            self.writer.shutdown().await?;
            let mut left = limits::LINGER_BYTES;
            while left > 0 {
                let held = self.reader.bytes().len();
                self.reader.consume(held);
                match self.reader.fill().await? {
                    0 => break,
                    read => left = left.saturating_sub(read),
                }
            }
            Ok::<(), std::io::Error>(())
        };
        // Whatever goes wrong here, the connection is over.
        let _ = timeout(limits::LINGER, drain).await;
    }
}

/// Writes and flushes.
pub(super) async fn send<W: AsyncWrite + Unpin>(writer: &mut W, bytes: &[u8]) -> std::io::Result<()> {
    writer.write_all(bytes).await?;
    writer.flush().await
}

/// Method and path, without the query: queries carry secrets, and rules do not speak about them.
fn words(request: &Request) -> String {
    format!("{} {}", request.method, request.path())
}

/// The answer to a refusal. It goes inside, which learns nothing there of the host's network: not what a name leads to, nor who was
/// asked and what was dialled. The report has all of it.
pub(super) fn answer_to(refusal: &Refusal) -> Answer {
    const MORE: &str = "; the report of the run says more";
    let (status, phrase) = refusal.http_status();
    let (reason, grant) = match refusal {
        Refusal::Address { host, .. } => (format!("`{host}` leads to an address that may not be dialled{MORE}"), None),
        Refusal::Unresolved { host, .. } => (format!("the name `{host}` could not be looked up{MORE}"), None),
        Refusal::Unreachable { target, .. } => (format!("`{target}` could not be reached{MORE}"), None),
        Refusal::Upstream { target, .. } => {
            (format!("`{target}` could not be reached through the proxy of the host{MORE}"), None)
        }
        Refusal::Denied { .. }
        | Refusal::Untrusted { .. }
        | Refusal::Said { .. }
        | Refusal::Unsaid { .. }
        | Refusal::Busy => (refusal.to_string(), refusal.grant()),
    };
    Answer { grant: grant.map(str::to_owned), ..Answer::new(status, phrase, reason) }
}

fn overridden(field: &str) -> Refusal {
    let reason = format!(
        "the request has the field `{}`, by which some servers take another method or path than the one that was decided; \
         leave it out, or allow every request of the host",
        shown(field)
    );
    Refusal::Said { reason, grant: None }
}

fn busy() -> Answer {
    answer_to(&Refusal::Busy)
}

fn malformed_head(error: HeadError) -> Answer {
    let (status, phrase) = error.status();
    Answer::new(status, phrase, format!("the request is refused because {error}"))
}
