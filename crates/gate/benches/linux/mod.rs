#![allow(clippy::unwrap_used, reason = "a measurement that cannot be made ends the bench")]

mod child;
mod crowd;
mod servers;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use child::Child;
use crowd::Crowd;

/// Bytes of one throughput round.
const ROUND: usize = 768 << 20;
/// Rounds of each kind, interleaved.
const ROUNDS: usize = 7;
/// Connections of each kind, interleaved, for the set-up latency.
const CONNECTIONS: usize = 1500;
/// Open tunnels.
const TUNNELS: usize = 5000;

pub(crate) fn main() {
    if let Some(mode) = std::env::var_os(child::MODE) {
        return child::serve(mode);
    }
    child::raise_descriptors();
    let sink = servers::sink();
    let echo = servers::echo();
    let flood = servers::flood();
    let gate = Child::start(&[sink.port(), echo.port(), flood.port()]);
    let through = |server: SocketAddr| gate.door(server.port());

    println!("memory with no tunnel: {}", gate.memory());
    throughput("one tunnel", sink, through(sink));
    without_pacing(sink, through(sink));
    // `cargo bench -p bailiwick-gate -- throughput`: only that, for whoever changes the way of the bytes.
    if std::env::args().any(|argument| argument == "throughput") {
        return;
    }
    latency(echo, through(echo));

    let idle: Vec<TcpStream> = (0..TUNNELS).map(|_| servers::opened(through(echo))).collect();
    println!("memory with {} open tunnels: {}", idle.len(), gate.memory());
    throughput(&format!("one tunnel beside {TUNNELS} idle ones"), sink, through(sink));
    drop(idle);
    gate.settle();
    println!("memory after they are gone: {}", gate.memory());

    let crowds: [(&str, &dyn Fn() -> Crowd); 3] = [
        ("that never read", &|| Crowd::never_reading(through(flood), TUNNELS)),
        ("that dribble the start of a handshake", &|| Crowd::slow(through(echo), TUNNELS)),
        ("that send a header without end", &|| Crowd::endless(through(echo), TUNNELS)),
    ];
    for (what, gather) in crowds {
        let crowd = gather();
        println!("memory with {} clients {what}: {}", crowd.len(), gate.memory());
        throughput(&format!("one tunnel beside {} clients {what}", crowd.len()), sink, through(sink));
        println!("  memory after it: {}", gate.memory());
        drop(crowd);
        gate.settle();
    }
    half_open(&gate, through(sink), sink);
    println!("memory at the end: {}", gate.memory());
}

/// A flood of connections that are closed at once, while one tunnel carries.
fn half_open(gate: &Child, door: SocketAddr, sink: SocketAddr) {
    let stop = crowd::open_and_close(door);
    throughput("one tunnel beside a flood of connections that close at once", sink, door);
    let number = stop();
    println!("  {number} connections came and went; memory: {}", gate.memory());
}

/// Against a direct connection as this machine makes one.
fn throughput(what: &str, direct: SocketAddr, gate: SocketAddr) {
    let (directly, through) = compare(direct, gate, |_| {});
    println!(
        "{what}: {:.2} GB/s through the gate, {:.2} GB/s directly: {:.2} of it",
        rate(through),
        rate(directly),
        directly.as_secs_f64() / through.as_secs_f64()
    );
}

/// Against a direct connection that is not paced either. Some hosts' congestion control (BBR) paces every connection, also to
/// the machine itself, which the gate's own are spared; without that, this is the share that a third process leaves.
fn without_pacing(direct: SocketAddr, gate: SocketAddr) {
    let (directly, through) =
        compare(direct, gate, |stream| rustix::net::sockopt::set_tcp_congestion(stream, "reno").unwrap());
    println!(
        "one tunnel, nobody paced: {:.2} GB/s through the gate, {:.2} GB/s directly",
        rate(through),
        rate(directly)
    );
}

fn rate(time: Duration) -> f64 {
    ROUND as f64 / time.as_secs_f64() / 1e9
}

/// The medians of rounds sent directly and through the gate, in turns.
fn compare(direct: SocketAddr, gate: SocketAddr, set: fn(&TcpStream)) -> (Duration, Duration) {
    let (mut directly, mut through) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        directly.push(send(direct, set));
        through.push(send(gate, set));
    }
    (median(directly), median(through))
}

/// Sends one round and waits for the server to say that it has all.
fn send(to: SocketAddr, set: fn(&TcpStream)) -> Duration {
    let mut stream = TcpStream::connect(to).unwrap();
    set(&stream);
    let buffer = vec![0; 128 << 10];
    let start = Instant::now();
    let mut left = ROUND;
    while left > 0 {
        let number = left.min(buffer.len());
        stream.write_all(&buffer[..number]).unwrap();
        left -= number;
    }
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut all = [0; 8];
    stream.read_exact(&mut all).unwrap();
    assert_eq!(u64::from_be_bytes(all), ROUND as u64);
    start.elapsed()
}

fn latency(direct: SocketAddr, gate: SocketAddr) {
    let time = |to| {
        let start = Instant::now();
        let stream = servers::opened(to);
        let time = start.elapsed();
        drop(stream);
        time
    };
    let (mut directly, mut through) = (Vec::new(), Vec::new());
    for _ in 0..CONNECTIONS {
        directly.push(time(direct));
        through.push(time(gate));
    }
    let (directly, through) = (median(directly), median(through));
    println!(
        "connect, one byte there and back: {through:?} through the gate, {directly:?} directly: {:?} added",
        through.saturating_sub(directly)
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
