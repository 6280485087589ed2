//! Clients that behave badly, in great number.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::servers;

/// Connections that are held, and a thread that keeps some of them busy.
pub(crate) struct Crowd {
    number: usize,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// Clients to whom a server sends and who never read.
    pub(crate) fn never_reading(door: SocketAddr, number: usize) -> Crowd {
        let streams = (0..number).map(|_| servers::opened(door)).collect();
        Crowd::of(streams, |_| {})
    }

    /// Clients that send the start of a TLS handshake, a byte now and then.
    pub(crate) fn slow(door: SocketAddr, number: usize) -> Crowd {
        let streams = (0..number).map(|_| began(door, &[22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])).collect();
        Crowd::of(streams, |stream| _ = stream.write(&[0]))
    }

    /// Clients that send a header of a request that never ends.
    pub(crate) fn endless(door: SocketAddr, number: usize) -> Crowd {
        let streams = (0..number).map(|_| began(door, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")).collect();
        Crowd::of(streams, |stream| _ = stream.write(&[b'x'; 8192]))
    }

    fn of(mut streams: Vec<TcpStream>, busy: impl Fn(&mut TcpStream) + Send + 'static) -> Crowd {
        let stop = Arc::new(AtomicBool::new(false));
        let (number, seen) = (streams.len(), stop.clone());
        let thread = thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                for stream in streams.iter_mut().take(500) {
                    busy(stream);
                }
                thread::sleep(Duration::from_millis(100));
            }
        });
        Crowd { number, stop, thread: Some(thread) }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.number
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn began(door: SocketAddr, with: &[u8]) -> TcpStream {
    let mut stream = servers::connect(door);
    stream.write_all(with).unwrap();
    stream.set_nonblocking(true).unwrap();
    stream
}

/// Opens and closes connections, a thousand or so a second, until the result is called; gives how many there were.
pub(crate) fn open_and_close(door: SocketAddr) -> impl FnOnce() -> u64 {
    let (stop, number) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (seen, counted) = (stop.clone(), number.clone());
    let thread = thread::spawn(move || {
        while !seen.load(Ordering::Relaxed) {
            if TcpStream::connect(door).is_ok() {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            thread::sleep(Duration::from_micros(500));
        }
    });
    move || {
        stop.store(true, Ordering::Relaxed);
        let _ = thread.join();
        number.load(Ordering::Relaxed)
    }
}
