//! What is set on every connection.

use std::time::Duration;

use tokio::net::TcpStream;

/// How long a connection may be silent before the system asks whether the other end is still there. Silence itself is allowed.
const IDLE: Duration = Duration::from_secs(120);
/// Between two questions.
const INTERVAL: Duration = Duration::from_secs(30);
/// How many questions may stay unanswered.
const QUESTIONS: u32 = 4;

/// No delay for small writes, and dead peers are found. A system that refuses one of these still carries the connection.
pub(crate) fn tune(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    keep_alive(stream);
}

/// Bytes of each buffer of the kernel for a connection from inside. The way is short, so that more would not be faster, and this is what a client that
/// does not read, or a server that does not, makes the kernel hold. (The kernel takes twice as much, for its own; see socket(7).)
#[cfg(target_os = "linux")]
const INSIDE_BUFFER: usize = 128 << 10;

/// As [`tune`], for a connection from inside.
pub(crate) fn tune_inside(stream: &TcpStream) {
    tune(stream);
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(stream, INSIDE_BUFFER);
        let _ = rustix::net::sockopt::set_socket_recv_buffer_size(stream, INSIDE_BUFFER);
    }
}

/// For a connection that does not leave the machine, or a listener of such, from which those that it accepts inherit it.
///
/// There is no network between the two ends, so that there is nothing for congestion control to find out; and BBR, which is the default on
/// some hosts, paces what it sends with a timer for each packet (*measured*: a quarter of the gate's time). Reno, which every kernel has and
/// anybody may choose, does not. Towards the network the host's choice stands.
#[cfg(target_os = "linux")]
pub(crate) fn tune_local(socket: impl std::os::fd::AsFd) {
    let _ = rustix::net::sockopt::set_tcp_congestion(socket, "reno");
}

/// Elsewhere sockets are left as they are.
#[cfg(not(target_os = "linux"))]
pub(crate) fn tune_local<S>(_socket: S) {}

#[cfg(target_os = "linux")]
fn keep_alive(stream: &TcpStream) {
    use rustix::net::sockopt;
    let _ = sockopt::set_tcp_keepidle(stream, IDLE);
    let _ = sockopt::set_tcp_keepintvl(stream, INTERVAL);
    let _ = sockopt::set_tcp_keepcnt(stream, QUESTIONS);
    let _ = sockopt::set_socket_keepalive(stream, true);
}

/// Elsewhere the times are the system's.
#[cfg(not(target_os = "linux"))]
fn keep_alive(_stream: &TcpStream) {
    let _ = (IDLE, INTERVAL, QUESTIONS);
}

/// Ends a connection with a reset: what a program sees is a refused or broken connection at once, not an orderly end.
pub(crate) fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
    drop(stream);
}
