use bailiwick_policy::host_pattern::Host;

use super::*;
use crate::http::authority::AuthorityError;
use crate::http::framing::FramingError;

fn read(text: &str) -> Result<Request, RequestError> {
    let text = text.replace('\n', "\r\n");
    Request::of(RequestHead::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}")))
}

fn host(text: &str) -> Host {
    Host::parse(text).unwrap()
}

#[test]
fn each_form_says_host_and_path() {
    let asked = |text: &str| {
        let request = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let authority = request.authority.map(|it| (it.host.to_string(), it.port));
        (request.form, request.target, authority)
    };
    let org = |port| Some(("example.org".to_owned(), port));
    assert_eq!(asked("GET /a?b HTTP/1.1\nHost: Example.org\n\n"), (Form::Origin, "/a?b".into(), org(None)));
    assert_eq!(asked("GET / HTTP/1.0\n\n"), (Form::Origin, "/".into(), None));
    assert_eq!(asked("OPTIONS * HTTP/1.1\nHost: example.org\n\n"), (Form::Origin, "*".into(), org(None)));
    let plain = Form::Absolute { secure: false };
    let get = |target: &str, host: &str| asked(&format!("GET {target} HTTP/1.1\nHost: {host}\n\n"));
    assert_eq!(get("http://example.org", "example.org"), (plain.clone(), "/".into(), org(None)));
    assert_eq!(get("http://example.org?a", "example.org"), (plain.clone(), "/?a".into(), org(None)));
    assert_eq!(get("HTTP://example.org:80/a", "EXAMPLE.org"), (plain.clone(), "/a".into(), org(Some(80))));
    assert_eq!(get("http://example.org/a", "example.org:80"), (plain.clone(), "/a".into(), org(None)));
    assert_eq!(get("https://example.org/a", "example.org:443").0, Form::Absolute { secure: true });
    assert_eq!(asked("OPTIONS http://example.org HTTP/1.1\nHost: example.org\n\n"), (plain, "*".into(), org(None)));
    let tunnel = asked("CONNECT example.org:443 HTTP/1.1\nHost: example.org\n\n");
    assert_eq!(tunnel, (Form::Authority, String::new(), org(Some(443))));
}

#[test]
fn smuggling_shapes_are_refused() {
    let post = |lines: &str| format!("POST / HTTP/1.1\nHost: a.example\n{lines}\n");
    let framing = RequestError::Framing;
    let table = [
        (post("Content-Length: 5\nTransfer-Encoding: chunked\n"), framing(FramingError::Both)),
        (post("Transfer-Encoding: chunked\nContent-Length: 0\n"), framing(FramingError::Both)),
        (post("Content-Length: 5\nContent-Length: 5\n"), framing(FramingError::SeveralLengths)),
        (post("Content-Length: 5\nContent-Length: 6\n"), framing(FramingError::SeveralLengths)),
        (post("Content-Length: 5, 5\n"), framing(FramingError::Length)),
        (post("Content-Length: +5\n"), framing(FramingError::Length)),
        (post("Content-Length: -1\n"), framing(FramingError::Length)),
        (post("Content-Length: 0x5\n"), framing(FramingError::Length)),
        (post("Content-Length: 05\n"), framing(FramingError::Length)),
        (post("Content-Length:\n"), framing(FramingError::Length)),
        (post("Content-Length: 18446744073709551617\n"), framing(FramingError::Length)),
        (post("Transfer-Encoding: xchunked\n"), framing(FramingError::Coding)),
        (post("Transfer-Encoding: chunked, identity\n"), framing(FramingError::Coding)),
        (post("Transfer-Encoding: gzip, chunked\n"), framing(FramingError::Coding)),
        (post("Transfer-Encoding: chunked\nTransfer-Encoding: x\n"), framing(FramingError::Coding)),
        (post("Transfer-Encoding:\n"), framing(FramingError::Coding)),
        (post("Transfer-Encoding: \"chunked\"\n"), framing(FramingError::Coding)),
        ("POST / HTTP/1.0\nHost: a.example\nTransfer-Encoding: chunked\n\n".into(), framing(FramingError::OldVersion)),
        (post("Transfer_Encoding: chunked\n"), RequestError::Lookalike),
        (post("Content_Length: 5\n"), RequestError::Lookalike),
        (post("Content.Length: 5\n"), RequestError::Lookalike),
        (post("Connection: Content-Length\nContent-Length: 5\n"), RequestError::ConnectionNamesFraming),
        (post("Connection: close, transfer-encoding\n"), RequestError::ConnectionNamesFraming),
        (post("Connection: host\n"), RequestError::ConnectionNamesFraming),
        (post("Host: a.example\n"), RequestError::SeveralHosts),
        (post("host: b.example\n"), RequestError::SeveralHosts),
        ("GET / HTTP/1.1\n\n".into(), RequestError::NoHost),
        ("GET / HTTP/1.1\nHost:\n\n".into(), RequestError::Host(AuthorityError::Host)),
        ("GET / HTTP/1.1\nHost: a.example, b.example\n\n".into(), RequestError::Host(AuthorityError::Host)),
        ("GET / HTTP/1.1\nHost: a.example/b\n\n".into(), RequestError::Host(AuthorityError::Host)),
        ("GET / HTTP/1.1\nHost: a@b.example\n\n".into(), RequestError::Host(AuthorityError::UserInfo)),
        ("GET / HTTP/1.0\nHost: a.example\nHost: a.example\n\n".into(), RequestError::SeveralHosts),
        ("GET http://a.example/ HTTP/1.1\nHost: b.example\n\n".into(), RequestError::HostsDiffer),
        ("GET http://a.example:81/ HTTP/1.1\nHost: a.example:80\n\n".into(), RequestError::HostsDiffer),
        ("GET http://a.example/ HTTP/1.1\nHost: a.example:443\n\n".into(), RequestError::HostsDiffer),
        ("GET http://a.example/ HTTP/1.1\n\n".into(), RequestError::NoHost),
        (
            "GET http://u:p@a.example/ HTTP/1.1\nHost: a.example\n\n".into(),
            RequestError::Target(AuthorityError::UserInfo),
        ),
        ("GET http:///x HTTP/1.1\nHost: a.example\n\n".into(), RequestError::Target(AuthorityError::Host)),
        ("GET ftp://a.example/ HTTP/1.1\nHost: a.example\n\n".into(), RequestError::Scheme),
        ("GET * HTTP/1.1\nHost: a.example\n\n".into(), RequestError::Form),
        ("GET a.example HTTP/1.1\nHost: a.example\n\n".into(), RequestError::Form),
        ("GET http:a.example HTTP/1.1\nHost: a.example\n\n".into(), RequestError::Form),
        ("CONNECT a.example HTTP/1.1\nHost: a.example\n\n".into(), RequestError::ConnectWithoutPort),
        ("CONNECT / HTTP/1.1\nHost: a.example\n\n".into(), RequestError::Target(AuthorityError::Host)),
        (
            "CONNECT http://a.example:80 HTTP/1.1\nHost: a.example\n\n".into(),
            RequestError::Target(AuthorityError::Host),
        ),
        ("CONNECT a.example:443 HTTP/1.1\nHost: b.example\n\n".into(), RequestError::HostsDiffer),
        ("CONNECT a.example:443 HTTP/1.1\nHost: a.example:80\n\n".into(), RequestError::HostsDiffer),
        (
            "CONNECT a.example:443 HTTP/1.1\nHost: a.example\nContent-Length: 5\n\n".into(),
            RequestError::ConnectWithBody,
        ),
    ];
    for (text, error) in table {
        assert_eq!(read(&text).err(), Some(error), "{text:?}");
    }
}

#[test]
fn only_a_plain_request_becomes_a_websocket() {
    let upgrade = "Connection: keep-alive, Upgrade\nUpgrade: WebSocket\nSec-WebSocket-Key: eA==\n";
    let websocket = |first: &str, more: &str| read(&format!("{first}\nHost: a.example\n{more}\n")).unwrap().websocket;
    assert!(websocket("GET /chat HTTP/1.1", upgrade));
    assert!(!websocket("POST /chat HTTP/1.1", upgrade));
    assert!(!websocket("GET /chat HTTP/1.0", upgrade));
    assert!(!websocket("GET /chat HTTP/1.1", &format!("{upgrade}Content-Length: 5\n")));
    assert!(!websocket("GET /chat HTTP/1.1", "Upgrade: websocket\nSec-WebSocket-Key: eA==\n"));
    assert!(!websocket("GET /chat HTTP/1.1", "Connection: upgrade\nUpgrade: h2c\nSec-WebSocket-Key: eA==\n"));
}

#[test]
fn the_path_is_told_without_its_query() {
    let request = read("GET /a/b?token=x?y HTTP/1.1\nHost: a.example\nConnection: close\n\n").unwrap();
    assert_eq!((request.path(), request.keep_alive), ("/a/b", false));
    assert_eq!(request.authority.map(|it| it.host), Some(host("a.example")));
}
