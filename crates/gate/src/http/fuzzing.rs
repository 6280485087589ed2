//! Doors for the fuzz targets; see `crate::fuzzing`.

// The pipes, servers and policy of the tests; some of them only the tests use.
#[allow(dead_code)]
#[path = "tests/world.rs"]
mod world;

use super::authority::Authority;
use super::body::{Body, ChunkError, Step};
use super::framing::{self, Framing};
use super::head::{EndFinder, HeadError, RequestHead, ResponseHead, Version, looks_like_request};
use super::request::{Form, Request};
use super::rewrite;
use crate::fuzzing::{ends, number};
use crate::gate::Target;
use crate::upstream::Hop;
use bailiwick_policy::host_pattern::Host;

/// Fields that the gate adds to a head at most: a head that is nearly too large may become too large.
const ADDED_FIELDS: usize = 4;

/// The end of a head, found as the bytes arrive, and as they are there at once.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let whole = EndFinder::default().find(bytes);
    let mut finder = EndFinder::default();
    let mut pieces: Result<Option<usize>, HeadError> = Ok(None);
    for end in ends(bytes) {
        pieces = finder.find(&bytes[..end]);
        if pieces != Ok(None) {
            break;
        }
    }
    assert_eq!(pieces, whole, "the end of the head depends on how it is cut");
    whole.ok().flatten()
}

/// A request that is passed on is written so that it is read as the same request, for the same host and with the same body.
pub fn request(bytes: &[u8]) {
    let looks = looks_like_request(bytes);
    for end in ends(bytes) {
        let before = looks_like_request(&bytes[..end]);
        assert!(before.is_none() || before == looks, "after {end} bytes {before:?}, at last {looks:?}");
    }
    let Some(length) = head_end(bytes) else { return };
    let Ok(head) = RequestHead::parse(&bytes[..length]) else { return };
    let Ok(request) = Request::of(head) else { return };
    assert!(looks == Some(true) || request.method.len() > 16, "a request does not look like one");
    assert_ne!(request.body, Framing::UntilClose);
    if request.form == Form::Authority || request.fields.len() + ADDED_FIELDS > super::head::MOST_FIELDS {
        return;
    }
    let target = target_of(request.authority.as_ref());
    let written = rewrite::request(&request, &target, 80, None, |_| {});
    assert_eq!(EndFinder::default().find(&written), Ok(Some(written.len())), "another head is in it");
    let again = Request::of(RequestHead::parse(&written).unwrap()).unwrap();
    assert_eq!((&again.method, &again.target), (&request.method, &request.target));
    assert_eq!((again.body, again.websocket), (request.body, request.websocket));
    assert_eq!(target_of(again.authority.as_ref()), target);
    for name in ["keep-alive", "te", "trailer", "proxy-authorization", "proxy-connection", "http2-settings"] {
        assert!(!again.fields.has(name), "`{name}` is passed on");
    }
    assert_eq!(rewrite::request(&again, &target, 80, None, |_| {}), written, "a second gate would write it otherwise");
    let hop = Hop { authorization: Some("Basic eDp5".to_owned()) };
    let to_proxy = rewrite::request(&request, &target, 80, Some(&hop), |_| {});
    assert_eq!(EndFinder::default().find(&to_proxy), Ok(Some(to_proxy.len())), "another head is in what a proxy gets");
    let read = Request::of(RequestHead::parse(&to_proxy).unwrap()).unwrap();
    assert_eq!(read.form, Form::Absolute { secure: false });
    assert_eq!((&read.method, &read.target, read.body), (&request.method, &request.target, request.body));
    assert_eq!(target_of(read.authority.as_ref()), target);
    assert_eq!(read.fields.all("proxy-authorization").collect::<Vec<_>>(), [b"Basic eDp5"]);
    assert_eq!(
        rewrite::request(&read, &target, 80, None, |_| {}),
        written,
        "the server gets something else by the proxy"
    );
}

fn target_of(authority: Option<&Authority>) -> Target {
    match authority {
        Some(authority) => Target { host: authority.host.clone(), port: authority.port.unwrap_or(80) },
        None => Target { host: Host::Name("none.example".to_owned()), port: 80 },
    }
}

/// A response that is passed on is written so that a client finds the same end of its body.
pub fn response(bytes: &[u8]) {
    let Some(length) = head_end(bytes) else { return };
    let Ok(head) = ResponseHead::parse(&bytes[..length]) else { return };
    if head.fields.len() + ADDED_FIELDS > super::head::MOST_FIELDS {
        return;
    }
    for (method, client) in [("GET", Version::Http11), ("GET", Version::Http10), ("HEAD", Version::Http11)] {
        let Ok(framing) = framing::of_response(method, head.status, &head.fields, head.version) else { continue };
        let to_client = if head.status < 200 { Framing::None } else { rewrite::for_client(framing, client) };
        let keep = to_client != Framing::UntilClose;
        let written = rewrite::response(head.clone(), to_client, keep);
        assert_eq!(EndFinder::default().find(&written), Ok(Some(written.len())), "another head is in it");
        let again = ResponseHead::parse(&written).unwrap();
        assert_eq!((again.status, &again.reason), (head.status, &head.reason));
        let read = framing::of_response(method, again.status, &again.fields, again.version);
        assert_eq!(read, Ok(to_client), "the client finds another end");
        assert_eq!(rewrite::response(again, to_client, keep), written, "a second gate would write it otherwise");
    }
}

/// What came of a body: its bytes, and where it ended or why it did not.
type Decoded = (Vec<u8>, Result<Option<usize>, ChunkError>);

/// Reads a chunked body that arrives in pieces.
fn decode(bytes: &[u8], ends: &[usize]) -> Decoded {
    let mut body = Body::new(Framing::Chunked);
    let (mut data, mut at) = (Vec::new(), 0);
    for &end in ends {
        loop {
            match body.step(&bytes[at..end]) {
                Err(error) => return (data, Err(error)),
                Ok(Step::End(skip)) => return (data, Ok(Some(at + skip))),
                Ok(Step::Data { skip, data: count }) => {
                    assert!(count > 0, "a step without progress");
                    data.extend_from_slice(&bytes[at + skip..at + skip + count]);
                    at += skip + count;
                }
                Ok(Step::More(skip)) => {
                    at += skip;
                    assert_eq!(at, end, "more is wanted while bytes are left");
                    break;
                }
            }
        }
    }
    (data, Ok(None))
}

/// A chunked body is the same however it is cut, and written anew it is the same as well.
pub fn body(bytes: &[u8]) {
    let whole = decode(bytes, &[bytes.len()]);
    assert_eq!(decode(bytes, &ends(bytes)), whole);
    let (data, Ok(Some(_))) = whole else { return };
    let mut written = Vec::new();
    for piece in data.chunks(1 + number(bytes) as usize % 300) {
        written.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        written.extend_from_slice(piece);
        written.extend_from_slice(b"\r\n");
    }
    written.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(decode(&written, &[written.len()]), (data, Ok(Some(written.len()))));
}

/// How a server agrees to speak WebSocket.
const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/// A whole conversation, with a server for one host and with the proxy: servers get whole requests for their own host only,
/// and everything is the same however the client's bytes are cut.
///
/// What follows a line of `%%` is what servers answer to every request, before they end the connection.
pub fn conversation(bytes: &[u8]) {
    const LINE: &[u8] = b"%%\n";
    let split = bytes.windows(LINE.len()).position(|here| here == LINE);
    let (client, answer) = match split {
        Some(at) => (&bytes[..at], Some(bytes[at + LINE.len()..].to_vec())),
        None => (bytes, None),
    };
    // A server that switches protocols like this echoes; one that does so otherwise ends after what it said.
    let switches = answer.as_ref().is_some_and(|answer| answer.starts_with(SWITCH));
    let piece = 1 + number(bytes) as usize % 60;
    for (make, hosts) in [
        (world::to_a as fn() -> world::World, &["a.example"][..]),
        (world::proxy, &["a.example", "b.example", "c.example:8080"]),
    ] {
        let talk = |piece: usize| {
            let answer = answer.clone();
            let mut world = make();
            world.piece = piece;
            world.talk_bytes(client.to_vec(), move |_| match &answer {
                Some(bytes) => world::Says(bytes.clone(), !switches),
                None => world::ok("x"),
            })
        };
        let (whole, pieces) = (talk(usize::MAX), talk(piece));
        assert_eq!((&pieces.client, &pieces.got), (&whole.client, &whole.got));
        match (&pieces.tunnel, &whole.tunnel) {
            // How much was read behind the request is a matter of time; the rest is carried later.
            (Some((target, first)), Some((other, rest))) => assert!(target == other && rest.starts_with(first)),
            (pieces, whole) => assert_eq!(pieces, whole),
        }
        assert_eq!(pieces.told(), whole.told());
        assert!(whole.client.is_empty() || whole.client.starts_with("HTTP/1.1 "));
        for got in &whole.got {
            assert_ne!(got.connection, usize::MAX, "a server got no request but: {}", got.target);
            let said: Vec<_> = got.head.lines().filter_map(|line| line.strip_prefix("Host: ")).collect();
            let [said] = said.as_slice() else { panic!("not exactly one host: {}", got.head) };
            assert!(hosts.contains(said), "{}", got.head);
            let target = if said.contains(':') { (*said).to_owned() } else { format!("{said}:80") };
            assert_eq!(got.target, target, "{}", got.head);
        }
    }
}
