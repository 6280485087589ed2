use super::*;

fn upstreams(variables: &[(&str, &str)]) -> Upstreams {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    Upstreams::from_environment(&variables)
}

fn through(upstreams: &Upstreams, host: &str, port: u16) -> Option<&'static str> {
    upstreams.for_target(&Target { host: Host::parse(host).unwrap(), port }).map(|upstream| upstream.variable)
}

#[test]
fn each_port_has_its_variable() {
    let all = upstreams(&[("HTTPS_PROXY", "http://a:1"), ("http_proxy", "http://b:1"), ("all_proxy", "c:1")]);
    assert_eq!(through(&all, "example.org", 443), Some("HTTPS_PROXY"));
    assert_eq!(through(&all, "example.org", 80), Some("http_proxy"));
    assert_eq!(through(&all, "example.org", 22), Some("all_proxy"));
    let one = upstreams(&[("HTTPS_PROXY", "http://a:1"), ("HTTP_PROXY", " "), ("ALL_PROXY", "")]);
    assert_eq!(through(&one, "example.org", 443), Some("HTTPS_PROXY"));
    assert_eq!(through(&one, "example.org", 80), None);
    assert_eq!(through(&one, "example.org", 22), None);
}

#[test]
fn the_machine_itself_and_listed_hosts_are_reached_directly() {
    let all = upstreams(&[("ALL_PROXY", "http://a:1"), ("no_proxy", "direct.example")]);
    for host in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "localhost", "x.localhost", "direct.example"] {
        assert_eq!(through(&all, host, 443), None, "{host}");
    }
    assert_eq!(through(&all, "other.example", 443), Some("ALL_PROXY"));
}

/// Serves one connection with this answer and gives what [`ask`] made of it, and what came after the answer.
fn asked(pieces: &'static [&'static [u8]]) -> (Result<(), String>, Vec<u8>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let hop = Hop { authorization: Proxy::parse("http://u:p@proxy:1").unwrap().authorization };
        let target = Target { host: Host::parse("2001:db8::1").unwrap(), port: 443 };
        let answer = async {
            let expected = b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\
                Proxy-Authorization: Basic dTpw\r\n\r\n";
            let mut request = vec![0; expected.len()];
            server.read_exact(&mut request).await.unwrap();
            assert_eq!(request, expected);
            for piece in pieces {
                server.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            drop(server);
        };
        let (outcome, ()) = tokio::join!(ask(&mut stream, &hop, &target), answer);
        let mut rest = Vec::new();
        // The answer may have been refused, and the rest with it.
        let _ = stream.read_to_end(&mut rest).await;
        (outcome, rest)
    })
}

#[test]
fn what_comes_after_the_answer_is_the_targets() {
    let (outcome, rest) = asked(&[b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nSSH-2.0-first"]);
    assert_eq!(outcome, Ok(()));
    assert_eq!(rest, b"SSH-2.0-first");
}

#[test]
fn the_answer_may_come_in_pieces() {
    let (outcome, rest) = asked(&[b"HTTP/1.0 2", b"00\r\n", b"\r", b"\nA", b"B"]);
    assert_eq!((outcome, rest), (Ok(()), b"AB".to_vec()));
}

#[test]
fn another_answer_is_a_refusal() {
    let (outcome, _) = asked(&[b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"]);
    assert_eq!(outcome, Err("the proxy answered `HTTP/1.1 407 Proxy Authentication Required`".to_owned()));
    let (outcome, _) = asked(&[b"SSH-2.0-x\r\n\r\n"]);
    assert_eq!(outcome, Err("the proxy answered `SSH-2.0-x`".to_owned()));
    let (outcome, _) = asked(&[b"HTTP/1.1 200 OK\r\n"]);
    assert_eq!(outcome, Err("the proxy closed the connection without an answer".to_owned()));
    static LONG: [u8; LONGEST + 2000] = [b'x'; LONGEST + 2000];
    static PIECES: [&[u8]; 1] = [&LONG];
    let (outcome, _) = asked(&PIECES);
    assert_eq!(outcome, Err(format!("the proxy's answer is longer than {LONGEST} bytes")));
}
