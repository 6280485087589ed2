use bailiwick_policy::host_pattern::Host;

use super::*;

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn target() -> Target {
    Target { host: Host::parse("example.org").unwrap(), port: 443 }
}

fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn families_take_turns() {
    let given = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]);
    let wanted = addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]);
    assert_eq!(in_turns(&given), wanted);
    assert!(in_turns(&[]).is_empty());
}

#[test]
fn an_address_that_refuses_gives_way_to_the_next() {
    run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let bad = closed_port();
        let (_stream, address) = dial(&target(), &[bad, good], Duration::from_secs(5)).await.unwrap();
        assert_eq!(address, good);
    });
}

#[test]
fn the_refusal_names_every_address() {
    run(async {
        let (one, two) = (closed_port(), closed_port());
        let refusal = dial(&target(), &[one, two], Duration::from_secs(5)).await.unwrap_err();
        let text = refusal.to_string();
        assert!(text.contains(&one.to_string()) && text.contains(&two.to_string()), "{text}");
        assert_eq!(refusal.socks_reply(), 5);
    });
}

/// A port that nobody listens on: bound without listening, for as long as the process lives.
fn closed_port() -> SocketAddr {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    std::mem::forget(socket);
    address
}
