//! The pipes, the servers and the policy of the conversations.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use bailiwick_policy::boundary::Network;
use bailiwick_policy::host_pattern::Host;
use bailiwick_policy::host_rule::HostRule;
use bailiwick_policy::origin::{Layer, Origin, Source};
use bailiwick_policy::policy::Ruled;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::task::{LocalSet, spawn_local};

use crate::budget::Budget;
use crate::decide::{self, Allowed};
use crate::event::{Attempt, AttemptResult, Begun, Way};
use crate::gate::Target;
use crate::http::carry_body::carry_body;
use crate::http::conversation::{Conversation, Ended};
use crate::http::door::{Door, Opened};
use crate::http::fields::Fields;
use crate::http::framing;
use crate::http::head::RequestHead;
use crate::http::limits;
use crate::http::reader::Reader;
use crate::http::scope::Hosts;
use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::upstream::Hop;

/// What a server says to a request: bytes, and whether it ends the connection after them.
pub(super) struct Says(pub(super) Vec<u8>, pub(super) bool);

/// A server that stays after this.
pub(super) fn says(text: &str) -> Says {
    Says(text.replace('\n', "\r\n").into_bytes(), false)
}

/// A server that ends after this.
pub(super) fn last(text: &str) -> Says {
    Says(text.replace('\n', "\r\n").into_bytes(), true)
}

/// `200 OK` with this body.
pub(super) fn ok(body: &str) -> Says {
    says(&format!("HTTP/1.1 200 OK\nContent-Length: {}\n\n{body}", body.len()))
}

/// One request as a server got it: which connection, its target, the head and the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Got {
    pub(super) connection: usize,
    pub(super) target: String,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

type Script = Rc<dyn Fn(&Got) -> Says>;

/// What came of a conversation.
pub(super) struct Came {
    /// Everything that the client got.
    pub(super) client: String,
    /// Every whole request that servers got.
    pub(super) got: Vec<Got>,
    /// How many connections were made.
    pub(super) connections: usize,
    /// What was told.
    pub(super) told: Vec<Attempt>,
    /// The tunnel that was asked for and allowed, and what followed the request.
    pub(super) tunnel: Option<(String, Vec<u8>)>,
}

impl Came {
    /// What was told in short: request, host and port, how it went.
    pub(super) fn told(&self) -> Vec<String> {
        self.told
            .iter()
            .map(|attempt| {
                let how = match &attempt.result {
                    AttemptResult::Allowed { .. } => "allowed".to_owned(),
                    AttemptResult::Refused { reason, .. } => format!("refused: {reason}"),
                    AttemptResult::Failed { reason } => format!("failed: {reason}"),
                };
                let request = attempt.request.as_deref().unwrap_or("-");
                format!("{request} {}:{} {how}", attempt.host, attempt.port)
            })
            .collect()
    }

    /// The statuses of the responses that the client got.
    pub(super) fn statuses(&self) -> Vec<&str> {
        let starts = self.client.match_indices("HTTP/1.1 ").map(|(at, start)| at + start.len());
        let statuses = starts.filter_map(|at| self.client.get(at..at + 3));
        statuses.filter(|status| status.bytes().all(|byte| byte.is_ascii_digit())).collect()
    }
}

/// A conversation to be had.
pub(super) struct World {
    pub(super) allow: Vec<&'static str>,
    pub(super) hosts: Hosts,
    /// Does the proxy ask for `Aladdin:open sesame`?
    pub(super) locked: bool,
    /// Put into every request by `dress`.
    pub(super) credential: Option<(&'static str, &'static str)>,
    /// The client sends so many bytes at a time.
    pub(super) piece: usize,
    /// Bytes of the common budget.
    pub(super) memory: usize,
    /// Servers answer a head at once, without taking its body, and the client waits for the end before it ends.
    pub(super) early: bool,
    /// The host has a proxy, which gets requests for all servers.
    pub(super) by_proxy: bool,
}

/// On a connection to `http://a.example`.
pub(super) fn to_a() -> World {
    let target = Target { host: Host::parse("a.example").unwrap(), port: 80 };
    World { hosts: Hosts::Only { target, secure: false }, ..proxy() }
}

/// With the proxy.
pub(super) fn proxy() -> World {
    World {
        allow: vec!["a.example", "b.example", "c.example:8080"],
        hosts: Hosts::Any,
        locked: false,
        credential: None,
        piece: usize::MAX,
        memory: 1 << 20,
        early: false,
        by_proxy: false,
    }
}

/// What the host says to its proxy.
pub(super) const PASSWORD: &str = "Basic aG9zdDpzZWNyZXQ=";

struct Stub {
    network: Network,
    script: Script,
    secret: Option<Secret>,
    credential: Option<(&'static str, &'static str)>,
    budget: Rc<Budget>,
    early: bool,
    by_proxy: bool,
    got: Rc<RefCell<Vec<Got>>>,
    connections: Rc<RefCell<usize>>,
    told: Rc<RefCell<Vec<Attempt>>>,
}

impl Door for Stub {
    type Stream = DuplexStream;

    const DEFAULT_PORT: u16 = 80;

    fn decide(&self, target: &Target, method: &str, path: &str) -> Result<Allowed, Refusal> {
        decide::request(&self.network, target, method, path)
    }

    fn limits_requests(&self, target: &Target) -> bool {
        self.network.limits_requests(&target.host.to_string(), target.port)
    }

    fn decide_tunnel(&self, target: &Target) -> Result<(), Refusal> {
        decide::target(&self.network, target).map(|_| ())
    }

    async fn open(&self, target: &Target, to_the_end: bool) -> Result<Opened<DuplexStream>, Refusal> {
        let (near, far) = duplex(1024);
        let connection = *self.connections.borrow();
        *self.connections.borrow_mut() += 1;
        spawn_local(server(far, connection, target.to_string(), self.script.clone(), self.got.clone(), self.early));
        let hop = Hop { authorization: Some(PASSWORD.to_owned()) };
        let hop = (self.by_proxy && !to_the_end).then_some(hop);
        Ok(Opened { stream: near, address: SocketAddr::from(([192, 0, 2, 1], target.port)), hop })
    }

    fn dress(&self, _: &Target, fields: &mut Fields) {
        if let Some((name, value)) = self.credential {
            fields.replace(name, value.as_bytes());
        }
    }

    fn begin(&self, host: &str, port: u16) -> Begun {
        Begun::now(Way::Http, host, port, crate::program::Program::unknown())
    }

    fn tell(&self, attempt: Attempt) {
        self.told.borrow_mut().push(attempt);
    }

    fn budget(&self) -> Rc<Budget> {
        self.budget.clone()
    }

    fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }
}

/// Answers requests as the script says. What is no request ends it: what was sent to it must be one.
async fn server(
    stream: DuplexStream,
    connection: usize,
    target: String,
    script: Script,
    got: Rc<RefCell<Vec<Got>>>,
    early: bool,
) {
    let (reader, mut writer) = split(stream);
    let mut reader = Reader::new(reader, Vec::new(), Budget::new(1 << 20));
    // What is no request is kept as one without connection: a panic here would be nobody's.
    let wrong = |what: String| got.borrow_mut().push(Got { connection: usize::MAX, target: what, ..Got::default() });
    loop {
        let length = match reader.head(limits::IDLE, limits::HEAD).await {
            Ok(Some(length)) => length,
            Ok(None) => return,
            Err(error) => return wrong(format!("{error:?}")),
        };
        let bytes = reader.bytes()[..length].to_vec();
        reader.consume(length);
        let head = match RequestHead::parse(&bytes) {
            Ok(head) => head,
            Err(error) => return wrong(format!("{error:?}")),
        };
        let mut body = Vec::new();
        let framing = match framing::of_request(&head.fields, head.version) {
            Ok(framing) => framing,
            Err(error) => return wrong(format!("{error:?}")),
        };
        let early = early && framing != framing::Framing::None;
        if !early && carry_body(&mut reader, framing, &mut body, false, &Cell::new(0)).await.is_err() {
            return;
        }
        let head = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        let request = Got { connection, target: target.clone(), head, body };
        let Says(answer, end) = script(&request);
        got.borrow_mut().push(request);
        let upgraded = answer.starts_with(b"HTTP/1.1 101");
        if writer.write_all(&answer).await.is_err() || end {
            return;
        }
        if upgraded || early {
            // An echo of everything, when the client has ended.
            let mut echo = Vec::new();
            let _ = carry_body(&mut reader, framing::Framing::UntilClose, &mut echo, false, &Cell::new(0)).await;
            let _ = writer.write_all(&echo).await;
            return;
        }
    }
}

fn network(allow: &[&str]) -> Network {
    let origin = Origin { layer: Layer::CommandLine, source: Source::Option("--allow-host".to_owned()), line: None };
    let allow = allow.iter().map(|text| Ruled { value: HostRule::parse(text).unwrap(), origin: origin.clone() });
    Network { allow: allow.collect(), ..Network::default() }
}

impl World {
    /// A client sends this, then ends, and reads everything. Line ends are written as `\n`.
    pub(super) fn talk(self, client: &str, script: impl Fn(&Got) -> Says + 'static) -> Came {
        self.talk_bytes(client.replace('\n', "\r\n").into_bytes(), script)
    }

    /// The same with exactly these bytes.
    pub(super) fn talk_bytes(self, client: Vec<u8>, script: impl Fn(&Got) -> Says + 'static) -> Came {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        LocalSet::new().block_on(&runtime, self.conversation(client, Rc::new(script)))
    }

    /// Bytes of the future that serves a connection, over the streams of the tests.
    pub(super) fn size_of_conversation(self) -> usize {
        let stub = self.stub(Rc::new(|_| ok("")));
        size_of_val(&Conversation::new(duplex(1).0, Vec::new(), self.hosts, stub).run())
    }

    fn stub(&self, script: Script) -> Stub {
        Stub {
            network: network(&self.allow),
            script,
            secret: self.locked.then(|| Secret::new("Aladdin", "open sesame")),
            credential: self.credential,
            budget: Budget::new(self.memory),
            early: self.early,
            by_proxy: self.by_proxy,
            got: Rc::default(),
            connections: Rc::default(),
            told: Rc::default(),
        }
    }

    async fn conversation(self, bytes: Vec<u8>, script: Script) -> Came {
        let (near, far) = duplex(2048);
        let stub = self.stub(script);
        let (got, connections, told) = (stub.got.clone(), stub.connections.clone(), stub.told.clone());
        let budget = stub.budget.clone();
        let talk = Conversation::new(far, Vec::new(), self.hosts, stub);
        let gate = async {
            match talk.run().await {
                Ended::Over => None,
                Ended::Connect { target, first, .. } => Some((target.to_string(), first)),
            }
        };
        let (mut from, mut to) = split(near);
        let (whole, read_whole) = tokio::sync::oneshot::channel();
        let write = async {
            for piece in bytes.chunks(self.piece.min(bytes.len().max(1))) {
                if to.write_all(piece).await.is_err() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            if self.early {
                let _ = read_whole.await;
            }
            let _ = to.shutdown().await;
        };
        let read = async {
            let mut all = Vec::new();
            let _ = from.read_to_end(&mut all).await;
            let _ = whole.send(());
            String::from_utf8_lossy(&all).into_owned()
        };
        let (tunnel, (), client) = tokio::join!(gate, write, read);
        assert_eq!(budget.left(), self.memory, "every byte of the budget comes back");
        let (got, told, connections) = (got.take(), told.take(), *connections.borrow());
        Came { client: client.replace("\r\n", "\n"), got, connections, told, tunnel }
    }
}
