//! What the command does inside. It prints what it sees; the test outside compares.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

pub(crate) fn run(name: &str) {
    match name {
        "connects" => connects(),
        "covers" => covers(),
        "files" => files(),
        "offline" => offline(),
        "packets" => packets(),
        "outlives_the_gate" => outlives_the_gate(),
        "waits" => waits(),
        _ => println!("ran"),
    }
}

/// What a connection to there says, or why there is none.
fn reach(to: impl ToSocketAddrs) -> String {
    let mut stream = match TcpStream::connect(to) {
        Ok(stream) => stream,
        Err(error) => return format!("{:?}", error.kind()),
    };
    let mut text = String::new();
    match stream.read_to_string(&mut text) {
        Ok(_) => text.trim().to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

fn connects() {
    for to in [
        "203.0.113.7:5432",
        "10.0.0.1:443",
        "198.19.0.5:443",
        "[2001:db8::7]:443",
        "198.18.0.1:3128",
        "198.18.0.1:1080",
    ] {
        println!("{to} {}", reach(to));
    }
    println!("another port {}, {}", reach("203.0.113.7:5433"), reach("[2001:db8::7]:5433"));
    println!("a proxy's port elsewhere {}", reach("203.0.113.7:3128"));
    println!("names by tcp {}", reach("9.9.9.9:53"));
    // The gate listens on this port too, in its own namespace.
    let own = TcpListener::bind("0.0.0.0:5432").expect("ports of the inside are its own");
    let served = std::thread::spawn(move || own.accept().unwrap().0.write_all(b"mine").unwrap());
    println!("own port {}", reach("127.0.0.1:5432"));
    served.join().unwrap();
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.send_to(b"who", "8.8.8.8:53").unwrap();
    let mut answer = [0; 100];
    let (length, _) = socket.recv_from(&mut answer).unwrap();
    println!("datagram {}", String::from_utf8_lossy(&answer[..length]));
    socket.connect("8.8.8.8:4433").unwrap();
    socket.send(b"quic").unwrap();
    println!("another datagram {:?}", socket.recv(&mut answer).map_err(|error| error.kind()));
}

fn covers() {
    println!("socket {}", std::os::unix::net::UnixStream::connect("socket").is_ok());
    println!("203.0.113.7:443 {}", reach("203.0.113.7:443"));
}

fn files() {
    for path in ["/etc/resolv.conf", "/etc/hosts"] {
        println!("{path}:\n{}", std::fs::read_to_string(path).unwrap().trim());
        let changed = std::fs::OpenOptions::new().append(true).open(path).is_ok();
        let removed = std::fs::remove_file(path).is_ok();
        println!("changed: {changed}, removed: {removed}");
    }
    println!("bundle of {} bytes", std::fs::read(bailiwick_linux::gate::BUNDLE).unwrap().len());
    println!("GATE={}", std::env::var("GATE").unwrap_or_default());
    let absent = std::fs::symlink_metadata("absent").is_err();
    println!("link: {}, absent: {absent}", std::fs::read_to_string("link").unwrap());
    println!("localhost: {}", ("localhost", 1).to_socket_addrs().is_ok());
}

fn offline() {
    println!("{}, {}", reach("203.0.113.7:443"), reach("[2001:db8::7]:443"));
    let interfaces = std::fs::read_to_string("/proc/self/net/dev").unwrap();
    let names = interfaces.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim());
    println!("interfaces: {}", names.collect::<Vec<_>>().join(" "));
    println!("GATE={}", std::env::var("GATE").unwrap_or_default());
}

fn packets() {
    println!("{}", reach("203.0.113.7:22"));
    println!("{}", reach("[2001:db8::7]:23"));
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.send_to(b"quic", "203.0.113.7:443").unwrap();
    // After this, the gate has seen all of them.
    println!("{}", reach("203.0.113.7:5432"));
}

fn outlives_the_gate() {
    println!("first {}", reach("203.0.113.7:443"));
    // The supervisor holds the second namespace, in which nobody listens any more.
    let refused = (0..2000).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        let address = "203.0.113.7:443".parse().unwrap();
        let answer = TcpStream::connect_timeout(&address, Duration::from_secs(1));
        answer.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
    });
    println!("then refused: {refused}");
    println!("still here");
}

fn waits() {
    println!("{}", reach("203.0.113.7:443"));
    std::io::stdout().flush().unwrap();
    loop {
        std::thread::sleep(Duration::from_secs(60));
    }
}
