//! Bodies of requests.

use super::world::{last, ok, says, to_a};

#[test]
fn chunks_are_made_anew_without_extensions_and_trailers() {
    for piece in [1, 5, usize::MAX] {
        let mut world = to_a();
        world.piece = piece;
        let came = world.talk(
            "POST / HTTP/1.1\nHost: a.example\nTransfer-Encoding: chunked\nTrailer: Host\n\n\
             3;x=y\nabc\n2\nde\n0\nHost: b.example\n\nGET /2 HTTP/1.1\nHost: a.example\n\n",
            |_| ok("x"),
        );
        assert_eq!(came.statuses(), ["200", "200"]);
        assert_eq!(came.got[0].body, b"abcde");
        assert!(came.got[0].head.contains("\nTransfer-Encoding: chunked\n"));
        assert!(!came.got.iter().any(|got| got.head.contains("b.example")));
        assert!(came.got[1].head.starts_with("GET /2 "));
    }
}

#[test]
fn a_body_with_a_length_is_passed_on_and_no_byte_more() {
    let came = to_a().talk(
        "PUT / HTTP/1.1\nHost: a.example\nContent-Length: 7\n\nGET / HGET /2 HTTP/1.1\nHost: a.example\n\n",
        |_| ok("x"),
    );
    assert_eq!(came.got[0].body, b"GET / H");
    assert!(came.got[1].head.starts_with("GET /2 "));
}

#[test]
fn malformed_chunks_are_answered_and_end_both_connections() {
    let came = to_a().talk(
        "POST / HTTP/1.1\nHost: a.example\nTransfer-Encoding: chunked\n\n3\nabcd\n0\n\nGET /2 HTTP/1.1\nHost: a.example\n\n",
        |_| ok("x"),
    );
    assert_eq!(came.statuses(), ["400"]);
    assert_eq!(came.got, [], "the server never gets the end of the body");
}

#[test]
fn a_client_that_ends_within_a_body_is_not_taken_for_whole() {
    let came = to_a().talk("POST / HTTP/1.1\nHost: a.example\nContent-Length: 10\n\nabc", |_| ok("x"));
    assert_eq!(came.got, []);
    assert_eq!(came.client, "");
}

#[test]
fn a_large_body_goes_through_small_buffers_both_ways() {
    let body = "0123456789abcdef".repeat(20_000);
    let request = format!("POST / HTTP/1.1\nHost: a.example\nContent-Length: {}\n\n{body}", body.len());
    let came = to_a().talk(&request, |got| ok(std::str::from_utf8(&got.body).unwrap()));
    assert_eq!(came.got[0].body, body.as_bytes());
    assert!(came.client.ends_with(&body));
}

#[test]
fn an_expected_continue_is_passed_on() {
    let came = to_a().talk("POST / HTTP/1.1\nHost: a.example\nExpect: 100-continue\nContent-Length: 1\n\nx", |_| {
        says("HTTP/1.1 100 Continue\n\nHTTP/1.1 201 Created\nContent-Length: 0\n\n")
    });
    assert_eq!(came.statuses(), ["100", "201"]);
    assert!(came.got[0].head.contains("\nExpect: 100-continue\n"));
}

#[test]
fn websockets_become_tunnels_when_both_sides_agree() {
    let ask =
        "GET /chat HTTP/1.1\nHost: a.example\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Key: eA==\n\n";
    let came = to_a().talk(&format!("{ask}frames"), |_| {
        says("HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Accept: y\n\n")
    });
    assert!(came.got[0].head.ends_with("Connection: Upgrade\nUpgrade: websocket\n\n"), "{}", came.got[0].head);
    insta::assert_snapshot!(came.client, @r#"
    HTTP/1.1 101 Switching Protocols
    Sec-WebSocket-Accept: y
    Connection: Upgrade
    Upgrade: websocket

    frames
    "#);
    assert_eq!(came.told(), ["GET /chat a.example:80 allowed"]);

    // A server that does not agree goes on with HTTP, and so does the gate.
    let came = to_a().talk(&format!("{ask}GET /2 HTTP/1.1\nHost: a.example\n\n"), |_| ok("no"));
    assert_eq!(came.statuses(), ["200", "200"]);

    // One that switches unasked, or to something else, is refused.
    let unasked = "HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: websocket\n\n";
    assert_eq!(to_a().talk("GET / HTTP/1.1\nHost: a.example\n\n", move |_| last(unasked)).statuses(), ["502"]);
    let other = "HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: h2c\n\n";
    assert_eq!(to_a().talk(ask, move |_| last(other)).statuses(), ["502"]);
}
