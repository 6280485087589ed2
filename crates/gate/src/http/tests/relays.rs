//! What two sides say to each other after they have agreed on WebSocket.

use std::cell::Cell;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};

use super::world::{Says, to_a};
use crate::budget::Budget;
use crate::http::carry_body::relay;
use crate::http::reader::Reader;

/// What each side's pipe takes before somebody reads.
struct Room {
    client: usize,
    server: usize,
}

/// Relays between two sides; both are given as functions of their ends. Gives the numbers of bytes from the client and from the server.
fn relayed(
    room: Room,
    client: impl AsyncFnOnce(DuplexStream, &Cell<u64>),
    server: impl AsyncFnOnce(DuplexStream, &Cell<u64>),
) -> (u64, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (at_client, near) = duplex(room.client);
        let (at_server, far) = duplex(room.server);
        let (sent, received) = (Cell::new(0), Cell::new(0));
        let budget = Budget::new(1 << 20);
        let relay = async {
            let (from_client, mut to_client) = split(near);
            let (from_server, mut to_server) = split(far);
            let mut from_client = Reader::new(from_client, Vec::new(), budget.clone());
            let mut from_server = Reader::new(from_server, Vec::new(), budget.clone());
            let sides = ((&mut from_client, &mut to_client), (&mut from_server, &mut to_server));
            relay(sides.0, sides.1, (&sent, &received)).await;
        };
        tokio::join!(relay, client(at_client, &received), server(at_server, &sent));
        (sent.get(), received.get())
    })
}

/// Lets the others go on until nothing happens any more.
async fn all_others() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

async fn all_of(mut stream: DuplexStream) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    all
}

#[test]
fn what_a_server_said_before_it_ended_arrives_although_the_client_goes_on_speaking() {
    let client = async |mut stream: DuplexStream, _: &Cell<u64>| {
        all_others().await;
        // The server is gone: this gets nowhere.
        stream.write_all(b"more").await.unwrap();
        all_others().await;
        assert_eq!(all_of(stream).await, [7; 100]);
    };
    let server = async |mut stream: DuplexStream, _: &Cell<u64>| stream.write_all(&[7; 100]).await.unwrap();
    assert_eq!(relayed(Room { client: 16, server: 1024 }, client, server), (0, 100));
}

#[test]
fn what_a_client_said_before_it_was_gone_arrives_although_the_server_goes_on_speaking() {
    let client = async |mut stream: DuplexStream, _: &Cell<u64>| stream.write_all(&[7; 100]).await.unwrap();
    let server = async |mut stream: DuplexStream, _: &Cell<u64>| {
        all_others().await;
        stream.write_all(b"more").await.unwrap();
        all_others().await;
        assert_eq!(all_of(stream).await, [7; 100]);
    };
    assert_eq!(relayed(Room { client: 1024, server: 16 }, client, server), (100, 0));
}

#[test]
fn a_side_that_has_ended_still_hears_the_other() {
    let client = async |mut stream: DuplexStream, _: &Cell<u64>| {
        stream.write_all(b"one").await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(all_of(stream).await, b"another");
    };
    let server = async |mut stream: DuplexStream, sent: &Cell<u64>| {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!((all.as_slice(), sent.get()), (&b"one"[..], 3));
        stream.write_all(b"another").await.unwrap();
    };
    assert_eq!(relayed(Room { client: 4, server: 4 }, client, server), (3, 7));
}

#[test]
fn who_never_takes_the_last_words_does_not_hold_the_connection() {
    // Time is made to pass when nothing else happens: the test ends because the relay does.
    let client = async |mut stream: DuplexStream, received: &Cell<u64>| {
        all_others().await;
        stream.write_all(b"more").await.unwrap();
        while stream.write_all(b"!").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        assert!(received.get() < 100);
    };
    let server = async |mut stream: DuplexStream, _: &Cell<u64>| stream.write_all(&[7; 100]).await.unwrap();
    relayed(Room { client: 16, server: 1024 }, client, server);
}

#[test]
fn all_that_a_server_says_behind_its_agreement_arrives_although_it_ends() {
    let agreed = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    let ask = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n";
    let client = [ask.as_bytes(), &[b'c'; 9000]].concat();
    let says = [agreed.as_bytes(), &[b'~'; 900]].concat();
    let came = to_a().talk_bytes(client, move |_| Says(says.clone(), true));
    assert_eq!(came.client.matches('~').count(), 900);
    assert_eq!(came.told(), ["GET / a.example:80 allowed"]);
}
