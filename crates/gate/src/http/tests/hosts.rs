//! Which server a request goes to.

use super::world::{Says, last, ok, proxy, says, to_a};

#[test]
fn a_request_is_written_anew_for_its_server() {
    let came = to_a().talk(
        "GET /a?b HTTP/1.1\nhOST: A.Example.\nConnection: keep-alive, X-Mine\nX-Mine: 1\nKeep-Alive: 5\nTE: trailers\n\
         Proxy-Authorization: Basic eA==\nProxy-Connection: keep-alive\nUpgrade: h2c\nHTTP2-Settings: AAMA\nAccept:  */* \n\n",
        |_| ok("hello"),
    );
    insta::assert_snapshot!(came.got[0].head, @r#"
    GET /a?b HTTP/1.1
    Host: a.example
    Accept: */*
    "#);
    insta::assert_snapshot!(came.client, @r#"
    HTTP/1.1 200 OK
    Content-Length: 5

    hello
    "#);
    assert_eq!(came.told(), ["GET /a a.example:80 allowed"]);
}

#[test]
fn a_kept_connection_serves_one_host_only() {
    let came = to_a().talk(
        "GET /1 HTTP/1.1\nHost: a.example\n\nGET /2 HTTP/1.1\nHost: b.example\n\nGET /3 HTTP/1.1\nHost: a.example\n\n",
        |got| ok(&got.target),
    );
    assert_eq!(came.statuses(), ["200", "421", "200"]);
    let got: Vec<_> = came.got.iter().map(|got| (got.connection, got.head.lines().next().unwrap())).collect();
    assert_eq!(got, [(0, "GET /1 HTTP/1.1"), (0, "GET /3 HTTP/1.1")]);
    assert_eq!(came.told().len(), 3);
}

#[test]
fn every_request_to_the_proxy_is_decided_and_goes_to_its_own_host() {
    let get = |host: &str, path: &str| format!("GET http://{host}{path} HTTP/1.1\nHost: {host}\n\n");
    let requests = [
        get("a.example", "/1"),
        get("a.example", "/2"),
        get("b.example", "/3"),
        get("evil.example", "/4?secret"),
        get("a.example:8080", "/5"),
        get("c.example:8080", "/6"),
        get("a.example", "/7"),
    ];
    let came = proxy().talk(&requests.concat(), |got| ok(&got.target));
    assert_eq!(came.statuses(), ["200", "200", "200", "403", "403", "200", "200"]);
    let got: Vec<_> = came.got.iter().map(|got| (got.connection, got.target.as_str())).collect();
    assert_eq!(
        got,
        [(0, "a.example:80"), (0, "a.example:80"), (1, "b.example:80"), (2, "c.example:8080"), (3, "a.example:80")]
    );
    assert!(came.got[3].head.contains("\nHost: c.example:8080\n"), "{}", came.got[3].head);
    let refused: Vec<_> = came.told().into_iter().filter(|line| !line.ends_with("allowed")).collect();
    insta::assert_snapshot!(refused.join("\n"), @r#"
    GET /4 evil.example:80 refused: `evil.example` port 80 is not among the allowed hosts
    GET /5 a.example:8080 refused: `a.example` port 8080 is not among the allowed hosts
    "#);
}

#[test]
fn methods_and_paths_are_decided_for_each_request() {
    let mut world = to_a();
    world.allow = vec!["GET a.example:80/v1/**"];
    let came = world.talk(
        "GET /v1/x HTTP/1.1\nHost: a.example\n\nGET /v2/x HTTP/1.1\nHost: a.example\n\n\
         GET /v1/%2e%2e/v2 HTTP/1.1\nHost: a.example\n\nDELETE /v1/x HTTP/1.1\nHost: a.example\n\n",
        |_| ok("x"),
    );
    assert_eq!(came.statuses(), ["200", "403", "403", "403"]);
    assert_eq!(came.got.len(), 1);
}

#[test]
fn a_redirect_is_an_answer_and_the_next_request_is_decided() {
    let came = proxy().talk(
        "GET http://a.example/ HTTP/1.1\nHost: a.example\n\nGET http://evil.example/x HTTP/1.1\nHost: evil.example\n\n",
        |_| says("HTTP/1.1 302 Found\nLocation: http://evil.example/x\nContent-Length: 0\n\n"),
    );
    assert_eq!(came.statuses(), ["302", "403"]);
    assert_eq!(came.connections, 1);
}

#[test]
fn tunnels_are_decided_before_they_are_made() {
    let came = proxy().talk("CONNECT a.example:443 HTTP/1.1\nHost: a.example:443\n\nhello", |_| ok(""));
    assert_eq!(came.tunnel, Some(("a.example:443".to_owned(), b"hello".to_vec())));
    assert_eq!((came.client.as_str(), came.connections), ("", 0));

    let came = proxy().talk("CONNECT a.example:22 HTTP/1.1\nHost: a.example:22\n\nSSH-2.0-x\n", |_| ok(""));
    assert_eq!((came.tunnel, came.connections), (None, 0));
    insta::assert_snapshot!(came.client, @r#"
    HTTP/1.1 403 Forbidden
    Content-Type: text/plain; charset=utf-8
    X-Content-Type-Options: nosniff
    Cache-Control: no-store
    Content-Length: 112

    bailiwick: `a.example` port 22 is not among the allowed hosts
    bailiwick: to allow it: --allow-host a.example:22
    "#);
}

#[test]
fn plain_http_is_not_spoken_to_the_port_of_tls() {
    let came = proxy().talk("GET http://a.example:443/ HTTP/1.1\nHost: a.example:443\n\n", |_| ok(""));
    assert_eq!((came.statuses(), came.connections), (vec!["403"], 0));
    let came = proxy().talk("GET https://a.example/ HTTP/1.1\nHost: a.example\n\n", |_| ok(""));
    assert_eq!((came.statuses(), came.connections), (vec!["501"], 0));
}

#[test]
fn the_proxy_asks_for_its_password_and_keeps_it() {
    let locked = || {
        let mut world = proxy();
        world.locked = true;
        world
    };
    let get = |more: &str| format!("GET http://a.example/ HTTP/1.1\nHost: a.example\n{more}\n");
    let right = "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n";
    let wrong = "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2Ft\n";
    let came = locked().talk(&[get(""), get(right), get(wrong), get(right)].concat(), |_| ok("x"));
    assert_eq!(came.statuses(), ["407", "200", "407", "200"]);
    assert_eq!(came.told().len(), 3, "that nothing was said is not told: {:?}", came.told());
    assert!(came.got.iter().all(|got| !got.head.contains("Authorization")));
    assert!(came.client.contains("\nProxy-Authenticate: Basic realm=\"bailiwick\""));

    let connect = |more: &str| format!("CONNECT a.example:443 HTTP/1.1\nHost: a.example:443\n{more}\n");
    assert_eq!(locked().talk(&connect(wrong), |_| ok("")).tunnel, None);
    let came = locked().talk(&[connect(""), connect(right)].concat(), |_| ok(""));
    assert_eq!((came.statuses(), came.tunnel.is_some()), (vec!["407"], true));
}

#[test]
fn what_the_gate_puts_in_replaces_what_the_inside_said() {
    let mut world = to_a();
    world.credential = Some(("authorization", "Bearer real"));
    let came = world.talk(
        "GET / HTTP/1.1\nHost: a.example\nAuthorization: Bearer fake\nAUTHORIZATION: x\nConnection: authorization\n\n",
        |_| ok("x"),
    );
    let lines: Vec<_> = came.got[0].head.lines().filter(|line| line.to_ascii_lowercase().starts_with("auth")).collect();
    assert_eq!(lines, ["authorization: Bearer real"]);
    for echo in ["TRACE", "trace", "TRACK"] {
        let mut world = to_a();
        world.credential = Some(("authorization", "Bearer real"));
        let came = world.talk(&format!("{echo} / HTTP/1.1\nHost: a.example\n\n"), |_| ok("x"));
        assert_eq!((came.statuses(), came.connections), (vec!["405"], 0), "{echo}");
    }
}

#[test]
fn where_requests_are_decided_no_field_says_another_one() {
    for field in ["X-HTTP-Method-Override: DELETE", "x_original_url: /admin", "X-Rewrite-URL: /admin"] {
        let head = format!("GET /public HTTP/1.1\nHost: a.example\n{field}\n\n");
        let mut world = to_a();
        world.allow = vec!["GET a.example:80/public"];
        let came = world.talk(&head, |_| ok("x"));
        assert_eq!((came.statuses(), came.connections), (vec!["403"], 0), "{field}");
        assert!(came.told()[0].contains("refused: the request has the field"), "{:?}", came.told());
        // Where every request is allowed, it makes no difference.
        assert_eq!(to_a().talk(&head, |_| ok("x")).statuses(), ["200"], "{field}");
    }
}

#[test]
fn a_kept_server_that_has_ended_is_asked_again_only_for_what_may_be_repeated() {
    let first = "GET /1 HTTP/1.1\nHost: a.example\n\n";
    // The server ends after each answer without saying so.
    let script = |got: &super::world::Got| match got.head.starts_with("GET /1") {
        true => last("HTTP/1.1 200 OK\nContent-Length: 1\n\n1"),
        false => ok("2"),
    };
    let came = to_a().talk(&format!("{first}GET /2 HTTP/1.1\nHost: a.example\n\n"), script);
    assert_eq!((came.statuses(), came.connections), (vec!["200", "200"], 2));

    // One that ends within the second request, which it has got.
    let silent = |got: &super::world::Got| match got.head.contains(" /1 ") {
        true => ok("1"),
        false => Says(Vec::new(), true),
    };
    let came = to_a().talk(&format!("{first}POST /2 HTTP/1.1\nHost: a.example\nContent-Length: 1\n\nx"), silent);
    assert_eq!((came.statuses(), came.connections), (vec!["200", "502"], 1));
    assert!(came.told()[1].starts_with("POST /2 a.example:80 failed: "), "{:?}", came.told());
}

#[test]
fn a_request_without_host_is_for_the_target_in_http_1_0_only() {
    let came = to_a().talk("GET / HTTP/1.0\n\n", |_| ok("x"));
    assert!(came.got[0].head.contains("\nHost: a.example\n"));
    assert!(came.client.ends_with("Connection: close\n\nx"), "{}", came.client);
    assert_eq!(proxy().talk("GET / HTTP/1.0\n\n", |_| ok("x")).statuses(), ["400"]);
}
