//! Responses: framing, splitting, breaking off.

use super::world::{last, says, to_a};

const GET: &str = "GET / HTTP/1.1\nHost: a.example\n\n";

#[test]
fn a_response_is_written_anew() {
    let came = to_a().talk(GET, |_| {
        says(
            "HTTP/1.1 200 Fine\nConnection: keep-alive, X-Hop\nX-Hop: 1\nKeep-Alive: 5\nProxy-Authenticate: Basic\nSet-Cookie: a=b\n\
             Trailer: X\nTransfer-Encoding: chunked\n\n5;x\nhello\n0\nX: y\n\n",
        )
    });
    insta::assert_snapshot!(came.client, @r#"
    HTTP/1.1 200 Fine
    Set-Cookie: a=b
    Transfer-Encoding: chunked

    5
    hello
    0
    "#);
}

#[test]
fn ambiguous_or_malformed_responses_are_not_passed_on() {
    for response in [
        "HTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 2\n\nxy",
        "HTTP/1.1 200 OK\nContent-Length: 1\nTransfer-Encoding: chunked\n\n0\n\n",
        "HTTP/1.1 200 OK\nTransfer-Encoding: gzip\n\n",
        "HTTP/1.0 200 OK\nTransfer-Encoding: chunked\n\n0\n\n",
        "HTTP/1.1 200 OK\nX: y\n folded\n\n",
        "HTTP/1.1 200 OK\nX : y\n\n",
        "HTTP/2 200\n\n",
        "<html>hello</html>\n\n",
        "HTTP/1.1 200 OK\nX: cut",
    ] {
        let came = to_a().talk(&[GET, GET].concat(), move |_| last(response));
        assert_eq!(came.statuses(), ["502", "502"], "{response:?}");
        assert!(came.told().iter().all(|line| line.contains("failed: ")), "{:?}", came.told());
        assert!(!came.client.contains("hello"), "{}", came.client);
    }
}

#[test]
fn what_a_server_says_beyond_its_response_is_nobodys() {
    let came = to_a().talk(&[GET, GET].concat(), |got| match got.connection {
        0 => says("HTTP/1.1 200 OK\nContent-Length: 5\n\nfirstHTTP/1.1 200 OK\nContent-Length: 5\n\nevil!"),
        _ => says("HTTP/1.1 200 OK\nContent-Length: 6\n\nsecond"),
    });
    assert_eq!((came.statuses(), came.connections), (vec!["200", "200"], 2));
    assert!(came.client.ends_with("second") && !came.client.contains("evil"), "{}", came.client);
}

#[test]
fn responses_without_body_end_at_their_head() {
    for (method, response) in [
        ("HEAD", "HTTP/1.1 200 OK\nContent-Length: 500\n\n"),
        ("HEAD", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n"),
        ("GET", "HTTP/1.1 204 No Content\n\n"),
        ("GET", "HTTP/1.1 304 Not Modified\nContent-Length: 500\n\n"),
    ] {
        let request = format!("{method} / HTTP/1.1\nHost: a.example\n\n");
        let came = to_a().talk(&request.repeat(2), move |_| says(response));
        assert_eq!((came.statuses().len(), came.connections), (2, 1), "{response}");
        assert_eq!(came.client.contains("Content-Length: 500"), response.contains("500"), "{response}");
        assert!(!came.client.contains("chunked"));
    }
}

#[test]
fn a_body_until_the_end_of_the_connection_ends_both() {
    let came = to_a().talk(&[GET, GET].concat(), |_| last("HTTP/1.0 200 OK\n\nhello"));
    assert_eq!(came.statuses(), ["200"]);
    assert!(came.client.ends_with("Connection: close\n\nhello"), "{}", came.client);
    // An HTTP/1.0 client knows no chunks.
    let came = to_a().talk("GET / HTTP/1.0\nHost: a.example\n\n", |_| {
        says("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n")
    });
    assert!(came.client.ends_with("Connection: close\n\nhello"), "{}", came.client);
}

#[test]
fn a_response_that_breaks_off_is_not_made_whole() {
    let came = to_a().talk(&[GET, GET].concat(), |_| last("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhel"));
    assert_eq!(came.statuses(), ["200"]);
    assert!(came.client.ends_with("3\nhel\n"), "{:?}", came.client);
    let came = to_a().talk(&[GET, GET].concat(), |_| last("HTTP/1.1 200 OK\nContent-Length: 9\n\nhel"));
    assert!(came.statuses() == ["200"] && came.client.ends_with("hel"), "{:?}", came.client);
}

#[test]
fn interim_responses_are_bounded() {
    let hints = |count| {
        format!("{}HTTP/1.1 200 OK\nContent-Length: 0\n\n", "HTTP/1.1 103 Early Hints\nLink: x\n\n".repeat(count))
    };
    let came = to_a().talk(GET, move |_| says(&hints(16)));
    assert_eq!(came.statuses().len(), 17);
    let came = to_a().talk(GET, move |_| last(&hints(17)));
    assert_eq!(came.statuses().last(), Some(&"502"));
    // HTTP/1.0 clients get none.
    let came = to_a().talk("GET / HTTP/1.0\n\n", move |_| says(&hints(2)));
    assert_eq!(came.statuses(), ["200"]);
}

#[test]
fn an_answer_before_the_body_is_passed_on_and_ends_the_connection() {
    let mut world = to_a();
    world.early = true;
    // The client waits with its body for a word that does not come.
    let ask = "POST / HTTP/1.1\nHost: a.example\nExpect: 100-continue\nContent-Length: 100000\n\n";
    let came = world.talk(ask, |_| says("HTTP/1.1 413 Too Large\nContent-Length: 0\n\n"));
    assert_eq!(came.statuses(), ["413"]);
    assert!(came.client.contains("\nConnection: close\n"), "{}", came.client);
    assert_eq!(came.told(), ["POST / a.example:80 allowed"]);
}
