use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::super::{Carried, Pipes, tunnel};
use crate::budget::Budget;

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (one, other) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (one.unwrap(), other.unwrap().0)
}

/// Carries `up` and `down` at once, in pieces of `piece`, and says what arrived and what was counted.
async fn carried(pipes: &Pipes, up: &[u8], down: &[u8], piece: usize) -> (Vec<u8>, Vec<u8>, Carried) {
    let (client, inner_client) = pair().await;
    let (server, inner_server) = pair().await;
    let carried = Carried::default();
    let end = async |stream: TcpStream, bytes: &[u8]| {
        let (mut reader, mut writer) = stream.into_split();
        let mut got = Vec::new();
        let write = async {
            for piece in bytes.chunks(piece) {
                writer.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            writer.shutdown().await.unwrap();
        };
        let ((), read) = tokio::join!(write, reader.read_to_end(&mut got));
        read.unwrap();
        got
    };
    let ((), at_client, at_server) =
        tokio::join!(tunnel(inner_client, inner_server, pipes, &carried), end(client, up), end(server, down));
    (at_server, at_client, carried)
}

fn pools() -> [Pipes; 3] {
    let budget = |bytes| Budget::new(bytes);
    [Pipes::new(budget(1 << 20)), Pipes::without_pipes(budget(1 << 20)), Pipes::without_pipes(budget(0))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_goes_in_comes_out(
        up in proptest::collection::vec(any::<u8>(), 0..300_000),
        down in proptest::collection::vec(any::<u8>(), 0..300_000),
        piece in 1usize..100_000,
    ) {
        // A piece of a few bytes would take as many turns.
        let piece = piece.max(up.len().max(down.len()) / 500 + 1);
        for pipes in pools() {
            let (at_server, at_client, carried) = run(carried(&pipes, &up, &down, piece));
            prop_assert!(at_server == up && at_client == down);
            prop_assert_eq!((carried.sent.get(), carried.received.get()), (up.len() as u64, down.len() as u64));
        }
    }
}

#[test]
fn what_could_not_be_written_is_kept_and_comes_first_later() {
    for pipes in pools() {
        run(async {
            let (mut client, inner_client) = pair().await;
            let (mut server, inner_server) = pair().await;
            let carried = Carried::default();
            let work = async {
                // More than all the buffers on the way take, so that the tunnel has to wait for the reader.
                let mut sent: u64 = 0;
                let bytes: Vec<u8> = (0..=255).cycle().take(1 << 16).collect();
                while let Ok(written) = tokio::time::timeout(
                    std::time::Duration::from_millis(100),
                    client.write(&bytes[(sent % 256) as usize..]),
                )
                .await
                {
                    sent += written.unwrap() as u64;
                }
                client.shutdown().await.unwrap();
                let mut got = Vec::new();
                server.read_to_end(&mut got).await.unwrap();
                assert_eq!(got.len() as u64, sent);
                assert!(got.iter().zip((0..=255u8).cycle()).all(|(got, expected)| *got == expected));
                server.shutdown().await.unwrap();
                drop(client);
            };
            tokio::join!(tunnel(inner_client, inner_server, &pipes, &carried), work);
        });
    }
}

#[test]
fn a_tunnel_whose_client_broke_ends_although_the_server_is_silent() {
    for pipes in pools() {
        run(async {
            let (client, inner_client) = pair().await;
            let (mut server, inner_server) = pair().await;
            let carried = Carried::default();
            let work = async {
                client.set_zero_linger().unwrap();
                drop(client);
                let error = server.read(&mut [0]).await.unwrap_err();
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
            };
            tokio::join!(tunnel(inner_client, inner_server, &pipes, &carried), work);
        });
    }
}

/// A pair of connected sockets, the first of which takes little before it is read.
async fn pair_with_a_slow_reader() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let reader = TcpSocket::new_v4().unwrap();
    reader.set_recv_buffer_size(4096).unwrap();
    let (one, other) = tokio::join!(reader.connect(listener.local_addr().unwrap()), listener.accept());
    (one.unwrap(), other.unwrap().0)
}

/// More than a slow reader's system takes, and less than the buffers before it.
const MUCH: usize = 100_000;

async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

#[test]
fn a_server_that_has_ended_is_heard_to_the_end_although_it_answers_a_later_word_with_a_reset() {
    for pipes in pools() {
        run(async {
            let (mut client, inner_client) = pair_with_a_slow_reader().await;
            let (mut server, inner_server) = pair().await;
            let carried = Carried::default();
            let work = async {
                server.write_all(&[7; MUCH]).await.unwrap();
                drop(server);
                until(|| carried.received.get() == MUCH as u64).await;
                client.write_all(b"a window update").await.unwrap();
                // The server's system, which has nobody for it, answers with a reset.
                until(|| carried.sent.get() > 0).await;
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                let mut got = Vec::new();
                let ended = client.read_to_end(&mut got).await;
                assert_eq!((got.len(), ended.map_err(|error| error.kind())), (MUCH, Ok(MUCH)));
            };
            tokio::join!(tunnel(inner_client, inner_server, &pipes, &carried), work);
        });
    }
}

#[test]
fn what_was_said_before_a_reset_arrives_before_it() {
    for pipes in pools() {
        run(async {
            let (mut client, inner_client) = pair_with_a_slow_reader().await;
            let (mut server, inner_server) = pair().await;
            let carried = Carried::default();
            let work = async {
                server.write_all(&[7; MUCH]).await.unwrap();
                until(|| carried.received.get() == MUCH as u64).await;
                server.set_zero_linger().unwrap();
                drop(server);
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                let mut got = Vec::new();
                let error = client.read_to_end(&mut got).await.unwrap_err();
                assert_eq!((got.len(), error.kind()), (MUCH, std::io::ErrorKind::ConnectionReset));
            };
            tokio::join!(tunnel(inner_client, inner_server, &pipes, &carried), work);
        });
    }
}

#[test]
fn a_side_that_breaks_while_its_last_words_are_awaited_ends_the_tunnel() {
    for pipes in pools() {
        run(async {
            let (client, inner_client) = pair_with_a_slow_reader().await;
            let (mut server, inner_server) = pair().await;
            let carried = Carried::default();
            let work = async {
                server.write_all(&[7; MUCH]).await.unwrap();
                until(|| carried.received.get() == MUCH as u64).await;
                server.set_zero_linger().unwrap();
                drop(server);
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                client.set_zero_linger().unwrap();
                drop(client);
            };
            // It hangs here for the time of grace if it does not.
            tokio::join!(tunnel(inner_client, inner_server, &pipes, &carried), work);
        });
    }
}
