//! Requests that go to the proxy of the host, and what it says.

use super::world::{Came, Got, PASSWORD, Says, World, last, ok, proxy, says, to_a};

fn by_proxy(world: World) -> World {
    World { by_proxy: true, ..world }
}

fn asked(came: &Came) -> Vec<(usize, &str)> {
    came.got.iter().map(|got| (got.connection, got.head.lines().next().unwrap())).collect()
}

const SOCKET: &str =
    "GET /s HTTP/1.1\nHost: a.example\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Key: x\n\n";

#[test]
fn a_proxy_is_asked_for_the_whole_address_and_gets_the_hosts_password_alone() {
    let ask = "GET /a?b HTTP/1.1\nHost: a.example\nProxy-Authorization: Basic eA==\nConnection: X-Hop\nX-Hop: 1\nAccept: */*\n\n";
    let came = by_proxy(to_a()).talk(ask, |_| ok("hello"));
    assert_eq!(
        came.got[0].head,
        format!("GET http://a.example/a?b HTTP/1.1\nHost: a.example\nAccept: */*\nProxy-Authorization: {PASSWORD}\n\n")
    );
    assert!(came.client.ends_with("hello") && !came.client.contains("aG9zdDpzZWNyZXQ"), "{}", came.client);
    assert_eq!(came.told(), ["GET /a a.example:80 allowed"]);
}

#[test]
fn every_form_of_a_request_is_written_as_a_proxy_reads_it() {
    for (ask, expected) in [
        ("OPTIONS * HTTP/1.1\nHost: a.example\n\n", "OPTIONS http://a.example HTTP/1.1"),
        ("OPTIONS /x HTTP/1.1\nHost: a.example\n\n", "OPTIONS http://a.example/x HTTP/1.1"),
        ("GET http://a.example HTTP/1.1\nHost: a.example\n\n", "GET http://a.example/ HTTP/1.1"),
        ("GET //b.example/ HTTP/1.1\nHost: a.example\n\n", "GET http://a.example//b.example/ HTTP/1.1"),
        ("GET /@b.example HTTP/1.1\nHost: a.example:80\n\n", "GET http://a.example/@b.example HTTP/1.1"),
        ("GET / HTTP/1.0\n\n", "GET http://a.example/ HTTP/1.1"),
    ] {
        let came = by_proxy(to_a()).talk(ask, |_| ok(""));
        assert_eq!(asked(&came), [(0, expected)]);
        assert!(came.got[0].head.contains("\nHost: a.example\n"), "{}", came.got[0].head);
    }
    let came = by_proxy(proxy()).talk("GET http://c.example:8080/x HTTP/1.1\nHost: c.example:8080\n\n", |_| ok(""));
    assert_eq!(asked(&came), [(0, "GET http://c.example:8080/x HTTP/1.1")]);
}

#[test]
fn a_connection_to_a_proxy_is_kept_for_one_host_and_every_request_is_decided() {
    let get = |host: &str, path: &str| format!("GET http://{host}{path} HTTP/1.1\nHost: {host}\n\n");
    let requests =
        [get("a.example", "/1"), get("a.example", "/2"), get("evil.example", "/3"), get("b.example", "/4")].concat();
    let came = by_proxy(proxy()).talk(&requests, |got| ok(&got.target));
    assert_eq!(came.statuses(), ["200", "200", "403", "200"]);
    assert_eq!(
        asked(&came),
        [
            (0, "GET http://a.example/1 HTTP/1.1"),
            (0, "GET http://a.example/2 HTTP/1.1"),
            (1, "GET http://b.example/4 HTTP/1.1")
        ]
    );
}

#[test]
fn what_two_readers_could_take_differently_reaches_no_proxy() {
    for ask in [
        "POST / HTTP/1.1\nHost: a.example\nContent-Length: 5\nTransfer-Encoding: chunked\n\n0\n\n",
        "GET / HTTP/1.1\nHost: a.example\nX: y\n folded\n\n",
        "GET http://a.example/ HTTP/1.1\nHost: b.example\n\n",
        "GET http://b.example/ HTTP/1.1\nHost: b.example\n\n",
        "GET / HTTP/1.1\nHost: a.example\nHost: b.example\n\n",
        "GET / b.example HTTP/1.1\nHost: a.example\n\n",
        "CONNECT a.example:443 HTTP/1.1\nHost: a.example:443\n\n",
    ] {
        let came = by_proxy(to_a()).talk(ask, |_| ok(""));
        assert!(came.got.is_empty() && came.connections == 0, "{ask}: {:?}", came.got);
    }
}

#[test]
fn a_body_is_delimited_anew_for_a_proxy() {
    let ask = "POST / HTTP/1.1\nHost: a.example\nTransfer-Encoding: chunked\n\n3;x\nabc\n0\nX: y\n\n";
    let came = by_proxy(to_a()).talk(&[ask, "GET /2 HTTP/1.1\nHost: a.example\n\n"].concat(), |_| ok(""));
    assert_eq!((came.statuses(), came.got[0].body.as_slice()), (vec!["200", "200"], &b"abc"[..]));
    assert!(came.got[0].head.contains("\nTransfer-Encoding: chunked\n"), "{}", came.got[0].head);
    assert_eq!(asked(&came)[1], (0, "GET http://a.example/2 HTTP/1.1"));
}

#[test]
fn a_websocket_goes_through_the_proxy_and_not_to_it() {
    let get = "GET /1 HTTP/1.1\nHost: a.example\n\n";
    let came = by_proxy(to_a()).talk(&[get, SOCKET, "echo"].concat(), |got| match got.connection {
        0 => ok("one"),
        _ => says("HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: websocket\n\n"),
    });
    assert_eq!(asked(&came), [(0, "GET http://a.example/1 HTTP/1.1"), (1, "GET /s HTTP/1.1")]);
    assert!(!came.got[1].head.contains("Proxy-"), "{}", came.got[1].head);
    assert!(came.client.ends_with("echo"), "{}", came.client);
}

#[test]
fn a_request_that_a_kept_connection_lost_is_sent_again_in_the_same_form() {
    let get = "GET / HTTP/1.1\nHost: a.example\n\n";
    // The first connection takes a second request and ends without a word.
    let silent = |got: &Got, nth: usize| match (got.connection, nth) {
        (0, 0) => ok("one"),
        (0, _) => Says(Vec::new(), true),
        _ => ok("two"),
    };
    let count = std::cell::Cell::new(0);
    let came = by_proxy(to_a()).talk(&get.repeat(2), move |got| silent(got, count.replace(count.get() + 1)));
    assert_eq!(came.statuses(), ["200", "200"]);
    assert_eq!(asked(&came).last(), Some(&(1, "GET http://a.example/ HTTP/1.1")));
    // Of a connection that ends at the server it is the same: the first was made for a WebSocket, which the server did not want.
    let count = std::cell::Cell::new(0);
    let came = by_proxy(to_a()).talk(&[SOCKET, get].concat(), move |got| silent(got, count.replace(count.get() + 1)));
    assert_eq!(came.statuses(), ["200", "200"]);
    assert_eq!(asked(&came), [(0, "GET /s HTTP/1.1"), (0, "GET / HTTP/1.1"), (1, "GET / HTTP/1.1")]);
}

#[test]
fn a_proxy_that_wants_another_password_is_told_outside_and_not_inside() {
    let refuses =
        "HTTP/1.1 407 Proxy Authentication Required\nProxy-Authenticate: Basic realm=corp\nContent-Length: 4\n\ncorp";
    let get = "GET / HTTP/1.1\nHost: a.example\n\n";
    let came = by_proxy(to_a()).talk(get, move |_| last(refuses));
    assert_eq!(came.statuses(), ["502"]);
    assert!(!came.client.contains("corp"), "{}", came.client);
    assert!(came.told()[0].contains("failed: ") && came.told()[0].contains("password"), "{:?}", came.told());
    // Of a server of its own it is an answer like others.
    assert_eq!(to_a().talk(get, move |_| last(refuses)).statuses(), ["407"]);
}
