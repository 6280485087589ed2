//! Whatever a client says, in whatever pieces: servers get whole, unambiguous requests for their own host only.

use proptest::prelude::*;

use super::world::{Came, ok, proxy, to_a};

/// Bytes that are requests, nearly, or not at all.
fn nearly_requests() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => Just("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n".to_owned()),
        2 => Just("POST /p HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nGET /".to_owned()),
        2 => Just("POST /c HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_owned()),
        2 => Just("GET http://b.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n".to_owned()),
        1 => Just("GET http://a.example/ HTTP/1.1\r\n".to_owned()),
        2 => Just("POST / HTTP/1.1\r\n".to_owned()),
        2 => Just("Host: a.example\r\n".to_owned()),
        1 => Just("Host: b.example\r\n".to_owned()),
        1 => Just("Content-Length: 5\r\n".to_owned()),
        1 => Just("Transfer-Encoding: chunked\r\n".to_owned()),
        1 => Just("Connection: close, host\r\n".to_owned()),
        1 => Just(" folded\r\n".to_owned()),
        2 => Just("\r\n".to_owned()),
        1 => Just("\n".to_owned()),
        1 => Just("0\r\n\r\n".to_owned()),
        1 => "[ -~]{0,8}",
    ];
    let noise = proptest::collection::vec(any::<u8>(), 0..3);
    proptest::collection::vec(prop_oneof![9 => line.prop_map(String::into_bytes), 1 => noise], 0..8)
        .prop_map(|parts| parts.concat())
}

fn check(came: &Came, hosts: &[&str]) -> Result<(), TestCaseError> {
    for got in &came.got {
        prop_assert!(got.connection != usize::MAX, "{}", got.target);
        let said: Vec<_> = got.head.lines().filter_map(|line| line.strip_prefix("Host: ")).collect();
        prop_assert_eq!(said.len(), 1, "{}", got.head);
        prop_assert!(
            hosts.contains(&said[0]) && got.target == format!("{}:80", said[0]),
            "{}: {}",
            got.target,
            got.head
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn servers_get_requests_for_their_own_host_only(bytes in nearly_requests(), piece in 1_usize..20) {
        for (make, hosts) in [(to_a as fn() -> super::world::World, &["a.example"][..]), (proxy, &["a.example", "b.example"])] {
            let whole = make().talk_bytes(bytes.clone(), |_| ok("x"));
            check(&whole, hosts)?;
            let mut world = make();
            world.piece = piece;
            let pieces = world.talk_bytes(bytes.clone(), |_| ok("x"));
            prop_assert_eq!(&pieces.client, &whole.client);
            prop_assert_eq!(&pieces.got, &whole.got);
            prop_assert_eq!(pieces.told(), whole.told());
        }
    }
}
