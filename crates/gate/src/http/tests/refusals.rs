//! What is refused before a byte of it goes out.

use std::io::ErrorKind;

use super::world::{ok, proxy, to_a};
use crate::http::conversation::answer_to;
use crate::http::head::MOST_BYTES;
use crate::refusal::Refusal;
use crate::resolve::{ResolveError, ServerError};

#[test]
fn a_refusal_says_why_and_what_would_allow_it() {
    let came = proxy().talk("GET http://evil.example/x HTTP/1.1\nHost: evil.example\n\n", |_| ok("x"));
    assert_eq!(came.connections, 0);
    insta::assert_snapshot!(came.client, @r#"
    HTTP/1.1 403 Forbidden
    Content-Type: text/plain; charset=utf-8
    X-Content-Type-Options: nosniff
    Cache-Control: no-store
    Content-Length: 115

    bailiwick: `evil.example` port 80 is not among the allowed hosts
    bailiwick: to allow it: --allow-host evil.example
    "#);
    insta::assert_snapshot!(came.told().join("\n"), @"GET /x evil.example:80 refused: `evil.example` port 80 is not among the allowed hosts");
}

#[test]
fn the_inside_learns_nothing_of_the_hosts_network() {
    let text = |text: &str| format!("{text} 10.1.2.3");
    let address = "10.1.2.3".parse().unwrap();
    let failures = vec![("10.1.2.3:53".parse().unwrap(), ServerError::Silent)];
    for refusal in [
        Refusal::Address { host: "a.example".into(), address, kind: text("private"), grant: Some(text("addresses")) },
        Refusal::Unresolved { host: "a.example".into(), error: ResolveError::Servers(failures) },
        Refusal::Unreachable { target: "a.example:80".into(), kind: ErrorKind::TimedOut, answers: text("no answer") },
        Refusal::Upstream { target: "a.example:80".into(), reason: text("407 of") },
    ] {
        assert!(refusal.to_string().contains("10.1.2.3"), "{refusal}");
        let answer = answer_to(&refusal);
        assert!(answer.reason.contains("a.example") && answer.status == refusal.http_status().0);
        assert!(!String::from_utf8(answer.write("GET", true)).unwrap().contains("10.1.2.3"), "{answer:?}");
    }
}

#[test]
fn no_smuggling_shape_reaches_a_server_nor_what_follows_it() {
    let next = "GET /next HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let shapes = [
        "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a.example\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a.example\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a.example\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\nContent-Length: 30\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.example\0.b.example\r\n\r\n",
        "GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.example\n\nGET /hidden HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03",
    ];
    for shape in shapes {
        for piece in [1, 7, usize::MAX] {
            let mut world = to_a();
            world.piece = piece;
            let came = world.talk_bytes(format!("{shape}{next}").into_bytes(), |_| ok("x"));
            let status = came.statuses();
            assert!(matches!(status[..], ["400" | "505"]), "{shape:?}: {status:?}");
            assert!(came.client.contains("\nConnection: close\n"), "{shape:?}");
            assert_eq!(came.connections, 0, "{shape:?}");
            assert!(came.told()[0].contains("refused: "), "{shape:?}: {:?}", came.told());
        }
    }
}

#[test]
fn a_head_of_a_megabyte_is_refused_and_the_client_hears_it() {
    let head = format!("GET / HTTP/1.1\nHost: a.example\nX: {}\n\n", "x".repeat(1 << 20));
    let came = to_a().talk(&head, |_| ok("x"));
    assert_eq!((came.statuses(), came.connections), (vec!["431"], 0));
}

#[test]
fn a_large_head_needs_memory_that_may_be_used_up() {
    let head = format!("GET / HTTP/1.1\nHost: a.example\nX: {}\n\n", "x".repeat(MOST_BYTES / 2));
    assert_eq!(to_a().talk(&head, |_| ok("x")).statuses(), ["200"]);
    let mut world = to_a();
    world.memory = 8 * 1024;
    let came = world.talk(&head, |_| ok("x"));
    assert_eq!((came.statuses(), came.connections), (vec!["503"], 0));
}

#[test]
fn a_refused_request_with_a_body_ends_the_connection() {
    let inner = "GET /inner HTTP/1.1\nHost: a.example\n\n";
    let request = format!(
        "POST http://evil.example/ HTTP/1.1\nHost: evil.example\nContent-Length: {}\n\n{inner}",
        inner.replace('\n', "\r\n").len()
    );
    let came = proxy().talk(&request, |_| ok("x"));
    assert_eq!((came.statuses(), came.connections), (vec!["403"], 0));
    assert!(came.client.contains("\nConnection: close\n"));
}

#[test]
fn other_forms_are_for_other_doors() {
    let came = to_a().talk("CONNECT a.example:80 HTTP/1.1\nHost: a.example:80\n\n", |_| ok("x"));
    assert_eq!((came.statuses(), &came.tunnel), (vec!["405"], &None));
    assert_eq!(to_a().talk("GET https://a.example/ HTTP/1.1\nHost: a.example\n\n", |_| ok("x")).statuses(), ["421"]);
    assert_eq!(to_a().talk("GET http://a.example/ HTTP/1.1\nHost: a.example\n\n", |_| ok("x")).statuses(), ["200"]);
    assert_eq!(to_a().talk("GET / HTTP/1.1\nHost: a.example:8080\n\n", |_| ok("x")).statuses(), ["421"]);
    assert_eq!(proxy().talk("GET / HTTP/1.1\nHost: a.example\n\n", |_| ok("x")).statuses(), ["400"]);
}

#[test]
fn a_client_that_ends_within_a_head_is_not_answered() {
    let came = to_a().talk("GET / HTTP/1.1\nHost: a.ex", |_| ok("x"));
    assert_eq!((came.client.as_str(), came.connections), ("", 0));
}

#[test]
fn a_waiting_conversation_is_small() {
    // With thousands of idle connections, each byte of the future counts.
    let size = to_a().size_of_conversation();
    assert!(size <= 2048, "{size} bytes");
}
