//! A name server for tests, on loopback, that says what the test wants.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use crate::dns::message::{CLASS_IN, Data, Message, Name, Record, flag};

/// Messages to send back, in order: none is silence.
pub(super) type Replies = Vec<Vec<u8>>;

/// What was asked: name, type, and whether over TCP.
pub(super) type Log = Rc<RefCell<Vec<(String, u16, bool)>>>;

/// Starts a server at `address` (port 0: any) over UDP and TCP. `say` gets each query and whether it came over TCP.
pub(super) async fn serve(address: &str, say: impl Fn(&Message, bool) -> Replies + 'static) -> (SocketAddr, Log) {
    let tcp = TcpListener::bind(address).await.unwrap();
    let address = tcp.local_addr().unwrap();
    let udp = UdpSocket::bind(address).await.unwrap();
    let log = Log::default();
    let say = Rc::new(say);
    let (log_udp, say_udp) = (Rc::clone(&log), Rc::clone(&say));
    tokio::task::spawn_local(async move {
        let mut buffer = [0; 2048];
        loop {
            let (length, from) = udp.recv_from(&mut buffer).await.unwrap();
            let query = Message::read(&buffer[..length]).unwrap();
            log_udp.borrow_mut().push((query.question.name.to_string(), query.question.kind, false));
            for reply in say_udp(&query, false) {
                udp.send_to(&reply, from).await.unwrap();
            }
        }
    });
    let log_tcp = Rc::clone(&log);
    tokio::task::spawn_local(async move {
        loop {
            let (mut stream, _) = tcp.accept().await.unwrap();
            let length = stream.read_u16().await.unwrap();
            let mut bytes = vec![0; usize::from(length)];
            stream.read_exact(&mut bytes).await.unwrap();
            let query = Message::read(&bytes).unwrap();
            log_tcp.borrow_mut().push((query.question.name.to_string(), query.question.kind, true));
            for reply in say(&query, true) {
                stream.write_u16(u16::try_from(reply.len()).unwrap()).await.unwrap();
                stream.write_all(&reply).await.unwrap();
            }
        }
    });
    (address, log)
}

/// The answer to a query with this code and these records.
pub(super) fn reply(query: &Message, code: u16, answers: Vec<Record>) -> Message {
    Message { flags: flag::RESPONSE | flag::RECURSION_AVAILABLE | code, answers, ..query.clone() }
}

/// The addresses among these that fit the query's type, as its answer.
pub(super) fn addresses(query: &Message, all: &[&str]) -> Vec<u8> {
    let records = all.iter().map(|text| address(query.question.name.clone(), text, 300));
    let fitting = records.filter(|record| record.data.kind() == query.question.kind).collect();
    reply(query, 0, fitting).write()
}

/// An address record.
pub(super) fn address(owner: Name, text: &str, ttl: u32) -> Record {
    Record { owner, class: CLASS_IN, ttl, data: Data::Address(text.parse::<IpAddr>().unwrap()) }
}

/// An alias record.
pub(super) fn alias(owner: Name, target: &str) -> Record {
    Record { owner, class: CLASS_IN, ttl: 300, data: Data::Alias(Name::from_host(target).unwrap()) }
}

/// Runs a test that spawns local tasks.
pub(super) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}
