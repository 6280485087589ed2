//! The servers that are reached, and a client of one.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// A server that counts what it gets, and says how much it was.
pub(crate) fn sink() -> SocketAddr {
    serve(|mut stream| {
        let mut buffer = vec![0; 128 << 10];
        let mut all: u64 = 0;
        loop {
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(number) => all += number as u64,
            }
        }
        let _ = stream.write_all(&all.to_be_bytes());
        None
    })
}

/// A server that gives one byte back, and holds the connection.
pub(crate) fn echo() -> SocketAddr {
    serve(|mut stream| {
        let mut byte = [0];
        if stream.read_exact(&mut byte).is_ok() {
            let _ = stream.write_all(&byte);
        }
        Some(stream)
    })
}

/// A server that gives one byte back and then as much as is taken, up to 256 KB, and holds the connection.
pub(crate) fn flood() -> SocketAddr {
    serve(|mut stream| {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap_or_default();
        stream.write_all(&byte).unwrap_or_default();
        stream.set_nonblocking(true).unwrap();
        let buffer = vec![7; 64 << 10];
        for _ in 0..4 {
            if stream.write(&buffer).is_err() {
                break;
            }
        }
        Some(stream)
    })
}

/// Connections that a server holds: the oldest ones are over by then.
const MOST: usize = 5100;

/// Serves connections one after the other, on a thread. What is given back is held until the other end closes.
fn serve(each: impl Fn(TcpStream) -> Option<TcpStream> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut held: Vec<TcpStream> = Vec::new();
        for stream in listener.incoming() {
            held.extend(each(stream.unwrap()));
            if held.len() > MOST {
                held.remove(0);
            }
        }
    });
    address
}

/// A connection over which one byte went there and back.
pub(crate) fn opened(to: SocketAddr) -> TcpStream {
    let mut stream = connect(to);
    stream.set_nodelay(true).unwrap();
    // No request begins with it, so that nothing is waited for.
    stream.write_all(b"\0").unwrap();
    let mut byte = [0];
    stream.read_exact(&mut byte).unwrap();
    stream
}

/// A connection that is reset when it is closed, so that the servers, which hold theirs, keep nothing open in the gate.
pub(crate) fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    stream
}
